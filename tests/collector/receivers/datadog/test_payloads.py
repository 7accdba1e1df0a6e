"""Payloads of every version are read alike; what is none is refused with a reason, and costs no more than its bytes."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.receivers.datadog import payloads
from collector.receivers.datadog.payloads import (
    Payload,
    PayloadError,
    read_json,
    read_packed,
    read_tracer_payload,
    read_traces,
)
from collector.receivers.datadog.repair import repaired
from tests.collector.receivers.datadog.packing import as_json, packed, plain, tracer_payload

SPAN = {
    "trace_id": 2**64 - 1,
    "span_id": 7,
    "parent_id": 3,
    "service": "shop",
    "name": "web.request",
    "resource": "GET /",
    "type": "web",
    "start": 1_700_000_000_000_000_000,
    "duration": 5,
    "error": 0,
    "meta": {"env": "prod"},
    "metrics": {"n": 1.5},
}
ALL = (read_traces, read_json, read_packed, read_tracer_payload)


def test_all_versions_tell_the_same() -> None:
    chunks = [[SPAN, {**SPAN, "span_id": 8}], [], [{**SPAN, "trace_id": 1}]]
    told = read_traces(plain(chunks)).chunks
    assert told[0][0].trace_id == 2**64 - 1
    assert told == read_json(as_json(chunks)).chunks == read_packed(packed(chunks)).chunks


def test_a_tracer_payload_tells_its_resource_and_priority_once_for_all() -> None:
    payload = read_tracer_payload(tracer_payload([[SPAN]], env="prod", hostname="web1", app_version="2", container_id=""))
    assert payload.resource == {"deployment.environment.name": "prod", "host.name": "web1", "service.version": "2"}
    assert payload.chunks[0][0].metrics == {"n": 1.5, "_sampling_priority_v1": 1.0}


def test_absent_and_null_fields_are_empty() -> None:
    few: dict[str, object] = {
        "trace_id": 1,
        "span_id": 2,
        "service": None,
        "parent_id": None,
        "meta": None,
        "metrics": None,
        "unheard": [{}],
    }
    (span,) = read_traces(plain([[few]])).chunks[0]
    assert (span.service, span.meta, span.duration) == (None, None, 0)
    assert read_traces(b"\xc0").chunks == []


@pytest.mark.parametrize(
    ("read", "body", "why"),
    [
        (read_traces, b"\x91", "truncated"),
        (read_traces, b"\x01", "Expected `array"),
        (read_traces, plain([[{"span_id": 1}]]), "missing required field `trace_id`"),
        (read_traces, plain([[{**SPAN, "meta": {"a": 1}}]]), "Expected `str"),
        (read_traces, b"\x91\x91\x81\xa1x" + b"\x91" * 100_000, "too deeply"),
        (read_traces, b"\xdd\xff\xff\xff\xff", "length <= 50000"),
        (read_traces, b"\x91\x91\x81\xa4meta\xdf\xff\xff\xff\xff", "length <= 4096"),
        (read_json, b"[[{", "truncated"),
        (read_json, b'[[{"span_id": "\xff"}]]', "UTF-8|int"),
        (read_packed, b"\x90", "length 2"),
        (read_packed, msgspec.msgpack.encode([[], [[[0] * 12]]]), "Expected `object`"),
        (read_packed, msgspec.msgpack.encode([["a"], [[[1, *[0] * 8, {}, {}, 0]]]]), "outside of the payload's list of 1"),
        (read_packed, msgspec.msgpack.encode([["a"], [[[-1, *[0] * 8, {}, {}, 0]]]]), ">= 0"),
        (read_tracer_payload, b"\x90", "Expected `object`"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(read: Callable[[bytes], Payload], body: bytes, why: str) -> None:
    with pytest.raises(PayloadError, match=why):
        read(body)


def test_more_spans_than_are_taken_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "MOST_SPANS", 3)
    with pytest.raises(PayloadError, match="4 spans, at most 3"):
        read_traces(plain([[SPAN, SPAN], [SPAN, SPAN]]))


@pytest.mark.parametrize(
    "body", [b"\xdd\x00\x98\x96\x80" + b"\x90" * 10_000_000, b"\x91\xdd\x00\x98\x96\x80" + b"\x80" * 10_000_000]
)
def test_many_small_things_are_refused_before_they_take_memory(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PayloadError):
            read_traces(body)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_noise_is_read_or_refused_and_nothing_else(body: bytes) -> None:
    for read in ALL:
        with contextlib.suppress(PayloadError):
            read(body)


@given(st.binary(max_size=40), st.integers(0, 500), st.integers(0, 255))
@settings(deadline=None)
def test_spoiled_payloads_are_read_or_refused(noise: bytes, place: int, byte: int) -> None:
    for read, body in zip(ALL, (plain([[SPAN]]), as_json([[SPAN]]), packed([[SPAN]]), tracer_payload([[SPAN]])), strict=True):
        at = place % len(body)
        for spoiled in (body[:at] + noise + body[at:], body[:at] + bytes([byte]) + body[at + 1 :], body[:at]):
            with contextlib.suppress(PayloadError):
                read(spoiled)


def test_text_that_is_no_utf8_costs_only_itself() -> None:
    body = plain([[{**SPAN, "resource": "GET /caf?", "meta": {"k?": "v"}}]])
    broken = body.replace(b"caf?", b"caf\xe9").replace(b"k?", b"k\xff")
    (span,) = read_traces(broken).chunks[0]
    assert (span.resource, span.meta, span.name) == ("GET /caf\ufffd", {"k\ufffd": "v"}, "web.request")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
    max_leaves=30,
)


@given(values, st.text(min_size=33, max_size=70_000 // 64))
@settings(deadline=None, max_examples=50)
def test_mending_changes_nothing_that_is_whole(value: object, text: str) -> None:
    for whole in (msgspec.msgpack.encode([value, text]), msgspec.msgpack.encode(msgspec.msgpack.Ext(5, text.encode()))):
        assert repaired(whole) == whole
        assert repaired(whole[:-1]) == whole[:-1]
