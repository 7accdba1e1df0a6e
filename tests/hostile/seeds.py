"""Good inputs of every receiver, from which broken ones are made."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.protobuf.read import ReadQuery, ReadRequest, encode_read_request
from collector.receivers.remote_write.negotiation import Version
from monitor.model.matchers import Matcher
from monitor.query.histogram import Buckets, Histogram
from tests.collector.receivers.datadog import packing
from tests.collector.receivers.otlp.recording import pairs
from tests.collector.receivers.prometheus import protobufs
from tests.collector.receivers.remote_write.written import drawn, encoded, labels

NOW = time.time_ns() // 10**9 * 10**9
MILLIS = NOW // 10**6
RESOURCE = {
    "service.name": "cart",
    "host.name": "web-1",
    "deployment.environment.name": "prod",
    "n": 5,
    "list": ["a", {"b": [1.5]}],
}
PROTOBUF, JSON, MSGPACK = "application/x-protobuf", "application/json", "application/msgpack"


def _metrics() -> list[ExportMetricsServiceRequest]:
    plain, drawn_ones = ExportMetricsServiceRequest(), ExportMetricsServiceRequest()
    under = plain.resource_metrics.add()
    under.resource.attributes.extend(pairs(RESOURCE))
    scope = under.scope_metrics.add()
    scope.scope.name = "shop"
    times = {"start_time_unix_nano": NOW - 60 * 10**9, "time_unix_nano": NOW}
    gauge = scope.metrics.add(name="queue.depth", unit="{items}", description="Waiting.")
    gauge.gauge.data_points.add(as_double=4.5, attributes=pairs({"queue": "a"}), **times)
    gauge.gauge.data_points.add(as_int=-3, attributes=pairs({"queue": "b", "ok": True}), **times)
    for temporality, monotonic in ((1, True), (2, True), (2, False)):
        total = scope.metrics.add(name=f"orders.{temporality}.{monotonic}", unit="1")
        total.sum.aggregation_temporality, total.sum.is_monotonic = temporality, monotonic  # type: ignore[assignment]
        total.sum.data_points.add(as_int=7, attributes=pairs({"code": 200}), **times)
    under = drawn_ones.resource_metrics.add()
    under.resource.attributes.extend(pairs({"service.name": "cart"}))
    scope = under.scope_metrics.add()
    for temporality in (1, 2):
        metric = scope.metrics.add(name=f"latency.{temporality}", unit="s")
        metric.histogram.aggregation_temporality = temporality  # type: ignore[assignment]
        point = metric.histogram.data_points.add(count=6, sum=3.5, min=0.1, max=2.0, **times)
        point.bucket_counts.extend([1, 2, 3])
        point.explicit_bounds.extend([0.25, 1.0])
        metric = scope.metrics.add(name=f"sizes.{temporality}", unit="By")
        metric.exponential_histogram.aggregation_temporality = temporality  # type: ignore[assignment]
        wide = metric.exponential_histogram.data_points.add(
            count=9, sum=30.0, scale=3, zero_count=1, zero_threshold=1e-9, **times
        )
        wide.positive.offset, wide.negative.offset = -2, 4
        wide.positive.bucket_counts.extend([1, 0, 3])
        wide.negative.bucket_counts.extend([4])
    summary = scope.metrics.add(name="old.summary").summary.data_points.add(count=4, sum=8.0, **times)
    summary.quantile_values.add(quantile=0.5, value=1.0)
    summary.quantile_values.add(quantile=0.99, value=3.0)
    return [plain, drawn_ones]


def _traces() -> list[ExportTraceServiceRequest]:
    request = ExportTraceServiceRequest()
    under = request.resource_spans.add()
    under.resource.attributes.extend(pairs(RESOURCE))
    scope = under.scope_spans.add()
    scope.scope.name, scope.scope.version = "shop", "1"
    for number in range(1, 4):
        span = scope.spans.add(
            trace_id=b"t" * 16,
            span_id=bytes([number]) * 8,
            parent_span_id=bytes([number - 1]) * 8,
            name="GET /cart",
            kind=number,
            start_time_unix_nano=NOW - 10**9,
            end_time_unix_nano=NOW,
            trace_state="a=b",
            attributes=pairs({"http.request.method": "GET", "peer.service": "db", "db.system": "postgresql", "big": "x" * 300}),
        )
        span.status.code, span.status.message = 2, "no stock"  # type: ignore[assignment]
        span.events.add(time_unix_nano=NOW, name="exception", attributes=pairs({"exception.type": "E"}))
        span.links.add(trace_id=b"u" * 16, span_id=b"v" * 8, attributes=pairs({"why": "retry"}))
    return [request]


def _logs() -> list[ExportLogsServiceRequest]:
    request = ExportLogsServiceRequest()
    under = request.resource_logs.add()
    under.resource.attributes.extend(pairs(RESOURCE))
    scope = under.scope_logs.add()
    record = scope.log_records.add(
        time_unix_nano=NOW,
        observed_time_unix_nano=NOW,
        severity_number=17,
        severity_text="ERROR",
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
        attributes=pairs({"code.function": "f", "map": {"a": [1, 2, {"b": None}]}}),
    )
    record.body.string_value = "the cart is empty"
    scope.log_records.add(time_unix_nano=NOW).body.kvlist_value.values.extend(pairs({"message": "structured", "n": 1}))
    return [request]


REQUESTS: dict[str, list[Any]] = {"metrics": _metrics(), "traces": _traces(), "logs": _logs()}
OTLP = {signal: [request.SerializeToString() for request in requests] for signal, requests in REQUESTS.items()}
_AS_HEX = {"traceId", "spanId", "parentSpanId"}


def _otlp_json(request: Any) -> bytes:
    told = json_format.MessageToDict(request, use_integers_for_enums=True)
    return msgspec.json.encode(_hex(told))


def _hex(told: object) -> object:
    if isinstance(told, dict):
        return {key: "7" * (32 if key == "traceId" else 16) if key in _AS_HEX else _hex(value) for key, value in told.items()}
    return [_hex(value) for value in told] if isinstance(told, list) else told


OTLP_JSON = {signal: [_otlp_json(request) for request in requests] for signal, requests in REQUESTS.items()}

_NAMES = [labels("http_requests_total", code="200", job="api"), labels("queue_depth", job="api")]
_TIMES = {_NAMES[0]: [(MILLIS, 5.0), (MILLIS + 1, 6.0)], _NAMES[1]: [(MILLIS, 0.0)]}
_DRAWN = Histogram.of(0, 12.0, 20.5, zero_count=2.0, positive=Buckets(np.array([1, 2, 4], np.int32), np.array([3.0, 4.0, 3.0])))
WRITES = {
    version: [
        encoded(version, _TIMES, {"http_requests_total": "counter", "queue_depth": "gauge"}),
        drawn(version, labels("latency_seconds", job="api"), [(MILLIS, _DRAWN), (MILLIS + 1, _DRAWN)]),
    ]
    for version in Version
}

_SPAN = {
    "service": "cart",
    "name": "http.request",
    "resource": "GET /cart",
    "type": "web",
    "trace_id": 123,
    "span_id": 2**63 + 5,
    "parent_id": 4,
    "start": NOW,
    "duration": 10**6,
    "error": 1,
    "meta": {"http.status_code": "500", "span.kind": "client", "peer.service": "db", "_dd.p.tid": "6"},
    "metrics": {"_sampling_priority_v1": 1.0, "_dd.measured": 1.0},
    "span_links": [{"trace_id": 1, "span_id": 2, "attributes": {"a": "b"}}],
}
_CHUNKS = [[_SPAN, {**_SPAN, "span_id": 9, "parent_id": 2**63 + 5, "error": 0}], [_SPAN]]
DATADOG = {
    "/v0.3/traces": [packing.plain(_CHUNKS)],
    "/v0.4/traces": [packing.plain(_CHUNKS)],
    "/v0.5/traces": [packing.packed(_CHUNKS)],
    "/v0.7/traces": [packing.tracer_payload(_CHUNKS, env="prod", hostname="web-1", language_name="python")],
    "/v0.6/stats": [msgspec.msgpack.encode({"Hostname": "a", "Stats": [{"Start": 1, "Duration": 2, "Stats": []}]})],
}
DATADOG_JSON = [packing.as_json(_CHUNKS)]

STATSD = [
    b"page.views:1|c",
    b"fuel.level:-0.5|g",
    b"song.length:240|h|@0.5",
    b"users.uniques:1234|s",
    b"users.online:1|c|#country:china,env:prod",
    b"request.time:1:2.25:3|ms|@0.1|#a:b|c:83c0a99c|T1656581400",
    b"load:1|d\nload:2|d\n\nload:3|g|#x",
    b"_e{21,36}:An exception occurred|Cannot parse CSV file from 10.0.0.17|t:warning|#err_type:bad_file|p:low|h:web",
    b"_sc|Redis connection|2|#env:dev|m:Redis connection timed out after 10s",
]

TEXT = [
    b'# HELP a text\n# TYPE a counter\na_total{x="1",y="b\\"c"} 5\n# TYPE g gauge\ng 1e5\ng2{} -Inf\n',
    b'# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n',
    b'# TYPE s summary\ns{quantile="0.5"} NaN\ns_sum 1\ns_count 2\n{"quoted.name",a="b"} 1\n',
]
OPENMETRICS = [
    b'# HELP a text\n# TYPE a counter\na_total{x="1",y="b\\"c"} 5 17 # {id="q"} 0.5 1\na_created 4\n# EOF\n',
    b'# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n# EOF\n',
    b"# TYPE g gauge\n# UNIT g_seconds seconds\ng 1e5\ng2{} -Inf 1700000000000\n# EOF\n",
]
_NATIVE = protobufs.native(3, 1, [(0, 2), (3, 1)], [1, 1, -1])
EXPOSITION = [
    protobufs.family("a_total", protobufs.COUNTER, protobufs.metric(protobufs.COUNTER, protobufs.value(5.0), {"x": "1"})),
    protobufs.family("g", protobufs.GAUGE, protobufs.metric(protobufs.GAUGE, protobufs.value(-2.5), {"x": "1"}, MILLIS)),
    protobufs.family("s", protobufs.SUMMARY, protobufs.metric(protobufs.SUMMARY, protobufs.summary(3, 4.0, {0.5: 1.0}))),
    protobufs.family(
        "h", protobufs.HISTOGRAM, protobufs.metric(protobufs.HISTOGRAM, protobufs.histogram(4, 6.0, {1.0: 1, 2.0: 4}, _NATIVE))
    ),
]

FAMILIES = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

_ASKED = ReadQuery(MILLIS - 3_600_000, MILLIS, (Matcher("__name__", "=~", "http.*"), Matcher("job", "=", "api")))
READS = [encode_read_request(ReadRequest((_ASKED, _ASKED)))]

EVENTS = [
    b'{"text": "api 1.4", "kind": "deploy", "who": "mira", "tags": {"service": "api"}, "at": %d}' % (NOW // 10**9),
    b'[{"text": "a"}, {"text": "b", "kind": "incident"}]',
]
GROUPS = [b"job/nightly", b"job/nightly/instance/db1", b"job@base64/bmlnaHRseQ/path@base64/L2E", b"job/a/b/c/d/e"]
QUERIES = [
    b'sum by (job) (rate(http_requests_total{code=~"2.."}[5m])) / 2',
    b"histogram_quantile(0.9, latency)",
    b'label_replace(a, "b", "$1", "c", "(.*)")',
    b"max_over_time(rate(a[1m])[1h:5m] offset 5m) > bool 3 and on (x) b",
    b"topk(3, -a ^ 2) or absent(nothing) @ 1609746000",
    b'{__name__="queue.depth"}',
    b"predict_linear(a[5m], 3600) unless ignoring (x) group_left () b",
    b"quantile_over_time(0.5, a[5m])",
]
