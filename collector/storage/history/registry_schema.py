"""The registry's tables, in the same database file as the chunks; every row carries a checksum over all that it says."""

from __future__ import annotations

import sqlite3
import struct
import zlib

TABLES = """
CREATE TABLE IF NOT EXISTS series (ref INTEGER PRIMARY KEY, hash INTEGER NOT NULL, kind INTEGER NOT NULL, pairs BLOB NOT NULL,
    seal INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS series_by_hash ON series (hash);
CREATE TABLE IF NOT EXISTS label_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS label_pairs (id INTEGER PRIMARY KEY, name INTEGER NOT NULL, value TEXT NOT NULL, spelled TEXT,
    seal INTEGER NOT NULL, UNIQUE (name, value)) STRICT;
CREATE INDEX IF NOT EXISTS label_pairs_by_spelling ON label_pairs (spelled) WHERE spelled IS NOT NULL;
CREATE TABLE IF NOT EXISTS posting_lists (name INTEGER NOT NULL, segment INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (name, segment)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series_columns (what INTEGER NOT NULL, segment INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (what, segment)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series_metrics (name TEXT PRIMARY KEY, kind INTEGER NOT NULL, unit TEXT NOT NULL, help TEXT NOT NULL,
    seal INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series_next (one INTEGER PRIMARY KEY, ref INTEGER NOT NULL, seal INTEGER NOT NULL) STRICT;
"""
"""`series.pairs`: uint32 ids of `label_pairs`, in the order of the label names; `hash`: of the labels, to find a series again.
`label_pairs.spelled`: a metric's name as PromQL writes it, if that differs. `posting_lists`: of one label name and 65,536 refs,
name 0 being all series. `series_columns`: kinds of 65,536 refs. `series_next`: refs below it were given out."""
NAMES = ("series", "label_names", "label_pairs", "posting_lists", "series_columns", "series_metrics", "series_next")
ALL = 0
"""The label name whose one value all series carry."""


def schema(connection: sqlite3.Connection) -> None:
    """Creates what is missing. Call it inside a transaction, or outside of any."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def readable(data: bytes) -> str:
    """Text that damage may have made unreadable: its checksum tells, not an exception."""
    return data.decode("utf-8", "replace")


def seal(*parts: int | str | bytes | float | None) -> int:
    """A checksum over a row's columns, whatever damage made of them."""
    crc = 0
    for part in parts:
        if isinstance(part, bytes):
            data = part
        else:
            data = struct.pack("<q", part) if isinstance(part, int) else str(part).encode("utf-8", "replace")
        crc = zlib.crc32(data, zlib.crc32(struct.pack("<I", len(data)), crc))
    return crc


def first_free(connection: sqlite3.Connection) -> int:
    """The first ref that was never given out. Where the note of it is damaged, beyond all that anything speaks of."""
    held = int(connection.execute("SELECT coalesce(max(ref), -1) FROM series").fetchone()[0]) + 1
    row = connection.execute("SELECT ref, seal FROM series_next WHERE one = 1").fetchone()
    if row is not None and seal(1, row[0]) == row[1]:
        return max(held, int(row[0]))
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for table, query in (
        ("newest", "SELECT coalesce(max(block) + 1, 0) * 4096 FROM newest"),
        ("chunks", "SELECT coalesce(max(bucket) + 1, 0) * 64 FROM chunks"),
    ):
        held = max(held, int(connection.execute(query).fetchone()[0])) if table in tables else held
    return held
