"""What tracers send to a Datadog agent, decoded: v0.3, v0.4, v0.5 and v0.7.

Source: datadog-agent, pkg/proto/datadog/trace and pkg/trace/api/version.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from collector.receivers.datadog.repair import repaired

MOST_CHUNKS = 50_000
MOST_SPANS = 200_000
"""Of one request; a tracer sends some thousands."""
MOST_TAGS = 4096
MOST_LINKS = 1024
MOST_TEXTS = 1_000_000
MOST_REPAIRED = 4 << 20

Decoded = TypeVar("Decoded")
Tags = Annotated[dict[str, str | None], Meta(max_length=MOST_TAGS)]
Numbers = Annotated[dict[str, float], Meta(max_length=MOST_TAGS)]
_Place = Annotated[int, Meta(ge=0)]


class PayloadError(ValueError):
    """The body is not what it should be, or has more in it than may be; the message says which."""


class Link(msgspec.Struct, gc=False):
    """A span's link to another, as v0.4 has it."""

    trace_id: int = 0
    span_id: int = 0
    trace_id_high: int = 0
    attributes: Tags | None = None
    tracestate: str | None = ""


class Span(msgspec.Struct, gc=False):
    """One span as v0.4 has it; only the ids must be there. Times are nanoseconds, `error` is not 0 where it failed."""

    trace_id: int
    span_id: int
    parent_id: int | None = 0
    service: str | None = ""
    name: str | None = ""
    resource: str | None = ""
    type: str | None = ""
    start: int = 0
    duration: int = 0
    error: int = 0
    meta: Tags | None = None
    metrics: Numbers | None = None
    span_links: Annotated[list[Link], Meta(max_length=MOST_LINKS)] | None = None


Chunk = Annotated[list[Span], Meta(max_length=MOST_SPANS)]


class PackedSpan(msgspec.Struct, array_like=True, gc=False):
    """One span of v0.5: texts are places in the payload's list of them."""

    service: _Place
    name: _Place
    resource: _Place
    trace_id: int
    span_id: int
    parent_id: int
    start: int
    duration: int
    error: int
    meta: Annotated[dict[_Place, _Place], Meta(max_length=MOST_TAGS)]
    metrics: Annotated[dict[_Place, float], Meta(max_length=MOST_TAGS)]
    type: _Place


class _ChunkOf07(msgspec.Struct, gc=False):
    spans: Chunk | None = None
    priority: int | None = None
    tags: Tags | None = None


class _PayloadOf07(msgspec.Struct, gc=False):
    chunks: Annotated[list[_ChunkOf07], Meta(max_length=MOST_CHUNKS)] | None = None
    container_id: str | None = ""
    language_name: str | None = ""
    tracer_version: str | None = ""
    env: str | None = ""
    hostname: str | None = ""
    app_version: str | None = ""


@dataclass(frozen=True, slots=True)
class Payload:
    """Chunks of traces; `resource`: what holds for all of them, by the names that OpenTelemetry has for it."""

    chunks: list[list[Span]]
    resource: dict[str, str] = field(default_factory=dict)


_Chunks = Annotated[list[Chunk], Meta(max_length=MOST_CHUNKS)]
_PackedChunks = Annotated[list[Annotated[list[PackedSpan], Meta(max_length=MOST_SPANS)]], Meta(max_length=MOST_CHUNKS)]
_PackedPayload = tuple[Annotated[list[str | None], Meta(max_length=MOST_TEXTS)], _PackedChunks]

_DECODE = msgspec.msgpack.Decoder(_Chunks | None).decode
_DECODE_JSON = msgspec.json.Decoder(_Chunks | None).decode
_DECODE_PACKED = msgspec.msgpack.Decoder(_PackedPayload).decode
_DECODE_07 = msgspec.msgpack.Decoder(_PayloadOf07).decode


def read_traces(body: bytes) -> Payload:
    """MessagePack of v0.3 and v0.4. Raises `PayloadError`."""
    return _bounded(Payload(_decoded(_DECODE, body) or []))


def read_json(body: bytes) -> Payload:
    """The same as JSON, as v0.3 allows. Raises `PayloadError`."""
    return _bounded(Payload(_decoded(_DECODE_JSON, body, mend=False) or []))


def read_packed(body: bytes) -> Payload:
    """MessagePack of v0.5. Raises `PayloadError`, for a place outside of the list of texts too."""
    texts, chunks = _decoded(_DECODE_PACKED, body)
    try:
        return _bounded(Payload([[_unpacked(span, texts) for span in chunk] for chunk in chunks]))
    except IndexError:
        raise PayloadError(f"a span names a text outside of the payload's list of {len(texts)}") from None


def read_tracer_payload(body: bytes) -> Payload:
    """MessagePack of v0.7. Raises `PayloadError`."""
    found = _decoded(_DECODE_07, body)
    chunks: list[list[Span]] = []
    for chunk in found.chunks or []:
        spans = chunk.spans or []
        if spans:
            first = spans[0]
            first.meta = {**(chunk.tags or {}), **(first.meta or {})}
            if chunk.priority is not None:
                first.metrics = {"_sampling_priority_v1": float(chunk.priority), **(first.metrics or {})}
        chunks.append(spans)
    said = {
        "container.id": found.container_id,
        "telemetry.sdk.language": found.language_name,
        "telemetry.sdk.version": found.tracer_version,
        "deployment.environment.name": found.env,
        "host.name": found.hostname,
        "service.version": found.app_version,
    }
    return _bounded(Payload(chunks, {name: value for name, value in said.items() if value}))


def _unpacked(span: PackedSpan, texts: list[str | None]) -> Span:
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_id,
        texts[span.service],
        texts[span.name],
        texts[span.resource],
        texts[span.type],
        span.start,
        span.duration,
        span.error,
        {texts[name] or "": texts[value] for name, value in span.meta.items()},
        {texts[name] or "": value for name, value in span.metrics.items()},
    )


def _bounded(payload: Payload) -> Payload:
    spans = sum(map(len, payload.chunks))
    if spans > MOST_SPANS:
        raise PayloadError(f"the payload has {spans} spans, at most {MOST_SPANS} are taken at once")
    return payload


def _decoded(decode: Callable[[bytes], Decoded], body: bytes, mend: bool = True) -> Decoded:
    try:
        return decode(body)
    except UnicodeDecodeError:  # tracers of languages whose strings are bytes send what is no UTF-8
        if not mend or len(body) > MOST_REPAIRED:
            raise PayloadError("a text is not UTF-8") from None
        return _decoded(decode, repaired(body), mend=False)
    except msgspec.DecodeError as error:
        raise PayloadError(str(error)[:200]) from None
    except RecursionError:
        raise PayloadError("it is nested too deeply") from None
