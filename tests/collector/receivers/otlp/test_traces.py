"""What spans come to, and what is left out of them."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.exporters.otlp_spans import span_requests
from monitor.model.spans import PeerKind, Spans
from monitor.pipeline.sampling import head_sampled
from tests.collector.receivers.otlp.recording import Station, details_of, nano, pairs

TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))


def request_of(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    under = request.resource_spans.add()
    under.resource.attributes.extend(pairs(resource or {}))
    scope = under.scope_spans.add()
    for told in spans:
        attributes = pairs(told.get("attributes", {}))
        usual = {
            "trace_id": TRACE,
            "span_id": SPAN,
            "name": "op",
            "start_time_unix_nano": nano(1),
            "end_time_unix_nano": nano(2),
        }
        scope.spans.add(**{**usual, **told, "attributes": attributes})
    return request


def test_ids_are_numbers_in_the_order_of_their_bytes() -> None:
    station = Station()
    station.traces(request_of({"parent_span_id": bytes(7) + b"\x05"}))
    found = station.got.spans_got()
    assert found.traces.tolist() == [[0x0102030405060708, 0x090A0B0C0D0E0F10]]
    assert (found.ids.tolist(), found.parents.tolist()) == ([0x0102030405060708], [5])
    assert found.durations.tolist() == [10**9]


def test_a_service_that_nobody_named_is_unknown() -> None:
    station = Station()
    station.traces(request_of({}))
    assert [station.got.spans_got().texts[place] for place in station.got.spans_got().services] == ["unknown_service"]


def test_a_span_that_ends_before_it_starts_takes_no_time() -> None:
    station = Station()
    station.traces(request_of({"end_time_unix_nano": nano(0)}))
    assert station.got.spans_got().durations.tolist() == [0]


def test_spans_without_sound_ids_or_times_are_left_out() -> None:
    station = Station()
    told = station.traces(
        request_of(
            {"trace_id": bytes(16)},
            {"trace_id": b"short"},
            {"span_id": bytes(8)},
            {"parent_span_id": b"x"},
            {"start_time_unix_nano": 0},
            {"end_time_unix_nano": 2**64 - 1},
            {"kind": 99, "name": "n" * 999},
        )
    )
    assert told.rejected_spans == 6
    assert "trace id" in told.error_message
    found = station.got.spans_got()
    assert found.kinds.tolist() == [0]
    assert [len(found.texts[place]) for place in found.names] == [256]


def test_peers_are_found_in_the_attributes() -> None:
    station = Station()
    station.traces(
        request_of(
            {"kind": 3, "attributes": {"db.system": "redis", "id": 1}},
            {"kind": 3, "attributes": {"db.system": "redis", "id": 2}},
            {"kind": 4, "attributes": {"messaging.system": "kafka", "messaging.destination.name": "orders"}},
            {"kind": 2, "attributes": {"server.address": "me"}},
        )
    )
    found = station.got.spans_got()
    assert [found.texts[place] for place in found.peers] == ["redis", "redis", "kafka/orders", ""]
    assert found.peer_kinds.tolist() == [PeerKind.DATABASE, PeerKind.DATABASE, PeerKind.QUEUE, PeerKind.NONE]


def test_details_leave_out_what_is_empty() -> None:
    station = Station()
    station.traces(request_of({}, {"attributes": {"a": [1, {"b": None}], "c": b"\x00", "d": 2.5, "e": True}}))
    first, second = station.got.spans_got().details
    assert details_of(first) == {}
    assert details_of(second) == {"attributes": {"a": [1, {"b": None}], "c": b"\x00", "d": 2.5, "e": True}}


def test_attributes_events_and_links_have_bounds() -> None:
    station = Station()
    request = request_of({"attributes": {f"k{number}": "v" * 10_000 for number in range(200)}})
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for _ in range(200):
        span.events.add(name="e" * 500, time_unix_nano=nano(1))
        span.links.add(trace_id=TRACE, span_id=SPAN)
    station.traces(request)
    told = details_of(station.got.spans_got().details[0])
    assert (len(told["attributes"]), len(told["events"]), len(told["links"])) == (128, 128, 128)
    assert len(told["attributes"]["k0"]) == 8192
    assert told["links"][0] == {"trace": TRACE.hex(), "span": SPAN.hex()}
    assert station.receiver.figures()["otlp_cut_total"] > 200


def sampling_of(spans: Spans) -> list[tuple[str, float]]:
    return [(spans.texts[state], count) for state, count in zip(spans.states.tolist(), spans.counts.tolist(), strict=True)]


def test_a_span_stands_for_as_many_as_its_threshold_says() -> None:
    station = Station()
    station.traces(request_of({"trace_state": "vendor=x,ot=th:c"}, {}, {"trace_state": "ot=th:zz"}, {"trace_state": "ot=rv:1"}))
    assert sampling_of(station.got.spans_got()) == [("vendor=x,ot=th:c", 4.0), ("", 1.0), ("ot=th:zz", 1.0), ("ot=rv:1", 1.0)]


def test_a_state_longer_than_may_be_keeps_only_what_tells_of_sampling() -> None:
    station = Station()
    station.traces(request_of({"trace_state": f"ot=th:8,v={'x' * 600}"}))
    assert sampling_of(station.got.spans_got()) == [("ot=th:8", 2.0)]


def test_what_is_sampled_here_is_exported_with_its_new_threshold_and_counts_so_elsewhere() -> None:
    here, there = Station(), Station()
    trace = bytes(8) + b"\xff" * 8
    here.traces(request_of({"trace_id": trace, "trace_state": "ot=th:8,vendor=x"}, {"trace_id": trace}, {"trace_id": TRACE}))
    for body, _ in span_requests(head_sampled(here.got.spans_got(), 0.25), {}):
        there.traces(ExportTraceServiceRequest.FromString(body))
    assert sampling_of(there.got.spans_got()) == [("ot=th:c,vendor=x", 4.0), ("ot=th:c", 4.0)]
