"""A slow, obvious reader of Datadog's spans: one row a span, as the columns must tell it."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from monitor.model.spans import PeerKind, SpanKind, Spans, Status
from monitor.topology.peers import peer_of

Row = dict[str, Any]
NOW = 1_700_000_000.0


def rows(spans: Spans) -> list[Row]:
    """The columns, read back."""
    return [
        {
            "trace": (int(spans.traces[i, 0]) << 64) + int(spans.traces[i, 1]),
            "id": int(spans.ids[i]),
            "parent": int(spans.parents[i]),
            "start": int(spans.starts[i]),
            "duration": int(spans.durations[i]),
            "service": spans.texts[spans.services[i]],
            "name": spans.texts[spans.names[i]],
            "kind": SpanKind(spans.kinds[i]),
            "status": Status(spans.statuses[i]),
            "peer": (PeerKind(spans.peer_kinds[i]), spans.texts[spans.peers[i]]),
            "details": msgspec.msgpack.decode(spans.details[i]),
        }
        for i in range(len(spans))
    ]


def expected(chunks: list[list[Row]]) -> list[Row]:
    """What spans, written as in v0.4, mean; for texts and numbers within all bounds, and types that name no store."""
    return [_row(span, chunk) for chunk in chunks for span in chunk if span["trace_id"] and span["span_id"]]


def _row(span: Row, chunk: list[Row]) -> Row:
    meta, metrics = span.get("meta") or {}, span.get("metrics") or {}
    upper = 0
    for other in chunk:
        said = (other.get("meta") or {}).get("_dd.p.tid", "")
        if other["trace_id"] == span["trace_id"] and len(said) == 16 and all(c in "0123456789abcdef" for c in said):
            upper = int(said, 16)
    duration = span.get("duration", 0)
    start = span.get("start", 0)
    if duration < 0 or duration + max(start, 0) > 2**63 - 1:
        duration = 0
    if start < 946684800 * 10**9 or start > (NOW + 86400) * 1e9:
        start = int(NOW) * 10**9 - duration
        start = max(start, 0)
    attributes: Row = {name: value for name, value in meta.items() if not name.startswith("_dd.") and name != "span.kind"}
    for name, number in metrics.items():
        if name == "_sampling_priority_v1":
            attributes["sampling.priority"] = number
        elif not name.startswith("_dd."):
            attributes[name] = number
    details: Row = {}
    if span.get("error"):
        message = attributes.pop("error.message", None) or attributes.pop("error.msg", None)
        if isinstance(message, str):
            details["message"] = message
    if span.get("name"):
        attributes["operation.name"] = span["name"]
    if span.get("type"):
        attributes["span.type"] = span["type"]
    if attributes:
        details["attributes"] = attributes
    kinds = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "producer": SpanKind.PRODUCER, "consumer": SpanKind.CONSUMER}
    kind = kinds.get(meta.get("span.kind", ""), SpanKind.SERVER if span.get("type") == "web" else SpanKind.UNSPECIFIED)
    if meta.get("span.kind") == "internal":
        kind = SpanKind.INTERNAL
    told = {}
    for attribute, tags in {
        "peer.service": ["peer.service"],
        "db.system": ["db.system", "db.type"],
        "db.namespace": ["db.name"],
        "server.address": ["out.host"],
    }.items():
        for tag in tags:
            if meta.get(tag) and attribute not in told:
                told[attribute] = meta[tag]
    return {
        "trace": (upper << 64) + span["trace_id"],
        "id": span["span_id"],
        "parent": span.get("parent_id") or 0,
        "start": start,
        "duration": duration,
        "service": span.get("service") or "unnamed-service",
        "name": span.get("resource") or span.get("name") or "unnamed_operation",
        "kind": kind,
        "status": Status.ERROR if span.get("error") else Status.UNSET,
        "peer": peer_of(kind, told),
        "details": details,
    }


def same(left: Any, right: Any) -> bool:
    """Equality that takes NaN for NaN."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return bool(left == right)
