"""Beside the map in the terminal: all nodes row by row, and the node that is open."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import wrap
from ui.terminal.chart import ChartStyle, paint_chart
from ui.terminal.ink import ink
from ui.terminal.parts import QUIET, STRONG, paint_button, paint_sign, paint_value, plain, value_ink
from ui.terminal.rows import alert_columns, paint_alert_row, row_back
from ui.terminal.stage import Stage
from ui.views.topologyview import LinkRow, NodeDetail, NodeRow, TopologyView
from ui.views.view import Value

_COLUMN = 9


def paint_nodes(stage: Stage, rect: Rect, view: TopologyView) -> None:
    """Nodes with requests, errors and p99, as many of these as there is room for."""
    canvas, nodes = stage.canvas, view.map.nodes
    heads = ("requests", "errors", "p99")
    count = max(1, min(3, (rect.w - 14) // _COLUMN))
    canvas.put(rect.x + 3, rect.y, "Node", STRONG, rect.w - 4)
    for k, words in enumerate(heads[:count] if count > 1 else ("",)):
        canvas.right(rect.right - 1 - _COLUMN * (count - 1 - k), rect.y, words, QUIET)
    room = rect.h - 1
    first = stage.window("topology", view.cursor, len(nodes), room)
    for i, node in enumerate(nodes[first : first + room], first):
        place = Rect(rect.x, rect.y + 1 + i - first, rect.w, 1)
        back = row_back(canvas, place, cursor=i == view.cursor)
        canvas.hit(place, "row", "topology", i)
        paint_sign(canvas, rect.x + 1, place.y, node.shape, back)
        figures = _figures(node)[:count] if count > 1 else _figures(node)[3:]
        for k, shown in enumerate(figures):
            _figure(canvas, rect.right - 1 - _COLUMN * (len(figures) - 1 - k), place.y, shown, back)
        canvas.put(rect.x + 3, place.y, node.name, ink(back=back), rect.w - 5 - _COLUMN * count)


def _figures(node: NodeRow) -> tuple[Value, Value, Value, Value]:
    """Requests, errors, p99, and which of them matters."""
    ill = node.errors.shape in ("warning", "critical") or node.p99.shape == "unknown"
    return node.rate, node.errors, node.p99, node.errors if ill else node.p99


def _figure(canvas: Canvas, end: int, y: int, shown: Value, back: str) -> None:
    if shown.shape == "unknown":
        canvas.right(end, y, "-", ink("text-disabled", back))
    else:
        paint_value(canvas, end, y, shown, _COLUMN - 1, back)


def paint_node(stage: Stage, rect: Rect, detail: NodeDetail) -> None:
    """The open node: its state, figures and charts; then whom it knows, its operations and alerts as far as there is room."""
    canvas = stage.canvas
    paint_sign(canvas, rect.x, rect.y, detail.shape)
    canvas.put(rect.x + 2, rect.y, detail.name, STRONG, rect.w - 2)
    y = rect.y + 1
    for text, colour, most in ((detail.subtitle, QUIET, 2), (plain(detail.sentence), ink(), 3)):
        for line in wrap(text, rect.w, most):
            canvas.put(rect.x, y, line, colour)
            y += 1
    y = _stats(canvas, Rect(rect.x, y + 1, rect.w, rect.bottom - y - 1), detail)
    below = _lists_height(detail)
    charts = detail.charts if rect.w < 60 else detail.charts[::-1]
    across = 1 if rect.w < 60 else 2
    shown = charts[:across] if across > 1 else detail.charts[2:] if detail.charts else ()
    height = max(7, min(9, rect.bottom - y - min(below, 12) - 1))
    if rect.bottom - y >= height + 1 and shown:
        each = rect.w // across
        for k, chart in enumerate(shown[:across]):
            paint_chart(
                stage, Rect(rect.x + k * each, y, each - (1 if across > 1 else 0), height), chart, ChartStyle(boxed=False)
            )
        y += height + 1
    _lists(stage, Rect(rect.x, y, rect.w, rect.bottom - y - 1), detail)
    x = paint_button(canvas, rect.x, rect.bottom - 1, "escape", "close", "back")
    x = paint_button(canvas, x + 2, rect.bottom - 1, "e", "Explore", "topology.explore")
    if x + 14 < rect.right:
        paint_button(canvas, x + 2, rect.bottom - 1, "n", "neighbours", "topology.near")


def _stats(canvas: Canvas, rect: Rect, detail: NodeDetail) -> int:
    if rect.w >= 60:
        each = rect.w // len(detail.stats)
        for k, (label, shown, note) in enumerate(detail.stats):
            end = canvas.put(rect.x + k * each, rect.y, f"{label} ", QUIET)
            end = canvas.put(end, rect.y, str(shown), value_ink(shown, bold=True))
            if len(note) <= rect.x + (k + 1) * each - end - 2:
                canvas.put(end + 1, rect.y, note, QUIET)
        return rect.y + 2
    for k, (label, shown, _) in enumerate(detail.stats):
        canvas.put(rect.x, rect.y + k, label, QUIET)
        paint_value(canvas, rect.right, rect.y + k, shown, rect.w - 10, bold=True)
    return rect.y + len(detail.stats) + 1


def _lists_height(detail: NodeDetail) -> int:
    lists = (detail.callers, detail.called, detail.operations, detail.alerts)
    return sum(len(rows) + 2 for rows in lists if rows)


def _lists(stage: Stage, rect: Rect, detail: NodeDetail) -> None:
    canvas, y = stage.canvas, rect.y
    both = (("Called by", detail.callers), ("Calls", detail.called))
    if rect.w >= 60:
        half = rect.w // 2
        ends = [_links(canvas, Rect(rect.x + k * half, y, half - 2, rect.h), *links) for k, links in enumerate(both)]
        y = max(ends)
    else:
        for title, links in both:
            y = _links(canvas, Rect(rect.x, y, rect.w, rect.bottom - y), title, links)
    if detail.operations and rect.bottom - y >= 2:
        canvas.put(rect.x, y, "Operations", STRONG)
        for k, row in enumerate(detail.operations[: rect.bottom - y - 1], 1):
            shown = (row.rate, row.errors, row.p99) if rect.w >= 50 else (row.rate, row.errors)
            for n, value in enumerate(reversed(shown)):
                _figure(canvas, rect.right - n * _COLUMN, y + k, value, "canvas")
            canvas.put(rect.x, y + k, row.name, QUIET, rect.w - len(shown) * _COLUMN - 1)
        y += len(detail.operations) + 2
    if detail.alerts and rect.bottom - y >= 2:
        canvas.put(rect.x, y, "Firing here", STRONG)
        columns = alert_columns(rect, detail.alerts)
        for k, alert in enumerate(detail.alerts[: rect.bottom - y - 1], 1):
            if rect.w >= 44:
                paint_alert_row(canvas, Rect(rect.x - 1, y + k, rect.w + 1, 1), alert, columns, cursor=False, hit="", index=k)
            else:
                paint_sign(canvas, rect.x, y + k, alert.shape, severity=alert.severity)
                canvas.put(rect.x + 2, y + k, alert.name, ink(), rect.w - 2)


def _links(canvas: Canvas, rect: Rect, title: str, links: tuple[LinkRow, ...]) -> int:
    if not links or rect.h < 2:
        return rect.y
    canvas.put(rect.x, rect.y, title, STRONG)
    for k, row in enumerate(links[: rect.h - 1], 1):
        y = rect.y + k
        paint_sign(canvas, rect.x, y, row.shape)
        _figure(canvas, rect.right, y, row.figure, "canvas")
        end = rect.right - _COLUMN
        if rect.w >= 36:
            _figure(canvas, end, y, row.rate, "canvas")
            end -= _COLUMN
        canvas.put(rect.x + 2, y, row.name, ink(), end - rect.x - 3)
        if row.place >= 0:
            canvas.hit(Rect(rect.x, y, rect.w, 1), "row", "topology", row.place)
    return rect.y + len(links) + 2
