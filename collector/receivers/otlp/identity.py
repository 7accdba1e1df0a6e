"""Trace and span ids: off the wire, and out of what loggers write them into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_DATADOG = ("dd.trace_id", "dd.span_id")
_TRACE_KEYS = ("trace_id", "traceId", "trace-id", "dd.trace_id", "traceid", "otel.trace_id")
_SPAN_KEYS = ("span_id", "spanId", "span-id", "dd.span_id", "spanid", "otel.span_id")
_PARENT_KEY = "traceparent"
_HEX = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?")
_DECIMAL = re.compile(r"[0-9]{1,39}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}.{0,512}", re.IGNORECASE | re.DOTALL)
"""W3C Trace Context, "traceparent Header"; later versions may append to it."""
_LOW = (1 << 64) - 1


class TraceContext(NamedTuple):
    """A trace as two 64-bit halves and a span; 0 where there is none."""

    high: int = 0
    low: int = 0
    span: int = 0


NOWHERE = TraceContext()


def context_in(found: Mapping[str, Any]) -> TraceContext:
    """What attributes or a structured body tell: ids of 32 or 16 hexadecimal digits or in decimal, or a `traceparent`."""
    parent = found.get(_PARENT_KEY)
    if isinstance(parent, str):
        match = _TRACEPARENT.fullmatch(parent.strip()[:600])
        if match and int(match[1], 16):
            trace = int(match[1], 16)
            return TraceContext(trace >> 64, trace & _LOW, int(match[2], 16))
    trace = _first(found, _TRACE_KEYS, 128)
    return TraceContext(trace >> 64, trace & _LOW, _first(found, _SPAN_KEYS, 64)) if trace else NOWHERE


def _first(found: Mapping[str, Any], keys: tuple[str, ...], bits: int) -> int:
    for key in keys:
        value = found.get(key)
        if value is None and key in _DATADOG:
            nested = found.get("dd")
            value = nested.get(key.removeprefix("dd.")) if isinstance(nested, dict) else None
        if value is not None:
            number = _number(value, decimal=key in _DATADOG)
            if 0 < number < 1 << bits:
                return number
    return 0


def _number(value: Any, decimal: bool) -> int:
    """0 where it is no id. `decimal`: digits alone are decimal whatever their number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return 0
    text = value.strip()
    if _HEX.fullmatch(text) and not (decimal and len(text) < 32 and text.isdecimal()):
        return int(text, 16)
    return int(text) if _DECIMAL.fullmatch(text) else 0
