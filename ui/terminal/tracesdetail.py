"""One span or one log record in full, and records on one line."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import wrap
from ui.terminal.ink import ink
from ui.terminal.parts import FRAME, PLAIN, QUIET, STRONG, paint_button, paint_sign
from ui.terminal.stage import Stage
from ui.views.tracesview import LogDetail, LogRow, Pairs, SpanDetail

MESSAGE = 6
"""Lines of a message at most."""
BODY = 12


def paint_log_row(canvas: Canvas, rect: Rect, row: LogRow, back: str = "canvas") -> None:
    """Shape, time, level, service and body; where there is little room no level and no milliseconds."""
    y, wide = rect.y, rect.w >= 76
    quiet = ink("text-secondary", back)
    paint_sign(canvas, rect.x + 1, y, row.shape, back)
    x = canvas.put(rect.x + 3, y, row.time if wide else row.time[:-4], quiet, 20) + 1
    if wide:
        loud = row.shape in ("critical", "warning")
        canvas.put(x, y, row.level, ink(str(row.shape), back) if loud else quiet, 5)
        x += 6
    room = 12 if wide else 8
    canvas.put(x, y, row.service, ink("text-primary", back, bold=True), room)
    x += room + 1
    canvas.put(x, y, row.body, ink(back=back), max(0, rect.right - x - 1))


def paint_span_detail(stage: Stage, rect: Rect, detail: SpanDetail) -> None:
    """What it says of itself: message, facts, events, attributes, then the logs beside it."""
    canvas = stage.canvas
    y = rect.y
    mark = 2 if detail.shape == "critical" else 0
    if mark:
        paint_sign(canvas, rect.x, y, "critical")
    canvas.put(rect.x + mark, y, detail.title, STRONG, rect.w - mark)
    y = _lines(canvas, rect, y + 1, detail.subtitle, QUIET, 2)
    if detail.message:
        y = _lines(canvas, rect, y, detail.message, ink("critical"), MESSAGE)
    for fact in detail.facts:
        y = _lines(canvas, rect, y, fact, QUIET, 2)
    if detail.events and y + 2 < rect.bottom:
        y = _title(canvas, rect, y, "Events")
        for event in detail.events:
            y = _pair(canvas, rect, y, event.after, event.name)
            for name, value in event.attributes:
                y = _pair(canvas, rect, y, f" {name}", value)
    sections = dict(detail.sections)
    y = _section(canvas, rect, y, "Attributes", sections.get("Attributes", ()))
    if detail.logs and y + 2 < rect.bottom:
        y = _title(canvas, rect, y, f"{detail.logs_title}   G lists them")
        canvas.hit(Rect(rect.x, y - 1, rect.w, 1), "action", "traces.other")
        for log in detail.logs[: max(0, rect.bottom - y)]:
            paint_sign(canvas, rect.x, y, log.shape)
            x = canvas.put(rect.x + 2, y, log.service, PLAIN, 9) + 1
            canvas.put(x, y, log.body, QUIET, max(0, rect.right - x))
            y += 1
    for words, trace in detail.links[: max(0, rect.bottom - y)]:
        canvas.put(rect.x, y, words, ink("accent"), rect.w)
        canvas.hit(Rect(rect.x, y, rect.w, 1), "choose", "traces.trace", value=trace)
        y += 1
    _section(canvas, rect, y, "Resource", sections.get("Resource", ()))


def paint_log_detail(stage: Stage, rect: Rect, detail: LogDetail, ruled: bool = False) -> None:
    """A record in full, with the way to its trace."""
    canvas = stage.canvas
    y = rect.y
    if ruled:
        canvas.rule(rect.x, y, rect.w, FRAME)
        y += 1
    mark = 2 if detail.shape is not None else 0
    paint_sign(canvas, rect.x, y, detail.shape)
    canvas.put(rect.x + mark, y, detail.title, STRONG, rect.w - mark)
    canvas.put(rect.x, y + 1, detail.subtitle, QUIET, rect.w)
    if detail.trace:
        paint_button(canvas, rect.right - 11, y + 1, "g", "its trace", "traces.other")
    y += 2
    for line in detail.lines[:BODY]:
        if y < rect.bottom:
            y = _lines(canvas, rect, y, line, PLAIN, max(1, rect.bottom - y))
    for title, pairs in detail.sections:
        y = _section(canvas, rect, y, title, pairs)
    if detail.trace and y + 1 < rect.bottom:
        _pair(canvas, rect, y + 1, "trace", detail.trace)


def _lines(canvas: Canvas, rect: Rect, y: int, text: str, colour: int, most: int) -> int:
    room = min(most, rect.bottom - y)
    if room <= 0:
        return y
    lines = wrap(text, rect.w, room)
    for i, line in enumerate(lines):
        canvas.put(rect.x, y + i, line, colour, rect.w)
    return y + len(lines)


def _title(canvas: Canvas, rect: Rect, y: int, title: str) -> int:
    canvas.put(rect.x, y + 1, title, STRONG, rect.w)
    return y + 2


def _pair(canvas: Canvas, rect: Rect, y: int, name: str, value: str) -> int:
    if y < rect.bottom:
        part = max(8, rect.w * 2 // 5)
        canvas.put(rect.x, y, name, QUIET, part - 1)
        canvas.put(rect.x + part, y, value, PLAIN, rect.w - part)
    return y + 1


def _section(canvas: Canvas, rect: Rect, y: int, title: str, pairs: Pairs) -> int:
    if not pairs or y + 2 >= rect.bottom:
        return y
    y = _title(canvas, rect, y, title)
    for name, value in pairs:
        y = _pair(canvas, rect, y, name, value)
    return y
