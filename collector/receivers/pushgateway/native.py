"""Native histograms of a group: as they are kept, and what a push observed since the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
import numpy as np

from collector.receivers.prometheus.native import NativeHistogram, Side, binned, increase
from monitor.model.batch import HistogramBatch, Ids
from monitor.model.series import KeySpace


class Native(msgspec.Struct, frozen=True, array_like=True):
    """A native histogram that can be written down; buckets of a sign are int64 indices and float64 counts, little-endian."""

    schema: int
    count: float
    sum: float
    zero_threshold: float
    zero_count: float
    positive: tuple[bytes, bytes]
    negative: tuple[bytes, bytes]

    @property
    def size(self) -> int:
        return 40 + sum(map(len, (*self.positive, *self.negative)))

    @property
    def whole(self) -> NativeHistogram:
        """For reckoning. Raises `ValueError` where the buckets are none."""
        sides = _side(self.positive), _side(self.negative)
        return NativeHistogram(self.schema, self.count, self.sum, self.zero_threshold, self.zero_count, *sides)


class HasNative(Protocol):
    """A series that may have one."""

    @property
    def native(self) -> Native | None: ...


def native_of(whole: NativeHistogram) -> Native:
    """As it is kept."""
    sides = _packed(whole.positive), _packed(whole.negative)
    return Native(whole.schema, whole.count, whole.sum, whole.zero_threshold, whole.zero_count, *sides)


def _packed(side: Side) -> tuple[bytes, bytes]:
    return side.indices.astype("<i8").tobytes(), side.counts.astype("<f8").tobytes()


def _side(packed: tuple[bytes, bytes]) -> Side:
    indices, counts = np.frombuffer(packed[0], "<i8"), np.frombuffer(packed[1], "<f8")
    if len(indices) != len(counts):
        raise ValueError("a histogram has not as many counts as buckets")
    return Side(indices.astype(np.int64), counts.astype(np.float64))


def check_natives(series: Iterable[HasNative]) -> None:
    """Raises `ValueError` for histograms, read from a file, whose buckets are none."""
    for one in series:
        if one.native is not None:
            _ = one.native.whole


def observed(space: KeySpace, now: float, told: Sequence[tuple[int, Native | None, Native]]) -> HistogramBatch | None:
    """What came since the push before: of ids, the histogram of then (None: the series is new) and of now. A job's first
    histogram was all observed by it, so it counts whole. None where nothing was observed.
    """
    pairs = [(number, before, after) for number, before, after in told if before is not after and before != after]
    grown = [increase(before.whole, after.whole) if before is not None else after.whole for _, before, after in pairs]
    offsets, bins, counts, sums = binned(grown)
    some = np.flatnonzero(np.diff(offsets))
    if not len(some):
        return None
    ids: Ids = np.array([number for number, _, _ in pairs], np.int32)[some]
    # Those left out hold no bins: the offsets of the others stay as they are.
    return HistogramBatch(space, ids, np.full(len(some), now), offsets[np.append(some, len(grown))], bins, counts, sums[some])
