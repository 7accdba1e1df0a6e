"""The functions that every template has: comparisons, `index`, `len`, `printf`, escapes. `and` and `or` are the executor's."""

from __future__ import annotations

import operator
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.text.gotemplate.printf import printf
from monitor.text.gotemplate.values import Struct, TextMap, show, truth


class CallError(ValueError):
    """A function that cannot answer, in Go's words."""


@dataclass(frozen=True, slots=True)
class Known:
    """A function and the kinds of its arguments: text, number, bool, sample, samples or any; the last may repeat (`more`)."""

    call: Callable[..., Any]
    takes: tuple[str, ...]
    more: bool = False


_ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}
_HTML = {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    for kind, name in ((int, "int"), (float, "float"), (str, "string")):
        if isinstance(value, kind):
            return name
    raise CallError("invalid type for comparison" if value is not None else "missing argument for comparison")


def _equal(one: Any, *others: Any) -> bool:
    if not others:
        raise CallError("missing argument for comparison")
    for other in others:
        if one is None or other is None:
            if one is other:
                return True
            continue
        if _kind(one) != _kind(other):
            raise CallError("incompatible types for comparison")
        if one == other:
            return True
    return False


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(one: Any, other: Any) -> bool:
        if _kind(one) == "bool" or _kind(other) == "bool":
            raise CallError("invalid type for comparison")
        if _kind(one) != _kind(other):
            raise CallError("incompatible types for comparison")
        return compare(one, other)

    return compared


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if value is None:
            raise CallError("index of untyped nil")
        if isinstance(value, Mapping) and not isinstance(value, Struct):
            if not isinstance(key, str):
                raise CallError("value has type int; should be string" if isinstance(key, int) else "value is not text")
            value = value.get(key, "" if isinstance(value, TextMap) else None)
        elif isinstance(value, list | str):
            if isinstance(key, bool) or not isinstance(key, int):
                raise CallError("cannot index slice/array with type " + ("nil" if key is None else _kind(key)))
            if not 0 <= key < len(value):
                raise CallError(f"index out of range: {key}")
            value = value[key] if isinstance(value, list) else value.encode()[key]
        else:
            raise CallError("can't index item of type " + ("bool" if isinstance(value, bool) else _kind(value)))
    return value


def _slice(value: Any, *bounds: Any) -> Any:
    if not isinstance(value, str | list):
        raise CallError("can't slice item of that type")
    if len(bounds) > 2 or any(isinstance(bound, bool) or not isinstance(bound, int) for bound in bounds):
        raise CallError("slice takes at most two whole numbers here")
    start = bounds[0] if bounds else 0
    end = bounds[1] if len(bounds) > 1 else len(value)
    for bound in (start, end):
        if not 0 <= bound <= len(value):
            raise CallError(f"index out of range: {bound}")
    if start > end:
        raise CallError(f"invalid slice index: {start} > {end}")
    return value[start:end]


def _length(value: Any) -> int:
    if value is None:
        raise CallError("len of nil pointer")
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list | Mapping) and not isinstance(value, Struct):
        return len(value)
    raise CallError("len of type that has none")


def _sprint(*values: Any) -> str:
    """Spaces between what is no text on either side."""
    shown = ""
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            shown += " "
        shown += "<nil>" if value is None else show(value)
    return shown


def _escaped(table: dict[str, str]) -> Callable[..., str]:
    return lambda *values: "".join(table.get(character, character) for character in _sprint(*values))


_ANY = ("any",)
BUILTINS: dict[str, Known] = {
    "eq": Known(_equal, ("any", "any"), more=True),
    "ne": Known(lambda one, other: not _equal(one, other), ("any", "any")),
    "lt": Known(_ordered(operator.lt), ("any", "any")),
    "le": Known(_ordered(operator.le), ("any", "any")),
    "gt": Known(_ordered(operator.gt), ("any", "any")),
    "ge": Known(_ordered(operator.ge), ("any", "any")),
    "not": Known(lambda value: not truth(value), _ANY),
    "index": Known(_index, ("any", "any"), more=True),
    "slice": Known(_slice, ("any", "any"), more=True),
    "len": Known(_length, _ANY),
    "print": Known(_sprint, _ANY, more=True),
    "println": Known(
        lambda *values: " ".join("<nil>" if value is None else show(value) for value in values) + "\n", _ANY, more=True
    ),
    "printf": Known(printf, ("text", "any"), more=True),
    "html": Known(_escaped(_HTML), _ANY, more=True),
    "js": Known(_escaped(_ESCAPES), _ANY, more=True),
    "urlquery": Known(lambda *values: urllib.parse.quote_plus(_sprint(*values), safe="-_.~"), _ANY, more=True),
}
