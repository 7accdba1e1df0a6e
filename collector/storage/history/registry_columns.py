"""What the registry keeps of each series beside its labels: a byte, its kind, in columns of 65,536 refs."""

from __future__ import annotations

import sqlite3
import zlib

import numpy as np
import numpy.typing as npt

from collector.storage.history.postings import SEGMENT, SEGMENT_BITS
from collector.storage.history.registry_schema import seal

UNKNOWN = 255
KINDS = 0
Kinds = npt.NDArray[np.uint8]


def read_kinds(connection: sqlite3.Connection, segment: int) -> Kinds:
    """uint8[SEGMENT]: `Kind`, or `UNKNOWN`. A damaged column is read from the series' own rows."""
    row = connection.execute("SELECT data FROM series_columns WHERE what = ? AND segment = ?", (KINDS, segment)).fetchone()
    if row is None:
        return np.full(SEGMENT, UNKNOWN, np.uint8)
    if isinstance(row[0], bytes) and int.from_bytes(row[0][:4], "little") == seal(KINDS, segment, row[0][4:]):
        return np.frombuffer(zlib.decompress(row[0][4:]), np.uint8, SEGMENT)
    return kinds_by_rows(connection, segment)


def write_kinds(connection: sqlite3.Connection, segment: int, kinds: Kinds) -> None:
    """Replaces a column."""
    packed = zlib.compress(kinds.tobytes(), 1)
    data = seal(KINDS, segment, packed).to_bytes(4, "little") + packed
    connection.execute("INSERT OR REPLACE INTO series_columns VALUES (?, ?, ?)", (KINDS, segment, data))


def kinds_by_rows(connection: sqlite3.Connection, segment: int) -> Kinds:
    """A segment's column as its series' rows tell it."""
    kinds = np.full(SEGMENT, UNKNOWN, np.uint8)
    first = segment << SEGMENT_BITS
    rows = connection.execute(
        "SELECT ref, hash, kind, pairs, seal FROM series WHERE ref BETWEEN ? AND ?", (first, first + SEGMENT - 1)
    )
    for ref, number, kind, pairs, checksum in rows:
        if seal(ref, number, kind, pairs) == checksum:
            kinds[ref - first] = kind
    return kinds
