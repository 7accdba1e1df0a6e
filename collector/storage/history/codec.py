"""Columns to bytes and back: values by pcodec, times once for all that share them, a CRC-32 before every blob.

A chunk holds up to 64 series of the same times, because a row of SQLite and a checksum cost as much as decoding a hundred
samples. Its series stay streams of their own where they are long enough (128 samples and more), since a series compresses best
alone and 7 us a stream is cheap then; pieces that live only until they are merged are one stream for the whole group.
NaNs of any bits (the staleness marker among them) are kept apart, by position and bits, so that they cost the floats nothing.
Measured (tests/benchmarks/store.py): 0.74 bytes a sample in streams of 4 h at 15 s, 0.70 in streams of 24 h.
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

from monitor.query.history import Millis, Values

GROUP = 64
"""Series a chunk may hold: those whose refs differ only in their last six bits."""
LONG, LONG_FRESH = 128, 1024
"""From so many samples on a series is a stream of its own: in chunks that stay, in those that are to be merged."""
_STREAMS, _TOGETHER, _HISTOGRAMS = 1, 2, 3
_CONSTANT, _PCO, _WITH_NANS = 0, 1, 0x80
_REGULAR, _LISTED = 0, 1
_CRC = struct.Struct("<I")
_HEAD = struct.Struct("<BB")
_CONSTANT_BITS = struct.Struct("<BQ")
_STEPS = struct.Struct("<BIqq")
_CONFIG = ChunkConfig(compression_level=8)
_QUICK = ChunkConfig(compression_level=4)

Slots = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.uint64]
Picks = slice | npt.NDArray[np.int64] | None
"""Which columns count: None for all."""


class DamagedChunkError(Exception):
    """A blob that is not what was written."""


def seal_of(*numbers: int) -> int:
    """A checksum over numbers: of the columns beside a blob. -1, which none is, where a flipped bit made one no integer."""
    try:
        return zlib.crc32(struct.pack(f"<{len(numbers)}q", *numbers))
    except struct.error:
        return -1


def sealed(payload: bytes, *numbers: int) -> bytes:
    """The payload with its checksum before it, which may be over some numbers too."""
    return _CRC.pack(zlib.crc32(payload, seal_of(*numbers) & 0xFFFFFFFF if numbers else 0)) + payload


def opened(blob: bytes, *numbers: int) -> bytes:
    """The payload of a blob. Raises `DamagedChunkError` when the checksum is not that of the rest."""
    if not isinstance(blob, bytes):  # a damaged row may say that it is a text
        raise DamagedChunkError("a chunk is no blob")
    payload = blob[4:]
    if len(blob) < 5 or _CRC.unpack_from(blob)[0] != zlib.crc32(payload, seal_of(*numbers) & 0xFFFFFFFF if numbers else 0):
        raise DamagedChunkError("a chunk does not match its checksum")
    return payload


def compress(column: npt.NDArray[Any], quick: bool = False) -> bytes:
    """A column of 32 or 64 bit numbers by pcodec."""
    packed: bytes = standalone.simple_compress(np.ascontiguousarray(column).ravel(), _QUICK if quick else _CONFIG)
    return packed


def decompress_into(packed: bytes, column: npt.NDArray[Any]) -> None:
    """Fills a contiguous column. Raises `DamagedChunkError` when the bytes hold anything but exactly that many numbers."""
    try:
        progress = standalone.simple_decompress_into(packed, column)
    except (RuntimeError, TypeError, ValueError) as error:
        raise DamagedChunkError(f"a chunk cannot be decompressed: {error}") from None
    if progress.n_processed != len(column) or not progress.finished:
        raise DamagedChunkError("a chunk holds another number of samples than it says")


def pack_times(times: Millis) -> bytes:
    """Rising times; 21 bytes when they are regular."""
    step = int(times[1] - times[0]) if len(times) > 1 else 0
    if len(times) < 3 or (np.diff(times) == step).all():
        return sealed(_STEPS.pack(_REGULAR, len(times), int(times[0]), step))
    return sealed(struct.pack("<BI", _LISTED, len(times)) + compress(times))


def unpack_times(blob: bytes) -> Millis:
    """Raises `DamagedChunkError`."""
    payload = opened(blob)
    if payload[0] == _REGULAR:
        _, count, first, step = _STEPS.unpack(payload)
        regular: Millis = np.arange(count, dtype=np.int64) * step + first
        return regular
    times = np.empty(struct.unpack_from("<I", payload, 1)[0], np.int64)
    decompress_into(payload[5:], times)
    return times


class Stay(enum.Enum):
    """How long a chunk is to stay: what it is worth to pack it well."""

    MINUTES = LONG_FRESH, True
    HOURS = LONG, True
    LASTING = LONG, False


def pack_floats(slots: Slots, values: Values, stay: Stay = Stay.LASTING) -> bytes:
    """A chunk of S series (`slots`: last six bits of their refs, rising) with T values each, float64[S, T]."""
    long, quick = stay.value
    together = values.shape[1] < long
    head = _HEAD.pack(_TOGETHER if together else _STREAMS, len(slots)) + slots.tobytes()
    if together:
        return sealed(head + _pack_column(values.ravel(), quick=True))
    streams = [_pack_column(row, quick) for row in values]
    return sealed(head + np.array([len(s) for s in streams], np.uint32).tobytes() + b"".join(streams))


def pack_histograms(slots: Slots, parts: Sequence[bytes]) -> bytes:
    """A chunk of histograms of those series: columns that `histogram_columns` packed."""
    head = _HEAD.pack(_HISTOGRAMS, len(slots)) + slots.tobytes()
    return sealed(head + struct.pack(f"<{len(parts)}I", *map(len, parts)) + b"".join(parts))


class Chunk:
    """A chunk read back, its series not yet decoded. Raises `DamagedChunkError` when made of bytes that were not written so."""

    __slots__ = ("_form", "_payload", "_starts", "slots")

    def __init__(self, blob: bytes) -> None:
        self._payload = opened(blob)
        self._form, count = _HEAD.unpack_from(self._payload)
        self.slots: Slots = np.frombuffer(self._payload, np.uint8, count, 2)
        body = 2 + count
        if self._form == _STREAMS:
            lengths = np.frombuffer(self._payload, np.uint32, count, body)
            self._starts = (body + 4 * count + np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))).tolist()
        else:
            self._starts = [body]

    def read_into(self, out: Values, rows: Sequence[int], which: Sequence[int], columns: slice, width: int, picks: Picks) -> None:
        """Writes the series at positions `which` of `slots`, each of `width` samples and of these those picked, into
        `out[rows, columns]`. Raises `DamagedChunkError`.
        """
        if self._form == _TOGETHER:
            together = np.empty((len(self.slots), width))
            _unpack_column(self._payload[self._starts[0] :], together.reshape(-1))
            put(out, rows, columns, together, which, picks)
            return
        if self._form != _STREAMS:
            raise DamagedChunkError("a chunk of histograms stands where floats should")
        starts, payload = self._starts, self._payload
        if picks is None:
            for row, position in zip(rows, which, strict=True):  # a call a series: 7 us for a thousand samples
                _unpack_column(payload[starts[position] : starts[position + 1]], out[row, columns])
            return
        whole = np.empty(width)
        bits, out_bits = whole.view(np.uint64), out.view(np.uint64)
        for row, position in zip(rows, which, strict=True):
            _unpack_column(payload[starts[position] : starts[position + 1]], whole)
            out_bits[row, columns] = bits[picks]

    def histogram_parts(self, count: int) -> list[bytes]:
        """The columns of a chunk of histograms. Raises `DamagedChunkError`."""
        if self._form != _HISTOGRAMS:
            raise DamagedChunkError("a chunk of floats stands where histograms should")
        start = self._starts[0]
        parts, position = [], start + 4 * count
        for length in struct.unpack_from(f"<{count}I", self._payload, start):
            parts.append(self._payload[position : position + length])
            position += length
        return parts


def slots_of(payload_start: bytes) -> Slots:
    """The slots of a chunk by the first bytes of its blob (70 are enough), unchecked."""
    return np.frombuffer(payload_start, np.uint8, min(payload_start[5], len(payload_start) - 6), 6)


def _pack_column(column: Values, quick: bool = False) -> bytes:
    bits: Bits = column.view(np.uint64)
    if (bits == bits[0]).all():
        return _CONSTANT_BITS.pack(_CONSTANT, int(bits[0]))
    nans = np.isnan(column)
    if not nans.any():
        return bytes([_PCO]) + compress(column, quick)
    places = np.flatnonzero(nans)
    kept = np.where(nans, 0, np.arange(len(column)))
    np.maximum.accumulate(kept, out=kept)
    filled = column[kept]
    filled[np.isnan(filled)] = column[np.argmin(nans)] if len(places) < len(column) else 0.0
    return (
        struct.pack("<BI", _PCO | _WITH_NANS, len(places))
        + places.astype(np.uint32).tobytes()
        + bits[places].tobytes()
        + compress(filled, quick)
    )


def _unpack_column(packed: bytes, column: Values) -> None:
    code = packed[0]
    if code == _PCO:
        decompress_into(packed[1:], column)
    elif code == _CONSTANT:
        column.view(np.uint64)[:] = _CONSTANT_BITS.unpack(packed)[1]
    elif code == _PCO | _WITH_NANS:
        count = struct.unpack_from("<I", packed, 1)[0]
        places = np.frombuffer(packed, np.uint32, count, 5)
        bits = np.frombuffer(packed, np.uint64, count, 5 + 4 * count)
        decompress_into(packed[5 + 12 * count :], column)
        column.view(np.uint64)[places] = bits
    else:
        raise DamagedChunkError("a chunk is packed in a way this version does not know")


def put(out: Values, rows: Sequence[int], columns: slice, values: Values, which: Sequence[int], picks: Picks) -> None:
    """`out[rows, columns] = values[which, picks]`, bit for bit."""
    chosen = values.view(np.uint64)[which]
    out.view(np.uint64)[rows, columns] = chosen if picks is None else chosen[:, picks]


Filler = Callable[[Values, Sequence[int], Sequence[int], slice, int, Picks], None]
"""Writes some series of a piece into a matrix: (out, rows of out, positions in the piece, columns of out, samples a series has in
the piece, which of these count)."""
