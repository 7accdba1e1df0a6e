"""A trace as a flame in cells: spans as wide as they took, callers above whom they call, narrow ones joined and counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import width
from ui.terminal.ink import ink
from ui.terminal.parts import QUIET, paint_sign
from ui.terminal.stage import Stage
from ui.views.tracesflame import frames_of
from ui.views.tracesview import FlameView, Joined, SpanRow, TraceView
from ui.views.view import Tick

BAR, OWN = "━", "▇"
JOINED = "░"
REACH = 8
"""Cells to either side of a press that joined spans are enlarged to, where they fill more."""


def cells_of(start: float, end: float, room: int) -> tuple[int, int]:
    """First and last cell of a bar, at least one."""
    first = min(room - 1, int(start * room))
    return first, max(first + 1, min(room, round(end * room)))


def paint_axis(canvas: Canvas, rect: Rect, ticks: Sequence[Tick]) -> None:
    """Labels of the ticks above the bars."""
    last = rect.x - 2
    for tick in ticks:
        x = rect.x + round(tick.at * (rect.w - 1))
        at = min(x, rect.right - width(tick.label))
        if at >= last + 2 and at >= rect.x:
            last = canvas.put(at, rect.y, tick.label, QUIET)


def paint_flame(stage: Stage, rect: Rect, view: TraceView, flame: FlameView) -> None:
    """The levels in sight; the one of the span under the cursor always is."""
    canvas = stage.canvas
    bars = Rect(rect.x + 1, rect.y, rect.w - 2, 1)
    paint_axis(canvas, bars, flame.ticks)
    rows = rect.h - 1
    found = np.flatnonzero(flame.places == view.place)
    chosen = int(found[0]) if len(found) else -1
    first = stage.window(f"flame-{view.trace}", int(flame.lanes[chosen]) if chosen >= 0 else 0, flame.levels, rows)
    frames = frames_of(flame, view.failed, bars.w, 1.0)
    for joined in frames.joined:
        if first <= joined.lane < first + rows:
            start, end = cells_of(joined.start, joined.end, bars.w)
            line = Rect(bars.x + start, rect.y + 1 + joined.lane - first, end - start, 1)
            _paint_joined(canvas, line, view, flame, joined, bars)
    wide = frames.wide[(flame.lanes[frames.wide] >= first) & (flame.lanes[frames.wide] < first + rows)].tolist()
    for at in wide if chosen < 0 or chosen in wide else [*wide, chosen]:
        lane, place = int(flame.lanes[at]), int(flame.places[at])
        start, end = cells_of(float(flame.starts[at]), float(flame.ends[at]), bars.w)
        line = Rect(bars.x + start, rect.y + 1 + lane - first, end - start, 1)
        canvas.hit(line, "row", "zoom", place)
        back = "raised" if at == chosen else "canvas"
        _paint_frame(canvas, line, view.spans[place], flame, bars, back, quiet=lane < flame.above)


def _paint_joined(canvas: Canvas, line: Rect, view: TraceView, flame: FlameView, joined: Joined, bars: Rect) -> None:
    """One of them in its service's colour; several shaded, with how many they are."""
    if joined.count == 1:
        canvas.put(line.x, line.y, BAR, ink("critical" if joined.failed else view.spans[joined.place].colour))
        canvas.hit(line, "row", "zoom", joined.place)
        return
    canvas.fill(line, ink("critical" if joined.failed else "text-secondary"), ":" if canvas.ascii else JOINED)
    words = f"{joined.count:,}"
    if line.w >= width(words) + 2:
        canvas.put(line.x + (line.w - width(words) - 2) // 2, line.y, f" {words} ", QUIET)
    for x in range(line.x, line.right):
        begin = max(joined.start, (x - bars.x - REACH) / bars.w)
        end = min(joined.end, (x - bars.x + 1 + REACH) / bars.w)
        edges = (min(1.0, max(0.0, flame.begin + edge * (flame.end - flame.begin))) for edge in (begin, end))
        canvas.hit(Rect(x, line.y, 1, 1), "choose", "traces.stretch", value=":".join(f"{edge:.12f}" for edge in edges))


def _paint_frame(canvas: Canvas, line: Rect, row: SpanRow, flame: FlameView, bars: Rect, back: str, *, quiet: bool) -> None:
    colour = ink(row.colour, back)
    canvas.fill(line, colour, BAR)
    for start, end in () if quiet else row.own:
        begin, stop = flame.within(start, end)
        a, b = bars.x + round(begin * bars.w), bars.x + round(stop * bars.w)
        part = Rect(max(line.x, a), line.y, min(line.right, b) - max(line.x, a), 1)
        if part.w > 0:
            canvas.fill(part, colour, OWN)
    if line.w >= 6:
        x = line.x
        if row.failed:
            paint_sign(canvas, x, line.y, "critical", back)
            x += 1
        room = line.right - x - 1
        words = f" {row.service} {row.operation} {row.duration} "
        tone = "text-secondary" if quiet and back != "raised" else "text-primary"
        canvas.put(x, line.y, words, ink(tone, back, bold=back == "raised"), room)
    elif row.failed:
        paint_sign(canvas, line.x, line.y, "critical", back)
