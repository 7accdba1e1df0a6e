"""Spans as a tracer of Datadog sends them to its agent: MessagePack of v0.4, chunks of one trace each."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ui.demoshop.happened import CLIENT, CONSUMER, INTERNAL, KIND_NAMES, PRODUCER, SERVER, Span
from ui.demoshop.services import ENVIRONMENT

PATH = "/v0.4/traces"
_LOW = (1 << 64) - 1
_NAMES = {SERVER: "web.request", CLIENT: "http.request", INTERNAL: "work", PRODUCER: "kafka.produce", CONSUMER: "kafka.consume"}
_TYPES = {SERVER: "web", CLIENT: "http", INTERNAL: "", PRODUCER: "queue", CONSUMER: "queue"}
_TAGS = {
    "db.system.name": "db.system",
    "db.namespace": "db.name",
    "http.request.method": "http.method",
    "http.response.status_code": "http.status_code",
    "server.address": "out.host",
}
"""What Datadog's integrations call the attributes of OpenTelemetry's conventions; all others keep their names."""
_encode = msgspec.msgpack.Encoder().encode


def traces(spans: Iterable[Span]) -> bytes:
    """The body of `PUT /v0.4/traces`. The upper half of a trace's id goes with the first span of its chunk, as `_dd.p.tid`."""
    chunks: dict[int, list[dict[str, object]]] = {}
    for span in spans:
        chunk = chunks.setdefault(span.trace, [])
        chunk.append(_span(span, first=not chunk))
    return _encode(list(chunks.values()))


def _span(one: Span, first: bool) -> dict[str, object]:
    meta = {"span.kind": KIND_NAMES[one.kind], "env": ENVIRONMENT, "version": one.version, "language": "demo"}
    metrics: dict[str, float] = {}
    for key, value in one.attributes.items():
        key = _TAGS.get(key, key)
        if isinstance(value, str) or key == "http.status_code":
            meta[key] = str(value)
        else:
            metrics[key] = float(value)
    if first:
        meta["_dd.p.tid"] = f"{one.trace >> 64:016x}"
        metrics["_sampling_priority_v1"] = 1.0
    if one.error:
        meta |= {"error.message": one.error, "error.type": one.raised or "Error"}
    system = one.attributes.get("db.system.name")
    kind = ("redis" if system == "redis" else "sql") if system else _TYPES[one.kind]
    return {
        "trace_id": one.trace & _LOW,
        "span_id": one.span,
        "parent_id": one.parent,
        "service": one.service,
        "name": f"{system}.query" if system else _NAMES[one.kind],
        "resource": one.name,
        "type": kind,
        "start": one.start,
        "duration": one.end - one.start,
        "error": int(bool(one.error)),
        "meta": meta,
        "metrics": metrics,
    }
