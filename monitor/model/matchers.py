"""Matchers over a series' name and tags (= != =~ !~), and the selector people write: `name{tag="value", other=~"a|b"}`.

Regular expressions are RE2 (linear time, no backtracking) and anchored at both ends, as in Prometheus.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import re2

from monitor.model.series import SeriesKey

Operator = Literal["=", "!=", "=~", "!~"]
NAME_TAG = "__name__"
MAX_PATTERN = 4096


class SelectorError(ValueError):
    """A selector or matcher that cannot be read. `column` counts from 1."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.column = column


class Matcher(msgspec.Struct, frozen=True):
    """One test on a tag; a tag that is absent counts as ""."""

    name: str
    op: Operator
    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{escaped}"'

    def test(self, value: str) -> bool:
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        found = compile_pattern(self.value).fullmatch(value) is not None
        return found if self.op == "=~" else not found


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """The RE2 program for `pattern`. Raises `SelectorError` when it is too long or not a valid expression."""
    if len(pattern) > MAX_PATTERN:
        raise SelectorError(f"the pattern has {len(pattern)} characters (at most {MAX_PATTERN})")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    options.dot_nl = True  # `.` matches line ends too, as in Prometheus 3
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise SelectorError(f"not a valid pattern: {text}") from None


class Selector(msgspec.Struct, frozen=True):
    """All matchers must hold; the name is matched as the tag `__name__`."""

    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        name = next((m.value for m in self.matchers if m.name == NAME_TAG and m.op == "="), "")
        bare = bool(name) and _BARE_NAME.fullmatch(name) is not None
        rest = [str(m) for m in self.matchers if not (bare and m.name == NAME_TAG and m.op == "=" and m.value == name)]
        body = "{" + ", ".join(rest) + "}" if rest else ""
        return (name if bare else "") + body or "{}"

    def matches(self, key: SeriesKey) -> bool:
        """Whether a series is selected. A name also matches in its PromQL spelling (dots as underscores)."""
        tags = dict(key.tags)
        return all(self._holds(m, key.name, tags) for m in self.matchers)

    def matches_tags(self, tags: Mapping[str, str]) -> bool:
        """Whether a plain set of tags (an alert's labels, with `__name__` if it has one) is selected."""
        return all(m.test(tags.get(m.name, "")) for m in self.matchers)

    @staticmethod
    def _holds(matcher: Matcher, name: str, tags: Mapping[str, str]) -> bool:
        if matcher.name != NAME_TAG:
            return matcher.test(tags.get(matcher.name, ""))
        if matcher.op == "=":
            return name == matcher.value or promql_name(name) == matcher.value
        return matcher.test(name)


_BARE_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:.\-/]*")
_NOT_PROMQL = re.compile(r"[^A-Za-z0-9_:]")
_TAG_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/:]*")
_SPACE = re.compile(r"\s*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"' + r"|'((?:[^'\\\n]|\\.)*)'")
_ESCAPE = re.compile(r"\\(.)")
_PLAIN_VALUE = re.compile(r"""[^\s,}"'=~!{]+""")


def promql_name(name: str) -> str:
    """A name as PromQL can write it bare: `foundation.service.error` is `foundation_service_error`."""
    return _NOT_PROMQL.sub("_", name)


def parse_selector(text: str) -> Selector:
    """Reads `name`, `{…}` or `name{…}`; quotes round a value may be left out (`{service=api}`). Raises `SelectorError`."""
    position = _skip(text, 0)
    matchers: list[Matcher] = []
    name = _BARE_NAME.match(text, position)
    if name is not None:
        matchers.append(Matcher(NAME_TAG, "=", name.group()))
        position = _skip(text, name.end())
    if position < len(text) and text[position] == "{":
        position = _braces(text, _skip(text, position + 1), matchers)
        position = _skip(text, position)
    if position < len(text):
        raise SelectorError(f'unexpected {text[position]!r}; write name{{tag="value"}}', position + 1)
    if not matchers and "{" not in text:
        raise SelectorError("empty selector; write a metric name, or {} for everything")
    return Selector(tuple(matchers))


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Reads `service="api", host=~"web.*"` (braces optional), as in silences. Raises `SelectorError`."""
    matchers: list[Matcher] = []
    stripped = text.strip()
    if stripped.startswith("{"):
        return parse_selector(stripped).matchers
    end = _pairs(text, _skip(text, 0), matchers, closing="")
    if end < len(text):
        raise SelectorError(f"unexpected {text[end]!r}", end + 1)
    return tuple(matchers)


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _braces(text: str, position: int, matchers: list[Matcher]) -> int:
    position = _pairs(text, position, matchers, closing="}")
    if position >= len(text) or text[position] != "}":
        raise SelectorError("the { is never closed with }", position + 1)
    return position + 1


def _pairs(text: str, position: int, matchers: list[Matcher], closing: str) -> int:
    while position < len(text) and text[position] != closing:
        quoted = _QUOTED.match(text, position)
        if quoted is not None and _OPERATOR.match(text, _skip(text, quoted.end())) is None:
            matchers.append(Matcher(NAME_TAG, "=", _unquote(quoted)))
            position = _skip(text, quoted.end())
        else:
            position = _pair(text, position, matchers)
        if position < len(text) and text[position] == ",":
            position = _skip(text, position + 1)
        elif position < len(text) and text[position] != closing:
            raise SelectorError(f"expected a comma, found {text[position]!r}", position + 1)
    return position


def _pair(text: str, position: int, matchers: list[Matcher]) -> int:
    tag = _TAG_NAME.match(text, position) or _QUOTED.match(text, position)
    if tag is None:
        raise SelectorError("expected a tag name", position + 1)
    name = _unquote(tag) if tag.re is _QUOTED else tag.group()
    position = _skip(text, tag.end())
    op = _OPERATOR.match(text, position)
    if op is None:
        raise SelectorError(f"expected =, !=, =~ or !~ after {name!r}", position + 1)
    position = _skip(text, op.end())
    value = _QUOTED.match(text, position)
    plain = None if value else _PLAIN_VALUE.match(text, position)
    if value is None and plain is None:
        raise SelectorError(f'expected a value for {name!r}, as in {name}="…"', position + 1)
    string = _unquote(value) if value else plain.group() if plain else ""
    operator: Operator = op.group()  # type: ignore[assignment]  # the pattern admits only the four
    if operator in ("=~", "!~"):
        try:
            compile_pattern(string)
        except SelectorError as error:
            raise SelectorError(str(error), position + 1) from None
    matchers.append(Matcher(name, operator, string))
    return _skip(text, value.end() if value else plain.end() if plain else position)


def _unquote(found: re.Match[str]) -> str:
    body = found.group(1) if found.group(1) is not None else found.group(2)
    return _ESCAPE.sub(lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), body)
