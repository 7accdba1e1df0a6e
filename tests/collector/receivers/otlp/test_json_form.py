"""OTLP/JSON says what its protobuf form says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.receivers.otlp.json_form import to_protobuf
from collector.receivers.otlp.schema import UnreadableError
from tests.collector.receivers.otlp.recording import pairs

EXAMPLES = Path(__file__).parents[5] / "shared" / "data" / "otlp"
TIME = 1544712660300000000
SCOPE = {"name": "my.library", "version": "1.0.0"}


def below(under: Any) -> Any:
    """The scope of the examples, below their resource."""
    under.resource.attributes.extend(pairs({"service.name": "my.service"}))
    scope = under.scope_spans.add() if hasattr(under, "scope_spans") else None
    scope = scope or (under.scope_logs.add() if hasattr(under, "scope_logs") else under.scope_metrics.add())
    scope.scope.name, scope.scope.version = "my.library", "1.0.0"
    scope.scope.attributes.extend(pairs({"my.scope.attribute": "some scope attribute"}))
    return scope


def metrics() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    scope = below(request.resource_metrics.add())

    def tags(name: str) -> Any:
        return pairs({f"{name}.attr": "some value"})

    counter = scope.metrics.add(name="my.counter", unit="1", description="I am a Counter").sum
    counter.aggregation_temporality, counter.is_monotonic = 1, True
    counter.data_points.add(as_double=5, start_time_unix_nano=TIME, time_unix_nano=TIME, attributes=tags("my.counter"))
    gauge = scope.metrics.add(name="my.gauge", unit="1", description="I am a Gauge").gauge
    gauge.data_points.add(as_double=10, time_unix_nano=TIME, attributes=tags("my.gauge"))
    histogram = scope.metrics.add(name="my.histogram", unit="1", description="I am a Histogram").histogram
    histogram.aggregation_temporality = 1
    histogram.data_points.add(
        start_time_unix_nano=TIME, time_unix_nano=TIME, count=2, sum=2, bucket_counts=[1, 1], explicit_bounds=[1], min=0, max=2,
        attributes=tags("my.histogram")
    )  # fmt: skip
    name = "my.exponential.histogram"
    exponential = scope.metrics.add(name=name, unit="1", description="I am an Exponential Histogram").exponential_histogram
    exponential.aggregation_temporality = 1
    point = exponential.data_points.add(
        start_time_unix_nano=TIME, time_unix_nano=TIME, count=3, sum=10, scale=0, zero_count=1, min=0, max=5, zero_threshold=0,
        attributes=tags(name)
    )  # fmt: skip
    point.positive.offset = 1
    point.positive.bucket_counts.extend([0, 2])
    return request


def traces() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    below(request.resource_spans.add()).spans.add(
        trace_id=bytes.fromhex("5B8EFFF798038103D269B633813FC60C"),
        span_id=bytes.fromhex("EEE19B7EC3C1B174"),
        parent_span_id=bytes.fromhex("EEE19B7EC3C1B173"),
        name="I'm a server span",
        start_time_unix_nano=1544712660000000000,
        end_time_unix_nano=1544712661000000000,
        kind=2,
        attributes=pairs({"my.span.attr": "some value"}),
    )
    return request


def logs() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    record = below(request.resource_logs.add()).log_records.add(
        time_unix_nano=TIME, observed_time_unix_nano=TIME, severity_number=10, severity_text="Information",
        trace_id=bytes.fromhex("5B8EFFF798038103D269B633813FC60C"), span_id=bytes.fromhex("EEE19B7EC3C1B174"),
        attributes=pairs(
            {"string.attribute": "some string", "boolean.attribute": True, "int.attribute": 10, "double.attribute": 637.704,
             "array.attribute": ["many", "values"], "map.attribute": {"some.map.key": "some value"}}
        )
    )  # fmt: skip
    record.body.string_value = "Example log record"
    return request


def events() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    scope = below(request.resource_logs.add())
    record = scope.log_records.add(
        time_unix_nano=TIME, observed_time_unix_nano=TIME, severity_number=9, severity_text="test severity text",
        event_name="browser.page_view", attributes=pairs({"event.attribute": "some event attribute"})
    )  # fmt: skip
    record.body.kvlist_value.values.extend(
        pairs(
            {
                "type": 0,
                "url": "https://www.guidgenerator.com/online-guid-generator.aspx",
                "referrer": "https://wwww.google.com",
                "title": "Free Online GUID Generator",
            }
        )
    )
    return request


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the specification's examples are not here")
@pytest.mark.parametrize(
    ("name", "made"), [("metrics.json", metrics), ("trace.json", traces), ("logs.json", logs), ("events.json", events)]
)
def test_the_specifications_examples_are_their_protobuf_form(name: str, made: Callable[[], Any]) -> None:
    expected = made()
    assert type(expected).FromString(to_protobuf((EXAMPLES / name).read_bytes(), type(expected))) == expected


def read(told: Any) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(to_protobuf(json.dumps(told).encode(), ExportTraceServiceRequest))


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert read({"resourceSpans": [{"new": {"traceId": "00"}, "schemaUrl": "x"}], "other": 1}).resource_spans[0].schema_url == "x"


def test_numbers_may_be_text_and_null_is_nothing() -> None:
    span = {"startTimeUnixNano": 5, "endTimeUnixNano": "6", "name": None, "kind": 3}
    found = read({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).resource_spans[0].scope_spans[0].spans[0]
    assert (found.start_time_unix_nano, found.end_time_unix_nano, found.name, found.kind) == (5, 6, "", 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"resourceSpans": 7}',
        b'{"resourceSpans": [7]}',
        b'{"resourceSpans": [{"resource": 7}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 7}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"resourceSpans": ' + b"[" * 500 + b"]" * 500 + b"}",
    ],
)
def test_what_is_no_otlp_json_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        to_protobuf(data, ExportTraceServiceRequest)
