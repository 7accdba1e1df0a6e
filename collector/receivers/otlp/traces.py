"""From a traces request to spans as columns. It knows no socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from collector.receivers.otlp.attributes import Attribute, Attributes, map_head, packed_pairs, text_of
from collector.receivers.otlp.counters import LeftOut, OtlpCounters
from collector.receivers.otlp.limits import MOST_ATTRIBUTES, MOST_EVENTS, MOST_KEPT, MOST_NAME, MOST_POINTS, MOST_TEXT
from collector.receivers.otlp.schema import traces_request
from monitor.model.spans import PeerKind, SpanKind, Spans, Status
from monitor.model.texts import TextTable
from monitor.pipeline.sampling import MOST_STATE, count_told, kept_state
from monitor.topology.peers import peer_of

UNKNOWN_SERVICE = "unknown_service"
LAST_NANOSECOND = (1 << 63) - 1
_NO_SPAN, _NO_TRACE = bytes(8), bytes(16)
NO_PEER: tuple[int, str] = (PeerKind.NONE, "")
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
        self._peers: dict[tuple[int | bytes, ...], tuple[int, str]] = {}
        self._states: dict[str, tuple[str, float]] = {}

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
        room = MOST_POINTS - len(one.rows)
        if len(spans) > room:
            one.left_out.add(f"more than {MOST_POINTS} spans in one request", len(spans) - room)
            spans = spans[:room]
        # Nearly all have no more details than these.
        plain = [_HEADS[shared_size + 1] + shared + _ATTRIBUTES + head for head in _HEADS]
        rows, peers, all_packed = one.rows, self._peers, self._attributes.all_packed
        names: dict[str, int] = {}
        for span in spans:
            trace, number, parent = span.trace_id, span.span_id, span.parent_span_id
            start, end = span.start_time_unix_nano, span.end_time_unix_nano
            sound = len(trace) == 16 and trace != _NO_TRACE and len(number) == 8 and number != _NO_SPAN and start > 0
            if not sound or start > LAST_NANOSECOND or end > LAST_NANOSECOND or (parent and len(parent) != 8):
                one.left_out.add(_wrong(trace, number, parent))
                continue
            kind, state, code = span.kind, span.trace_state, 0
            if not 0 <= kind <= _MOST_KIND:
                kind = 0
            parts, telling = all_packed(span.attributes)
            peer_kind, peer = NO_PEER
            if telling:
                known = peers.get((kind, *[each.packed for each in telling]))
                peer_kind, peer = known or self._peer(kind, telling)
            others: list[bytes] = []
            if span.HasField("status"):
                status = span.status
                code = status.code
                if not 0 <= code <= _MOST_STATUS:
                    code = 0
                if status.message:
                    others += (_MESSAGE, _pack(self._cut(status.message, MOST_TEXT)))
            events, links = span.events, span.links
            if events:
                others += (_EVENTS, self._events(events))
            if links:
                others += (_LINKS, self._links(links))
            if parts and not others:
                details = plain[len(parts)] + b"".join(parts)
            else:
                own = [_ATTRIBUTES, _HEADS[len(parts)], *parts] if parts else []
                size = shared_size + len(others) // 2 + bool(parts)
                details = b"".join((_HEADS[size], shared, *own, *others))
            if state:
                state, count = self._sampling(state)
                one.states[len(rows)], one.counts[len(rows)] = place(state), count
            name = span.name
            named = names.get(name)
            if named is None:
                named = names[name] = place(self._cut(name, MOST_NAME))
            rows.append(
                (
                    trace,
                    number,
                    parent or _NO_SPAN,
                    start,
                    end - start if end > start else 0,
                    service,
                    named,
                    kind,
                    code,
                    place(peer) if peer else 0,
                    peer_kind,
                    details,
                )
            )

    def _sampling(self, state: str) -> tuple[str, float]:
        """What is kept of a `tracestate`, and how many spans it says that one of it stands for."""
        found = self._states.get(state)
        if found is None:
            kept = kept_state(state)
            found = kept, count_told(kept)
            if len(self._states) >= MOST_KEPT:
                self._states.clear()
            if len(state) <= MOST_STATE:
                self._states[state] = found
        return found

    def _peer(self, kind: int, telling: list[Attribute]) -> tuple[int, str]:
        peer = peer_of(kind, {each.key: each.value for each in telling})
        if len(self._peers) >= MOST_KEPT:
            self._peers.clear()
        self._peers[kind, *[each.packed for each in telling]] = peer
        return peer

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
        self.rows: list[tuple[bytes, bytes, bytes, int, int, int, int, int, int, int, int, bytes]] = []
        """Trace, id, parent, start, duration, service, name, kind, status, peer, the kind of the peer, details."""
        self.states: dict[int, int] = {}
        self.counts: dict[int, float] = {}
        """By place, of those that told something of their sampling."""
        self.left_out = LeftOut()

    def spans(self) -> Spans:
        size = len(self.rows)
        states, counts = np.zeros(size, np.int32), np.ones(size)
        states[list(self.states)], counts[list(self.counts)] = list(self.states.values()), list(self.counts.values())
        columns = zip(*self.rows, strict=True) if size else ([] for _ in range(12))
        traces, ids, parents, starts, durations, services, names, kinds, statuses, peers, peer_kinds, details = columns
        return Spans(
            self.texts.texts(),
            numbers(traces).reshape(-1, 2),
            numbers(ids),
            numbers(parents),
            np.array(starts, np.int64),
            np.array(durations, np.int64),
            np.array(services, np.int32),
            np.array(names, np.int32),
            np.array(kinds, np.int8),
            np.array(statuses, np.int8),
            np.array(peers, np.int32),
            np.array(peer_kinds, np.int8),
            list(details),
            counts,
            states,
        )


def numbers(ids: Iterable[bytes]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Ids of whole eights of bytes as uint64, one after the other."""
    return np.frombuffer(b"".join(ids), ">u8").astype(np.uint64)


def _wrong(trace: bytes, number: bytes, parent: bytes) -> str:
    """Why a span cannot be taken."""
    if len(trace) != 16 or trace == _NO_TRACE:
        return "a span's trace id is not of 16 bytes, or is zero"
    if len(number) != 8 or number == _NO_SPAN:
        return "a span's id is not of 8 bytes, or is zero"
    if parent and len(parent) != 8:
        return "a span's parent id is not of 8 bytes"
    return "a span has no start, or a time beyond the year 2262"


def _told(known: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    return {**known, "attributes": attributes} if attributes else known
