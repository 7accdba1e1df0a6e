"""`selector smoothed`: a value between the samples before and after each time, by the straight line between them.

Source: Prometheus, promql/engine.go (smoothSeries).
"""

from __future__ import annotations

import numpy as np

from monitor.query.ast import Selector
from monitor.query.cells import there
from monitor.query.context import Frame, Run
from monitor.query.extended_histograms import interpolated
from monitor.query.histogram import Hint
from monitor.query.histogram_math import empty_cells
from monitor.query.history import Millis
from monitor.query.labelsets import name_of
from monitor.query.ranges import Samples, samples_of
from monitor.query.selectors import in_order, reference_times, select_instant
from monitor.query.vectors import Vector, broadcast, of_floats, stacked


def smoothed_instant(run: Run, selector: Selector, frame: Frame, func: str) -> Vector:
    """A smoothed selector's vector at the times of a frame."""
    times = reference_times(selector, frame)
    selected, lookback = select_instant(run, selector, times, frame.step, func)
    run.bound(sum(len(block.labels) for block in selected.blocks) * len(times))
    parts = [_interpolated(run, selector, samples, times, lookback) for block in selected.blocks for samples in samples_of(block)]
    found = in_order(stacked(parts, len(times)).populated())
    return broadcast(found, len(frame)) if len(times) < len(frame) else found


def _interpolated(run: Run, selector: Selector, samples: Samples, times: Millis, lookback: int) -> Vector:
    taken = samples.times
    before = np.searchsorted(taken, times, "right") - 1
    exact = (before >= 0) & (taken[np.maximum(before, 0)] == times)
    after = np.where(exact, before, before + 1)
    known = (before >= 0) & (taken[np.maximum(before, 0)] > times - lookback)
    ahead = (after < len(taken)) & (taken[np.minimum(after, len(taken) - 1)] <= times + lookback)
    low, high = np.maximum(before, 0), np.where(ahead, np.minimum(after, len(taken) - 1), np.maximum(before, 0))
    span = taken[high] - taken[low]
    with np.errstate(invalid="ignore"):
        fraction = np.where(span > 0, (times - taken[low]) / np.where(span > 0, span, 1), 0.0)
    first, last = samples.values[:, low], samples.values[:, high]
    with np.errstate(all="ignore"):
        values = np.where(fraction > 0, first + (last - first) * fraction, first)
    shape = (len(samples.labels), len(times))
    present = np.broadcast_to(known, shape)
    if samples.cells is None:
        return of_floats(samples.labels, values, present)
    lows = np.searchsorted(taken, times - lookback, "right")
    highs = np.searchsorted(taken, times + lookback, "right")
    running = np.concatenate(([0], np.cumsum(samples.histogram)))
    histograms = running[highs] - running[lows]
    mixed = (histograms > 0) & (histograms < highs - lows)
    cells = empty_cells(shape)
    for row, labels in enumerate(samples.labels):
        if mixed.any():
            run.notes.mixed_samples(name_of(labels), selector.span)
        for place in np.flatnonzero(known & (histograms > 0) & ~mixed).tolist():  # experimental, hence one by one
            old, new = samples.cells[row, low[place]], samples.cells[row, high[place]]
            counter = Hint.GAUGE not in (old.hint, new.hint)
            cells[row, place] = interpolated(old, new, float(fraction[place]), counter, run.notes, selector.span)
            if cells[row, place] is None:
                run.notes.mixed_buckets(name_of(labels), selector.span)
    floats = present & (histograms == 0)
    present = floats | there(cells)
    return Vector(samples.labels, values, present, cells, np.zeros(len(samples.labels), bool))
