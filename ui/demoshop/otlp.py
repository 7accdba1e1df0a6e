"""Spans and log records as OTLP requests (opentelemetry-proto 1.x: trace.proto, logs.proto, common.proto, resource.proto)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from ui.demoshop.happened import SEVERITY_NAMES, Log, Span, Value
from ui.demoshop.protobuf import double, fixed64, held, text, whole
from ui.demoshop.services import ENVIRONMENT, SERVICES

SCOPE = "lightship.demo"
ERROR_STATUS = 2


@functools.lru_cache(maxsize=4096)
def _attribute(key: str, kind: str, value: Value) -> bytes:
    if kind == "bool":
        inside = whole(2, int(value))
    elif kind == "int":
        inside = whole(3, int(value))
    elif kind == "float":
        inside = double(4, float(value))
    else:
        inside = text(1, str(value))
    return text(1, key) + held(2, inside)


def attributes(field: int, told: Mapping[str, Value]) -> bytes:
    """`KeyValue`s in a repeated field. The type is part of what is remembered: True equals 1."""
    return b"".join([held(field, _attribute(key, type(value).__name__, value)) for key, value in told.items()])


@functools.lru_cache(maxsize=256)
def resource(service: str, version: str) -> bytes:
    """A `Resource`: who speaks."""
    known = SERVICES[service]
    return attributes(
        1,
        {
            "service.name": service,
            "service.version": version,
            "service.instance.id": known.host,
            "service.namespace": "shop",
            "deployment.environment.name": ENVIRONMENT,
            "host.name": known.host,
            "telemetry.sdk.language": known.language,
        },
    )


@functools.lru_cache(maxsize=1)
def scope() -> bytes:
    return text(1, SCOPE)


def trace_id(trace: int) -> bytes:
    return trace.to_bytes(16, "big")


def span_id(span: int) -> bytes:
    return span.to_bytes(8, "big")


def spans_request(spans: Iterable[Span]) -> bytes:
    """An `ExportTraceServiceRequest`, by service and version."""
    by_sender: dict[tuple[str, str], list[bytes]] = {}
    for span in spans:
        by_sender.setdefault((span.service, span.version), []).append(held(2, _span(span)))
    return b"".join(
        held(1, held(1, resource(*sender)) + held(2, held(1, scope()) + b"".join(told))) for sender, told in by_sender.items()
    )


def _span(one: Span) -> bytes:
    parts = [held(1, trace_id(one.trace)), held(2, span_id(one.span))]
    if one.parent:
        parts.append(held(4, span_id(one.parent)))
    parts += (text(5, one.name), whole(6, one.kind), fixed64(7, one.start), fixed64(8, one.end), attributes(9, one.attributes))
    if one.raised:
        told = {"exception.type": one.raised, "exception.message": one.error}
        parts.append(held(11, fixed64(1, one.end) + text(2, "exception") + attributes(3, told)))
    if one.error:
        parts.append(held(15, text(2, one.error) + whole(3, ERROR_STATUS)))
    return b"".join(parts)


def logs_request(logs: Iterable[Log]) -> bytes:
    """An `ExportLogsServiceRequest`, by service."""
    by_service: dict[str, list[bytes]] = {}
    for log in logs:
        by_service.setdefault(log.service, []).append(held(2, _record(log)))
    return b"".join(
        held(1, held(1, resource(service, SERVICES[service].version)) + held(2, held(1, scope()) + b"".join(told)))
        for service, told in by_service.items()
    )


def _record(one: Log) -> bytes:
    parts = [fixed64(1, one.time), whole(2, one.severity), text(3, SEVERITY_NAMES[one.severity]), held(5, text(1, one.body))]
    parts.append(attributes(6, one.attributes))
    if one.trace and not one.trace_in_text:
        parts.append(held(9, trace_id(one.trace)))
        if one.span:
            parts.append(held(10, span_id(one.span)))
    return b"".join((*parts, fixed64(11, one.time)))
