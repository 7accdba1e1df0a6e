"""Explore's queries in cells: their texts, what is wrong or could be better, their answers, and the offers above it all."""

from __future__ import annotations

from ui.terminal.answers import paint_answers
from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, width, wrap
from ui.terminal.ink import ink
from ui.terminal.parts import PLAIN, QUIET, paint_button, paint_field, paint_sign
from ui.terminal.query_text import paint_query, rows_of
from ui.terminal.rows import row_back
from ui.terminal.stage import Stage
from ui.views.queryview import VIEWS, QueriesView, QueryEditorView, QueryRow
from ui.views.view import ExploreView

NOTE = 16


def paint_queries(stage: Stage, rect: Rect, view: ExploreView, queries: QueriesView) -> None:
    """Queries, what is said of them, and their answers."""
    canvas = stage.canvas
    y = rect.y
    most = most_rows(rect)
    for place, row in visible(queries, most):
        editing = queries.editor if place == queries.cursor else None
        tall = query_rows(row, editing, rect.w - 4, most)
        _paint_row(stage, Rect(rect.x, y, rect.w, tall), row, queries, place, view.region == "queries", editing)
        y += tall
    y += _paint_help(stage, Rect(rect.x, y, rect.w, rect.bottom - y), queries)
    _paint_choices(canvas, Rect(rect.x, y, rect.w, 1), queries)
    y += 1
    paint_answers(stage, Rect(rect.x, y, rect.w, rect.bottom - y), view, queries)


def most_rows(rect: Rect) -> int:
    """Rows of a region that queries may take, and a query while it is written."""
    return max(1, min(6, rect.h // 3))


def visible(queries: QueriesView, most: int) -> list[tuple[int, QueryRow]]:
    """The queries round the cursor for which there is room."""
    first = max(0, min(queries.cursor - most + 1, len(queries.rows) - most))
    return list(enumerate(queries.rows))[first : first + most]


def query_rows(row: QueryRow, editing: QueryEditorView | None, room: int, most: int) -> int:
    """Rows a query takes: as many as its text needs while it is written, else one."""
    if editing is None:
        return 1
    return max(1, min(most, len(rows_of(row.text, room - 1))))


def _paint_row(
    stage: Stage, rect: Rect, row: QueryRow, queries: QueriesView, place: int, focused: bool, editing: QueryEditorView | None
) -> None:
    canvas = stage.canvas
    here = focused and place == queries.cursor
    back = "raised" if editing is not None else row_back(canvas, Rect(rect.x, rect.y, rect.w, 1), cursor=here)
    canvas.hit(rect, "row", "queries", place)
    mark = ink("text-disabled" if row.hidden else row.colour, back, bold=True)
    if editing is not None:
        canvas.fill(rect, ink(back=back))
    canvas.put(rect.x + 1, rect.y, row.letter, mark)
    text = rect.inner(left=3, right=1)
    if editing is not None:
        canvas.hit(text, "field", "query")
        paint_query(canvas, text, row.text, row.tokens, back=back, caret=editing.caret, problem=editing.problem)
        return
    note = cut("…" if row.waiting else row.note, NOTE if rect.w >= 60 else 10) if row.note else ""
    if note:
        canvas.right(rect.right - 1, rect.y, note, ink("critical" if row.wrong else "text-secondary", back))
        text = text.inner(right=width(note) + 1)
    if row.text:
        paint_query(canvas, Rect(text.x, text.y, text.w, 1), row.text, row.tokens, back=back, problem=row.problem, dim=row.hidden)
    else:
        canvas.put(text.x, text.y, "E writes a query", ink("text-secondary", back), text.w)


def _paint_help(stage: Stage, rect: Rect, queries: QueriesView) -> int:
    """A name that is typed, a problem with its fix, the call the caret is in, or what would say more; returns the rows taken."""
    canvas = stage.canvas
    if rect.h < 4:
        return 0
    if queries.naming is not None:
        field = Rect(rect.x + 1, rect.y, rect.w - 2, 1)
        edit = stage.memory.field("query.name", queries.naming)
        paint_field(canvas, field, "Keep as", edit, focused=True, hint="a name, then Enter", name="query.name")
        return 1
    row = queries.rows[queries.cursor] if queries.cursor < len(queries.rows) else None
    if row is not None and row.problem is not None and row.text.strip():
        return _paint_problem(canvas, rect, row.problem.text, row.problem.fix, "critical")
    signature = queries.editor.signature if queries.editor is not None else None
    if signature is not None:
        x = rect.x + 3
        for text, colour in ((signature.before, QUIET), (signature.argument, ink("accent")), (signature.after, QUIET)):
            x = canvas.put(x, rect.y, text, colour, max(0, rect.right - x))
        if rect.right - x > 20:
            canvas.put(x + 2, rect.y, signature.help, QUIET, rect.right - x - 3)
        return 1
    if queries.hint:
        return _paint_problem(canvas, rect, queries.hint, "write it so", "info")
    return 0


def _paint_problem(canvas: Canvas, rect: Rect, words: str, fix: str, shape: str) -> int:
    paint_sign(canvas, rect.x + 1, rect.y, shape)  # type: ignore[arg-type]  # one of two states
    lines = wrap(words, rect.w - 5, 2)
    for i, line in enumerate(lines):
        canvas.put(rect.x + 3, rect.y + i, line, ink(shape))
    if not fix:
        return len(lines)
    beside = rect.x + 5 + width(lines[-1])
    label = cut(fix, rect.w - 14)
    if beside + width(label) + 11 < rect.right:
        paint_button(canvas, beside, rect.y + len(lines) - 1, "alt+enter", label, "query.fix")
        return len(lines)
    paint_button(canvas, rect.x + 3, rect.y + len(lines), "alt+enter", label, "query.fix")
    return len(lines) + 1


def _paint_choices(canvas: Canvas, rect: Rect, queries: QueriesView) -> None:
    x = canvas.put(rect.x + 1, rect.y, "V ", PLAIN)
    for word, view in VIEWS.items():
        on = view == queries.view
        end = canvas.put(x, rect.y, word, ink("accent", bold=True, underline=True) if on else QUIET)
        canvas.hit(Rect(x, rect.y, end - x, 1), "choose", "query.view", value=word)
        x = end + 1
    if rect.w >= 58:
        x = canvas.put(x + 1, rect.y, queries.step, QUIET) + 2
    room = rect.right - x - 1
    if queries.note and room > 16:
        canvas.right(rect.right - 1, rect.y, queries.note, ink("warning"), room)
    elif rect.w >= 58:
        paint_button(canvas, max(x, rect.right - 14), rect.y, "n", "another", "query.new")
