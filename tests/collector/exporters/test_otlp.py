"""Export by OTLP: what OpenTelemetry's own messages and servers read is what was handed over."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import importlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from collector.exporters.exporter import Patience, bounds_of
from collector.exporters.otlp import OtlpExporter
from collector.exporters.otlp_channel import Protocol, retry_delay
from collector.exporters.otlp_spans import MOST_BYTES, log_requests, span_requests
from collector.exporters.otlp_wire import any_value
from collector.protobuf.wire import varint
from collector.storage.remote.target import RemoteTarget
from monitor.model.logs import Logs
from monitor.model.matchers import Selector, parse_selector
from monitor.model.series import Kind
from monitor.model.spans import Spans
from monitor.query.history import STALE
from monitor.windows.bins import bins_of
from tests.collector.waits import running, until

QUICK = Patience(answer=5.0, least=0.01, longest=0.02)
SERVICES = ("", "shop", "GET /cart", "pay", "db")


def some_spans(count: int = 3, padding: int = 0) -> Spans:
    detail = {
        "attributes": {"http.route": "/cart", "retry": 2, "ratio": 0.5, "cold": True, "list": [1, "a"], "map": {"b": None}},
        "resource": {"service.name": "shop", "host.name": "web-1"},
        "scope": {"name": "lib", "version": "1"},
        "events": [{"time": 1_700_000_000_000_000_005, "name": "exception", "attributes": {"exception.type": "X"}}],
        "links": [{"trace": "0" * 31 + "7", "span": "0" * 15 + "9"}],
        "message": "no stock",
    }
    if padding:
        detail["attributes"] = {"text": "x" * padding}
    return Spans(
        SERVICES,
        np.array([[1, n + 1] for n in range(count)], np.uint64),
        np.arange(1, count + 1, dtype=np.uint64),
        np.array([0, *range(1, count)], np.uint64),
        np.full(count, 1_700_000_000_000_000_000),
        np.arange(count) * 1000,
        np.full(count, 1, np.int32),
        np.full(count, 2, np.int32),
        np.full(count, 2, np.int8),
        np.full(count, 2, np.int8),
        np.zeros(count, np.int32),
        np.zeros(count, np.int8),
        [msgspec.msgpack.encode(detail)] * count,
    )


def some_logs(count: int = 3) -> Logs:
    detail = msgspec.msgpack.encode({"attributes": {"user": "mira"}, "severity": "WARNING", "resource": {"service.name": "shop"}})
    return Logs(
        SERVICES,
        np.arange(count) + 1_700_000_000_000_000_000,
        np.full(count, 13, np.int8),
        np.full(count, 1, np.int32),
        np.array([[0, 0], *([[5, 6]] * (count - 1))], np.uint64),
        np.array([0, *([7] * (count - 1))], np.uint64),
        [f"line {n}" for n in range(count)],
        [detail] * count,
    )


def test_spans_are_what_opentelemetry_reads() -> None:
    (body, count), *rest = span_requests(some_spans(), {"env": "prod"})
    assert (count, rest) == (3, [])
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert {pair.key: pair.value.string_value for pair in resource.resource.attributes} == {
        "service.name": "shop", "host.name": "web-1", "env": "prod"
    }  # fmt: skip
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("lib", "1")
    first, second, _ = scope.spans
    assert (first.trace_id.hex(), first.span_id.hex(), first.parent_span_id) == (
        "0" * 15 + "1" + "0" * 15 + "1",
        "0" * 15 + "1",
        b"",
    )
    assert second.parent_span_id.hex() == "0" * 15 + "1"
    assert (first.name, first.kind, first.status.code, first.status.message) == ("GET /cart", 2, 2, "no stock")
    assert second.end_time_unix_nano - second.start_time_unix_nano == 1000
    values = {pair.key: pair.value for pair in first.attributes}
    assert (values["retry"].int_value, values["ratio"].double_value, values["cold"].bool_value) == (2, 0.5, True)
    assert [each.WhichOneof("value") for each in values["list"].array_value.values] == ["int_value", "string_value"]
    assert first.events[0].name == "exception"
    assert (first.links[0].trace_id[-1], first.links[0].span_id[-1]) == (7, 9)


def test_log_records_are_what_opentelemetry_reads() -> None:
    ((body, count),) = log_requests(some_logs(), {})
    (scope,) = ExportLogsServiceRequest.FromString(body).resource_logs[0].scope_logs
    assert count == len(scope.log_records) == 3
    first, second, _ = scope.log_records
    assert (first.body.string_value, first.severity_number, first.severity_text, first.trace_id) == ("line 0", 13, "WARNING", b"")
    assert second.trace_id.hex() == "0" * 15 + "5" + "0" * 15 + "6"
    assert second.span_id.hex() == "0" * 15 + "7"


def test_many_spans_go_in_requests_that_servers_take() -> None:
    requests = list(span_requests(some_spans(50, padding=100_000), {}))
    assert len(requests) > 2
    assert max(len(body) for body, _ in requests) < MOST_BYTES + 200_000
    assert sum(count for _, count in requests) == 50


def test_damaged_details_cost_the_details_only() -> None:
    broken = replace(some_spans(1), details=[b"\xc1\xff"])
    ((body, count),) = span_requests(broken, {})
    (span,) = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    assert (count, span.name) == (1, "GET /cart")


def test_values_that_nest_without_end_are_cut() -> None:
    value: Any = "deep"
    for _ in range(500):
        value = [value]
    assert len(any_value(value)) < 200
    assert any_value(1 << 70) == any_value(str(1 << 70))


@dataclass
class Server:
    """Takes requests after it has used up its answers: names of gRPC codes, or HTTP statuses."""

    answers: list[Any] = field(default_factory=list)
    requests: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def of(self, kind: Callable[..., Any], path: str) -> list[Any]:
        return [kind.FromString(body) for at, body, _ in self.requests if path in at]  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def http_server(server: Server) -> AsyncIterator[None]:
    async def handle(request: web.Request) -> web.Response:
        body = (
            gzip.decompress(await request.read()) if request.headers.get("Content-Encoding") == "gzip" else await request.read()
        )
        if server.answers:
            return web.Response(status=server.answers.pop(0), text="no", headers={"Retry-After": "0"})
        server.requests.append((request.path, body, dict(request.headers)))
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf")

    app = web.Application(client_max_size=1 << 26, handler_args={"auto_decompress": False})
    app.router.add_post("/v1/{signal}", handle)
    async with TestServer(app) as running_server:
        server.url = str(running_server.make_url(""))
        yield


@contextlib.asynccontextmanager
async def grpc_server(server: Server) -> AsyncIterator[None]:
    grpc: Any = importlib.import_module("grpc.aio").grpc

    class Services(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
        def service(self, details: Any) -> Any:
            async def handle(message: bytes, context: Any) -> bytes:
                if server.answers:
                    await context.abort(getattr(grpc.StatusCode, server.answers.pop(0)), "no")
                server.requests.append((details.method, message, dict(details.invocation_metadata)))
                return b""

            return grpc.unary_unary_rpc_method_handler(handle)

    made = grpc.aio.server()
    made.add_generic_rpc_handlers((Services(),))
    port = made.add_insecure_port("127.0.0.1:0")
    server.url = f"http://127.0.0.1:{port}"
    await made.start()
    try:
        yield
    finally:
        await made.stop(None)


SERVERS = {"grpc": grpc_server, "http": http_server}
AWAY: dict[str, list[Any]] = {"grpc": ["UNAVAILABLE", "UNAVAILABLE"], "http": [503, 429]}
REFUSES: dict[str, list[Any]] = {"grpc": ["INVALID_ARGUMENT"], "http": [400]}


def exporter(folder: Path, server: Server, protocol: Protocol, selector: Selector | None = None) -> OtlpExporter:
    target = RemoteTarget(server.url, server.url, {"X-Tenant": "shop"})
    return OtlpExporter(
        "otlp", folder, target, selector or Selector(), {"env": "prod"}, bounds_of(1 << 20),
        protocol=protocol, patience=QUICK, age=0.01,
    )  # fmt: skip


@pytest.fixture(params=["grpc", "http"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    found: Protocol = request.param
    return found


async def test_spans_and_records_arrive_whatever_the_server_does_meanwhile(tmp_path: Path, protocol: Protocol) -> None:
    server = Server(AWAY[protocol])
    async with SERVERS[protocol](server):
        one = exporter(tmp_path, server, protocol)
        async with running(one.run()):
            one.spans(some_spans(5))
            one.logs(some_logs(4))
            await until(lambda: one.idle)
        figures = one.figures()
        one.close()
    traces, logs = server.of(ExportTraceServiceRequest, "race"), server.of(ExportLogsServiceRequest, "ogs")
    assert sum(len(s.spans) for r in traces for x in r.resource_spans for s in x.scope_spans) == 5
    assert sum(len(s.log_records) for r in logs for x in r.resource_logs for s in x.scope_logs) == 4
    assert (figures["export_sent_total"], figures["export_failures_total"], figures["export_refused_total"]) == (9, 2, 0)
    assert {name.lower(): value for name, value in server.requests[0][2].items()}["x-tenant"] == "shop"


async def test_what_is_refused_is_dropped_alone(tmp_path: Path, protocol: Protocol) -> None:
    server = Server(list(REFUSES[protocol]))
    async with SERVERS[protocol](server):
        one = exporter(tmp_path, server, protocol)
        async with running(one.run()):
            one.spans(some_spans(5))
            await until(lambda: one.idle)
            one.spans(some_spans(2))
            await until(lambda: one.idle)
        assert (one.figures()["export_sent_total"], one.figures()["export_refused_total"]) == (2, 5)
        assert any("refused 5 spans" in note for note in one.notes())
        one.close()


async def test_metrics_are_cumulative_sums_gauges_and_exponential_histograms(tmp_path: Path, protocol: Protocol) -> None:
    server = Server(list(AWAY[protocol]))
    observed = np.concatenate((np.random.default_rng(2).lognormal(0, 2, 300), [0.0, -1.5]))
    async with SERVERS[protocol](server):
        one = exporter(tmp_path, server, protocol, parse_selector('{__name__=~"shop.*"}'))
        sink = one.sink
        assert sink is not None
        labels = [(("__name__", name), ("zone", "a")) for name in ("shop.hits", "shop.depth", "shop.latency", "other")]
        kinds = [Kind.COUNTER, Kind.GAUGE, Kind.DISTRIBUTION, Kind.GAUGE]
        hits, depth, latency, other = sink.intern(labels, [int(kind) for kind in kinds], ["", "bytes", "ms", ""]).tolist()
        assert other == -1
        sink.append(np.array([hits] * 3 + [depth] * 2), np.array([1000, 2000, 3000, 1000, 2000]), np.array([0, 5, 2, 7.5, STALE]))
        bins, counts = np.unique(bins_of(observed), return_counts=True)
        sink.append_histograms(
            np.array([latency]),
            np.array([2000]),
            np.array([0, len(bins)]),
            bins,
            counts.astype(np.float64),
            np.array([observed.sum()]),
        )
        assert sink.commit()
        async with running(one.run()):
            await until(lambda: one.idle)
        assert one.figures()["export_sent_total"] == 6
        one.close()
    scopes = [s for r in server.of(ExportMetricsServiceRequest, "etrics") for x in r.resource_metrics for s in x.scope_metrics]
    metrics = {metric.name: metric for scope in scopes for metric in scope.metrics}
    assert set(metrics) == {"shop.hits", "shop.depth", "shop.latency"}
    total = metrics["shop.hits"].sum
    assert (total.is_monotonic, total.aggregation_temporality) == (True, 2)
    assert [(p.as_double, p.time_unix_nano // 10**6, p.start_time_unix_nano // 10**6) for p in total.data_points] == [
        (0, 1000, 1000), (5, 2000, 1000), (2, 3000, 3000)
    ]  # fmt: skip
    assert {pair.key: pair.value.string_value for pair in total.data_points[0].attributes} == {"zone": "a", "env": "prod"}
    first, ended = metrics["shop.depth"].gauge.data_points
    assert (first.as_double, first.flags, ended.flags, metrics["shop.depth"].unit) == (7.5, 0, 1, "bytes")
    (point,) = metrics["shop.latency"].exponential_histogram.data_points
    assert (point.count, point.zero_count, point.sum) == (302, 1, pytest.approx(observed.sum()))
    assert sum(point.positive.bucket_counts) == 300
    base = 2.0 ** (2.0**-point.scale)
    at = int(np.argmax(point.positive.bucket_counts))
    lower = base ** (point.positive.offset + at)
    inside = (observed > lower * (1 + 1e-12)) & (observed <= lower * base * (1 + 1e-12))
    assert point.positive.bucket_counts[at] == inside.sum()


async def test_spans_that_were_queued_go_after_a_restart(tmp_path: Path) -> None:
    server = Server(["UNAVAILABLE"] * 10_000)
    async with grpc_server(server):
        one = exporter(tmp_path, server, "grpc")
        async with running(one.run()):
            one.spans(some_spans(5))
            await until(lambda: one.figures()["export_failures_total"] > 1)
        one.close()
        server.answers.clear()
        one = exporter(tmp_path, server, "grpc")
        async with running(one.run()):
            await until(lambda: one.idle)
        one.close()
    assert one.figures()["export_sent_total"] == 5


def test_a_retry_info_says_how_long_to_wait() -> None:
    url, delay = b"type.googleapis.com/google.rpc.RetryInfo", b"\x0a\x07\x08\x03\x10" + varint(250_000_000)
    inner = b"\x0a" + bytes((len(url),)) + url + b"\x12" + bytes((len(delay),)) + delay
    assert retry_delay(b"\x08\x08\x1a" + bytes((len(inner),)) + inner) == 3.25
    assert retry_delay(b"\x08\x08") is None
    assert retry_delay(b"\xff\xff\xff") is None


async def test_nothing_is_left_running(tmp_path: Path) -> None:
    one = exporter(tmp_path, Server(url="http://127.0.0.1:1"), "grpc")
    async with running(one.run()):
        await asyncio.sleep(0)
    one.close()
    assert len(asyncio.all_tasks()) == 1
