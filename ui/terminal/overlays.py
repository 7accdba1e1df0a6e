"""What lies above a page: the palette and the keys of this page."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, wrap
from ui.terminal.ink import ink
from ui.terminal.parts import ACCENT, PLAIN, QUIET, STRONG, key_cap, paint_field, paint_sign
from ui.terminal.rows import row_back
from ui.terminal.stage import Stage
from ui.views.view import HelpView, PaletteRow, PaletteView

HELP_KEY = 11
"""Cells for the keys in the help."""


def _sheet(canvas: Canvas, w: int, h: int, top: int) -> Rect:
    """A cleared and framed region in the middle; returns its inside."""
    w, h = min(w, canvas.w), min(h, canvas.h - top)
    rect = Rect((canvas.w - w) // 2, top, w, h)
    canvas.hit(canvas.rect, "action", "back")
    canvas.hit(rect, "nothing", "")
    canvas.fill(rect, PLAIN)
    canvas.box(rect, ink("line-control"))
    return rect.inner(1, 1, 1, 1)


def paint_palette(stage: Stage, view: PaletteView) -> None:
    """Actions, series and alerts by typing; each row says what it is and its key, or why it is off."""
    canvas = stage.canvas
    rows = max(3, min(14, canvas.h - 8))
    inside = _sheet(canvas, 76, rows + 3, 2)
    edit = stage.memory.field("palette", view.query)
    paint_field(canvas, Rect(inside.x + 1, inside.y, inside.w - 2, 1), ":", edit, focused=True, name="palette")
    first = stage.window("palette", view.cursor, len(view.rows), inside.h - 1)
    for i, row in enumerate(view.rows[first : first + inside.h - 1]):
        place = Rect(inside.x, inside.y + 1 + i, inside.w, 1)
        _paint_palette_row(canvas, place, row, cursor=first + i == view.cursor, index=first + i)
    if not view.rows:
        canvas.put(inside.x + 3, inside.y + 1, "Nothing of that name.", QUIET)


def _paint_palette_row(canvas: Canvas, rect: Rect, row: PaletteRow, *, cursor: bool, index: int) -> None:
    back = row_back(canvas, rect, cursor=cursor)
    canvas.hit(rect, "row", "palette", index)
    paint_sign(canvas, rect.x + 1, rect.y, row.shape, back)
    key = key_cap(row.key) if row.key else ""
    end = canvas.right(rect.right - 1, rect.y, key, ink(back=back, bold=True)) - 1
    fore = "text-primary" if row.enabled else "text-disabled"
    x = canvas.put(rect.x + 3, rect.y, cut(row.title, (end - rect.x) * 3 // 5), ink(fore, back))
    if end - x > 6:
        canvas.put(x + 2, rect.y, row.detail, ink("text-secondary", back), end - x - 2)


def paint_help(stage: Stage, view: HelpView) -> None:
    """Every key of this page and what it does, whole; in two columns where they fit. What does not fit scrolls."""
    canvas = stage.canvas
    inside = _sheet(canvas, 118 if stage.layout == "full" else min(canvas.w, 78), canvas.h - 2, 1)
    canvas.put(inside.x + 1, inside.y - 1, f" Keys: {view.page} ", STRONG)
    canvas.right(inside.right - 1, inside.y - 1, " Esc close ", QUIET)
    columns = 2 if inside.w >= 100 else 1
    each = inside.w // columns
    lines = _help_lines(view, each - HELP_KEY - 3)
    room = inside.h * columns
    first = max(0, min(stage.memory.first.get("help", 0), len(lines) - room))
    stage.memory.first["help"] = first
    shown = lines[first : first + room]
    split = _help_split(shown, inside.h) if columns == 2 else inside.h
    for i, (keys, text) in enumerate(shown):
        x, y = inside.x + 1 + (each if i >= split else 0), inside.y + (i - split if i >= split else i)
        canvas.put(x, y, keys, STRONG if text else ACCENT, each - 2 if not text else HELP_KEY - 1)
        canvas.put(x + HELP_KEY, y, text, PLAIN)
    more = " and ".join(word for word, on in (("above", first > 0), ("below", len(lines) > first + room)) if on)
    if more:
        canvas.right(inside.right - 1, inside.bottom, f" {key_cap('up')} {key_cap('down')} more {more} ", QUIET)


def _help_split(lines: list[tuple[str, str]], height: int) -> int:
    """Where the second column begins: at a section, so that both are about as long; else where the first is full."""
    starts = [i + 1 for i, line in enumerate(lines) if line == ("", "")]
    fitting = [i for i in starts if i - 1 <= height and len(lines) - i <= height]
    return min(fitting, key=lambda i: abs(2 * i - len(lines)), default=height)


def _help_lines(view: HelpView, room: int) -> list[tuple[str, str]]:
    """(keys, words) a line; a section's name has no words, a line that goes on has no keys."""
    lines: list[tuple[str, str]] = []
    for title, keys in view.sections:
        if not keys:
            continue
        lines += [*([("", "")] if lines else []), (title, "")]
        for caps, _, text in keys:
            words = wrap(text, room, 4)
            lines += [(caps, words[0]), *(("", line) for line in words[1:])]
    return lines
