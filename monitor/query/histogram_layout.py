"""Stacks brought to other buckets: coarser ones, a wider zero bucket, fewer custom bounds.

Sources: Prometheus, model/histogram/float_histogram.go (reconcileZeroBuckets, ReduceResolution, intersectCustomBucketBounds).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.query.histogram import CUSTOM_SCHEMA, NO_BOUNDS, NO_INDICES, Indices, Layout, Stack, bounds_of
from monitor.query.history import Values


def reduced(stack: Stack, schema: int) -> Stack:
    """The same histograms in a coarser exponential schema: 2^(from - to) buckets become one."""
    layout = stack.layout
    if layout.schema == schema:
        return stack
    if layout.custom or schema > layout.schema:
        raise ValueError(f"a histogram of schema {layout.schema} cannot be brought to schema {schema}")
    shift = layout.schema - schema
    negative, positive = ((layout.negative - 1) >> shift) + 1, ((layout.positive - 1) >> shift) + 1
    coarse = Layout(schema, layout.zero_threshold, np.unique(negative), np.unique(positive))
    # Columns of one coarse bucket stand side by side in either sign.
    starts = np.concatenate((_starts(negative[::-1]), [layout.zero], layout.zero + 1 + _starts(positive))).astype(np.int64)
    return Stack(coarse, np.add.reduceat(stack.counts, starts, axis=1), stack.count, stack.sum, stack.hints)


def _starts(targets: Indices) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.append(True, targets[1:] != targets[:-1])) if len(targets) else np.zeros(0, np.int64)


def fitting_thresholds(stack: Stack, wanted: Values) -> Values:
    """The least zero threshold from that wanted up which no populated bucket reaches across, for each row: float64 [T]."""
    layout = stack.layout
    fitting = wanted.copy()
    for indices, counts in (
        (layout.positive, stack.counts[:, layout.zero + 1 :]),
        (layout.negative, stack.counts[:, : layout.zero][:, ::-1]),
    ):
        if not len(indices):
            continue
        lower, upper = bounds_of(indices, layout.schema, NO_BOUNDS)
        bucket = np.minimum(np.searchsorted(upper, wanted), len(indices) - 1)
        across = (lower[bucket] < wanted) & (wanted < upper[bucket]) & (counts[np.arange(len(wanted)), bucket] != 0)
        fitting = np.where(across & (wanted > layout.zero_threshold), np.maximum(fitting, upper[bucket]), fitting)
    return fitting


def common_thresholds(left: Stack, right: Stack) -> Values:
    """The zero threshold that the pairs of rows of two stacks can share: float64 [T]."""
    thresholds = np.full(len(left), max(left.layout.zero_threshold, right.layout.zero_threshold))
    if left.layout.zero_threshold == right.layout.zero_threshold:
        return thresholds
    while True:
        fitting = fitting_thresholds(right, fitting_thresholds(left, thresholds))
        if np.array_equal(fitting, thresholds):
            return thresholds
        thresholds = fitting


def widened(stack: Stack, threshold: float) -> Stack:
    """The same histograms with a wider zero bucket, into which the buckets below the threshold go."""
    layout = stack.layout
    if threshold == layout.zero_threshold:
        return stack
    positive = bounds_of(layout.positive, layout.schema, NO_BOUNDS)[0] >= threshold
    negative = bounds_of(layout.negative, layout.schema, NO_BOUNDS)[0] >= threshold
    kept = np.concatenate((negative[::-1], [True], positive))
    wider = Layout(layout.schema, threshold, layout.negative[negative], layout.positive[positive])
    counts = stack.counts[:, kept]
    counts[:, wider.zero] += stack.counts[:, ~kept].sum(axis=1)
    return Stack(wider, counts, stack.count, stack.sum, stack.hints)


def common_bounds(left: Layout, right: Layout) -> Values:
    """Custom bounds that both have."""
    return np.intersect1d(left.custom_values, right.custom_values)


def with_bounds(stack: Stack, bounds: Values) -> Stack:
    """Histograms with custom bounds with some of their bounds only: a bucket goes where its upper bound falls."""
    layout = stack.layout
    upper = bounds_of(layout.positive, CUSTOM_SCHEMA, layout.custom_values)[1]
    targets = np.minimum(np.searchsorted(bounds, upper), len(bounds))
    counts = np.zeros((len(stack), len(bounds) + 2))
    np.add.at(counts.T, targets + 1, stack.counts[:, 1:].T)
    fewer = Layout(CUSTOM_SCHEMA, 0.0, NO_INDICES, np.arange(len(bounds) + 1, dtype=np.int32), bounds)
    return Stack(fewer, counts, stack.count, stack.sum, stack.hints)
