"""The history as the recorder writes it, when it is kept elsewhere: samples to a queue on disk, from there by remote write."""

from __future__ import annotations

import asyncio
import contextlib
import random as random_numbers
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collector.storage.remote.dialect import Dialect
from collector.storage.remote.packing import Bins, Columns, Floats, Longs, QueuedSeries, joined, pack
from collector.storage.remote.queue import SegmentQueue
from collector.storage.remote.sender import Sender
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget, shown
from monitor.query.history import Labels

_REST = 5.0
"""Seconds for which a disk that refused is left alone, and between two orders to write what the system still holds."""


_RENEWED_EVERY = 600.0
"""Seconds after which all refs may be given out anew, when none is left."""


class RemoteWriter:
    """Implements `collector.storage.recorder.Sink`, and `commit`. What `commit` said True to survives a kill and is sent when the
    receiver takes it, unless the queue is full first. All calls but `run` may come from any thread.
    """

    def __init__(
        self,
        folder: Path,
        target: RemoteTarget,
        settings: RemoteSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = random_numbers.random,
        dialect: Dialect | None = None,
    ) -> None:
        """Opens the queue in a folder. Raises `OSError` when that cannot be had."""
        self.settings = settings or RemoteSettings()
        self._target, self._clock = target, clock
        self._queue = SegmentQueue(folder, self.settings.queue)
        self.sender = Sender(self._queue, target, self.settings, clock, random, dialect=dialect)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        """Of what is appended; of what is written, which takes as long as the disk does."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._base = 0
        """The first ref that is alive."""
        self._refs: dict[Labels, int] = {}
        self._series: list[QueuedSeries] = []
        self._named = np.zeros(0, np.bool_)
        """Which refs have a name in the segment that is being written."""
        self._began = clock()
        self._epoch = int(self._began * 1e6)
        self._pending: list[Columns] = []
        self._waiting = 0
        self._refused_at: float | None = None
        self._synced_at = 0.0
        self._failing = ""
        self._generation = 0
        self.samples = 0
        self.dropped = 0
        """Samples given up because the disk refused them for too long."""
        self.refused_series = 0

    # ------------------------------------------------------------ as the recorder writes

    @property
    def generation(self) -> int:
        """Rises when other refs are given out, because there were too many; those of before are dead."""
        return self._generation

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        """Refs of these series, int64, new ones given out; -1 where there is no room for another."""
        with self._lock:
            found = np.empty(len(labels), np.int64)
            for place, each in enumerate(labels):
                ref = self._refs.get(each)
                if ref is None:
                    ref = self._new(each, kinds[place], units[place] if units else "")
                found[place] = ref
            return found

    def _new(self, labels: Labels, kind: int, unit: str) -> int:
        if len(self._series) >= self.settings.series:
            self.refused_series += 1
            return -1
        place = len(self._series)
        ref = self._refs[labels] = self._base + place
        self._series.append(QueuedSeries(place, labels, int(kind), unit))
        return ref

    def kinds(self, refs: Longs) -> npt.NDArray[np.int8]:
        """The kind each ref was interned with first."""
        with self._lock:
            alive = [ref - self._base for ref in refs.tolist()]
            return np.array([self._series[place].kind if place >= 0 else 0 for place in alive], np.int8)

    def append(self, refs: Longs, times: Longs, values: Floats) -> None:
        """Samples in any order, milliseconds."""
        self._add(Columns(np.array(refs, np.int64), np.array(times, np.int64), np.array(values, np.float64)))

    def append_histograms(self, refs: Longs, times: Longs, offsets: Longs, bins: Bins, counts: Floats, sums: Floats) -> None:
        """What was observed since the last: histogram i has bins[offsets[i]:offsets[i + 1]] and their counts."""
        drawn = (
            np.array(refs, np.int64),
            np.array(times, np.int64),
            np.array(offsets, np.int64),
            np.array(bins, np.int32),
            np.array(counts, np.float64),
            np.array(sums, np.float64),
        )
        empty = Columns()
        self._add(Columns(empty.refs, empty.times, empty.values, *drawn))

    def _add(self, columns: Columns) -> None:
        with self._lock:
            oldest = min(columns.refs.min(initial=self._base), columns.drawn_refs.min(initial=self._base))
            if oldest < self._base or self._waiting + len(columns) > self.settings.most_pending:
                self.dropped += len(columns)  # of dead refs, or more than memory is to hold
                return
            self._pending.append(columns)
            self._waiting += len(columns)
            self.samples += len(columns)

    def commit(self) -> bool:
        """Whether everything appended before is in the queue on disk now; notes say why not. Others may append meanwhile."""
        with self._writing:
            now = self._clock()
            with self._lock:
                if not self._pending:
                    self._renew(now)
                    return not self._failing
                if self._refused_at is not None and 0 <= now - self._refused_at < _REST:
                    return False
                pending, self._pending = self._pending, []
            try:
                written = self._write(pending)
                if not 0 <= now - self._synced_at < _REST:
                    self._synced_at = now
                    self._queue.sync()
            except OSError as error:
                with self._lock:
                    self._pending = pending + self._pending
                self._refused_at = now
                self._failing = f"the queue to the remote store cannot be written ({error.strerror}); samples wait in memory"
                return False
            self._refused_at, self._failing = None, ""
            with self._lock:
                self._waiting -= written
                self._renew(now)
        self._wake()
        return True

    def _write(self, pending: Sequence[Columns]) -> int:
        """One record of all of them; how many samples they are. Refs are those since the last renewal, from 0 on."""
        columns = joined(pending)
        columns = replace(columns, refs=columns.refs - self._base, drawn_refs=columns.drawn_refs - self._base)
        known = len(self._series)
        if self._queue.begins:
            self._named = np.zeros(known, np.bool_)
        elif len(self._named) < known:
            self._named = np.concatenate((self._named, np.zeros(known - len(self._named), np.bool_)))
        used = np.unique(np.concatenate((columns.refs, columns.drawn_refs)))
        new = used[~self._named[used]]
        payload = pack(self._epoch, [self._series[place] for place in new.tolist()], columns)
        self._queue.append(payload, len(columns))
        self._named[new] = True
        return len(columns)

    def _renew(self, now: float) -> None:
        """Series come and go: once all refs are out others are given out, but not again and again. No ref ever means two series,
        as somebody may still hold one of before.
        """
        if self._pending or len(self._series) < self.settings.series or 0 <= now - self._began < _RENEWED_EVERY:
            return
        self._began, self._epoch = now, max(self._epoch + 1, int(now * 1e6))
        self._base += len(self._series)
        self._refs.clear()
        self._series = []
        self._named = np.zeros(0, np.bool_)
        self._generation += 1

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed meanwhile
                loop.call_soon_threadsafe(self.sender.changed.set)

    # ------------------------------------------------------------ sending

    async def run(self) -> None:
        """Sends until cancelled; what is not sent by then goes with the next start."""
        self._loop = asyncio.get_running_loop()
        try:
            await self.sender.run()
        finally:
            self._loop = None

    @property
    def idle(self) -> bool:
        """Whether everything committed is with the receiver."""
        return self.sender.idle

    def close(self) -> None:
        """Commits what is pending. The queue stays."""
        self._refused_at = None
        self.commit()
        self._queue.close()

    # ------------------------------------------------------------ health

    def figures(self) -> dict[str, float]:
        """For health."""
        counters = self.sender.counters
        return {
            "remote_written_total": counters.written,
            "remote_rejected_total": counters.rejected,
            "remote_dropped_total": self._queue.dropped + self.dropped,
            "remote_requests_total": counters.requests,
            "remote_failures_total": counters.failures,
            "remote_bytes_total": counters.bytes,
            "remote_queue_samples": self._queue.unsent + self._waiting,
            "remote_queue_bytes": self._queue.size,
            "remote_failing": 1.0 if self.sender.failing or self._failing else 0.0,
        }

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        found = [self._failing] if self._failing else []
        where, sender = shown(self._target.write_url), self.sender
        if sender.failing:
            found.append(f"{where} takes no samples ({sender.failing}); {self._queue.unsent} wait in the queue")
        if sender.refusal:
            found.append(f"{where} refused samples, {sender.counters.rejected} in all; the last time it said: {sender.refusal}")
        if self._queue.dropped:
            found.append(f"{self._queue.dropped} samples for {where} were given up because the queue on disk was full or damaged")
        if self.refused_series:
            found.append(f"there are more than {self.settings.series} series; samples of further ones are not sent to {where}")
        return [*found, *self._queue.problems[-3:]]
