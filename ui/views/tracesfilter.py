"""What traces and logs are searched by, in one field: `service:cart op:"GET /cart" >500ms error http.route=/cart words`.

The spelling is that of every filter (`ui/views/filter.py`); here it becomes a question to the collector instead of a test.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from monitor.model.matchers import Matcher, Operator, SelectorError, compile_pattern
from ui.views.filter import MAX_FILTER, MAX_TERMS, FilterError

EXAMPLES = 'service:cart  op:"GET /cart"  >500ms  error  http.route=/cart  words'
LOG_EXAMPLES = "service:cart  level>=warn  trace:4bf9…  order.id=8841  words"
SERVICE_NAME = "service.name"
SERVICE, OPERATION = ("service", "svc", SERVICE_NAME), ("op", "operation", "name")
LEVELS = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "warning": 13, "error": 17, "err": 17, "fatal": 21, "critical": 21}
"""Words of severities and OTLP's numbers."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "m": 60.0}
_TOKEN = re.compile(
    r"""(?P<minus>-)?(?P<key>[A-Za-z_][\w.\-/]*)?(?P<op>=~|!~|!=|>=|<=|=|:|>|<)?(?P<value>"[^"]*"?|'[^']*'?|[^\s"']\S*)?"""
)
_BOUND = re.compile(r"([0-9]*\.?[0-9]+)\s*([a-zµ]*)")
_HEX = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?")
F = TypeVar("F")


class Token(NamedTuple):
    """One term: `key` "" is a free word; `column` from 1, of its value."""

    minus: bool
    key: str
    op: str
    value: str
    column: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """What `FindTraces` asks; seconds, 0 for any. `trace`: an id that was written instead of a search."""

    service: str = ""
    operation: str = ""
    shortest: float = 0.0
    longest: float = 0.0
    error: bool = False
    text: str = ""
    tags: tuple[Matcher, ...] = ()
    trace: str = ""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What `FindLogs` asks; `severity` at least, OTLP's number."""

    service: str = ""
    severity: int = 0
    text: str = ""
    tags: tuple[Matcher, ...] = ()
    trace: str = ""


def trace_id(text: str) -> str:
    """The id in lower case where this is one, 16 or 32 hex digits; else ""."""
    return text.lower() if _HEX.fullmatch(text) else ""


def tokens(text: str) -> list[Token]:
    """The terms of a search. Raises `FilterError` with the column of what is in the way."""
    if len(text) > MAX_FILTER:
        raise FilterError(f"the search has {len(text)} characters (at most {MAX_FILTER})", MAX_FILTER + 1)
    found: list[Token] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return found
        token, at = _token(text, at)
        found.append(token)
        if len(found) > MAX_TERMS:
            raise FilterError(f"more than {MAX_TERMS} terms", at)


def _token(text: str, at: int) -> tuple[Token, int]:
    match = _TOKEN.match(text, at)
    if match is None or match.end() == at:
        raise FilterError(f"unexpected {text[at]!r}", at + 1)
    key, op, value = match["key"] or "", match["op"] or "", match["value"]
    if key and not op:  # a word that merely looks like a key
        word = re.compile(r"\S+").match(text, match.start("key"))
        assert word is not None
        return Token(match["minus"] is not None, "", "", word[0], word.start() + 1, False), word.end()
    column = (match.start("value") if value is not None else match.end()) + 1
    if value is None:
        raise FilterError(f"a value after {key}{op} is missing" if key or op else "a word after the minus is missing", column)
    quoted = value[0] in "\"'"
    if quoted:
        if len(value) < 2 or value[-1] != value[0]:
            raise FilterError("the quote is never closed", column)
        value = value[1:-1]
    return Token(match["minus"] is not None, key, op, value, column, quoted), match.end()


@functools.lru_cache(maxsize=128)
def parse_traces(text: str) -> TraceFilter:
    """Reads a search for traces. Raises `FilterError`."""
    service = operation = trace = ""
    shortest = longest = 0.0
    error = False
    words: list[str] = []
    tags: list[Matcher] = []
    for token in tokens(text):
        key = token.key.lower()
        bound = token.op in (">", ">=", "<", "<=")
        if bound and key in ("", "duration"):
            seconds = _seconds(token)
            shortest, longest = (seconds, longest) if token.op[0] == ">" else (shortest, seconds)
        elif bound:
            raise FilterError(f"only durations are compared: write >{token.value} or {token.key}={token.value}", token.column)
        elif key in ("", "status") and not token.quoted and token.value.lower() == "error":
            error = _plain(token)
        elif (key == "trace" or (not key and not token.quoted)) and trace_id(token.value):
            trace = trace_id(token.value)
        elif not key:
            words.append(_word(token))
        elif key in SERVICE and _exact(token):
            service = token.value
        elif key in OPERATION and _exact(token):
            operation = token.value
        elif key in OPERATION:
            raise FilterError(f'an operation is asked for by its whole name: {token.key}:"{token.value}"', token.column)
        elif key == "trace":
            raise FilterError("an id has 16 or 32 hex digits", token.column)
        else:
            tags.append(_matcher(token))
    if shortest and longest and longest < shortest:
        raise FilterError("nothing is longer than the one and shorter than the other", 1)
    return TraceFilter(service, operation, shortest, longest, error, " ".join(words), tuple(tags), trace)


@functools.lru_cache(maxsize=128)
def parse_logs(text: str) -> LogFilter:
    """Reads a search for logs. Raises `FilterError`."""
    service = trace = ""
    severity = 0
    words: list[str] = []
    tags: list[Matcher] = []
    for token in tokens(text):
        key = token.key.lower()
        if key in ("level", "severity"):
            severity = _severity(token)
        elif token.op in (">", ">=", "<", "<="):
            raise FilterError("only the level is compared: level>=warn", token.column)
        elif key == "trace" or (not key and not token.quoted and trace_id(token.value)):
            if not trace_id(token.value):
                raise FilterError("an id has 16 or 32 hex digits", token.column)
            trace = trace_id(token.value)
        elif not key:
            words.append(_word(token))
        elif key in SERVICE and _exact(token):
            service = token.value
        else:
            tags.append(_matcher(token))
    return LogFilter(service, severity, " ".join(words), tuple(tags), trace)


def _plain(token: Token) -> bool:
    if token.minus:
        raise FilterError("what did not fail cannot be asked for by itself", token.column)
    return True


def _word(token: Token) -> str:
    if token.minus:
        raise FilterError("words can be looked for, not left out: write -key=value", token.column)
    return token.value


def _exact(token: Token) -> bool:
    return not token.minus and token.op in (":", "=")


def _matcher(token: Token) -> Matcher:
    name = SERVICE_NAME if token.key.lower() in SERVICE else token.key
    op: Operator
    value = token.value
    if token.op == ":" and name != SERVICE_NAME:
        op, value = "=~", f"(?i).*{re.escape(value)}.*"
    else:
        op = "=" if token.op == ":" else token.op  # type: ignore[assignment]  # what is left are matchers' own
    if op in ("=~", "!~"):
        try:
            compile_pattern(value)
        except SelectorError as error:
            raise FilterError(str(error), token.column) from None
    turned: dict[Operator, Operator] = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
    return Matcher(name, turned[op] if token.minus else op, value)


def _seconds(token: Token) -> float:
    found = _BOUND.fullmatch(token.value.lower())
    if found is None or (found[2] or "s") not in _UNITS:
        raise FilterError("a duration is written 500ms, 2s or 1min", token.column)
    if token.minus:
        raise FilterError("a minus before a duration means nothing: turn the sign round", token.column)
    return float(found[1]) * _UNITS[found[2] or "s"]


def _severity(token: Token) -> int:
    level = LEVELS.get(token.value.lower())
    if level is None:
        raise FilterError(f"levels are {', '.join(('trace', 'debug', 'info', 'warn', 'error', 'fatal'))}", token.column)
    if token.minus or token.op not in (":", "=", ">=", ">"):
        raise FilterError("a level is asked for upwards: level>=warn", token.column)
    return level + 4 if token.op == ">" else level


def attempt(read: Callable[[str], F], text: str, last: F) -> tuple[F, str]:
    """What is searched for and "", or the last good search and what is wrong, so that a list does not jump under typing."""
    try:
        return read(text), ""
    except FilterError as error:
        return last, str(error)


def written(key: str, value: str) -> str:
    """A term that means this value: quoted where it has to be."""
    if not value or re.search(r"[\s\"']", value):
        quote = "'" if '"' in value else '"'
        value = f"{quote}{value.replace(quote, ' ')}{quote}"
    return f"{key}:{value}"
