"""What a million metric points and a million spans cost over OTLP: CPU from the bytes of a request to batches and columns.

Requests are as SDKs and collectors send them: forty metrics of one resource with 250 points of five attributes each, cumulative
sums and gauges; spans of a server and its clients with eight attributes, one of which is never the same. Prints one JSON
line last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from collector.receivers.otlp.receiver import OtlpReceiver
from collector.receivers.otlp.signals import LOGS, METRICS, TRACES, Signal
from monitor.alerting.model import Event
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from tests.benchmarks.report import report

NOW = 1_700_000_000 * 10**9
SECOND = 10**9


class Nowhere:
    """Accepts everything and keeps nothing."""

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None: ...

    async def spans(self, spans: Spans) -> None: ...

    async def logs(self, logs: Logs) -> None: ...

    def events(self, events: Sequence[Event]) -> None: ...


def pair(key: str, value: str | int) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value))


RESOURCE = [pair("service.name", "checkout"), pair("host.name", "web-1"), pair("deployment.environment.name", "prod")]


def metrics(points: int, moment: int) -> bytes:
    """A request with so many points, half sums, half gauges; the same series each time."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(RESOURCE)
    scope = resource.scope_metrics.add()
    scope.scope.name = "bench"
    for number in range(points // 250):
        metric = scope.metrics.add(name=f"http.server.thing_{number}", unit="By")
        if number % 2:
            metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            metric.sum.is_monotonic = True
        data = metric.sum.data_points if number % 2 else metric.gauge.data_points
        for place in range(250):
            data.add(
                start_time_unix_nano=NOW - 3600 * SECOND,
                time_unix_nano=NOW + moment * 10 * SECOND,
                as_double=moment * 7.5 + place,
                attributes=[
                    pair("http.request.method", "GET" if place % 2 else "POST"),
                    pair("http.route", f"/api/v1/things/{place // 10}"),
                    pair("http.response.status_code", 200 + place % 5),
                    pair("network.protocol.version", "1.1"),
                    pair("server.address", "shop.example"),
                ],
            )
    return request.SerializeToString()


def histograms(points: int, moment: int) -> bytes:
    """A request with so many cumulative histograms of fifteen buckets."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(RESOURCE)
    metric = resource.scope_metrics.add().metrics.add(name="http.server.duration", unit="s")
    metric.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    for place in range(points):
        counts = [moment * 3 + place % 4] * 15
        metric.histogram.data_points.add(
            start_time_unix_nano=NOW - 3600 * SECOND,
            time_unix_nano=NOW + moment * 10 * SECOND,
            count=sum(counts),
            sum=float(sum(counts)),
            bucket_counts=counts,
            explicit_bounds=[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
            attributes=[pair("http.route", f"/api/v1/things/{place}"), pair("http.request.method", "GET")],
        )
    return request.SerializeToString()


def traces(spans: int, moment: int) -> bytes:
    """A request with so many spans: one of a server, three of clients below it."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(RESOURCE)
    scope = resource.scope_spans.add()
    scope.scope.name = "bench"
    for place in range(spans):
        trace = os.urandom(16)
        span = scope.spans.add(
            trace_id=trace,
            span_id=os.urandom(8),
            parent_span_id=b"" if place % 4 == 0 else os.urandom(8),
            name=f"GET /api/v1/things/{place % 50}",
            kind=2 if place % 4 == 0 else 3,
            start_time_unix_nano=NOW + moment * SECOND + place,
            end_time_unix_nano=NOW + moment * SECOND + place + 12_345_678,
        )
        span.attributes.extend(
            [
                pair("http.request.method", "GET"),
                pair("http.route", f"/api/v1/things/{place % 50}"),
                pair("http.response.status_code", 200 + place % 5),
                pair("server.address", "shop.example"),
                pair("network.protocol.version", "1.1"),
                pair("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
                pair("thread.id", place % 16),
                pair("request.id", trace.hex()),
            ]
        )
    return request.SerializeToString()


def logs(records: int, moment: int) -> bytes:
    """A request with so many records."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.extend(RESOURCE)
    scope = resource.scope_logs.add()
    for place in range(records):
        record = scope.log_records.add(
            time_unix_nano=NOW + moment * SECOND + place,
            severity_number=9,
            severity_text="INFO",
            trace_id=os.urandom(16),
            span_id=os.urandom(8),
        )
        record.body.string_value = f"handled request {place} in {place % 90} ms"
        record.attributes.extend(
            [pair("logger.name", "shop.checkout"), pair("thread.id", place % 16), pair("code.lineno", place % 200)]
        )
    return request.SerializeToString()


async def cost(signal: Signal, make: Callable[[int, int], bytes], size: int, requests: int) -> float:
    """CPU seconds a million, after a first request that brings the series."""
    receiver = OtlpReceiver(Nowhere(), clock=lambda: NOW / 1e9)
    bodies = [make(size, moment) for moment in range(requests + 1)]
    await receiver.take(signal, bodies[0])
    began = time.process_time()
    for body in bodies[1:]:
        await receiver.take(signal, body)
    return (time.process_time() - began) / (size * requests) * 1e6


def main() -> None:
    """Prints the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10)
    requests = parser.parse_args().requests
    figures = {
        "cpu_s_per_m_points": asyncio.run(cost(METRICS, metrics, 10_000, requests)),
        "cpu_s_per_m_histograms": asyncio.run(cost(METRICS, histograms, 2_000, requests)),
        "cpu_s_per_m_spans": asyncio.run(cost(TRACES, traces, 5_000, requests)),
        "cpu_s_per_m_log_records": asyncio.run(cost(LOGS, logs, 5_000, requests)),
    }
    bars: dict[str, tuple[float | None, float | None]] = {"cpu_s_per_m_points": (10.0, 5.0), "cpu_s_per_m_spans": (15.0, 10.0)}
    report("otlp", {name: round(value, 2) for name, value in figures.items()}, bars)


if __name__ == "__main__":
    main()
