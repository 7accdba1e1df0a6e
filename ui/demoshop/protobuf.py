"""Protobuf's wire format, written: fields of messages as bytes (protobuf.dev, "Encoding")."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DOUBLE = struct.Struct("<d").pack
_U64 = struct.Struct("<Q").pack
_U32 = struct.Struct("<I").pack


def varint(number: int) -> bytes:
    """A whole number of 64 bits; negative ones as two's complement, in ten bytes."""
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def whole(field: int, number: int) -> bytes:
    return varint(field << 3 | _VARINT) + varint(number)


def fixed64(field: int, number: int) -> bytes:
    return varint(field << 3 | _FIXED64) + _U64(number & 0xFFFFFFFFFFFFFFFF)


def fixed32(field: int, number: int) -> bytes:
    return varint(field << 3 | _FIXED32) + _U32(number)


def double(field: int, number: float) -> bytes:
    return varint(field << 3 | _FIXED64) + _DOUBLE(number)


def held(field: int, data: bytes) -> bytes:
    """Bytes, or a message that is encoded already."""
    return varint(field << 3 | _BYTES) + varint(len(data)) + data


def text(field: int, words: str) -> bytes:
    return held(field, words.encode())


def packed_fixed64(field: int, numbers: Sequence[int]) -> bytes:
    return held(field, struct.pack(f"<{len(numbers)}Q", *numbers))


def packed_doubles(field: int, numbers: Sequence[float]) -> bytes:
    return held(field, struct.pack(f"<{len(numbers)}d", *numbers))
