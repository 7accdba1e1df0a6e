"""Times as Alertmanager's API writes them: RFC 3339, in UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime

LATEST = 253_402_300_799.0
"""Seconds: the end of the year 9999, the last that can be written."""


def moment_text(at: float) -> str:
    """Seconds since the epoch as `2026-11-24T17:24:44.999Z`."""
    return datetime.fromtimestamp(min(max(at, 0.0), LATEST), UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def read_moment(text: str) -> float | None:
    """Seconds since the epoch; None for what stands for no time: nothing, and the year 1. Raises `ValueError`."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        read = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
        return None if read.year == 1 else read.timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f'parsing time {text[:60]!r}: write it as "2026-11-24T17:24:44Z"') from None
