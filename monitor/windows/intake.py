"""Points that wait for their second to close: what is accepted, what is counted as lost, and changes made absolute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Batch, Floats, Ids
from monitor.model.series import Kind
from monitor.model.table import SeriesTable, lengthened
from monitor.windows.fold import Points
from monitor.windows.frame import Counters
from monitor.windows.rings import SPAN

PROMPT = 10.0
"""Seconds within which a point has come in time: who sends in batches (an OTLP sender every five seconds) is not late."""
Bools = npt.NDArray[np.bool_]
_NOTHING = Points(np.empty(0, np.int32), np.empty(0), np.empty(0), np.empty(0))


class Intake:
    """Batches since the last tick, and points of seconds that are still open. `levels` is each gauge's last value by arrival."""

    def __init__(self, table: SeriesTable, counters: Counters, lateness: float, future: float, limit: int) -> None:
        self.levels: Floats = np.full(table.capacity, np.nan)
        self._table = table
        self._counters = counters
        self._lateness = lateness
        self._future = future
        self._limit = limit
        self._batches: list[Batch] = []
        self._waiting = _NOTHING
        self._size = 0

    def put(self, batch: Batch) -> None:
        """Keeps a batch for the next tick; drops and counts what is beyond the backlog's limit."""
        size = len(batch)
        self._counters.points += size
        room = self._limit - self._size
        if size > room:
            self._counters.dropped_backlog += size - room
            batch = _head(batch, room)
        if len(batch):
            self._batches.append(batch)
            self._size += len(batch)

    def take(self, now: float, closed: int, before: int | None) -> Points:
        """Points of seconds before `closed`, in order of arrival. `before` is what `closed` was at the last tick."""
        batches, self._batches = self._batches, []
        self._size = len(self._waiting)
        arrived = [self._accept(batch, now, before, closed) for batch in batches]
        parts = [self._waiting, *(points for points in arrived if len(points))]
        points = parts[0] if len(parts) == 1 else Points(
            np.concatenate([p.rows for p in parts]),
            np.concatenate([p.times for p in parts]),
            np.concatenate([p.values for p in parts]),
            np.concatenate([p.weights for p in parts]),
        )  # fmt: skip
        due = points.times < closed
        self._waiting = _NOTHING if due.all() else points.take(~due)
        self._size = len(self._waiting)
        return points if due.all() else points.take(due)

    def learn(self, lasts: Floats, kinds: npt.NDArray[np.int8]) -> None:
        """After a restart: gauges were last at these values."""
        self.levels = np.where(kinds == Kind.GAUGE, lasts, np.nan)

    def forget(self, rows: Ids) -> None:
        """Rows given up: their gauges start anew."""
        # Rows that came and went while a journal was replayed are beyond what arrived so far.
        self.levels[rows[rows < len(self.levels)]] = np.nan

    def waiting_rows(self) -> Ids:
        """Rows that points of open seconds belong to."""
        return self._waiting.rows

    def _accept(self, batch: Batch, now: float, before: int | None, closed: int) -> Points:
        batch = self._timely(batch, now, before, closed)
        if not len(batch):
            return _NOTHING
        rows = self._table.resolve(batch.space, batch.ids)
        if self._table.capacity > len(self.levels):
            self.levels = lengthened(self.levels, self._table.capacity, np.nan)
        batch, rows = self._valid(batch, rows)
        overflow = self._table.overflow_rows
        if overflow:
            self._counters.overflowed += int(np.count_nonzero(np.isin(rows, overflow)))
        kinds = self._table.kinds[rows]
        weights = np.ones(len(rows))
        if batch.weights is not None:
            weights = np.where(kinds == Kind.DISTRIBUTION, batch.weights, weights)
        values = np.asarray(batch.values, np.float64)
        gauges = kinds == Kind.GAUGE
        if batch.relative is not None and batch.relative.any():
            values = self._absolute(rows, values, batch.relative & gauges & ~np.isnan(values), gauges)
        elif gauges.any():
            self.levels[rows[gauges]] = values[gauges]
        return Points(rows, batch.times, values, weights)

    def _timely(self, batch: Batch, now: float, before: int | None, closed: int) -> Batch:
        """Without what is malformed, too old or too far ahead; late is what comes long after its second was closed."""
        times = batch.times
        sound = np.isfinite(times) & (batch.ids >= 0) & (batch.ids < len(batch.space))
        if batch.weights is not None:
            sound &= np.isfinite(batch.weights) & (batch.weights > 0)
        ahead = sound & (times >= now + self._future)
        late = sound & (times < closed - SPAN)
        if before is not None:
            behind = sound & (times < before)
            late |= behind & (times < now - self._lateness)
            self._counters.late += int(np.count_nonzero(behind & ~late & (times < now - PROMPT)))
        if sound.all() and not ahead.any() and not late.any():
            return batch
        self._counters.dropped_invalid += int(np.count_nonzero(~sound))
        self._counters.dropped_future += int(np.count_nonzero(ahead))
        self._counters.dropped_late += int(np.count_nonzero(late))
        return _some(batch, sound & ~ahead & ~late)

    def _valid(self, batch: Batch, rows: Ids) -> tuple[Batch, Ids]:
        """Without values that their kind cannot hold: infinite but for gauges, NaN but for gauges and counters."""
        odd = ~np.isfinite(batch.values)
        if not odd.any():
            return batch, rows
        kinds = self._table.kinds[rows]
        marker = np.isnan(batch.values) & ((kinds == Kind.GAUGE) | (kinds == Kind.COUNTER))
        keep = ~odd | marker | (np.isinf(batch.values) & (kinds == Kind.GAUGE))
        self._counters.dropped_invalid += int(np.count_nonzero(~keep))
        return _some(batch, keep), rows[keep]

    def _absolute(self, rows: Ids, values: Floats, relative: Bools, gauges: Bools) -> Floats:
        """Values with each change added to what the gauge said last (an unknown gauge starts from 0)."""
        values = values.copy()
        plain = gauges & ~np.isin(rows, rows[relative])
        self.levels[rows[plain]] = values[plain]
        places = np.flatnonzero(gauges & ~plain)
        places = places[np.argsort(rows[places], kind="stable")]
        if not len(places):
            return values
        owners = rows[places]
        starts = np.flatnonzero(np.concatenate(([True], (owners[1:] != owners[:-1]) | ~relative[places[1:]])))
        for run in np.split(places, starts[1:]):
            row, head = int(rows[run[0]]), run[0]
            if relative[head] and not np.isnan(self.levels[row]):
                values[head] += self.levels[row]
            changes = run if not np.isnan(values[head]) else run[1:]
            values[changes] = np.cumsum(values[changes])
            self.levels[row] = values[run[-1]]
        return values


def _head(batch: Batch, size: int) -> Batch:
    which = np.zeros(len(batch), np.bool_)
    which[: max(size, 0)] = True
    return _some(batch, which)


def _some(batch: Batch, which: Bools) -> Batch:
    return replace(
        batch,
        ids=batch.ids[which],
        values=batch.values[which],
        times=batch.times[which],
        weights=None if batch.weights is None else batch.weights[which],
        relative=None if batch.relative is None else batch.relative[which],
    )
