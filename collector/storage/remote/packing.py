"""A record of the queue: the samples of one commit as columns, and the series that its segment did not name before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cramjam
import msgspec
import numpy as np
import numpy.typing as npt

from collector.decompress import DecompressionError, decompress
from monitor.query.history import Labels

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bins = npt.NDArray[np.int32]
MOST_BYTES = 1 << 30
"""Of a record when unpacked."""


class QueuedSeries(msgspec.Struct, frozen=True, array_like=True):
    """`kind` as in `monitor.model.series.Kind`."""

    ref: int
    labels: Labels
    kind: int
    unit: str = ""


class _Packed(msgspec.Struct, array_like=True):
    epoch: int
    series: tuple[QueuedSeries, ...]
    columns: tuple[bytes, ...]


@dataclass(slots=True)
class Columns:
    """`refs`, `times`, `values`: n samples. The others: m distributions, what was observed since the one before; number i has
    `bins[offsets[i]:offsets[i + 1]]`. Milliseconds.
    """

    refs: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    times: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    values: Floats = field(default_factory=lambda: np.empty(0))
    drawn_refs: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    drawn_times: Longs = field(default_factory=lambda: np.empty(0, np.int64))
    offsets: Longs = field(default_factory=lambda: np.zeros(1, np.int64))
    bins: Bins = field(default_factory=lambda: np.empty(0, np.int32))
    counts: Floats = field(default_factory=lambda: np.empty(0))
    sums: Floats = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.refs) + len(self.drawn_refs)

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        return (
            self.refs, self.times, self.values, self.drawn_refs, self.drawn_times, self.offsets, self.bins, self.counts, self.sums
        )  # fmt: skip


_TYPES = ("<i8", "<i8", "<f8", "<i8", "<i8", "<i8", "<i4", "<f8", "<f8")


def joined(parts: Sequence[Columns]) -> Columns:
    """The samples of all, in order."""
    if len(parts) == 1:
        return parts[0]
    whole = [np.concatenate(column) for column in zip(*(part.arrays() for part in parts), strict=True)]
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    whole[5] = np.concatenate(([0], np.cumsum(sizes)))
    return Columns(*whole)


def pack(epoch: int, series: Sequence[QueuedSeries], columns: Columns) -> bytes:
    """`epoch`: refs of another one mean other series."""
    raw = tuple(np.ascontiguousarray(a, kind).tobytes() for a, kind in zip(columns.arrays(), _TYPES, strict=True))
    return bytes(cramjam.snappy.compress_raw(msgspec.msgpack.encode(_Packed(epoch, tuple(series), raw))))


def unpack(payload: bytes) -> tuple[int, tuple[QueuedSeries, ...], Columns]:
    """Raises `ValueError` for what is no record."""
    try:
        packed = msgspec.msgpack.decode(decompress(payload, "snappy", MOST_BYTES), type=_Packed)
    except (msgspec.DecodeError, DecompressionError) as error:
        raise ValueError(f"a record of the queue is none: {error}") from None
    columns = Columns(*(np.frombuffer(raw, kind) for raw, kind in zip(packed.columns, _TYPES, strict=True)))
    n, m = len(columns.refs), len(columns.drawn_refs)
    fits = len(columns.times) == len(columns.values) == n and len(columns.drawn_times) == len(columns.sums) == m
    if (
        not fits
        or len(columns.offsets) != m + 1
        or columns.offsets[-1] != len(columns.bins)
        or len(columns.bins) != len(columns.counts)
    ):
        raise ValueError("the columns of a record of the queue do not fit together")
    return packed.epoch, packed.series, columns
