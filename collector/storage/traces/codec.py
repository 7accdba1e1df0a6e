"""Columns, texts and details to bytes and back. Every blob has a CRC-32 before it, over its place in the database too.

Numbers go through pcodec, ids that are random stay raw, text goes through zstd at its quickest level, which packs details
of spans better than zlib's best, in a third of the time of zlib's quickest (350 bytes a span to 30).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import cramjam
import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.history.codec import DamagedChunkError, compress, decompress_into, opened, sealed

__all__ = ["DamagedChunkError", "opened", "pack_numbers", "pack_rows", "sealed", "unpack_numbers", "unpack_rows"]

CHUNK_ROWS = 512
"""Rows whose details are unpacked together: small, so that one trace costs little; a row of the database each."""
CHUNK_BYTES = 1 << 20
"""A chunk ends early with the row that makes it larger than this."""
_RAW_BELOW = 48
"""Numbers of so short a column are kept as they are: a stream of pcodec has some 30 bytes around it."""
QUICK_BELOW = 1024
"""Rows of a block that is merged soon: its columns are kept as they are."""
_LENGTH = struct.Struct("<I")
_MOST = 1 << 30
_STORED = 1 << 31
"""Added to the length of bytes that follow as they are."""

Chunk = tuple[int, int]
"""First row and the one after the last."""


class _Column(msgspec.Struct, frozen=True, array_like=True):
    """`code`: 0 raw, 1 pcodec, 2 all of one value."""

    dtype: str
    count: int
    code: int
    data: bytes


class Columns(msgspec.Struct, frozen=True, array_like=True):
    """What a blob of columns holds, by name."""

    columns: dict[str, _Column]
    texts: bytes


_columns = msgspec.msgpack.Decoder(Columns)
_texts = msgspec.msgpack.Decoder(list[str])
_DTYPES = frozenset({"<i8", "<u8", "<i4", "<i2"})


def pack_numbers(columns: dict[str, npt.NDArray[Any]], texts: Sequence[str], raw: Sequence[str] = ()) -> bytes:
    """A blob of columns of 16, 32 or 64 bit integers and a table of texts. `raw`: names of those that hold random numbers."""
    count = max(map(len, columns.values()))
    if count < QUICK_BELOW:
        plain = {name: _Column(column.dtype.str, len(column), 0, column.tobytes()) for name, column in columns.items()}
        return b"\x01" + stored(msgspec.msgpack.encode(Columns(plain, msgspec.msgpack.encode(texts))))
    packed = {name: _packed(column, name in raw) for name, column in columns.items()}
    return b"\x00" + msgspec.msgpack.encode(Columns(packed, zipped(msgspec.msgpack.encode(texts))))


def unpack_numbers(blob: bytes) -> tuple[dict[str, npt.NDArray[Any]], tuple[str, ...]]:
    """Columns by name, and texts. Raises `DamagedChunkError`."""
    quick = blob[:1] == b"\x01"
    try:
        found = _columns.decode(unzipped(blob[1:]) if quick else blob[1:])
        texts = _texts.decode(found.texts if quick else unzipped(found.texts))
        return {name: _unpacked(column) for name, column in found.columns.items()}, tuple(texts)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise DamagedChunkError(f"columns cannot be read: {error}") from None


def chunks_of(sizes: npt.NDArray[np.int64]) -> list[Chunk]:
    """Stretches of rows with `sizes` bytes each that are packed together."""
    found, begin, heap = [], 0, 0
    ends = np.cumsum(sizes)
    while begin < len(sizes):
        end = min(begin + CHUNK_ROWS, int(np.searchsorted(ends, heap + CHUNK_BYTES, "left")) + 1, len(sizes))
        found.append((begin, end))
        begin, heap = end, int(ends[end - 1])
    return found


def pack_rows(rows: Sequence[bytes]) -> bytes:
    """Byte strings, together."""
    sizes = np.fromiter(map(len, rows), np.uint32, len(rows))
    return zipped(b"".join((_LENGTH.pack(len(rows)), sizes.astype("<u4").tobytes(), *rows)))


def unpack_rows(blob: bytes) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The rows one after the other, and int64[n + 1] where each begins, the last one where they end.

    Raises `DamagedChunkError`.
    """
    data = unzipped(blob)
    count = _LENGTH.unpack_from(data)[0] if len(data) >= 4 else _MOST
    head = 4 + 4 * count
    if head > len(data):
        raise DamagedChunkError("a chunk of details is too short")
    edges = np.zeros(count + 1, np.int64)
    np.cumsum(np.frombuffer(data, "<u4", count, 4), out=edges[1:], dtype=np.int64)
    if edges[-1] != len(data) - head:
        raise DamagedChunkError("a chunk of details has another length than it says")
    return data[head:], edges


def zipped(data: bytes) -> bytes:
    """By zstd, its length before it."""
    return _LENGTH.pack(len(data)) + bytes(cramjam.zstd.compress(data, level=1))


def stored(data: bytes) -> bytes:
    """As it is, in a form that `unzipped` knows."""
    return _LENGTH.pack(len(data) | _STORED) + data


def unzipped(blob: bytes) -> bytes:
    """Never makes more bytes than the blob says. Raises `DamagedChunkError`."""
    size = _LENGTH.unpack_from(blob)[0] if len(blob) >= 4 else _MOST
    if size & _STORED:
        if size ^ _STORED != len(blob) - 4:
            raise DamagedChunkError("a stored text has another length than it says")
        return blob[4:]
    if size >= _MOST:
        raise DamagedChunkError("a compressed text is too long")
    room = bytearray(size)
    try:
        made = cramjam.zstd.decompress_into(blob[4:], room) if size else 0
    except cramjam.DecompressionError as error:
        raise DamagedChunkError(f"a chunk cannot be unpacked: {error}") from None
    if made != size:
        raise DamagedChunkError("a compressed text has another length than it says")
    return bytes(room)


def _packed(column: npt.NDArray[Any], raw: bool) -> _Column:
    plain = np.ascontiguousarray(column)
    dtype, count = plain.dtype.str, len(plain)
    if count and (plain == plain[0]).all():
        return _Column(dtype, count, 2, plain[:1].tobytes())
    if raw or count < _RAW_BELOW:
        return _Column(dtype, count, 0, plain.tobytes())
    return _Column(dtype, count, 1, compress(plain, quick=True))


def _unpacked(column: _Column) -> npt.NDArray[Any]:
    if column.dtype not in _DTYPES or not 0 <= column.count < _MOST:
        raise DamagedChunkError("a column of an unknown kind")
    dtype = np.dtype(column.dtype)
    if column.code == 2:
        return np.full(column.count, np.frombuffer(column.data, dtype)[0], dtype)
    if column.code == 0:
        if len(column.data) != column.count * dtype.itemsize:
            raise DamagedChunkError("a column has another length than it says")
        return np.frombuffer(column.data, dtype)
    found = np.empty(column.count, dtype)
    decompress_into(column.data, found)
    return found
