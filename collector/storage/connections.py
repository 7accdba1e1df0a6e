"""Connections to a database that is written beside being read: how they are opened, and those that questions share."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def connect(path: Path, cache_kib: int) -> sqlite3.Connection:
    """A connection in autocommit mode: WAL, a commit is on the disk when it returns."""
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=16777216")
        connection.execute(f"PRAGMA cache_size=-{cache_kib}")
    except BaseException:
        connection.close()
        raise
    return connection


class Readers:
    """Connections for questions: made by `make` when needed, at most `most` at work. `begin` is a query that takes hold of a
    moment; `name` is what is said of a store that is closed.
    """

    def __init__(self, make: Callable[[], sqlite3.Connection], most: int, begin: str, name: str) -> None:
        self._make, self._most, self._begin, self._name = make, most, begin, name
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._free = threading.Semaphore(most)
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the database as of one moment."""
        with self._free:
            if self._closed:
                raise sqlite3.ProgrammingError(f"{self._name} is closed")
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = self._make()
            try:
                connection.execute("BEGIN")
                connection.execute(self._begin).fetchone()
                yield connection
            except sqlite3.DatabaseError:
                connection.close()
                raise
            except BaseException:
                self._put_back(connection)
                raise
            self._put_back(connection)

    def close(self) -> None:
        """Waits for those at work and closes all."""
        for _ in range(self._most):
            self._free.acquire()
        self._closed = True
        while not self._idle.empty():
            self._idle.get_nowait().close()
        self._free.release(self._most)

    def _put_back(self, connection: sqlite3.Connection) -> None:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        self._idle.put(connection)
