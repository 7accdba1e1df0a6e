"""Where the observations of other histograms lie in the product's bins.

What lies between two bounds is nowhere told. A count stands at up to eight places between them, evenly spaced and in whole
observations: by value between explicit bounds (as Prometheus interpolates classic buckets), by logarithm within an exponential
bucket that is coarser than a bin (as it interpolates native ones). So totals are exact, and a quantile is off by at most a
sixteenth of its bucket more than it has to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.windows.bins import PER_OCTAVE, SCALE, ZERO_INDEX, bins_of

Keys = npt.NDArray[np.int64]
PLACES = 8
_EDGES = np.arange(PLACES + 1) / PLACES
_MIDDLES = (np.arange(PLACES) + 0.5) / PLACES
FINEST, COARSEST = 20, -10
"""Scales that OpenTelemetry's exponential histograms have."""
_OFFSET = np.int64(1 << 33)
"""More than any index is below zero."""
_LOWEST, _HIGHEST = -1074 * PER_OCTAVE, 1024 * PER_OCTAVE - 1
"""Indices of the bins that doubles fall into."""


def shares(counts: Floats, places: int = PLACES) -> Floats:
    """[k, places]: `counts` (float64[k]) dealt out evenly, whole ones in whole observations."""
    edges = _EDGES if places == PLACES else np.arange(places + 1) / places
    dealt: Floats = np.diff(np.floor(counts[:, None] * edges + 0.5), axis=1)
    return dealt


def explicit_bins(bounds: Sequence[float], low: float | None, high: float | None) -> Ids:
    """int32[len(bounds) + 1, PLACES]: the bins of the places in each bucket. `bounds` rise and are finite.

    Every observation is known to lie in [low, high]. Where that is not told, the first bucket begins at 0 when its bound is above
    that, and is at its bound otherwise; the last one is at its lower bound.
    """
    lows = np.concatenate(([-np.inf], bounds))
    highs = np.concatenate((bounds, [np.inf]))
    tight_lows = lows if low is None else np.maximum(lows, low)
    tight_highs = highs if high is None else np.minimum(highs, high)
    sound = tight_lows <= tight_highs
    lows, highs = np.where(sound, tight_lows, lows), np.where(sound, tight_highs, highs)
    lows[0] = lows[0] if np.isfinite(lows[0]) else min(0.0, highs[0])
    highs[-1] = highs[-1] if np.isfinite(highs[-1]) else lows[-1]
    return bins_of(lows[:, None] * (1 - _MIDDLES) + highs[:, None] * _MIDDLES)


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
    buckets = coarser(buckets, SCALE)
    finer = SCALE - buckets.scale
    places = min(PLACES, 1 << finer)
    within = np.floor((np.arange(places) + 0.5) / places * (1 << finer)).astype(np.int64)
    # A bucket of the coarsest scales is wider than all doubles; its index is held to what they have before it is made finer.
    indices = np.clip(np.abs(buckets.keys) - _OFFSET, _LOWEST >> finer, _HIGHEST >> finer)
    spread = np.clip((indices[:, None] << finer) + within, _LOWEST, _HIGHEST) + ZERO_INDEX
    bins = np.where(buckets.keys == 0, 0, np.sign(buckets.keys))[:, None] * spread
    counts = shares(buckets.counts, places)
    filled = counts > 0
    return bins[filled].astype(np.int32), counts[filled]
