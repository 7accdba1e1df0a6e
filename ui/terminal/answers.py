"""What came of Explore's queries in cells: charts one below the other, bars of histograms, tables."""

from __future__ import annotations

import numpy as np

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut_middle, width
from ui.terminal.chart import ChartStyle, paint_chart
from ui.terminal.ink import ink
from ui.terminal.parts import PLAIN, QUIET, STRONG, paint_value
from ui.terminal.readout import paint_below
from ui.terminal.stage import Stage
from ui.views.format import plural
from ui.views.querytable import figures_words
from ui.views.queryview import HistogramView, QueriesView, TableView
from ui.views.view import ExploreView

_BLOCKS = " ▁▂▃▄▅▆▇█"


def paint_answers(stage: Stage, rect: Rect, view: ExploreView, queries: QueriesView) -> None:
    """Charts, bars or a table, as the answers are looked at."""
    if rect.h < 3:
        return
    bars = bool(queries.histograms) and (bool(view.chart.empty) or queries.view == "instant")
    if bars:
        used = _paint_histograms(stage.canvas, rect, queries.histograms)
        rect = rect.inner(top=used)
    if queries.view != "chart" and queries.table is not None and rect.h >= 3:
        _paint_table(stage, rect, queries.table, whole=True)
        return
    if not bars:
        _paint_charts(stage, rect, view, queries)


def _paint_charts(stage: Stage, rect: Rect, view: ExploreView, queries: QueriesView) -> None:
    """The charts one below the other, as many as have room to be read; below them the figures."""
    full = stage.layout == "full"
    table = queries.table
    rows = min(len(table.rows), 8 if full else 4) + 1 if table is not None and table.rows and rect.h >= 16 else 0
    charts = (view.chart, *queries.charts)
    room = rect.h - rows - 1
    count = max(1, min(len(charts), room // (9 if full else 7)))
    tall = room // count
    style = ChartStyle(boxed=full, crosshair=view.crosshair)
    y = rect.y
    for chart in charts[:count]:
        paint_chart(stage, Rect(rect.x, y, rect.w, tall), chart, style)
        y += tall
    hint = ""
    if hidden := len(charts) - count:
        hint = f"{plural(hidden, 'more chart')}: make the window taller, or hide queries with H"
    paint_below(stage.canvas, Rect(rect.x, y, rect.w, 1), view, hint)
    if rows and table is not None:
        _paint_table(stage, Rect(rect.x, y + 1, rect.w, rows), table, whole=False)


def _paint_table(stage: Stage, rect: Rect, table: TableView, *, whole: bool) -> None:
    """Labels that differ at the left, values at the right; what all rows share and what is not listed in a line above."""
    canvas, y = stage.canvas, rect.y
    if whole:
        said = " · ".join(part for part in (table.shared, table.at, table.more) if part)
        canvas.put(rect.x + 1, y, said or ("" if table.rows else "No answer yet."), STRONG, rect.w - 2)
        y += 1
    size = 11 if rect.w >= 66 else 10
    count = min(len(table.heads), max(1, (rect.w - 14) // size - 1)) if rect.w >= 40 else 1
    ends = [rect.right - 1 - (count - 1 - i) * size for i in range(count)]
    for head, end in zip(table.heads, ends, strict=False):
        canvas.right(end, y, head.lower(), QUIET)
    left = rect.x + (5 if table.letters else 3)
    places = _columns(table, ends[0] - size - left)
    for title, (at, room) in zip(table.columns, places, strict=False):
        canvas.put(left + at, y, title, STRONG if at == 0 else QUIET, room)
    y += 1
    for row in table.rows[: max(0, rect.bottom - y)]:
        if row.colour:
            canvas.put(rect.x + 1, y, "━", ink(row.colour, bold=True))
        if table.letters:
            canvas.put(rect.x + 3, y, row.letter, QUIET)
        cells = row.cells or (row.name,)
        for cell, (at, room) in zip(cells, places, strict=False):
            canvas.put(left + at, y, cut_middle(cell, room), PLAIN if at == 0 else QUIET)
        for value, end in zip(row.values, ends, strict=False):
            paint_value(canvas, end, y, value, size - 1)
        y += 1


def _columns(table: TableView, room: int) -> list[tuple[int, int]]:
    """Where each label column begins and how wide it is: as wide as it needs, shares of what there is where that is less."""
    wanted = [
        max([width(title), *(width(row.cells[i]) for row in table.rows[:40] if i < len(row.cells))])
        for i, title in enumerate(table.columns)
    ]
    while len(wanted) > 1 and sum(min(w, 8) + 2 for w in wanted) > room:
        wanted.pop()
    share = max(4, room // max(1, len(wanted)) - 2)
    spare = max(0, room - sum(min(w, share) + 2 for w in wanted))
    places, at = [], 0
    for w in wanted:
        size = min(w, share + spare)
        spare -= max(0, size - share)
        places.append((at, max(1, size)))
        at += size + 2
    return places or [(0, max(1, room))]


def _paint_histograms(canvas: Canvas, rect: Rect, views: tuple[HistogramView, ...]) -> int:
    """Each with its figures above its bars; returns the rows taken."""
    count = max(1, min(len(views), rect.h // 6))
    tall = max(4, min(10, rect.h // count))
    for i, view in enumerate(views[:count]):
        _paint_bars(canvas, Rect(rect.x + 1, rect.y + i * tall, rect.w - 2, tall - 1), view)
    return count * tall


def _paint_bars(canvas: Canvas, rect: Rect, view: HistogramView) -> None:
    x = canvas.put(rect.x, rect.y, "━ ", ink(view.colour, bold=True))
    x = canvas.put(x, rect.y, cut_middle(view.name, 24), STRONG) + 2
    for word, value in figures_words(view):
        text = f"{word} {value}"
        if x + width(text) > rect.right:
            break
        x = canvas.put(canvas.put(x, rect.y, f"{word} ", QUIET), rect.y, str(value), PLAIN) + 2
    plot = Rect(rect.x, rect.y + 1, rect.w, rect.h - 2)
    if plot.h < 1 or not len(view.counts):
        return
    middles = np.linspace(view.edges[0], view.edges[-1], plot.w * 2 + 1)[1::2]
    counts = view.counts[np.clip(np.searchsorted(view.edges, middles, "right") - 1, 0, len(view.counts) - 1)]
    eighths = np.round(counts / max(float(view.counts.max()), 1e-300) * plot.h * 8).astype(int)
    for row in range(plot.h):
        level = np.clip(eighths - 8 * (plot.h - 1 - row), 0, 8)
        text = "".join(_BLOCKS[n] if not canvas.ascii else " #"[n > 3] for n in level.tolist())
        canvas.put(plot.x, plot.y + row, text, ink(view.colour))
    free = rect.x
    span = float(view.edges[-1] - view.edges[0]) or 1.0
    for tick in view.ticks:
        at = rect.x + int((tick.at - float(view.edges[0])) / span * plot.w) - width(tick.label) // 2
        if at >= free and at + width(tick.label) <= rect.right:
            canvas.put(at, plot.bottom, tick.label, QUIET)
            free = at + width(tick.label) + 2
