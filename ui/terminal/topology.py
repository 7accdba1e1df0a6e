"""The Topology page: boxes with lines, or braille in 3D, beside all nodes or the one that is open; a table where it is narrow."""

from __future__ import annotations

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import width, wrap
from ui.terminal.empty import paint_empty
from ui.terminal.ink import ink
from ui.terminal.parts import FRAME, QUIET, paint_field, paint_sentence, paint_sign
from ui.terminal.stage import Stage
from ui.terminal.topologyboxes import OVERVIEW, fits, paint_boxes
from ui.terminal.topologydots import paint_dots
from ui.terminal.topologyside import paint_node, paint_nodes
from ui.views.theme import GLYPHS
from ui.views.topologyview import MODES, TopologyView
from ui.views.view import Shape

SIDE = 30
LEGEND: tuple[Shape, ...] = ("critical", "warning", "ok", "unknown", "silenced")


def paint_topology(stage: Stage, page: Rect, view: TopologyView) -> None:
    """Paint the page into its region."""
    if view.empty is not None:
        paint_empty(stage.canvas, page, view.empty)
        return
    head = _paint_head(stage, page, view)
    body = page.inner(top=head)
    if stage.layout == "full":
        left = Rect(body.x + 1, body.y, body.w - SIDE - 3, body.h)
        stage.canvas.column(left.right, body.y, body.h, "│", FRAME)
        side = Rect(left.right + 2, body.y, SIDE, body.h)
        if view.detail is not None:
            paint_node(stage, side, view.detail)
        else:
            paint_nodes(stage, Rect(side.x - 1, side.y, side.w + 1, side.h), view)
        _paint_map(stage, left, view)
    elif view.detail is not None:
        paint_node(stage, body.inner(left=1, right=1), view.detail)
    elif stage.layout == "narrow":
        small = min(max(6, body.h // 3), 10) if body.h >= 16 else 0
        paint_dots(stage, Rect(body.x, body.y, body.w, small), view, space=view.mode == "3D", names=False)
        paint_nodes(stage, body.inner(top=small), view)
    else:
        _paint_map(stage, body.inner(left=1, right=1), view)
    if view.grammar:
        _paint_grammar(stage.canvas, Rect(page.x + 1, page.y + head - 1, page.w - 2, len(view.grammar)), view)


def _paint_grammar(canvas: Canvas, rect: Rect, view: TopologyView) -> None:
    """What may be written into the filter: over the map, so that nothing moves when it comes and goes."""
    first = max(len(example) for example, _ in view.grammar) + 2
    longest = max(len(does) for _, does in view.grammar) + 2
    beside = first + longest <= rect.w
    wide = first + longest if beside else rect.w
    y = rect.y
    for example, does in view.grammar:
        lines = 1 if beside else 2
        canvas.fill(Rect(rect.x, y, wide, lines), ink(back="raised"))
        canvas.put(rect.x + 1, y, example, ink(back="raised", bold=True), wide - 2)
        x, y = (rect.x + first, y) if beside else (rect.x + 3, y + 1)
        canvas.put(x, y, does, ink("text-secondary", "raised"), rect.x + wide - x - 1)
        y += 1


def _paint_head(stage: Stage, page: Rect, view: TopologyView) -> int:
    """The form, what is told, how much is shown; the filter while there is one; and the finding. Returns the rows taken."""
    canvas, y = stage.canvas, page.y
    x = page.x + 1
    for mode in MODES:
        on = mode == view.mode
        end = canvas.put(x, y, f" {mode} ", ink("on-accent", "accent", bold=True) if on else QUIET)
        canvas.hit(Rect(x, y, end - x, 1), "action", "topology.table" if "Table" in (mode, view.mode) else "topology.mode")
        x = end
    end = canvas.put(x + 2, y, view.lens, ink())
    canvas.hit(Rect(x + 2, y, end - x - 2, 1), "action", "topology.lens")
    x = end
    if view.failing:
        x = canvas.put(x + 2, y, "only what fails", ink("warning"), max(0, page.right - x - 4))
    counts = f"{view.near}: {view.counts}" if view.near else view.counts
    if page.right - x - 3 >= 10:
        canvas.right(page.right - 1, y, counts, QUIET, page.right - x - 3)
    y += 1
    focused = stage.memory.focus == "filter"
    if view.filter or focused:
        field = Rect(page.x + 1, y, page.w - 2, 1)
        hint = "service:api  !redis  errors>1%"
        edit = stage.memory.field("filter", view.filter)
        paint_field(canvas, field, "/", edit, focused=focused, hint=hint, name="filter")
        y += 1
    if view.filter_error:
        for line in wrap(view.filter_error, page.w - 4, 2):
            canvas.put(page.x + 3, y, line, ink("critical"), page.w - 4)
            y += 1
    paint_sentence(canvas, page.x + 1, y, view.sentence, page.w - 2)
    return y + 1 - page.y


def _paint_map(stage: Stage, rect: Rect, view: TopologyView) -> None:
    """Boxes where they are of use, dots in 3D and for a map seen from afar, the table when it is asked for."""
    if view.mode == "Table":
        paint_nodes(stage, rect, view)
        return
    if not view.map.nodes:
        stage.canvas.put(rect.x + 2, rect.y + 1, "Nothing on the map passes the filter.", QUIET, rect.w - 3)
        return
    inside = rect.inner(bottom=1)
    if view.mode == "3D":
        paint_dots(stage, inside, view, space=True)
    elif view.flat.zoom < OVERVIEW or not fits(view.map, inside.w, inside.h - 1):
        paint_dots(stage, inside, view, space=False)
    else:
        paint_boxes(stage, inside, view)
    _paint_legend(stage.canvas, Rect(rect.x, rect.bottom - 1, rect.w, 1))


def _paint_legend(canvas: Canvas, rect: Rect) -> None:
    x = rect.x
    for shape in LEGEND:
        words = GLYPHS[shape].word.lower()
        if x + 3 + width(words) > rect.right:
            return
        paint_sign(canvas, x, rect.y, shape)
        x = canvas.put(x + 2, rect.y, words, QUIET) + 2
    words = "over its limit"
    if x + width(words) + 5 <= rect.right:
        x = canvas.put(x, rect.y, "--> " if canvas.ascii else "╌╌▶ ", ink("critical"))
        canvas.put(x, rect.y, words, QUIET)
