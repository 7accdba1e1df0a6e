"""Selectors: what a history has, as vectors at the evaluation times and as ranges before them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from monitor.query.ast import Selector
from monitor.query.cells import only, there
from monitor.query.context import Frame, Run
from monitor.query.found_resets import with_resets
from monitor.query.history import Block, Cells, Hints, Labels, Mask, Millis, Selected, Values, stale_at
from monitor.query.ranges import Bounds
from monitor.query.vectors import Vector, empty, of_floats, stacked


def reference_times(selector: Selector, frame: Frame) -> Millis:
    """The times a selector looks at, after `@` and `offset`: int64 [N], or [1] where `@` fixes them."""
    if selector.at is not None and selector.at.time is not None:
        return np.array([selector.at.time - selector.offset], np.int64)
    return frame.times - selector.offset


def select_instant(run: Run, selector: Selector, times: Millis, step: int, func: str) -> tuple[Selected, int]:
    """The samples an instant selector needs at these times and how far it looks back: further than usual where what is kept is
    coarser than that. A smoothed one looks ahead as far.
    """
    lookback = run.limits.lookback
    while True:
        ahead = lookback if selector.mode == "smoothed" else 0
        hints = Hints(step, 0, lookback, "smoothed" if ahead else func, int(times[0]), run.limits.max_samples)
        selected = run.select(selector.matchers, int(times[0]) - lookback + 1, int(times[-1]) + ahead, hints)
        if selected.resolution <= lookback:
            return with_resets(selected) if id(selector) in run.statistics else selected, lookback
        lookback = selected.resolution


Stamps = Literal["", "taken", "start"]
"""What a selector gives in place of the samples, in seconds: when they were taken, or since when they count."""


def instant(run: Run, selector: Selector, frame: Frame, func: str = "", stamps: Stamps = "") -> Vector:
    """A selector's vector."""
    times = reference_times(selector, frame)
    selected, lookback = select_instant(run, selector, times, frame.step, func)
    run.bound(sum(len(block.labels) for block in selected.blocks) * len(times))
    parts = [_looked_up(block, times, lookback, stamps) for block in selected.blocks if len(block.times)]
    return in_order(stacked(parts, len(times)).populated())


def in_order(vector: Vector) -> Vector:
    """Series sorted by their labels, as a history gives them."""
    order = sorted(range(len(vector.labels)), key=vector.labels.__getitem__)
    return vector if order == list(range(len(order))) else vector.take(np.array(order, np.int64))


def _looked_up(block: Block, times: Millis, lookback: int, stamps: Stamps) -> Vector:
    if block.present is None:
        return _looked_up_rows(block, block.labels, slice(None), times, lookback, stamps)
    whole: Mask = np.all(block.present, axis=1)
    parts = [_looked_up_holes(block, row, times, lookback, stamps) for row in _alike(block.present, ~whole)]
    if whole.any():
        labels = tuple(label for label, kept in zip(block.labels, whole.tolist(), strict=True) if kept)
        parts.append(_looked_up_rows(block, labels, whole, times, lookback, stamps))
    return stacked(parts, len(times))


def _alike(present: Mask, rows: Mask) -> Iterator[Bounds]:
    """Rows with the same samples missing, together."""
    patterns = np.packbits(present, axis=1)
    groups: dict[bytes, list[int]] = {}
    for row in np.flatnonzero(rows).tolist():
        groups.setdefault(patterns[row].tobytes(), []).append(row)
    for members in groups.values():
        yield np.array(members, np.int64)


def _looked_up_holes(block: Block, rows: Bounds, times: Millis, lookback: int, stamps: Stamps) -> Vector:
    kept = block.present[rows[0]] if block.present is not None else slice(None)
    labels = tuple(block.labels[row] for row in rows.tolist())
    cells = block.histograms[rows][:, kept] if block.histograms is not None else None
    starts = block.starts[rows][:, kept] if block.starts is not None else None
    whole = Block(labels, block.times[kept], block.values[rows][:, kept], None, cells, starts)
    return _looked_up_rows(whole, labels, slice(None), times, lookback, stamps)


def _looked_up_rows(
    block: Block, labels: tuple[Labels, ...], rows: Mask | slice, times: Millis, lookback: int, stamps: Stamps
) -> Vector:
    if not len(block.times) or (stamps == "start" and block.starts is None):
        return empty(len(times))
    at = np.searchsorted(block.times, times, "right") - 1
    found = at >= 0
    at = np.maximum(at, 0)
    found &= block.times[at] > times - lookback
    values = _columns(block.values[rows], at)
    stale = stale_at(values)
    cells: Cells | None = None
    if block.histograms is not None:
        cells = block.histograms[rows][:, at]
        stale &= ~there(cells)
        cells = None if stamps or not there(cells).any() else cells
    present = found & ~stale if stale.any() or not found.all() else np.ones(values.shape, bool)
    if stamps == "taken":
        values = np.broadcast_to(block.times[at] / 1000, values.shape)
    elif stamps and block.starts is not None:
        values = block.starts[rows][:, at] / 1000
    vector = of_floats(labels, values, present)
    return vector if cells is None else Vector(labels, values, present, only(present, cells), vector.nameless)


def _columns(values: Values, at: Bounds) -> Values:
    """Evenly spaced columns are a slice, others are gathered."""
    if len(at) > 1 and at[1] > at[0] and (np.diff(at) == at[1] - at[0]).all():
        return np.ascontiguousarray(values[:, at[0] : at[-1] + 1 : at[1] - at[0]])
    return np.take(values, at, axis=1)


_HINTS_MATTER = frozenset(("avg_over_time", "first_over_time", "last_over_time", "sum_over_time"))
"""Functions that hand hints on; the others compare histograms themselves."""


def select_range(run: Run, selector: Selector, starts: Millis, ends: Millis, step: int, func: str) -> Selected:
    """The samples of all windows (start, end]; an anchored or smoothed selector's reach beyond them."""
    before = run.limits.lookback if selector.mode else 0
    after = run.limits.lookback if selector.mode == "smoothed" else 0
    hints = Hints(step, selector.range or 0, run.limits.lookback, func, int(ends[0]), run.limits.max_samples)
    selected = run.select(selector.matchers, int(starts[0]) - before + 1, int(ends[-1]) + after, hints)
    if selected.resolution:
        run.tell_sparse(selected.resolution, selector.range or 0)
    return with_resets(selected) if id(selector) in run.statistics and func in _HINTS_MATTER else selected
