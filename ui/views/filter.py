"""One grammar for narrowing any list: free words, `key:value`, `key=value`, `key=~pattern`, and a minus before any of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.model.matchers import SelectorError, compile_pattern

MAX_FILTER = 512
MAX_TERMS = 16
Operator = Literal[":", "=", "!=", "=~", "!~"]
Lookup = Callable[[str], str | None]

_TERM = re.compile(
    r"""(?P<minus>-)?(?:(?P<key>[A-Za-z_][\w.\-/]*)(?P<op>=~|!~|!=|=|:))?(?P<value>"[^"]*"?|'[^']*'?|[^\s"']\S*)?"""
)


class FilterError(ValueError):
    """A filter that cannot be read. `column` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"Column {column}: {message}")
        self.column = column


@dataclass(frozen=True, slots=True)
class Term:
    """One test. `key` "" is a free word. `:` is contained (case folded), `=` equal, `=~` a whole match."""

    key: str
    op: Operator
    value: str
    negated: bool = False

    def holds(self, haystack: str, lookup: Lookup) -> bool:
        """Whether a thing with this lower-case haystack and these keys passes."""
        if not self.key:
            return (self.value in haystack) != self.negated
        return self._keyed(lookup(self.key) or "") != self.negated

    def _keyed(self, found: str) -> bool:
        match self.op:
            case ":":
                return self.value in found.lower()
            case "=":
                return found == self.value
            case "!=":
                return found != self.value
            case "=~":
                return compile_pattern(self.value).fullmatch(found) is not None
        return compile_pattern(self.value).fullmatch(found) is None


@dataclass(frozen=True, slots=True)
class Filter:
    """All terms must hold; none at all lets everything pass."""

    words: tuple[Term, ...] = ()
    keyed: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.keyed)

    def matches(self, haystack: str, lookup: Lookup) -> bool:
        """`haystack` is all text in lower case; `lookup` gives the value of a key or None."""
        return all(term.holds(haystack, lookup) for term in self.words) and all(
            term.holds(haystack, lookup) for term in self.keyed
        )


@functools.lru_cache(maxsize=128)
def parse(text: str) -> Filter:
    """Reads a filter. Raises `FilterError` with the column of what is in the way."""
    if len(text) > MAX_FILTER:
        raise FilterError(f"the filter has {len(text)} characters (at most {MAX_FILTER})", MAX_FILTER + 1)
    words: list[Term] = []
    keyed: list[Term] = []
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if position >= len(text):
            break
        term, position = _term(text, position)
        (keyed if term.key else words).append(term)
        if len(words) + len(keyed) > MAX_TERMS:
            raise FilterError(f"more than {MAX_TERMS} terms", position)
    return Filter(tuple(words), tuple(keyed))


def _term(text: str, position: int) -> tuple[Term, int]:
    found = _TERM.match(text, position)
    if found is None or found.end() == position:
        raise FilterError(f"unexpected {text[position]!r}", position + 1)
    key, operator, value = found["key"] or "", found["op"] or ":", found["value"]
    at = found.start("value") if value is not None else found.end()
    if value is None:
        wanted = f"a value after {key}{operator}" if key else "a word after the minus"
        raise FilterError(f"{wanted} is missing", at + 1)
    if value[0] in "\"'":
        if len(value) < 2 or value[-1] != value[0]:
            raise FilterError("the quote is never closed", at + 1)
        value = value[1:-1]
    op: Operator = operator  # type: ignore[assignment]  # the pattern admits only these
    if op in ("=~", "!~"):
        try:
            compile_pattern(value)
        except SelectorError as error:
            raise FilterError(str(error), at + 1) from None
    return Term(key, op, value.lower() if op == ":" else value, found["minus"] is not None), found.end()


def attempt(text: str, last: Filter) -> tuple[Filter, str]:
    """The filter and "", or the last good one and what is wrong, so that a list does not jump while a term is typed."""
    try:
        return parse(text), ""
    except FilterError as error:
        return last, str(error)


def in_mapping(mapping: Mapping[str, str]) -> Lookup:
    """A lookup over a mapping."""
    return mapping.get
