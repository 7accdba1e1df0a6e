"""Native histograms of a scrape: what was observed since the one before, in the product's own bins.

The bins are buckets of schema 6. A histogram of a finer schema is merged into them exactly; buckets of a coarser one are spread
over them (`monitor.windows.spread`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, HistogramBatch, Ids
from monitor.model.series import KeySpace
from monitor.windows.bins import BIN_BITS, middles_of
from monitor.windows.spread import spread

LEAST_SCHEMA, MOST_SCHEMA = -4, 8
_HALF = 1 << (BIN_BITS - 1)
Longs = npt.NDArray[np.int64]


class Side(NamedTuple):
    """Buckets of one sign: `indices` int64, rising (the upper bound is 2^(index / 2^schema)), and `counts` float64."""

    indices: Longs
    counts: Floats


@dataclass(frozen=True, slots=True, eq=False)
class NativeHistogram:
    """One native histogram as a target tells it: counts since it began to count."""

    schema: int
    count: float
    sum: float
    zero_threshold: float
    zero_count: float
    positive: Side
    negative: Side


class NativeSample(NamedTuple):
    """`series` is the parser's id; `time` in seconds, NaN where the target gives none."""

    series: int
    time: float
    histogram: NativeHistogram


class NativeDeltas:
    """The last histogram of each series of one target."""

    def __init__(self) -> None:
        self._last: dict[int, NativeHistogram] = {}

    def forget(self) -> None:
        """Begin anew: the next histogram of each series tells nothing of what came since the last."""
        self._last = {}

    def batch(self, space: KeySpace, ids: Ids, times: Floats, samples: Sequence[NativeSample]) -> HistogramBatch | None:
        """What each of `samples` observed since the one before; `ids` and `times` of each. None where there is nothing.

        A series that is not among them has gone: it begins anew when it comes back.
        """
        before, self._last = self._last, {sample.series: sample.histogram for sample in samples}
        grown: list[NativeHistogram] = []
        kept: list[int] = []
        for place, sample in enumerate(samples):
            last = before.get(sample.series)
            if last is not None and ids[place] >= 0:
                grown.append(increase(last, sample.histogram))
                kept.append(place)
        offsets, bins, counts, sums = binned(grown)
        some = np.flatnonzero(np.diff(offsets))
        if not len(some):
            return None
        places = np.array(kept, np.int64)[some]
        # Those left out hold no bins: the offsets of the others stay as they are.
        return HistogramBatch(space, ids[places], times[places], offsets[np.append(some, len(grown))], bins, counts, sums[some])


def increase(before: NativeHistogram, now: NativeHistogram) -> NativeHistogram:
    """What `now` has more than `before`; all of `now` where counting began anew.

    It did where any count fell, or where the schema became finer. A coarser schema or a wider zero bucket only merges.
    """
    return _difference(before, now) or now


def _difference(before: NativeHistogram, now: NativeHistogram) -> NativeHistogram | None:
    if now.schema > before.schema or now.count < before.count or now.zero_threshold < before.zero_threshold:
        return None
    positive, negative, zero = before.positive, before.negative, before.zero_count
    if now.schema < before.schema or now.zero_threshold > before.zero_threshold:
        steps = before.schema - now.schema
        positive, zero = _within(_coarser(positive, steps), now, zero)
        negative, zero = _within(_coarser(negative, steps), now, zero)
    more_positive, more_negative = _minus(now.positive, positive), _minus(now.negative, negative)
    if more_positive is None or more_negative is None or now.zero_count < zero:
        return None
    return NativeHistogram(
        now.schema,
        now.count - before.count,
        now.sum - before.sum,
        now.zero_threshold,
        now.zero_count - zero,
        more_positive,
        more_negative,
    )


def _coarser(side: Side, steps: int) -> Side:
    """The same in a schema that is `steps` lower: each step merges two buckets."""
    if steps == 0 or not len(side.indices):
        return side
    return _merged(-((-side.indices) >> steps), side.counts)


def _within(side: Side, now: NativeHistogram, zero_count: float) -> tuple[Side, float]:
    """The buckets outside of `now`'s zero bucket, and `zero_count` with what lies inside."""
    if now.zero_threshold <= 0 or not len(side.indices):
        return side, zero_count
    inside = np.exp2(side.indices / 2.0**now.schema) <= now.zero_threshold
    return Side(side.indices[~inside], side.counts[~inside]), zero_count + float(side.counts[inside].sum())


def _minus(now: Side, before: Side) -> Side | None:
    """What `now` has more; None where it has less anywhere."""
    if len(now.indices) == len(before.indices) and bool((now.indices == before.indices).all()):
        counts = now.counts - before.counts
        return None if bool((counts < 0).any()) else Side(now.indices, counts)
    counts = now.counts.copy()
    if len(before.indices):
        places = np.searchsorted(now.indices, before.indices)
        found = places < len(now.indices)
        found[found] = now.indices[places[found]] == before.indices[found]
        if bool((before.counts[~found] > 0).any()):
            return None
        counts[places[found]] -= before.counts[found]
        if bool((counts < 0).any()):
            return None
    return Side(now.indices, counts)


def binned(histograms: Sequence[NativeHistogram]) -> tuple[Longs, Ids, Floats, Floats]:
    """Offsets int64[n + 1] of n histograms into bins (int32, rising) and counts above zero, and the sums float64[n].

    A sum that is no number is made of the bins.
    """
    sides = [side for of in histograms for side in (of.positive, of.negative)]
    sizes = np.array([len(side.indices) for side in sides], np.int64)
    indices = np.concatenate([np.empty(0, np.int64), *(side.indices for side in sides)])
    counts = np.concatenate([np.empty(0), *(side.counts for side in sides)])
    side_of = np.repeat(np.arange(len(sides)), sizes)
    schemas = np.repeat(np.array([of.schema for of in histograms], np.int64), 2)
    found = spread(indices - 1, schemas[side_of], counts)
    side_of = side_of[found.bucket]
    signed = np.where(side_of % 2 == 1, -found.bins, found.bins).astype(np.int64)
    # The zero buckets join the others.
    numbers = np.concatenate((side_of // 2, np.arange(len(histograms))))
    signed = np.concatenate((signed, np.zeros(len(histograms), np.int64)))
    parts = np.concatenate((found.counts, [of.zero_count for of in histograms]))
    unique, places = np.unique(numbers << BIN_BITS | signed + _HALF, return_inverse=True)
    merged = np.bincount(places, parts, len(unique)).astype(np.float64)
    held = merged > 0
    owners, bins, counted = unique[held] >> BIN_BITS, ((unique[held] & (2 * _HALF - 1)) - _HALF).astype(np.int32), merged[held]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(histograms))))).astype(np.int64)
    sums = np.array([of.sum for of in histograms])
    made = np.bincount(owners, middles_of(bins) * counted, len(histograms))
    return offsets, bins, counted, np.where(np.isfinite(sums), sums, made)


def _merged(indices: Longs, counts: Floats) -> Side:
    unique, places = np.unique(indices, return_inverse=True)
    return Side(unique, np.bincount(places, counts, len(unique)).astype(np.float64)) if len(unique) else Side(indices, counts)
