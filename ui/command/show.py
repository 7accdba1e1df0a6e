"""How the command prints: aligned tables for people, JSON for programs; outside text without control characters."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def print_json(data: Any) -> None:
    """One JSON document on standard output; NaN is null."""
    import msgspec

    print(json.dumps(msgspec.to_builtins(data), ensure_ascii=False, indent=2, allow_nan=False, default=str))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Columns as wide as their widest cell; those in `right` are aligned right."""
    from ui.views.format import sanitise  # what only complains starts without it

    cells = [[sanitise(cell) for cell in row] for row in rows]
    widths = [max(len(title), *(len(row[i]) for row in cells)) if cells else len(title) for i, title in enumerate(head)]
    for row in [list(head), *cells]:
        parts = [cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(row)]
        print("  ".join(parts).rstrip())


def complain(message: str) -> None:
    """A sentence on standard error."""
    print(f"lightship: {message}", file=sys.stderr)
