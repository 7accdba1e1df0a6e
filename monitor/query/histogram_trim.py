"""The trims `histogram </ x` and `histogram >/ x`: what was observed below or above a value is kept.

Source: Prometheus, model/histogram/float_histogram.go (TrimBuckets). Of a bucket without an end nothing is known inside, so it is
kept or dropped as a whole. Count and sum of what is left are estimated anew from the middles of the buckets.
"""

from __future__ import annotations

import numpy as np

from monitor.query.histogram import Stack
from monitor.query.histogram_math import empty_cells
from monitor.query.histogram_stacks import parts_of
from monitor.query.histogram_stats import zero_bucket
from monitor.query.history import Cells, Values


def trimmed(cells: Cells, values: Values | float, keep_below: bool) -> Cells:
    """Each histogram without what lies above (`keep_below`) or below its value: floats of the same shape, or one for all."""
    found = empty_cells(cells.size)
    every: Values = np.broadcast_to(np.asarray(values, np.float64), cells.shape).reshape(-1)
    for at, stack in parts_of(cells):
        for value in np.unique(every[at]).tolist():
            rows = np.flatnonzero((every[at] == value) | (np.isnan(value) & np.isnan(every[at])))
            found[at[rows]] = _trimmed(stack.take(rows), value, keep_below).cells()
    return found.reshape(cells.shape)


def _trimmed(stack: Stack, value: float, keep_below: bool) -> Stack:
    layout = stack.layout
    with np.errstate(invalid="ignore", divide="ignore"):
        shares, middles = _sided(stack, value, keep_below)
        zero_share, zero_middle = _at_zero(*zero_bucket(stack), value, keep_below)
        counts = np.where(stack.counts != 0, stack.counts * shares[np.newaxis, :], 0.0)
        counts[:, layout.zero] = stack.counts[:, layout.zero] * zero_share
        weighted = np.where(counts != 0, counts * middles[np.newaxis, :], 0.0)
        weighted[:, layout.zero] = np.where(zero_share > 0, counts[:, layout.zero] * zero_middle, 0.0)
    changed = (counts != stack.counts).any(axis=1)
    count = np.where(changed, counts.sum(axis=1), stack.count)
    total = np.where(changed, weighted.sum(axis=1), stack.sum)
    return Stack(layout, counts, count, total, stack.hints)


def _sided(stack: Stack, value: float, keep_below: bool) -> tuple[Values, Values]:
    """For each column the share that is kept and the middle of what is kept of it; the zero column's are not meant."""
    layout = stack.layout
    lower, upper = layout.whole_bounds
    inside = _shares_below(lower, upper, value, layout.custom)
    if keep_below:
        shares = np.where(upper <= value, 1.0, np.where(lower < value, inside, 0.0))
        lows, highs = lower, np.minimum(upper, value)
    else:
        shares = np.where(lower >= value, 1.0, np.where(upper > value, 1.0 - inside, 0.0))
        lows, highs = np.maximum(lower, value), upper
    if not layout.custom:
        # Unlike its share, the middle of a negative bucket needs its sign back.
        roots: Values = np.sqrt(np.abs(lows)) * np.sqrt(np.abs(highs))
        return shares, np.where(lower < 0, -roots, roots)
    return _endless(lower, upper, value, keep_below, shares), _custom_middles(lower, upper, lows, highs)


def _shares_below(lower: Values, upper: Values, value: float, linear: bool) -> Values:
    if linear:
        straight: Values = (value - lower) / (upper - lower)
        return straight
    low, high, at = np.log2(np.abs(lower)), np.log2(np.abs(upper)), np.log2(abs(value))
    curved: Values = np.where(lower >= 0, (at - low) / (high - low), 1 - (at - high) / (low - high))
    return curved


def _endless(lower: Values, upper: Values, value: float, keep_below: bool, shares: Values) -> Values:
    """Shares with those of the buckets that the value cuts and that have no end put right."""
    cut = (lower < value) & (value < upper)
    first, last = cut & np.isneginf(lower), cut & np.isposinf(upper) & ~np.isneginf(lower)
    if keep_below:
        # A first bucket up to a positive bound is taken to begin at zero.
        from_zero = np.isfinite(upper) & (upper > 0) & (value > 0)
        shares = np.where(first, np.where(from_zero, value / upper, np.where(upper <= 0, 1.0, 0.0)), shares)
        return np.where(last, 0.0, shares)
    from_zero = np.isfinite(upper) & (value >= 0)
    shares = np.where(first, np.where(from_zero, 1.0 - value / upper, 0.0), shares)
    return np.where(last, 1.0, shares)


def _custom_middles(lower: Values, upper: Values, lows: Values, highs: Values) -> Values:
    """Middles of what is left between `lows` and `highs` of buckets with custom bounds."""
    starts = np.where(np.isneginf(lows) & (highs > 0) & np.isfinite(upper), 0.0, lows)
    middles = (starts + highs) / 2
    middles = np.where(np.isneginf(starts), highs, np.where(np.isposinf(highs), starts, middles))
    endless = np.isneginf(lower) & np.isposinf(upper)
    return np.where(endless, 0.0, middles)


def _at_zero(low: Values, high: Values, value: float, keep_below: bool) -> tuple[Values, Values]:
    """For each row the share of the zero bucket that is kept, and its middle."""
    below = np.clip(np.where(high > low, (value - low) / (high - low), 0.0), 0.0, 1.0)
    below = np.where(value <= low, 0.0, np.where(value >= high, 1.0, below))
    if keep_below:
        return below, (low + np.minimum(high, value)) / 2
    shares = np.where(value <= low, 1.0, np.where(value >= high, 0.0, 1.0 - below))
    return shares, (np.maximum(low, value) + high) / 2
