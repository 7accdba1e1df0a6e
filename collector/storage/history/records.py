"""What a journal record says: samples, histograms, or the names of new series."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.history.columns import Columns
from collector.storage.history.histograms import HistogramColumns, HistogramLayout
from monitor.query.history import Labels

_FLOATS, _HISTOGRAMS, _NAMES = 1, 2, 3
_HEAD = struct.Struct("<BBIqq")
_ONE_TIME, _SHORT_TIMES, _LONG_TIMES = 0, 1, 2


class Names(msgspec.Struct, frozen=True, array_like=True):
    """New series: so that a registry that lost them can be told again."""

    refs: tuple[int, ...]
    kinds: tuple[int, ...]
    labels: tuple[Labels, ...]


class Histograms(msgspec.Struct, frozen=True):
    """`refs` int32[n], `times` int64[n] and their histograms."""

    refs: Any
    times: Any
    columns: HistogramColumns


_encode_names = msgspec.msgpack.Encoder().encode
_decode_names = msgspec.msgpack.Decoder(Names).decode
_encode_layout = msgspec.msgpack.Encoder().encode
_decode_layout = msgspec.msgpack.Decoder(HistogramLayout).decode


class UnreadableRecordError(Exception):
    """A record of a whole checksum that makes no sense: written by another version."""


def floats_record(columns: Columns) -> bytes:
    return _keys(_FLOATS, columns.refs, columns.times) + columns.values.tobytes()


def histograms_record(refs: npt.NDArray[np.int32], times: npt.NDArray[np.int64], columns: HistogramColumns) -> bytes:
    layout = _encode_layout(columns.layout)
    return (
        _keys(_HISTOGRAMS, refs, times)
        + struct.pack("<II", len(columns.bins), len(layout))
        + layout
        + columns.sums.tobytes()
        + columns.offsets.astype(np.uint32).tobytes()
        + columns.bins.tobytes()
        + columns.counts.tobytes()
    )


def names_record(refs: Sequence[int], kinds: Sequence[int], labels: Sequence[Labels]) -> bytes:
    return bytes([_NAMES]) + _encode_names(Names(tuple(refs), tuple(kinds), tuple(labels)))


def read_record(payload: bytes) -> Columns | Histograms | Names:
    """Raises `UnreadableRecordError`."""
    try:
        if payload[0] == _NAMES:
            return _decode_names(payload[1:])
        if payload[0] == _FLOATS:
            refs, times, at = _read_keys(payload)
            return Columns(refs, times, np.frombuffer(payload, np.float64, len(refs), at))
        if payload[0] == _HISTOGRAMS:
            return _read_histograms(payload)
    except (struct.error, ValueError, IndexError, msgspec.MsgspecError) as error:
        raise UnreadableRecordError(str(error)) from None
    raise UnreadableRecordError("a record of an unknown kind")


def _keys(kind: int, refs: npt.NDArray[np.int32], times: npt.NDArray[np.int64]) -> bytes:
    """Times by one number where all are equal, by 32 bits where they lie within 49 days."""
    first, last = int(times.min()), int(times.max())
    form = _ONE_TIME if first == last else _SHORT_TIMES if last - first < 1 << 32 else _LONG_TIMES
    head = _HEAD.pack(kind, form, len(refs), first, last) + refs.tobytes()
    if form == _ONE_TIME:
        return head
    return head + ((times - first).astype(np.uint32) if form == _SHORT_TIMES else times).tobytes()


def _read_keys(payload: bytes) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], int]:
    _, form, count, first, _ = _HEAD.unpack_from(payload)
    at = _HEAD.size
    refs = np.frombuffer(payload, np.int32, count, at)
    at += 4 * count
    if form == _ONE_TIME:
        return refs, np.full(count, first, np.int64), at
    if form == _SHORT_TIMES:
        return refs, first + np.frombuffer(payload, np.uint32, count, at).astype(np.int64), at + 4 * count
    return refs, np.frombuffer(payload, np.int64, count, at), at + 8 * count


def _read_histograms(payload: bytes) -> Histograms:
    refs, times, at = _read_keys(payload)
    bins, layout_bytes = struct.unpack_from("<II", payload, at)
    at += 8
    layout = _decode_layout(payload[at : at + layout_bytes])
    at += layout_bytes
    sums = np.frombuffer(payload, np.float64, len(refs), at)
    at += 8 * len(refs)
    offsets = np.frombuffer(payload, np.uint32, len(refs) + 1, at).astype(np.int64)
    at += 4 * (len(refs) + 1)
    indices = np.frombuffer(payload, np.int32, bins, at)
    counts = np.frombuffer(payload, np.float64, bins, at + 4 * bins)
    return Histograms(refs, times, HistogramColumns(layout, offsets, indices, counts, sums))
