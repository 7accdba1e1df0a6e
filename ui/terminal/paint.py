"""A picture painted onto a canvas: frame, page, and what lies above."""

from __future__ import annotations

from ui.terminal.alerts import paint_alerts
from ui.terminal.canvas import Canvas
from ui.terminal.explore import paint_explore
from ui.terminal.frame import paint_frame, paint_tiny, paint_toast
from ui.terminal.overlays import paint_help, paint_palette
from ui.terminal.overview import paint_overview
from ui.terminal.rules import paint_rules
from ui.terminal.stage import Memory, Stage, layout_for
from ui.terminal.topology import paint_topology
from ui.terminal.traces import paint_traces
from ui.views.context import Profile
from ui.views.view import Picture


def profile_for(w: int, h: int, *, ascii_only: bool = False) -> Profile:
    """What there is room for at a size in cells: two points a column and line, charts and rows by the layout."""
    layout = layout_for(w, h)
    full = layout == "full"
    return Profile(
        charts=4 if full else 1 if layout == "narrow" else max(1, min(3, (h - 16) // 8)),
        points=2 * (w // 2 if full else w),
        stats=4 if layout == "narrow" else max(1, min(8, w // 20)),
        rows=max(6, h // 2 if layout == "narrow" else h // 4),
        ascii=ascii_only,
        thin_space=False,
        ticks=6 if w >= 78 else 4,
        y_ticks=4,
    )


def paint(picture: Picture, w: int, h: int, memory: Memory, *, ascii_only: bool = False) -> Stage:
    """A picture at a size in cells. What was painted before and did not change is taken from `memory`."""
    canvas = Canvas(w, h, ascii_only=ascii_only)
    stage = Stage(canvas, layout_for(w, h), memory)
    if stage.layout == "tiny":
        paint_tiny(canvas)
        return stage
    memory.fit(w, h)
    memory.take_focus(picture.frame.focus)
    page = paint_frame(stage, picture.frame)
    if picture.overview is not None:
        paint_overview(stage, page, picture.overview)
    elif picture.explore is not None:
        paint_explore(stage, page, picture.explore)
    elif picture.topology is not None:
        paint_topology(stage, page, picture.topology)
    elif picture.alerts is not None:
        paint_alerts(stage, page, picture.alerts)
    elif picture.rules is not None:
        paint_rules(stage, page, picture.rules)
    elif picture.traces is not None:
        paint_traces(stage, page, picture.traces)
    if picture.help is not None:
        stage.editor = None
        paint_help(stage, picture.help)
    if picture.palette is not None:
        stage.editor = None
        paint_palette(stage, picture.palette)
    if picture.frame.toast is not None:
        paint_toast(canvas, picture.frame.toast)
    return stage
