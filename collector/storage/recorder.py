"""From what comes in to what the history keeps: raw batches as they are, all else by the second as the windows summed it up.

A second's samples are stamped with its end, so that all series share their timestamps. A counter that is sent as increments is
kept as a running total which begins with a 0 just before the first of them, as PromQL's `rate` and `increase` expect; a restart
begins anew, which they take for the reset it is. While nothing is sent the total is said again every 15 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from collector.storage.interning import Interning
from collector.storage.sink import Longs, Sink
from monitor.engine import Engine
from monitor.model.batch import Batch, Floats, HistogramBatch, Ids
from monitor.model.series import KeySpace, Kind, SeriesInfo
from monitor.model.table import lengthened
from monitor.query.history import STALE
from monitor.windows.fold import joined
from monitor.windows.frame import Delta, Frame

REPEAT = 15
"""Seconds after which the total of a counter that stands still is kept again: a minute has enough for a rate."""
SILENT = 300.0
"""Seconds without a word after which a series of histograms begins anew: as long as a query looks back."""
_PLAIN = np.float64("nan").view(np.uint64)
SET_WINDOW = 60.0
SET_EVERY = 10
"""A set is kept as the number of its members in the last minute, every ten seconds."""


class Recorder:
    """Writes to `sink` what `take` and `record` are given. One thread at a time."""

    def __init__(self, engine: Engine, sink: Sink) -> None:
        self._engine = engine
        self._sink = sink
        self._interning = Interning(sink)
        self._refs: Longs = np.empty(0, np.int64)
        """The history's number of each row, -1 where it has none yet."""
        self._totals: Floats = np.empty(0)
        self._written: Longs = np.empty(0, np.int64)
        """Second at whose end each counter was written last; -1: never."""
        self._ended: Longs = np.empty(0, np.int64)
        """Second at whose end each counter was said to have ended; -1: never."""
        self._observed: Longs = np.empty(0, np.int64)
        """Second at whose end something of each distribution was kept last; -1: never."""
        self._before = 0
        self._held: Delta | None = None
        """What came while the clock stood: it goes with the next second that closes."""
        self.samples = 0
        self.unplaced = 0
        """Samples of series that the history had no room for."""

    def take(self, batch: Batch) -> None:
        """A raw batch; others are left to `record`."""
        if not batch.raw or not len(batch):
            return
        self._renew()
        times = np.rint(batch.times * 1000).astype(np.int64)
        # A receiver's marker is a plain NaN; one that a peer sent as a reading has bits of its own and stays what it is.
        values = np.where(batch.values.view(np.uint64) == _PLAIN, STALE, batch.values)
        self._append(self._interning.refs_in(batch.space, batch.ids), times, values)

    def take_histograms(self, batch: HistogramBatch) -> None:
        """What was observed, as it came; an empty histogram first where a series begins, from which growth is counted."""
        if not len(batch):
            return
        self._renew()
        begun, first = self._interning.silent(batch.space, batch.ids, batch.times, SILENT)
        self._observe_in(batch.space, begun, np.rint(first * 1000).astype(np.int64) - 1000, None)
        self._observe_in(batch.space, batch.ids, np.rint(batch.times * 1000).astype(np.int64), batch)

    def _observe_in(self, space: KeySpace, ids: Ids, times: Longs, batch: HistogramBatch | None) -> None:
        refs = self._interning.refs_in(space, ids)
        sizes = np.zeros(len(ids), np.int64) if batch is None else np.diff(batch.offsets)
        bins, counts, sums = (
            (np.empty(0, np.int32), np.empty(0), np.zeros(len(ids))) if batch is None else (batch.bins, batch.counts, batch.sums)
        )
        self._append_histograms(refs, times, sizes, bins, counts, sums)

    def record(self, frame: Frame) -> None:
        """One tick: what the windows were given of series that are not raw."""
        self._renew()
        delta, now = frame.delta, int(frame.delta.time)
        self._begin(delta.added)
        if self._held is not None:
            delta, self._held = joined(replace(self._held, time=delta.time, gone=delta.gone), delta), None
        if now <= self._before:
            self._held = delta
            return
        kinds, raw = self._engine.table.kinds, self._engine.table.raw
        mine = ~raw[delta.rows]
        rows, stamps = delta.rows[mine], delta.seconds[mine] + 1
        kind = kinds[rows]
        self._gauges(rows, stamps, delta.lasts[mine], kind == Kind.GAUGE)
        self._counters(rows, stamps, delta.sums[mine], delta.lasts[mine], kind == Kind.COUNTER, now)
        self._distributions(delta, raw)
        if now % SET_EVERY < now - self._before:
            self._sets(frame.rows, kinds, now)
        self._end(delta.gone, kinds, now)
        self._before = now

    # ------------------------------------------------------------ refs

    def _renew(self) -> None:
        if self._interning.begun_anew():
            self._refs[:] = -1

    def _begin(self, added: Sequence[SeriesInfo]) -> None:
        capacity = self._engine.table.capacity
        if capacity > len(self._refs):
            self._refs = lengthened(self._refs, capacity, -1)
            self._totals = lengthened(self._totals, capacity, 0.0)
            self._written = lengthened(self._written, capacity, -1)
            self._ended = lengthened(self._ended, capacity, -1)
            self._observed = lengthened(self._observed, capacity, -1)
        if added:
            rows = np.array([info.row for info in added], np.int64)
            self._forget(rows)

    def _row_refs(self, rows: Ids) -> Longs:
        lacking = rows[self._refs[rows] < 0]
        if len(lacking):
            infos = [info for row in np.unique(lacking).tolist() if (info := self._engine.table.info(row)) is not None]
            new = self._interning.refs([i.key for i in infos], [i.kind for i in infos], [i.unit for i in infos])
            self._refs[[info.row for info in infos]] = new
        refs: Longs = self._refs[rows]
        return refs

    # ------------------------------------------------------------ kinds

    def _gauges(self, rows: Ids, stamps: Longs, lasts: Floats, which: npt.NDArray[np.bool_]) -> None:
        values = lasts[which]
        self._write(rows[which], stamps[which], np.where(np.isnan(values), STALE, values))

    def _counters(self, rows: Ids, stamps: Longs, sums: Floats, lasts: Floats, which: npt.NDArray[np.bool_], now: int) -> None:
        late = stamps <= self._before
        # What came late is counted when it came: a running total cannot be raised in the past.
        rows, stamps, increments = rows[which], np.where(late, now, stamps)[which], sums[which]
        ended = (np.isnan(lasts) & ~late)[which]
        order = np.lexsort((stamps, rows))
        rows, stamps, increments, ended = rows[order], stamps[order], increments[order], ended[order]
        first, last = _edges(rows, stamps)
        within = np.cumsum(increments)
        heads = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0)) if len(rows) else stamps
        totals = self._totals[rows] + within - (within[heads] - increments[heads])
        silent = first & (np.maximum(self._written[rows], self._ended[rows]) < stamps - 1)
        self._write(rows[silent], stamps[silent] - 1, self._totals[rows[silent]])
        self._write(rows[last], stamps[last], np.where(ended[last], STALE, totals[last]))
        # In order, so that of a row's totals the newest stays.
        self._totals[rows] = totals
        self._written[rows] = stamps
        self._ended[rows[ended]] = stamps[ended]
        self._say_again(now)

    def _say_again(self, now: int) -> None:
        if now % REPEAT >= now - self._before:
            return
        live = self._engine.table.live()
        written = self._written[live]
        rows = live[(written > self._ended[live]) & (written <= now - REPEAT)]
        self._write(rows, np.full(len(rows), now, np.int64), self._totals[rows])
        self._written[rows] = now

    def _distributions(self, delta: Delta, raw: npt.NDArray[np.bool_]) -> None:
        mine = ~raw[delta.hist_rows]
        rows, bins, counts = delta.hist_rows[mine], delta.hist_bins[mine], delta.hist_counts[mine]
        if not len(rows):
            return
        stamps = delta.hist_seconds[mine] + 1
        # What came late is added to what came now, for a second that was written cannot be added to.
        stamps = np.where(stamps <= self._before, int(delta.time), stamps)
        order = np.lexsort((bins, rows, stamps))
        rows, stamps, bins, counts = rows[order], stamps[order], bins[order], counts[order]
        same = np.zeros(len(rows), np.bool_)
        same[1:] = (rows[1:] == rows[:-1]) & (stamps[1:] == stamps[:-1]) & (bins[1:] == bins[:-1])
        starts = np.flatnonzero(~same)
        counts = np.add.reduceat(counts, starts)
        rows, stamps, bins = rows[starts], stamps[starts], bins[starts]
        new = np.ones(len(rows), np.bool_)
        new[1:] = (rows[1:] != rows[:-1]) | (stamps[1:] != stamps[:-1])
        heads = np.flatnonzero(new)
        sums = self._sums(delta, rows[heads], stamps[heads])
        sizes = np.diff(np.append(heads, len(rows)))
        rows, stamps = rows[heads], stamps[heads]
        empty_rows, empty_stamps = self._beginnings(rows, stamps)
        none = np.zeros(len(empty_rows))
        # In order of time, as they happened; what is empty has no bins, so those of the others stay in order.
        order = np.argsort(np.concatenate((empty_stamps, stamps)), kind="stable")
        self._observe(
            np.concatenate((empty_rows, rows))[order],
            np.concatenate((empty_stamps, stamps))[order],
            np.concatenate((none.astype(np.int64), sizes))[order],
            bins,
            counts,
            np.concatenate((none, sums))[order],
        )
        self._observed[rows] = stamps

    def _beginnings(self, rows: Ids, stamps: Longs) -> tuple[Ids, Longs]:
        """Where an empty histogram stands, before the first and after a silence: what growth is counted from."""
        silent = np.flatnonzero(self._observed[rows] < stamps - 1)
        # In order of stamp, so that of a row the first counts.
        begun, first = np.unique(rows[silent], return_index=True)
        return begun, stamps[silent][first] - 1

    def _observe(self, rows: Ids, stamps: Longs, sizes: Longs, bins: Ids, counts: Floats, sums: Floats) -> None:
        self._append_histograms(self._row_refs(rows), stamps * 1000, sizes, bins, counts, sums)

    def _append_histograms(self, refs: Longs, times: Longs, sizes: Longs, bins: Ids, counts: Floats, sums: Floats) -> None:
        known = refs >= 0
        if not known.all():
            self.unplaced += len(known) - int(known.sum())
            filled = np.repeat(known, sizes)
            refs, times, sizes, sums = refs[known], times[known], sizes[known], sums[known]
            bins, counts = bins[filled], counts[filled]
        if len(refs):
            offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
            self._sink.append_histograms(refs, times, offsets, bins, counts, sums)
            self.samples += len(refs)

    def _sums(self, delta: Delta, rows: Ids, stamps: Longs) -> Floats:
        """The sum of what was observed, for each of these rows and stamps, which are in order of stamp and row."""
        told = np.where(delta.seconds + 1 <= self._before, int(delta.time), delta.seconds + 1)
        span = int(self._engine.table.capacity)
        wanted = stamps * span + rows
        places = np.searchsorted(wanted, told * span + delta.rows)
        inside = places < len(wanted)
        inside[inside] = wanted[places[inside]] == (told * span + delta.rows)[inside]
        return np.bincount(places[inside], delta.sums[inside], len(wanted)).astype(np.float64)

    def _sets(self, live: Ids, kinds: npt.NDArray[np.int8], now: int) -> None:
        rows = live[(kinds[live] == Kind.SET) & ~self._engine.table.raw[live]]
        if not len(rows):
            return
        unique = self._engine.column("unique", SET_WINDOW, rows)
        rows, unique = rows[~np.isnan(unique)], unique[~np.isnan(unique)]
        self._write(rows, np.full(len(rows), now, np.int64), unique)

    def _end(self, gone: Ids, kinds: npt.NDArray[np.int8], now: int) -> None:
        """Rows given up: their counters' repetition ends with a marker."""
        rows = gone[(self._written[gone] > self._ended[gone]) & (self._refs[gone] >= 0)]
        self._append(self._refs[rows], np.full(len(rows), now * 1000, np.int64), np.full(len(rows), STALE))
        self._forget(gone)

    def _forget(self, rows: npt.NDArray[np.integer[Any]]) -> None:
        self._refs[rows], self._totals[rows], self._written[rows], self._ended[rows] = -1, 0.0, -1, -1
        self._observed[rows] = -1

    def _write(self, rows: Ids, stamps: Longs, values: Floats) -> None:
        if len(rows):
            self._append(self._row_refs(rows), stamps * 1000, values)

    def _append(self, refs: Longs, times: Longs, values: Floats) -> None:
        known = refs >= 0  # the history may have no room for more series, or a row may have been given up meanwhile
        if not known.all():
            self.unplaced += len(known) - int(known.sum())
            refs, times, values = refs[known], times[known], values[known]
        if len(refs):
            self._sink.append(refs, times, values)
            self.samples += len(refs)


def _edges(rows: Ids, stamps: Longs) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where each row's entries begin, and the last of each row and stamp; in order of row and stamp."""
    first, last = np.ones(len(rows), np.bool_), np.ones(len(rows), np.bool_)
    first[1:] = rows[1:] != rows[:-1]
    last[:-1] = first[1:] | (stamps[1:] != stamps[:-1])
    return first, last
