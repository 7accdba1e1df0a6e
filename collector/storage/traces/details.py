"""Details of spans and logs: read, told as text, and tested; and rows that cannot meet a test found without reading them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.traces.text_filter import Bits, may_hold
from monitor.model.matchers import Matcher


class Details(msgspec.Struct, frozen=True):
    """What a span or a log has beside its columns (monitor/model/spans.py, logs.py)."""

    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    scope: Any = None
    events: list[Any] = []
    links: list[Any] = []
    message: str = ""
    severity: str = ""


class _Tested(msgspec.Struct, frozen=True):
    """As much of it as tests need."""

    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    events: list[Any] = []
    message: str = ""


_details = msgspec.msgpack.Decoder(Details)
_tested = msgspec.msgpack.Decoder(_Tested)
_encode = msgspec.msgpack.Encoder().encode
_EXACT = 1e15
_INT = re.compile(r"-?(0|[1-9][0-9]{0,19})")


def read(detail: bytes) -> Details:
    """Empty where it is not what it should be."""
    try:
        return _details.decode(detail) if detail else Details()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Details()


def told(value: Any) -> str:
    """An attribute's value as text: whole numbers without a point, whatever type they travelled in, lists and maps as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else str(value)
    if isinstance(value, int):
        return str(value)
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return str(value)


def folded(text: str) -> bytes:
    """UTF-8 with ASCII letters lowered: texts are looked for in this form."""
    return text.encode("utf-8", "replace").lower()


class RowTest:
    """A text and tags that rows must have.

    A chunk of rows is searched for the bytes they would be written with, before any of them is read.
    """

    def __init__(self, text: str, tags: Sequence[Matcher]) -> None:
        self.text = folded(text)
        self.tags = tuple(tags)
        self._plain = text
        self._numbers = [_encode(int(text))] if _INT.fullmatch(text) and -(1 << 63) <= int(text) < 1 << 64 else []
        self._written = [written for one in self.tags if (written := _written(one))]

    def __bool__(self) -> bool:
        return bool(self.text or self.tags)

    def text_in(self, text: str) -> bool:
        """Whether the text asked for is in an operation or a body."""
        return self.text in folded(text)

    def may_be_in(self, bits: Bits) -> bool:
        """Whether a row that holds may be in a block with this filter."""
        texts = [self.text, *self._numbers] if self.text else []
        return all(any(may_hold(bits, one) for one in any_of) for any_of in (*self._written, texts) if any_of)

    def possible(self, data: bytes, edges: Sequence[int], named: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.bool_]:
        """bool[n] of the rows of a chunk: False where a row cannot hold. `named`: rows whose operation has the text."""
        count = len(edges) - 1
        able = np.ones(count, np.bool_)
        for written in self._written:
            able &= _rows_with(data, edges, written)
        if self.text and able.any():
            with_text = _rows_with(data.lower(), edges, [self.text])
            if self._numbers:
                with_text |= _rows_with(data, edges, self._numbers)
            able &= with_text if named is None else with_text | named
        return able

    def holds(self, detail: bytes, head: str) -> bool:
        """`head`: the operation of a span, the body of a log."""
        found = _tests_of(detail)
        for one in self.tags:
            value = found.attributes.get(one.name)
            if not one.test(told(found.resource.get(one.name) if value is None else value)):
                return False
        return not self.text or self.text_in(head) or self._in_values(found)

    def _in_values(self, found: _Tested) -> bool:
        return self.text_in(found.message) or any(self._in(value) for value in (*found.attributes.values(), found.events))

    def _in(self, value: Any) -> bool:
        if isinstance(value, str):
            return self.text in folded(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value) == self._plain
        if isinstance(value, dict):
            return any(self._in(one) for one in value.values())
        return isinstance(value, list | tuple) and any(self._in(one) for one in value)


def _tests_of(detail: bytes) -> _Tested:
    try:
        return _tested.decode(detail) if detail else _Tested()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Tested()


def _written(matcher: Matcher) -> list[bytes]:
    """Byte strings of which one stands in every row that holds; empty where nothing can be said."""
    if matcher.test(""):
        return []
    value = matcher.value
    try:
        name = _encode(matcher.name)
        if matcher.op != "=" or value[0] in '[{"':
            return [name]
        forms = [_encode(value)]
    except UnicodeEncodeError:
        return []
    if _INT.fullmatch(value) and -(1 << 63) <= int(value) < 1 << 64:
        forms += [_encode(int(value)), _encode(float(value))]
        if value == "0":
            forms.append(_encode(-0.0))
    elif value in ("true", "false"):
        forms.append(_encode(value == "true"))
    else:
        with contextlib.suppress(ValueError):
            forms.append(_encode(float(value)))
        if value.strip("+-") in ("inf", "nan") or len(value) > 18 or value.lstrip("-").isdigit():
            return [name]  # odd numbers, which have many forms
    return [name + form for form in forms]


def _rows_with(data: bytes, edges: Sequence[int], wanted: Sequence[bytes]) -> npt.NDArray[np.bool_]:
    """bool[n]: rows that hold one of the byte strings, wholly inside."""
    found = np.zeros(len(edges) - 1, np.bool_)
    for one in wanted:
        for row in _hits(data, edges, one):
            found[row] = True
    return found


def _hits(data: bytes, edges: Sequence[int], wanted: bytes) -> Iterator[int]:
    """Rows that hold `wanted`: one search over all of them, going on behind each row that has it."""
    row, at = 0, data.find(wanted)
    while at >= 0:
        while edges[row + 1] <= at:
            row += 1
        if at + len(wanted) <= edges[row + 1]:
            yield row
            at = edges[row + 1]
        else:  # it only seems to be there, over two rows
            at += 1
        at = data.find(wanted, at)
