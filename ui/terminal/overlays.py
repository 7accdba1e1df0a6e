"""What lies above a page: the palette and the keys of this page."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, width
from ui.terminal.ink import ink
from ui.terminal.parts import ACCENT, PLAIN, QUIET, STRONG, key_cap, paint_field, paint_sign
from ui.terminal.rows import row_back
from ui.terminal.stage import Stage
from ui.views.view import HelpView, PaletteRow, PaletteView


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
    """Every key of this page, in two columns where they fit; what does not fit scrolls with the list keys."""
    canvas = stage.canvas
    w = 108 if stage.layout == "full" else min(canvas.w, 78)
    inside = _sheet(canvas, w, canvas.h - 2, 1)
    canvas.put(inside.x + 1, inside.y - 1, f" Keys: {view.page} ", STRONG)
    canvas.right(inside.right - 1, inside.y - 1, " Esc close ", QUIET)
    columns = 2 if inside.w >= 100 else 1
    each = inside.w // columns
    lines = _help_lines(view)
    room = inside.h * columns
    first = max(0, min(stage.memory.first.get("help", 0), len(lines) - room))
    stage.memory.first["help"] = first
    for i, (keys, what, text) in enumerate(lines[first : first + room]):
        x, y = inside.x + 1 + (i // inside.h) * each, inside.y + i % inside.h
        if not what:
            canvas.put(x, y, keys, ACCENT)
            continue
        canvas.put(x, y, keys, STRONG, 13)
        end = canvas.put(x + 14, y, what, PLAIN, each - 16)
        if each - 2 - (end - x) - 2 >= min(width(text), 12):
            canvas.put(end + 2, y, text, QUIET, x + each - 2 - end - 2)
    if len(lines) > first + room:
        canvas.right(inside.right - 1, inside.bottom, " more below ", QUIET)


def _help_lines(view: HelpView) -> list[tuple[str, str, str]]:
    lines: list[tuple[str, str, str]] = []
    for title, keys in view.sections:
        if not keys:
            continue
        lines += [*([("", " ", "")] if lines else []), (title, "", ""), *keys]
    return lines
