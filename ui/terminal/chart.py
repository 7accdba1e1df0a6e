"""A chart card in cells: title and legend, sentence, braille plot with axes, limits, gaps, events and crosshair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ui.terminal import braille
from ui.terminal.canvas import Canvas, Codes, Rect
from ui.terminal.cells import cut, width, wrap
from ui.terminal.ink import ink
from ui.terminal.parts import FAINT, FRAME, PLAIN, QUIET, STRONG, paint_sentence, plain, value_ink
from ui.terminal.stage import Stage
from ui.views.view import ChartView, Floats

LEGEND = 4
_LABEL = 7


@dataclass(frozen=True, slots=True)
class ChartStyle:
    """`boxed`: with a frame; `head`: title row; `say`: sentence row; `times`: time axis; `crosshair`: seconds or None."""

    boxed: bool = True
    head: bool = True
    say: bool = True
    times: bool = True
    crosshair: float | None = None


def paint_chart(stage: Stage, rect: Rect, chart: ChartView, style: ChartStyle = ChartStyle()) -> None:
    """Paint a chart card into a region. Its words are painted each time, the plot as often as it can show a difference."""
    canvas = stage.canvas
    inside = rect
    if style.boxed:
        canvas.box(rect, FRAME)
        inside = rect.inner(1, 1, 1, 1)
    if style.head:
        _paint_head(canvas, rect, chart, style.boxed)
        if not style.boxed:
            inside = inside.inner(top=1)
    if style.say and inside.h >= 4:
        _paint_sentence(canvas, inside, chart)
        inside = inside.inner(top=1)
    timed = style.times and inside.h >= 3
    label = min(9, max(_LABEL if style.boxed else _LABEL - 1, *(width(tick.label) for tick in chart.y_ticks), 0))
    plot = inside.inner(left=label + 1, right=2 if style.boxed else 1, bottom=1 if timed else 0)
    if plot.w < 4 or plot.h < 1:
        return
    if chart.empty and not chart.lines:
        lines = wrap(chart.empty, inside.w - 4, max(1, inside.h - 1))
        for i, line in enumerate(lines):
            canvas.put(inside.x + 2, inside.y + max(0, (inside.h - len(lines)) // 2) + i, line, QUIET)
        return

    def paint() -> None:
        paint_plot(canvas, plot, chart, style.crosshair)
        _paint_y_axis(canvas, plot, chart, inside.x)
        if timed:
            _paint_times(canvas, plot, chart, inside)

    place = Rect(inside.x, plot.y, inside.w, inside.bottom - plot.y)
    stage.block(f"plot-{chart.id}-{rect.x}-{rect.y}", place, _plot_key(chart, plot.w, style.crosshair), paint)


REDRAWS = 4
"""Times a plot is painted anew while time moves by one dot: a new reading is seen at once or a quarter of a dot later."""


def _plot_key(chart: ChartView, w: int, crosshair: float | None) -> tuple[object, ...]:
    """What decides whether a plot is painted anew: all that is drawn but the readings, and the time in quarters of a dot."""
    span = round(chart.x[1] - chart.x[0], 3)
    turn = int(chart.x[1] * 2 * w * REDRAWS / span) if span > 0 else 0
    lines = tuple((line.full_name or line.name, line.colour, len(line.times) // 4) for line in chart.lines)
    fixed = (
        chart.y,
        chart.log,
        chart.y_ticks,
        chart.threshold,
        chart.markers,
        chart.exemplars,
        chart.gaps,
        chart.stale,
        chart.others_count,
    )
    return (chart.title, turn, span, braille.snap(chart.x, w), lines, *fixed, crosshair, chart.empty)


def _paint_head(canvas: Canvas, rect: Rect, chart: ChartView, boxed: bool) -> None:
    last = "" if chart.stale and not chart.last.number else str(chart.last)
    pad = 2 if boxed else 0
    space = " " if boxed else ""
    end = rect.right - pad
    title = cut(chart.title, rect.w - 2 * pad - width(last) - 4)
    x = canvas.put(rect.x + pad, rect.y, f"{space}{title}{space}", STRONG)
    if last:
        colour = value_ink(chart.last, bold=True) if not chart.stale else ink("unknown", bold=True)
        end = canvas.right(end, rect.y, f"{space}{last}{space}", colour) - 1
    if 1 < len(chart.lines) <= LEGEND:
        _paint_legend(canvas, x, rect.y, end, chart, boxed)


def _paint_legend(canvas: Canvas, x: int, y: int, end: int, chart: ChartView, boxed: bool) -> None:
    room = end - x - (4 if boxed else 3)
    if room // len(chart.lines) - 1 < 3:
        return
    names = [line.name for line in chart.lines]
    longest = max(map(width, names))
    while sum(min(width(name), longest) + 1 for name in names) > room:
        longest -= 1
    names = [cut(name, longest) for name in names]
    x += 2
    if boxed:
        x = canvas.put(x, y, " ", PLAIN)
    for name, line in zip(names, chart.lines, strict=True):
        x = canvas.put(x, y, name + " ", ink(line.colour))


def _paint_sentence(canvas: Canvas, inside: Rect, chart: ChartView) -> None:
    end = paint_sentence(canvas, inside.x + 1, inside.y, chart.sentence, inside.w - 2)
    if chart.note and width(chart.note) + 2 < inside.right - 1 - end:
        canvas.right(inside.right - 1, inside.y, chart.note, FAINT)
    elif chart.note and not plain(chart.sentence):
        canvas.put(inside.x + 1, inside.y, chart.note, QUIET, inside.w - 2)


def paint_plot(canvas: Canvas, plot: Rect, chart: ChartView, crosshair: float | None = None) -> None:
    """The plot area alone. Time is snapped to whole cells; later lines are painted first, so that the first lies on top."""
    x = braille.snap(chart.x, plot.w)
    _paint_ground(canvas, plot, chart, x, crosshair)
    bits = np.zeros((plot.h, plot.w), dtype=np.uint8)
    colours: Codes = np.zeros((plot.h, plot.w), dtype=np.int32)
    if chart.others is not None:
        _add_envelope(bits, colours, chart, x)
    draw = braille.ascii_points if canvas.ascii else braille.line_bits
    for line in reversed(chart.lines):
        values = _scaled(line.values, chart.log)
        own = draw(line.times, values, x, chart.y, plot.w, plot.h)
        bits = np.where(own != 0, own, bits) if canvas.ascii else bits | own
        colours[own != 0] = ink(line.colour)
    codes = bits.astype(np.int32)
    if not canvas.ascii:
        codes[codes != 0] += braille.BASE
    canvas.stamp(plot.x, plot.y, codes, colours)
    _paint_limit_words(canvas, plot, chart, codes)
    _paint_exemplars(canvas, plot, chart, x)


def _paint_limit_words(canvas: Canvas, plot: Rect, chart: ChartView, codes: Codes) -> None:
    """A limit's words stand on its line, at the left or the right end, where no data lie."""
    for threshold in chart.threshold:
        row = _row(_level(threshold.value, chart), chart, plot.h)
        text = f" {threshold.label} "
        size = width(text)
        if row < 0 or size > plot.w // 2:
            continue
        for at in (2, plot.w - size - 2):
            if not codes[row, at : at + size].any():
                canvas.put(plot.x + at, plot.y + row, text, ink("accent" if threshold.draft else threshold.shape))
                break


def _paint_exemplars(canvas: Canvas, plot: Rect, chart: ChartView, x: tuple[float, float]) -> None:
    """Diamonds; of those in one cell the last counts, and the one chosen lies on top."""
    for mark in sorted(chart.exemplars, key=lambda one: one.chosen):
        column, row = _column(mark.at, x, plot.w), _row(_level(mark.value, chart), chart, plot.h)
        if 0 <= column < plot.w and row >= 0:
            sign = "*" if canvas.ascii else "◆" if mark.chosen else "◇"
            canvas.put(plot.x + column, plot.y + row, sign, ink("accent" if mark.chosen else mark.colour, bold=True))


def _level(value: float, chart: ChartView) -> float:
    """A value as a place on the axis."""
    if not chart.log:
        return value
    return float(np.log10(value)) if value > 0 else float("nan")


def _scaled(values: Floats, log: bool) -> Floats:
    if not log:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(values > 0, np.log10(np.maximum(values, 1e-300)), np.where(np.isnan(values), np.nan, -300.0))


def _add_envelope(bits: braille.Bits, colours: Codes, chart: ChartView, x: tuple[float, float]) -> None:
    """The lines beyond the eighth as the outline of the room they take."""
    assert chart.others is not None
    times, low, high = chart.others
    h, w = bits.shape
    for edge in (low, high):
        own = braille.line_bits(times, _scaled(edge, chart.log), x, chart.y, w, h)
        bits |= own
        colours[own != 0] = ink("others")


def _column(at: float, x: tuple[float, float], w: int) -> int:
    return int((at - x[0]) / (x[1] - x[0]) * w) if x[1] > x[0] and np.isfinite(at) else -1


def _row(level: float, chart: ChartView, h: int) -> int:
    """The cell row of a level; lines of dots and this agree on where a value lies."""
    low, high = chart.y
    if not high > low or not np.isfinite(level):
        return -1
    dot = round((1.0 - (level - low) / (high - low)) * (4 * h - 1))
    return dot // 4 if 0 <= dot < 4 * h else -1


def _paint_ground(canvas: Canvas, plot: Rect, chart: ChartView, x: tuple[float, float], crosshair: float | None) -> None:
    for start, end, _ in chart.gaps:
        a, b = max(0, _column(start, x, plot.w)), min(plot.w, _column(end, x, plot.w))
        if b > a:
            canvas.fill(Rect(plot.x + a, plot.y, b - a, plot.h), ink("unknown"), "░")
    marked: list[tuple[int, str]] = []
    for marker in chart.markers:
        at = _column(marker.at, x, plot.w)
        if 0 <= at < plot.w:
            canvas.column(plot.x + at, plot.y, plot.h, "┆", FAINT if marker.shape is None else ink(marker.shape))
            marked.append((at, marker.label))
    for place, (at, label) in enumerate(sorted(marked)):
        room = (sorted(marked)[place + 1][0] if place + 1 < len(marked) else plot.w) - at - 2
        if room >= 4:
            canvas.put(plot.x + at + 1, plot.y, cut(label, min(room, 24)), FAINT)
    for threshold in chart.threshold:
        row = _row(_level(threshold.value, chart), chart, plot.h)
        if row >= 0:
            colour = ink("accent" if threshold.draft else threshold.shape)
            canvas.rule(plot.x, plot.y + row, plot.w, colour, "╌")
    if crosshair is not None:
        at = _column(crosshair, x, plot.w)
        if 0 <= at < plot.w:
            canvas.column(plot.x + at, plot.y, plot.h, "│", ink("crosshair"))


def _paint_y_axis(canvas: Canvas, plot: Rect, chart: ChartView, left: int) -> None:
    axis = plot.x - 1
    canvas.column(axis, plot.y, plot.h, "│", FRAME)
    taken: set[int] = set()
    for tick in chart.y_ticks:
        row = _row(tick.at, chart, plot.h)
        if row >= 0 and row not in taken:
            taken.add(row)
            canvas.put(axis, plot.y + row, "┤", FRAME)
            canvas.right(axis, plot.y + row, tick.label, QUIET, axis - left)


def _paint_times(canvas: Canvas, plot: Rect, chart: ChartView, inside: Rect) -> None:
    x = braille.snap(chart.x, plot.w)
    y = plot.bottom
    free = inside.x
    limit = inside.right if inside.right > plot.right + 1 else plot.right
    for tick in chart.x_ticks:
        size = width(tick.label)
        at = plot.x + _column(tick.at, x, plot.w) - size // 2
        if at >= free and at + size <= limit and at >= plot.x - 2:
            canvas.put(at, y, tick.label, QUIET)
            free = at + size + 2
