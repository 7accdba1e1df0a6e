"""From a target's parsed answers to batches: tags, kinds, increments and staleness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.receivers.prometheus.classic import ClassicHistograms
from collector.receivers.prometheus.counters import ScrapeCounters
from collector.receivers.prometheus.exemplars import columns_of
from collector.receivers.prometheus.exposition_parser import Parser, Samples
from collector.receivers.prometheus.limits import LimitError
from collector.receivers.prometheus.naming import SeriesNames
from collector.receivers.prometheus.native import NativeDeltas
from collector.receivers.prometheus.target import Policy
from monitor.model.batch import Batch, Floats, HistogramBatch, Ids
from monitor.model.cumulative import Cumulative
from monitor.model.exemplars import Exemplars
from monitor.model.series import Kind, series_key

__all__ = ["Batches", "ScrapeCounters", "TargetSeries"]

MAX_AHEAD = 600.0
"""Seconds a sample's own timestamp may lie ahead of the scrape, as in Prometheus."""
_REPORTS = (
    ("up", ""),
    ("scrape_duration_seconds", "s"),
    ("scrape_samples_scraped", ""),
    ("scrape_samples_post_metric_relabeling", ""),
    ("scrape_series_added", ""),
)
Batches = list[Batch | HistogramBatch]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Where the samples of one layout go: positions of gauges and counters and the ids of their series, each once.

    `collided` counts samples whose series another one became in relabelling.
    """

    source: Ids
    gauges: npt.NDArray[np.int64]
    gauge_ids: Ids
    counters: npt.NDArray[np.int64]
    counter_ids: Ids
    collided: int

    @property
    def ids(self) -> Ids:
        return np.concatenate((self.gauge_ids, self.counter_ids))


class TargetSeries:
    """The series of one target: its key space, the raw values of its counters, and which series live."""

    def __init__(
        self, tags: Mapping[str, str], honor_labels: bool, counters: ScrapeCounters, policy: Policy | None = None
    ) -> None:
        self._tags = dict(tags)
        self._honor_labels = honor_labels
        self._counters = counters
        self._policy = policy or Policy()
        self._owed: Batches = []
        self._begin()

    def _begin(self) -> None:
        self._names = SeriesNames(self._tags, self._honor_labels, self._policy, self._counters)
        self.space = self._names.space
        self._cumulative = Cumulative()
        self._classic = ClassicHistograms()
        self._native = NativeDeltas()
        self._parser: Parser | None = None
        self._generation = 0
        self._rows: _Rows | None = None
        self._reports = np.array(
            [self.space.add(series_key(name, self._tags.items()), Kind.GAUGE, unit) for name, unit in _REPORTS], np.int32
        )

    @property
    def live(self) -> int:
        """How many series the last scrape had."""
        return len(self._rows.gauge_ids) + len(self._rows.counter_ids) if self._rows is not None else 0

    def taken(self, samples: Samples, parser: Parser, started: float, duration: float) -> Batches:
        """Batches of a scrape that went well; samples without a time of their own get `started`.

        Raises `LimitError` where the answer is over a limit of the job: the scrape has then failed.
        """
        if self._parser is not parser or self._generation != parser.generation:
            self._owed += self._stale(started)
            self._begin()
            self._parser, self._generation = parser, parser.generation
        self._names.learn(parser.series)
        before = self._rows
        rows = self._rows_of(samples)
        kept = len(rows.gauges) + len(rows.counters) + len(samples.native)
        most = self._policy.limits.samples
        if most and kept > most:
            raise LimitError(f"{kept} samples after relabelling; sample_limit is {most}")
        batches, self._owed = self._owed, []
        added = 0
        if before is not rows:
            added = len(np.setdiff1d(rows.ids, before.ids, assume_unique=True)) if before is not None else len(rows.ids)
            if before is not None:
                batches += self._vanished(before, rows, started)
        self._rows = rows
        batches += self._batches(rows, samples, started)
        batches += self._histograms(samples, parser, started)
        batches.append(self._report(started, True, duration, (len(samples.values) + len(samples.native), kept, added)))
        self._counters.samples += len(samples.values)
        self._counters.duplicates += samples.duplicates + rows.collided
        return batches

    def exemplars(self, samples: Samples, started: float) -> Exemplars | None:
        """Those of an answer that `taken` was given; None where there are none."""
        return columns_of(samples.exemplars, self._names.of, self.space, started) if samples.exemplars else None

    def failed(self, started: float, duration: float, scraped: int = 0) -> Batches:
        """Batches of a scrape that failed: everything that lived says nothing from there on, and counting begins anew.

        `scraped`: how many samples the answer had, where it was read but refused for its limits.
        """
        batches, self._owed = self._owed + self._stale(started), []
        self._rows = None
        self._classic.forget()
        self._native.forget()
        return [*batches, self._report(started, False, duration, (scraped, 0, 0))]

    def ended(self, now: float) -> Batches:
        """Batches of a target that is none any more: its series and the reports on it say nothing from there on."""
        batches, self._owed = self._owed + self._stale(now), []
        self._rows = None
        nothing = np.full(len(self._reports), np.nan)
        return [*batches, Batch(self.space, self._reports, nothing, np.full(len(nothing), now), raw=True)]

    def _rows_of(self, samples: Samples) -> _Rows:
        rows = self._rows
        if rows is not None and rows.source is samples.ids:
            return rows
        ids = self._names.of(samples.ids)
        places = np.flatnonzero(ids >= 0)
        found = len(places)
        if len(unique := np.unique(ids[places], return_index=True)[1]) < found:
            places = places[np.sort(unique)]
        is_counter = np.array([kind is Kind.COUNTER for kind in self.space.kinds], np.bool_)[ids[places]]
        gauges, counters = places[~is_counter], places[is_counter]
        return _Rows(samples.ids, gauges, ids[gauges], counters, ids[counters], found - len(places))

    def _histograms(self, samples: Samples, parser: Parser, started: float) -> Batches:
        """What histograms observed since the last scrape: native ones, and classic ones where the job wants them."""
        found: Batches = []
        native = samples.native
        times = self._times(np.array([sample.time for sample in native], np.float64), started)
        in_time = times <= started + MAX_AHEAD
        self._counters.ahead += int(np.count_nonzero(~in_time))
        ids = self._names.of(np.array([sample.series for sample in native], np.int32))
        made = self._native.batch(self.space, np.where(in_time, ids, -1), times, native)
        if made is not None:
            found.append(made)
        if self._policy.histograms:
            stamps = np.full(len(samples.values), started) if samples.times is None else self._times(samples.times, started)
            values = np.where(stamps <= started + MAX_AHEAD, samples.values, np.nan)
            made = self._classic.batch(self.space, parser.series, samples.ids, values, stamps, self._names.distribution)
            if made is not None:
                found.append(made)
        self._counters.histograms += sum(map(len, found))
        return found

    def _times(self, own: Floats, started: float) -> Floats:
        return np.where(np.isnan(own) | (not self._policy.honor_timestamps), started, own)

    def _batches(self, rows: _Rows, samples: Samples, started: float) -> Batches:
        """Gauges; counters as they came, for the history; and their increments, for the windows."""
        times = np.full(len(samples.values), started) if samples.times is None else self._times(samples.times, started)
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

    def _vanished(self, before: _Rows, rows: _Rows, now: float) -> Batches:
        gauges = np.setdiff1d(before.gauge_ids, rows.gauge_ids, assume_unique=True)
        counters = np.setdiff1d(before.counter_ids, rows.counter_ids, assume_unique=True)
        return self._marked(gauges, counters, now)

    def _stale(self, now: float) -> Batches:
        return self._marked(self._rows.gauge_ids, self._rows.counter_ids, now) if self._rows is not None else []

    def _marked(self, gauges: Ids, counters: Ids, now: float) -> Batches:
        self._cumulative.forget(counters)
        ids = np.concatenate((gauges, counters), dtype=np.int32)
        return [Batch(self.space, ids, np.full(len(ids), np.nan), np.full(len(ids), now), raw=True)] if len(ids) else []

    def _report(self, now: float, up: bool, duration: float, counts: tuple[int, int, int]) -> Batch:
        """`counts`: samples scraped, those left after relabelling, series that are new."""
        values = np.array([float(up), duration, *counts], np.float64)
        return Batch(self.space, self._reports, values, np.full(len(values), now), raw=True)
