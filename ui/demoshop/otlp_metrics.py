"""Gauges, sums and histograms as OTLP requests (opentelemetry-proto 1.x, metrics.proto)."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field

from ui.demoshop.happened import Attributes, Span
from ui.demoshop.otlp import attributes, resource, scope, span_id, trace_id
from ui.demoshop.protobuf import double, fixed64, held, packed_doubles, packed_fixed64, text, whole

CUMULATIVE = 2
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds: those that OpenTelemetry's conventions advise for http.server.request.duration."""


@dataclass(slots=True)
class Histogram:
    """Durations since the beginning, in seconds. Of the latest interval the slowest span is kept, as an exemplar."""

    told: Attributes
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0
    slowest: Span | None = None

    def add(self, span: Span) -> None:
        took = seconds(span)
        self.counts[bisect.bisect_left(BOUNDS, took)] += 1
        self.total += took
        if self.slowest is None or took > seconds(self.slowest):
            self.slowest = span


@dataclass(frozen=True, slots=True)
class Reading:
    """A gauge's value, or with `rising` that of a sum since the beginning."""

    name: str
    unit: str
    value: float
    told: Attributes = field(default_factory=dict)
    rising: bool = False


def seconds(span: Span) -> float:
    return (span.end - span.start) / 1e9


def metrics_of(
    service: str, version: str, readings: Iterable[Reading], histograms: Iterable[Histogram], began: int, now: int
) -> bytes:
    """One service's `ResourceMetrics`, as a field of the request: requests are these one after the other. Times: nanoseconds."""
    metrics = [held(2, _reading(each, began, now)) for each in readings]
    points = [held(1, _histogram_point(each, began, now)) for each in histograms]
    if points:
        data = held(9, b"".join(points) + whole(2, CUMULATIVE))
        metrics.append(held(2, text(1, "http.server.request.duration") + text(3, "s") + data))
    return held(1, held(1, resource(service, version)) + held(2, held(1, scope()) + b"".join(metrics)))


def _reading(one: Reading, began: int, now: int) -> bytes:
    point = fixed64(2, began) + fixed64(3, now) + double(4, one.value) + attributes(7, one.told)
    data = held(7, held(1, point) + whole(2, CUMULATIVE) + whole(3, 1)) if one.rising else held(5, held(1, point))
    return text(1, one.name) + text(3, one.unit) + data


def _histogram_point(one: Histogram, began: int, now: int) -> bytes:
    point = [fixed64(2, began), fixed64(3, now), fixed64(4, sum(one.counts)), double(5, one.total)]
    point += (packed_fixed64(6, one.counts), packed_doubles(7, BOUNDS))
    if one.slowest is not None:
        slow = one.slowest
        ids = held(4, span_id(slow.span)) + held(5, trace_id(slow.trace))
        point.append(held(8, fixed64(2, slow.end) + double(3, seconds(slow)) + ids))
    return b"".join((*point, attributes(9, one.told)))
