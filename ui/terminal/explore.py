"""The Explore page: find series, pick some, read them over any window under a crosshair."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut_middle, width, wrap
from ui.terminal.chart import ChartStyle, paint_chart
from ui.terminal.empty import paint_empty
from ui.terminal.ink import ink
from ui.terminal.offers import paint_offers
from ui.terminal.parts import FRAME, PLAIN, QUIET, STRONG, paint_field, paint_value
from ui.terminal.queries import paint_queries
from ui.terminal.readout import paint_below
from ui.terminal.rows import paint_series_header, paint_series_row, row_back, series_columns
from ui.terminal.stage import Stage
from ui.views.queryview import QueriesView
from ui.views.view import ExploreView

LIST = 48
TABLE_HEADS = ("last", "min", "mean", "max")


def paint_explore(stage: Stage, page: Rect, view: ExploreView) -> None:
    """Paint the page into its region."""
    canvas = stage.canvas
    _paint_search(stage, Rect(page.x, page.y, page.w, 1), view)
    body = page.inner(top=1)
    if view.search_error:
        canvas.put(3, body.y, view.search_error, ink("critical"), page.w - 4)
        body = body.inner(top=1)
    if view.empty is not None:
        paint_empty(canvas, body, view.empty)
        return
    if view.queries is not None:
        _paint_queries(stage, page, body, view, view.queries)
        return
    if stage.layout == "full":
        _paint_results(stage, Rect(body.x, body.y, LIST, body.h), view)
        canvas.column(LIST, body.y, body.h, "│", FRAME)
        _paint_right(stage, Rect(LIST + 2, body.y, body.w - LIST - 2, body.h), view)
        return
    rows = max(3, body.h * 2 // 5)
    _paint_results(stage, Rect(body.x, body.y, body.w, rows), view)
    _paint_right(stage, Rect(body.x + 1, body.y + rows, body.w - 2, body.h - rows), view)


def _paint_queries(stage: Stage, page: Rect, body: Rect, view: ExploreView, queries: QueriesView) -> None:
    """The queries beside the series found; where there is no room for both, whichever the cursor is in."""
    place = body
    if stage.layout == "full":
        _paint_results(stage, Rect(body.x, body.y, LIST, body.h), view)
        stage.canvas.column(LIST, body.y, body.h, "│", FRAME)
        place = Rect(LIST + 1, body.y, body.w - LIST - 1, body.h)
    elif view.region == "results" and queries.editor is None and queries.naming is None:
        rows = max(4, min(10, body.h // 3))
        _paint_results(stage, Rect(body.x, body.y, body.w, rows), view)
        place = body.inner(top=rows)
    paint_queries(stage, place, view, queries)
    paint_offers(stage, page, place, queries)


def _paint_search(stage: Stage, rect: Rect, view: ExploreView) -> None:
    found_room = min(width(view.found), rect.w // 3) if view.results else 0
    field = Rect(rect.x + 1, rect.y, rect.w - found_room - 4, 1)
    focused = stage.memory.focus == "search"
    hint = "find a series by name or tag" if focused else "/ find a series by name or tag"
    paint_field(stage.canvas, field, "", stage.memory.field("search", view.search), focused=focused, hint=hint, name="search")
    if view.results:
        stage.canvas.right(rect.right - 1, rect.y, view.found, QUIET, found_room)


def _paint_results(stage: Stage, rect: Rect, view: ExploreView) -> None:
    canvas = stage.canvas
    head = Rect(rect.x, rect.y, rect.w, 1)
    columns = series_columns(head, view.results)
    paint_series_header(canvas, head, columns, "Series")
    if not view.results:
        for i, line in enumerate(wrap(view.found, rect.w - 6, max(1, rect.h - 2))):
            canvas.put(rect.x + 3, rect.y + 2 + i, line, QUIET)
        return
    room = rect.h - 1
    here = view.cursor if view.region == "results" else -1
    first = stage.window("explore", here, len(view.results), room)
    for i, row in enumerate(view.results[first : first + room]):
        place = Rect(rect.x, rect.y + 1 + i, rect.w, 1)
        paint_series_row(canvas, place, row, columns, cursor=first + i == here, hit="explore", index=first + i)


def _paint_right(stage: Stage, rect: Rect, view: ExploreView) -> None:
    canvas = stage.canvas
    _paint_choices(canvas, rect, view)
    full = stage.layout == "full"
    table = min(len(view.table), 8 if full else 4) + 2 if view.table and rect.h >= 15 else 0
    chart = Rect(rect.x, rect.y + 1, rect.w, rect.h - 2 - table)
    style = ChartStyle(boxed=full, crosshair=view.crosshair)
    paint_chart(stage, chart, view.chart, style)
    paint_below(canvas, Rect(rect.x, chart.bottom, rect.w, 1), view)
    if table:
        _paint_table(canvas, Rect(rect.x, chart.bottom + 1, rect.w, table), view)


def _paint_choices(canvas: Canvas, rect: Rect, view: ExploreView) -> None:
    x = canvas.put(rect.x, rect.y, "W ", PLAIN)
    x = _paint_choice(canvas, x, rect, "window", view.windows, view.window) + 1
    x = canvas.put(x, rect.y, "F ", PLAIN)
    x = _paint_choice(canvas, x, rect, "field", view.fields, view.field)
    if view.note and rect.right - x > 12:
        canvas.right(rect.right, rect.y, view.note, ink("warning") if view.frozen else QUIET, rect.right - x - 2)


def _paint_choice(canvas: Canvas, x: int, rect: Rect, what: str, values: tuple[str, ...], chosen: str) -> int:
    """The values of a choice side by side; only the chosen one where there is no room for all."""
    shown = values if rect.w >= 60 and sum(width(value) + 1 for value in values) <= rect.w // 2 else (chosen,)
    for value in shown:
        end = canvas.put(x, rect.y, value, ink("accent", bold=True, underline=True) if value == chosen else QUIET)
        canvas.hit(Rect(x, rect.y, end - x, 1), "choose", what, value=value)
        x = end + 1
    return x


def _paint_table(canvas: Canvas, rect: Rect, view: ExploreView) -> None:
    column = 11 if rect.w >= 66 else 9
    shown = 4 if rect.w >= 50 else 3
    canvas.put(rect.x + 3, rect.y, "On the chart", STRONG)
    for i, head in enumerate(TABLE_HEADS[:shown]):
        canvas.right(rect.right - 1 - (shown - 1 - i) * column, rect.y, head, QUIET)
    for k, (name, colour, *values) in enumerate(view.table[: rect.h - 1]):
        place = Rect(rect.x, rect.y + 1 + k, rect.w, 1)
        back = row_back(canvas, place, cursor=view.region == "picked" and k == view.cursor)
        canvas.hit(place, "row", "picked", k)
        canvas.put(rect.x + 1, place.y, "━", ink(colour, back, bold=True))
        canvas.put(rect.x + 3, place.y, cut_middle(name, rect.w - 5 - shown * column), ink(back=back))
        for i, value in enumerate(values[:shown]):
            paint_value(canvas, rect.right - 1 - (shown - 1 - i) * column, place.y, value, column - 1, back)
