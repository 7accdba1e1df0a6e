"""The file that exemplars outlive a restart in: all columns of a `Snapshot`, packed."""

from __future__ import annotations

import zlib

import msgspec
import numpy as np

from monitor.model.exemplar_table import Rows, Snapshot
from monitor.model.exemplars import label_column
from monitor.model.series import SeriesKey, Tags

_MAGIC = b"lightship exemplars 1\n"
MOST_BYTES = 512 * 1024 * 1024
"""Unpacked: what the largest table there may be needs."""


class _File(msgspec.Struct, array_like=True):
    """n exemplars: little-endian columns, and of those that have labels the place and the labels."""

    keys: list[tuple[str, Tags]]
    series: bytes
    times: bytes
    values: bytes
    traces: bytes
    spans: bytes
    stamped: bytes
    labelled: dict[int, Tags]


def pack(kept: Snapshot) -> bytes:
    """The bytes of a file."""
    rows = kept.rows
    told = _File(
        [(key.name, key.tags) for key in kept.keys],
        rows.series.tobytes(),
        rows.times.tobytes(),
        rows.values.tobytes(),
        rows.traces.tobytes(),
        rows.spans.tobytes(),
        rows.stamped.tobytes(),
        {place: labels for place, labels in enumerate(rows.labels.tolist()) if labels},
    )
    packed = zlib.compress(msgspec.msgpack.encode(told), 1)
    return _MAGIC + zlib.crc32(packed).to_bytes(4, "little") + packed


def unpack(data: bytes) -> Snapshot:
    """The way back. Raises `ValueError` where it is no such file or is damaged."""
    head, packed = data[: len(_MAGIC)], data[len(_MAGIC) + 4 :]
    if head != _MAGIC or zlib.crc32(packed) != int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 4], "little"):
        raise ValueError("the file is damaged or of another version")
    try:
        unpacking = zlib.decompressobj()
        told = msgspec.msgpack.decode(unpacking.decompress(packed, MOST_BYTES), type=_File)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"the file is damaged: {error}") from None
    series = np.frombuffer(told.series, np.int64)
    labels: list[Tags] = [told.labelled.get(place, ()) for place in range(len(series))]
    rows = Rows(
        series.copy(),
        np.frombuffer(told.times).copy(),
        np.frombuffer(told.values).copy(),
        np.frombuffer(told.traces, np.uint64).reshape(-1, 2).copy(),
        np.frombuffer(told.spans, np.uint64).copy(),
        label_column(labels),
        np.frombuffer(told.stamped, np.bool_).copy(),
    )
    if len({len(column) for column in rows}) != 1 or (len(series) and not 0 <= series.min() <= series.max() < len(told.keys)):
        raise ValueError("the columns of the file do not belong together")
    return Snapshot([SeriesKey(name, tags) for name, tags in told.keys], rows)
