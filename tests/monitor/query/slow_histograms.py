"""A slow histogram to compare the fast one with: a dictionary of buckets, gone through one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from monitor.query.histogram import Buckets, Histogram


def bound(index: int, schema: int) -> float:
    """Upper bound of a positive bucket."""
    return float(2.0 ** (index * 2.0**-schema))


@dataclass
class Slow:
    """Buckets by index: positive ones under (1, index), negative ones under (-1, index)."""

    schema: int
    zero_threshold: float
    zero_count: float
    count: float
    total: float
    buckets: dict[tuple[int, int], float] = field(default_factory=dict)

    def fast(self) -> Histogram:
        def of(sign: int) -> Buckets:
            found = sorted((index, n) for (s, index), n in self.buckets.items() if s == sign)
            return Buckets(np.array([i for i, _ in found], np.int32), np.array([n for _, n in found], np.float64))

        return Histogram.of(
            self.schema,
            self.count,
            self.total,
            zero_threshold=self.zero_threshold,
            zero_count=self.zero_count,
            positive=of(1),
            negative=of(-1),
        )

    def coarser(self, schema: int) -> Slow:
        found = Slow(schema, self.zero_threshold, self.zero_count, self.count, self.total)
        for (sign, index), n in self.buckets.items():
            key = (sign, math.ceil(index / 2 ** (self.schema - schema)))
            found.buckets[key] = found.buckets.get(key, 0.0) + n
        return found

    def with_threshold(self, threshold: float) -> Slow:
        """With a zero bucket at least so wide, wider still where a filled bucket reaches across."""
        if threshold <= self.zero_threshold:
            return self
        for (_, index), n in self.buckets.items():
            if n and bound(index - 1, self.schema) < threshold < bound(index, self.schema):
                return self.with_threshold(bound(index, self.schema))
        found = Slow(self.schema, threshold, self.zero_count, self.count, self.total)
        for (sign, index), n in self.buckets.items():
            if bound(index - 1, self.schema) >= threshold:
                found.buckets[sign, index] = n
            else:
                found.zero_count += n
        return found

    def plus(self, other: Slow, sign: float = 1.0) -> Slow:
        left, right = self, other
        while left.zero_threshold != right.zero_threshold:
            left, right = left.with_threshold(right.zero_threshold), right.with_threshold(left.zero_threshold)
        schema = min(left.schema, right.schema)
        left, right = left.coarser(schema), right.coarser(schema)
        found = Slow(
            schema,
            left.zero_threshold,
            left.zero_count + sign * right.zero_count,
            left.count + sign * right.count,
            left.total + sign * right.total,
            dict(left.buckets),
        )
        for key, n in right.buckets.items():
            found.buckets[key] = found.buckets.get(key, 0.0) + sign * n
        return found

    def ordered(self) -> list[tuple[float, float, float]]:
        """Bounds and count of the filled buckets in the order of values; the zero bucket as quantiles see it."""
        signs = {sign for (sign, _), n in self.buckets.items() if n}
        low = 0.0 if signs == {1} else -self.zero_threshold
        high = 0.0 if signs == {-1} else self.zero_threshold
        found = [(low, high, self.zero_count)] if self.zero_count else []
        for (sign, index), n in self.buckets.items():
            if n and sign > 0:
                found.append((max(bound(index - 1, self.schema), self.zero_threshold), bound(index, self.schema), n))
            elif n:
                found.append((-bound(index, self.schema), min(-bound(index - 1, self.schema), -self.zero_threshold), n))
        return sorted(found)

    def quantile(self, q: float) -> float:
        buckets = self.ordered()
        if not self.count or not buckets:
            return math.nan
        rank, seen = q * self.count, 0.0
        for lower, upper, n in buckets:
            if seen + n >= rank:
                within = (rank - seen) / n
                if lower <= 0 <= upper:
                    return lower + (upper - lower) * within
                share = within if lower > 0 else 1 - within
                near, far = min(abs(lower), abs(upper)), max(abs(lower), abs(upper))
                return math.copysign(near * (far / near) ** share, lower)
            seen += n
        return buckets[-1][1]


def same(slow: Slow, fast: Histogram) -> bool:
    """Whether the two are the same but for rounding."""
    filled = {key: n for key, n in slow.buckets.items() if n}
    got = {(1, int(i)): float(n) for i, n in zip(*fast.positive, strict=True)}
    got |= {(-1, int(i)): float(n) for i, n in zip(*fast.negative, strict=True)}
    scalars = np.allclose(
        [fast.zero_threshold, fast.zero_count, fast.count, fast.sum],
        [slow.zero_threshold, slow.zero_count, slow.count, slow.total],
    )
    return scalars and fast.schema == slow.schema and filled.keys() == got.keys() and all(got[k] == filled[k] for k in filled)


counts = st.integers(0, 20).map(float)
THRESHOLDS = (0.0, 0.001, 0.3, 0.5, 1.5)


@st.composite
def histograms(draw: st.DrawFn) -> Slow:
    """Small histograms of schemas and zero buckets that have to be reconciled."""
    schema = draw(st.integers(-2, 3))
    threshold = draw(st.sampled_from(THRESHOLDS))
    keys = st.tuples(st.sampled_from((1, -1)), st.integers(-6, 12))
    buckets = draw(st.dictionaries(keys, counts, max_size=8))
    # No instrument fills a bucket that its own zero bucket covers.
    buckets = {key: n for key, n in buckets.items() if bound(key[1] - 1, schema) >= threshold}
    zero = draw(counts)
    return Slow(schema, threshold, zero, zero + sum(buckets.values()), float(draw(st.integers(-50, 50))), buckets)
