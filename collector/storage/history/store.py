"""The embedded history: samples in, durably; numpy blocks out. Journal and memory for what is fresh, SQLite for the rest."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collector.storage.history.chunk_table import TimesCache, mark
from collector.storage.history.columns import Columns
from collector.storage.history.database import connect, open_database, snapshot
from collector.storage.history.fresh_journal import FreshJournal
from collector.storage.history.head import Head
from collector.storage.history.histograms import DISTRIBUTION, HistogramColumns, HistogramLayout
from collector.storage.history.newest import Newest
from collector.storage.history.reader import Asked, Reading
from collector.storage.history.records import (
    Histograms,
    UnreadableRecordError,
    floats_record,
    histograms_record,
    read_record,
)
from collector.storage.history.series_index import SeriesIndex, counters_among
from collector.storage.history.settings import HistorySettings
from monitor.model.matchers import Matcher
from monitor.query.history import Hints, Labels, Millis, Selected, Values

MILLIS = 1000
_READERS = 8


class HistoryStore:
    """A `History` (monitor/query/history.py) that is also written to. All calls may come from any thread.

    What `append` took is seen by queries at once; when `commit` returned True it is on the disk. A sample of the same series and
    millisecond as one before takes its place. One more than `out_of_order` older than the newest its series had before the
    batch is counted and dropped. `start` runs the background work in a thread; without it, call `step`.
    """

    def __init__(
        self,
        folder: Path,
        settings: HistorySettings | None = None,
        *,
        registry: Callable[[sqlite3.Connection], SeriesIndex],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or HistorySettings()
        self._clock = clock
        self._path = folder / "history.sqlite3"
        self._writing, self.problems = open_database(self._path, time.strftime("%Y%m%dT%H%M%S", time.gmtime(clock())))
        self._index = registry(self._writing)
        self._lock = threading.Lock()
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._free_readers = threading.Semaphore(_READERS)
        self._times_cache = TimesCache()
        self._newest = Newest()
        self._head = Head()
        self._journal = FreshJournal(folder / "fresh", self.settings.segment_bytes, self.settings.rest)
        self.counters = StoreCounters()
        self._number = mark(self._writing, "folded") or 0
        self._newest.load(self._writing)
        self._read_journal()

    # Writing

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int]) -> npt.NDArray[np.int64]:
        """Refs of the series, int64[n]; series that are new are registered and named in the journal. `kinds`: `Kind` of each."""
        return self._index.intern(labels, kinds)

    def append(self, refs: npt.NDArray[np.int64], times_ms: Millis, values: Values) -> int:
        """Takes n samples in any order; how many were taken. `values` may hold staleness markers."""
        columns = Columns(np.asarray(refs).astype(np.int32), np.array(times_ms, np.int64), np.array(values, np.float64))
        return self._take(columns, None)

    def append_histograms(
        self,
        refs: npt.NDArray[np.int64],
        times_ms: Millis,
        offsets: npt.NDArray[np.int64],
        bins: npt.NDArray[np.int32],
        counts: Values,
        sums: Values,
        layout: HistogramLayout = DISTRIBUTION,
    ) -> int:
        """Takes n histograms: number i has the bins `bins[offsets[i]:offsets[i + 1]]` with their counts; how many were taken.

        By default they are deltas in the product's own bins: what was observed since the sample before. Queries see running sums, so a
        series should begin with an empty one just before its first observation.
        """
        histograms = HistogramColumns(
            layout,
            np.array(offsets, np.int64),
            np.array(bins, np.int32),
            np.array(counts, np.float64),
            np.array(sums, np.float64),
        )
        keys = Columns(np.asarray(refs).astype(np.int32), np.array(times_ms, np.int64), np.arange(len(refs), dtype=np.float64))
        return self._take(keys, histograms)

    def commit(self) -> bool:
        """Whether everything appended before is on the disk now; `failing` says why it is not."""
        return self._journal.flush(time.monotonic())

    def _take(self, columns: Columns, histograms: HistogramColumns | None) -> int:
        if not len(columns):
            return 0
        came = len(columns)
        with self._lock:
            columns, histograms = self._fit(columns, histograms)
            if not len(columns):
                return 0
            self._number += 1
            if histograms is None:
                self._journal.add(self._number, floats_record(columns))
            else:
                self._journal.add(self._number, histograms_record(columns.refs, columns.times, histograms))
            self._head.add(self._number, columns, histograms)
            self.counters.samples += len(columns)
        return came - (came - len(columns))

    def _fit(self, columns: Columns, histograms: HistogramColumns | None) -> tuple[Columns, HistogramColumns | None]:
        """Without what is too old, too far ahead, or more than memory may hold."""
        counters = self.counters
        if self._head.weight >= self.settings.head_samples:
            counters.dropped_full += len(columns)
            return _some(columns, histograms, np.zeros(len(columns), bool))
        ahead = columns.times > int((self._clock() + self.settings.future) * MILLIS)
        if ahead.any():
            counters.too_new += int(ahead.sum())
            columns, histograms = _some(columns, histograms, ~ahead)
            if not len(columns):
                return columns, histograms
        taken, late = self._newest.take(columns.refs, columns.times, int(self.settings.out_of_order * MILLIS))
        counters.late += late
        if taken.all():
            return columns, histograms
        counters.too_old += len(taken) - int(taken.sum())
        return _some(columns, histograms, taken)

    # Reading

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """All samples in [start, end] of the series that meet all matchers. Raises `TooManySamplesError`."""
        refs = self._index.find(matchers)
        if not len(refs) or end < start:
            return Selected(())
        asked = Asked(refs, self._index.labels(refs), counters_among(self._index, refs), start, end, hints)
        runs = self._head.runs()
        with self._reader() as connection:
            found = Reading(connection, runs, self._times_cache, asked).found()
        warnings = [f"{found.damaged} damaged chunks of the history were left out"] if found.damaged else []
        if found.damaged:
            self.counters.damaged += found.damaged
            self._tell(found.problems)
        return Selected(tuple(found.blocks), found.resolution, tuple(warnings), tuple(found.infos))

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection on one snapshot of the database; at most eight at a time."""
        with self._free_readers:
            try:
                connection = self._readers.get_nowait()
            except queue.Empty:
                connection = connect(self._path)
            try:
                with snapshot(connection):
                    yield connection
            finally:
                self._readers.put(connection)

    def _read_journal(self) -> None:
        for record in self._journal.read(self._number):
            self._number = record.number
            try:
                said = read_record(record.payload)
            except UnreadableRecordError as error:
                self._tell([f"A record of the journal makes no sense: {error}"])
                continue
            if isinstance(said, Columns):
                self._newest.take(said.refs, said.times, 1 << 60)
                self._head.add(record.number, said)
            elif isinstance(said, Histograms):
                self._newest.take(said.refs, said.times, 1 << 60)
                keys = Columns(said.refs, said.times, np.arange(len(said.refs), dtype=np.float64))
                self._head.add(record.number, keys, said.columns)
        self._tell(self._journal.problems)

    def _tell(self, problems: Sequence[str]) -> None:
        room = 100 - len(self.problems)
        self.problems += list(problems)[: max(0, room)]

    def close(self) -> None:
        self.commit()
        self._journal.close()
        self._writing.close()
        while not self._readers.empty():
            self._readers.get_nowait().close()


class StoreCounters:
    def __init__(self) -> None:
        self.samples = self.late = self.too_old = self.too_new = self.dropped_full = self.damaged = 0


def _some(
    columns: Columns, histograms: HistogramColumns | None, taken: npt.NDArray[np.bool_]
) -> tuple[Columns, HistogramColumns | None]:
    kept = Columns(columns.refs[taken], columns.times[taken], columns.values[taken])
    if histograms is None:
        return kept, None
    return kept._replace(values=np.arange(len(kept), dtype=np.float64)), histograms.take(np.flatnonzero(taken))
