"""Saving what can be read of a damaged database."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from collector.storage.history.chunk_table import FIELDS_SQL, KEY_COLUMNS, MERGED, marks, set_mark
from collector.storage.history.codec import seal_of
from collector.storage.history.settings import TIER_STEPS, WINDOW, span_end
from collector.storage.state_schema import transaction

_MOST_GAPS = 1000


def salvage(damaged: Path, into: sqlite3.Connection) -> tuple[int, int]:
    """Copies every row that can be read; how many those are, and at how many places reading failed."""
    saved = lost = 0
    try:
        source = sqlite3.connect(f"file:{damaged}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error:
        return 0, 1
    try:
        tables = source.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOTNULL").fetchall()
        known = {row[0] for row in into.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        for table, statement in tables:
            if table.startswith("sqlite_"):
                continue
            if table not in known:  # the registry's, which makes its own indices when it opens
                into.execute(statement)
            rows, gaps = _copy(source, into, table)
            saved, lost = saved + rows, lost + gaps
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        lost += 1
    finally:
        with contextlib.suppress(sqlite3.Error):
            source.close()
    return saved, lost


def _copy(source: sqlite3.Connection, into: sqlite3.Connection, table: str) -> tuple[int, int]:
    """Reads by rising key up to a page that cannot be read, then from the end down to it; of chunks, span by span."""
    about = into.execute(f"PRAGMA table_info({table})").fetchall()
    key = [name for _, name in sorted((row[5], row[1]) for row in about if row[5])] or ["rowid"]
    insert = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(about))})"
    if table not in ("chunks", "times"):
        return _both_ways(source, into, f"SELECT * FROM {table}", key, (), insert)
    saved, lost = _both_ways(source, into, f"SELECT * FROM {table}", key, (), insert)
    if not lost:
        return saved, lost
    prefix = key[:3] if table == "chunks" else key[:2]
    for values in _prefixes(source, table, prefix):
        where = " AND ".join(f"{name} = ?" for name in prefix)
        rows, gaps = _both_ways(source, into, f"SELECT * FROM {table} WHERE {where}", key, values, insert)
        saved, lost = saved + rows, lost + gaps
    return saved, lost


def _prefixes(source: sqlite3.Connection, table: str, names: list[str]) -> list[tuple[int, ...]]:
    """The beginnings of keys that `spans` or, where that is lost, the table itself knows."""
    found: set[tuple[int, ...]] = set()
    with contextlib.suppress(sqlite3.DatabaseError):
        for tier, span in source.execute("SELECT DISTINCT tier, span FROM spans"):
            found |= {(tier, int(field), span) for field in FIELDS_SQL.split(", ")} if table == "chunks" else {(tier, span)}
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{name} {direction}" for name in names)
        with contextlib.suppress(sqlite3.DatabaseError):
            for row in source.execute(f"SELECT DISTINCT {', '.join(names)} FROM {table} ORDER BY {order}"):
                found.add(tuple(row))
    whole = [values for values in found if all(isinstance(value, int) for value in values)]
    return sorted(whole)[: _MOST_GAPS * 10]


def _both_ways(
    source: sqlite3.Connection, into: sqlite3.Connection, query: str, key: list[str], values: tuple[int, ...], insert: str
) -> tuple[int, int]:
    saved = 0
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{name} {direction}" for name in key)
        with transaction(into):
            try:
                for row in source.execute(f"{query} ORDER BY {order}", values):
                    with contextlib.suppress(sqlite3.IntegrityError, sqlite3.InterfaceError):
                        saved += into.execute(insert, row).rowcount
            except sqlite3.DatabaseError:
                continue
        return saved, 0 if direction == "ASC" else 1
    return saved, 1


def mend(connection: sqlite3.Connection) -> None:
    """Makes true again, of a database that lost rows, what is counted beside its chunks."""
    with transaction(connection):
        damaged = [
            row[:5] for row in connection.execute(f"SELECT {KEY_COLUMNS}, seal FROM chunks") if seal_of(*row[:9]) != row[9]
        ]
        key = "tier = ? AND field = ? AND span = ? AND bucket = ? AND part = ?"
        connection.executemany(f"DELETE FROM chunks WHERE {key}", damaged)
        try:
            known = marks(connection)
        except sqlite3.DatabaseError:
            connection.execute("DELETE FROM marks")
            known = {}
        connection.execute("DELETE FROM spans")
        connection.execute(
            "INSERT INTO spans SELECT tier, span, CASE tier WHEN 0 THEN (first - 1) / ?1 ELSE 0 END AS part, sum(samples), "
            "sum(length(data)), count(*), sum(part >= ?2) FROM chunks GROUP BY 1, 2, 3",
            (WINDOW, MERGED),
        )
        highest = connection.execute("SELECT max(part) FROM chunks").fetchone()[0] or 0
        set_mark(connection, "folds", max(known.get("folds", 0), highest // MERGED + 1))
        for tier in range(len(TIER_STEPS) - 1):
            first = connection.execute("SELECT min(span) FROM spans WHERE tier = ?", (tier,)).fetchone()[0]
            coarser = connection.execute("SELECT max(last) FROM chunks WHERE tier > ?", (tier,)).fetchone()[0]
            if coarser is not None:
                # Where the finer samples are gone, or their floor was lost with them, the coarser answer.
                floor = coarser if first is None else span_end(tier, first - 1)
                if f"floor_{tier}" not in known:
                    set_mark(connection, f"floor_{tier}", floor)
