"""What clients ask over the stream is answered whole, within bounds, and travels both ways."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from collector.storage.traces.answering import Answer, answer
from collector.storage.traces.store import TraceStore
from monitor.model.matchers import Matcher
from monitor.wire.tracing import FindLogs, FindTraces, GetServices, GetTrace, LogsFound, ServicesFound, TraceFound, TracesFound
from tests.collector.storage.traces.samples import NOW, LogRow, Row, hex_of, logs_of, spans_of

TRACE = (1, 2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    """A request through two services, whose clocks disagree, and a log of it."""
    store = TraceStore(tmp_path, clock=lambda: NOW)
    detail = {
        "attributes": {"code": 500, "ok": False, "list": [1, "a"]},
        "resource": {"host.name": "web01"},
        "scope": {"name": "lib", "version": "1"},
        "events": [{"time": 1_764_000_000_500_000_000, "name": "exception", "attributes": {"exception.message": "Boom"}}],
        "links": [{"trace": "ab", "span": 255, "attributes": {}}],
        "message": "it broke",
    }
    store.append_spans(spans_of([Row(TRACE, 1, 0, 0, 100), Row(TRACE, 2, 1, 10, 80, kind=3, status=2, detail=detail)]))
    store.append_spans(spans_of([Row(TRACE, 3, 2, 90_000, 40, service="cart", name="add")]))
    store.append_logs(logs_of([LogRow(20, "paid", 17, trace=TRACE, span=2, detail={"severity": "ERROR"})]))
    yield store
    store.close()


def travelled(found: Answer) -> Answer:
    """As it comes out of the other end of both encodings."""
    kind = TracesFound | TraceFound | LogsFound | ServicesFound
    by_text: Answer = msgspec.json.decode(msgspec.json.encode(found), type=kind)
    back: Answer = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=kind)
    assert msgspec.to_builtins(by_text) == msgspec.to_builtins(back) == msgspec.to_builtins(found)
    return back


def test_a_trace_is_found_and_told_with_all_there_is_to_it(store: TraceStore) -> None:
    found = travelled(answer(store, FindTraces(1, text="boom", tags=(Matcher("code", "=", "500"),), error=True)))
    assert isinstance(found, TracesFound)
    (summary,) = found.traces
    assert (summary.trace, summary.spans, summary.errors, summary.services) == (hex_of(TRACE), 3, 1, ("cart", "web"))
    told = travelled(answer(store, GetTrace(2, summary.trace)))
    assert isinstance(told, TraceFound)
    root, call, served = told.spans
    assert (root.parent, call.parent, served.service) == ("", root.span, "cart")
    assert (call.kind, call.status, call.message, call.scope) == ("client", "error", "it broke", "lib 1")
    assert call.attributes == {"code": "500", "ok": "false", "list": '[1,"a"]'}
    assert call.resource == {"host.name": "web01"}
    assert (call.events[0].name, call.events[0].time) == ("exception", NOW + 0.5)
    assert call.events[0].attributes == {"exception.message": "Boom"}
    assert call.links[0].span == "00000000000000ff"
    assert [(one.severity, one.severity_text, one.body, one.span) for one in told.logs] == [(17, "ERROR", "paid", call.span)]


def test_spans_are_drawn_within_their_parents_and_their_own_time_adds_up(store: TraceStore) -> None:
    told = answer(store, GetTrace(2, hex_of(TRACE)))
    assert isinstance(told, TraceFound)
    assert [(one.begin, one.end, one.moved) for one in told.spans] == [(0, 0.1, False), (0.01, 0.09, False), (0.03, 0.07, True)]
    assert [one.own for one in told.spans] == [0.02, 0.04, 0.04]


def test_logs_and_services_are_found(store: TraceStore) -> None:
    logs = travelled(answer(store, FindLogs(3, severity=17, trace=hex_of(TRACE))))
    assert isinstance(logs, LogsFound)
    assert [one.body for one in logs.logs] == ["paid"]
    services = travelled(answer(store, GetServices(4, "CAR")))
    assert isinstance(services, ServicesFound)
    assert [(one.service, one.operations) for one in services.services] == [("cart", ("add",))]


@pytest.mark.parametrize(
    "request_",
    [
        GetTrace(1, "nothing"),
        FindLogs(1, trace="g"),
        FindTraces(1, start=math.nan),
        FindTraces(1, start=NOW * 1000),
        FindTraces(1, text="x" * 10_000),
        FindTraces(1, tags=(Matcher("a", "=~", "("),)),
        FindTraces(1, tags=(Matcher("a", "=", "b"),) * 100),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(store: TraceStore, request_: GetTrace | FindLogs | FindTraces) -> None:
    with pytest.raises(ValueError, match=" "):
        answer(store, request_)


def test_no_limit_is_beyond_the_bounds(store: TraceStore) -> None:
    for request in (FindTraces(1, limit=-5), FindTraces(1, limit=1 << 60), FindLogs(1, limit=0), GetTrace(1, "1", limit=-1)):
        travelled(answer(store, request))
