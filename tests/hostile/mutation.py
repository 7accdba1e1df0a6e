"""Broken inputs made of good ones: bytes that were tampered with, and messages whose parts were."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from collector.protobuf.wire import varint
from tests.hostile.pieces import (
    DOUBLES,
    JSON_PIECES,
    LONGEST,
    MSGPACK_PIECES,
    NUMBERS,
    PROTOBUF_PIECES,
    TEXT_PIECES,
    TEXTS,
    VARINTS,
)

Make = Callable[[random.Random], bytes]

_DEEPEST = 12


def tampered(chance: random.Random, data: bytes, seeds: Sequence[bytes], pieces: Sequence[bytes]) -> bytes:
    """One to four changes to the bytes: flipped, cut off, taken out, put in, doubled, or spliced with another input."""
    body = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(9):
            case 0 if body:
                body[at % len(body)] ^= 1 << chance.randrange(8)
            case 1:
                del body[at:]
            case 2:
                del body[at : at + chance.randint(1, 20)]
            case 3:
                body[at : at + chance.randint(0, 4)] = chance.choice(pieces)
            case 4:
                body[at:at] = body[at : at + chance.randint(1, 60)]
            case 5:
                other = chance.choice(seeds)
                body[at:] = other[chance.randrange(len(other) + 1) :]
            case 6:
                body[at : at + 1] = chance.randbytes(chance.randint(1, 8))
            case 7:
                body[at:at] = chance.choice(pieces) * chance.choice((1, 2, 50, 1000))
            case _ if body:
                body[at % len(body)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(body[:LONGEST])


def protobuf(seeds: Sequence[bytes]) -> Make:
    """Messages with parts that were changed (lengths around them are right again), and ones whose bytes were."""

    def make(chance: random.Random) -> bytes:
        seed = chance.choice(seeds)
        if chance.random() < 0.35:
            return tampered(chance, seed, seeds, PROTOBUF_PIECES)
        for _ in range(chance.randint(1, 3)):
            seed = _changed_message(chance, seed, 0)
        return seed[:LONGEST] if chance.random() < 0.9 else tampered(chance, seed, seeds, PROTOBUF_PIECES)

    return make


def _fields_of(data: bytes) -> list[tuple[int, int, bytes]] | None:
    """(number, wire type, content) of each field, None where the bytes are no message."""
    found, at, end = [], 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        kind, stop = tag & 7, at
        if tag >> 3 == 0 or tag >> 3 > 2000:
            return None
        if kind == 0:
            _, stop = _varint(data, at)
        elif kind == 1:
            stop = at + 8
        elif kind == 2:
            size, at = _varint(data, at)
            stop = at + size
        elif kind == 5:
            stop = at + 4
        else:
            return None
        if stop > end:
            return None
        found.append((tag >> 3, kind, data[at:stop]))
        at = stop
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and what follows it; past the end where it is cut off."""
    value = shift = 0
    while at < len(data) and shift < 70:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
    return 0, len(data) + 1


def _changed_message(chance: random.Random, data: bytes, depth: int) -> bytes:
    parts = _fields_of(data) if data and depth < _DEEPEST else None
    if not parts:
        return _odd_bytes(chance, data)
    at = chance.randrange(len(parts))
    number, kind, content = parts[at]
    match chance.randrange(12):
        case 0:
            del parts[at]
        case 1:
            parts[at:at] = [parts[at]] * chance.choice((1, 3, 200))
        case 2:
            chance.shuffle(parts)
        case 3:
            parts[at] = chance.randint(1, 20), kind, content
        case 4:
            parts[at] = (
                number,
                *chance.choice(((0, varint(chance.choice(VARINTS))), (1, chance.choice(DOUBLES)), (2, b""), (5, b"abcd"))),
            )
        case _:
            if kind == 2:
                content = _changed_message(chance, content, depth + 1)
            elif kind == 0:
                content = varint(chance.choice(VARINTS) if chance.random() < 0.7 else chance.getrandbits(64))
            else:
                content = chance.choice(DOUBLES)[: len(content)] if chance.random() < 0.7 else chance.randbytes(len(content))
            parts[at] = number, kind, content
    return b"".join(
        varint(number << 3 | kind) + (varint(len(content)) if kind == 2 else b"") + content for number, kind, content in parts
    )


def _odd_bytes(chance: random.Random, data: bytes) -> bytes:
    match chance.randrange(6):
        case 0:
            return b""
        case 1:
            return chance.choice(TEXTS).encode()
        case 2:
            return chance.randbytes(len(data))
        case 3:
            return data * chance.choice((2, 50))
        case 4:
            return chance.choice(PROTOBUF_PIECES)
        case _:
            return b"".join(chance.choice(DOUBLES) for _ in range(chance.choice((1, 2, 17, 300))))


def tree(seeds: Sequence[bytes], decode: Callable[[bytes], Any], encode: Callable[[Any], bytes], pieces: Sequence[bytes]) -> Make:
    """JSON or MessagePack with values that were changed, and bytes that were."""
    told = [decode(seed) for seed in seeds]

    def make(chance: random.Random) -> bytes:
        if chance.random() < 0.35:
            return tampered(chance, chance.choice(seeds), seeds, pieces)
        changed = chance.choice(told)
        for _ in range(chance.randint(1, 3)):
            changed = _changed_value(chance, changed, told)
        try:
            body = encode(changed)
        except (msgspec.MsgspecError, OverflowError, TypeError):
            return b""
        return body[:LONGEST] if chance.random() < 0.9 else tampered(chance, body, seeds, pieces)

    return make


def json(seeds: Sequence[bytes]) -> Make:
    return tree(seeds, msgspec.json.decode, msgspec.json.encode, JSON_PIECES)


def msgpack(seeds: Sequence[bytes]) -> Make:
    return tree(seeds, msgspec.msgpack.decode, msgspec.msgpack.encode, MSGPACK_PIECES)


def _changed_value(chance: random.Random, value: Any, others: Sequence[Any]) -> Any:
    """The same but for one place somewhere inside."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: held for name, held in value.items() if name != key}
            case 1:
                return {**value, chance.choice(TEXTS): value[key]}
            case _:
                return {**value, key: _changed_value(chance, value[key], others)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        match chance.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value[:at] + [value[at]] * chance.choice((2, 5, 100)) + value[at:]
            case _:
                return [*value[:at], _changed_value(chance, value[at], others), *value[at + 1 :]]
    match chance.randrange(6):
        case 0 | 1:
            return chance.choice(NUMBERS)
        case 2 | 3:
            return chance.choice(TEXTS)
        case 4:
            return chance.choice(([], {}, [[]], {"a": {}}, "0", [1, 2, 3]))
        case _:
            return chance.choice(others)


def text(seeds: Sequence[bytes]) -> Make:
    """Lines that were tampered with."""
    return lambda chance: tampered(chance, chance.choice(seeds), seeds, TEXT_PIECES)
