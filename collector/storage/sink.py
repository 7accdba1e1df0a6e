"""The history as it is written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.query.history import Labels

Longs = npt.NDArray[np.int64]


class Sink(Protocol):
    """The history as the recorder writes it. Times are milliseconds; refs are the history's own numbers of series."""

    @property
    def generation(self) -> int:
        """Rises when refs that were given out mean nothing any more: series without samples have left."""

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        """The refs of these series, int64, new ones given out; -1 where there is no room for another."""

    def kinds(self, refs: Longs) -> npt.NDArray[np.integer[Any]]:
        """The kind each ref was interned with first."""

    def append(self, refs: Longs, times: Longs, values: Floats) -> object:
        """Samples in any order; a NaN with the bits of `STALE` ends a series."""

    def append_histograms(self, refs: Longs, times: Longs, offsets: Longs, bins: Ids, counts: Floats, sums: Floats) -> object:
        """What was observed since the last: histogram i has bins[offsets[i]:offsets[i + 1]] and their counts."""
