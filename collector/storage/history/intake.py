"""The way of a sample in: bounds and counters, the journal, memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collector.storage.history.columns import Columns
from collector.storage.history.fresh_journal import FreshJournal
from collector.storage.history.head import Head
from collector.storage.history.histograms import HistogramColumns
from collector.storage.history.newest import Newest
from collector.storage.history.records import (
    Histograms,
    Names,
    UnreadableRecordError,
    floats_record,
    histograms_record,
    read_record,
)
from collector.storage.history.settings import HistorySettings
from monitor.query.history import Mask, Millis

_WITHOUT_END = 1 << 61


class Intake:
    """Takes batches in. Any thread; a batch holds the lock for about 50 ns a sample."""

    def __init__(self, settings: HistorySettings, folder: Path, clock: Callable[[], float]) -> None:
        self._settings, self._clock = settings, clock
        self._lock = threading.Lock()
        self._number = 0
        self.head = Head()
        self.newest = Newest()
        self.journal = FreshJournal(folder / "fresh", settings.segment_bytes, settings.rest)
        self.samples = self.late = self.too_old = self.too_new = self.dropped_full = self.nameless = 0

    @property
    def failing(self) -> str:
        """Why something is being lost or would be by a restart."""
        if self.head.weight >= self._settings.head_samples:
            return f"memory is full of samples that no chunk takes, new ones are dropped; {self.journal.failed or 'see the log'}"
        return self.journal.failed

    def take(self, columns: Columns, histograms: HistogramColumns | None) -> int:
        """A batch; of histograms the values number them. How many samples were taken."""
        if not len(columns):
            return 0
        with self._lock:
            columns, histograms = self._fit(columns, histograms)
            if len(columns):
                self._number += 1
                record = (
                    floats_record(columns) if histograms is None else histograms_record(columns.refs, columns.times, histograms)
                )
                self.journal.add(self._number, record)
                self.head.add(self._number, columns, histograms)
                self.samples += len(columns)
            return len(columns)

    def add_record(self, payload: bytes) -> None:
        """A record that says no samples."""
        with self._lock:
            self._number += 1
            self.journal.add(self._number, payload)

    def newest_of(self, refs: npt.NDArray[np.int64]) -> Millis:
        """Time of the newest sample of each."""
        with self._lock:
            return self.newest.of(refs)

    def highest_ref(self) -> int:
        """The highest that any sample was ever taken for, -1 when there was none."""
        with self._lock:
            return self.newest.highest()

    def read_journal(self, folded: int) -> tuple[list[Names], list[str]]:
        """Takes in what the journal has beyond a record; the names of series in it, and what was found damaged."""
        names: list[Names] = []
        with self._lock:
            if self._number:  # the database is opened again: memory has the samples, the names may be lost
                self.journal.flush(time.monotonic())
                payloads = [record.payload for record in self.journal.read(-1)]
                return [said for payload in payloads if isinstance(said := _said(payload), Names)], []
            self._number = folded
            for record in self.journal.read(folded):
                self._number = record.number
                said = _said(record.payload)
                if said is None:
                    self.journal.problems.append("a record of the journal makes no sense and was left out")
                elif isinstance(said, Names):
                    names.append(said)
                elif isinstance(said, Histograms):
                    keys = Columns(said.refs, said.times, np.arange(len(said.refs), dtype=np.float64))
                    self._back(record.number, keys, said.columns)
                else:
                    self._back(record.number, said, None)
        return names, self.journal.problems

    def figures(self) -> dict[str, int]:
        """Counters and gauges for health."""
        return {
            "samples": self.samples,
            "late_samples": self.late,
            "too_old_samples": self.too_old,
            "too_new_samples": self.too_new,
            "dropped_samples": self.dropped_full,
            "nameless_samples": self.nameless,
            "fresh_samples": self.head.weight,
            "journal_bytes": self.journal.size,
            "unwritten_bytes": self.journal.pending_bytes,
            "unreadable_records": self.journal.lost_records,
        }

    def _back(self, number: int, columns: Columns, histograms: HistogramColumns | None) -> None:
        if len(columns):
            self.newest.take(columns.refs, columns.times, _WITHOUT_END)
            self.head.add(number, columns, histograms)

    def _fit(self, columns: Columns, histograms: HistogramColumns | None) -> tuple[Columns, HistogramColumns | None]:
        """Without what is too old, too far ahead, or more than memory may hold."""
        known: Mask = columns.refs >= 0
        if not known.all():  # the registry had no room
            self.nameless += len(known) - int(known.sum())
            columns, histograms = _some(columns, histograms, known)
            if not len(columns):
                return columns, histograms
        if self.head.weight >= self._settings.head_samples:
            self.dropped_full += len(columns)
            return _some(columns, histograms, np.zeros(len(columns), bool))
        near: Mask = columns.times <= int((self._clock() + self._settings.future) * 1000)
        if not near.all():
            self.too_new += len(near) - int(near.sum())
            columns, histograms = _some(columns, histograms, near)
            if not len(columns):
                return columns, histograms
        taken, late = self.newest.take(columns.refs, columns.times, int(self._settings.out_of_order * 1000))
        self.late += late
        if taken.all():
            return columns, histograms
        self.too_old += len(taken) - int(taken.sum())
        return _some(columns, histograms, taken)


def _said(payload: bytes) -> Columns | Histograms | Names | None:
    try:
        return read_record(payload)
    except UnreadableRecordError:
        return None


def _some(columns: Columns, histograms: HistogramColumns | None, taken: Mask) -> tuple[Columns, HistogramColumns | None]:
    values = columns.values.view(np.uint64)[taken].view(np.float64)
    kept = Columns(columns.refs[taken], columns.times[taken], values)
    if histograms is None:
        return kept, None
    return kept.with_values(np.arange(len(kept), dtype=np.float64)), histograms.take(np.flatnonzero(taken))
