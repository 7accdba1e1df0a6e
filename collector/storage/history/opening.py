"""Opening a history: database, registry, background work and what the journal has beyond them."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.storage.history.chunk_table import TimesCache, mark
from collector.storage.history.database import MOST_ROWS, connect, open_database, rows_of, snapshot
from collector.storage.history.intake import Intake
from collector.storage.history.series_index import SeriesIndex
from collector.storage.history.settings import HistorySettings
from collector.storage.history.upkeep import Upkeep, UpkeepCounters

DATABASE = "history.sqlite3"
_READERS = 8


class Readers:
    """Connections for queries: made when needed, at most eight at work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._free = threading.Semaphore(_READERS)
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the database as of one moment."""
        with self._free:
            if self._closed:
                raise sqlite3.ProgrammingError("the history is closed")
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = connect(self._path)
            try:
                with snapshot(connection):
                    yield connection
            except sqlite3.DatabaseError:
                connection.close()
                raise
            else:
                self._idle.put(connection)

    def close(self) -> None:
        """Waits for those at work and closes all."""
        for _ in range(_READERS):
            self._free.acquire()
        self._closed = True
        while not self._idle.empty():
            self._idle.get_nowait().close()
        self._free.release(_READERS)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """An open history. `problems`: what was found damaged. `looked_over`: whether all of it was read through."""

    connection: sqlite3.Connection
    index: SeriesIndex
    readers: Readers
    times_cache: TimesCache
    upkeep: Upkeep
    problems: list[str]
    looked_over: bool = True

    def close(self) -> None:
        self.readers.close()
        self.index.close()
        self.connection.close()


def tier_sizes(connection: sqlite3.Connection) -> dict[int, tuple[int, int, int]]:
    """Samples, bytes and chunks by tier."""
    rows = connection.execute("SELECT tier, sum(samples), sum(bytes), sum(chunks) FROM spans GROUP BY tier")
    return {tier: (samples, size, chunks) for tier, samples, size, chunks in rows}


def oldest_chunks(connection: sqlite3.Connection) -> list[int]:
    """Of each tier, the time of its first sample."""
    spans = connection.execute("SELECT tier, min(span) FROM spans GROUP BY tier").fetchall()
    rows = [connection.execute("SELECT min(first) FROM chunks WHERE tier = ? AND span = ?", each).fetchone() for each in spans]
    return [row[0] for row in rows if row[0] is not None]


def open_history(
    folder: Path,
    registry: Callable[[Path], SeriesIndex],
    settings: HistorySettings,
    intake: Intake,
    counters: UpkeepCounters,
    now: float,
    known_damage: str = "",
) -> Opened:
    """Raises `HistoryError` when it cannot be opened at all."""
    path = folder / DATABASE
    connection, problems = open_database(path, time.strftime("%Y%m%dT%H%M%S", time.gmtime(now)), known_damage, MOST_ROWS)
    index = registry(path)
    damaged = intake.newest.load(connection)
    if damaged:
        problems.append(f"{damaged} blocks of newest times were damaged: their series take samples of any age once")
    names, unread = intake.read_journal(mark(connection, "folded") or 0)
    for said in names:
        index.restore(said.refs, said.kinds, said.labels)
    index.reserve(intake.highest_ref())
    times_cache = TimesCache()
    upkeep = Upkeep(connection, settings, intake.head, intake.journal, intake.newest, index, times_cache, counters)
    whole = rows_of(connection) <= MOST_ROWS
    return Opened(connection, index, Readers(path), times_cache, upkeep, [*problems, *unread], whole)
