"""Beside the map in the terminal: all nodes row by row, and the node that is open."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import width, wrap
from ui.terminal.chart import ChartStyle, paint_chart
from ui.terminal.ink import ink
from ui.terminal.parts import QUIET, STRONG, key_cap, paint_button, paint_sign, paint_value, plain, value_ink
from ui.terminal.rows import row_back
from ui.terminal.stage import Stage
from ui.views.topologyview import DetailPart, DetailRow, ErrorRow, LinkRow, NodeDetail, NodeRow, OperationRow, TopologyView
from ui.views.view import Value

_COLUMN = 9
_AGE = 8
BLANK = DetailPart("", ())


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
    """What is open: its state, figures and, while no row is chosen, charts; then its lists as far as there is room."""
    canvas = stage.canvas
    paint_sign(canvas, rect.x, rect.y, detail.shape)
    canvas.put(rect.x + 2, rect.y, detail.name, STRONG, rect.w - 2)
    y = rect.y + 1
    for text, colour, most in ((detail.subtitle, QUIET, 2), (plain(detail.sentence), ink(), 4)):
        for line in wrap(text, rect.w, most):
            canvas.put(rect.x, y, line, colour)
            y += 1
    y = _stats(canvas, Rect(rect.x, y + 1, rect.w, rect.bottom - y - 1), detail)
    below = _height(detail)
    across = 1 if rect.w < 60 else 2
    shown = detail.charts[:0:-1][:across]  # latency, then errors: the figures say the rate
    height = max(7, min(9, rect.bottom - y - min(below, 12) - 2))
    if rect.bottom - y >= height + 2 and shown and detail.cursor < 0:
        each = rect.w // across
        for k, chart in enumerate(shown):
            room = Rect(rect.x + k * each, y, each - (1 if across > 1 else 0), height)
            paint_chart(stage, room, chart, ChartStyle(boxed=False))
        y += height + 1
    _parts(stage, Rect(rect.x, y, rect.w, rect.bottom - y - 1), detail)
    _buttons(canvas, Rect(rect.x, rect.bottom - 1, rect.w, 1), detail)


def _buttons(canvas: Canvas, rect: Rect, detail: NodeDetail) -> None:
    """What it leads to, as far as there is room."""
    offers = [
        ("escape", "close", "back", True),
        ("j", "lists", "cursor.down", True),
        ("o", "traces", "topology.traces", not detail.no_traces),
    ]
    offers += [("i", "logs", "topology.logs", True), ("e", "Explore", "topology.explore", True)]
    offers += [("n", "neighbours", "topology.near", True)] if not detail.edge else []
    x = rect.x
    for key, label, action, on in offers:
        if x + len(key_cap(key)) + 1 + len(label) > rect.right:
            return
        x = paint_button(canvas, x, rect.y, key, label, action, on=on) + 2


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


def _height(detail: NodeDetail) -> int:
    return sum(len(part.rows) + 2 for part in detail.parts if part.rows)


def _parts(stage: Stage, rect: Rect, detail: NodeDetail) -> None:
    """The lists one below the other; where it is wide, whom it knows beside what it does."""
    if rect.w < 60:
        _column(stage, rect, detail.parts, 0, detail.cursor, "topology.row")
        return
    does, knows = detail.parts[:3], detail.parts[3:]
    half = rect.w // 2
    first = sum(len(part.rows) for part in does)
    if any(part.rows or part.note for part in does):
        _column(stage, Rect(rect.x, rect.y, half - 2, rect.h), does, 0, detail.cursor, "topology.does")
        rect = Rect(rect.x + half, rect.y, rect.w - half, rect.h)
    _column(stage, rect, knows, first, detail.cursor, "topology.knows")


def _column(stage: Stage, rect: Rect, parts: tuple[DetailPart, ...], number: int, cursor: int, name: str) -> None:
    """Lists from row `number` on; they move on when the cursor is beyond what there is room for."""
    lines: list[tuple[DetailPart, DetailRow | None, int]] = []
    for part in parts:
        if part.rows or part.note:
            lines.append((part, None, -1))
        for row in part.rows:
            lines.append((part, row, number))
            number += 1
    if len(lines) + len(parts) - 1 <= rect.h:  # a little air where there is room
        for n in reversed([n for n, line in enumerate(lines) if line[1] is None and n]):
            lines.insert(n, (BLANK, None, -1))
    at = next((n for n, line in enumerate(lines) if 0 <= line[2] == cursor), 0)
    if at == 1:  # the heading comes into sight along with its first row
        at = 0
    first = stage.window(name, at, len(lines), rect.h)
    for y, (part, shown, place) in enumerate(lines[first : first + rect.h], rect.y):
        if shown is None:
            end = stage.canvas.put(rect.x, y, part.title, STRONG, rect.w)
            stage.canvas.put(end + 1, y, part.note, QUIET, rect.right - end - 1)
        else:
            back = row_back(stage.canvas, Rect(rect.x - 1, y, rect.w + 1, 1), cursor=place == cursor)
            _row(stage.canvas, Rect(rect.x, y, rect.w, 1), shown, back)
            stage.canvas.hit(Rect(rect.x, y, rect.w, 1), "row", "topology.row", place)


def _row(canvas: Canvas, rect: Rect, row: DetailRow, back: str) -> None:
    """A row of any of the lists: its sign, its name, and as many figures as there is room for."""
    figures: tuple[Value, ...] = ()
    words, end = "", rect.right
    left, name = rect.x + 2, row.name
    if isinstance(row, OperationRow):
        matters = row.errors if row.errors.shape in ("warning", "critical") else row.p99
        figures = (row.rate, row.errors, row.p99) if rect.w >= 50 else (row.rate, row.errors) if rect.w >= 36 else (matters,)
        left = rect.x
    elif isinstance(row, LinkRow):
        figures = (row.rate, row.figure) if rect.w >= 36 else (row.figure,)
        paint_sign(canvas, rect.x, rect.y, row.shape, back)
    elif isinstance(row, ErrorRow):
        figures, words, left = ((row.duration,) if rect.w >= 36 else ()), row.age, rect.x
        name = f"{row.name} from {row.origin}" if rect.w >= 36 else row.name
    else:
        words = row.age
        paint_sign(canvas, rect.x, rect.y, row.shape, back, severity=row.severity)
    if words:
        canvas.right(end, rect.y, words, ink("text-secondary", back))
        end -= max(_AGE, width(words)) + 1
    for shown in reversed(figures):
        _figure(canvas, end, rect.y, shown, back)
        end -= _COLUMN
    canvas.put(left, rect.y, name, ink(back=back), end - left - 1)
