"""Sums and means of native histograms over windows.

Source: Prometheus, promql/functions.go (funcSumOverTime, funcAvgOverTime).
"""

from __future__ import annotations

import numpy as np

from monitor.query.histogram_math import divide, empty_cells, total
from monitor.query.history import Cells, Mask, Values
from monitor.query.labelsets import name_of
from monitor.query.notes import AGGREGATION
from monitor.query.ranges import Ranges


def histogram_totals(ranges: Ranges, wanted: Mask) -> Cells:
    """Object [R, N]; None where windows are not wanted, bool [N], or mix exponential and custom buckets."""
    windows = ranges.histograms
    counts = np.where(wanted, windows.counts, 0)
    found = empty_cells(ranges.shape)
    longest = int(counts.max())
    places = windows.lows + np.arange(longest)[:, np.newaxis]
    inside = np.arange(longest)[:, np.newaxis] < counts
    for row, labels in enumerate(ranges.labels):
        laid = np.where(inside, ranges.cells[row, np.where(inside, places, 0)], None)
        sums = total(laid)
        found[row] = sums.cells
        if sums.mixed.any():
            ranges.notes.mixed_buckets(name_of(labels), ranges.span)
        if (sums.collided & ~sums.mixed).any():
            ranges.notes.collided_resets(AGGREGATION, ranges.span)
        if sums.reconciled.any():
            ranges.notes.reconciled_bounds(AGGREGATION, ranges.span)
    return found


def histogram_means(ranges: Ranges, wanted: Mask) -> Cells:
    """As `histogram_totals`, divided by how many there are."""
    counts: Values = ranges.histograms.counts.astype(np.float64)
    return divide(histogram_totals(ranges, wanted), np.maximum(counts, 1.0)[np.newaxis].repeat(len(ranges.labels), axis=0))
