"""The database file of spans and logs: its tables, what opening finds wrong, and saving what can be read of a damaged one."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from collector.storage import connections
from collector.storage.damage import damage_in, is_damage, set_aside
from collector.storage.history import first_page
from collector.storage.history.salvage import salvage
from collector.storage.history.write_ahead import lost_commits
from collector.storage.traces.block_table import BlockTable, drop_strays, read_tally, write_tally
from collector.storage.traces.codec import DamagedChunkError

__all__ = ["TraceStoreError", "connect", "is_damage", "open_database"]

DATABASE = "traces.sqlite3"
SCHEMA_VERSION = 2
"""2: blocks of a few spans lie as they came, large ones have a filter of their texts. What version 1 wrote is read as it is."""
APPLICATION_ID = 0x4C537472
_TABLES = (
    "CREATE TABLE blocks (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, "
    "taken INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, "
    "weight INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, "
    "summary BLOB NOT NULL) STRICT",
    "CREATE TABLE columns (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
    "CREATE TABLE details (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
    "CREATE TABLE tally (name TEXT PRIMARY KEY, value INTEGER NOT NULL, seal INTEGER NOT NULL) STRICT, WITHOUT ROWID",
)
"""`blocks`: times in nanoseconds, of the first and last row; `taken`: when its newest row was committed; `low`, `high`: numbers
of the first and last row in order of arrival. Its checksum, before `summary`, is over all columns. `details.id`: the block's
number times 65,536 and the chunk's. `tally`: how many blocks and rows there are, and the highest numbers ever given."""
_LOG_DAMAGED = "The log of the database of traces was damaged: the last {} of its changes or more were lost."


class TraceStoreError(OSError):
    """The store cannot be opened or read; the message says what, why and what to do."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode: WAL, a commit is on the disk when it returns."""
    return connections.connect(path, cache_kib=2048)


def open_database(path: Path, stamp: str, known_damage: str = "") -> tuple[sqlite3.Connection, BlockTable, list[str]]:
    """A connection for writing, the blocks there are, and sentences about what was found damaged.

    A damaged file is set aside under a name with `stamp` and what can be read of it copied into a new one. Raises
    `TraceStoreError` when the file is of a newer version or cannot be opened at all.
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
        connection, blocks, told = _opened(path)
        first_page.remember(path, connection)
        return connection, blocks, [*problems, *told]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter: what is wrong with the schema is no text
        if isinstance(error, sqlite3.Error) and not is_damage(error):
            why = f"The store of traces {path} cannot be opened: {error}. Check its owner, mode and free space."
            raise TraceStoreError(why) from error
        reason = str(error)
    saved, lost = _salvaged(path, partly)
    os.replace(partly, saved_as)
    aside = set_aside(path, stamp)
    os.replace(saved_as, path)
    connection, blocks, told = _opened(path)
    first_page.remember(path, connection)
    said = f"The store of traces was damaged ({reason}); it was set aside as {aside.name} and a new one begun. "
    said += f"{saved} rows were saved from it" + (f"; it could not be read at {lost} places." if lost else ".")
    return connection, blocks, [*problems, said, *told]


def damage_of(path: Path) -> str:
    """What is damaged in a database, "" for nothing: reads all pages."""
    return damage_in(connect(path))


def _salvaged(path: Path, partly: Path) -> tuple[int, int]:
    """What can be read of a damaged file, in a new one."""
    for tail in ("", "-wal", "-shm"):
        Path(f"{partly}{tail}").unlink(missing_ok=True)
    connection, _, _ = _opened(partly)
    try:
        connection.execute("DELETE FROM tally")
        with first_page.mended(path):
            counts = salvage(path, connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return counts


def _opened(path: Path) -> tuple[sqlite3.Connection, BlockTable, list[str]]:
    created = not path.exists() or path.stat().st_size == 0
    if created:
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    try:
        if created:  # before the first page is written, or it takes a VACUUM
            connection.execute("PRAGMA page_size=8192")
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
    connection = connect(path)
    try:
        _migrate(connection, path)
        known = {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOTNULL")}
        if known != set(_TABLES):
            raise sqlite3.DatabaseError("its schema is damaged")
        table, damaged = BlockTable.read(connection)
        return connection, table, _mended_tally(connection, table, damaged)
    except BaseException:
        connection.close()
        raise


def _mended_tally(connection: sqlite3.Connection, table: BlockTable, damaged: int) -> list[str]:
    """Looks whether all blocks are there that were written, and writes down those that are. `damaged`: found, but of no use."""
    try:
        tally = read_tally(connection)
    except DamagedChunkError:
        tally = {}
    problems = [f"{damaged} blocks of spans and logs were damaged and left out."] if damaged else []
    missing = tally.get("blocks", 0) - len(table.blocks) - damaged
    if not tally and table.blocks:
        problems.append("The counts of the store of traces were damaged; blocks may be missing.")
    elif missing:
        problems.append(f"{missing} blocks of spans and logs are missing from the store of traces.")
    table.next_block = max(table.next_block, tally.get("next_block", 1))
    table.next_row = max(table.next_row, tally.get("next_row", 1))
    if problems or not tally:
        drop_strays(connection, table)
        write_tally(connection, table)
    return problems


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOTNULL")}
    if (version not in range(1, SCHEMA_VERSION + 1) or owner != APPLICATION_ID) and tables == set(_TABLES):
        raise sqlite3.DatabaseError("its header is damaged")
    if version and owner != APPLICATION_ID:
        raise TraceStoreError(f"{path} is a database of another program. Start Lightship with another --data directory.")
    if version > SCHEMA_VERSION:
        raise TraceStoreError(
            f"The store of traces {path} was written by a newer Lightship (format {version}, this one knows {SCHEMA_VERSION}). "
            "Update Lightship, or start it with another --data directory."
        )
    if version < SCHEMA_VERSION:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _TABLES if not version else ():
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute("COMMIT")
