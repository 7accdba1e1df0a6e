"""Spans and log records as OTLP requests, as they came: columns back into messages.

Source: opentelemetry-proto, trace/v1/trace.proto and logs/v1/logs.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from collector.exporters.otlp_wire import any_value, attributes, fixed_field, resource, scope
from collector.protobuf.wire import bytes_field, number_field, text_field
from monitor.model.logs import Logs
from monitor.model.spans import Spans

MOST_BYTES = 2 << 20
"""Of a request, one span or record more or less: gRPC servers take 4 MiB unless told otherwise."""
_MASK = (1 << 64) - 1


class _Details(msgspec.Struct, frozen=True):
    """What a span or record has beside its columns; what many share is left packed."""

    attributes: Any = None
    resource: msgspec.Raw = msgspec.Raw(b"")
    scope: msgspec.Raw = msgspec.Raw(b"")
    events: Any = None
    links: Any = None
    message: Any = None
    severity: Any = None


_decode = msgspec.msgpack.Decoder(_Details).decode


def span_requests(spans: Spans, tags: Mapping[str, str]) -> Iterator[tuple[bytes, int]]:
    """`ExportTraceServiceRequest`s of about `MOST_BYTES`, and how many spans are in each."""
    services = [spans.texts[place] for place in spans.services.tolist()]
    names = [spans.texts[place] for place in spans.names.tolist()]
    traces = np.ascontiguousarray(spans.traces, ">u8").tobytes()
    ids = np.ascontiguousarray(spans.ids, ">u8").tobytes()
    parents = spans.parents.tolist()
    starts, durations = spans.starts.tolist(), spans.durations.tolist()
    kinds, statuses = spans.kinds.tolist(), spans.statuses.tolist()
    states = spans.states.tolist()

    def message(place: int, details: _Details) -> bytes:
        status = text_field(2, _text(details.message)) + number_field(3, statuses[place])
        parent = parents[place]
        return b"".join(
            (
                bytes_field(1, traces[16 * place : 16 * place + 16]),
                bytes_field(2, ids[8 * place : 8 * place + 8]),
                text_field(3, spans.texts[states[place]]),
                bytes_field(4, parent.to_bytes(8, "big")) if parent else b"",
                text_field(5, names[place]),
                number_field(6, kinds[place]),
                fixed_field(7, starts[place]),
                fixed_field(8, starts[place] + durations[place]),
                attributes(9, details.attributes),
                *(bytes_field(11, _event(each)) for each in _maps(details.events)),
                *(bytes_field(13, _link(each)) for each in _maps(details.links)),
                bytes_field(15, status) if status else b"",
            )
        )

    return _requests(spans.details, services, message, tags)


def log_requests(logs: Logs, tags: Mapping[str, str]) -> Iterator[tuple[bytes, int]]:
    """`ExportLogsServiceRequest`s of about `MOST_BYTES`, and how many records are in each."""
    services = [logs.texts[place] for place in logs.services.tolist()]
    traces = np.ascontiguousarray(logs.traces, ">u8").tobytes()
    ids = np.ascontiguousarray(logs.spans, ">u8").tobytes()
    traced: list[bool] = np.asarray(logs.traces.any(axis=1)).tolist()
    spanned: list[bool] = (logs.spans != 0).tolist()
    times, severities = logs.times.tolist(), logs.severities.tolist()

    def message(place: int, details: _Details) -> bytes:
        return b"".join(
            (
                fixed_field(1, times[place]),
                number_field(2, severities[place]),
                text_field(3, _text(details.severity)),
                bytes_field(5, any_value(logs.bodies[place])),
                attributes(6, details.attributes),
                bytes_field(9, traces[16 * place : 16 * place + 16]) if traced[place] else b"",
                bytes_field(10, ids[8 * place : 8 * place + 8]) if spanned[place] else b"",
                fixed_field(11, times[place]),
            )
        )

    return _requests(logs.details, services, message, tags)


def _requests(
    details: Any, services: list[str], message: Callable[[int, _Details], bytes], tags: Mapping[str, str]
) -> Iterator[tuple[bytes, int]]:
    """One resource and scope for all that share them, in the order in which each came first."""
    known: dict[tuple[bytes, bytes, str], tuple[bytes, bytes]] = {}
    groups: dict[tuple[bytes, bytes], list[bytes]] = {}
    size = count = 0
    # A message each, so a step each.
    for place, packed in enumerate(details):
        told = _details(packed)
        came = bytes(told.resource), bytes(told.scope), services[place]
        whose = known.get(came)
        if whose is None:
            whose = known[came] = (resource(_raw(came[0]), services[place], tags), scope(_raw(came[1])))
        body = message(place, told)
        groups.setdefault(whose, []).append(body)
        size, count = size + len(body), count + 1
        if size >= MOST_BYTES:
            yield _request(groups), count
            groups, size, count = {}, 0, 0
    if count:
        yield _request(groups), count


def _request(groups: Mapping[tuple[bytes, bytes], list[bytes]]) -> bytes:
    return b"".join(
        bytes_field(
            1, bytes_field(1, whose) + bytes_field(2, bytes_field(1, how) + b"".join(bytes_field(2, one) for one in bodies))
        )
        for (whose, how), bodies in groups.items()
    )


def _details(packed: bytes) -> _Details:
    try:
        return _decode(packed) if packed else _Details()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Details()


def _raw(packed: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(packed) if packed else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _maps(given: Any) -> list[Mapping[str, Any]]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _event(event: Mapping[str, Any]) -> bytes:
    time = event.get("time")
    told = fixed_field(1, time) if isinstance(time, int) else b""
    return told + text_field(2, _text(event.get("name"))) + attributes(3, event.get("attributes"))


def _link(link: Mapping[str, Any]) -> bytes:
    trace, span = _id(link.get("trace"), 16), _id(link.get("span"), 8)
    return bytes_field(1, trace) + bytes_field(2, span) + attributes(4, link.get("attributes"))


def _id(given: Any, size: int) -> bytes:
    """An id as bytes, of bytes, hexadecimal digits, or numbers of 64 bits."""
    found = b""
    if isinstance(given, bytes):
        found = given
    elif isinstance(given, str):
        try:
            found = bytes.fromhex(given)
        except ValueError:
            found = b""
    elif isinstance(given, int):
        found = (given & _MASK).to_bytes(8, "big")
    elif isinstance(given, list | tuple):
        found = b"".join((each & _MASK).to_bytes(8, "big") for each in given if isinstance(each, int))
    return found[-size:].rjust(size, b"\0")
