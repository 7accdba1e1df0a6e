"""The Rules page: the list, and the editor with its message, sentence and chart; the text itself lies in a text area above."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import wrap
from ui.terminal.chart import ChartStyle, paint_chart
from ui.terminal.empty import paint_empty
from ui.terminal.ink import ink
from ui.terminal.parts import (
    FRAME,
    PLAIN,
    QUIET,
    STRONG,
    paint_button,
    paint_field,
    paint_heading,
    paint_sentence,
    paint_sign,
    value_ink,
)
from ui.terminal.rows import row_back
from ui.terminal.stage import Stage
from ui.views.view import RuleEditorView, RuleRow, RulesView

LIST = 44


def paint_rules(stage: Stage, page: Rect, view: RulesView) -> None:
    """Paint the page into its region; sets `stage.editor` while a rule is being edited."""
    if view.empty is not None and not view.editing:
        paint_empty(stage.canvas, page, view.empty)
        return
    if stage.layout == "full":
        _paint_list(stage, Rect(page.x, page.y, LIST, page.h), view)
        stage.canvas.column(LIST, page.y, page.h, "│", FRAME)
        if view.editor is not None:
            _paint_editor(stage, Rect(LIST + 1, page.y, page.w - LIST - 1, page.h), view.editor, editing=view.editing)
        return
    if view.editing and view.editor is not None:
        _paint_editor(stage, page, view.editor, editing=True)
        return
    rows = page.h if view.editor is None else min(len(view.rows) + 2, max(5, page.h // 2))
    _paint_list(stage, Rect(page.x, page.y, page.w, rows), view)
    if view.editor is not None and page.h - rows >= 4:
        _paint_editor(stage, page.inner(top=rows), view.editor, editing=False)


def _paint_list(stage: Stage, rect: Rect, view: RulesView) -> None:
    canvas = stage.canvas
    y = rect.y
    canvas.put(rect.x + 3, y, view.title, STRONG, rect.w - 4)
    if view.filter or stage.memory.focus == "filter":
        y += 1
        focused = stage.memory.focus == "filter"
        field = Rect(rect.x + 1, y, rect.w - 2, 1)
        paint_field(canvas, field, "/", stage.memory.field("filter", view.filter), focused=focused, name="filter")
    if view.filter_error:
        y += 1
        canvas.put(rect.x + 3, y, view.filter_error, ink("critical"), rect.w - 4)
    room = rect.bottom - y - 1
    first = stage.window("rules", view.cursor, len(view.rows), room)
    for i, row in enumerate(view.rows[first : first + room]):
        _paint_row(canvas, Rect(rect.x, y + 1 + i, rect.w, 1), row, cursor=first + i == view.cursor, index=first + i)


def _paint_row(canvas: Canvas, rect: Rect, row: RuleRow, *, cursor: bool, index: int) -> None:
    back = row_back(canvas, rect, cursor=cursor)
    canvas.hit(rect, "row", "rules", index)
    paint_sign(canvas, rect.x + 1, rect.y, row.shape, back)
    state = "off" if not row.enabled else f"{row.firing} firing" if row.firing else ""
    end = rect.right - 1
    if state:
        colour = ink(row.shape if row.firing else "text-secondary", back)
        end = canvas.right(end, rect.y, state, colour) - 1
    name = f"{row.name} *" if row.changed else row.name
    fore = "text-primary" if row.enabled else "text-secondary"
    after = canvas.put(rect.x + 3, rect.y, name, ink(fore, back, row.changed), end - rect.x - 3)
    if rect.w >= 70 and end - after > 12:
        canvas.put(
            max(after + 2, rect.x + 30), rect.y, row.summary, ink("text-secondary", back), end - max(after + 2, rect.x + 30) - 1
        )


def _paint_editor(stage: Stage, rect: Rect, editor: RuleEditorView, *, editing: bool) -> None:
    canvas = stage.canvas
    title = f"{editor.rule_id or 'new rule'}, {editor.file}"
    keys = ("Ctrl S save  Ctrl D discard" if rect.w >= 64 else "Ctrl S save") if editing else "E edit  D on/off"
    paint_heading(canvas, Rect(rect.x + 1, rect.y, rect.w - 2, 1), title, keys, focused=editing)
    lines = editor.text.count("\n") + 1
    below = min(13, max(6, rect.h // 2))
    room = rect.h - 1 - below
    height = max(3, room if editing else min(room, lines))
    area = Rect(rect.x + 1, rect.y + 1, rect.w - 2, min(height, max(0, rect.h - 2)))
    if editing:
        stage.editor = area
    else:
        _paint_text(canvas, area, editor)
    _paint_below(stage, Rect(rect.x + 1, area.bottom, rect.w - 2, rect.bottom - area.bottom), editor, editing=editing)


def _paint_text(canvas: Canvas, rect: Rect, editor: RuleEditorView) -> None:
    """The rule as it stands, with line numbers and bars at changed lines; the full editor opens with E."""
    changed = set(editor.changed_lines)
    lines = editor.text.split("\n")
    first = max(0, min(editor.cursor_line, len(lines) - rect.h))
    for i, line in enumerate(lines[first : first + rect.h]):
        canvas.right(rect.x + 3, rect.y + i, str(first + i + 1), ink("text-disabled"))
        if first + i in changed:
            canvas.put(rect.x + 3, rect.y + i, "▐", ink("accent"))
        colour = QUIET if line.lstrip().startswith("#") else ink("accent") if line.lstrip().startswith("[") else PLAIN
        canvas.put(rect.x + 5, rect.y + i, line, colour, rect.w - 6)


def _paint_below(stage: Stage, rect: Rect, editor: RuleEditorView, *, editing: bool) -> None:
    canvas = stage.canvas
    y = rect.y
    if rect.h < 2:
        return
    if editor.conflict:
        canvas.put(rect.x, y, editor.conflict, ink("warning"), rect.w)
        y += 1
    y += _paint_message(canvas, Rect(rect.x, y, rect.w, min(3, rect.bottom - y)), editor, editing=editing)
    if y < rect.bottom:
        end = rect.right
        now = f"now {editor.now}" if editor.now.number else ""
        if now:
            end = canvas.right(rect.right, y, now, value_ink(editor.now, bold=True)) - 2
        paint_sentence(canvas, rect.x, y, editor.sentence, max(0, end - rect.x))
        y += 1
    chart = Rect(rect.x, y, rect.w, rect.bottom - y)
    if chart.h >= 4:
        style = ChartStyle(boxed=False, head=False, say=False)
        paint_chart(stage, chart, editor.chart, style)


def _paint_message(canvas: Canvas, rect: Rect, editor: RuleEditorView, *, editing: bool) -> int:
    """The first problem and its fix, or that it can be saved. Returns the rows taken."""
    if not editing:
        return 0
    if not editor.problems:
        paint_sign(canvas, rect.x, rect.y, "ok")
        key = "ctrl+s" if editor.can_save else ""
        paint_button(canvas, rect.x + 2, rect.y, key, editor.button, "draft.save", on=editor.can_save)
        return 1
    problem = editor.problems[0]
    paint_sign(canvas, rect.x, rect.y, "critical")
    lines = wrap(problem.text if problem.text.startswith("Line ") else f"Line {problem.line + 1}: {problem.text}", rect.w - 2, 2)
    for i, line in enumerate(lines):
        canvas.put(rect.x + 2, rect.y + i, line, ink("critical"))
    if not problem.fix or len(lines) >= rect.h:
        return len(lines)
    paint_button(canvas, rect.x + 2, rect.y + len(lines), "alt+enter", problem.fix, "rule.fix")
    return len(lines) + 1
