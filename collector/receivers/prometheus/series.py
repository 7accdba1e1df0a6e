"""From a target's parsed answers to batches: tags, kinds, increments and staleness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.receivers.prometheus.exposition_parser import ExpositionParser, Samples
from collector.receivers.prometheus.line import Labels
from monitor.model.batch import Batch, Floats, Ids
from monitor.model.cumulative import Cumulative
from monitor.model.series import KeySpace, Kind, TooLongError, series_key

MAX_AHEAD = 600.0
"""Seconds a sample's own timestamp may lie ahead of the scrape, as in Prometheus."""
_REPORTS = (("up", ""), ("scrape_duration_seconds", "s"), ("scrape_samples_scraped", ""))


@dataclass(slots=True)
class ScrapeCounters:
    """What the scrapes of all targets cost and lost since the start."""

    scrapes: int = 0
    failed: int = 0
    missed: int = 0
    samples: int = 0
    duplicates: int = 0
    not_finite: int = 0
    ahead: int = 0
    oversized: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Where the samples of one layout go: positions of gauges and counters and the ids of their series."""

    source: Ids
    gauges: npt.NDArray[np.int64]
    gauge_ids: Ids
    counters: npt.NDArray[np.int64]
    counter_ids: Ids


class TargetSeries:
    """The series of one target: its key space, the raw values of its counters, and which series live."""

    def __init__(self, tags: Mapping[str, str], honor_labels: bool, counters: ScrapeCounters) -> None:
        self._tags = dict(tags)
        self._honor_labels = honor_labels
        self._counters = counters
        self._begin()

    def _begin(self) -> None:
        self.space = KeySpace(raw=True)
        self._cumulative = Cumulative()
        self._parser: ExpositionParser | None = None
        self._generation = 0
        self._ids = np.empty(0, np.int32)
        self._rows: _Rows | None = None
        self._reports = np.array(
            [self.space.add(series_key(name, self._tags.items()), Kind.GAUGE, unit) for name, unit in _REPORTS], np.int32
        )

    @property
    def live(self) -> int:
        """How many series the last scrape had."""
        return len(self._rows.gauge_ids) + len(self._rows.counter_ids) if self._rows is not None else 0

    def taken(self, samples: Samples, parser: ExpositionParser, started: float, duration: float) -> list[Batch]:
        """Batches of a scrape that went well; samples without a time of their own get `started`."""
        batches: list[Batch] = []
        if self._parser is not parser or self._generation != parser.generation:
            batches += self._stale(started)
            self._begin()
            self._parser, self._generation = parser, parser.generation
        self._add_new(parser)
        before = self._rows
        rows = self._rows_of(samples, parser)
        if before is not None and before is not rows:
            batches += self._vanished(before, rows, started)
        self._rows = rows
        batches.extend(self._batches(rows, samples, started))
        batches.append(self._report(started, True, duration, len(samples.values)))
        self._counters.samples += len(samples.values)
        self._counters.duplicates += samples.duplicates
        return batches

    def failed(self, started: float, duration: float) -> list[Batch]:
        """Batches of a scrape that failed: everything that lived says nothing from there on, and counting begins anew."""
        batches = self._stale(started)
        self._rows = None
        return [*batches, self._report(started, False, duration, 0)]

    def _add_new(self, parser: ExpositionParser) -> None:
        new = parser.series[len(self._ids) :]
        if not new:
            return
        ids: list[int] = []
        for series in new:
            series_id = -1
            if series.kind is not None:
                try:
                    series_id = self.space.add(series_key(series.name, self._tagged(series.labels)), series.kind, series.unit)
                except TooLongError:
                    self._counters.oversized += 1
            ids.append(series_id)
        self._ids = np.concatenate((self._ids, np.array(ids, np.int32)))

    def _tagged(self, labels: Labels) -> list[tuple[str, str]]:
        if self._honor_labels:
            return list((self._tags | dict(labels)).items())
        own = dict(self._tags)
        for name, value in labels:
            while name in own:
                name = f"exported_{name}"
            own[name] = value
        return list(own.items())

    def _rows_of(self, samples: Samples, parser: ExpositionParser) -> _Rows:
        rows = self._rows
        if rows is not None and rows.source is samples.ids:
            return rows
        ids = self._ids[samples.ids]
        is_counter = np.array([series.kind is Kind.COUNTER for series in parser.series], np.bool_)[samples.ids]
        gauges = np.flatnonzero((ids >= 0) & ~is_counter)
        counters = np.flatnonzero((ids >= 0) & is_counter)
        return _Rows(samples.ids, gauges, ids[gauges], counters, ids[counters])

    def _batches(self, rows: _Rows, samples: Samples, started: float) -> list[Batch]:
        """Gauges; counters as they came, for the history; and their increments, for the windows."""
        times = np.full(len(samples.values), started)
        if samples.times is not None:
            times = np.where(np.isnan(samples.times), started, samples.times)
        in_time = times <= started + MAX_AHEAD
        # A gauge may be infinite, and NaN on a gauge says that there is no value; neither can be counted.
        gauge_ids, gauges, gauge_times = self._usable(
            rows.gauges, rows.gauge_ids, samples.values, times, in_time, np.ones(len(times), np.bool_)
        )
        counter_ids, readings, reading_times = self._usable(
            rows.counters, rows.counter_ids, samples.values, times, in_time, np.isfinite(samples.values)
        )
        known, increments = self._cumulative.increments(counter_ids, readings)
        counter_times = reading_times
        if len(known) < len(counter_ids):
            counter_times = reading_times[np.isin(counter_ids, known, assume_unique=True)]
        return [
            Batch(self.space, gauge_ids, gauges, gauge_times, raw=True),
            Batch(self.space, counter_ids, readings, reading_times, raw=True, windowed=False),
            Batch(self.space, known, increments, counter_times),
        ]

    def _usable(
        self,
        positions: npt.NDArray[np.int64],
        ids: Ids,
        values: Floats,
        times: Floats,
        in_time: npt.NDArray[np.bool_],
        sound: npt.NDArray[np.bool_],
    ) -> tuple[Ids, Floats, Floats]:
        timely, whole = in_time[positions], sound[positions]
        good = timely & whole
        if not bool(good.all()):
            self._counters.ahead += int(np.count_nonzero(~timely))
            self._counters.not_finite += int(np.count_nonzero(timely & ~whole))
            positions, ids = positions[good], ids[good]
        return ids, values[positions], times[positions]

    def _vanished(self, before: _Rows, rows: _Rows, now: float) -> list[Batch]:
        gauges = np.setdiff1d(before.gauge_ids, rows.gauge_ids, assume_unique=True)
        counters = np.setdiff1d(before.counter_ids, rows.counter_ids, assume_unique=True)
        return self._marked(gauges, counters, now)

    def _stale(self, now: float) -> list[Batch]:
        return self._marked(self._rows.gauge_ids, self._rows.counter_ids, now) if self._rows is not None else []

    def _marked(self, gauges: Ids, counters: Ids, now: float) -> list[Batch]:
        self._cumulative.forget(counters)
        ids = np.concatenate((gauges, counters), dtype=np.int32)
        return [Batch(self.space, ids, np.full(len(ids), np.nan), np.full(len(ids), now), raw=True)] if len(ids) else []

    def _report(self, now: float, up: bool, duration: float, samples: int) -> Batch:
        values = np.array([float(up), duration, float(samples)])
        return Batch(self.space, self._reports, values, np.full(len(values), now), raw=True)
