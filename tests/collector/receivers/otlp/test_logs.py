"""What log records come to: bodies as text, severities, and the trace they belong to wherever it is written."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.collector.receivers.otlp.recording import NOW, Station, details_of, nano, pairs, value_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
HIGH, LOW = int(TRACE[:16], 16), int(TRACE[16:], 16)
SPAN = "b7ad6b7169203331"


def taken(body: Any = "hello", attributes: dict[str, Any] | None = None, **fields: Any) -> Station:
    station = Station(clock=NOW + 9)
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    scope.log_records.add(body=value_of(body), attributes=pairs(attributes or {}), **fields)
    station.logs(request)
    return station


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("plain", "plain"),
        (7, "7"),
        (0.5, "0.5"),
        (True, "true"),
        (b"\x00\xff", "AP8="),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (None, ""),
    ],
)
def test_a_body_of_any_type_is_text(body: Any, text: str) -> None:
    assert list(taken(body).got.logs_got().bodies) == [text]


def test_a_record_without_a_time_is_of_when_it_was_observed_or_of_now() -> None:
    assert taken(time_unix_nano=nano(1), observed_time_unix_nano=nano(2)).got.logs_got().times.tolist() == [nano(1)]
    assert taken(observed_time_unix_nano=nano(2)).got.logs_got().times.tolist() == [nano(2)]
    assert taken().got.logs_got().times.tolist() == [nano(9)]


def test_a_severity_that_is_only_a_word_is_understood() -> None:
    station = taken(severity_text="Error")
    assert station.got.logs_got().severities.tolist() == [17]
    assert details_of(station.got.logs_got().details[0]) == {"severity": "Error"}
    assert taken(severity_text="whatever", severity_number=200).got.logs_got().severities.tolist() == [0]


def test_an_event_is_its_name() -> None:
    station = taken(None, {"a": 1}, event_name="page.view")
    assert list(station.got.logs_got().bodies) == ["page.view"]
    assert details_of(station.got.logs_got().details[0]) == {"attributes": {"a": 1, "event.name": "page.view"}}


@pytest.mark.parametrize(
    ("body", "attributes", "expected"),
    [
        ("x", {"trace_id": TRACE, "span_id": SPAN}, (HIGH, LOW, int(SPAN, 16))),
        ("x", {"traceId": TRACE.upper(), "spanId": SPAN}, (HIGH, LOW, int(SPAN, 16))),
        ("x", {"trace-id": TRACE[16:]}, (0, LOW, 0)),
        ("x", {"dd.trace_id": "1234567890123456", "dd.span_id": "77"}, (0, 1234567890123456, 77)),
        ("x", {"dd": {"trace_id": 42, "span_id": 43}}, (0, 42, 43)),
        ("x", {"trace_id": 42}, (0, 42, 0)),
        ("x", {"traceparent": f"00-{TRACE}-{SPAN}-01"}, (HIGH, LOW, int(SPAN, 16))),
        ({"msg": "x", "trace_id": TRACE}, {}, (HIGH, LOW, 0)),
        ('{"msg": "x", "trace_id": "' + TRACE + '"}', {}, (HIGH, LOW, 0)),
        ('{"trace_id": broken', {}, (0, 0, 0)),
        ("x", {"trace_id": "not an id"}, (0, 0, 0)),
        ("x", {"trace_id": "0" * 32}, (0, 0, 0)),
        ("x", {"trace_id": "9" * 39}, (0, 0, 0)),
        ("x", {"trace_id": True}, (0, 0, 0)),
        ("x", {"traceparent": "00-zz"}, (0, 0, 0)),
    ],
)
def test_a_trace_is_found_where_loggers_write_it(body: Any, attributes: dict[str, Any], expected: tuple[int, int, int]) -> None:
    found = taken(body, attributes).got.logs_got()
    assert (*found.traces[0].tolist(), int(found.spans[0])) == expected


def test_the_records_own_ids_count_before_all_others() -> None:
    found = taken(attributes={"trace_id": TRACE}, trace_id=bytes(15) + b"\x07", span_id=bytes(7) + b"\x08").got.logs_got()
    assert (*found.traces[0].tolist(), int(found.spans[0])) == (0, 7, 8)


def test_a_body_is_cut_and_a_time_beyond_all_is_left_out() -> None:
    station = taken("x" * 100_000)
    assert [len(body) for body in station.got.logs_got().bodies] == [65_536]
    assert station.receiver.figures()["otlp_cut_total"] == 1
    assert len(taken(time_unix_nano=2**64 - 1).got.logs_got()) == 0
