"""Exemplars through a real collector: from what programs send to the trace that opens, and over a restart."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collector.receivers.prometheus.limits import ExpositionLimits
from collector.receivers.prometheus.openmetrics import check_openmetrics
from monitor.wire import messages as m
from tests.peers import need
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
reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint="%(http)s/v1/metrics"))
meter = MeterProvider(resource=resource, metric_readers=[reader]).get_meter("shop")
seconds, orders = meter.create_histogram("shop.checkout.duration", unit="s"), meter.create_counter("shop.orders")
for number, took in enumerate((0.004, 7.0, 700.0)):
    with tracer.start_as_current_span("checkout", kind=trace.SpanKind.SERVER) as span:
        seconds.record(took, {"route": "/pay"})
        if number == 2:
            orders.add(3)
            span.set_status(trace.Status(trace.StatusCode.ERROR, "no stock"))
            print(format(span.get_span_context().trace_id, "032x"))
spans.shutdown()
reader.shutdown()
"""


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, str]]:
    """A collector that a program sent to, and the id of its slowest trace."""
    with collector(tmp_path_factory.mktemp("exemplars"), config="host = false\n") as running:
        ports = {"grpc": running.otlp_grpc_port, "http": running.url}
        done = subprocess.run([sys.executable, "-c", SENDER % ports], check=True, timeout=60, capture_output=True, text=True)
        yield running, done.stdout.strip()


def asked(one: Collector, query: str) -> list[dict[str, Any]]:
    now = time.time()
    parameters = urllib.parse.urlencode({"query": query, "start": now - 600, "end": now + 60})
    with urllib.request.urlopen(f"{one.url}/api/v1/query_exemplars?{parameters}", timeout=10) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]
    return found


def buckets(found: list[dict[str, Any]]) -> dict[str, str]:
    """By the bound of a bucket the value of its exemplar."""
    return {each["seriesLabels"]["le"]: each["exemplars"][0]["value"] for each in found}


def test_a_histogram_of_an_sdk_has_an_exemplar_in_each_bucket(sent: tuple[Collector, str]) -> None:
    one, trace = sent
    query = 'histogram_quantile(0.95, sum by (le) (rate(shop_checkout_duration_bucket{route="/pay"}[5m])))'
    found = until(lambda: asked(one, query), "the exemplars are there")
    assert buckets(found) == {"5": "0.004", "10": "7", "750": "700"}
    slowest = next(each for each in found if each["seriesLabels"]["le"] == "750")
    assert slowest["seriesLabels"]["service"] == "api"
    assert slowest["exemplars"][0]["labels"]["trace_id"] == trace


def test_what_came_with_buckets_answers_for_the_histogram(sent: tuple[Collector, str]) -> None:
    one, _ = sent
    found = until(lambda: asked(one, "histogram_quantile(0.9, rate(shop_checkout_duration[5m]))"), "the exemplars are there")
    assert all(each["exemplars"] for each in found)
    assert all("le" not in each["seriesLabels"] for each in found)


def test_a_counter_has_them_too(sent: tuple[Collector, str]) -> None:
    one, trace = sent
    found = until(lambda: asked(one, "rate(shop_orders[5m])"), "the exemplar is there")
    assert [(each["value"], each["labels"]["trace_id"]) for each in found[0]["exemplars"]] == [("3", trace)]


def test_the_trace_that_an_exemplar_tells_opens(sent: tuple[Collector, str]) -> None:
    one, _ = sent
    found = until(lambda: asked(one, 'shop_checkout_duration_bucket{le="750"}'), "the exemplar is there")
    told = found[0]["exemplars"][0]["labels"]
    with conversation(one.url, 10.0) as talk:
        talk.send(m.GetTrace(id=talk.number(), trace=told["trace_id"]))
        while not isinstance(opened := talk.receive(), m.TraceFound):
            assert not isinstance(opened, m.Reply), opened
    assert [(span.span, span.operation) for span in opened.spans] == [(told["span_id"], "checkout")]


def exposed(one: Collector, selector: str, accept: str) -> str:
    address = f"{one.url}/metrics?{urllib.parse.urlencode({'match[]': selector})}"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": accept}), timeout=10) as answer:
        return str(answer.read().decode())


def parsed(text: str) -> list[Any]:
    """The families as the real client reads them."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def test_openmetrics_gives_them_on_and_the_older_text_does_not(sent: tuple[Collector, str]) -> None:
    one, trace = sent
    selector = '{__name__=~"shop.*", __name__!~"shop_checkout_duration|shop.checkout.duration"}'
    until(lambda: f'trace_id="{trace}"' in exposed(one, selector, "application/openmetrics-text"), "the exemplars are exposed")
    text = exposed(one, selector, "application/openmetrics-text; version=1.0.0")
    check_openmetrics(text.split("\n")[:-1], ExpositionLimits())
    families = {family.name: family for family in parsed(text)}
    told = {
        sample.labels["le"]: (sample.exemplar.value, sample.exemplar.labels.get("trace_id"))
        for sample in families["shop_checkout_duration"].samples
        if sample.exemplar is not None
    }
    assert told["750.0"] == (700.0, trace)
    assert set(told) == {"5.0", "10.0", "750.0"}
    plain = exposed(one, selector, "text/plain")
    assert " # {" not in plain
    promtool = need("promtool", "prometheus")
    run = subprocess.run([promtool, "check", "metrics"], input=plain, text=True, capture_output=True, timeout=30, check=False)
    assert "error" not in run.stderr.lower(), run.stderr


def test_the_stream_tells_those_that_stand_out(sent: tuple[Collector, str]) -> None:
    one, trace = sent
    now = time.time()
    with conversation(one.url, 10.0) as talk:
        exprs = ("shop_checkout_duration", "rate(shop_checkout_duration_bucket[1m])", "(")
        talk.send(m.GetExemplars(talk.number(), exprs, now - 600, now + 60))
        while not isinstance(found := talk.receive(), m.ExemplarsFound):
            assert not isinstance(found, m.Reply), found
    assert {each.asked for each in found.exemplars} == {0, 1}
    assert trace in {each.trace for each in found.exemplars}


def test_spans_make_exemplars_of_their_rates_and_durations(sent: tuple[Collector, str]) -> None:
    one, trace = sent
    found = until(lambda: asked(one, 'traces_spanmetrics_calls_total{status_code="STATUS_CODE_ERROR"}'), "the call is told")
    assert [each["labels"]["trace_id"] for each in found[0]["exemplars"]] == [trace]
    assert asked(one, "histogram_quantile(0.9, rate(traces_spanmetrics_latency[5m]))")


class Exposed(BaseHTTPRequestHandler):
    """Serves what a registry of the real client has, as OpenMetrics."""

    registry = CollectorRegistry()

    def do_GET(self) -> None:
        body = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_what_a_target_exposes_is_scraped_stays_over_a_restart_and_is_escaped(tmp_path: Path) -> None:
    hostile = 'a"b\\c\nd\u202e'
    Histogram("cart_seconds", "Time.", registry=Exposed.registry).observe(0.3, {"trace_id": "ab" * 16, "who": hostile})
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exposed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = f'host = false\n[[scrape]]\nurl = "http://127.0.0.1:{server.server_port}/metrics"\ninterval = "1s"\ntimeout = "1s"\n'
    try:
        with collector(tmp_path, config=config) as running:
            found = until(lambda: asked(running, "cart_seconds_bucket"), "the exemplar is scraped")
            assert [(each["value"], each["labels"]) for each in found[0]["exemplars"]] == [
                ("0.3", {"trace_id": "ab" * 16, "who": hostile})
            ]
            text = exposed(running, '{__name__=~"cart_seconds.*"}', "application/openmetrics-text")
            check_openmetrics(text.split("\n")[:-1], ExpositionLimits())
            running.stop()
            server.shutdown()
            running.start()
            assert asked(running, "cart_seconds_bucket") == found
            assert "lightship_exemplars 1" in running.metrics()
    finally:
        server.server_close()


def test_remote_write_sends_them_on(tmp_path: Path) -> None:
    with collector(tmp_path / "far", config="host = false\n") as far:
        export = f'[[export]]\nkind = "remote_write"\nurl = "{far.url}/api/v1/write"\ntags = {{ from = "near" }}\n'
        with collector(tmp_path / "near", config=f"host = false\n{export}") as near:
            ports = {"grpc": near.otlp_grpc_port, "http": near.url}
            done = subprocess.run([sys.executable, "-c", SENDER % ports], check=True, timeout=60, capture_output=True, text=True)
            found = until(lambda: asked(far, 'shop_checkout_duration_bucket{le="750",from="near"}'), "they are there", 30)
    assert found[0]["exemplars"][0]["labels"]["trace_id"] == done.stdout.strip()
