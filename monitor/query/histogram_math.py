"""Arithmetic on arrays of histograms, cell by cell: object arrays of `Histogram` or None go in and come out.

Sources: Prometheus, model/histogram/float_histogram.go (Add, Sub, KahanAdd, Mul, Div, Equals); Neumaier, "Rundungsfehleranalyse
einiger Verfahren zur Summation endlicher Summen" (1974), for sums over many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.query.exact_sums import group_sums
from monitor.query.histogram import Hint, Histogram, Layout, ResetHints, Stack
from monitor.query.histogram_layout import common_bounds, common_thresholds, reduced, widened, with_bounds
from monitor.query.histogram_stacks import Positions, parts_of, spread_to, stacks_of, union
from monitor.query.history import Cells, Mask, Values

_FEW_TIMES = 8
"""Below so many times sums go through the times, else through the series."""


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """What came of combining histograms, all in one shape. `cells`: None where either was None, or where exponential and custom
    buckets met, which `mixed` tells. `collided`: a counter reset stood against a sure "no reset". `reconciled`: custom bounds
    differed, those that both have are left.
    """

    cells: Cells
    mixed: Mask
    collided: Mask
    reconciled: Mask


def add(left: Cells, right: Cells) -> Combined:
    """Sums of pairs; both object arrays of one shape."""
    return _combined(left, right, 1.0)


def subtract(left: Cells, right: Cells) -> Combined:
    """Differences of pairs. The hint is that of a sum; PromQL's `-` makes it `GAUGE` (see `hinted`)."""
    return _combined(left, right, -1.0)


def scale(cells: Cells, factors: Values | float) -> Cells:
    """Products with floats of the same shape (or one for all); a negative factor makes gauges."""
    return _scaled(cells, factors, divide=False)


def divide(cells: Cells, divisors: Values | float) -> Cells:
    """Quotients by floats of the same shape (or one for all); division by zero leaves no buckets, count and sum not finite."""
    return _scaled(cells, divisors, divide=True)


def hinted(cells: Cells, hint: Hint) -> Cells:
    """The same histograms with another counter reset hint."""
    found = empty_cells(cells.shape)
    flat = found.reshape(-1)
    for at, stack in parts_of(cells):
        hints = np.full(len(stack), hint, np.int8)
        flat[at] = Stack(stack.layout, stack.counts, stack.count, stack.sum, hints).cells()
    return found


def equal(left: Cells, right: Cells) -> Mask:
    """Where both have a histogram and the two are the same: schema, zero bucket, bounds, count, sum and populated buckets."""
    same = np.zeros(left.size, bool)
    for at, a, b in _pairs(left.reshape(-1), right.reshape(-1)):
        if a.layout.comparable(b.layout):
            layout = union((a.layout, b.layout))
            buckets = (spread_to(a, layout).counts == spread_to(b, layout).counts).all(axis=1)
            sums = (a.sum == b.sum) | (np.isnan(a.sum) & np.isnan(b.sum))
            same[at] = buckets & sums & (a.count == b.count)
    return same.reshape(left.shape)


def empty_cells(shape: int | tuple[int, ...]) -> Cells:
    """An object array without any histogram."""
    found: Cells = np.full(shape, None, object)
    return found


def total(cells: Cells) -> Combined:
    """Sums over the first axis with compensation for rounding: object [K, N] gives [N]. None counts as not there."""
    size = cells.shape[1]
    if len(cells) == 1:
        return Combined(cells[0].copy(), *(np.zeros(size, bool) for _ in range(3)))
    seen = np.zeros((4, size), bool)
    found = Combined(empty_cells(size), *(np.zeros(size, bool) for _ in range(3)))
    for sums in _sums_at_times(cells, seen) if size < _FEW_TIMES else _sums_of_series(cells, seen):
        found = _merged(found, sums)
    hints = np.where(seen[Hint.GAUGE], Hint.GAUGE, np.where(seen.sum(axis=0) == 1, seen.argmax(axis=0), Hint.UNKNOWN))
    for at, stack in stacks_of(found.cells):
        stack = Stack(stack.layout, stack.counts, stack.count, stack.sum, hints[at].astype(np.int8))
        found.cells[at] = stack.cells()
    return Combined(found.cells, found.mixed, seen[Hint.RESET] & seen[Hint.NO_RESET], found.reconciled)


def _sums_at_times(cells: Cells, seen: Mask) -> list[Cells]:
    """Sums of what is comparable, each object [N]; a time after the other. Notes the hints that were seen, bool [4, N]."""
    sums: list[Cells] = []
    for time in range(cells.shape[1]):
        for number, (_, stack) in enumerate(stacks_of(cells[:, time])):
            if number == len(sums):
                sums.append(empty_cells(cells.shape[1]))
            columns = np.column_stack((stack.counts, stack.count, stack.sum))
            whole = group_sums(columns, np.zeros(len(stack), np.int64), 1)
            hint = np.zeros(1, np.int8)
            sums[number][time] = Histogram(Stack(stack.layout, whole[:, :-2], whole[:, -2], whole[:, -1], hint))
            seen[stack.hints, time] = True
    return sums


def _sums_of_series(cells: Cells, seen: Mask) -> list[Cells]:
    """The same, a series after the other."""
    sums: list[_RunningSum] = []
    for row in cells:
        for at, stack in stacks_of(row):
            running = next((s for s in sums if s.layout.comparable(stack.layout)), None)
            if running is None:
                running = _RunningSum(stack.layout, cells.shape[1])
                sums.append(running)
            running.add(at, stack)
            seen[stack.hints, at] = True
    return [running.cells() for running in sums]


class _RunningSum:
    """Sums of comparable histograms over N cells, with what rounding took away (Neumaier)."""

    def __init__(self, layout: Layout, size: int) -> None:
        self.layout = layout
        self._present = np.zeros(size, bool)
        self._sums = np.zeros((size, layout.width + 2))
        self._lost = np.zeros((size, layout.width + 2))

    def add(self, at: Positions, stack: Stack) -> None:
        wider = union((self.layout, stack.layout))
        if wider is not self.layout:
            self._sums, self._lost = self._spread(self._sums, wider), self._spread(self._lost, wider)
            self.layout = wider
        more = np.column_stack((spread_to(stack, wider).counts, stack.count, stack.sum))
        rows: Positions | slice = slice(None) if len(at) == len(self._sums) else at
        before = self._sums[rows]
        with np.errstate(invalid="ignore", over="ignore"):
            after = before + more
            lost = np.where(np.abs(before) >= np.abs(more), (before - after) + more, (more - after) + before)
        self._lost[rows] = np.where(np.isfinite(after), self._lost[rows] + lost, 0.0)
        self._sums[rows] = after
        self._present[at] = True

    def _spread(self, sums: Values, wider: Layout) -> Values:
        nothing = np.zeros(len(sums))
        whole = spread_to(Stack(self.layout, sums[:, :-2], nothing, nothing, nothing.astype(np.int8)), wider).counts
        return np.concatenate((whole, sums[:, -2:]), axis=1)

    def cells(self) -> Cells:
        sums = (self._sums + self._lost)[self._present]
        found = empty_cells(len(self._present))
        hints = np.zeros(len(sums), np.int8)
        found[self._present] = Stack(self.layout, sums[:, :-2], sums[:, -2], sums[:, -1], hints).cells()
        return found


def _merged(found: Combined, more: Cells) -> Combined:
    """Adds sums of other buckets to what there is; where there is nothing yet they stand alone."""
    both = add(found.cells, more)
    lone = (found.cells == None) & ~found.mixed  # noqa: E711  # elementwise
    cells = np.where(lone, more, np.where(more == None, found.cells, both.cells))  # noqa: E711  # elementwise
    return Combined(cells, found.mixed | both.mixed, found.collided, found.reconciled | both.reconciled)


def _combined(left: Cells, right: Cells, sign: float) -> Combined:
    found = Combined(empty_cells(left.size), *(np.zeros(left.size, bool) for _ in range(3)))
    for at, a, b in _pairs(left.reshape(-1), right.reshape(-1)):
        if a.layout.custom != b.layout.custom:
            found.mixed[at] = True
            continue
        hints, found.collided[at] = combined_hints(a.hints, b.hints)
        found.reconciled[at] = a.layout.custom and not a.layout.comparable(b.layout)
        for rows, first, second in aligned(a, b):
            with np.errstate(invalid="ignore", over="ignore"):
                stack = Stack(
                    first.layout,
                    first.counts + sign * second.counts,
                    first.count + sign * second.count,
                    first.sum + sign * second.sum,
                    hints[rows],
                )
            found.cells[at[rows]] = stack.cells()
    shape = left.shape
    masks = (mask.reshape(shape) for mask in (found.mixed, found.collided, found.reconciled))
    return Combined(found.cells.reshape(shape), *masks)


def aligned(left: Stack, right: Stack) -> Iterator[tuple[Positions, Stack, Stack]]:
    """Pairs of rows in the same columns: row numbers, and the stacks of those rows. Both have custom buckets or neither."""
    everything = np.arange(len(left))
    if left.layout.custom:
        if not left.layout.comparable(right.layout):
            bounds = common_bounds(left.layout, right.layout)
            left, right = with_bounds(left, bounds), with_bounds(right, bounds)
        layout = union((left.layout, right.layout))
        yield everything, spread_to(left, layout), spread_to(right, layout)
        return
    schema = min(left.layout.schema, right.layout.schema)
    thresholds = common_thresholds(left, right)
    for threshold in np.unique(thresholds).tolist():
        rows = np.flatnonzero(thresholds == threshold)
        a, b = (reduced(widened(stack.take(rows), threshold), schema) for stack in (left, right))
        layout = union((a.layout, b.layout))
        yield rows, spread_to(a, layout), spread_to(b, layout)


def combined_hints(left: ResetHints, right: ResetHints) -> tuple[ResetHints, Mask]:
    """Hints of sums, int8, and where a reset met a sure "no reset" (FloatHistogram.adjustCounterReset)."""
    gauge = (left == Hint.GAUGE) | (right == Hint.GAUGE)
    hints = np.where(gauge, Hint.GAUGE, np.where(left == right, left, Hint.UNKNOWN)).astype(np.int8)
    return hints, ~gauge & (left != right) & (left != Hint.UNKNOWN) & (right != Hint.UNKNOWN)


def _pairs(left: Cells, right: Cells) -> Iterator[tuple[Positions, Stack, Stack]]:
    """Positions where both have a histogram, with the rows of each, as long as the layouts on both sides stay the same."""
    both = (left != None) & (right != None)  # noqa: E711  # elementwise
    paired = left.copy()
    paired[~both] = None
    for at, a in stacks_of(paired):
        for within, b in stacks_of(right[at]):
            yield at[within], a if len(within) == len(a) else a.take(within), b


def _scaled(cells: Cells, factors: Values | float, divide: bool) -> Cells:
    found = empty_cells(cells.size)
    every: Values = np.broadcast_to(np.asarray(factors, np.float64), cells.shape).reshape(-1)
    for at, stack in parts_of(cells):
        by = every[at]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            if divide:
                counts, count, total_sum = stack.counts / by[:, np.newaxis], stack.count / by, stack.sum / by
                buckets = np.arange(stack.layout.width) != stack.layout.zero
                counts[np.ix_(by == 0, buckets | stack.layout.custom)] = 0.0  # custom buckets leave the zero bucket empty
            else:
                counts, count, total_sum = stack.counts * by[:, np.newaxis], stack.count * by, stack.sum * by
        hints = np.where(by < 0, Hint.GAUGE, stack.hints).astype(np.int8)
        found[at] = Stack(stack.layout, counts, count, total_sum, hints).cells()
    return found.reshape(cells.shape)


def cell(histogram: Histogram) -> Cells:
    """One histogram as an array of one."""
    found = empty_cells(1)
    found[0] = histogram
    return found
