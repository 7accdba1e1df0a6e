"""Durations as PromQL writes them (`1h30m`), and numbers as Go reads them (`0x1F`, `1_000`, `017`)."""

from __future__ import annotations

import math
import re

from monitor.query.quoting import go_quote

_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_PART = re.compile(r"([0-9]+)([^0-9]+)")
_MAX_NANOSECONDS = (1 << 63) - 1
_OCTAL = re.compile(r"0[0-7_]+")


class DurationError(ValueError):
    """A duration or number that is none, in Prometheus' words."""


def parse_duration(text: str) -> int:
    """Milliseconds of `5m`, `1h30m`, `1y2w`: largest unit first, each once. Raises `DurationError`."""
    millis, position, last = 0, 0, math.inf
    while position < len(text) or not text:
        part = _PART.match(text, position)
        if part is None or len(part[1]) > 19:
            raise DurationError(f"not a valid duration string: {go_quote(text)}")
        size = _UNITS.get(part[2])
        if size is None:
            raise DurationError(f"unknown unit {go_quote(part[2])} in duration {go_quote(text)}")
        if size >= last:
            raise DurationError(f"not a valid duration string: {go_quote(text)}")
        last, position = size, part.end()
        millis += int(part[1]) * size
        if millis * 1_000_000 > _MAX_NANOSECONDS:
            raise DurationError("duration out of range")
    return millis


def show_duration(millis: int) -> str:
    """The shortest usual text: years and weeks only where nothing remains (90d rather than 12w6d)."""
    if millis == 0:
        return "0s"
    shown, rest = "-" if millis < 0 else "", abs(millis)
    for unit, size in _UNITS.items():
        if rest >= size and (unit not in ("y", "w") or rest % size == 0):
            shown += f"{rest // size}{unit}"
            rest %= size
    return shown


def to_millis(seconds: float) -> int:
    """Milliseconds of a number of seconds, what is finer cut off. Raises `DurationError` past what a Go duration holds."""
    if math.isnan(seconds) or abs(seconds) > (1 << 63) / 1e9:
        raise DurationError("duration out of range")
    nanoseconds = round(seconds * 1e9)
    return nanoseconds // 1_000_000 if nanoseconds >= 0 else -(-nanoseconds // 1_000_000)


def parse_number(text: str) -> float:
    """The value of a number token. Raises `DurationError` with Go's words for one it refuses."""
    lower = text.lower()
    if lower == "inf":
        return math.inf
    if lower == "nan":
        return math.nan
    if len(lower) > 1000:
        raise DurationError(f"error parsing number: strconv.ParseFloat: parsing {go_quote(text)}: value out of range")
    if lower.startswith("0x"):
        digits = lower[2:].replace("_", "")
        if digits and not lower.endswith("_") and int(digits, 16) < 1 << 63:
            return float(int(digits, 16))
    elif _OCTAL.fullmatch(lower) and int(lower.replace("_", ""), 8) < 1 << 63:
        return float(int(lower.replace("_", ""), 8))
    else:
        value = float(lower.replace("_", ""))
        if not math.isinf(value):
            return value
        raise DurationError(f"error parsing number: strconv.ParseFloat: parsing {go_quote(text)}: value out of range")
    raise DurationError(f"error parsing number: strconv.ParseFloat: parsing {go_quote(text)}: invalid syntax")
