"""Rows of lists: alerts, series, events, processes; each in as many columns as there is room for."""

from __future__ import annotations

from dataclasses import dataclass

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, cut_middle, width
from ui.terminal.ink import ink
from ui.terminal.parts import QUIET, STRONG, paint_sentence, paint_sign, paint_strip, paint_value, spark_text
from ui.views.format import NO_DATA
from ui.views.view import AlertRow, EventRow, ProcessRow, SeriesRow

CURSOR = "▐"


def row_back(canvas: Canvas, rect: Rect, *, cursor: bool, marked: bool = False) -> str:
    """Paint a row's ground: marked rows are tinted, the cursor's is raised and has a bar; returns the background's name."""
    back = "raised" if cursor else "accent-tint" if marked else "canvas"
    canvas.fill(Rect(rect.x, rect.y, rect.w, 1), ink(back=back))
    if cursor:
        canvas.put(rect.x, rect.y, CURSOR, ink("accent", back))
    return back


@dataclass(frozen=True, slots=True)
class AlertColumns:
    """Where the columns of a list of alerts end; `blocks` of firing strip, `owner` and `place` cells (0: none)."""

    blocks: int
    age: int
    value: int
    value_room: int
    owner: int
    place: int


def alert_columns(rect: Rect, rows: tuple[AlertRow, ...]) -> AlertColumns:
    """The columns for the room there is and the widest value; strip, owner and place give way in this order."""
    w = rect.w
    blocks = 24 if w >= 76 else 8 if w >= 60 else 0
    age = rect.right - 1 - (blocks + 1 if blocks else 0)
    value = age - max(6, *(width(row.age) for row in rows), 0) - 2
    value_room = min(12, max(8, *(width(str(row.value)) for row in rows), 0))
    left = value - value_room - 1 - (rect.x + 5)
    owner = 12 if w >= 104 else 0
    place = min(28, max(10, (left - owner) * 9 // 20)) if w >= 60 else 0
    return AlertColumns(blocks, age, value, value_room, owner, place)


def paint_alert_row(
    canvas: Canvas, rect: Rect, row: AlertRow, columns: AlertColumns, *, cursor: bool, hit: str, index: int
) -> None:
    """One alert: mark, shape, name, place, who has it, value, age, firing strip."""
    back = row_back(canvas, rect, cursor=cursor, marked=row.marked)
    canvas.hit(Rect(rect.x, rect.y, rect.w, 1), "row", hit, index)
    x, y = rect.x, rect.y
    quiet = ink("text-secondary", back)
    if row.marked:
        canvas.put(x + 1, y, "x", ink("accent", back, bold=True))
    paint_sign(canvas, x + 3, y, row.shape, back, row.severity)
    if columns.blocks:
        paint_strip(canvas, rect.right - 1 - columns.blocks, y, row.strip, columns.blocks, back)
    canvas.right(columns.age, y, row.age, quiet, 12)
    paint_value(canvas, columns.value, y, row.value, columns.value_room, back)
    end = columns.value - columns.value_room - 1
    if columns.owner:
        end -= columns.owner
        canvas.put(end, y, f"✓ {row.acked_by}" if row.acked_by else "", quiet, columns.owner - 1)
    if columns.place:
        where = f"✓ {row.acked_by}, {row.where}" if row.acked_by and not columns.owner else row.where
        end -= columns.place
        canvas.put(end, y, where, quiet, columns.place - 1)
    bold = row.severity == "critical" and row.shape == "critical"
    canvas.put(x + 5, y, row.name, ink("text-primary", back, bold), max(0, end - x - 6))


@dataclass(frozen=True, slots=True)
class SeriesColumns:
    """Where the columns of a list of series end: `trend` cells of firing strip or spark (0: none), value, rate (0: none)."""

    trend: int
    strips: bool
    value: int
    rate: int
    namesakes: bool
    """Whether some share their name, so that only the tags tell them apart."""


def series_columns(rect: Rect, rows: tuple[SeriesRow, ...]) -> SeriesColumns:
    """The columns for the room there is: the strip gives way first, then the rate."""
    strips = any(row.strip for row in rows)
    trending = strips or any(len(row.spark) for row in rows)
    trend = 0 if not trending or rect.w < 40 else 8 if rect.w < 72 else 24 if strips else 16
    end = rect.right - 1 - (trend + 2 if trend else 0)
    namesakes = len({row.name for row in rows}) < len(rows)
    return SeriesColumns(trend, strips, end, end - 11 if rect.w >= 56 else 0, namesakes)


def paint_series_header(canvas: Canvas, rect: Rect, columns: SeriesColumns, title: str) -> None:
    """The heads of the columns."""
    canvas.put(rect.x + 3, rect.y, title, STRONG)
    if columns.trend:
        words = (
            f"firing, {columns.trend} h"
            if columns.strips and columns.trend > 8
            else f"{columns.trend} h"
            if columns.strips
            else "lately"
        )
        canvas.put(rect.right - 1 - columns.trend, rect.y, words, QUIET)
    canvas.right(columns.value, rect.y, "now", QUIET)
    if columns.rate:
        canvas.right(columns.rate, rect.y, "rate", QUIET)


def paint_series_row(
    canvas: Canvas, rect: Rect, row: SeriesRow, columns: SeriesColumns, *, cursor: bool, hit: str, index: int
) -> None:
    """One series: shape or colour of its line, name and tags, rate, value, and how it went lately."""
    back = row_back(canvas, rect, cursor=cursor)
    canvas.hit(Rect(rect.x, rect.y, rect.w, 1), "row", hit, index)
    x, y = rect.x, rect.y
    if row.picked:
        canvas.put(x + 1, y, "━", ink(row.picked, back, bold=True))
    elif columns.strips or row.shape != "ok":
        paint_sign(canvas, x + 1, y, row.shape, back)
    if columns.trend and columns.strips:
        paint_strip(canvas, rect.right - 1 - columns.trend, y, row.strip, columns.trend, back)
    elif columns.trend:
        text = spark_text(row.spark, columns.trend, canvas.ascii)
        canvas.put(rect.right - 1 - columns.trend, y, text, ink(row.picked or "text-secondary", back))
    paint_value(canvas, columns.value, y, row.value, 10, back)
    end = columns.value - 11
    if columns.rate:
        if row.rate.number != NO_DATA.number:
            paint_value(canvas, columns.rate, y, row.rate, 10, back)
        end = columns.rate - 11
    name, tags = _share(row.name, row.tags, max(0, end - x - 3), columns.namesakes)
    after = canvas.put(x + 3, y, name, ink("text-primary", back, row.shape == "critical"))
    canvas.put(after + 1, y, tags, ink("text-secondary", back))


def _share(name: str, tags: str, room: int, namesakes: bool) -> tuple[str, str]:
    """Name and tags cut to share the room; the tags keep two fifths of it where they are all that tells rows apart."""
    if not tags or room < 16:
        return cut_middle(name, room), ""
    name = cut_middle(name, max(room * 3 // 5, room - 1 - width(tags)) if namesakes else room)
    rest = room - 1 - width(name)
    return name, cut(tags, rest) if rest >= 4 else ""


def paint_events(canvas: Canvas, rect: Rect, title: str, events: tuple[EventRow, ...]) -> int:
    """A title and the newest events under it; returns the rows taken."""
    canvas.put(rect.x, rect.y, title, STRONG, rect.w)
    shown = events[: max(0, rect.h - 1)]
    for i, event in enumerate(shown):
        y = rect.y + 1 + i
        x = max(canvas.put(rect.x, y, event.time, QUIET, 12), rect.x + 5) + 2
        paint_sentence(canvas, x, y, event.text, rect.right - x)
    return 1 + len(shown)


def paint_processes(canvas: Canvas, rect: Rect, processes: tuple[ProcessRow, ...]) -> int:
    """The greediest processes: name, CPU, memory; returns the rows taken."""
    if rect.h < 2 or not processes:
        return 0
    canvas.put(rect.x, rect.y, "Processes", STRONG)
    canvas.right(rect.right - 11, rect.y, "CPU", QUIET)
    canvas.right(rect.right, rect.y, "memory", QUIET)
    shown = processes[: rect.h - 1]
    for i, process in enumerate(shown):
        y = rect.y + 1 + i
        canvas.put(rect.x, y, process.name, ink(), rect.w - 22)
        paint_value(canvas, rect.right - 11, y, process.cpu, 9)
        paint_value(canvas, rect.right, y, process.memory, 10)
    return 1 + len(shown)
