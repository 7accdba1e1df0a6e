"""Rows as a client is told them: ids in hex, seconds, attributes as text; everything cut to the bounds of the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.storage.traces.blocks import Held, log_parts
from collector.storage.traces.details import read, told
from collector.storage.traces.questions import trace_text
from collector.storage.traces.reading import Part, Places, Reading
from monitor.model.logs import Logs
from monitor.model.spans import PeerKind, SpanKind, Spans, Status
from monitor.wire.tracing import MAX_ATTRIBUTES, MAX_BODY, MAX_NAME, MAX_VALUE, LogInfo, SpanEvent, SpanInfo, SpanLink

_KINDS = [kind.name.lower() for kind in SpanKind]
_STATUSES = [status.name.lower() for status in Status]
_PEERS = ["", *(kind.name.lower() for kind in PeerKind if kind)]


def told_span(spans: Spans, place: int, detail: bytes) -> SpanInfo:
    """The span at a place, with its details."""
    more, start, parent = read(detail), int(spans.starts[place]), int(spans.parents[place])
    return SpanInfo(
        span=f"{int(spans.ids[place]):016x}",
        parent=f"{parent:016x}" if parent else "",
        service=spans.texts[spans.services[place]][:MAX_NAME],
        operation=spans.texts[spans.names[place]][:MAX_NAME],
        kind=_word(_KINDS, int(spans.kinds[place])),
        status=_word(_STATUSES, int(spans.statuses[place])),
        start=start / 1e9,
        duration=int(spans.durations[place]) / 1e9,
        start_ns=start,
        message=more.message[:MAX_VALUE],
        attributes=attributes(more.attributes),
        resource=attributes(more.resource),
        scope=_scope(more.scope),
        events=tuple(_event(one) for one in more.events[:MAX_ATTRIBUTES] if isinstance(one, Mapping)),
        links=tuple(_link(one) for one in more.links[:MAX_ATTRIBUTES] if isinstance(one, Mapping)),
        peer=spans.texts[spans.peers[place]][:MAX_NAME],
        peer_kind=_word(_PEERS, int(spans.peer_kinds[place])),
    )


def told_logs(reading: Reading, part: Part, held: Held, places: Places) -> Iterator[tuple[int, LogInfo]]:
    """Records at rising places, told; those that cannot be read are left out."""
    logs = held.rows
    assert isinstance(logs, Logs)
    for place, row in reading.details(part, held, places):
        body, detail = log_parts(row)
        more, span = read(detail), int(logs.spans[place])
        high, low = logs.traces[place].tolist()
        yield (
            place,
            LogInfo(
                time=int(logs.times[place]) / 1e9,
                severity=int(logs.severities[place]),
                severity_text=more.severity[:MAX_NAME],
                service=logs.texts[logs.services[place]][:MAX_NAME],
                body=body[:MAX_BODY],
                trace=trace_text(high, low) if high or low else "",
                span=f"{span:016x}" if span else "",
                attributes=attributes(more.attributes),
                resource=attributes(more.resource),
            ),
        )


def attributes(values: Any) -> dict[str, str]:
    """Names and values as text, at most so many."""
    if not isinstance(values, Mapping):
        return {}
    some = list(values.items())[:MAX_ATTRIBUTES]
    return {told(name)[:MAX_NAME]: told(value)[:MAX_VALUE] for name, value in some}


def _event(event: Mapping[Any, Any]) -> SpanEvent:
    time = event.get("time", event.get("time_unix_nano", 0))
    seconds = float(time) if isinstance(time, int | float) else 0.0
    name = told(event.get("name", ""))[:MAX_NAME]
    return SpanEvent(seconds / 1e9 if abs(seconds) > 1e12 else seconds, name, attributes(event.get("attributes")))


def _link(link: Mapping[Any, Any]) -> SpanLink:
    trace, span = (link.get(name, link.get(f"{name}_id")) for name in ("trace", "span"))
    return SpanLink(_id(trace, 32), _id(span, 16), attributes(link.get("attributes")))


def _id(value: Any, digits: int) -> str:
    """An id as text, as a number or as bytes, in hex."""
    if isinstance(value, bytes):
        return value.hex()[:digits]
    return f"{value & (1 << 4 * digits) - 1:0{digits}x}" if isinstance(value, int) else told(value)[:digits]


def _scope(scope: Any) -> str:
    if isinstance(scope, Mapping):
        return " ".join(told(scope[name]) for name in ("name", "version") if scope.get(name))[:MAX_NAME]
    return told(scope)[:MAX_NAME]


def _word(words: list[str], number: int) -> str:
    return words[number] if 0 <= number < len(words) else words[0]
