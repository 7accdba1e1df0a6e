"""rate, increase and delta over anchored and smoothed ranges: from the sample at or before the window's start, or interpolated at
both its ends, so that nothing is extrapolated.

Source: Prometheus, promql/functions.go (extendedRate, extendedHistogramRate, pickFirstSampleIndices).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.query.cells import there
from monitor.query.exact_sums import window_sums
from monitor.query.extended_histograms import histogram_gain
from monitor.query.histogram_math import divide, empty_cells
from monitor.query.history import Mask, Millis, Values
from monitor.query.ranges import Bounds, Ranged, Ranges, Windows, filled


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Columns of the first and last sample that count for each window, int64 [N], the last one inclusive, and whether there is
    anything to measure.
    """

    first: Bounds
    last: Bounds
    some: Mask


def anchor(times: Millis, windows: Windows, starts: Millis, lookback: int) -> Bounds:
    """The column of the last sample at or before each window's start, else of its first."""
    before = windows.lows - 1
    near = (before >= 0) & (windows.time(before) > starts - lookback)
    found: Bounds = np.where(near, before, windows.lows)
    return found


def reach(ranges: Ranges, windows: Windows) -> Reach:
    times = windows.times
    first = anchor(times, windows, ranges.starts, ranges.lookback)
    if ranges.mode == "anchored":
        return Reach(first, windows.highs - 1, windows.counts > 0)
    following = np.searchsorted(times, ranges.ends, "left")
    ahead = (following < len(times)) & (windows.time(following) <= ranges.ends + ranges.lookback)
    last = np.where(ahead, following, following - 1)
    some = (last >= first) & (first < len(times))
    some &= (windows.time(last) > ranges.starts) & (windows.time(first) <= ranges.ends)
    return Reach(first, last, some)


def extended(ranges: Ranges, counter: bool, per_second: bool, wanted: Mask) -> Ranged:
    """As `rates._extrapolated` gives it, for the windows that are `wanted`."""
    found, present, cells = filled(ranges.shape), np.zeros(ranges.shape, bool), None
    seconds = ranges.range / 1000 if per_second else 1.0
    if len(ranges.floats.times):
        span = reach(ranges, ranges.floats)
        found = _float_gain(ranges, ranges.floats, span, counter) / seconds
        present = np.broadcast_to(span.some & wanted, ranges.shape)
    if len(ranges.histograms.times):
        span = reach(ranges, ranges.histograms)
        cells = empty_cells(ranges.shape)
        picked = np.flatnonzero(span.some & wanted)
        for row in range(len(cells)):
            for window in picked.tolist():  # an experimental modifier over histograms: worked out window by window
                grown = histogram_gain(ranges, row, window, int(span.first[window]), int(span.last[window]), counter)
                cells[row, window] = grown
        present = present | there(cells)
        cells = divide(cells, seconds) if per_second else cells
    return Ranged(found, present, cells)


def boundaries(ranges: Ranges, windows: Windows, span: Reach, counter: bool) -> tuple[Values, Values]:
    """Values at the start and end of each window, float64 [R, N] each."""
    first, last = span.first, span.last
    left, right = windows.column(first), windows.column(last)
    if ranges.mode == "smoothed":
        with np.errstate(all="ignore"):
            early = windows.time(first) < ranges.starts
            left = np.where(early, _between(windows, first, first + 1, ranges.starts, counter), left)
            late = (windows.time(last) > ranges.ends) & (last > first)
            right = np.where(late, _between(windows, last - 1, last, ranges.ends, counter), right)
    return left, right


def _float_gain(ranges: Ranges, windows: Windows, span: Reach, counter: bool) -> Values:
    left, right = boundaries(ranges, windows, span, counter)
    with np.errstate(all="ignore"):
        gain: Values = right - left
        if not counter:
            return gain
        inner_first = np.where(windows.time(span.first) <= ranges.starts, span.first + 1, span.first)
        inner_last = np.where(windows.time(span.last) >= ranges.ends, span.last - 1, span.last)
        return gain + _corrections(windows, inner_first, inner_last, left, right)


def _corrections(windows: Windows, first: Bounds, last: Bounds, left: Values, right: Values) -> Values:
    """What was lost to resets on the way from `left` by the samples `first` to `last` (may be none) to `right`."""
    none = last < first
    head, tail = windows.column(first), windows.column(last)
    found = np.where(head < left, left, 0.0) + np.where(right < tail, tail, 0.0)
    found = np.where(none, np.where(right < left, left, 0.0), found)
    values = windows.values
    before = np.zeros(values.shape)
    before[:, 1:] = np.where(values[:, 1:] < values[:, :-1], values[:, :-1], 0.0)
    return found + window_sums(before, first + 1, np.maximum(last + 1, first + 1))


def _between(windows: Windows, before: Bounds, after: Bounds, times: Millis, counter: bool) -> Values:
    low, high = windows.column(before), windows.column(after)
    start, end = windows.time(before), windows.time(after)
    base = np.where(high < low, 0.0, low) if counter else low
    found: Values = base + (high - base) * ((times - start) / (end - start))
    return found
