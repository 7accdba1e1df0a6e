"""Durations as people write them in rules, and as they are said back."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)")
_LAST = re.compile(r"last_(\d{1,9})_(second|minute|hour|day|week)s?")
_LOOSE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(?:[\s_]*)([a-z]+)")
_MAX_TEXT = 64
_WORDS = {
    **dict.fromkeys(("milliseconds", "millisecond", "millis", "msec", "ms"), "ms"),
    **dict.fromkeys(("seconds", "second", "secs", "sec", "s"), "s"),
    **dict.fromkeys(("minutes", "minute", "mins", "min", "m"), "m"),
    **dict.fromkeys(("hours", "hour", "hrs", "hr", "h"), "h"),
    **dict.fromkeys(("days", "day", "d"), "d"),
    **dict.fromkeys(("weeks", "week", "w"), "w"),
}


class DurationError(ValueError):
    """A duration that cannot be read; `fix` is how it may have been meant, or ""."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


def parse_duration(text: str) -> float:
    """Seconds for `5m`, `1h30m`, `90s`, `250ms` or `last_5_minutes`. Raises `DurationError`."""
    last = _LAST.fullmatch(text)
    if last is not None:
        return float(last.group(1)) * UNITS[_WORDS[last.group(2)]]
    if not text or len(text) > _MAX_TEXT:
        raise DurationError("a duration is written like 90s, 5m or 1h30m")
    total, position, smaller_than = 0.0, 0, float("inf")
    while position < len(text):
        part = _PART.match(text, position)
        if part is None or UNITS[part.group(2)] >= smaller_than:
            raise DurationError(f'"{text}" is not a duration; write it like 90s, 5m or 1h30m', _meant(text))
        smaller_than = UNITS[part.group(2)]
        total += float(part.group(1)) * smaller_than
        position = part.end()
    return total


def format_duration(seconds: float) -> str:
    """The shortest spelling that `parse_duration` reads back: 300 is `5m`, 5400 `1h30m`, 0.25 `250ms`, 0 `0s`."""
    return "".join(f"{count}{unit}" for count, unit in _parts(seconds)) or "0s"


def duration_words(seconds: float) -> str:
    """For sentences: 300 is "5 min", 5400 "1 h 30 min", 90 "1 min 30 s"."""
    return " ".join(f"{count} {'min' if unit == 'm' else unit}" for count, unit in _parts(seconds)) or "0 s"


def _parts(seconds: float) -> list[tuple[int, str]]:
    left = round(seconds * 1000)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append((count, unit))
    return parts


def _meant(text: str) -> str:
    cleaned = text.strip().lower().removeprefix("last").strip(" _")
    pieces = _LOOSE.findall(cleaned)
    known = [(number, _WORDS[unit]) for number, unit in pieces if unit in _WORDS]
    leftover = _LOOSE.sub("", cleaned).strip(" _,").replace("and", "").strip()
    if not known or len(known) < len(pieces) or leftover:
        return ""
    sizes = [UNITS[unit] for _, unit in known]
    if sizes != sorted(set(sizes), reverse=True):
        return ""
    return "".join(number + unit for number, unit in known)


def rough_duration(seconds: float) -> str:
    """About how long, in at most two units: "45 s", "12 min", "3 h 5 min", "2 d 4 h"."""
    seconds = max(0.0, seconds)
    for limit, grain in ((60, 1), (3600, 60), (86_400, 60)):
        if seconds < limit:
            return duration_words(seconds // grain * grain)
    return duration_words(seconds // 3600 * 3600)
