"""The Overview page: what is wrong first, then the figures, charts, the busiest series and what happened."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import cut, cut_at_word, width, wrap
from ui.terminal.chart import ChartStyle, paint_chart
from ui.terminal.empty import paint_empty, paint_invitation
from ui.terminal.ink import ink
from ui.terminal.parts import (
    FRAME,
    QUIET,
    STRONG,
    paint_button,
    paint_sentence,
    paint_sign,
    paint_value,
    spark_text,
    value_ink,
)
from ui.terminal.rows import (
    alert_columns,
    paint_alert_row,
    paint_events,
    paint_processes,
    paint_series_header,
    paint_series_row,
    series_columns,
)
from ui.terminal.stage import Stage
from ui.views.view import Banner, OverviewView, Stat

SIDE = 34
_STAT = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """Heights of the parts for a page of some height: rows and height of charts, and whether there is air between the parts."""

    chart_rows: int
    chart_height: int
    airy: bool


def plan(layout: str, height: int, head: int, charts: int) -> Plan:
    """Share the rows below the headline among statistics, charts and the table; the table never falls under six rows."""
    airy = height - head >= 33
    if layout == "narrow":
        rest = height - head - 5
        return Plan(1 if rest >= 14 and charts else 0, min(10, max(7, rest // 3 + 1)), airy=False)
    rest = height - head - 3 - (1 if airy else 0)
    across = 2 if layout == "full" else 1
    wanted = (min(charts, 4) + across - 1) // across
    floor = 8 if layout == "full" else 7
    rows = next((n for n in range(wanted, 0, -1) if rest - n * floor >= (7 if layout == "full" else 6)), 0)
    if not rows:
        return Plan(0, 0, airy)
    spare = max(11, rest // 4) if layout == "full" else max(8, rest // 3)
    return Plan(rows, min(14, max(floor, (rest - spare) // rows)), airy)


def paint_overview(stage: Stage, page: Rect, view: OverviewView) -> None:
    """Paint the page into its region."""
    canvas = stage.canvas
    if view.empty is not None and not any(chart.lines for chart in view.charts):
        paint_empty(canvas, page, view.empty)
        return
    y = page.y + _paint_headline(stage, page, view)
    layout = plan(stage.layout, page.h, y - page.y, len(view.charts))
    y += 1 if layout.airy or (stage.layout == "narrow" and page.h >= 26) else 0
    y += _paint_stats(stage, Rect(page.x, y, page.w, page.bottom - y), view.stats)
    y += _paint_charts(stage, Rect(page.x, y, page.w, page.bottom - y), view, layout)
    _paint_below(stage, Rect(page.x, y, page.w, page.bottom - y), view)


# ---------------------------------------------------------------- headline and figures


def _paint_headline(stage: Stage, page: Rect, view: OverviewView) -> int:
    canvas = stage.canvas
    banner = view.headline
    if banner is None:
        blind = bool(view.stats) and all(stat.shape == "unknown" for stat in view.stats[:4])
        paint_sign(canvas, 1, page.y, "unknown" if blind else "ok")
        canvas.put(3, page.y, view.quiet, ink(), page.w - 4)
        return 1
    back = f"{banner.shape}-tint"
    rows = _headline_rows(stage, page, banner)
    canvas.fill(Rect(page.x, page.y, page.w, len(rows)), ink(back=back))
    paint_sign(canvas, 1, page.y, banner.shape, back)
    for i, (text, bold) in enumerate(rows):
        canvas.put(3, page.y + i, text, ink(back=back, bold=bold), page.w - 4)
    canvas.hit(Rect(page.x, page.y, page.w, len(rows)), "action", banner.action or "page.alerts")
    if stage.layout != "narrow":
        _paint_headline_keys(canvas, page, banner, back)
    return len(rows)


def _headline_rows(stage: Stage, page: Rect, banner: Banner) -> list[tuple[str, bool]]:
    if stage.layout == "narrow":
        title = wrap(banner.title, page.w - 4, 2)
        detail = wrap(banner.detail, page.w - 4, 3 - len(title)) if banner.detail else []
        return [*((line, i == 0) for i, line in enumerate(title)), *((line, False) for line in detail)]
    room = page.w - 4 - (_keys_width(banner) + 3)
    return [(cut(banner.title, room), True), *([(banner.detail, False)] if banner.detail else [])]


def _keys_width(banner: Banner) -> int:
    return width(f"Enter {banner.label or 'open'}   S silence")


def _paint_headline_keys(canvas: Canvas, page: Rect, banner: Banner, back: str) -> None:
    x = page.right - 1 - _keys_width(banner)
    x = paint_button(canvas, x, page.y, "enter", (banner.label or "open").lower(), banner.action or "open", back)
    paint_button(canvas, x + 3, page.y, "s", "silence", "alert.silence", back)


def _paint_stats(stage: Stage, rect: Rect, stats: tuple[Stat, ...]) -> int:
    canvas = stage.canvas
    if not stats:
        return 0
    if stage.layout == "narrow":
        return _paint_narrow_stats(canvas, rect, stats[:4])
    count = max(1, min(len(stats), rect.w // _STAT))
    step = rect.w // count
    for i, stat in enumerate(stats[:count]):
        x = rect.x + 1 + i * step
        offset = 2 if stat.shape is not None and stat.shape != "ok" else 0
        if offset:
            paint_sign(canvas, x, rect.y, stat.shape)
        canvas.put(x + offset, rect.y, stat.label, QUIET, step - 2 - offset)
        end = canvas.put(x, rect.y + 1, str(stat.value), _stat_ink(stat), step - 2)
        spark = x + step - 4 - end
        if spark >= 6 and len(stat.spark):
            canvas.put(end + 2, rect.y + 1, spark_text(stat.spark, min(spark, 8), canvas.ascii), ink("text-disabled"))
        canvas.put(x, rect.y + 2, _shorter(stat.comparison, step - 2), QUIET)
    return 3


_WHEN = re.compile(r" \d+ (?:s|min|h) ago$")


def _shorter(comparison: str, room: int) -> str:
    """The comparison in the room there is: when it was goes first, then whole words."""
    return comparison if width(comparison) <= room else cut_at_word(_WHEN.sub("", comparison), room)


def _stat_ink(stat: Stat) -> int:
    if stat.shape is not None and stat.shape != "ok":
        return ink(stat.shape, bold=True)
    return value_ink(stat.value, bold=True)


def _paint_narrow_stats(canvas: Canvas, rect: Rect, stats: tuple[Stat, ...]) -> int:
    step = rect.w // 2
    for i, stat in enumerate(stats):
        x, y = rect.x + 1 + (i % 2) * step, rect.y + (i // 2) * 2
        offset = 2 if stat.shape is not None and stat.shape != "ok" else 0
        if offset:
            paint_sign(canvas, x, y, stat.shape)
        end = x + step - 3
        start = canvas.right(end, y, str(stat.value), _stat_ink(stat), step - 4)
        canvas.put(x + offset, y, stat.label, QUIET, max(0, start - x - offset - 1))
        canvas.right(end, y + 1, _shorter(stat.comparison, step - 3), QUIET)
    return 2 * ((len(stats) + 1) // 2)


# ---------------------------------------------------------------- charts


def _paint_charts(stage: Stage, rect: Rect, view: OverviewView, layout: Plan) -> int:
    across = 2 if stage.layout == "full" else 1
    boxed = stage.layout == "full"
    half = rect.w // across
    for i, chart in enumerate(view.charts[: layout.chart_rows * across]):
        place = Rect(rect.x + (i % across) * half, rect.y + (i // across) * layout.chart_height, half, layout.chart_height)
        if not boxed:
            place = place.inner(left=1, right=1)
        style = ChartStyle(boxed=boxed)
        paint_chart(stage, place, chart, style)
    return layout.chart_rows * layout.chart_height


# ---------------------------------------------------------------- tables


def _paint_below(stage: Stage, rect: Rect, view: OverviewView) -> None:
    if rect.h < 2:
        return
    left = rect
    if stage.layout == "full":
        left = Rect(rect.x, rect.y, rect.w - SIDE - 2, rect.h)
        stage.canvas.column(left.right, rect.y, rect.h, "│", FRAME)
        _paint_side(stage.canvas, Rect(left.right + 3, rect.y, SIDE - 2, rect.h), view)
    left = left.inner(bottom=_paint_cores(stage, left, view))
    _paint_lists(stage, left, view)


def _paint_lists(stage: Stage, rect: Rect, view: OverviewView) -> None:
    """Firing alerts above the busiest series; Tab takes the cursor from one to the other."""
    canvas = stage.canvas
    y = rect.y
    room = max(1, min(len(view.firing), rect.h // 2 - 1))
    if view.firing:
        here = view.cursor if view.region == "firing" else -1
        canvas.put(rect.x + 3, y, view.firing_title, STRONG, rect.w - 4)
        first = stage.window("firing", here, len(view.firing), room)
        columns = alert_columns(rect, view.firing)
        for i, row in enumerate(view.firing[first : first + room]):
            place = Rect(rect.x, y + 1 + i, rect.w, 1)
            paint_alert_row(canvas, place, row, columns, cursor=first + i == here, hit="firing", index=first + i)
        y += 1 + room
    room = rect.bottom - y - 1
    if room < 1 or not view.busiest:
        if view.empty is not None and rect.bottom - y >= 1:
            paint_invitation(canvas, Rect(rect.x, y, rect.w, rect.bottom - y), view.empty)
        return
    place = Rect(rect.x, y, rect.w, 1)
    heads = series_columns(place, view.busiest)
    paint_series_header(canvas, place, heads, "Busiest series")
    here = view.cursor if view.region == "busiest" else -1
    first = stage.window("busiest", here, len(view.busiest), room)
    for i, series in enumerate(view.busiest[first : first + room]):
        place = Rect(rect.x, y + 1 + i, rect.w, 1)
        paint_series_row(canvas, place, series, heads, cursor=first + i == here, hit="busiest", index=first + i)


def _paint_side(canvas: Canvas, rect: Rect, view: OverviewView) -> None:
    events = view.events
    keep = rect.h if not view.processes else max(3, rect.h // 2)
    taken = paint_events(canvas, Rect(rect.x, rect.y, rect.w, min(keep, rect.h)), "Changes and people", events) if events else 0
    y = rect.y + taken + (1 if taken else 0)
    y += paint_processes(canvas, Rect(rect.x, y, rect.w, rect.bottom - y), view.processes)
    if rect.bottom - y >= 3 and view.collector:
        canvas.put(rect.x, y + 1, "Collector", STRONG)
        for i, (name, value) in enumerate(view.collector[: rect.bottom - y - 2]):
            canvas.put(rect.x, y + 2 + i, name, QUIET, rect.w - 12)
            paint_value(canvas, rect.right, y + 2 + i, value, 12)


def _paint_cores(stage: Stage, rect: Rect, view: OverviewView) -> int:
    """Two rows at the bottom of a tall page: the cores as blocks with their sentence. Returns the rows taken."""
    if not view.cores or rect.h < 16:
        return 0
    canvas, y = stage.canvas, rect.bottom - 2
    canvas.put(rect.x + 3, y, "Cores", STRONG)
    paint_sentence(canvas, rect.x + 10, y, view.cores_title, rect.w - 12)
    blocks = "_.--=##" if canvas.ascii else "▁▂▃▄▅▆▇"
    for i, load in enumerate(view.cores[: rect.w - 6]):
        level = round(min(1.0, max(0.0, load / 100.0)) * (len(blocks) - 1)) if load == load else -1
        canvas.put(rect.x + 3 + i, y + 1, blocks[level] if level >= 0 else "?", ink("series-1" if level >= 0 else "unknown"))
    return 3
