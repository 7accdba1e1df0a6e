"""Averages of histograms, and sums and averages of one series' histograms over windows of time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.query.exact_sums import window_sums
from monitor.query.histogram import Hint, Stack
from monitor.query.histogram_math import Combined, divide, empty_cells, scale, total
from monitor.query.histogram_rate import resets
from monitor.query.histogram_stacks import Positions, stacks_of
from monitor.query.history import Cells, Mask

_LONGEST = 1 << 20
"""Cells that are laid out side by side at once: windows are gone through in parts."""


def mean(cells: Cells) -> Combined:
    """Averages over the first axis: object [K, N] gives [N]. None counts as not there. Where the sum is too large for a float,
    what is summed is divided first.
    """
    sizes = (cells != None).sum(axis=0).astype(np.float64)  # noqa: E711  # elementwise
    sums = total(cells)
    found = divide(sums.cells, np.maximum(sizes, 1.0))
    beyond = _overflown(sums.cells)
    if beyond.any():
        found[beyond] = total(scale(cells[:, beyond], 1.0 / sizes[beyond])).cells
    return Combined(found, sums.mixed, sums.collided, sums.reconciled)


def _overflown(cells: Cells) -> Mask:
    beyond = np.zeros(len(cells), bool)
    for at, stack in stacks_of(cells):
        beyond[at] = ~(np.isfinite(stack.counts).all(axis=1) & np.isfinite(stack.count) & np.isfinite(stack.sum))
    return beyond


def window_totals(cells: Cells, starts: Positions, ends: Positions) -> Combined:
    """Sums over windows of one series' histograms: object [T], window n holds the cells `starts[n]` to `ends[n] - 1`; [N]."""
    found = _even_totals(cells, starts, ends)
    return _over_windows(total, cells, starts, ends) if found is None else found


def window_means(cells: Cells, starts: Positions, ends: Positions) -> Combined:
    """Averages over windows, see `window_totals`."""
    sums = _even_totals(cells, starts, ends)
    if sums is None:
        return _over_windows(mean, cells, starts, ends)
    found = divide(sums.cells, np.maximum(ends - starts, 1).astype(np.float64))
    beyond = _overflown(sums.cells)
    if beyond.any():
        found[beyond] = _over_windows(mean, cells, starts[beyond], ends[beyond]).cells
    return Combined(found, sums.mixed, sums.collided, sums.reconciled)


def _even_totals(cells: Cells, starts: Positions, ends: Positions) -> Combined | None:
    """Sums where the buckets stay comparable and no cell is missing: each bucket is a row of numbers. Else None."""
    stacks = stacks_of(cells)
    if len(stacks) != 1 or len(stacks[0][0]) != len(cells):
        return None
    stack = stacks[0][1]
    sums = window_sums(np.vstack((stack.counts.T, stack.count, stack.sum)), starts, ends)
    seen = np.array([_any_in_windows(stack.hints == hint, starts, ends) for hint in Hint])
    hints = np.where(seen[Hint.GAUGE], Hint.GAUGE, np.where(seen.sum(axis=0) == 1, seen.argmax(axis=0), Hint.UNKNOWN))
    counts = np.ascontiguousarray(sums[:-2].T)
    totals = Stack(stack.layout, counts, sums[-2], sums[-1], hints.astype(np.int8)).cells()
    totals[ends <= starts] = None
    nowhere = np.zeros(len(starts), bool)
    return Combined(totals, nowhere, seen[Hint.RESET] & seen[Hint.NO_RESET], nowhere)


def _any_in_windows(flags: Mask, starts: Positions, ends: Positions) -> Mask:
    running = np.concatenate(([0], np.cumsum(flags)))
    found: Mask = running[np.maximum(ends, starts)] > running[starts]
    return found


def _over_windows(read: Callable[[Cells], Combined], cells: Cells, starts: Positions, ends: Positions) -> Combined:
    found = Combined(empty_cells(len(starts)), *(np.zeros(len(starts), bool) for _ in range(3)))
    padded = np.append(cells, [None])
    longest = int((ends - starts).max(initial=0))
    if longest == 0:
        return found
    at_once = max(1, _LONGEST // longest)
    for first in range(0, len(starts), at_once):
        part = slice(first, first + at_once)
        places = starts[part] + np.arange(longest)[:, np.newaxis]
        places = np.where(places < ends[part], places, len(cells))
        read_part = read(padded[places])
        found.cells[part], found.mixed[part] = read_part.cells, read_part.mixed
        found.collided[part], found.reconciled[part] = read_part.collided, read_part.reconciled
    return found


def with_found_resets(cells: Cells) -> Cells:
    """One series' histograms, object [T] without None, whose hints tell what comparing each with the one before it finds; hints
    that were given stay, and of the first nothing is known. `histogram_count` and its like see histograms so
    (Prometheus, promql/histogram_stats_iterator.go).
    """
    found = empty_cells(len(cells))
    reset = np.where(resets(cells), Hint.RESET, Hint.NO_RESET)
    reset[:1] = Hint.UNKNOWN
    for at, stack in stacks_of(cells):
        hints = np.where(stack.hints == Hint.UNKNOWN, reset[at], stack.hints).astype(np.int8)
        found[at] = Stack(stack.layout, stack.counts, stack.count, stack.sum, hints).cells()
    return found
