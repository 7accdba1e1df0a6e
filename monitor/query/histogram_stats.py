"""What is read out of histograms: quantiles, fractions, average, spread, and the part beyond a value.

Sources: Prometheus, promql/quantile.go (HistogramQuantile, HistogramFraction) and promql/functions.go (histogramVariance). Inside
a bucket of an exponential schema observations are taken to be spread evenly over the logarithm, elsewhere over the value itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.query.histogram import Stack
from monitor.query.histogram_stacks import Positions, parts_of
from monitor.query.history import Cells, Mask, Values


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Values read out of cells, NaN where there is no histogram. `nan_result`: NaN observations made the value NaN. `nan_skewed`:
    they pushed a quantile up, or are left out of a fraction.
    """

    values: Values
    nan_result: Mask
    nan_skewed: Mask


def quantiles(cells: Cells, q: Values | float) -> Read:
    """The q-quantile of each histogram; q of the same shape, or one for all. Below 0: -Inf, above 1: +Inf, NaN: NaN."""
    read = Read(np.full(cells.size, np.nan), np.zeros(cells.size, bool), np.zeros(cells.size, bool))
    every: Values = np.broadcast_to(np.asarray(q, np.float64), cells.shape).reshape(-1)
    for at, stack in parts_of(cells):
        read.values[at], read.nan_result[at], read.nan_skewed[at] = _quantiles(stack, every[at])
    return Read(read.values.reshape(cells.shape), read.nan_result.reshape(cells.shape), read.nan_skewed.reshape(cells.shape))


def fractions(cells: Cells, lower: Values | float, upper: Values | float) -> Read:
    """The share of observations between two values (arrays of the same shape, or one for all)."""
    read = Read(np.full(cells.size, np.nan), np.zeros(cells.size, bool), np.zeros(cells.size, bool))
    lows: Values = np.broadcast_to(np.asarray(lower, np.float64), cells.shape).reshape(-1)
    highs: Values = np.broadcast_to(np.asarray(upper, np.float64), cells.shape).reshape(-1)
    for at, stack in parts_of(cells):
        low, high = lows[at], highs[at]
        seen = stack.counts.sum(axis=1)
        known = np.where(np.isnan(stack.sum), seen, stack.count)
        ranks = np.minimum(_ranks(stack, high, known), known) - np.minimum(_ranks(stack, low, known), known)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.where(low >= high, 0.0, ranks / stack.count)
        read.values[at] = np.where((stack.count == 0) | np.isnan(low) | np.isnan(high), np.nan, found)
        read.nan_skewed[at] = np.isnan(stack.sum) & (seen < stack.count) & (low < high)
    return Read(read.values.reshape(cells.shape), read.nan_result.reshape(cells.shape), read.nan_skewed.reshape(cells.shape))


def counts(cells: Cells) -> Values:
    """Number of observations of each; NaN where there is no histogram."""
    return _each(cells, lambda stack: stack.count)


def sums(cells: Cells) -> Values:
    """Sum of the observations of each."""
    return _each(cells, lambda stack: stack.sum)


def averages(cells: Cells) -> Values:
    """Average observation of each."""
    return _each(cells, _average)


def variances(cells: Cells) -> Values:
    """Estimated population variance of each (histogram_stdvar); its root is histogram_stddev."""
    return _each(cells, _variance)


def _each(cells: Cells, read: Callable[[Stack], Values]) -> Values:
    found: Values = np.full(cells.size, np.nan)
    for at, stack in parts_of(cells):
        found[at] = read(stack)
    return found.reshape(cells.shape)


def _average(stack: Stack) -> Values:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Values = stack.sum / stack.count
    return found


def _variance(stack: Stack) -> Values:
    lower, upper = stack.layout.bounds
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if stack.layout.custom:
            middles = (lower + upper) / 2
        else:
            middles = np.where((lower <= 0) & (upper >= 0), 0.0, np.copysign(np.sqrt(lower) * np.sqrt(upper), upper))
            middles[: stack.layout.zero] = -np.sqrt(lower[: stack.layout.zero] * upper[: stack.layout.zero])
        away = middles[np.newaxis, :] - _average(stack)[:, np.newaxis]
        squares = np.where(stack.counts != 0, stack.counts * away * away, 0.0)
        found: Values = squares.sum(axis=1) / stack.count
    return found


def zero_bucket(stack: Stack) -> tuple[Values, Values]:
    """Bounds of the zero bucket, float64 [T] each: with buckets of one sign only it ends at zero."""
    zero, threshold = stack.layout.zero, stack.layout.zero_threshold
    below = (stack.counts[:, :zero] != 0).any(axis=1)
    above = (stack.counts[:, zero + 1 :] != 0).any(axis=1)
    return np.where(above & ~below, 0.0, -threshold), np.where(below & ~above, 0.0, threshold)


def _quantiles(stack: Stack, q: Values) -> tuple[Values, Mask, Mask]:
    rows = np.arange(len(stack))
    filled = stack.counts != 0
    forward = np.isnan(stack.sum) | ~(q >= 0.5)
    with np.errstate(invalid="ignore"):
        rank = np.where(forward, q, 1 - q) * stack.count
    column, running = _column_of_rank(stack.counts, filled, rank, forward)
    lower, upper = (bound[column] for bound in stack.layout.bounds)
    none_filled = ~filled.any(axis=1)
    lower[none_filled] = upper[none_filled] = running[none_filled] = 0.0
    if stack.layout.custom:
        first, last = np.isneginf(lower), np.isposinf(upper)
        settled = np.where(first & (upper <= 0), upper, np.where(last & ~first, lower, np.nan))
        lower = np.where(first, 0.0, lower)
        settles = (first & (upper <= 0)) | (last & ~first)
    else:
        low, high = zero_bucket(stack)
        at_zero = (column == stack.layout.zero) & ~none_filled
        lower, upper = np.where(at_zero, low, lower), np.where(at_zero, high, upper)
        settled, settles = upper, np.zeros(len(rows), bool)
    running = np.minimum(running, stack.count)
    in_bucket = np.where(none_filled, 0.0, stack.counts[rows, column])
    short = (running < rank) & ~settles
    has_nan = np.isnan(stack.sum)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.where(forward, rank - (running - in_bucket), running - rank) / in_bucket
        found = _interpolated(lower, upper, within, linear=stack.layout.custom)
    found = np.where(short, np.where(has_nan, np.nan, upper), found)
    found = np.where(settles, settled, found)
    asked = (q >= 0) & (q <= 1) & (stack.count != 0)
    found = np.where(asked, found, np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.nan)))
    skewed = asked & has_nan & ~short & ~settles & (stack.counts.sum(axis=1) < stack.count)
    return found, asked & short & has_nan, skewed


def _column_of_rank(counts: Values, filled: Mask, rank: Values, forward: Mask) -> tuple[Positions, Values]:
    """The column at which the running count reaches the rank, else the last that counts something, and that count. Counted from
    the nearer end, so that a small share at the top is not lost in the rounding of a large sum.
    """
    column = np.zeros(len(counts), np.int64)
    running = np.zeros(len(counts))
    for up, rows in ((True, np.flatnonzero(forward)), (False, np.flatnonzero(~forward))):
        if not len(rows):
            continue
        every = len(rows) == len(counts)
        ordered, full = (counts, filled) if every else (counts[rows], filled[rows])
        if not up:
            ordered, full = ordered[:, ::-1], full[:, ::-1]
        sums = np.cumsum(ordered, axis=1)
        with np.errstate(invalid="ignore"):
            reached = full & (sums >= rank[rows, np.newaxis])
        at = reached.argmax(axis=1)
        last = full.shape[1] - 1 - full[:, ::-1].argmax(axis=1)
        at = np.where(reached[np.arange(len(rows)), at], at, last)
        running[rows] = sums[np.arange(len(rows)), at]
        column[rows] = at if up else full.shape[1] - 1 - at
    return column, running


def _interpolated(lower: Values, upper: Values, within: Values, linear: bool) -> Values:
    straight: Values = lower + (upper - lower) * within
    if linear:
        return straight
    low, high = np.log2(np.abs(lower)), np.log2(np.abs(upper))
    above = np.exp2(low + (high - low) * within)
    below = -np.exp2(high + (low - high) * (1 - within))
    return np.where((lower <= 0) & (upper >= 0), straight, np.where(lower > 0, above, below))


def _ranks(stack: Stack, values: Values, known: Values) -> Values:
    """How many observations lie below each row's value, float64 [T]; all that are known where it lies beyond the last bucket."""
    lower, upper = stack.layout.bounds
    if stack.layout.custom:
        lower = np.where((lower <= 0) & (upper >= 0), 0.0, lower)
    zero = stack.layout.zero
    found: Values = np.zeros(len(stack))
    low, high = zero_bucket(stack)
    for value in np.unique(values[~np.isnan(values)]).tolist():
        rows = np.flatnonzero(values == value)
        counted = stack.counts[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = _shares_below(stack, lower, upper, value)
            if not stack.layout.custom:
                at_zero = np.clip((value - low[rows]) / (high[rows] - low[rows]), 0.0, 1.0)
                at_zero = np.where(low[rows] >= value, 0.0, np.where(high[rows] <= value, 1.0, at_zero))
            else:
                at_zero = np.zeros(len(rows))
        found[rows] = np.delete(counted, zero, axis=1) @ np.delete(shares, zero) + counted[:, zero] * at_zero
        beyond = (counted != 0) & (upper > value)[np.newaxis, :]
        beyond[:, zero] = (counted[:, zero] > 0) & (high[rows] > value)
        found[rows] = np.where(beyond.any(axis=1), found[rows], known[rows])
    return found


def _shares_below(stack: Stack, lower: Values, upper: Values, value: float) -> Values:
    """The share of each bucket below a value; the zero bucket's is not meant."""
    if stack.layout.custom:
        # Of the bucket without a lower end all counts, of that without an upper end nothing.
        inside = np.where(np.isneginf(lower), 1.0, np.where(np.isposinf(upper), 0.0, (value - lower) / (upper - lower)))
    else:
        low, high, at = np.log2(np.abs(lower)), np.log2(np.abs(upper)), np.log2(abs(value))
        inside = np.where(lower >= 0, (at - low) / (high - low), 1 - (at - high) / (low - high))
    found: Values = np.where(lower >= value, 0.0, np.where(upper <= value, 1.0, inside))
    return found
