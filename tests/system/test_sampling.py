"""Sampling in a real collector, fed by the OpenTelemetry SDK: all is counted, and what is stored is whole traces."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from monitor.wire import messages as m
from tests.running import Collector, collector, until
from ui.command.ask import conversation

SENDER = """
import sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace._sampling_experimental import composable_traceid_ratio_based, composite_sampler
from opentelemetry.sdk.trace.export import BatchSpanProcessor

port, count, every, share = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
more = {} if share == 1 else {"sampler": composite_sampler(composable_traceid_ratio_based(share))}
tracers = []
for service in ("web", "shop"):
    provider = TracerProvider(resource=Resource.create({"service.name": service}), **more)
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}", insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=100000, max_export_batch_size=100))
    tracers.append((provider, provider.get_tracer("t")))
sent = 0
for number in range(count):
    with tracers[0][1].start_as_current_span("GET /", kind=trace.SpanKind.SERVER):
        with tracers[0][1].start_as_current_span("call", kind=trace.SpanKind.CLIENT):
            with tracers[1][1].start_as_current_span("pay", kind=trace.SpanKind.SERVER) as span:
                sent += span.is_recording()
                if every and number % every == 0:
                    span.set_status(trace.Status(trace.StatusCode.ERROR, "no stock"))
for provider, _ in tracers:
    provider.shutdown()
print(sent)
"""


def send(one: Collector, count: int, every: int = 0, share: float = 1.0) -> int:
    """Sends traces of three spans from two services, every so many-th with an error; how many were sampled by the SDK."""
    arguments = [str(each) for each in (one.otlp_grpc_port, count, every, share)]
    done = subprocess.run([sys.executable, "-c", SENDER, *arguments], check=True, timeout=60, capture_output=True, text=True)
    return int(done.stdout)


def value(one: Collector, query: str) -> float:
    with urllib.request.urlopen(f"{one.url}/api/v1/query?query={urllib.parse.quote(query)}", timeout=10) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def stored(one: Collector, errors: bool = False) -> dict[str, int]:
    """Spans of each trace that is found, by its id."""
    with conversation(one.url, 10.0) as talk:

        def ask(request: Any, answer: type) -> Any:
            talk.send(request)
            while not isinstance(found := talk.receive(), answer):
                assert not isinstance(found, m.Reply), found
            return found

        traces = ask(m.FindTraces(id=talk.number(), error=errors, limit=1000), m.TracesFound).traces
        spans = Counter(
            {each.trace: len(ask(m.GetTrace(id=talk.number(), trace=each.trace), m.TraceFound).spans) for each in traces}
        )
    return dict(spans)


CALLS = 'sum(traces_spanmetrics_calls_total{span_name="GET /"})'
EDGE = 'traces_service_graph_request_total{client="web", server="shop"}'


def test_all_calls_are_counted_while_a_quarter_of_the_traces_is_kept_whole(tmp_path: Path) -> None:
    with collector(tmp_path, "host = false\ntrace_share = 0.25\n") as one:
        send(one, 400)
        until(lambda: value(one, CALLS) == 400, "all calls are counted")
        until(lambda: value(one, EDGE) == 400, "all calls between services are counted")
        found = stored(one)
    assert 60 <= len(found) <= 140
    assert set(found.values()) == {3}
    randomness = [int(trace, 16) & (2**56 - 1) for trace in found]
    assert min(randomness) >= 0.75 * 2**56, "whoever samples by the same rule keeps the same"


def test_what_the_sdk_left_out_is_counted_by_what_it_let_through(tmp_path: Path) -> None:
    with collector(tmp_path, "host = false\n") as one:
        sent = send(one, 300, share=0.25)
        assert 30 <= sent <= 130
        until(lambda: value(one, CALLS) == 4 * sent, "each counts as four")
        latency = 'histogram_count(sum(traces_spanmetrics_latency{span_name="GET /"}))'
        until(lambda: value(one, latency) == 4 * sent, "its duration too")


def test_the_tail_keeps_all_errors_whole_and_a_kill_costs_none(tmp_path: Path) -> None:
    text = 'host = false\ntail = true\ntail_wait = "4s"\ntail_share = 0\n'
    with collector(tmp_path, text) as one:
        send(one, 200, every=10)
        assert stored(one) == {}, "nobody finds a part of what is not decided"
        one.kill()
        one.start()
        send(one, 100, every=10)
        found = until(lambda: len(all_found := stored(one)) >= 30 and all_found, "they are decided", pause=0.5)
        assert len(found) == 30
        assert set(found.values()) == {3}
        assert stored(one, errors=True) == found
        assert value(one, CALLS) >= 100
        until(lambda: "lightship_tail_dropped_traces_total 270" in one.metrics(), "the others are counted")
        held = one.data / "traces" / "held"
        until(lambda: not list(held.glob("*.spans")), "nothing waits in the journal")


def one_span(trace: int, service: str, error: bool) -> bytes:
    now = time.time_ns()
    span = {
        "traceId": f"{trace:032x}",
        "spanId": f"{(trace << 1 | (service == 'shop')) + 2:016x}",
        "name": "pay",
        "kind": 2,
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 1000),
        "status": {"code": 2} if error else {},
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}).encode()


def test_every_answered_trace_with_an_error_outlives_kill_9_whole(tmp_path: Path) -> None:
    answered: set[tuple[int, str]] = set()
    stop = threading.Event()

    def post(trace: int, service: str, error: bool) -> None:
        body = one_span(trace, service, error)  # the same when it is sent again
        while not stop.is_set() and (trace, service) not in answered:
            request = urllib.request.Request(f"{one.url}/v1/traces", body, {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    if answer.status == 200:
                        answered.add((trace, service))
            except OSError:
                stop.wait(0.02)

    def work() -> None:
        for trace in itertools.count(1):
            post(trace, "web", error=False)
            post(trace, "shop", error=trace % 2 == 0)
            if stop.is_set():
                return

    text = 'host = false\ntail = true\ntail_wait = "1s"\ntail_share = 0\n'
    with collector(tmp_path, text) as one:
        sender = threading.Thread(target=work)
        sender.start()
        try:
            for _ in range(3):
                before = len(answered)
                until(lambda: len(answered) >= before + 80, "some are answered")  # noqa: B023
                one.kill()
                one.start()
        finally:
            stop.set()
            sender.join()
        wanted = {f"{trace:032x}" for trace, service in answered if service == "shop" and trace % 2 == 0}
        found = until(lambda: (now := stored(one)).keys() >= wanted and now, "all that was answered is decided", pause=0.5)
        assert {trace: found[trace] for trace in wanted} == dict.fromkeys(wanted, 2)
        assert all(int(trace, 16) % 2 == 0 for trace in found), "and nothing that was to go"


def test_at_a_stop_what_waits_is_decided(tmp_path: Path) -> None:
    text = 'host = false\ntail = true\ntail_wait = "60s"\ntail_share = 0\n'
    with collector(tmp_path, text) as one:
        send(one, 40, every=10)
        began = time.monotonic()
        one.stop()
        assert time.monotonic() - began < 15
        one.start()
        assert set(stored(one).values()) == {3}
        assert len(stored(one)) == 4
