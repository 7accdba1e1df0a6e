"""The line under a chart: time and values under the crosshair."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, cut_middle, width
from ui.terminal.ink import ink
from ui.terminal.parts import QUIET, STRONG, value_ink
from ui.views.format import plural
from ui.views.view import ExploreView, Value

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


OPENS = "Enter opens"


def paint_below(canvas: Canvas, rect: Rect, view: ExploreView, hint: str = "") -> None:
    """What stands below Explore's chart: the exemplar chosen, else what lies under the crosshair, else `hint` or the keys for
    both.
    """
    if view.exemplar:
        paint_exemplar(canvas, rect, view.exemplar)
        return
    keys = CROSSHAIR_HINT if view.chart.lines else ""
    if view.chart.exemplars:
        keys += f", O to {plural(len(view.chart.exemplars), 'exemplar')}"
    paint_readout(canvas, rect, view.readout, hint or keys)


def paint_exemplar(canvas: Canvas, rect: Rect, words: str) -> None:
    """The exemplar that is chosen, and the key that opens its trace."""
    end = canvas.right(rect.right - 1, rect.y, OPENS, ink("text-disabled"))
    sign = "*" if canvas.ascii else "◆"
    x = canvas.put(rect.x + 1, rect.y, f"{sign} ", ink("accent", bold=True))
    canvas.put(x, rect.y, cut(words, end - x - 1), STRONG)
