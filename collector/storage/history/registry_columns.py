"""Columns of 65,536 refs: their kinds, and what posting lists and kinds are made anew of when they are damaged, the rows."""

from __future__ import annotations

import sqlite3
import zlib

import numpy as np
import numpy.typing as npt

from collector.storage.history.postings import SEGMENT, SEGMENT_BITS, Postings, build
from collector.storage.history.registry_rows import rows_of
from collector.storage.history.registry_schema import ALL, seal

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


def list_by_rows(connection: sqlite3.Connection, name: int, segment: int) -> Postings:
    """A posting list as its series' rows tell it."""
    first = segment << SEGMENT_BITS
    rows = list(rows_of(connection, np.arange(first, first + SEGMENT, dtype=np.int64)))
    places = np.array([row.ref - first for row in rows], np.int64)
    if name == ALL:
        return build(np.ones(len(places), np.uint32), places)
    ids = np.frombuffer(b"".join(row.pairs for row in rows), np.uint32)
    places = np.repeat(places, [len(row.pairs) // 4 for row in rows])
    mine = np.array([row[0] for row in connection.execute("SELECT id FROM label_pairs WHERE name = ?", (name,))], np.uint32)
    here = np.isin(ids, mine)
    return build(ids[here], places[here])
