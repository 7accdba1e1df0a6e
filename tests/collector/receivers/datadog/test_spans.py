"""Datadog's spans become columns that say the same, with bounded and safe text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.receivers.datadog.details import MAX_ATTRIBUTES, MAX_DETAILS
from collector.receivers.datadog.operations import operation
from collector.receivers.datadog.payloads import Payload, read_json, read_packed, read_traces
from collector.receivers.datadog.spans import SpanConverter
from monitor.model.spans import PeerKind, SpanKind, Spans
from tests.collector.receivers.datadog.packing import Chunks, as_json, packed, plain
from tests.collector.receivers.datadog.reference import NOW, Row, expected, rows, same

SECOND = 10**9
BASE: Row = {"trace_id": 9, "span_id": 1, "service": "shop", "name": "op", "resource": "GET /", "start": int(NOW) * SECOND}


def converted(chunks: Chunks, resource: dict[str, str] | None = None) -> Spans:
    return SpanConverter().columns(read_traces(plain(chunks)), resource or {}, NOW).spans


def one(**changes: Any) -> Row:
    (row,) = rows(converted([[{**BASE, **changes}]]))
    return row


words = st.text(st.sampled_from("ab.é /:"), max_size=5)
tag_names = st.sampled_from(
    ["env", "_dd.origin", "db.system", "db.type", "db.name", "out.host", "peer.service", "error.message", "x"]
)
ids = st.integers(0, 3) | st.integers(0, 2**64 - 1)
tags = st.dictionaries(tag_names, words, max_size=5).flatmap(
    lambda found: st.fixed_dictionaries(
        {},
        optional={
            "_dd.p.tid": st.sampled_from(["6b059d7600000000", "no", "-000000000000001", "ffffffffffffffff"]),
            "span.kind": st.sampled_from(["client", "server", "internal", "producer", "consumer", "other", ""]),
        },
    ).map(lambda more: {**found, **more})
)
spans = st.fixed_dictionaries(
    {"trace_id": ids, "span_id": ids},
    optional={
        "parent_id": ids,
        "service": words,
        "name": words,
        "resource": words,
        "type": st.sampled_from(["", "web", "worker", "rpc"]),
        "start": st.integers(-(2**63), 2**63 - 1) | st.integers(10**18, 2 * 10**18),
        "duration": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 10**9),
        "error": st.integers(0, 2),
        "meta": tags,
        "metrics": st.dictionaries(st.sampled_from(["n", "_dd.agent_psr", "_sampling_priority_v1"]), st.floats(), max_size=3),
    },
)


@given(st.lists(st.lists(spans, max_size=4), max_size=4))
@settings(max_examples=150, deadline=None)
def test_the_columns_say_what_the_reference_says(chunks: Chunks) -> None:
    told = expected(chunks)
    for read, body in ((read_traces, plain(chunks)), (read_packed, packed(chunks))):
        found = SpanConverter().columns(read(body), {}, NOW)
        got = rows(found.spans)
        assert len(got) == len(told)
        for ours, theirs in zip(got, told, strict=True):
            assert same(ours, theirs), (ours, theirs)
        assert found.refused == sum(map(len, chunks)) - len(told)


def test_the_upper_half_of_a_traces_id_holds_for_its_whole_chunk() -> None:
    first = {**BASE, "meta": {"_dd.p.tid": "6b059d7600000000"}}
    found = rows(converted([[first, {**BASE, "span_id": 2}], [{**BASE, "span_id": 3}]]))
    assert [row["trace"] for row in found] == [0x6B059D760000000000000000 << 32 | 9] * 2 + [9]


def test_ids_are_64_bits_whatever_a_sender_makes_of_them() -> None:
    body = as_json([[{**BASE, "trace_id": -1, "span_id": 2**64 + 5, "parent_id": -2}]])
    (row,) = rows(SpanConverter().columns(read_json(body), {}, NOW).spans)
    assert (row["trace"], row["id"], row["parent"]) == (2**64 - 1, 5, 2**64 - 2)


def test_times_of_json_beyond_64_bits_are_taken_for_impossible() -> None:
    body = as_json([[{**BASE, "start": 10**30, "duration": 10**30}]])
    (row,) = rows(SpanConverter().columns(read_json(body), {}, NOW).spans)
    assert (row["start"], row["duration"]) == (int(NOW) * SECOND, 0)


@pytest.mark.parametrize(
    ("meta", "span_type", "kind", "peer"),
    [
        (
            {"span.kind": "client", "db.system": "postgresql", "db.name": "shop", "out.host": "db1"},
            "sql",
            "CLIENT",
            "postgresql/shop",
        ),
        ({"span.kind": "client", "db.type": "mysql", "db.instance": "shop"}, "sql", "CLIENT", "mysql/shop"),
        ({"out.host": "cache1"}, "redis", "CLIENT", "redis"),
        ({"span.kind": "producer", "messaging.system": "kafka", "topic": "orders"}, "queue", "PRODUCER", "kafka/orders"),
        ({"span.kind": "consumer", "component": "sqs", "queuename": "orders"}, "worker", "CONSUMER", "sqs/orders"),
        ({"span.kind": "client", "peer.service": "stock", "out.host": "10.0.0.1"}, "http", "CLIENT", "stock"),
        ({"span.kind": "client", "out.host": "stock.example"}, "http", "CLIENT", "stock.example"),
        ({"http.url": "https://stock.example:8443/items/7?x=1"}, "http", "CLIENT", "stock.example"),
        ({"span.kind": "server", "peer.service": "shop"}, "web", "SERVER", ""),
        ({"span.kind": "internal"}, "", "INTERNAL", ""),
        ({}, "web", "SERVER", ""),
    ],
)
def test_tags_tell_the_peer(meta: dict[str, str], span_type: str, kind: str, peer: str) -> None:
    row = one(meta=meta, type=span_type)
    assert (row["kind"].name, row["peer"][1]) == (kind, peer)
    assert (row["peer"][0] is PeerKind.NONE) is (peer == "")


def test_kinds_of_peers() -> None:
    client = {"span.kind": "client"}
    assert one(meta={**client, "db.system": "mysql"})["peer"][0] is PeerKind.DATABASE
    assert one(meta={**client, "topic": "t"})["peer"] == (PeerKind.QUEUE, "queue/t")
    assert one(meta={**client, "peer.service": "s"})["peer"][0] is PeerKind.SERVICE
    assert one(meta={**client, "out.host": "h"})["peer"][0] is PeerKind.HOST
    assert one(meta={"db.system": "sqlite"})["peer"][0] is PeerKind.DATABASE


@pytest.mark.parametrize(
    ("resource", "span_type", "name"),
    [
        ("GET /cart/?", "web", "GET /cart/?"),
        ("SELECT * FROM t1\n WHERE a = 'it''s' AND b IN (1, 2.5,  -3)", "sql", "SELECT * FROM t1 WHERE a = ? AND b IN (?)"),
        ("SELECT $1 FROM item2 WHERE x=0x1F", "sql", "SELECT $1 FROM item2 WHERE x=0x1F"),
        ("GET user:17:name", "redis", "GET"),
        ("  ", "redis", "  "),
        ("GET user:17:name", "web", "GET user:17:name"),
        ("a\x1b[2Jb\u202e", "web", "a\ufffd[2Jb\ufffd"),
        ("x" * 300, "web", "x" * 255 + "…"),
    ],
)
def test_an_operation_keeps_what_calls_have_in_common(resource: str, span_type: str, name: str) -> None:
    assert operation(resource, span_type) == name
    attributes = one(resource=resource, type=span_type)["details"]["attributes"]
    assert attributes.get("resource.name", resource if name == resource else None) == resource


@given(st.text(max_size=300), st.sampled_from(["sql", "redis", "web"]))
@settings(deadline=None)
def test_any_resource_becomes_a_bounded_printable_name(resource: str, span_type: str) -> None:
    name = operation(resource, span_type)
    assert len(name) <= 256
    assert name.isprintable()


def test_quantising_is_linear_in_what_a_sender_writes() -> None:
    for hostile in ("'" * 100_000, "?," * 100_000, "1 " * 100_000, "'\\" * 100_000):
        assert len(operation(hostile, "sql")) <= 256


def test_resource_headers_and_payload_are_told_together() -> None:
    chunks = read_traces(plain([[BASE]])).chunks
    payload = Payload(chunks, {"host.name": "web1", "telemetry.sdk.language": "go"})
    (row,) = rows(SpanConverter().columns(payload, {"telemetry.sdk.language": "python", "container.id": "c"}, NOW).spans)
    assert row["details"]["resource"] == {"telemetry.sdk.language": "go", "container.id": "c", "host.name": "web1"}


def test_events_and_links_are_told_in_every_way_tracers_have() -> None:
    events = '[{"name": "hello", "time_unix_nano": 5, "attributes": {"a": 1}}]'
    linked = [{"trace_id": 1, "trace_id_high": 2, "span_id": 3, "attributes": {"k": "v"}}]
    spelled = '[{"trace_id": "00000000000000020000000000000001", "span_id": "0000000000000003", "attributes": {"k": "v"}}]'
    link = {"trace": f"{2:016x}{1:016x}", "span": f"{3:016x}", "attributes": {"k": "v"}}
    native = one(meta={"events": events}, span_links=linked)["details"]
    tagged = one(meta={"events": events, "_dd.span_links": spelled})["details"]
    assert native == tagged
    assert native["links"] == [link]
    assert native["events"] == [{"name": "hello", "time": 5, "attributes": {"a": 1}}]
    assert "events" not in native["attributes"]


def test_links_that_are_none_are_left_out() -> None:
    for text in ("many", "[[", '[{"trace_id": "x", "span_id": "1"}]', '[{"trace_id": "1", "span_id": ""}]', "[" * 100_000):
        assert "links" not in one(meta={"_dd.span_links": text})["details"]


def test_events_that_are_none_stay_a_tag() -> None:
    for text in ("many", "[[", '{"name": 1}', "[" * 100_000):
        assert one(meta={"events": text})["details"]["attributes"]["events"] == text[:1024] or len(text) > 1024


def test_the_message_of_an_error_stands_apart() -> None:
    details = one(error=1, meta={"error.message": "no such item", "error.type": "KeyError"})["details"]
    assert details["message"] == "no such item"
    assert details["attributes"]["error.type"] == "KeyError"


def test_a_span_with_too_much_is_cut() -> None:
    tags = {f"k{i}": "v" for i in range(1000)}
    many = one(meta=tags)["details"]["attributes"]
    assert len(many) == MAX_ATTRIBUTES
    assert SpanConverter().columns(read_traces(plain([[BASE, {**BASE, "meta": tags}]])), {}, NOW).cut == 1
    large = converted([[{**BASE, "meta": {f"k{i}": "é" * 3000 for i in range(100)}}]]).details[0]
    assert len(large) <= MAX_DETAILS
    assert msgspec.msgpack.decode(large)["attributes"]["k0"] == "é" * 1023 + "…"


def test_texts_are_safe_and_shared() -> None:
    spans = converted([[{**BASE, "span_id": i, "service": "a\x1b"} for i in range(1, 9)]])
    assert spans.texts == ("", "GET /", "a\ufffd")
    assert SpanKind(spans.kinds[0]) is SpanKind.UNSPECIFIED


def test_no_spans_are_no_spans() -> None:
    assert len(converted([])) == len(converted([[], []])) == 0


def test_the_rate_a_root_tells_is_that_of_its_whole_trace() -> None:
    root, child = {**BASE, "metrics": {"_sample_rate": 0.25}}, {**BASE, "span_id": 2, "parent_id": 1}
    other = {**BASE, "trace_id": 10}
    assert converted([[child, root], [other]]).counts.tolist() == [4.0, 4.0, 1.0]


@pytest.mark.parametrize("metrics", [{"_dd.agent_psr": 0.1}, {"_dd.rule_psr": 0.1}, {"_sample_rate": 0}, {"_sample_rate": 7.0}])
def test_rates_of_what_is_to_be_kept_leave_nothing_out(metrics: dict[str, float]) -> None:
    assert converted([[{**BASE, "metrics": metrics}]]).counts.tolist() == [1.0]
