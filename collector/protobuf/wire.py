"""The wire format of protobuf: fields out of bytes, bounded, and numbers into bytes, whole columns at a time.

Source: protobuf.dev, "Encoding". Groups, which nobody uses any more, are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_MASK = (1 << 64) - 1
_LONGEST = 10
"""Bytes of a varint of 64 bits."""
_MOST_FIELD = (1 << 29) - 1
_FEW = 64
_DOUBLE = struct.Struct("<d")


class ProtobufError(ValueError):
    """The bytes are no message of the kind expected, or hold more than is allowed; the text says which."""


class Budget:
    """How many fields may still be read: what a message costs is bounded whatever is in it."""

    __slots__ = ("left",)

    def __init__(self, fields: int) -> None:
        self.left = fields

    def spend(self, fields: int = 1) -> None:
        """Raises `ProtobufError` when more are read than may be."""
        self.left -= fields
        if self.left < 0:
            raise ProtobufError("the message has more fields than are allowed")


def varint_at(data: memoryview, at: int) -> tuple[int, int]:
    """The varint at `at`, as an unsigned number, and where it ends."""
    found = shift = 0
    for place in range(at, min(at + _LONGEST, len(data))):
        byte = data[place]
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found & _MASK, place + 1
        shift += 7
    raise ProtobufError("a number is cut off or too long")


def fields(data: memoryview, budget: Budget, at: int = 0) -> Iterator[tuple[int, int, int | memoryview, int]]:
    """Fields from `at` on: number, wire type, value (a number for varints, else the bytes) and where the next one begins."""
    end = len(data)
    while at < end:
        budget.spend()
        tag = data[at]
        if tag < 0x80:  # what nearly all are
            at += 1
        else:
            tag, at = varint_at(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number <= _MOST_FIELD:
            raise ProtobufError(f"field number {number} is none")
        value: int | memoryview
        if kind == VARINT:
            value, at = varint_at(data, at)
        else:
            size = 8 if kind == FIXED64 else 4 if kind == FIXED32 else -1
            if kind == LENGTH:
                size = data[at] if at < end else 0x80
                if size < 0x80:
                    at += 1
                else:
                    size, at = varint_at(data, at)
            if size < 0:
                raise ProtobufError(f"wire type {kind} is none that is read here")
            if size > end - at:
                raise ProtobufError("a field reaches beyond the end of its message")
            value = data[at : at + size]
            at += size
        yield number, kind, value, at


def as_message(value: int | memoryview, kind: int) -> memoryview:
    """The value of a field that is a message, text or packed numbers."""
    if kind != LENGTH or isinstance(value, int):
        raise ProtobufError("a field has another type than its message says")
    return value


def as_text(value: int | memoryview, kind: int) -> str:
    """The value of a string field."""
    try:
        return str(as_message(value, kind), "utf-8")
    except UnicodeDecodeError:
        raise ProtobufError("a text is not UTF-8") from None


def as_unsigned(value: int | memoryview, kind: int) -> int:
    """The value of a uint32, uint64, bool or enum field."""
    if kind != VARINT or not isinstance(value, int):
        raise ProtobufError("a field has another type than its message says")
    return value


def as_signed(value: int | memoryview, kind: int) -> int:
    """The value of an int64 field."""
    number = as_unsigned(value, kind)
    return number - (1 << 64) if number >> 63 else number


def as_zigzag(value: int | memoryview, kind: int) -> int:
    """The value of a sint32 or sint64 field."""
    number = as_unsigned(value, kind)
    return (number >> 1) ^ -(number & 1)


def as_double(value: int | memoryview, kind: int) -> float:
    """The value of a double field."""
    if kind != FIXED64 or isinstance(value, int):
        raise ProtobufError("a field has another type than its message says")
    found: float = _DOUBLE.unpack(value)[0]
    return found


def packed_doubles(value: int | memoryview, kind: int) -> npt.NDArray[np.float64]:
    """A repeated double field's numbers: packed, or one of them."""
    if kind == FIXED64 and not isinstance(value, int):
        return np.frombuffer(value, "<f8").astype(np.float64)
    data = as_message(value, kind)
    if len(data) % 8:
        raise ProtobufError("packed numbers are cut off")
    return np.frombuffer(data, "<f8").astype(np.float64)


def packed_varints(value: int | memoryview, kind: int) -> npt.NDArray[np.uint64]:
    """A repeated varint field's numbers, unsigned: packed, or one of them."""
    if kind == VARINT and isinstance(value, int):
        return np.array([value], np.uint64)
    data = np.frombuffer(as_message(value, kind), np.uint8)
    if not len(data):
        return np.empty(0, np.uint64)
    ends = np.flatnonzero(data < 0x80)
    if not len(ends) or ends[-1] != len(data) - 1:
        raise ProtobufError("packed numbers are cut off")
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if int(sizes.max()) > _LONGEST:
        raise ProtobufError("a packed number is too long")
    shifts = (7 * (np.arange(len(data)) - np.repeat(starts, sizes))).astype(np.uint64)
    found: npt.NDArray[np.uint64] = np.add.reduceat((data & 0x7F).astype(np.uint64) << shifts, starts)
    return found


def packed_list(value: int | memoryview, kind: int) -> list[int]:
    """The same as a list: quicker where they are few."""
    if kind != LENGTH or isinstance(value, int) or len(value) > _FEW:
        found: list[int] = packed_varints(value, kind).tolist()
        return found
    found, at = [], 0
    while at < len(value):
        number, at = varint_at(value, at)
        found.append(number)
    return found


def unzigzag(numbers: npt.NDArray[np.uint64]) -> Longs:
    """Signed numbers from their zigzag form."""
    halves = (numbers >> np.uint64(1)).astype(np.int64)
    return halves ^ -(numbers & np.uint64(1)).astype(np.int64)


# ---------------------------------------------------------------- writing


def varint(number: int) -> bytes:
    """One varint; a negative number as its 64 bits."""
    number &= _MASK
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def zigzag(number: int) -> int:
    """The unsigned form of a sint32 or sint64."""
    return (number << 1) ^ (number >> 63)


def zigzags(numbers: Longs) -> npt.NDArray[np.uint64]:
    """The unsigned form of sint64 numbers."""
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def number_field(field: int, number: int) -> bytes:
    """A varint field, nothing where it is 0 as proto3 has it."""
    return varint(field << 3 | VARINT) + varint(number) if number else b""


def double_field(field: int, number: float) -> bytes:
    """A double field; given even where it is 0."""
    return varint(field << 3 | FIXED64) + _DOUBLE.pack(number)


def bytes_field(field: int, data: bytes) -> bytes:
    """A message, text or packed field; given even where it is empty."""
    return varint(field << 3 | LENGTH) + varint(len(data)) + data


def text_field(field: int, text: str) -> bytes:
    """A string field, nothing where it is empty. Half a surrogate, which is no text, becomes a question mark."""
    return bytes_field(field, text.encode("utf-8", "replace")) if text else b""


def packed(field: int, data: bytes) -> bytes:
    """A packed field, nothing where it is empty."""
    return bytes_field(field, data) if data else b""


def varint_matrix(numbers: npt.NDArray[Any]) -> tuple[Bytes, Longs]:
    """Varints of n 64-bit numbers, uint8 [n, 10], and how many bytes of each row they are, int64 [n]."""
    wide = np.ascontiguousarray(numbers).view(np.uint64)
    sizes = np.ones(len(wide), np.int64)
    made = np.empty((len(wide), _LONGEST), np.uint8)
    for place in range(_LONGEST):  # at most ten, whatever n is
        rest = wide >> np.uint64(7 * place)
        made[:, place] = (rest & np.uint64(0x7F)).astype(np.uint8) | np.where(rest > 0x7F, 0x80, 0).astype(np.uint8)
        sizes += rest > 0x7F
    return made, sizes


def varints(numbers: npt.NDArray[Any]) -> bytes:
    """n 64-bit numbers one after the other, as packed fields hold them."""
    made, sizes = varint_matrix(numbers)
    return made[np.arange(_LONGEST) < sizes[:, np.newaxis]].tobytes()
