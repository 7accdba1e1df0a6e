"""Where the observations of other histograms lie in the product's bins, by the rule of `monitor.windows.spread`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.windows.spread import spread

Keys = npt.NDArray[np.int64]
FINEST, COARSEST = 20, -10
"""Scales that OpenTelemetry's exponential histograms have."""
_OFFSET = np.int64(1 << 33)
"""More than any index is below zero."""


class Buckets(NamedTuple):
    """An exponential histogram. `keys` rise: 0 is the zero bucket, `index + 2^33` a positive one, its negative a negative one."""

    scale: int
    keys: Keys
    counts: Floats


def buckets_of(scale: int, zero_count: int, positive: tuple[int, Floats], negative: tuple[int, Floats]) -> Buckets:
    """From what a point tells: for each sign the first bucket's index and the counts from there on; empty ones are left out."""
    above = positive[0] + np.arange(len(positive[1]), dtype=np.int64) + _OFFSET
    below = -(negative[0] + np.arange(len(negative[1]), dtype=np.int64) + _OFFSET)
    keys = np.concatenate((below[::-1], [np.int64(0)], above))
    counts = np.concatenate((negative[1][::-1], [float(zero_count)], positive[1]))
    filled = counts != 0
    return Buckets(scale, keys[filled], counts[filled])


def coarser(buckets: Buckets, scale: int) -> Buckets:
    """The same observations at a scale that is no finer: exact, for each bucket lies in one of the coarser ones."""
    if scale >= buckets.scale:
        return buckets
    shifted = ((np.abs(buckets.keys) - _OFFSET) >> (buckets.scale - scale)) + _OFFSET
    keys, places = np.unique(
        np.where(buckets.keys == 0, 0, np.copysign(shifted, buckets.keys).astype(np.int64)), return_inverse=True
    )
    return Buckets(scale, keys, np.bincount(places, buckets.counts, len(keys)).astype(np.float64))


def zero_widened(buckets: Buckets, threshold: float) -> Buckets:
    """With the buckets that lie wholly within `threshold` of 0 counted as zero."""
    if not 0 < threshold < math.inf or not len(buckets.keys):
        return buckets
    top = math.floor(math.log2(threshold) * 2.0**buckets.scale)
    within = np.abs(buckets.keys) - _OFFSET < top
    keys, places = np.unique(np.where(within, 0, buckets.keys), return_inverse=True)
    return Buckets(buckets.scale, keys, np.bincount(places, buckets.counts, len(keys)).astype(np.float64))


def difference(now: Buckets, before: Buckets) -> Buckets | None:
    """What `now` has more than `before`, at the coarser scale of the two; None where any bucket has less."""
    scale = min(now.scale, before.scale)
    now, before = coarser(now, scale), coarser(before, scale)
    keys = np.union1d(now.keys, before.keys)
    counts = np.zeros(len(keys))
    counts[np.searchsorted(keys, now.keys)] = now.counts
    counts[np.searchsorted(keys, before.keys)] -= before.counts
    if bool((counts < 0).any()):
        return None
    filled = counts > 0
    return Buckets(scale, keys[filled], counts[filled])


def binned(buckets: Buckets) -> tuple[Ids, Floats]:
    """Bins (int32) and counts; a bin may come more than once."""
    return binned_all([buckets])[1:]


def binned_all(histograms: Sequence[Buckets]) -> tuple[Keys, Ids, Floats]:
    """Of entries in no order: the histogram's place, bin (int32) and count."""
    if not histograms:
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
    keys, counts = np.concatenate([each.keys for each in histograms]), np.concatenate([each.counts for each in histograms])
    sizes = [len(each.keys) for each in histograms]
    owners, scales = np.repeat(np.arange(len(sizes)), sizes), np.repeat([each.scale for each in histograms], sizes)
    side, zero = np.flatnonzero(keys != 0), np.flatnonzero((keys == 0) & (counts > 0))
    found = spread(np.abs(keys[side]) - _OFFSET, scales[side], counts[side])
    bins = np.where(keys[side][found.bucket] < 0, -found.bins, found.bins)
    return (
        np.append(owners[side][found.bucket], owners[zero]),
        np.append(bins, np.zeros(len(zero), np.int32)).astype(np.int32),
        np.append(found.counts, counts[zero]),
    )
