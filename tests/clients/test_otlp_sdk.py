"""What OpenTelemetry's own SDK for Python sends, over gRPC and over HTTP, arrives as it was meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from collector.receivers.otlp import OtlpGrpc, OtlpHttp, OtlpReceiver
from monitor.model.spans import PeerKind
from tests.collector.receivers.otlp.recording import Recording, details_of

RESOURCE = Resource({"service.name": "checkout", "host.name": "web-1", "deployment.environment.name": "prod"})
TAGS = 'env="prod",host="web-1",service="checkout"'
Exporters = tuple[Recording, Callable[..., Any], Callable[[], Any], Callable[[], Any]]


@pytest.fixture(params=["grpc", "http", "http with gzip"])
async def exporters(request: pytest.FixtureRequest) -> AsyncIterator[Exporters]:
    """What was got, and makers of the exporters of metrics, spans and logs."""
    got = Recording()
    receiver = OtlpReceiver(got)
    if request.param == "grpc":
        grpc = OtlpGrpc(receiver, "127.0.0.1", 0)
        await grpc.start()
        to: dict[str, Any] = {"endpoint": f"http://127.0.0.1:{grpc.port}", "insecure": True}
        yield got, lambda **more: GrpcMetrics(**to, **more), lambda: GrpcSpans(**to), lambda: GrpcLogs(**to)
        await grpc.stop()
        return
    http = OtlpHttp(receiver, "127.0.0.1", 0)
    await http.start()
    url = f"http://127.0.0.1:{http.port}"
    packing = Compression.Gzip if "gzip" in request.param else Compression.NoCompression
    yield (
        got,
        lambda **more: HttpMetrics(f"{url}/v1/metrics", compression=packing, **more),
        lambda: HttpSpans(f"{url}/v1/traces", compression=packing),
        lambda: HttpLogs(f"{url}/v1/logs", compression=packing),
    )
    await http.stop()


async def send_metrics(exporter: Any, record: Callable[[Any], None], **options: Any) -> None:
    """Record with a meter, export, record, export, and shut down."""

    def work() -> None:
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False, **options)
        meter = provider.get_meter("shop")
        record(meter)
        assert provider.force_flush()
        record(meter)
        provider.shutdown()

    await asyncio.to_thread(work)


async def test_cumulative_metrics_arrive_as_readings_and_increments(exporters: Exporters) -> None:
    got, metrics, _, _ = exporters

    def record(meter: Any) -> None:
        meter.create_counter("orders.placed", unit="{order}").add(3, {"kind": "web"})
        meter.create_up_down_counter("carts.open").add(2)
        meter.create_gauge("queue.depth", unit="By").set(17)
        meter.create_histogram("checkout.duration", unit="s", explicit_bucket_boundaries_advisory=[1, 10]).record(0.5)

    await send_metrics(metrics(), record)
    orders = 'orders.placed{env="prod",host="web-1",kind="web",service="checkout"}'
    assert [value for _, value in got.readings()[orders]] == [0, 3, 6]
    assert [value for _, value in got.increments()[orders]] == [3, 3]
    assert [value for _, value in got.gauges()[f"carts.open{{{TAGS}}}"]] == [2, 4]
    assert got.gauges()[f"queue.depth{{{TAGS}}}"][-1][1] == 17
    assert got.units()["queue.depth"] == "bytes"
    assert got.units()["orders.placed"] == ""
    bucket = 'checkout.duration_bucket{env="prod",host="web-1",le="1",service="checkout"}'
    assert [value for _, value in got.readings()[bucket]] == [0, 1, 2]
    counts = [sum(counts.values()) for _, _, counts in got.distributions()[f"checkout.duration{{{TAGS}}}"]]
    assert counts == [0, 1, 1]


async def test_delta_metrics_arrive_as_running_totals(exporters: Exporters) -> None:
    got, metrics, _, _ = exporters
    temporality = {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}

    def record(meter: Any) -> None:
        meter.create_counter("orders.placed").add(3)
        meter.create_histogram("checkout.duration").record(120.0)

    await send_metrics(
        metrics(preferred_temporality=temporality),
        record,
        views=[View(instrument_name="checkout.duration", aggregation=ExponentialBucketHistogramAggregation())],
    )
    orders = f"orders.placed{{{TAGS}}}"
    assert [value for _, value in got.readings()[orders]] == [0, 3, 6]
    assert [value for _, value in got.increments()[orders]] == [3, 3]
    told = got.distributions()[f"checkout.duration{{{TAGS}}}"]
    assert [summed for _, summed, _ in told] == [0, 120, 120]
    assert [sum(counts.values()) for _, _, counts in told] == [0, 1, 1]


async def test_spans_arrive_with_their_parents_peers_and_details(exporters: Exporters) -> None:
    got, _, spans, _ = exporters

    def work() -> None:
        provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(spans()))
        tracer = provider.get_tracer("shop", "1.2")
        with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER) as outer:
            outer.set_attribute("http.route", "/cart")
            with tracer.start_as_current_span(
                "SELECT", kind=SpanKind.CLIENT, attributes={"db.system.name": "postgresql", "db.namespace": "orders"}
            ) as inner:
                inner.add_event("retry", {"attempt": 2})
                inner.set_status(StatusCode.ERROR, "connection lost")
        provider.shutdown()

    await asyncio.to_thread(work)
    found = got.spans_got()
    assert [found.texts[place] for place in found.names] == ["SELECT", "GET /cart"]
    assert {found.texts[place] for place in found.services} == {"checkout"}
    assert found.traces[0].tolist() == found.traces[1].tolist()
    assert found.parents.tolist() == [found.ids[1], 0]
    assert found.statuses.tolist() == [2, 0]
    assert (found.texts[found.peers[0]], found.peer_kinds[0]) == ("postgresql/orders", PeerKind.DATABASE)
    assert found.durations[1] >= found.durations[0] > 0
    told = details_of(found.details[0])
    assert told["attributes"] == {"db.system.name": "postgresql", "db.namespace": "orders"}
    assert told["resource"]["service.name"] == "checkout"
    assert told["scope"] == {"name": "shop", "version": "1.2"}
    assert told["message"] == "connection lost"
    assert told["events"][0]["name"] == "retry"
    assert told["events"][0]["attributes"] == {"attempt": 2}


async def test_log_records_arrive_with_the_span_they_were_written_in(exporters: Exporters) -> None:
    got, _, _, logs = exporters
    spans: list[tuple[int, int]] = []

    def work() -> None:
        provider = LoggerProvider(RESOURCE, shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(logs()))
        logger = provider.get_logger("shop.cart")
        tracer = TracerProvider(resource=RESOURCE, shutdown_on_exit=False).get_tracer("shop")
        with tracer.start_as_current_span("GET /cart") as span:
            spans.append((span.get_span_context().trace_id, span.get_span_context().span_id))
            logger.emit(
                severity_number=SeverityNumber.WARN, severity_text="WARN", body="the cart is empty", attributes={"cart.size": 0}
            )
        provider.shutdown()

    await asyncio.to_thread(work)
    found = got.logs_got()
    assert list(found.bodies) == ["the cart is empty"]
    assert found.severities.tolist() == [13]
    assert [found.texts[place] for place in found.services] == ["checkout"]
    (high, low), (trace, span) = found.traces[0].tolist(), spans[0]
    assert (high << 64 | low, int(found.spans[0])) == (trace, span)
    told = details_of(found.details[0])
    assert told["attributes"]["cart.size"] == 0
    assert told["severity"] == "WARN"


async def test_an_exporter_that_was_refused_comes_again_when_it_was_told_to(exporters: Exporters) -> None:
    got, metrics, _, _ = exporters
    got.refusing = "the disk is full"

    def record(meter: Any) -> None:
        meter.create_counter("orders.placed").add(3)

    sending = asyncio.create_task(send_metrics(metrics(preferred_temporality={Counter: AggregationTemporality.DELTA}), record))
    await asyncio.wait_for(got.was_refused.wait(), 20)
    got.refusing = ""
    await sending
    assert [value for _, value in got.readings()[f"orders.placed{{{TAGS}}}"]] == [0, 3, 6]
