"""Where the observations of a bucket that is wider than a bin are put: the one rule for all histograms that come from outside.

What lies between two bounds is nowhere told. A count stands at up to sixteen places between them at equal steps, by logarithm in
an exponential bucket and by value between explicit bounds (as Prometheus interpolates both), in whole observations: so totals are
exact, one observation stays one, near the middle of its bucket, and a histogram of few observations fills few bins. Against exact
quantiles of the same values (lognormal, normal, bimodal, exponential; schemas 0 to 5) this has about half the error of an even
spread in p99 of up to a hundred observations, and the same error where there are ten thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.windows.bins import PER_OCTAVE, SCALE, ZERO_INDEX, bins_of

PLACES = 16
MIDDLES = (np.arange(PLACES) + 0.5) / PLACES
"""Where the places of a bucket lie, as parts of its width."""
Longs = npt.NDArray[np.int64]
_LOWEST, _HIGHEST = -1074 * PER_OCTAVE, 1024 * PER_OCTAVE - 1
"""Indices of the bins that doubles fall into."""


class Spread(NamedTuple):
    """m parts of buckets: `bucket` int64[m] says of which, rising; `bins` int32[m] above 0; `counts` float64[m] above 0."""

    bucket: Longs
    bins: Ids
    counts: Floats


def shares(counts: Floats, places: int = PLACES) -> Floats:
    """[k, places]: `counts` (float64[k], not negative) dealt out evenly, whole ones in whole observations; what is left over of
    others goes to the middle.
    """
    whole = np.floor(counts)
    edges = np.arange(places + 1) / places
    dealt: Floats = np.diff(np.floor(whole[:, np.newaxis] * edges + 0.5), axis=1)
    dealt[:, (places - 1) // 2] += counts - whole
    return dealt


def spread(indices: Longs, scales: Longs, counts: Floats) -> Spread:
    """Of n buckets: bucket i of scale s holds (2^(i / 2^s), 2^((i + 1) / 2^s)], as OpenTelemetry counts; Prometheus' index is one
    more. `indices` and `scales` int64[n], scales from -10 up; `counts` float64[n], not negative.

    From scale 6 up it is exact. Beyond all doubles, the bin at the end of them.
    """
    finer = np.maximum(SCALE - scales, 0)
    held = np.clip(indices >> np.maximum(scales - SCALE, 0), _LOWEST >> finer, _HIGHEST >> finer)
    firsts = held << finer
    some = np.flatnonzero(counts > 0)
    parts = [_at(some[finer[some] == 0], firsts, counts)] if not finer.all() else []
    widths = [width for width in np.unique(finer[some]).tolist() if width]  # a few at most: one a scale
    parts += [_dealt(some[finer[some] == width], firsts, counts, 1 << width) for width in widths]
    if len(parts) == 1:
        return parts[0]
    bucket = np.concatenate([np.empty(0, np.int64), *(part.bucket for part in parts)])
    order = np.argsort(bucket, kind="stable")
    bins = np.concatenate([np.empty(0, np.int32), *(part.bins for part in parts)])
    return Spread(bucket[order], bins[order], np.concatenate([np.empty(0), *(part.counts for part in parts)])[order])


def _at(which: Longs, firsts: Longs, counts: Floats) -> Spread:
    return Spread(which, _bins(firsts[which]), counts[which])


def _dealt(which: Longs, firsts: Longs, counts: Floats, width: int) -> Spread:
    """Of buckets that hold `width` bins."""
    places = min(width, PLACES)
    within = (np.arange(places) * (width // places)) + width // places // 2
    dealt = shares(counts[which], places)
    filled = dealt > 0
    bins = firsts[which][:, np.newaxis] + within
    return Spread(np.repeat(which, filled.sum(axis=1)), _bins(bins[filled]), dealt[filled])


def _bins(indices: Longs) -> Ids:
    return (np.clip(indices, _LOWEST, _HIGHEST) + ZERO_INDEX).astype(np.int32)


def explicit_bins(bounds: Floats | Sequence[float], low: float | None = None, high: float | None = None) -> Ids:
    """int32[len(bounds) + 1, PLACES]: the bins of the places in each bucket, for `shares`. `bounds` rise and are finite.

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
    return bins_of(lows[:, np.newaxis] * (1 - MIDDLES) + highs[:, np.newaxis] * MIDDLES)


def most_bins(scale: int) -> int:
    """How many bins a bucket of this scale may fill."""
    return min(1 << max(0, SCALE - scale), PLACES)
