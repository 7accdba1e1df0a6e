"""The parameters of a request, read and refused as Prometheus does (web/api/v1/api.go), with its words."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.model.matchers import Matcher
from monitor.query.ast import Selector
from monitor.query.durations import DurationError
from monitor.query.durations import parse_duration as parse_promql_duration
from monitor.query.history import ParseError, QueryError
from monitor.query.parse import parse
from monitor.query.quoting import go_quote

MIN_TIME, MAX_TIME = -(1 << 53), 1 << 53
"""Milliseconds that stand for always: the beginning and end of a request that names none."""
_RFC3339 = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)")
_GO_MIN, _GO_MAX = "-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z"
_MAX_SECONDS = 9.2e15
_MOST_MATCHERS = 100


class BadDataError(QueryError):
    """A parameter that cannot be read."""

    kind = "bad_data"


class NotFoundError(QueryError):
    kind = "not_found"


def invalid(name: str, reason: object) -> BadDataError:
    return BadDataError(f"invalid parameter {go_quote(name)}: {reason}")


class Parameters:
    """Fields of a form and of the query string, the form's first, as Go's `Request.Form`."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._began = time.monotonic()
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        return self._values.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def time(self, name: str, default: int | None = None) -> int:
        """Milliseconds. Raises `BadDataError` when it is not given and there is no default."""
        text = self.text(name)
        if not text and default is not None:
            return default
        try:
            return parse_time(text)
        except ValueError as error:
            raise invalid(name, error) from None

    def span(self) -> tuple[int, int]:
        """`start` and `end`, all time where they are not given."""
        start, end = self.time("start", MIN_TIME), self.time("end", MAX_TIME)
        if end < start:
            raise invalid("end", "end timestamp must not be before start time")
        return start, end

    def duration(self, name: str) -> int | None:
        """Milliseconds, None when it is not given."""
        text = self.text(name)
        if not text:
            return None
        try:
            return parse_duration(text)
        except ValueError as error:
            raise invalid(name, error) from None

    def timeout(self) -> float | None:
        """Seconds."""
        millis = self.duration("timeout")
        return None if millis is None else max(millis, 1) / 1000

    def lookback(self) -> int:
        """Milliseconds, 0 for the usual."""
        return max(0, self.duration("lookback_delta") or 0)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number of 0 or more."""
        text = self.text(name)
        if not text:
            return default
        if re.fullmatch(r"[+-]?\d{1,18}", text) is None:
            raise invalid(name, f"strconv.Atoi: parsing {go_quote(text[:100])}: invalid syntax")
        found = int(text)
        if found < 0:
            raise invalid(name, f"{name} must be non-negative")
        return found

    def stats(self, samples: int) -> dict[str, Any] | None:
        """What `stats` asks to be told of the query: its time until now and the samples it read; None when it does not."""
        if not self.text("stats"):
            return None
        taken = time.monotonic() - self._began
        read = {"totalQueryableSamples": samples, "peakSamples": samples}
        return {"timings": {"evalTotalTime": taken, "execTotalTime": taken}, "samples": read}

    def matcher_sets(self, required: bool = False, name: str = "match[]") -> list[tuple[Matcher, ...]]:
        """Of every `match[]`."""
        texts = [text for text in self.all(name) if text or required]
        if required and not texts:
            raise BadDataError("no match[] parameter provided")
        if len(texts) > _MOST_MATCHERS:
            raise invalid("match[]", f"{len(texts)} selectors are more than the {_MOST_MATCHERS} allowed")
        return [_matchers(text) for text in texts]


def _matchers(text: str) -> tuple[Matcher, ...]:
    try:
        expr = parse(text)
    except ParseError as error:
        raise invalid("match[]", error) from None
    if not isinstance(expr, Selector) or expr.is_range or expr.offset or expr.offset_expr or expr.at:
        raise invalid("match[]", '1:1: parse error: a selector of series is expected, as in up{job="node"}')
    if all(matcher.test("") for matcher in expr.matchers):
        raise invalid("match[]", "match[] must contain at least one non-empty matcher")
    return expr.matchers


def parse_time(text: str) -> int:
    """Milliseconds of unix seconds or RFC 3339. Raises `ValueError` with Prometheus' words."""
    if text in (_GO_MIN, _GO_MAX):
        return MIN_TIME if text == _GO_MIN else MAX_TIME
    seconds = _float(text)
    if seconds is not None and math.isfinite(seconds) and abs(seconds) < _MAX_SECONDS:
        return math.floor(seconds * 1000 + 0.5)
    found = _RFC3339.fullmatch(text)
    if found is not None:
        try:
            return _rfc3339(found)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"cannot parse {go_quote(text[:100])} to a valid timestamp")


def _rfc3339(found: re.Match[str]) -> int:
    moment = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    if found[4] != "Z":
        hours, minutes = int(found[4][1:3]), int(found[4][4:6])
        shift = timedelta(hours=hours, minutes=minutes)
        moment = moment - shift if found[4][0] == "+" else moment + shift
    whole = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return whole * 1000 + int((found[3] or "0").ljust(9, "0")[:3])


def parse_duration(text: str) -> int:
    """Milliseconds of seconds as a number, or of `1h30m`. Raises `ValueError` with Prometheus' words."""
    seconds = _float(text)
    if seconds is not None:
        if math.isnan(seconds) or abs(seconds) > (1 << 63) / 1e9:
            raise ValueError(f"cannot parse {go_quote(text[:100])} to a valid duration. It overflows int64")
        return int(seconds * 1000)
    try:
        return parse_promql_duration(text)
    except DurationError:
        raise ValueError(f"cannot parse {go_quote(text[:100])} to a valid duration") from None


def _float(text: str) -> float | None:
    if not text or text != text.strip() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def label_name(text: str) -> str:
    """A label's name in a path: `U__` names are unescaped (`_2e_` a dot, `__` an underscore). Raises `BadDataError`."""
    name = text
    if text.startswith("U__"):
        name = _ESCAPED.sub(_unescape, text[3:]) if _ESCAPES.fullmatch(text[3:]) else text
    if not name:
        raise BadDataError(f"invalid label name: {go_quote(name)}")
    return name


_ESCAPED = re.compile(r"__|_([0-9A-Fa-f]{1,6})_")
_ESCAPES = re.compile(r"(?:[A-Za-z0-9:]|__|_[0-9A-Fa-f]{1,6}_)*")


def _unescape(found: re.Match[str]) -> str:
    if found[1] is None:
        return "_"
    code = int(found[1], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
