"""From a metrics request to batches. It knows no socket; what it was told before is in `MetricSeries`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from collector.receivers.otlp.buckets import COARSEST, FINEST, buckets_of
from collector.receivers.otlp.columns import BAD_NAME, NO_RECORDED_VALUE, TOO_MANY_SERIES, NumberColumns
from collector.receivers.otlp.counters import LeftOut
from collector.receivers.otlp.histograms import Histograms, Point
from collector.receivers.otlp.limits import MOST_BUCKETS, MOST_POINTS, MOST_QUANTILES
from collector.receivers.otlp.names import unit_of
from collector.receivers.otlp.schema import metrics_request
from collector.receivers.otlp.series import NO_ROOM, Find, MetricSeries, Origin
from collector.receivers.otlp.sums import Samples
from monitor.model.batch import Batch, Floats, HistogramBatch
from monitor.model.series import Kind
from monitor.query.notes import go_float

_DELTA, _CUMULATIVE = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class MetricsTaken:
    """What a request came to. `undo` takes it out of what is known of its series; it tells for how many that was too late."""

    batches: list[Batch | HistogramBatch]
    points: int
    left_out: LeftOut
    undo: Callable[[], int]


class MetricsReader:
    """Reads requests in the order in which they came. `clock` stamps points that have no time."""

    def __init__(self, series: MetricSeries, clock: Callable[[], float]) -> None:
        self._series, self._clock = series, clock
        self._calls = 0

    def read(self, data: bytes) -> MetricsTaken:
        """Of an `ExportMetricsServiceRequest`. Raises `UnreadableError`; nothing is known of its points then."""
        request = metrics_request(data)
        now = self._clock()
        self._series.make_room(now)
        self._calls += 1
        one = _Request(self._series, now, self._calls)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                origin = self._series.origin(resource.resource, scope.scope)
                for metric in scope.metrics:
                    one.take(origin, metric)
        return one.taken()


class _Request:
    """One request while it is read. Nothing is written to what is known of series before all of it could be read."""

    def __init__(self, series: MetricSeries, now: float, call: int) -> None:
        self._series, self._now = series, now
        self._gauges, self._totals, self._increments, self._changes = (NumberColumns() for _ in range(4))
        self._histograms = Histograms(series.since, call)
        self._later: list[Callable[[], None]] = []
        self._ends: list[tuple[int, float]] = []
        self._left_out = LeftOut()
        self._points = 0

    def take(self, origin: Origin, metric: Any) -> None:
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        data = getattr(metric, kind)
        points = data.data_points
        room = MOST_POINTS - self._points
        self._points += len(points)
        if len(points) > room:
            self._left_out.add(f"more than {MOST_POINTS} points in one request", len(points) - room)
            points = points[:room]
        if kind == "gauge":
            self._gauges.add(points, self._find(origin, metric, Kind.GAUGE), self._left_out)
        elif kind == "summary":
            for point in points:
                self._summary(origin, metric, point)
        elif data.aggregation_temporality not in (_DELTA, _CUMULATIVE):
            self._left_out.add("neither delta nor cumulative", len(points))
        elif kind == "sum":
            self._sum(origin, metric, points, data.is_monotonic, data.aggregation_temporality == _DELTA)
        else:
            find = self._find(origin, metric, Kind.DISTRIBUTION)
            each = self._explicit if kind == "histogram" else self._exponential
            for point in points:
                each(origin, metric, point, find, data.aggregation_temporality == _DELTA)

    def _find(self, origin: Origin, metric: Any, kind: Kind) -> Find:
        return self._series.finder(origin, metric.name, unit_of(metric.unit), kind)

    def _sum(self, origin: Origin, metric: Any, points: Any, monotonic: bool, delta: bool) -> None:
        find = self._find(origin, metric, Kind.COUNTER if monotonic else Kind.GAUGE)
        if monotonic:
            (self._increments if delta else self._totals).add(points, find, self._left_out)
        else:
            (self._changes if delta else self._gauges).add(points, find, self._left_out)

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

    def _explicit(self, origin: Origin, metric: Any, point: Any, find: Find, delta: bool) -> None:
        distribution = find(point.attributes)
        if not self._has_id(distribution) or self._ended(point, distribution):
            return
        bounds, counts, has_sum = tuple(point.explicit_bounds), point.bucket_counts, point.HasField("sum")
        if not bounds and len(counts) < 2:
            counts = [point.count]
        why = _wrong_buckets(bounds, counts, point)
        if why:
            self._left_out.add(why)
            return
        tags = self._series.tags(origin, point.attributes, extra=1)
        stream = self._series.explicit(distribution, bounds, has_sum, (metric.name, tags, unit_of(metric.unit)))
        if isinstance(stream, int):
            self._has_id(stream)
            return
        state = np.array([*counts, point.sum] if has_sum else counts, np.float64)
        told = self._told(point, delta)
        self._later.append(lambda: self._histograms.explicit(stream, told, state))

    def _exponential(self, origin: Origin, metric: Any, point: Any, find: Find, delta: bool) -> None:
        distribution = find(point.attributes)
        if not self._has_id(distribution) or self._ended(point, distribution):
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
        self._later.append(lambda: self._histograms.exponential(stream, told, buckets, threshold))

    def _has_id(self, series: int) -> bool:
        if series < 0:
            self._left_out.add(TOO_MANY_SERIES if series == NO_ROOM else BAD_NAME)
        return series >= 0

    def _ended(self, point: Any, distribution: int) -> bool:
        """Whether the point only says that its histogram says nothing from there on."""
        if not point.flags & NO_RECORDED_VALUE:
            return False
        time = point.time_unix_nano / 1e9 or self._now
        for stream in self._series.explicit_of(distribution):
            self._ends += [(series, time) for series in stream.ids.tolist()]
            self._later.append(lambda stream=stream: self._histograms.ended(stream))  # type: ignore[misc]
        self._later.append(lambda: self._histograms.ended(self._series.exponential(distribution)))
        return True

    def _told(self, point: Any, delta: bool) -> Point:
        low = point.min if point.HasField("min") and math.isfinite(point.min) else None
        high = point.max if point.HasField("max") and math.isfinite(point.max) else None
        time, start = point.time_unix_nano / 1e9 or self._now, point.start_time_unix_nano / 1e9
        return Point(time, start, delta, point.sum, low, high)

    # ------------------------------------------------------------ what it comes to

    def taken(self) -> MetricsTaken:
        left_out, sums, now = self._left_out, self._series.sums, self._now
        gauges = self._gauges.taken(now, left_out, counted=False, rising=False)
        totals = self._totals.taken(now, left_out, counted=True, rising=True)
        increments = self._increments.taken(now, left_out, counted=True, rising=True)
        changes = self._changes.taken(now, left_out, counted=True, rising=False)
        for each in self._later:
            each()
        cumulative = sums.cumulative(totals.ids, totals.values, totals.times, totals.starts)
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
        readings = Samples.joined(cumulative.readings, delta.readings, histograms.readings())
        grown = Samples.joined(cumulative.increments, delta.increments, histograms.increments())
        space = self._series.book.space
        batches: list[Batch | HistogramBatch] = [
            Batch(space, levels.ids, levels.values, levels.times, raw=True),
            Batch(space, readings.ids, readings.values, readings.times, raw=True, windowed=False),
            Batch(space, grown.ids, grown.values, grown.times),
        ]
        batches = [batch for batch in batches if len(batch)]
        drawn = histograms.batch(space)
        if drawn is not None:
            batches.append(drawn)
        undos = changed.undo, delta.undo, cumulative.undo, histograms.undo
        return MetricsTaken(batches, self._points, left_out, lambda: sum(undo() for undo in undos))


def _nan(size: int) -> Floats:
    return np.full(size, np.nan)


def _wrong_buckets(bounds: tuple[float, ...], counts: Any, point: Any) -> str:
    """Why a histogram's buckets cannot be taken; "" when they can."""
    if len(counts) != len(bounds) + 1:
        return "a histogram needs one bucket more than it has bounds"
    if len(counts) > MOST_BUCKETS:
        return f"a histogram of more than {MOST_BUCKETS} buckets"
    if not all(map(math.isfinite, bounds)) or any(bounds[i] >= bounds[i + 1] for i in range(len(bounds) - 1)):
        return "a histogram whose bounds do not rise"
    if sum(counts) != point.count:
        return "a histogram whose buckets do not add up to its count"
    return "" if math.isfinite(point.sum) else "a histogram whose sum is not a finite number"
