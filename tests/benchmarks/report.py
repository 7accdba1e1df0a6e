"""How a benchmark tells its figures: one JSON line, last, with the bars they are held to."""

from __future__ import annotations

import json
from typing import Any

Bars = dict[str, tuple[float | None, float | None]]
"""Bar and aim by figure (docs of the design: what must be reached, what is aimed at)."""


def report(name: str, figures: dict[str, Any], bars: Bars | None = None) -> None:
    """Print the line: `benchmark`, the figures, and `bars` as {figure: {"bar": …, "aim": …}}."""
    shown = {figure: {"bar": bar, "aim": aim} for figure, (bar, aim) in (bars or {}).items()}
    print(json.dumps({"benchmark": name, **figures, "bars": shown}))
