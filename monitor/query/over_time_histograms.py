"""Sums and means of native histograms over windows, for every series of a group.

Source: Prometheus, promql/functions.go (funcSumOverTime, funcAvgOverTime).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.query.histogram_math import Combined, empty_cells
from monitor.query.histogram_over_time import window_means, window_totals
from monitor.query.history import Cells, Mask
from monitor.query.labelsets import name_of
from monitor.query.notes import AGGREGATION
from monitor.query.ranges import Bounds, Ranges


def histogram_totals(ranges: Ranges, wanted: Mask) -> Cells:
    """Object [R, N]; None where windows are not wanted, bool [N], or mix exponential and custom buckets."""
    return _of_each(ranges, wanted, window_totals)


def histogram_means(ranges: Ranges, wanted: Mask) -> Cells:
    """As `histogram_totals`, the averages."""
    return _of_each(ranges, wanted, window_means)


def _of_each(ranges: Ranges, wanted: Mask, read: Callable[[Cells, Bounds, Bounds], Combined]) -> Cells:
    windows, found = ranges.histograms, empty_cells(ranges.shape)
    highs = np.where(wanted, windows.highs, windows.lows)
    for row, labels in enumerate(ranges.labels):
        combined = read(ranges.cells[row], windows.lows, highs)
        found[row] = combined.cells
        if combined.mixed.any():
            ranges.notes.mixed_buckets(name_of(labels), ranges.span)
        if (combined.collided & ~combined.mixed).any():
            ranges.notes.collided_resets(AGGREGATION, ranges.span)
        if combined.reconciled.any():
            ranges.notes.reconciled_bounds(AGGREGATION, ranges.span)
    return found
