"""Looks through a whole history: every blob decoded, every row's checksum, index against chunks, journal. And mends it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from collector.folders import FolderLock
from collector.storage.history.chunk_table import KEY_COLUMNS, ChunkRow, TimesCache, are_times, refs_of
from collector.storage.history.codec import DamagedChunkError, opened, seal_of, slots_of, unpack_times
from collector.storage.history.database import open_database, transaction
from collector.storage.history.fresh_journal import FreshJournal
from collector.storage.history.histograms import HistogramPool
from collector.storage.history.loading import Loader
from collector.storage.history.opening import DATABASE
from collector.storage.history.records import UnreadableRecordError, read_record
from collector.storage.history.registry_check import Damage, looked_through
from collector.storage.history.registry_mend import mend as mend_registry
from collector.storage.history.salvage import mend as mend_counts
from collector.storage.history.settings import TIER_NAMES, HistorySettings
from collector.storage.history.tools.folder import JOURNAL, ToolError, reading
from collector.storage.history.tools.folder import opened as opened_history

_MOST_TOLD = 50
_EACH = 2000
Progress = Callable[[str], None]


@dataclass
class Report:
    """What was looked at and what was found. `chunks_hurt`, `times_hurt`: keys of what cannot be read."""

    chunks: int = 0
    samples: int = 0
    series: int = 0
    records: int = 0
    problems: list[str] = field(default_factory=list)
    more_problems: int = 0
    chunks_hurt: list[tuple[int, ...]] = field(default_factory=list)
    times_hurt: list[tuple[int, ...]] = field(default_factory=list)
    journal_hurt: bool = False
    registry: Damage = field(default_factory=lambda: Damage([], [], False))

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def tell(self, problem: str) -> None:
        """A problem; beyond fifty they are only counted."""
        if len(self.problems) < _MOST_TOLD:
            self.problems.append(problem)
        else:
            self.more_problems += 1


def check(history: Path, progress: Progress = lambda _: None) -> Report:
    """Reads all of it, as of one moment, while a collector may be writing. Raises `ToolError` when it cannot be read at all."""
    report = Report()
    if (history / DATABASE).exists():
        with reading(history / DATABASE) as connection:
            try:
                _pages(connection, report, progress)
                _times(connection, report)
                _chunks(connection, report, progress)
                _counts(connection, report)
                report.series = int(connection.execute("SELECT count(*) FROM series").fetchone()[0])
                progress(f"{report.series} series")
                report.registry = looked_through(connection)
            except sqlite3.DatabaseError as error:
                report.tell(f"{DATABASE} cannot be read further: {error}")
        for sentence in report.registry.sentences():
            report.tell(sentence)
    _journal(history / JOURNAL, report)
    return report


def repair(data: Path, settings: HistorySettings | None, stamp: str, progress: Progress = lambda _: None) -> list[str]:
    """Mends the history of a collector that does not run; what was done, in sentences. What cannot be read is given up, and told.

    Raises `ToolError`.
    """
    history, said = data / "history", []
    lock = FolderLock(data)
    try:
        lock.take()
    except (RuntimeError, OSError) as error:
        raise ToolError(f"{error} Stop it first: a repair writes to the history.") from None
    try:
        connection, problems = open_database(history / DATABASE, stamp)
        said += problems
        try:
            report = check(history, progress)
            said += _mended(connection, report)
        finally:
            connection.close()
    finally:
        lock.free()
    with opened_history(data, settings) as store:
        said += store.problems
        store.fold()
    if report.journal_hurt:  # all of it that can be read is in the database now
        (history / JOURNAL).rename(history / f"{JOURNAL}-damaged-{stamp}")
        said.append(f"The damaged journal was set aside as {JOURNAL}-damaged-{stamp}; what could be read of it is kept.")
    return list(dict.fromkeys(said))


def _mended(connection: sqlite3.Connection, report: Report) -> list[str]:
    said = []
    if report.chunks_hurt or report.times_hurt:
        with transaction(connection):
            where = "tier = ? AND field = ? AND span = ? AND bucket = ? AND part = ?"
            connection.executemany(f"DELETE FROM chunks WHERE {where}", report.chunks_hurt)
            connection.executemany("DELETE FROM times WHERE tier = ? AND span = ? AND id = ?", report.times_hurt)
        said.append(f"{len(report.chunks_hurt)} chunks that could not be read were taken out.")
    if not report.whole:
        mend_counts(connection)
    if report.registry:
        with transaction(connection):
            done = mend_registry(connection)
        said.append(f"The registry was mended: {done.series} series are whole, {done.lost} were lost.")
    return said


def _pages(connection: sqlite3.Connection, report: Report, progress: Progress) -> None:
    progress("pages of the database")
    for (problem,) in connection.execute("PRAGMA integrity_check(20)").fetchall():
        if problem != "ok":
            report.tell(f"{DATABASE}: {problem}")


def _times(connection: sqlite3.Connection, report: Report) -> None:
    for tier, span, number, data in connection.execute("SELECT tier, span, id, data FROM times"):
        try:
            whole = are_times(unpack_times(data), number)
        except DamagedChunkError:
            whole = False
        if not whole:
            report.times_hurt.append((tier, span, number))
            report.tell(f"Times of tier {TIER_NAMES[tier]}, span {span} are damaged")
    for block, data in connection.execute("SELECT block, data FROM newest"):
        try:
            opened(data, block)
        except DamagedChunkError:
            report.tell(f"The newest times of series {block * 4096} and on are damaged")


def _chunks(connection: sqlite3.Connection, report: Report, progress: Progress) -> None:
    known = np.array([row[0] for row in connection.execute("SELECT ref FROM series ORDER BY ref")], np.int64)
    total = int(connection.execute("SELECT count(*) FROM chunks").fetchone()[0])
    cache = TimesCache()
    for raw in connection.execute(f"SELECT {KEY_COLUMNS}, seal, data FROM chunks"):
        row = ChunkRow._make(raw)
        report.chunks += 1
        if report.chunks % _EACH == 0:
            progress(f"{report.chunks} of {total} chunks")
        problem = _of_chunk(connection, row, cache)
        if problem:
            report.chunks_hurt.append(row[:5])
            report.tell(problem)
            continue
        report.samples += row.samples
        refs = refs_of(row.bucket, slots_of(row.data))
        nameless = len(refs) - int(np.isin(refs, known).sum())
        if nameless:
            report.tell(f"{nameless} series of a chunk (tier {TIER_NAMES[row.tier]}, span {row.span}) have no name any more")


def _of_chunk(connection: sqlite3.Connection, row: ChunkRow, cache: TimesCache) -> str:
    """What is wrong with a chunk, "" when all can be decoded."""
    where = f"(tier {row.tier}, span {row.span}, series {row.bucket * 64} and on)"
    if not isinstance(row.data, bytes) or len(row.data) < 7 or seal_of(*row[:9]) != row.seal:
        return f"the row of a chunk is damaged {where}"
    loader = Loader(refs_of(row.bucket, slots_of(row.data)), cache, HistogramPool())
    pieces = loader.pieces(connection, [row])
    if not loader.damaged:
        loader.assembled(pieces)
    return loader.problems[0] if loader.damaged else ""


def _counts(connection: sqlite3.Connection, report: Report) -> None:
    counted = connection.execute("SELECT tier, span, sum(samples), count(*) FROM chunks GROUP BY tier, span").fetchall()
    told = connection.execute("SELECT tier, span, sum(samples), sum(chunks) FROM spans GROUP BY tier, span").fetchall()
    for tier, span in sorted({row[:2] for row in set(counted) ^ set(told)}):
        report.tell(f"Chunks of tier {TIER_NAMES[tier]}, span {span} are missing, or counted wrongly")


def _journal(folder: Path, report: Report) -> None:
    journal = FreshJournal(folder, 1, 0.0)
    for record in journal.read(0):
        report.records += 1
        try:
            read_record(record.payload)
        except UnreadableRecordError as error:
            report.tell(f"Record {record.number} of the journal makes no sense: {error}")
    report.journal_hurt = bool(journal.problems)
    for problem in journal.problems:
        report.tell(problem)
