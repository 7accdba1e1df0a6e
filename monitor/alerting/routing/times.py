"""Time intervals that come again: hours, weekdays, days of the month, months and years, in a time zone.

Source: Alertmanager, docs/configuration.md (time_interval) and timeinterval/timeinterval.go.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Span = tuple[int, int]
"""First and last, both included; of minutes of the day the last is not."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_KEYS = ("times", "weekdays", "days_of_month", "months", "years", "time_zone")
MAX_SPANS = 100


class TimeIntervalError(ValueError):
    """An interval that makes no sense; the message says what to write."""


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Holds when every part that is given does; a part that is not given always does.

    `times`: minutes of the day, the last excluded, as said by the clock on the wall there. `days`: of the month, from the end
    where negative (-1 is the last). `weekdays`: 0 is Monday.
    """

    times: tuple[Span, ...] = ()
    weekdays: tuple[Span, ...] = ()
    days: tuple[Span, ...] = ()
    months: tuple[Span, ...] = ()
    years: tuple[Span, ...] = ()
    zone: tzinfo = UTC

    def holds(self, now: float) -> bool:
        """Whether this moment (seconds since the epoch) lies within."""
        there = datetime.fromtimestamp(now, self.zone)
        minute = there.hour * 60 + there.minute
        return (
            (not self.times or any(first <= minute < last for first, last in self.times))
            and _within(self.weekdays, there.weekday())
            and self._on_day(there)
            and _within(self.months, there.month)
            and _within(self.years, there.year)
        )

    def _on_day(self, there: datetime) -> bool:
        if not self.days:
            return True
        length = calendar.monthrange(there.year, there.month)[1]
        for first, last in self.days:
            begin, end = (length + day + 1 if day < 0 else day for day in (first, last))
            if max(begin, 1) <= there.day <= min(end, length):
                return True
        return False


def _within(spans: tuple[Span, ...], value: int) -> bool:
    return not spans or any(first <= value <= last for first, last in spans)


def read_interval(table: Mapping[str, Any]) -> TimeInterval:
    """From `{ times = ["22:00-24:00"], weekdays = ["saturday:sunday"], days_of_month = ["-1"], months = ["july:august"],
    years = ["2026"], time_zone = "Europe/Berlin" }`. Raises `TimeIntervalError`.
    """
    strange = [key for key in table if key not in _KEYS]
    if strange:
        raise TimeIntervalError(f"{strange[0][:40]!r} is no part of a time interval; known are {', '.join(_KEYS)}")
    return TimeInterval(
        tuple(_clock_span(text) for text in _texts(table, "times")),
        tuple(_span(text, "weekdays", _weekday) for text in _texts(table, "weekdays")),
        tuple(_day_span(text) for text in _texts(table, "days_of_month")),
        tuple(_span(text, "months", _month) for text in _texts(table, "months")),
        tuple(_span(text, "years", int) for text in _texts(table, "years")),
        _zone(table.get("time_zone", "UTC")),
    )


def _texts(table: Mapping[str, Any], key: str) -> Sequence[str]:
    said = table.get(key, ())
    if isinstance(said, str):
        said = [said]
    if not isinstance(said, list | tuple) or len(said) > MAX_SPANS or not all(isinstance(text, str) for text in said):
        raise TimeIntervalError(f"{key} is a list of texts, at most {MAX_SPANS}")
    return tuple(text.strip().lower() for text in said)


def _clock_span(text: str) -> Span:
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not dash or not _CLOCK.fullmatch(first) or not _CLOCK.fullmatch(last):
        raise TimeIntervalError(f'times: {text[:40]!r} is not like "09:00-17:30" (to midnight: "22:00-24:00")')
    begin, end = (int(part[:2]) * 60 + int(part[3:]) for part in (first, last))
    if begin >= end:
        raise TimeIntervalError(
            f'times: {text[:40]!r} ends before it begins; over midnight, write two: to "24:00" and from "00:00"'
        )
    return begin, end


def _span(text: str, key: str, read: Any) -> Span:
    first, colon, last = (part.strip() for part in text.partition(":"))
    try:
        span = int(read(first)), int(read(last if colon else first))
    except (ValueError, KeyError):
        raise TimeIntervalError(f"{key}: {text[:40]!r} cannot be read; write one, or first:last") from None
    if span[0] > span[1]:
        raise TimeIntervalError(f"{key}: {text[:40]!r} ends before it begins")
    return span


def _day_span(text: str) -> Span:
    first, colon, last = (part.strip() for part in text.partition(":"))
    try:
        begin, end = int(first), int(last if colon else first)
    except ValueError:
        raise TimeIntervalError(f'days_of_month: {text[:40]!r} cannot be read; write "1:7", or "-1" for the last day') from None
    if not (1 <= abs(begin) <= 31 and 1 <= abs(end) <= 31):
        raise TimeIntervalError(f"days_of_month: {text[:40]!r}: days are 1 to 31, or -1 to -31 from the end")
    if ((begin < 0) == (end < 0) and begin > end) or begin < 0 < end:
        raise TimeIntervalError(f"days_of_month: {text[:40]!r} ends before it begins")
    return begin, end


def _weekday(name: str) -> int:
    return WEEKDAYS.index(name)


def _month(name: str) -> int:
    number = int(name) if name.isdecimal() else MONTHS.index(name) + 1
    if not 1 <= number <= 12:
        raise ValueError(name)
    return number


def _zone(name: object) -> tzinfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) and 0 < len(name) <= 100 and name != "UTC" else _utc(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeIntervalError(f"time_zone: {str(name)[:60]!r} is not known here; write one like Europe/Berlin") from None


def _utc(name: object) -> tzinfo:
    if name != "UTC":
        raise ValueError
    return UTC
