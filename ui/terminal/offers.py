"""What may be written at the caret, as a list above the page, below the word it is for."""

from __future__ import annotations

from ui.terminal.canvas import Rect
from ui.terminal.cells import cut_middle, width
from ui.terminal.ink import ink
from ui.terminal.parts import key_cap
from ui.terminal.queries import most_rows, query_rows, visible
from ui.terminal.query_text import cell_of
from ui.terminal.stage import Stage
from ui.views.queryview import CompletionView, QueriesView

OFFERS = 8
_KINDS = {"metric": "m", "function": "f", "aggregation": "a", "label": "l", "value": "v", "keyword": "k", "duration": "d"}


def paint_offers(stage: Stage, page: Rect, rect: Rect, queries: QueriesView) -> None:
    """The list of what may be written, above everything of the page, below the word it is for."""
    editor = queries.editor
    if editor is None or editor.completion is None:
        return
    most = most_rows(rect)
    y = rect.y
    for place, row in visible(queries, most):
        tall = query_rows(row, editor if place == queries.cursor else None, rect.w - 4, most)
        if place == queries.cursor:
            text = Rect(rect.x, y, rect.w, tall).inner(left=3, right=1)
            x, row_y = cell_of(row.text, text, editor.caret, editor.completion.start)
            below = 1 if editor.signature is not None else 0  # the call that is written stays in sight
            _paint_offers(stage, page, x, max(row_y, y + tall - 1) + below, editor.completion)
        y += tall


def _paint_offers(stage: Stage, page: Rect, x: int, y: int, view: CompletionView) -> None:
    canvas = stage.canvas
    count = min(OFFERS, len(view.rows), max(1, page.bottom - y - 4))
    w = min(60, page.w - 2)
    foot = 1 if view.help or view.note else 0
    box = Rect(max(page.x, min(x - 4, page.right - w)), y + 1, w, count + 2 + foot)
    canvas.fill(box, ink(back="raised"))
    canvas.box(box, ink("line-control", "raised"))
    first = stage.window("completion", view.cursor, len(view.rows), count)
    for i, row in enumerate(view.rows[first : first + count]):
        line = Rect(box.x + 1, box.y + 1 + i, box.w - 2, 1)
        on = first + i == view.cursor
        back = "accent-tint" if on else "raised"
        canvas.fill(line, ink(back=back))
        canvas.hit(line, "choose", "completion", value=str(first + i))
        canvas.put(line.x, line.y, "▐" if on else " ", ink("accent", back))
        canvas.put(line.x + 1, line.y, _KINDS.get(row.kind, "·"), ink("text-secondary", back))
        room = line.w - 4
        name = cut_middle(row.text, max(room // 2, room - width(row.detail) - 2))
        end = canvas.put(line.x + 3, line.y, name, ink(back=back, bold=on))
        if row.detail and line.right - end > 6:
            canvas.right(line.right - 1, line.y, row.detail, ink("text-secondary", back), line.right - end - 3)
    if foot:
        canvas.put(box.x + 2, box.bottom - 2, view.help or view.note, ink("text-secondary", "raised"), box.w - 4)
    canvas.right(
        box.right - 2, box.bottom - 1, f" {key_cap('tab')} takes  {key_cap('escape')} closes ", ink("text-secondary", "raised")
    )
