"""The parameters `filter` and `receiver` of Alertmanager's API: which alerts and silences are asked for.

Source: Alertmanager, pkg/labels/parse.go and api/v2/api.go (matchFilterLabels).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.model.matchers import Matcher, Operator, SelectorError, compile_pattern

MAX_FILTERS = 32
_MATCHER = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s="!~{},]+)\s*(=~|!~|!=|=)\s*(.*?)\s*', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class FilterError(ValueError):
    """A filter that cannot be read; the message is the answer."""


def read_filters(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """One matcher each, like `service="api"`, `host=~web.*`. Raises `FilterError`."""
    found = tuple(map(_read, texts))
    if len(found) > MAX_FILTERS:
        raise FilterError(f"{len(found)} filters (at most {MAX_FILTERS})")
    return found


def _read(text: str) -> Matcher:
    parts = _MATCHER.fullmatch(text)
    if parts is None:
        raise FilterError(f"bad matcher format: {text[:200]}")
    name, operator, value = _unquoted(parts[1]), parts[2], _unquoted(parts[3])
    known: Operator = operator  # type: ignore[assignment]  # the pattern admits only the four
    if known in ("=~", "!~"):
        try:
            compile_pattern(value)
        except SelectorError as error:
            raise FilterError(f"bad matcher format: {text[:200]}: {error}") from None
    return Matcher(name, known, value)


def _unquoted(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text[1:-1])


def meets(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all hold. As there, `x=""` asks for what has no x, and `x!=""` for what has one, whatever its value."""
    for matcher in matchers:
        there = matcher.name in labels
        if not matcher.value and there is (matcher.op in ("!=", "!~")):
            continue
        if not matcher.test(labels.get(matcher.name, "")):
            return False
    return True


def read_receiver(text: str | None) -> Any:
    """The pattern of names of receivers that are asked for; None: all. Raises `FilterError`."""
    if not text:
        return None
    try:
        return compile_pattern(text)
    except SelectorError as error:
        raise FilterError(f"failed to parse receiver param: {error}") from None
