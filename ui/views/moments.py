"""Moments and stretches of time as people write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from monitor.alerting.durations import DurationError, parse_duration
from ui.views.context import Context

EXAMPLES = ("-1h", "-6h", "03:30", "yesterday 9:00", "-2h to -1h")
"""How a moment or a stretch may be written, as offered by the palette."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*(am|pm)?"
_WRITTEN = re.compile(rf"(?:(yesterday|today|[a-z]{{3,9}}|\d{{4}}-\d{{1,2}}-\d{{1,2}})[ T]+)?{_CLOCK}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_BETWEEN = re.compile(r"\s+(?:-|to)\s+|\s*(?:–|\.\.)\s*|(?<=\d)-(?=\d{1,2}:)", re.IGNORECASE)


def moment_of(text: str, ctx: Context, after: float | None = None) -> float | None:
    """The moment written as `@03:30`, `14:05:10`, `9am`, `yesterday 9:00`, `tue 14:00`, `2026-11-23 14:00` or `-10m`.

    A time of day is the last one there was, or the first one `after` a moment. None: it is none of these.
    """
    written = text.strip().removeprefix("@").strip()
    if written.startswith("-"):
        try:
            return ctx.live_present() - parse_duration(written[1:].strip())
        except DurationError:
            return None
    now = ctx.words.at(ctx.live_present() if after is None else after)
    if _DATE.fullmatch(written):
        return _on_date(written, (0, 0, 0), now)
    found = _WRITTEN.fullmatch(written)
    clock = _clock(found) if found is not None else None
    if found is None or clock is None:
        return None
    day = (found[1] or "").lower()
    if _DATE.fullmatch(day):
        return _on_date(day, clock, now)
    then = now.replace(hour=clock[0], minute=clock[1], second=clock[2], microsecond=0)
    if day == "yesterday":
        then -= timedelta(days=1)
    elif day and day != "today":
        if day[:3] not in _DAYS:
            return None
        then -= timedelta(days=(then.weekday() - _DAYS.index(day[:3])) % 7)
        then -= timedelta(days=7) if then > now else timedelta()
    elif not day and after is None and then > now:
        then -= timedelta(days=1)
    elif not day and after is not None and then <= now:
        then += timedelta(days=1)
    return then.timestamp()


def stretch_of(text: str, ctx: Context) -> tuple[float, float] | None:
    """(start, end) of `09:00-10:30`, `-2h to -1h` or `2026-11-23 14:00 - 15:00`; None when two moments are not written."""
    written = text.strip().removeprefix("@").strip()
    for found in _BETWEEN.finditer(written):
        first, last = written[: found.start()], written[found.end() :]
        start = moment_of(first, ctx)
        if start is None or not last.strip():
            continue
        clock_only = not re.search(r"[a-z]{3}|-", last, re.IGNORECASE)
        end = moment_of(last, ctx, start if clock_only else None)
        if end is not None and start < end:
            return start, end
    return None


def _clock(found: re.Match[str]) -> tuple[int, int, int] | None:
    hour, minute, second = int(found[2]), int(found[3] or 0), int(found[4] or 0)
    half = (found[5] or "").lower()
    if not half and found[3] is None:
        return None  # a bare number is not a time
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _on_date(day: str, clock: tuple[int, int, int], now: datetime) -> float | None:
    year, month, date = map(int, day.split("-"))
    try:
        return datetime(year, month, date, *clock, tzinfo=now.tzinfo).timestamp()
    except (ValueError, OverflowError):
        return None
