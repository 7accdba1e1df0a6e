"""A tick's delta as bytes and back: columns of MessagePack, packed by zlib.

Most series have one sample a second, whose minimum, maximum and sum are one number: that number is kept once. So is the second
of entries that share theirs.
"""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import numpy as np

from monitor.model.series import SeriesInfo
from monitor.windows.frame import Delta

MAX_PAYLOAD = 256 << 20
"""Largest unpacked record that is read back; a larger one can only be damage."""


class _Packed(msgspec.Struct, array_like=True):
    time: float
    added: tuple[SeriesInfo, ...]
    gone: bytes
    rows: bytes
    base: int
    seconds: bytes
    many: bytes
    counts: bytes
    sums: bytes
    mins: bytes
    maxs: bytes
    lasts: bytes
    last_times: bytes
    hist: tuple[bytes, bytes, bytes, bytes]
    sets: tuple[bytes, bytes, bytes]
    span: int = 1


class DamagedError(ValueError):
    """Bytes that are not a packed delta."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack_delta(delta: Delta, span: int = 1) -> bytes:
    """The delta as compressed bytes; all is exact but for `last_times`, which keep 1/65536 of a slot's `span` (s)."""
    base = int(delta.seconds.min()) if len(delta.seconds) else 0
    many = ~((delta.counts == 1) & (delta.mins == delta.sums) & (delta.maxs == delta.sums) & (delta.lasts == delta.sums))
    fractions = np.clip((delta.last_times - delta.seconds) / span * 65536, 0, 65535).astype("<u2")
    packed = _Packed(
        time=delta.time,
        added=delta.added,
        gone=_raw(delta.gone, "<i4"),
        rows=_raw(delta.rows, "<i4"),
        base=base,
        seconds=b"" if np.all(delta.seconds == base) else _raw(delta.seconds - base, "<i4"),
        many=np.packbits(many).tobytes(),
        counts=_raw(delta.counts[many], "<f8"),
        sums=_raw(delta.sums, "<f8"),
        mins=_raw(delta.mins[many], "<f8"),
        maxs=_raw(delta.maxs[many], "<f8"),
        lasts=_raw(delta.lasts[many], "<f8"),
        last_times=fractions.tobytes(),
        hist=(
            _raw(delta.hist_rows, "<i4"),
            _raw(delta.hist_seconds - base, "<i4"),
            _raw(delta.hist_bins, "<i4"),
            _raw(delta.hist_counts, "<f8"),
        ),
        sets=(_raw(delta.set_rows, "<i4"), _raw(delta.set_seconds - base, "<i4"), _raw(delta.set_hashes, "<f8")),
        span=span,
    )
    return zlib.compress(_encoder.encode(packed), 1)


def unpack_delta(data: bytes) -> Delta:
    """The delta of these bytes. Raises `DamagedError`."""
    unzip = zlib.decompressobj()
    try:
        raw = unzip.decompress(data, MAX_PAYLOAD)
        if unzip.unconsumed_tail or not unzip.eof:
            raise DamagedError("the record is cut short or too large")
        return _delta(_decoder.decode(raw))
    except (zlib.error, msgspec.MsgspecError, ValueError, IndexError) as error:
        raise DamagedError(f"not a packed delta: {error}") from None


def _delta(packed: _Packed) -> Delta:
    rows = _column(packed.rows, "<i4", np.int32)
    seconds = _column(packed.seconds, "<i4", np.int64) + packed.base
    if not packed.seconds:
        seconds = np.full(len(rows), packed.base, np.int64)
    sums = _column(packed.sums, "<f8", np.float64)
    many = np.unpackbits(np.frombuffer(packed.many, np.uint8), count=len(rows)).astype(bool)
    hist, sets = packed.hist, packed.sets
    return Delta(
        time=packed.time,
        added=packed.added,
        gone=_column(packed.gone, "<i4", np.int32),
        rows=rows,
        seconds=seconds,
        counts=_spread(np.ones(len(rows)), many, packed.counts),
        sums=sums,
        mins=_spread(sums, many, packed.mins),
        maxs=_spread(sums, many, packed.maxs),
        lasts=_spread(sums, many, packed.lasts),
        last_times=seconds + np.frombuffer(packed.last_times, "<u2") * (packed.span / 65536),
        hist_rows=_column(hist[0], "<i4", np.int32),
        hist_seconds=_column(hist[1], "<i4", np.int64) + packed.base,
        hist_bins=_column(hist[2], "<i4", np.int32),
        hist_counts=_column(hist[3], "<f8", np.float64),
        set_rows=_column(sets[0], "<i4", np.int32),
        set_seconds=_column(sets[1], "<i4", np.int64) + packed.base,
        set_hashes=_column(sets[2], "<f8", np.float64),
    )


def _raw(column: np.ndarray[Any, Any], dtype: str) -> bytes:
    return column.astype(dtype).tobytes()


def _column(data: bytes, stored: str, dtype: type[np.generic]) -> np.ndarray[Any, Any]:
    """A column read in place where that is possible; not to be written to."""
    return np.frombuffer(data, stored).astype(dtype, copy=False)


def _spread(column: np.ndarray[Any, Any], where: np.ndarray[Any, Any], values: bytes) -> np.ndarray[Any, Any]:
    """The column with the values put where they belong; the very column when there are none."""
    if not values:
        return column
    column = column.copy()
    column[where] = np.frombuffer(values, "<f8")
    return column
