"""Parts that OTLP's messages share, put together as bytes: values, attributes, resources, scopes.

Source: opentelemetry-proto, common/v1/common.proto and resource/v1/resource.proto.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping
from typing import Any

from collector.protobuf.wire import FIXED64, VARINT, bytes_field, double_field, varint

_FIXED = struct.Struct("<Q")
_MASK = (1 << 64) - 1
_PLAIN = frozenset((str, int, bool))
_SHORT = 64
"""Characters of a value up to which it is remembered."""
_UNKNOWN = "unknown_service"
"""What a service is called here when nobody said: that is not passed on."""
_DEEPEST = 16
"""Values within values; what is deeper is left out."""


def fixed_field(field: int, number: int) -> bytes:
    """A fixed64 field; given even where it is 0."""
    return varint(field << 3 | FIXED64) + _FIXED.pack(number & _MASK)


def any_value(value: Any, depth: int = 0) -> bytes:
    """An `AnyValue`, empty for None. Numbers beyond 64 bits are texts."""
    if isinstance(value, str):
        return bytes_field(1, value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        return varint(2 << 3 | VARINT) + (b"\1" if value else b"\0")
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 63:
            return any_value(str(value))
        return varint(3 << 3 | VARINT) + varint(value)
    if isinstance(value, float):
        return double_field(4, value)
    if isinstance(value, bytes):
        return bytes_field(7, value)
    if depth >= _DEEPEST or value is None:
        return b""
    if isinstance(value, list | tuple):
        return bytes_field(5, b"".join(bytes_field(1, any_value(each, depth + 1)) for each in value))
    if isinstance(value, dict):
        return bytes_field(6, b"".join(bytes_field(1, _pair(name, each, depth + 1)) for name, each in value.items()))
    return any_value(str(value))


def _pair(name: Any, value: Any, depth: int = 0) -> bytes:
    text = name if isinstance(name, str) else str(name)
    return bytes_field(1, text.encode("utf-8", "replace")) + bytes_field(2, any_value(value, depth))


def attributes(field: int, given: Any) -> bytes:
    """A repeated field of `KeyValue`; nothing for what is no map."""
    if not isinstance(given, Mapping):
        return b""
    return b"".join(
        [
            _short(field, name, value)
            if type(value) in _PLAIN and len(str(value)) <= _SHORT
            else bytes_field(field, _pair(name, value))
            for name, value in given.items()
        ]
    )


@functools.lru_cache(maxsize=20_000, typed=True)
def _short(field: int, name: Any, value: Any) -> bytes:
    """Most attributes come again and again."""
    return bytes_field(field, _pair(name, value))


def scope(given: Any) -> bytes:
    """An `InstrumentationScope`, of its name or of a map with name, version and attributes."""
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, Mapping):
        return b""
    told = b"".join(
        bytes_field(field, str(given[name]).encode("utf-8", "replace"))
        for field, name in ((1, "name"), (2, "version"))
        if given.get(name)
    )
    return told + attributes(3, given.get("attributes"))


def resource(given: Any, service: str, tags: Mapping[str, str]) -> bytes:
    """A `Resource`: what came with the data, the service's name where it lacks that, and tags of the export, which win."""
    told = dict(given) if isinstance(given, Mapping) else {}
    if service and service != _UNKNOWN:
        told.setdefault("service.name", service)
    return attributes(1, {**told, **tags})
