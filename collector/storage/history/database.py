"""The history's database file: its schema and migrations, and saving what can be saved of a damaged one."""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from collector.storage import connections
from collector.storage.damage import damage_in, is_damage, set_aside
from collector.storage.history import first_page, registry_check, registry_schema
from collector.storage.history.chunk_table import KEY_COLUMNS, MERGED, marks, set_mark
from collector.storage.history.codec import seal_of
from collector.storage.history.salvage import mend, salvage
from collector.storage.history.settings import RAW, window_of
from collector.storage.history.write_ahead import lost_commits
from collector.storage.state_schema import transaction

__all__ = ["HistoryError", "connect", "is_damage", "open_database", "transaction"]

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4C536869
_TABLES = """
CREATE TABLE chunks (
    tier INTEGER NOT NULL, field INTEGER NOT NULL, span INTEGER NOT NULL, bucket INTEGER NOT NULL, part INTEGER NOT NULL,
    times INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, samples INTEGER NOT NULL, seal INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (tier, field, span, bucket, part)) STRICT, WITHOUT ROWID;
CREATE TABLE times (tier INTEGER NOT NULL, span INTEGER NOT NULL, id INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (tier, span, id)) STRICT, WITHOUT ROWID;
CREATE TABLE spans (tier INTEGER NOT NULL, span INTEGER NOT NULL, part INTEGER NOT NULL, samples INTEGER NOT NULL,
    bytes INTEGER NOT NULL, chunks INTEGER NOT NULL, pending INTEGER NOT NULL,
    PRIMARY KEY (tier, span, part)) STRICT, WITHOUT ROWID;
CREATE TABLE newest (block INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE days (day INTEGER PRIMARY KEY) STRICT;
CREATE TABLE tombstones (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, refs BLOB NOT NULL) STRICT;
CREATE TABLE doomed (tier INTEGER NOT NULL, field INTEGER NOT NULL, span INTEGER NOT NULL, bucket INTEGER NOT NULL,
    part INTEGER NOT NULL, tombstone INTEGER NOT NULL,
    PRIMARY KEY (tier, field, span, bucket, part, tombstone)) STRICT, WITHOUT ROWID;
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL, seal INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
"""`chunks.bucket` is ref // 64; parts below 4,096 are merged, others were folded from the journal in the order of their numbers.
`chunks.seal`: a checksum over the columns before it. `times.id`: a hash of the times. `spans.part`: of raw samples the window of
four hours; `spans.pending`: chunks that wait to be merged. `days`: those whose windows are merged. `newest`: time of the newest
sample of 4,096 refs a row. `doomed`: chunks that still hold samples of a tombstone. `marks`: `folded`, the last journal record
that is in chunks, `folds`, how often there was one, and `floor_N`, the time up to which tier N has given everything up."""
_LOG_DAMAGED = "The log of the history's database was damaged: the last {} of its changes or more were lost."
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}
"""Version -> the step from it to the next; run in one transaction each."""


class HistoryError(Exception):
    """The history cannot be opened; the message says what, why and what to do."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode: WAL, a commit is on the disk when it returns."""
    return connections.connect(path, cache_kib=4096)


MOST_ROWS = 200_000
"""Chunks and series up to which opening looks a database over: some two seconds."""


def open_database(
    path: Path, stamp: str, known_damage: str = "", most_rows: int = MOST_ROWS
) -> tuple[sqlite3.Connection, list[str]]:
    """A connection for writing, and sentences about what was found damaged.

    A database of up to `most_rows` rows is looked over whole; a larger one is to be looked over later, by `look_over`.
    A damaged file is set aside under a name with `stamp` and what can be read of it copied into a new one; so is one of which
    damage is known that opening does not show. Raises `HistoryError` when the file is of a newer version or cannot be opened at
    all.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    saved_as, partly = path.with_suffix(".saved"), path.with_suffix(".partly")
    if saved_as.exists() and not path.exists():  # a salvage was cut short between its two last steps
        os.replace(saved_as, path)
    commits = lost_commits(path)
    problems = [_LOG_DAMAGED.format(commits)] if commits else []
    known_damage = known_damage or first_page.header_damage(path)
    try:
        if known_damage:
            raise sqlite3.DatabaseError(known_damage)
        connection, told = _opened(path, most_rows)
        first_page.remember(path, connection)
        return connection, [*problems, *told]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter: what is wrong with the schema is no text
        if isinstance(error, sqlite3.Error) and not is_damage(error):
            raise HistoryError(f"The history {path} cannot be opened: {error}. Check its owner, mode and free space.") from error
        reason = str(error)
    saved, lost = _salvaged(path, partly)
    os.replace(partly, saved_as)
    aside = set_aside(path, stamp)
    os.replace(saved_as, path)
    connection, told = _opened(path)
    first_page.remember(path, connection)
    return connection, [
        *problems,
        f"The history was damaged ({reason}); it was set aside as {aside.name} and a new one begun. "
        f"{saved} rows were saved from it" + (f"; it could not be read at {lost} places." if lost else "."),
        *told,
    ]


def damage_of(path: Path) -> str:
    """What is damaged in a database, "" for nothing: reads all pages."""
    return damage_in(connect(path))


def _salvaged(path: Path, partly: Path) -> tuple[int, int]:
    """What can be read of a damaged file, in a new one."""
    for tail in ("", "-wal", "-shm"):
        Path(f"{partly}{tail}").unlink(missing_ok=True)
    connection, _ = _opened(partly)
    try:
        with first_page.mended(path):
            counts = salvage(path, connection)
        mend(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return counts


def _opened(path: Path, most_rows: int = MOST_ROWS) -> tuple[sqlite3.Connection, list[str]]:
    created = not path.exists() or path.stat().st_size == 0
    if created:
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    try:
        if created:  # before the first page is written, or it takes a VACUUM
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
    connection = connect(path)
    try:
        _migrate(connection, path)
        if _schema_of(connection) != _expected_schema():
            raise sqlite3.DatabaseError("its schema is damaged")
        if rows_of(connection) > most_rows:
            _read_small_tables(connection)
            return connection, []
        return connection, look_over(connection)
    except BaseException:
        connection.close()
        raise


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if (version > SCHEMA_VERSION or owner != APPLICATION_ID) and _format_of(connection) == SCHEMA_VERSION:
        raise sqlite3.DatabaseError("its header is damaged")
    if version and owner != APPLICATION_ID:
        raise HistoryError(f"{path} is a database of another program. Start Lightship with another --data directory.")
    if version > SCHEMA_VERSION:
        raise HistoryError(
            f"The history {path} was written by a newer Lightship (format {version}, this one knows {SCHEMA_VERSION}). "
            "Update Lightship, or start it with another --data directory."
        )
    if version < SCHEMA_VERSION and _format_of(connection) not in (0, version):
        raise sqlite3.DatabaseError("its header is damaged")
    while version < SCHEMA_VERSION:
        with transaction(connection):
            if version == 0:
                _create(connection)
                version = SCHEMA_VERSION
            else:
                MIGRATIONS[version](connection)
                version += 1
            set_mark(connection, "format", version)
            connection.execute(f"PRAGMA user_version={version}")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")


def _create(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    registry_schema.schema(connection)


def _schema_of(connection: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()


@functools.cache
def _expected_schema() -> list[tuple[str, str, str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _create(connection)
        return _schema_of(connection)


def rows_of(connection: sqlite3.Connection) -> int:
    """About how many rows there are to look over: chunks and series."""
    chunks = connection.execute("SELECT total(chunks) FROM spans").fetchone()[0]
    series = connection.execute("SELECT max(ref) FROM series_next").fetchone()[0]
    return int(chunks) + int(series or 0)


def _read_small_tables(connection: sqlite3.Connection) -> None:
    for table in ("days", "tombstones", "newest", "doomed"):
        for _ in connection.execute(f"SELECT * FROM {table}"):
            pass
    marks(connection)


def look_over(connection: sqlite3.Connection) -> list[str]:
    """Reads all small tables and all of the chunks but their blobs, which have checksums of their own, read when asked for.

    A hundred thousand chunks or series take about a second. Sentences tell what was mended; raises `sqlite3.DatabaseError` when
    a row is damaged or rows are missing.
    """
    _read_small_tables(connection)
    counted: dict[tuple[int, int, int], list[int]] = {}
    for row in connection.execute(f"SELECT {KEY_COLUMNS}, seal, length(data) FROM chunks"):
        if seal_of(*row[:9]) != row[9]:
            raise sqlite3.DatabaseError("a row of the chunks is damaged")
        tier, span, first = row[0], row[2], row[6]
        count = counted.setdefault((tier, span, window_of(first) if tier == RAW else 0), [0, 0, 0])
        count[0] += row[8]
        count[1] += 1
        count[2] += row[4] >= MERGED
    known = {row[:3]: list(row[3:]) for row in connection.execute("SELECT tier, span, part, samples, chunks, pending FROM spans")}
    if known != counted:
        raise sqlite3.DatabaseError("chunks are missing")
    connection.execute("SELECT count(*), sum(length(data)) FROM times").fetchone()
    return registry_check.look_over(connection)


def _format_of(connection: sqlite3.Connection) -> int:
    """The version that the database says of itself beside its header; 0 when it is empty or another program's."""
    try:
        return marks(connection).get("format", 0)
    except sqlite3.OperationalError:  # it has no such table
        return 0


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything read inside is as of one moment."""
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT value FROM marks LIMIT 1").fetchone()
        yield
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
