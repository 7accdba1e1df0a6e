"""The Traces & logs page: search and list, the trace that is open in its place, and what is chosen beside or below it."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, cut_middle, width, wrap
from ui.terminal.empty import paint_empty
from ui.terminal.ink import ink
from ui.terminal.parts import FRAME, PLAIN, QUIET, key_cap, paint_field, paint_sign, paint_value
from ui.terminal.rows import row_back
from ui.terminal.stage import Stage
from ui.terminal.tracesdetail import paint_log_detail, paint_log_row
from ui.terminal.tracestree import paint_trace
from ui.views.queryview import CompletionView
from ui.views.tracesfilter import EXAMPLES, LOG_EXAMPLES
from ui.views.tracesview import KINDS, ORDERS, TraceRow, TracesView

SIDE = 44
OFFERS = 8


def paint_traces(stage: Stage, page: Rect, view: TracesView) -> None:
    """Paint the page into its region."""
    if view.opened is not None:
        paint_trace(stage, page, view.opened)
        return
    if view.opening:
        for i, line in enumerate(wrap(view.opening, page.w - 6, max(1, page.h - 2))):
            stage.canvas.put(page.x + 3, page.y + 1 + i, line, QUIET)
        return
    top = _paint_head(stage, page, view)
    body = page.inner(top=top)
    if view.empty is not None:
        paint_empty(stage.canvas, body, view.empty)
    elif view.kind == "Traces":
        _paint_list(stage, body, view)
    else:
        _paint_logs(stage, body, view)
    if view.completion is not None:
        _paint_offers(stage, page, Rect(page.x + 1, page.y + (1 if stage.layout != "full" else 0), page.w, 1), view.completion)


# ---------------------------------------------------------------- head


def _paint_head(stage: Stage, page: Rect, view: TracesView) -> int:
    """What is listed and the search on one line, on two where there is less room; returns the rows taken."""
    canvas = stage.canvas
    x = _paint_choice(canvas, page.x + 1, page.y, "T", "traces.kind", KINDS, view.kind) + 1
    if view.kind == "Traces":
        x = _paint_choice(canvas, x, page.y, "O", "traces.order", ORDERS, view.order) + 1
    if view.failing:
        word = "only errors" if view.kind == "Traces" else "only warnings"
        end = canvas.put(x, page.y, word, ink("warning"))
        canvas.hit(Rect(x, page.y, end - x, 1), "action", "traces.failing")
        x = end + 2
    full = stage.layout == "full"
    field = Rect(x, page.y, max(10, page.w - x - 1), 1) if full else Rect(page.x + 1, page.y + 1, page.w - 2, 1)
    focused = stage.memory.focus == "find"
    examples = EXAMPLES if view.kind == "Traces" else LOG_EXAMPLES
    hint = examples if focused else f"/ {examples}"
    paint_field(canvas, field, "", stage.memory.field("find", view.search), focused=focused, hint=hint, name="find")
    if not full:
        room = page.right - x - 2
        canvas.right(page.right - 1, page.y, view.found if width(view.found) <= room else "", QUIET)
    y = field.y + 1
    told = view.search_error or view.problem
    if told:
        lines = wrap(told, page.w - 4, 2)
        for i, line in enumerate(lines):
            canvas.put(page.x + 2, y + i, line, ink("critical"))
        return y + len(lines) - page.y
    following = " · following" if view.kind == "Logs" and view.live and view.found else ""
    held = " · held" if view.kind == "Logs" and not view.live and view.found else ""
    if full or view.note or following or held:
        end = canvas.put(page.x + 2, y, f"{view.found if full else ''}{following}{held}".removeprefix(" · "), QUIET)
        canvas.right(page.right - 1, y, view.note, ink("accent") if "above" in view.note else QUIET, page.right - end - 2)
        y += 1
    return y - page.y


def _paint_choice(canvas: Canvas, x: int, y: int, key: str, what: str, words: tuple[str, ...], chosen: str) -> int:
    x = canvas.put(x, y, f"{key} ", PLAIN)
    for word in words:
        end = canvas.put(x, y, word, ink("accent", bold=True, underline=True) if word == chosen else QUIET)
        canvas.hit(Rect(x, y, end - x, 1), "choose", what, value=word)
        x = end + 1
    return x


def _paint_offers(stage: Stage, page: Rect, field: Rect, view: CompletionView) -> None:
    """What may be written next, below the search."""
    canvas = stage.canvas
    count = min(OFFERS, len(view.rows), max(1, page.h - 4))
    w = min(58, page.w - 2)
    left = max(page.x + 1, min(field.x + (view.start if stage.layout != "full" else 36), page.right - w - 1))
    box = Rect(left, field.y + 1, w, count + 2)
    canvas.fill(box, ink(back="raised"))
    canvas.box(box, ink("line-control", "raised"))
    first = stage.window("offers", view.cursor, len(view.rows), count)
    for i, row in enumerate(view.rows[first : first + count]):
        line = Rect(box.x + 1, box.y + 1 + i, box.w - 2, 1)
        on = first + i == view.cursor
        back = "accent-tint" if on else "raised"
        canvas.fill(line, ink(back=back))
        canvas.hit(line, "choose", "traces.offer", value=str(first + i))
        canvas.put(line.x, line.y, "▐" if on else " ", ink("accent", back))
        room = line.w - 3
        name = cut_middle(row.text, max(room // 2, room - width(row.detail) - 2))
        end = canvas.put(line.x + 2, line.y, name, ink(back=back, bold=on))
        if row.detail and line.right - end > 6:
            canvas.right(line.right - 1, line.y, row.detail, ink("text-secondary", back), line.right - end - 3)
    words = f" {key_cap('tab')} takes  {key_cap('escape')} closes "
    canvas.right(box.right - 2, box.bottom - 1, words, ink("text-secondary", "raised"))


# ---------------------------------------------------------------- lists


def _paint_list(stage: Stage, rect: Rect, view: TracesView) -> None:
    canvas = stage.canvas
    first = stage.window("traces", view.cursor, len(view.traces), rect.h)
    for i, row in enumerate(view.traces[first : first + rect.h]):
        place = Rect(rect.x, rect.y + i, rect.w, 1)
        _paint_trace_row(canvas, place, row, cursor=first + i == view.cursor, index=first + i)


def _paint_trace_row(canvas: Canvas, rect: Rect, row: TraceRow, *, cursor: bool, index: int) -> None:
    """Shape, service and operation, errors, spans, duration with a bar, age; what has no room gives way from the left."""
    back = row_back(canvas, rect, cursor=cursor)
    canvas.hit(rect, "row", "traces", index)
    x, y = rect.x, rect.y
    quiet = ink("text-secondary", back)
    paint_sign(canvas, x + 1, y, row.shape, back)
    end = rect.right - 1
    canvas.right(end, y, row.age, quiet, 7)
    end -= 8
    if rect.w >= 100:
        canvas.right(end, y, row.time, quiet, 14)
        end -= 10
    bar = 16 if rect.w >= 100 else 8 if rect.w >= 60 else 0
    if bar:
        filled = max(1, round(bar * row.share))
        canvas.put(end - bar, y, "━" * filled, ink(row.colour, back))
        end -= bar + 1
    paint_value(canvas, end, y, row.duration, 9, back)
    end -= 10
    if rect.w >= 60:
        canvas.right(end, y, row.errors, ink("critical", back), 9)
        end -= 10
    if rect.w >= 76:
        canvas.right(end, y, row.spans, quiet, 10)
        end -= 11
    canvas.put(x + 3, y, "▎" if not canvas.ascii else "|", ink(row.colour, back))
    at = canvas.put(x + 5, y, row.service, ink("text-primary", back, bold=True), max(0, end - x - 6)) + 1
    at = canvas.put(at, y, row.operation, ink(back=back), max(0, end - at - 1)) + 2
    rest = row.note or (f"with {row.services}" if row.services else "")
    if end - at > 12:
        canvas.put(at, y, cut(rest, end - at - 1), ink("warning", back) if row.note else quiet)


def _paint_logs(stage: Stage, rect: Rect, view: TracesView) -> None:
    canvas = stage.canvas
    place = rect
    if view.log is not None and stage.layout == "full":
        place = rect.inner(right=SIDE + 1)
        canvas.column(place.right, rect.y, rect.h, "│", FRAME)
        paint_log_detail(stage, Rect(place.right + 2, rect.y, SIDE - 2, rect.h), view.log)
    elif view.log is not None:
        rows = max(3, rect.h // 3)
        place = Rect(rect.x, rect.y, rect.w, rows)
        paint_log_detail(stage, Rect(rect.x + 1, rect.y + rows, rect.w - 2, rect.h - rows), view.log, ruled=True)
    first = stage.window("logs", view.cursor, len(view.logs), place.h)
    for i, row in enumerate(view.logs[first : first + place.h]):
        line = Rect(place.x, place.y + i, place.w, 1)
        back = row_back(canvas, line, cursor=first + i == view.cursor)
        canvas.hit(line, "row", "logs", first + i)
        paint_log_row(canvas, line, row, back)
