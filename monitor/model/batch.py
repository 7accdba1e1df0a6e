"""Samples on their way in, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.series import KeySpace

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """n samples of one receiver, in order of arrival.

    `ids` int32[n] are ids of `space`; `values` float64[n]; `times` float64[n] seconds since the epoch (event time).
    `weights` float64[n] or None: how many observations a distribution's sample stands for (1 / sample rate); counters
    arrive already multiplied. `relative` bool[n] or None: true where a gauge's value is a change to its last value.
    A NaN value on a gauge or counter is a staleness marker: the series says nothing from there on.
    `raw`: the history keeps these samples as they are. `windowed`: the engine takes them in. A cumulative counter comes as two
    batches: its readings for the history and their increments for the windows. Of a space that is not raw, the history keeps
    what the windows made of it.
    """

    space: KeySpace
    ids: Ids
    values: Floats
    times: Floats
    weights: Floats | None = None
    relative: npt.NDArray[np.bool_] | None = None
    raw: bool = False
    windowed: bool = True

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class HistogramBatch:
    """n histograms of distributions: what was observed since the one before, counted by `monitor.windows.bins`.

    `ids` int32[n] are ids of `space`, which is raw: the history keeps them as they came, exact and when they came. `times`
    float64[n] seconds since the epoch, `sums` float64[n]; histogram i has `bins[offsets[i]:offsets[i + 1]]` (int32, rising) with
    their `counts` (float64). `offsets` int64[n + 1].
    """

    space: KeySpace
    ids: Ids
    times: Floats
    offsets: npt.NDArray[np.int64]
    bins: Ids
    counts: Floats
    sums: Floats

    def __len__(self) -> int:
        return len(self.ids)
