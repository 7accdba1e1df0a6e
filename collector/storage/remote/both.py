"""Samples to two histories at once: one at hand that answers what is recent, and the way to the remote store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from collector.storage.sink import Sink
from monitor.model.batch import Floats, Ids
from monitor.model.table import lengthened
from monitor.query.history import Labels

Longs = npt.NDArray[np.int64]


class Kept(Sink, Protocol):
    """A history as it is written to."""

    def commit(self) -> bool: ...


class BothSinks:
    """Implements `collector.storage.recorder.Sink` and `commit`. Refs are those of `near`; a series for which `far` has no room
    is kept in `near` only.
    """

    def __init__(self, near: Kept, far: Kept) -> None:
        self._near, self._far = near, far
        self._generation = self.generation
        self._far_refs: Longs = np.empty(0, np.int64)
        """By the ref of `near` that of `far`, -1 where it has none."""

    @property
    def generation(self) -> int:
        """Rises when either has given its refs out anew."""
        return self._near.generation + self._far.generation

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        """See `Sink`."""
        if self.generation != self._generation:
            self._generation = self.generation
            self._far_refs[:] = -1
        near, far = self._near.intern(labels, kinds, units), self._far.intern(labels, kinds, units)
        most = int(near.max(initial=-1)) + 1
        if most > len(self._far_refs):
            self._far_refs = lengthened(self._far_refs, max(most, 2 * len(self._far_refs)), -1)
        there = near >= 0
        self._far_refs[near[there]] = far[there]
        return near

    def kinds(self, refs: Longs) -> npt.NDArray[np.integer[Any]]:
        """See `Sink`."""
        return self._near.kinds(refs)

    def append(self, refs: Longs, times: Longs, values: Floats) -> None:
        """See `Sink`."""
        self._near.append(refs, times, values)
        far = self._far_refs[refs]
        there = far >= 0
        if there.any():
            self._far.append(far[there], times[there], values[there])

    def append_histograms(self, refs: Longs, times: Longs, offsets: Longs, bins: Ids, counts: Floats, sums: Floats) -> None:
        """See `Sink`."""
        self._near.append_histograms(refs, times, offsets, bins, counts, sums)
        far = self._far_refs[refs]
        there = far >= 0
        if there.all():
            self._far.append_histograms(far, times, offsets, bins, counts, sums)
        elif there.any():
            sizes = np.diff(offsets)
            kept = np.repeat(there, sizes)
            edges = np.concatenate(([0], np.cumsum(sizes[there]))).astype(np.int64)
            self._far.append_histograms(far[there], times[there], edges, bins[kept], counts[kept], sums[there])

    def commit(self) -> bool:
        """Whether both have everything safely; one that has not does not keep the other from it."""
        near, far = self._near.commit(), self._far.commit()
        return near and far
