"""The line under a chart: time and values under the crosshair."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut_middle, width
from ui.terminal.ink import ink
from ui.terminal.parts import QUIET, STRONG, value_ink
from ui.views.view import Value

CROSSHAIR_HINT = "← → move the crosshair"
Readout = tuple[str, tuple[tuple[str, str, Value], ...]]


def paint_readout(canvas: Canvas, rect: Rect, readout: Readout | None, hint: str) -> None:
    """Time, then each line's name and value as far as they have room; `hint` while there is no crosshair."""
    if readout is None:
        canvas.put(rect.x + 1, rect.y, hint, ink("text-disabled"), rect.w - 2)
        return
    at, values = readout
    x = canvas.put(rect.x + 1, rect.y, at, STRONG) + 2
    for name, colour, value in values:
        text = f"{cut_middle(name, 24)} "
        if x + width(text) + width(str(value)) > rect.right:
            canvas.put(x, rect.y, "…", QUIET)
            break
        x = canvas.put(x, rect.y, text, ink(colour))
        x = canvas.put(x, rect.y, str(value), value_ink(value, bold=True)) + 2
