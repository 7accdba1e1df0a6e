"""The heart: batches in, one frame a tick out. It reads no clock; the same batches and ticks give the same frames."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import numpy as np

from monitor.model.batch import Batch, Floats, Ids
from monitor.model.table import SeriesTable
from monitor.windows.columns import Columns, Store
from monitor.windows.derived import Derived, DerivedMetrics
from monitor.windows.fold import fold, joined
from monitor.windows.frame import Counters, Delta, Frame, History
from monitor.windows.histogram import Histograms
from monitor.windows.intake import Intake
from monitor.windows.lasts import Lasts
from monitor.windows.recent import Recent
from monitor.windows.replay import RowMap
from monitor.windows.rings import Rings
from monitor.windows.sets import Sets

__all__ = ["Derived", "Engine", "EngineSettings"]

# Whatever is sent is summed up as it is: sums that overflow are infinite, infinities that meet are NaN, and neither is an error.
_QUIET = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class EngineSettings(msgspec.Struct, frozen=True):
    """Durations in seconds. `windows` are those that clients are offered; any other up to an hour is answered as well.

    `lateness`: how long after its second was closed a point is still taken; `future`: how far ahead of the tick it may be.
    `idle_expiry`: a series without samples that long loses its row; a passing one loses it `passing_expiry` after its end was
    marked, so that thousands of ended processes do not fill the table. `backlog_limit`: points kept between ticks.
    """

    windows: tuple[float, ...] = (60, 300, 900, 3600)
    lateness: float = 60.0
    future: float = 10.0
    series_limit: int = 100_000
    idle_expiry: float = 3600.0
    passing_expiry: float = 300.0
    backlog_limit: int = 5_000_000
    derived: tuple[Derived, ...] = ()


class Engine:
    """Windows over everything that comes in. Raises `FormulaError` when a derived metric's formula cannot be read."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.settings = settings or EngineSettings()
        self.table = SeriesTable(self.settings.series_limit)
        self.counters = Counters()
        self.now = 0.0
        """End of the last closed second; 0 before the first tick."""
        capacity = self.table.capacity
        self._store = Store(self.table, Rings(capacity), Histograms(), Sets(), Lasts(capacity))
        self._intake = Intake(
            self.table, self.counters, self.settings.lateness, self.settings.future, self.settings.backlog_limit
        )
        self._columns = Columns(self._store)
        self._recent = Recent(self._store)
        self._derived = DerivedMetrics(self.settings.derived, self.table, self._columns)
        self._rows = RowMap(self.table)
        self._replayed = False

    def ingest(self, batch: Batch) -> None:
        """Keeps a batch for the next tick. Points may be of any time and in any order; what is lost is counted."""
        self._intake.put(batch)

    @_QUIET
    def tick(self, now: float) -> Frame:
        """Closes all seconds before floor(now). A `now` before the last tick's closes nothing."""
        before = self._store.rings.now
        closed = max(math.floor(now), before or 0)
        if self._replayed:
            self._intake.learn(self._store.lasts.values, self.table.kinds)
            self._replayed = False
        revision = self.table.revision
        points = self._intake.take(max(now, closed), closed, before)
        delta = fold(points, self.table.kinds, float(closed))
        self._begin(revision, delta.time)
        self._apply(delta)
        if before is None or closed > before:
            delta = self._derive(delta)
        gone = self._idle(closed)
        added, _ = self.table.added_since(revision) if self.table.revision > revision else ((), ())
        delta = replace(delta, added=added, gone=gone)
        self._end(gone)
        self.counters.ticks += 1
        return Frame(delta.time, self.counters.ticks, self.table.live(), delta)

    @_QUIET
    def column(self, field: str, window: float, rows: Ids | None = None) -> Floats:
        """The field over [now - window, now) for `rows`, or for all live series in the order of `frame.rows`.

        float64, NaN where there is no data; raises `FieldError` (a ValueError) for an unknown field or a window beyond an
        hour. Windows up to five minutes are exact to the second; longer ones begin at a whole ten of seconds, and rates
        divide by the time really covered.
        """
        column = self._columns.column(field, window)
        if rows is None:
            return column[self.table.live()]
        known = (rows >= 0) & (rows < len(column))
        return column[rows] if known.all() else np.where(known, column[np.where(known, rows, 0)], np.nan)

    @_QUIET
    def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
        """The field as its window was at each step end in (start, end]; a window of 0 is as long as the step.

        Steps are whole seconds within the last five minutes and whole tens within the last hour; a finer `step` than is
        kept at `start` is answered with the finest there is. Raises `FieldError` as `column` does.
        """
        return self._recent.history(rows, field, window, start, end, step)

    @_QUIET
    def replay(self, delta: Delta) -> None:
        """Takes in a delta that a frame carried before a restart, oldest first; rows are given out anew.

        Entries of rows that no delta so far has `added` are left out and counted as invalid.
        """
        revision = self.table.revision
        mapped, lost = self._rows.mapped(delta)
        self.counters.dropped_invalid += lost
        self._begin(revision, mapped.time)
        self._apply(mapped)
        self._end(mapped.gone)
        self._replayed = True

    def _begin(self, revision: int, now: float) -> None:
        if self.table.revision > revision:
            added, _ = self.table.added_since(revision)
            rows = np.array([info.row for info in added], np.int32)
            self._store.lasts.begin(rows, now, self.table.capacity)

    def _apply(self, delta: Delta, newest: bool = False) -> None:
        self._store.rings.apply(delta, self.table.kinds, newest)
        self._store.histograms.apply(delta)
        self._store.sets.apply(delta)
        self._store.lasts.apply(delta)
        self._columns.renew()
        self.now = delta.time

    def _derive(self, delta: Delta) -> Delta:
        """Adds this tick's samples of the derived metrics, which belong to the last closed second."""
        revision = self.table.revision
        derived = self._derived.sample(delta.time)
        if not len(derived.rows):
            return delta
        self._begin(revision, delta.time)
        self._apply(derived, newest=True)
        return joined(delta, derived)

    def _idle(self, closed: int) -> Ids:
        live, lasts = self.table.live(), self._store.lasts
        seen = lasts.seen[live]
        ended = self.table.passing[live] & np.isnan(lasts.values[live]) & np.isfinite(lasts.times[live])
        gone = (seen < closed - self.settings.idle_expiry) | (ended & (seen < closed - self.settings.passing_expiry))
        idle = live[gone]
        waiting = self._intake.waiting_rows()
        return idle[~np.isin(idle, waiting)] if len(idle) and len(waiting) else idle

    def _end(self, gone: Ids) -> None:
        if not len(gone):
            return
        newest = int(self._store.lasts.seen[gone].max())
        self._store.rings.scrub(gone, newest)
        self._store.histograms.scrub(gone, newest)
        self._store.sets.scrub(gone)
        self._store.lasts.end(gone)
        self._intake.forget(gone)
        self.table.give_up(gone)
        self.counters.expired_series += len(gone)
        self._columns.renew()
