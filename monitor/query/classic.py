"""Classic histograms: series that count what is less than or equal to their label `le`. Quantiles and fractions of one of them.

Source: Prometheus, promql/quantile.go (BucketQuantile, BucketFraction, ensureMonotonicAndIgnoreSmallDeltas).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.query.history import Labels, Mask, Values
from monitor.query.labelsets import dropping, value_of

LE = "le"
Rows = npt.NDArray[np.int64]
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf|infinity)", re.IGNORECASE)
_TOLERANCE = 1e-12
_SMALLEST = float(np.finfo(np.float64).tiny)


def upper_bound(label: str) -> float | None:
    """The bound of a bucket; None for a label that is no number."""
    return float(label) if _NUMBER.fullmatch(label) else None


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """One histogram's series: `labels` without le, `bounds` float64 [K] rising (maybe equal), `rows` int64 [K] of a vector."""

    labels: Labels
    bounds: Values
    rows: Rows


def gathered(labels: tuple[Labels, ...], bounds: list[float | None]) -> list[Buckets]:
    """The histograms among some series; those without a bound are none."""
    groups: dict[Labels, list[tuple[float, int]]] = {}
    for row, (series, bound) in enumerate(zip(labels, bounds, strict=True)):
        if bound is not None:
            groups.setdefault(dropping(series, (LE,)), []).append((bound, row))
    found = []
    for series, members in groups.items():
        members.sort()
        found.append(Buckets(series, np.array([bound for bound, _ in members]), np.array([row for _, row in members])))
    return found


def bounds_of(labels: tuple[Labels, ...]) -> list[float | None]:
    return [upper_bound(value_of(series, LE)) for series in labels]


def each_pattern(
    buckets: Buckets, values: Values, present: Mask, read: Callable[[Values, Values, Rows], Values]
) -> Iterator[tuple[Values, Rows]]:
    """What `read(bounds, counts, times)` gives for all times that have the same buckets, and those times (int64)."""
    mine = present[buckets.rows]
    patterns: dict[bytes, list[int]] = {}
    if mine.all():
        patterns[b""] = list(range(mine.shape[1]))
    else:
        packed = np.packbits(mine, axis=0)
        for time in np.flatnonzero(mine.any(axis=0)).tolist():
            patterns.setdefault(packed[:, time].tobytes(), []).append(time)
    for members in patterns.values():
        times = np.array(members, np.int64)
        there = mine[:, times[0]]
        counts = values[np.ix_(buckets.rows[there], times)]
        bounds, starts = np.unique(buckets.bounds[there], return_index=True)
        if len(bounds) < len(counts):
            counts = np.add.reduceat(counts, starts, axis=0)
        yield read(bounds, counts, times), times


def made_monotonic(counts: Values) -> tuple[Values, Mask]:
    """Counts that never fall with rising bounds, float64 [K, N], and where they did so by more than rounding does, bool [N]."""
    fixed = counts.copy()
    forced = np.zeros(counts.shape[1], bool)
    before = fixed[0].copy()
    with np.errstate(all="ignore"):
        for row in range(1, len(fixed)):
            now = fixed[row]
            apart, whole = np.abs(now - before), np.abs(now) + np.abs(before)
            tiny = (now == 0) | (before == 0) | (whole < _SMALLEST)
            alike = np.where(tiny, apart < _TOLERANCE * _SMALLEST, apart / whole < _TOLERANCE) | (now == before)
            fell = ~alike & (now < before)
            forced |= fell
            fixed[row] = np.where(alike | fell, before, now)
            before = fixed[row]
    return fixed, forced


def bucket_quantiles(bounds: Values, counts: Values, q: Values) -> tuple[Values, Mask]:
    """Quantiles q float64 [N] of histograms with the bounds [K] and counts [K, N]; and where counts had to be made monotonic."""
    size = counts.shape[1]
    found = np.full(size, np.nan)
    forced = np.zeros(size, bool)
    if np.isposinf(bounds[-1]):
        counts, forced = made_monotonic(counts)
    if np.isposinf(bounds[-1]) and len(bounds) > 1:
        observations = counts[-1]
        rank = q * observations
        with np.errstate(all="ignore"):
            reached = counts[:-1] >= rank
            bucket = np.where(reached.any(axis=0), reached.argmax(axis=0), len(bounds) - 1)
            below = np.where(bucket > 0, np.take_along_axis(counts, np.maximum(bucket - 1, 0)[np.newaxis], axis=0)[0], 0.0)
            inside = np.take_along_axis(counts, bucket[np.newaxis], axis=0)[0] - below
            start = np.where(bucket > 0, bounds[np.maximum(bucket - 1, 0)], 0.0)
            found = start + (bounds[bucket] - start) * ((rank - below) / inside)
        found = np.where(bucket == len(bounds) - 1, bounds[-2], found)
        found = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], found)
        found = np.where(observations == 0, np.nan, found)
    possible = (q >= 0) & (q <= 1)
    found = np.where(possible, found, np.where(np.isnan(q), np.nan, np.where(q < 0, -np.inf, np.inf)))
    return found, forced & possible


def bucket_fractions(bounds: Values, counts: Values, lower: Values, upper: Values) -> Values:
    """The share of observations between two values, float64 [N] each."""
    if not np.isposinf(bounds[-1]):
        return np.full(counts.shape[1], np.nan)
    with np.errstate(all="ignore"):
        total = counts[-1]
        ranks = np.minimum(_ranks(bounds, counts, upper), total) - np.minimum(_ranks(bounds, counts, lower), total)
        found = np.where(lower >= upper, 0.0, ranks / total)
    return np.where((total == 0) | np.isnan(lower) | np.isnan(upper), np.nan, found)


def _ranks(bounds: Values, counts: Values, values: Values) -> Values:
    """How many observations are below each value; a bucket without an end is not divided."""
    times = np.arange(counts.shape[1])
    bucket = np.minimum(np.searchsorted(bounds, values, "left"), len(bounds) - 1)
    below = np.where(bucket > 0, counts[np.maximum(bucket - 1, 0), times], 0.0)
    inside = counts[bucket, times]
    start = np.where(bucket > 0, bounds[np.maximum(bucket - 1, 0)], -np.inf)
    if bounds[0] > 0:
        start = np.where(bucket == 0, 0.0, start)
    divided = below + (inside - below) * ((values - start) / (bounds[bucket] - start))
    found = np.where(values >= bounds[bucket], inside, np.where(np.isneginf(start), inside, divided))
    return np.where(
        np.isneginf(values) | (values <= start), np.where(np.isneginf(start) & ~np.isneginf(values), found, below), found
    )
