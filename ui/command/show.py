"""How the command prints: aligned tables for people, JSON for programs; outside text without control characters."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

WHOLE = 4096
"""Characters of outside text on a line: more than any series' name and tags have."""
_LEAST = 24
"""Characters that a column keeps however narrow the terminal is."""


def print_json(data: Any) -> None:
    """One JSON document on standard output; NaN is null."""
    import msgspec

    print(json.dumps(msgspec.to_builtins(data), ensure_ascii=False, indent=2, allow_nan=False, default=str))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Columns as wide as their widest cell; those in `right` are aligned right. On a terminal the widest gives way."""
    from ui.views.format import sanitise  # what only complains starts without it

    cells = [[sanitise(cell, WHOLE) for cell in row] for row in rows]
    widths = [max(len(title), *(len(row[i]) for row in cells)) if cells else len(title) for i, title in enumerate(head)]
    if sys.stdout.isatty():
        widest = widths.index(max(widths))
        over = sum(widths) + 2 * (len(widths) - 1) - shutil.get_terminal_size().columns
        widths[widest] -= max(0, min(over, widths[widest] - _LEAST))
    for row in [list(head), *cells]:
        shown = [_cut(cell, width) for cell, width in zip(row, widths, strict=True)]
        parts = [cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(shown)]
        print("  ".join(parts).rstrip())


def _cut(text: str, room: int) -> str:
    """A text too long loses its middle: names differ at their ends."""
    if len(text) <= room:
        return text
    tail = (room - 1) // 2
    return f"{text[: room - 1 - tail]}…{text[len(text) - tail :]}"


def complain(message: str) -> None:
    """A sentence on standard error."""
    print(f"lightship: {message}", file=sys.stderr)
