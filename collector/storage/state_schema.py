"""The state database's file: opening it durably, its schema and migrations, and setting a damaged one aside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from collector.storage.damage import is_damage, set_aside
from collector.storage.state_history import begin_history
from collector.storage.state_incidents import begin_incidents
from collector.storage.state_telling import begin_telling

SCHEMA_VERSION = 4
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alerts (id TEXT PRIMARY KEY, rule TEXT NOT NULL, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE silences (id TEXT PRIMARY KEY, ends REAL NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL,
                     alert TEXT NOT NULL, rule TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX events_alert ON events (alert, id) WHERE alert != '';
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, action TEXT NOT NULL, body BLOB NOT NULL,
                     attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, error TEXT NOT NULL DEFAULT '');
"""
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: begin_history, 2: begin_telling, 3: begin_incidents}
"""Version -> the step from it to the next; run in one transaction each."""


class StateError(Exception):
    """State cannot be kept; the message says what, why and what to do."""


def open_state(path: Path) -> tuple[sqlite3.Connection, str]:
    """A connection in autocommit mode, and a sentence about what had to be set aside ("" when nothing).

    WAL with `synchronous=FULL`: a commit is on the disk when it returns. Raises `StateError` when the file was written by
    a newer version or cannot be opened at all; a damaged one is set aside under a dated name and a new one begun.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _open(path), ""
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise StateError(f"The state file {path} cannot be opened: {error}. Check its owner, mode and free space.") from error
        aside = set_aside(path, time.strftime("%Y%m%dT%H%M%S", time.gmtime()))
        notice = f"The state file was damaged ({error}); it was set aside as {aside.name} and a new one begun."
        return _open(path), notice


def _open(path: Path) -> sqlite3.Connection:
    created = not path.exists()
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        if created:
            os.chmod(path, 0o600)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=4194304")
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(str(problem)[:200])
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise StateError(
            f"The state file {path} was written by a newer Lightship (format {version}, this one knows {SCHEMA_VERSION}). "
            "Update Lightship, or start it with another --data directory."
        )
    while version < SCHEMA_VERSION:
        with transaction(connection):
            if version == 0:
                for statement in _TABLES.split(";\n"):
                    connection.execute(statement)
            else:
                MIGRATIONS[version](connection)
            version += 1
            connection.execute(f"PRAGMA user_version={version}")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of what is executed inside."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
