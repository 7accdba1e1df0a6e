"""What goes over the wire, read by decoders that are not ours."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from tests.ui.demoshop.test_shop import BEGAN, at, first, lived, spans_of
from ui.demoshop import datadog, otlp, protobuf, statsd
from ui.demoshop.happened import Event, Span, Value
from ui.demoshop.incidents import PROVIDER
from ui.demoshop.measures import Counted, Observed
from ui.demoshop.rules import CONFIG, RULES
from ui.demoshop.sending import events
from ui.demoshop.services import SERVICES
from ui.demoshop.shop import Traffic


@pytest.fixture(scope="module")
def traffic() -> list[Traffic]:
    return at(first(PROVIDER).starts + 10, 10)


@given(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text(), st.booleans())
def test_values_come_back_as_they_were(number: int, share: float, words: str, flag: bool) -> None:
    told: dict[str, Value] = {
        "number": number if number < 2**63 else number - 2**64,
        "share": share,
        "words": words,
        "flag": flag,
    }
    message = ExportTraceServiceRequest.FromString(
        protobuf.held(1, protobuf.held(1, otlp.attributes(1, told)))  # resource_spans, resource, attributes
    )
    found: dict[str, KeyValue] = {each.key: each for each in message.resource_spans[0].resource.attributes}
    assert found["number"].value.int_value == told["number"]
    assert found["share"].value.double_value == share
    assert found["words"].value.string_value == words
    assert found["flag"].value.WhichOneof("value") == "bool_value"
    assert found["flag"].value.bool_value == flag


def test_spans_are_what_opentelemetry_reads(traffic: list[Traffic]) -> None:
    spans = spans_of(traffic)
    message = ExportTraceServiceRequest.FromString(otlp.spans_request(spans))
    read: dict[int, tuple[str, ProtoSpan]] = {}
    for resource in message.resource_spans:
        service = next(each.value.string_value for each in resource.resource.attributes if each.key == "service.name")
        for one in resource.scope_spans[0].spans:
            read[int.from_bytes(one.span_id, "big")] = service, one
    assert len(read) == len(spans)
    for span in spans:
        service, told = read[span.span]
        assert (service, told.name, told.kind) == (span.service, span.name, span.kind)
        assert int.from_bytes(told.trace_id, "big") == span.trace
        assert int.from_bytes(told.parent_span_id, "big") == span.parent
        assert (told.start_time_unix_nano, told.end_time_unix_nano) == (span.start, span.end)
        assert (told.status.code == 2, told.status.message) == (bool(span.error), span.error)
        assert len(told.events) == bool(span.raised)
        assert {each.key for each in told.attributes} == set(span.attributes)


def test_logs_are_what_opentelemetry_reads(traffic: list[Traffic]) -> None:
    logs = [log for each in traffic for log in each.logs]
    message = ExportLogsServiceRequest.FromString(otlp.logs_request(logs))
    read = [record for resource in message.resource_logs for record in resource.scope_logs[0].log_records]
    assert sorted((one.time_unix_nano, one.severity_number, one.body.string_value) for one in read) == sorted(
        (log.time, log.severity, log.body) for log in logs
    )
    assert {int.from_bytes(one.trace_id, "big") for one in read} - {0} == {log.trace for log in logs if not log.trace_in_text}


def test_histograms_add_up_and_their_exemplars_point_at_traces(traffic: list[Traffic]) -> None:
    observed = Observed(int(BEGAN * 1e9))
    for each in traffic:
        observed.add(each.spans)
    now = int((BEGAN + 300) * 1e9)
    message = ExportMetricsServiceRequest.FromString(observed.request(traffic[-1].conditions, now))
    metrics = [metric for resource in message.resource_metrics for metric in resource.scope_metrics[0].metrics]
    assert {metric.WhichOneof("data") for metric in metrics} == {"gauge", "sum", "histogram"}
    traces = {span.trace: span for span in spans_of(traffic)}
    points = [point for metric in metrics for point in metric.histogram.data_points]
    for point in points:
        assert sum(point.bucket_counts) == point.count > 0
        assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
        (exemplar,) = point.exemplars
        assert int.from_bytes(exemplar.trace_id, "big") in traces
    served = [span for span in spans_of(traffic) if span.kind == 2 and not SERVICES[span.service].datadog]
    assert sum(point.count for point in points) == len(served)
    assert sum(point.sum for point in points) == pytest.approx(sum((span.end - span.start) / 1e9 for span in served))


def test_datadog_spans_join_the_others_in_their_trace(traffic: list[Traffic]) -> None:
    spans = [span for span in spans_of(traffic) if SERVICES[span.service].datadog]
    by_id: dict[int, Span] = {span.span: span for span in spans}
    chunks: Any = msgspec.msgpack.decode(datadog.traces(spans))
    assert sum(map(len, chunks)) == len(spans)
    for chunk in chunks:
        upper = int(chunk[0]["meta"]["_dd.p.tid"], 16)
        for told in chunk:
            span = by_id[told["span_id"]]
            assert upper << 64 | told["trace_id"] == span.trace
            assert (told["parent_id"], told["start"], told["duration"]) == (span.parent, span.start, span.end - span.start)
            assert told["error"] == bool(span.error)
            assert all(isinstance(value, str) for value in told["meta"].values())
            assert all(isinstance(value, float) for value in told["metrics"].values())


def test_lines_are_dogstatsd_and_tell_every_kind(traffic: list[Traffic]) -> None:
    counted = Counted()
    lines = [line for each in traffic for line in counted.lines(each)]
    shape = re.compile(r"[a-z_.]+:[^|]+\|(c|g|ms|h|d|s)(\|#[a-z_]+:[^|,]+(,[a-z_]+:[^|,]+)*)?")
    kinds = {match[1] for line in lines if (match := shape.fullmatch(line))}
    assert kinds == {"c", "g", "ms", "h", "d", "s"}
    assert {line.split("|")[0] for line in lines if not shape.fullmatch(line)} == {"_sc"}


def test_counters_that_stand_still_are_told_too() -> None:
    lines = list(Counted().lines(lived(0)[0]))
    assert {f"shop.errors:0|c|#service:{name}" for name in SERVICES} <= set(lines)


def test_datagrams_are_whole_lines_within_a_packet(traffic: list[Traffic]) -> None:
    lines = list(Counted().lines(traffic[-1]))
    packets = list(statsd.datagrams(lines))
    assert max(map(len, packets)) <= statsd.DATAGRAM
    assert b"\n".join(packets).decode().split("\n") == lines


def test_events_are_json() -> None:
    assert msgspec.json.decode(events([Event(12.5, "deploy", "web 5.3.0 deployed", {"service": "web"})])) == [
        {"text": "web 5.3.0 deployed", "kind": "deploy", "tags": {"service": "web"}, "at": 12.5}
    ]


def test_its_rules_and_settings_are_good() -> None:
    from monitor.alerting.rules import parse_rules
    from monitor.settings.load import load_settings

    assert len(parse_rules(RULES, "shop.toml")) == 7
    assert load_settings(CONFIG, "lightship.toml")["name"] == "demo shop"
