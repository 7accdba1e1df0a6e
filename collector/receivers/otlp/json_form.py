"""OTLP/JSON to protobuf, so that there is one way of reading.

It is protobuf's JSON form but for this (opentelemetry.io, OTLP specification, "JSON Protobuf Encoding"): trace and span ids are
hexadecimal, enums are numbers, and fields that nobody knows are ignored.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message

from collector.receivers.otlp.schema import UnreadableError

_IDS = frozenset(("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"))
_DEEPEST = 200
"""Objects and lists within one another; protobuf itself reads a hundred messages deep."""


def to_protobuf(data: bytes, request: type[Message]) -> bytes:
    """The same request in protobuf. Raises `UnreadableError`."""
    try:
        told = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UnreadableError(f"not JSON: {error}") from None
    if not isinstance(told, dict):
        raise UnreadableError("not an object of OTLP/JSON")
    message = request()
    try:
        json_format.ParseDict(_with_ids(told, _DEEPEST), message, ignore_unknown_fields=True)
        return message.SerializeToString()
    except UnreadableError:
        raise
    except (json_format.Error, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UnreadableError(f"not OTLP/JSON: {str(error)[:300]}") from None


def _with_ids(told: Any, depth: int) -> Any:
    """The same with ids in base64, as protobuf's JSON form has bytes."""
    if depth == 0:
        raise UnreadableError("values are nested too deep")
    if isinstance(told, dict):
        return {key: _base64(value) if key in _IDS else _with_ids(value, depth - 1) for key, value in told.items()}
    if isinstance(told, list):
        return [_with_ids(value, depth - 1) for value in told]
    return told


def _base64(told: Any) -> Any:
    if not isinstance(told, str):
        return told
    try:
        return base64.b64encode(bytes.fromhex(told)).decode()
    except ValueError:
        raise UnreadableError(f"an id is not hexadecimal: {told[:40]!r}") from None
