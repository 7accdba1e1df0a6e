"""Cells of CSV files: text no spreadsheet takes for a formula, times in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def iso(seconds: float) -> str:
    """`2026-11-24T14:03:00.000Z`; "" for a time no calendar has."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
