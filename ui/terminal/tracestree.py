"""A trace that is open: its sentence, waterfall or flame, and the span under the cursor. Only rows in sight are painted."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import width, wrap
from ui.terminal.ink import ink
from ui.terminal.parts import FRAME, PLAIN, QUIET, STRONG, paint_sentence, paint_sign, plain
from ui.terminal.rows import row_back
from ui.terminal.stage import Stage
from ui.terminal.tracesdetail import paint_span_detail
from ui.terminal.tracesflame import BAR, OWN, cells_of, paint_axis, paint_flame
from ui.views.tracesview import FORMS, SpanRow, TraceView

SIDE = 42
LEAST = 10
"""Cells of the time axis at least."""


def paint_trace(stage: Stage, page: Rect, view: TraceView) -> None:
    """Head, spans, and beside or below them the one that is chosen."""
    canvas = stage.canvas
    top = _paint_head(stage, page, view)
    body = page.inner(top=top)
    if stage.layout == "full":
        spans = body.inner(right=SIDE + 1)
        canvas.column(spans.right, body.y, body.h, "│", FRAME)
        detail = Rect(spans.right + 2, body.y, SIDE - 2, body.h)
    else:
        below = max(5, min(body.h // 2, body.h * 2 // 5))
        spans = body.inner(bottom=below)
        canvas.rule(body.x, spans.bottom, body.w, FRAME)
        detail = Rect(body.x + 1, spans.bottom + 1, body.w - 2, below - 1)
    if view.flame is None:
        _paint_waterfall(stage, spans, view)
    else:
        paint_flame(stage, spans, view, view.flame)
    if view.detail is not None:
        paint_span_detail(stage, detail, view.detail)


def _paint_head(stage: Stage, page: Rect, view: TraceView) -> int:
    """Title and duration, when and how much, the finding, who took part; returns the rows taken."""
    canvas, y = stage.canvas, page.y
    paint_sign(canvas, page.x + 1, y, view.shape)
    end = canvas.right(page.right - 1, y, str(view.duration), STRONG)
    canvas.put(page.x + 3, y, view.title, STRONG, end - page.x - 5)
    x = page.right - 2 - sum(len(form) + 1 for form in FORMS) - 1
    canvas.put(page.x + 3, y + 1, view.subtitle, QUIET, max(0, x - page.x - 4))
    canvas.put(x, y + 1, "V ", PLAIN)
    x += 2
    for form in FORMS:
        done = canvas.put(x, y + 1, form, ink("accent", bold=True, underline=True) if form == view.form else QUIET)
        canvas.hit(Rect(x, y + 1, done - x, 1), "choose", "traces.form", value=form)
        x = done + 1
    y += 2
    if stage.layout == "full":
        paint_sentence(canvas, page.x + 3, y, view.sentence, page.w - 5)
        y += 1
    else:
        for line in wrap(plain(view.sentence), page.w - 5, 3 if page.h >= 24 else 1):
            canvas.put(page.x + 3, y, line, PLAIN)
            y += 1
    if page.h >= 20:
        _paint_services(canvas, Rect(page.x + 3, y, page.w - 4, 1), view)
        y += 1
    for note in view.notes[: 2 if page.h >= 20 else 0]:
        for line in wrap(note, page.w - 5, 2):
            canvas.put(page.x + 3, y, line, QUIET)
            y += 1
    return y - page.y


def _paint_services(canvas: Canvas, rect: Rect, view: TraceView) -> None:
    mark = f"{OWN} critical path"
    right = canvas.right(rect.right, rect.y, mark, QUIET) if rect.w > 60 else rect.right
    x = rect.x
    for name, colour, share in view.services:
        words = f"{name} {share}".rstrip()
        if x + width(words) + 4 > right:
            break
        x = canvas.put(x, rect.y, BAR, ink(colour, bold=True)) + 1
        x = canvas.put(x, rect.y, words, QUIET) + 2


# ---------------------------------------------------------------- waterfall


def _paint_waterfall(stage: Stage, rect: Rect, view: TraceView) -> None:
    canvas = stage.canvas
    names = min(48, max(18, rect.w * 45 // 100))
    bars = Rect(rect.x + names + 1, rect.y, max(LEAST, rect.w - names - 2), 1)
    paint_axis(canvas, bars, view.ticks)
    rows = rect.h - 1
    first = stage.window(f"spans-{view.trace}", view.cursor, len(view.rows), rows)
    for i, place in enumerate(view.rows[first : first + rows]):
        row = view.spans[place]
        line = Rect(rect.x, rect.y + 1 + i, rect.w, 1)
        back = row_back(canvas, line, cursor=first + i == view.cursor)
        canvas.hit(line, "row", "spans", first + i)
        _paint_name(canvas, Rect(line.x + 1, line.y, names - 1, 1), row, place in view.folded, back, first + i)
        _paint_bar(canvas, Rect(bars.x, line.y, bars.w, 1), row, back)


def _paint_name(canvas: Canvas, rect: Rect, row: SpanRow, folded: bool, back: str, index: int) -> None:
    step = 2 if rect.w >= 30 else 1
    x = rect.x + min(step * row.depth, rect.w // 2)
    if row.below:
        canvas.put(x, rect.y, "▶" if folded else "▼", ink("text-secondary", back))
        canvas.hit(Rect(x, rect.y, 1, 1), "row", "fold", index)
    x += 2
    if row.failed:
        paint_sign(canvas, x, rect.y, "critical", back)
        x += 2
    x = canvas.put(x, rect.y, row.service, ink(row.colour, back, bold=True), max(0, rect.right - x)) + 1
    more = f" +{row.below}" if folded else ""
    canvas.put(x, rect.y, f"{row.operation}{more}", ink(back=back), max(0, rect.right - x))


def _paint_bar(canvas: Canvas, rect: Rect, row: SpanRow, back: str) -> None:
    start, end = cells_of(row.start, row.end, rect.w)
    colour = ink(row.colour, back)
    canvas.put(rect.x + start, rect.y, BAR * (end - start), colour)
    for begin, stop in row.own:
        a, b = round(begin * rect.w), round(stop * rect.w)
        if b > a:
            canvas.put(rect.x + max(start, a), rect.y, OWN * (min(end, b) - max(start, a)), colour)
    words = f"{row.duration}{'*' if row.moved else ''}"
    if end + width(words) + 1 <= rect.w:
        canvas.put(rect.x + end + 1, rect.y, words, ink("text-secondary", back))
    elif start - width(words) - 1 >= 0:
        canvas.put(rect.x + start - width(words) - 1, rect.y, words, ink("text-secondary", back))
    else:
        canvas.put(rect.x + end - width(words) - 2, rect.y, f" {words} ", ink("text-primary", back))
