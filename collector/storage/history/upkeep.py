"""When background work is due, and in which order it is done."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from collector.storage.history.chunk_table import TimesCache, mark
from collector.storage.history.database import transaction
from collector.storage.history.deletion import doomed_buckets, end_tombstones, without_samples
from collector.storage.history.expiry import Expirer
from collector.storage.history.fresh_journal import FreshJournal
from collector.storage.history.head import Head
from collector.storage.history.merging import MergeCounters, Merger, fold
from collector.storage.history.newest import Newest
from collector.storage.history.pieces import Rows
from collector.storage.history.series_index import SeriesIndex
from collector.storage.history.settings import HOURLY, RAW, TIER_STEPS, WINDOW, HistorySettings, span_end
from monitor.query.history import Millis

_MOST_PARTS = 5
"""Pieces of a tier that are merged before its span is over."""
_SPARE_PAGES, _VACUUM_AT_ONCE = 64, 2000
_UNSAVED = 10_000
"""New series that are saved before their samples are due to be folded."""


@dataclass
class UpkeepCounters(MergeCounters):
    """Since the start. `expired`: samples given up by age, `crowded_out`: by size, `ended_series`: forgotten with their last."""

    expired: int = 0
    crowded_out: int = 0
    ended_series: int = 0
    generation: int = 0


class Upkeep:
    """Folds, merges, expires. One thread at a time; the parts it works on may be read and added to meanwhile."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        settings: HistorySettings,
        head: Head,
        journal: FreshJournal,
        newest: Newest,
        index: SeriesIndex,
        times_cache: TimesCache,
        counters: UpkeepCounters,
    ) -> None:
        self._connection, self._settings = connection, settings
        self._head, self._journal, self._newest, self._index = head, journal, newest, index
        self.counters = counters
        self._merger = Merger(connection, times_cache, index, self.counters)
        self._expirer = Expirer(connection, self._merger, index)
        self._fresh_since: float | None = None
        self._touched: dict[int, tuple[int, float]] = {}

    def fold(self) -> None:
        """All fresh samples become chunks; the journal that had them goes."""
        runs = self._head.runs(seal=True)
        self.save_series()
        if runs:
            number = fold(self._connection, runs, self._newest, self.counters)
            now = time.monotonic()
            for window in {window for run in runs for window in windows_of(run.columns.times)}:
                self._touched[window] = self.counters.folds, now
            self._head.drop(number)
            # Into the database itself, so that damage to its log costs nothing that the journal had.
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._journal.forget(number)
        self._fresh_since = None

    def save_series(self) -> None:
        """New series go into the database, before any chunk that has samples of them."""
        if self._index.unsaved:
            with transaction(self._connection):
                self._index.save(self._connection)
            self._index.saved()

    def fold_due(self) -> bool:
        """Whether memory holds enough, or something old enough."""
        weight = self._head.weight
        if not weight:
            self._fresh_since = None
            return False
        if self._fresh_since is None:
            self._fresh_since = time.monotonic()
        return weight >= self._settings.fold_samples or time.monotonic() - self._fresh_since >= self._settings.fold_age

    def due(self, now: int) -> Iterator[None]:
        """Does all that is due at `now` (milliseconds), in small steps; yields after each."""
        if self.fold_due():
            self.fold()
            yield
        if self._index.unsaved >= _UNSAVED:
            self.save_series()
            yield
        yield from self._deletions()
        yield from self._merges(now)
        yield from self._expiries(now)

    def _deletions(self) -> Iterator[None]:
        """Rewrites what still holds deleted samples."""
        for tier, span, buckets in doomed_buckets(self._connection):
            self._merger.rewrite(tier, span, buckets)
            yield
        ended = end_tombstones(self._connection)
        if ended is not None:
            self._forget(without_samples(self._connection, ended.refs), ended.last)
            yield

    def _merges(self, now: int) -> Iterator[None]:
        closed = now - int(self._settings.out_of_order * 1000)
        rows = self._connection.execute("SELECT part FROM spans WHERE tier = 0 AND pending > 0 ORDER BY part").fetchall()
        for (window,) in rows:
            if (window + 1) * WINDOW <= closed and self._is_quiet(window):
                yield from self._merger.merge_window(window)
                self._touched.pop(window, None)
        days = self._connection.execute(
            "SELECT span FROM spans WHERE tier = 0 AND span NOT IN (SELECT day FROM days) GROUP BY span HAVING sum(pending) = 0"
        ).fetchall()
        for (day,) in days:
            if span_end(RAW, day) <= closed:
                yield from self._merger.merge_day(day)
        spans = self._connection.execute("SELECT DISTINCT tier, span FROM spans WHERE tier > 0 AND pending > 0").fetchall()
        for tier, span in spans:
            if span_end(tier, span) <= closed - WINDOW or self._merger.most_parts(tier, span) > _MOST_PARTS:
                yield from self._merger.merge_span(tier, span)

    def _is_quiet(self, window: int) -> bool:
        fold_number, at = self._touched.get(window, (-1, float("-inf")))
        return fold_number < self.counters.folds or time.monotonic() - at >= self._settings.quiet

    def _expiries(self, now: int) -> Iterator[None]:
        for tier in range(len(TIER_STEPS)):
            until = self._settings.kept_since(tier, now)
            while (span := self._expirer.oldest(tier)) is not None and span_end(tier, span) <= until:
                for samples in self._expirer.end_span(tier, span):
                    self.counters.expired += samples
                    yield
        closed = now - int(self._settings.out_of_order * 1000)
        while self.bytes() > self._settings.max_bytes and (ending := self._expirer.crowded_out(closed)) is not None:
            for samples in ending:
                self.counters.crowded_out += samples
                yield
        floor = mark(self._connection, f"floor_{HOURLY}")
        if floor is not None:
            self._forget(self._newest.before(floor), floor)
        self.vacuum()
        yield

    def bytes(self) -> int:
        """What the database takes, free pages not counted, and the journal."""
        return database_bytes(self._connection) + self._journal.size

    def vacuum(self) -> None:
        """Gives free pages back to the file system, when there are many."""
        pages, free = (int(self._connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count"))
        if free > max(_SPARE_PAGES, pages // 20):
            # A script, because `execute` stops after the first page. Not all at once: pages that move go through the log.
            self._connection.executescript(f"PRAGMA incremental_vacuum({min(_VACUUM_AT_ONCE, free - _SPARE_PAGES // 2)})")

    def _forget(self, refs: Rows, last: int) -> None:
        """Series without samples leave the registry, unless some came after `last`."""
        gone = refs[self._newest.of(refs) <= last]
        if not len(gone):
            return
        self._index.remove(gone)
        self._newest.forget(gone)
        self.save_series()
        self.counters.ended_series += len(gone)
        self.counters.generation += 1


def windows_of(times: Millis) -> list[int]:
    """The windows of raw samples that times are in."""
    windows = (times - 1) // WINDOW
    first, last = int(windows.min()), int(windows.max())
    apart = last - first > 10_000  # some are of a very different time
    found: list[int] = (np.unique(windows) if apart else np.flatnonzero(np.bincount(windows - first)) + first).tolist()
    return found


def database_bytes(connection: sqlite3.Connection) -> int:
    """Size of a database without its free pages."""
    size, pages, free = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
    )
    return size * (pages - free)
