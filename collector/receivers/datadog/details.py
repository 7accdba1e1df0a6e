"""What a Datadog span says beside its columns: tags, events and links, packed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from collector.receivers.datadog.operations import bounded
from collector.receivers.datadog.payloads import Link, Span

MAX_ATTRIBUTES = 128
MAX_DETAILS = 64 << 10
"""Bytes of one span; of one with more, values are cut, the last left out, and its events and links too."""
MAX_VALUE = 1024
MAX_EVENTS = 128
_PRIORITY = "_sampling_priority_v1"
_LINKS = "_dd.span_links"
_TRACE, _SPAN = re.compile(r"[0-9a-fA-F]{1,32}"), re.compile(r"[0-9a-fA-F]{1,16}")


class _Event(msgspec.Struct, gc=False):
    name: str = ""
    time_unix_nano: int = 0
    attributes: dict[str, Any] = {}


class _SpelledLink(msgspec.Struct, gc=False):
    trace_id: str = ""
    span_id: str = ""
    attributes: dict[str, Any] = {}


_encode = msgspec.msgpack.Encoder().encode
_read_events = msgspec.json.Decoder(list[_Event]).decode
_read_links = msgspec.json.Decoder(list[_SpelledLink]).decode


def packed(span: Span, whole_name: str, common: msgspec.Raw | None) -> tuple[bytes, bool]:
    """MessagePack of the map that `Spans.details` tells of, and whether it was too much and had to be cut.

    `common` is that of its "resource". Attributes are tags and metrics without Datadog's internal ones, the span's name
    ("operation.name"), its type ("span.type") and its resource where the operation says only a part of it (`whole_name`,
    else ""; "resource.name"). An event is a map of "time" (ns), "name" and "attributes", a link one of "trace", "span"
    (hexadecimal) and "attributes", these left out where empty.
    """
    told: dict[str, Any] = {}
    links = _links(span)
    if links:
        told["links"] = links
    attributes = _attributes(span, whole_name)
    if span.error:
        message = attributes.pop("error.message", None) or attributes.pop("error.msg", None)
        if isinstance(message, str):
            told["message"] = message[:MAX_VALUE]
    if "events" in attributes and (events := _events(attributes["events"])):
        del attributes["events"]
        told["events"] = events
    if attributes:
        told["attributes"] = attributes
    if common is not None:
        told["resource"] = common
    encoded = _encode(told)
    if len(encoded) > MAX_DETAILS or len(attributes) > MAX_ATTRIBUTES:
        kept = {name: value for name, value in told.items() if name in ("message", "resource")}
        return _encode({**kept, "attributes": _cut(attributes)}), True
    return encoded, False


def _attributes(span: Span, whole_name: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if span.meta:
        attributes = {name: value for name, value in span.meta.items() if name[:4] != "_dd."}
        attributes.pop("span.kind", None)
    if span.metrics:
        for name, number in span.metrics.items():
            if name[:4] != "_dd.":
                attributes[name] = number
        if _PRIORITY in attributes:
            attributes["sampling.priority"] = attributes.pop(_PRIORITY)
    if span.name:
        attributes["operation.name"] = span.name
    if span.type:
        attributes["span.type"] = span.type
    if whole_name:
        attributes["resource.name"] = whole_name
    return attributes


def _cut(attributes: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    room = MAX_DETAILS // 4  # a character has at most four bytes
    for name, value in list(attributes.items())[:MAX_ATTRIBUTES]:
        short = bounded(value, MAX_VALUE) if isinstance(value, str) else value
        room -= len(name) + (len(short) if isinstance(short, str) else 8)
        if room < 0:
            break
        kept[name] = short
    return kept


def _events(told: object) -> list[dict[str, Any]]:
    """Tracers write a span's events into a tag, as JSON."""
    try:
        events = _read_events(told) if isinstance(told, str) else []
    except (msgspec.DecodeError, RecursionError):
        return []
    return [
        _told({"time": max(0, min(event.time_unix_nano, 2**63 - 1)), "name": event.name}, event.attributes)
        for event in events[:MAX_EVENTS]
    ]


def _links(span: Span) -> list[dict[str, Any]]:
    """In a field of their own (v0.4) or as JSON in a tag (v0.5)."""
    if span.span_links:
        return [_spelled(link) for link in span.span_links[:MAX_EVENTS]]
    told = span.meta.get(_LINKS) if span.meta else None
    if not told:
        return []
    try:
        links = _read_links(told)[:MAX_EVENTS]
    except (msgspec.DecodeError, RecursionError):
        return []
    return [
        _told({"trace": f"{int(link.trace_id, 16):032x}", "span": f"{int(link.span_id, 16):016x}"}, link.attributes)
        for link in links
        if _TRACE.fullmatch(link.trace_id) and _SPAN.fullmatch(link.span_id)
    ]


def _spelled(link: Link) -> dict[str, Any]:
    whole = (link.trace_id_high & 2**64 - 1) << 64 | link.trace_id & 2**64 - 1
    return _told({"trace": f"{whole:032x}", "span": f"{link.span_id & 2**64 - 1:016x}"}, link.attributes)


def _told(what: dict[str, Any], attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**what, "attributes": attributes} if attributes else what
