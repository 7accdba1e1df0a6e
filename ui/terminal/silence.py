"""The silence drawer: matchers, how long, why; and live what it would keep back."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, width, wrap
from ui.terminal.ink import ink
from ui.terminal.parts import FRAME, PLAIN, QUIET, STRONG, paint_button, paint_field, paint_heading, paint_sign
from ui.terminal.stage import Stage
from ui.views.view import SilenceDraftView

DRAWER = 46
FIELDS = ("matchers", "duration", "reason", "end")


def paint_drawer(stage: Stage, rect: Rect, draft: SilenceDraftView) -> None:
    """Paint the drawer into its region."""
    canvas = stage.canvas
    canvas.column(rect.x, rect.y, rect.h, "│", FRAME)
    x, room = rect.x + 2, rect.w - 3
    paint_heading(
        canvas, Rect(x - 1, rect.y, room + 1, 1), "Change the silence" if draft.editing else "Silence", "Tab next  Esc close"
    )
    y = _paint_fields(stage, Rect(x, rect.y + 1, room, rect.h - 1), draft)
    y = _paint_chips(canvas, Rect(x, y, room, 2), draft)
    refused = wrap(draft.refused, room, 3) if draft.refused and not draft.error else []
    foot = rect.bottom - 1 - max(1, len(refused))
    _paint_preview(canvas, Rect(x, y + 1, room, max(0, foot - y - 2)), draft)
    if draft.error:
        canvas.put(x, foot, draft.error, ink("warning"), room)
    for i, line in enumerate(refused):
        canvas.put(x, foot + i, line, ink("warning"), room)
    foot = rect.bottom - 2
    end = paint_button(canvas, x, foot + 1, "ctrl+s", draft.button, "draft.save", on=not draft.error)
    if room - (end - x) > 16:
        paint_button(canvas, end + 2, foot + 1, "ctrl+d", "discard", "draft.discard")


def _paint_fields(stage: Stage, rect: Rect, draft: SilenceDraftView) -> int:
    canvas, memory = stage.canvas, stage.memory
    y = rect.y
    texts = (
        ("matchers", "Matches", draft.matchers),
        ("duration", "For    ", draft.duration),
        ("reason", "Because", draft.reason),
    )
    for name, label, text in texts:
        field = f"silence.{name}"
        until = draft.until if name == "duration" else ""
        room = rect.w - (width(until) + 1 if until else 0)
        hint = "required" if name == "reason" else ""
        edit = memory.field(field, text)
        paint_field(canvas, Rect(rect.x, y, room, 1), label, edit, focused=memory.focus == field, hint=hint, name=field)
        if until:
            canvas.right(rect.right, y, until, QUIET)
        y += 1
    focused = memory.focus == "silence.end"
    mark = "x" if draft.end_when_resolved else " "
    text = f"[{mark}] end when resolved"
    canvas.put(rect.x + 8, y, text, ink("accent", underline=True) if focused else QUIET if draft.editing else PLAIN, rect.w - 8)
    canvas.hit(Rect(rect.x, y, rect.w, 1), "field", "silence.end")
    return y + 1


def _paint_chips(canvas: Canvas, rect: Rect, draft: SilenceDraftView) -> int:
    x, y = rect.x, rect.y
    for chip in draft.chips:
        text = f" {cut(chip, rect.w - 2)} "
        if x + width(text) > rect.right:
            x, y = rect.x, y + 1
            if y >= rect.bottom:
                break
        x = canvas.put(x, y, text, ink("accent", "accent-tint")) + 1
    return min(y + 1, rect.bottom)


def _paint_preview(canvas: Canvas, rect: Rect, draft: SilenceDraftView) -> None:
    y = rect.y
    for line in wrap(draft.preview_title, rect.w, 2):
        if y < rect.bottom:
            canvas.put(rect.x, y, line, STRONG)
        y += 1
    notes = wrap(draft.preview_note, rect.w, 3) if draft.preview_note else []
    rows = max(0, rect.bottom - y - len(notes))
    for row in draft.preview[:rows]:
        paint_sign(canvas, rect.x, y, row.shape, severity=row.severity)
        end = canvas.put(rect.x + 2, y, row.name, PLAIN, rect.w * 3 // 5)
        canvas.put(end + 1, y, row.where, QUIET, rect.right - end - 1)
        y += 1
    for line in notes:
        if y < rect.bottom:
            canvas.put(rect.x, y, line, QUIET)
        y += 1
