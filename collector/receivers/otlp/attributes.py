"""Attributes as they lie on the wire: each is decoded once, and looked up by its bytes from then on."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from collector.receivers.otlp.counters import OtlpCounters
from collector.receivers.otlp.limits import LONGEST_KEPT, MOST_ATTRIBUTES, MOST_DEPTH, MOST_KEPT, MOST_TEXT
from collector.receivers.otlp.schema import key_value
from monitor.model.series import MAX_TAG_KEY
from monitor.topology.peers import PEER_ATTRIBUTES

TOO_DEEP = "(values are nested too deep)"
_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


class Attribute(NamedTuple):
    """One attribute, decoded. `packed`: key and value in MessagePack. `of_peer`: it may tell what a span speaks to."""

    key: str
    value: Any
    packed: bytes
    of_peer: bool


class Attributes:
    """Decodes attributes and remembers those that are short."""

    def __init__(self, counters: OtlpCounters) -> None:
        self._counters = counters
        self._known: dict[bytes, Attribute] = {}
        self._packed: dict[bytes, bytes] = {}
        """Of such as tell no peer."""

    def decoded(self, data: bytes) -> Attribute:
        """Of the bytes of a `KeyValue`. Raises `UnreadableError`."""
        found = self._known.get(data)
        if found is None:
            found = short_text(data) or self._decode(data)
            if len(data) <= LONGEST_KEPT:
                if len(self._known) >= MOST_KEPT:
                    self._known.clear()
                self._known[data] = found
        return found

    def all_decoded(self, attributes: Any) -> list[Attribute]:
        """As many as may be of one span, record, resource or scope, decoded. Raises `UnreadableError`."""
        known, decoded = self._known, self.decoded
        return [known.get(data) or decoded(data) for data in self.within_bound(attributes)]

    def all_packed(self, attributes: Any) -> tuple[list[bytes], list[Attribute]]:
        """As many as may be of one span, packed, and those of them that may tell its peer. Raises `UnreadableError`."""
        telling: list[Attribute] = []
        known, met = self._packed, self._met
        if len(attributes) > MOST_ATTRIBUTES:
            attributes = self.within_bound(attributes)
        return [known.get(data) or met(data, telling) for data in attributes], telling

    def _met(self, data: bytes, telling: list[Attribute]) -> bytes:
        found = self._known.get(data)
        packed = found.packed if found is not None else short_packed(data)
        if packed is None:
            found = self.decoded(data)
            packed = found.packed
        if found is not None and found.of_peer:
            telling.append(found)
        elif len(data) <= LONGEST_KEPT:
            if len(self._packed) >= MOST_KEPT:
                self._packed.clear()
            self._packed[data] = packed
        return packed

    def _decode(self, data: bytes) -> Attribute:
        pair = key_value(data)
        key, value = pair.key, self.value(pair.value)
        if len(key) > MAX_TAG_KEY:
            self._counters.cut += 1
            key = key[:MAX_TAG_KEY]
        return Attribute(key, value, _pack(key) + _pack(value), key in PEER_ATTRIBUTES)

    def within_bound(self, attributes: Any) -> Any:
        """All of them, or the first where there are too many."""
        if len(attributes) <= MOST_ATTRIBUTES:
            return attributes
        self._counters.cut += len(attributes) - MOST_ATTRIBUTES
        return attributes[:MOST_ATTRIBUTES]

    def packed(self, attributes: Any) -> bytes:
        """A MessagePack map of them, b"" of none."""
        if not attributes:
            return b""
        found = self.all_decoded(attributes)
        return map_head(len(found)) + b"".join([each.packed for each in found])

    def mapped(self, attributes: Any) -> dict[str, Any]:
        """Values by key."""
        return {found.key: found.value for found in self.all_decoded(attributes)}

    def value(self, any_value: Any, depth: int = MOST_DEPTH, longest: int = MOST_TEXT) -> Any:
        """An `AnyValue` in Python's types: None, str, bool, int, float, bytes, list or dict; texts are cut at `longest`."""
        kind = any_value.WhichOneof("value")
        if kind is None or kind == "string_value_strindex":
            return None
        held = getattr(any_value, kind)
        if kind == "string_value" or kind == "bytes_value":
            if len(held) > longest:
                self._counters.cut += 1
                return held[:longest]
            return held
        if kind not in ("array_value", "kvlist_value"):
            return held
        if depth == 0:
            self._counters.cut += 1
            return TOO_DEEP
        if kind == "array_value":
            return [self.value(each, depth - 1) for each in self.within_bound(held.values)]
        return {each.key[:MAX_TAG_KEY]: self.value(each.value, depth - 1) for each in self.within_bound(held.values)}


def short_text(data: bytes) -> Attribute | None:
    """A `KeyValue` whose key and text are shorter than 128 bytes, as nearly all that are met for the first time are; else None.

    On the wire: 0x0a, length, key, 0x12, length, and in that 0x0a, length, text (protobuf.dev, "Encoding").
    """
    size = len(data)
    if size < 6 or size > 6 + 2 * 127 or data[0] != 0x0A:
        return None
    after_key = 2 + data[1]
    length = size - after_key - 4
    if not 0 <= length < 126 or data[after_key : after_key + 4] != bytes((0x12, length + 2, 0x0A, length)):
        return None
    key, text = data[2:after_key], data[after_key + 4 :]
    try:
        name = key.decode()
        return Attribute(name, text.decode(), _text_head(len(key)) + key + _text_head(length) + text, name in PEER_ATTRIBUTES)
    except UnicodeDecodeError:
        return None


def short_packed(data: bytes) -> bytes | None:
    """The same in MessagePack, of such as are ASCII alone and tell no peer; None of others."""
    size = len(data)
    if size < 6 or size > 6 + 2 * 127 or data[0] != 0x0A or not data.isascii():
        return None
    after_key = 2 + data[1]
    length = size - after_key - 4
    if not 0 <= length < 126 or data[after_key : after_key + 4] != _TEXT_MARKS[length]:
        return None
    key = data[2:after_key]
    return None if key in _OF_PEER else _TEXT_HEADS[len(key)] + key + _TEXT_HEADS[length] + data[after_key + 4 :]


def _text_head(size: int) -> bytes:
    """How a MessagePack text of up to 255 bytes begins."""
    return bytes((0xA0 | size,)) if size < 32 else bytes((0xD9, size))


_TEXT_MARKS = [bytes((0x12, length + 2, 0x0A, length)) for length in range(126)]
"""How a text of so many bytes begins in a `KeyValue`, behind its key."""
_TEXT_HEADS = [_text_head(size) for size in range(128)]
_OF_PEER = frozenset(key.encode() for key in PEER_ATTRIBUTES)


def map_head(size: int) -> bytes:
    """How a MessagePack map of up to 65,535 entries begins."""
    return bytes((0x80 | size,)) if size < 16 else b"\xde" + size.to_bytes(2, "big")


def text_of(value: Any) -> str:
    """A value as people and tags have it: structures as JSON, bytes as base64, nothing for None (OpenTelemetry, "AnyValue")."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (dict, list)):
        return _json(value).decode()
    return str(value)


def packed_pairs(pairs: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """Keys and values that are packed already, those that are empty left out, each ready to be put behind a `map_head`."""
    return [_pack(key) + value for key, value in pairs if value]
