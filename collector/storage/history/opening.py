"""Opening a history: database, registry, background work and what the journal has beyond them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector.storage.connections import Readers
from collector.storage.history.chunk_table import TimesCache, mark
from collector.storage.history.database import MOST_ROWS, connect, open_database, rows_of
from collector.storage.history.intake import Intake
from collector.storage.history.series_index import SeriesIndex
from collector.storage.history.settings import HistorySettings
from collector.storage.history.upkeep import Upkeep, UpkeepCounters

DATABASE = "history.sqlite3"
_READERS = 8


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
    readers = Readers(lambda: connect(path), _READERS, "SELECT value FROM marks LIMIT 1", "the history")
    return Opened(connection, index, readers, times_cache, upkeep, [*problems, *unread], whole)
