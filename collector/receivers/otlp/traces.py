"""From a traces request to spans as columns. It knows no socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from collector.receivers.otlp.attributes import Attributes, map_head, packed_pairs, text_of
from collector.receivers.otlp.counters import LeftOut, OtlpCounters
from collector.receivers.otlp.limits import MOST_ATTRIBUTES, MOST_EVENTS, MOST_KEPT, MOST_NAME, MOST_POINTS, MOST_TEXT
from collector.receivers.otlp.schema import traces_request
from monitor.model.spans import PeerKind, SpanKind, Spans, Status
from monitor.model.texts import TextTable
from monitor.topology.peers import peer_of

UNKNOWN_SERVICE = "unknown_service"
LAST_NANOSECOND = (1 << 63) - 1
_NO_SPAN = bytes(8)
_MOST_KIND, _MOST_STATUS = max(SpanKind), max(Status)
_pack = msgspec.msgpack.Encoder().encode
_ATTRIBUTES, _MESSAGE, _EVENTS, _LINKS = (_pack(key) for key in ("attributes", "message", "events", "links"))
_HEADS = [map_head(size) for size in range(MOST_ATTRIBUTES + 1)]


def service_of(attributes: Mapping[str, Any]) -> str:
    """Of a resource."""
    return text_of(attributes.get("service.name"))[:MOST_NAME] or UNKNOWN_SERVICE


def shared_details(attributes: Attributes, resource: Any, scope: Any) -> list[bytes]:
    """The details that all spans or records below a resource and a scope have, packed: "resource" and "scope"."""
    of_scope = {name: value for name, value in (("name", scope.name), ("version", scope.version)) if value}
    inner = attributes.mapped(scope.attributes)
    of_scope |= {"attributes": inner} if inner else {}
    packed_scope = _pack(of_scope) if of_scope else b""
    return packed_pairs((("resource", attributes.packed(resource.attributes)), ("scope", packed_scope)))


class TracesReader:
    """Reads requests."""

    def __init__(self, attributes: Attributes, counters: OtlpCounters) -> None:
        self._attributes, self._counters = attributes, counters
        self._peers: dict[tuple[int, tuple[bytes, ...]], tuple[int, str]] = {}

    def read(self, data: bytes) -> tuple[Spans, LeftOut]:
        """Of an `ExportTraceServiceRequest`. Raises `UnreadableError`."""
        request = traces_request(data)
        one = _Columns()
        for resource in request.resource_spans:
            service = service_of(self._attributes.mapped(resource.resource.attributes))
            for scope in resource.scope_spans:
                shared = shared_details(self._attributes, resource.resource, scope.scope)
                self._take(one, scope.spans, one.texts.place(service), len(shared), b"".join(shared))
        return one.spans(), one.left_out

    def _take(self, one: _Columns, spans: Any, service: int, shared_size: int, shared: bytes) -> None:
        place = one.texts.place
        room = MOST_POINTS - len(one.ids)
        if len(spans) > room:
            one.left_out.add(f"more than {MOST_POINTS} spans in one request", len(spans) - room)
            spans = spans[:room]
        for span in spans:
            trace, number, parent = span.trace_id, span.span_id, span.parent_span_id
            start, end = span.start_time_unix_nano, span.end_time_unix_nano
            why = _wrong(trace, number, parent, start, end)
            if why:
                one.left_out.add(why)
                continue
            kind, status = span.kind, span.status
            if not 0 <= kind <= _MOST_KIND:
                kind = 0
            packed, peer_kind, peer = self._described(span.attributes, kind)
            size, parts = shared_size, [shared]
            if packed:
                size += 1
                parts += (_ATTRIBUTES, packed)
            if status.message:
                size += 1
                parts += (_MESSAGE, _pack(self._cut(status.message, MOST_TEXT)))
            events, links = span.events, span.links
            if events:
                size += 1
                parts += (_EVENTS, self._events(events))
            if links:
                size += 1
                parts += (_LINKS, self._links(links))
            code = status.code
            one.traces.append(trace)
            one.ids.append(number)
            one.parents.append(parent or _NO_SPAN)
            one.starts.append(start)
            one.durations.append(end - start if end > start else 0)
            one.services.append(service)
            one.names.append(place(self._cut(span.name, MOST_NAME)))
            one.kinds.append(kind)
            one.statuses.append(code if 0 <= code <= _MOST_STATUS else 0)
            one.peers.append(place(peer))
            one.peer_kinds.append(peer_kind)
            one.details.append(_HEADS[size] + b"".join(parts))

    def _described(self, attributes: Any, kind: int) -> tuple[bytes, int, str]:
        """Attributes packed, and the peer they tell."""
        found = self._attributes.all_decoded(attributes)
        packed = _HEADS[len(found)] + b"".join([each.packed for each in found]) if found else b""
        telling = tuple([each.packed for each in found if each.of_peer])
        if not telling:
            return packed, PeerKind.NONE, ""
        key = kind, telling
        peer = self._peers.get(key)
        if peer is None:
            peer = peer_of(kind, {each.key: each.value for each in found if each.of_peer})
            if len(self._peers) >= MOST_KEPT:
                self._peers.clear()
            self._peers[key] = peer
        return packed, *peer

    def _events(self, events: Any) -> bytes:
        self._count_over(events)
        return _pack(
            [
                _told(
                    {"time": each.time_unix_nano, "name": self._cut(each.name, MOST_NAME)},
                    self._attributes.mapped(each.attributes),
                )
                for each in events[:MOST_EVENTS]
            ]
        )

    def _links(self, links: Any) -> bytes:
        self._count_over(links)
        return _pack(
            [
                _told(
                    {"trace": each.trace_id[:16].hex(), "span": each.span_id[:8].hex()}, self._attributes.mapped(each.attributes)
                )
                for each in links[:MOST_EVENTS]
            ]
        )

    def _count_over(self, repeated: Any) -> None:
        self._counters.cut += max(0, len(repeated) - MOST_EVENTS)

    def _cut(self, text: str, size: int) -> str:
        if len(text) <= size:
            return text
        self._counters.cut += 1
        return text[:size]


class _Columns:
    """Spans of one request while it is read."""

    def __init__(self) -> None:
        self.texts = TextTable()
        self.traces: list[bytes] = []
        self.ids: list[bytes] = []
        self.parents: list[bytes] = []
        self.starts: list[int] = []
        self.durations: list[int] = []
        self.services: list[int] = []
        self.names: list[int] = []
        self.kinds: list[int] = []
        self.statuses: list[int] = []
        self.peers: list[int] = []
        self.peer_kinds: list[int] = []
        self.details: list[bytes] = []
        self.left_out = LeftOut()

    def spans(self) -> Spans:
        return Spans(
            self.texts.texts(),
            numbers(self.traces).reshape(-1, 2),
            numbers(self.ids),
            numbers(self.parents),
            np.array(self.starts, np.int64),
            np.array(self.durations, np.int64),
            np.array(self.services, np.int32),
            np.array(self.names, np.int32),
            np.array(self.kinds, np.int8),
            np.array(self.statuses, np.int8),
            np.array(self.peers, np.int32),
            np.array(self.peer_kinds, np.int8),
            self.details,
        )


def numbers(ids: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Ids of whole eights of bytes as uint64, one after the other."""
    return np.frombuffer(b"".join(ids), ">u8").astype(np.uint64)


def _wrong(trace: bytes, number: bytes, parent: bytes, start: int, end: int) -> str:
    """Why a span cannot be taken; "" when it can."""
    if len(trace) != 16 or not any(trace):
        return "a span's trace id is not of 16 bytes, or is zero"
    if len(number) != 8 or not any(number):
        return "a span's id is not of 8 bytes, or is zero"
    if parent and len(parent) != 8:
        return "a span's parent id is not of 8 bytes"
    if not 0 < start <= LAST_NANOSECOND or end > LAST_NANOSECOND:
        return "a span has no start, or a time beyond the year 2262"
    return ""


def _told(known: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    return {**known, "attributes": attributes} if attributes else known
