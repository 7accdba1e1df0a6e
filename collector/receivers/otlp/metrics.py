"""From a metrics request to batches. It knows no socket; what it was told before is in `MetricSeries`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from collector.receivers.otlp.attributes import Attributes
from collector.receivers.otlp.buckets import COARSEST, FINEST, buckets_of
from collector.receivers.otlp.columns import BAD_NAME, NO_RECORDED_VALUE, TOO_MANY_SERIES, NumberColumns
from collector.receivers.otlp.counters import LeftOut
from collector.receivers.otlp.drawn import batch_of
from collector.receivers.otlp.exemplars import PointExemplars, may_hold
from collector.receivers.otlp.explicit import Explicit
from collector.receivers.otlp.explicit_points import ExplicitPoints, OfMetric
from collector.receivers.otlp.histograms import Histograms, Point
from collector.receivers.otlp.limits import MOST_BUCKETS, MOST_POINTS, MOST_QUANTILES
from collector.receivers.otlp.names import unit_of
from collector.receivers.otlp.schema import metrics_request
from collector.receivers.otlp.series import NO_ROOM, Find, MetricSeries, Origin, Tags
from collector.receivers.otlp.sums import Samples
from monitor.model.batch import Batch, Floats, HistogramBatch
from monitor.model.exemplars import Exemplars
from monitor.model.series import Kind
from monitor.query.history import Metadata
from monitor.query.notes import go_float

_DELTA, _CUMULATIVE = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class MetricsTaken:
    """What a request came to. `undo` takes it out of what is known of its series; it tells for how many that was too late."""

    batches: list[Batch | HistogramBatch]
    points: int
    left_out: LeftOut
    undo: Callable[[], int]
    exemplars: Exemplars | None = None


class MetricsReader:
    """Reads requests in the order in which they came. `clock` stamps points that have no time.

    Exemplars are read where `attributes`, which decodes theirs, is given.
    """

    def __init__(self, series: MetricSeries, clock: Callable[[], float], attributes: Attributes | None = None) -> None:
        self._series, self._clock, self._attributes = series, clock, attributes
        self._calls = 0

    def read(self, data: bytes) -> MetricsTaken:
        """Of an `ExportMetricsServiceRequest`. Raises `UnreadableError`; nothing is known of its points then."""
        request = metrics_request(data)
        now = self._clock()
        self._series.make_room(now)
        self._calls += 1
        exemplars = PointExemplars(self._attributes, now) if self._attributes is not None and may_hold(data) else None
        one = _Request(self._series, now, self._calls, exemplars)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                origin = self._series.origin(resource.resource, scope.scope)
                for metric in scope.metrics:
                    one.take(origin, metric)
        return one.taken()


class _Request:
    """One request while it is read. Nothing is written to what is known of series before all of it could be read."""

    def __init__(self, series: MetricSeries, now: float, call: int, exemplars: PointExemplars | None) -> None:
        self._series, self._now, self._exemplars = series, now, exemplars
        self._gauges, self._totals, self._increments, self._changes = (NumberColumns() for _ in range(4))
        self._call = call
        self._histograms = Histograms(series.since, call)
        self._later: list[Callable[[], None]] = []
        self._ends: list[tuple[int, float]] = []
        self._left_out = LeftOut()
        self._explicit = ExplicitPoints(series, self._left_out, exemplars)
        self._points = 0

    def take(self, origin: Origin, metric: Any) -> None:
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        data = getattr(metric, kind)
        if self._series.descriptions is not None:
            self._series.descriptions.tell(metric.name, Metadata(_type(kind, data), metric.description, unit_of(metric.unit)))
        points = data.data_points
        room = MOST_POINTS - self._points
        self._points += len(points)
        if len(points) > room:
            self._left_out.add(f"more than {MOST_POINTS} points in one request", len(points) - room)
            points = points[:room]
        if kind == "gauge":
            find = self._find(origin, metric, Kind.GAUGE)
            self._gauges.add(points, find, self._left_out)
            self._exemplars_of(points, find)
        elif kind == "summary":
            for point in points:
                self._summary(origin, metric, point)
        elif data.aggregation_temporality not in (_DELTA, _CUMULATIVE):
            self._left_out.add("neither delta nor cumulative", len(points))
        elif kind == "sum":
            self._sum(origin, metric, points, data.is_monotonic, data.aggregation_temporality == _DELTA)
        else:
            find = self._find(origin, metric, Kind.DISTRIBUTION)
            delta = data.aggregation_temporality == _DELTA
            if kind == "histogram":
                self._explicit.take(points, OfMetric(find, partial(self._classic, origin, metric), self._end, delta))
            else:
                for point in points:
                    self._exponential(point, find, delta)

    def _find(self, origin: Origin, metric: Any, kind: Kind) -> Find:
        return self._series.finder(origin, metric.name, unit_of(metric.unit), kind)

    def _sum(self, origin: Origin, metric: Any, points: Any, monotonic: bool, delta: bool) -> None:
        find = self._find(origin, metric, Kind.COUNTER if monotonic else Kind.GAUGE)
        if monotonic:
            (self._increments if delta else self._totals).add(points, find, self._left_out)
        else:
            (self._changes if delta else self._gauges).add(points, find, self._left_out)
        self._exemplars_of(points, find)

    def _exemplars_of(self, points: Any, find: Find) -> None:
        if self._exemplars is not None:
            for point in points:
                if point.exemplars:
                    self._exemplars.of_series(find(point.attributes), point.exemplars)

    # ------------------------------------------------------------ summaries and histograms

    def _summary(self, origin: Origin, metric: Any, point: Any) -> None:
        if len(point.quantile_values) > MOST_QUANTILES:
            self._left_out.add(f"a summary of more than {MOST_QUANTILES} quantiles")
            return
        tags, unit, series = self._series.tags(origin, point.attributes, extra=1), unit_of(metric.unit), self._series
        ended = bool(point.flags & NO_RECORDED_VALUE)
        time, start = point.time_unix_nano, point.start_time_unix_nano
        counters = (f"{metric.name}_sum", point.sum, unit), (f"{metric.name}_count", float(point.count), "")
        for name, value, its_unit in counters:
            self._totals.put(series.id_of(name, tags, Kind.COUNTER, its_unit), value, time, start, ended)
        for each in point.quantile_values:
            series_id = series.id_of(metric.name, {**tags, "quantile": go_float(each.quantile)}, Kind.GAUGE, unit)
            self._gauges.put(series_id, each.value, time, start, ended)

    def _classic(self, origin: Origin, metric: Any, packed: Any) -> tuple[str, Tags, str]:
        return metric.name, self._series.tags(origin, packed, extra=1), unit_of(metric.unit)

    def _exponential(self, point: Any, find: Find, delta: bool) -> None:
        distribution = find(point.attributes)
        if distribution < 0:
            self._left_out.add(TOO_MANY_SERIES if distribution == NO_ROOM else BAD_NAME)
            return
        if point.flags & NO_RECORDED_VALUE:
            self._end(point, distribution)
            return
        above, below = point.positive, point.negative
        size = len(above.bucket_counts) + len(below.bucket_counts)
        if not COARSEST <= point.scale <= FINEST or size > MOST_BUCKETS:
            self._left_out.add(
                f"an exponential histogram needs a scale of {COARSEST} to {FINEST} and at most {MOST_BUCKETS} buckets"
            )
            return
        if not math.isfinite(point.sum):
            self._left_out.add("a histogram whose sum is not a finite number")
            return
        buckets = buckets_of(
            point.scale,
            point.zero_count,
            (above.offset, np.array(above.bucket_counts, np.float64)),
            (below.offset, np.array(below.bucket_counts, np.float64)),
        )
        if buckets.counts.sum() != float(point.count):
            self._left_out.add("a histogram whose buckets do not add up to its count")
            return
        stream, told, threshold = self._series.exponential(distribution), self._told(point, delta), point.zero_threshold
        if self._exemplars is not None and point.exemplars:
            self._exemplars.of_series(distribution, point.exemplars)
        self._later.append(lambda: self._histograms.exponential(stream, told, buckets, threshold))

    def _end(self, point: Any, distribution: int) -> None:
        """The point only says that its histogram says nothing from there on."""
        time = point.time_unix_nano / 1e9 or self._now
        for layout, row in self._series.explicit_of(distribution):
            self._ends += [(series, time) for series in layout.ids[row].tolist()]
            self._explicit.of(layout).end(row, point.time_unix_nano)
        self._later.append(lambda: self._histograms.ended(self._series.exponential(distribution)))

    def _told(self, point: Any, delta: bool) -> Point:
        time, start = point.time_unix_nano / 1e9 or self._now, point.start_time_unix_nano / 1e9
        return Point(time, start, delta, point.sum)

    # ------------------------------------------------------------ what it comes to

    def taken(self) -> MetricsTaken:
        left_out, sums, now = self._left_out, self._series.sums, self._now
        gauges = self._gauges.taken(now, left_out, counted=False, rising=False)
        totals = self._totals.taken(now, left_out, counted=True, rising=True)
        increments = self._increments.taken(now, left_out, counted=True, rising=True)
        changes = self._changes.taken(now, left_out, counted=True, rising=False)
        for each in self._later:
            each()
        explicit = Explicit(self._series.since, self._call)
        for points in self._explicit.all():
            explicit.take(points, now, left_out)
        cumulative = sums.cumulative(totals.ids, totals.values, totals.times, totals.starts)
        self._series.resume_totals(np.concatenate((increments.ids, changes.ids)))
        delta = sums.delta(increments.ids, increments.values, increments.times, increments.starts)
        changed = sums.delta(changes.ids, changes.values, changes.times, changes.starts)
        ends = [(one.ended_ids, one.ended_times) for one in (gauges, totals, increments, changes)]
        ends.append((np.array([series for series, _ in self._ends], np.int32), np.array([time for _, time in self._ends])))
        ended_ids, ended_times = np.concatenate([ids for ids, _ in ends]), np.concatenate([times for _, times in ends])
        sums.forget(ended_ids)
        histograms = self._histograms
        levels = Samples.joined(
            Samples(gauges.ids, gauges.values, gauges.times),
            changed.readings,
            Samples(ended_ids, _nan(len(ended_ids)), ended_times),
        )
        readings = Samples.joined(cumulative.readings, delta.readings, explicit.readings())
        grown = Samples.joined(cumulative.increments, delta.increments, explicit.increments())
        space = self._series.book.space
        batches: list[Batch | HistogramBatch] = [
            Batch(space, levels.ids, levels.values, levels.times, raw=True),
            Batch(space, readings.ids, readings.values, readings.times, raw=True, windowed=False),
            Batch(space, grown.ids, grown.values, grown.times),
        ]
        batches = [batch for batch in batches if len(batch)]
        drawn = batch_of([*explicit.drawn, histograms.drawn()], space)
        if drawn is not None:
            batches.append(drawn)
        undos = changed.undo, delta.undo, cumulative.undo, histograms.undo, explicit.undo
        exemplars = self._exemplars.batch(space) if self._exemplars is not None else None
        return MetricsTaken(batches, self._points, left_out, lambda: sum(undo() for undo in undos), exemplars)


def _nan(size: int) -> Floats:
    return np.full(size, np.nan)


def _type(kind: str, data: Any) -> str:
    """What Prometheus calls it."""
    if kind == "sum":
        return "counter" if data.is_monotonic else "gauge"
    return "histogram" if kind == "exponential_histogram" else kind
