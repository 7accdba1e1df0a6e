"""What programs speak already reaches a real collector: the series, the map and the traces; and what was acknowledged stays."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, push_to_gateway

from monitor.wire import messages as m
from tests.running import Collector, collector, until
from ui.command.ask import conversation

SENDER = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

resource = Resource.create({"service.name": "api"})
spans = TracerProvider(resource=resource)
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint="http://127.0.0.1:%(grpc)d", insecure=True)))
tracer = spans.get_tracer("shop")
for number in range(40):
    with tracer.start_as_current_span("GET /cart", kind=trace.SpanKind.SERVER) as span:
        with tracer.start_as_current_span(
            "SELECT", kind=trace.SpanKind.CLIENT, attributes={"db.system": "postgresql", "db.name": "orders"}
        ):
            pass
        if number %% 4 == 0:
            span.set_status(trace.Status(trace.StatusCode.ERROR, "no stock"))
spans.shutdown()
reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint="%(http)s/v1/metrics"))
meter = MeterProvider(resource=resource, metric_readers=[reader])
orders = meter.get_meter("shop").create_counter("orders")
orders.add(5)
meter.force_flush()
orders.add(7)
meter.shutdown()
"""


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("ingest")) as running:
        ports = {"grpc": running.otlp_grpc_port, "http": running.url}
        subprocess.run([sys.executable, "-c", SENDER % ports], check=True, timeout=60)
        yield running


def asked(one: Collector, query: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{one.url}/api/v1/query?query={urllib.parse.quote(query)}", timeout=10) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
    return found


def value(one: Collector, query: str) -> float | None:
    found = asked(one, query)
    return float(found[0]["value"][1]) if found else None


def test_metrics_of_an_sdk_are_there_under_their_names(one: Collector) -> None:
    assert until(lambda: value(one, 'orders{service="api"}'), "the counter is told") == 12.0


def test_spans_make_rates_errors_and_the_map(one: Collector) -> None:
    calls = 'sum by (status_code) (traces_spanmetrics_calls_total{service="api", span_name="GET /cart"})'
    until(lambda: len(asked(one, calls)) == 2, "the calls are counted")
    assert {each["metric"]["status_code"]: each["value"][1] for each in asked(one, calls)} == {
        "STATUS_CODE_ERROR": "10",
        "STATUS_CODE_UNSET": "30",
    }
    edge = 'traces_service_graph_request_total{client="api", server="postgresql/orders", connection_type="database"}'
    assert until(lambda: value(one, edge), "the edge is there") == 40.0


def test_a_trace_is_found_by_what_it_holds_and_opened(one: Collector) -> None:
    with conversation(one.url, 10.0) as talk:
        talk.send(m.FindTraces(id=talk.number(), service="api", error=True, limit=50))
        while not isinstance(found := talk.receive(), m.TracesFound):
            assert not isinstance(found, m.Reply), found
        assert len(found.traces) == 10
        talk.send(m.GetTrace(id=talk.number(), trace=found.traces[0].trace))
        while not isinstance(opened := talk.receive(), m.TraceFound):
            assert not isinstance(opened, m.Reply), opened
    assert [(span.operation, span.kind, span.status, span.message) for span in opened.spans] == [
        ("GET /cart", "server", "error", "no stock"),
        ("SELECT", "client", "unset", ""),
    ]
    assert opened.spans[1].peer == "postgresql/orders"


def test_what_is_pushed_stays_over_a_restart(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    Counter("backups", "Backups done.", registry=registry).inc(3)
    with collector(tmp_path) as running:
        push_to_gateway(running.url, job="nightly", registry=registry)
        assert until(lambda: value(running, 'backups_total{job="nightly"}'), "it is told") == 3.0
        until((running.data / "pushed.msgpack").exists, "it is kept")
        running.kill()
        running.start()
        with urllib.request.urlopen(f"{running.url}/api/v1/metrics", timeout=10) as answer:
            assert "backups" in answer.read().decode()


def told(number: int) -> bytes:
    point = {"asInt": str(number), "timeUnixNano": str(time.time_ns()), "attributes": []}
    metric = {"name": f"acked.{number}", "gauge": {"dataPoints": [point]}}
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).encode()


def test_what_was_acknowledged_outlives_kill_9_and_is_there_once(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    stop = threading.Event()

    def send() -> None:
        number = 0
        while not stop.is_set():
            request = urllib.request.Request(f"{running.url}/v1/metrics", told(number), {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    if answer.status == 200:
                        acknowledged.append(number)
            except OSError:
                stop.wait(0.02)
            number += 1

    with collector(tmp_path) as running:
        sender = threading.Thread(target=send)
        sender.start()
        try:
            for _ in range(4):
                before = len(acknowledged)
                until(lambda: len(acknowledged) >= before + 25, "some are acknowledged")  # noqa: B023
                running.kill()
                running.start()
        finally:
            stop.set()
            sender.join()
        found = {each["metric"]["__name__"]: each["values"] for each in asked(running, '{__name__=~"acked[.].*"}[10m]')}
    assert [number for number in acknowledged if f"acked.{number}" not in found] == []
    assert all(len(values) == 1 for values in found.values())
    assert all(float(values[0][1]) == float(name.split(".")[1]) for name, values in found.items())
