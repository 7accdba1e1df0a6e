"""All that surrounds a page: tabs, time control, banner, toast, status bar and key row."""

from __future__ import annotations

import math

from ui.views.banner import banner
from ui.views.chart import shape_of
from ui.views.context import Context
from ui.views.format import duration, number, sanitise, short_range, value
from ui.views.help import NAMES, hints
from ui.views.overview_parts import dropped, late
from ui.views.timecontrol import RANGES
from ui.views.view import FrameView, Page, Shape, StatusItem, Tab, TimeView

KEYS: dict[Page, str] = {"overview": "1", "explore": "2", "alerts": "4", "rules": "5"}


def frame(ctx: Context, page: Page, on: frozenset[str]) -> FrameView:
    """The frame round a page; `on` are the actions that do something now."""
    firing = len(ctx.book.firing)
    gravest = shape_of(ctx.book.firing[0].severity) if firing else None
    return FrameView(
        tabs=tuple(_tab(ctx, p, firing, gravest) for p in NAMES),
        page=page,
        subtitle=_subtitle(ctx, page),
        collector=ctx.collector,
        who=sanitise(ctx.who, 60),
        time=time_view(ctx),
        banner=banner(ctx),
        toast=ctx.toast(),
        status=status(ctx),
        hints=hints(page, on),
        connected=ctx.mirror.connected,
        title=f"({firing}) Lightship" if firing else "Lightship",
        focus=ctx.focus,
    )


def _tab(ctx: Context, page: Page, firing: int, gravest: Shape | None) -> Tab:
    if page == "alerts" and firing:
        return Tab(page, KEYS[page], NAMES[page], str(firing), gravest)
    if page == "rules" and any(d.dirty for d in ctx.desk.rules):
        return Tab(page, KEYS[page], NAMES[page], "draft")
    return Tab(page, KEYS[page], NAMES[page])


def _subtitle(ctx: Context, page: Page) -> str:
    return {"overview": "This machine and what is sent to it", "alerts": "", "explore": "", "rules": ""}[page]


def time_view(ctx: Context) -> TimeView:
    """The time control: live is quiet, everything else says how far behind and which key returns."""
    present = ctx.present()
    start, end = ctx.span()
    stale = not ctx.mirror.connected or ctx.silent_for() > 0
    state = "paused" if ctx.time.paused else "stale" if stale else "live"
    shown = end - start if ctx.time.zoomed is not None else ctx.time.range
    return TimeView(
        state=state,  # type: ignore[arg-type]
        range_label=short_range(round(shown)),
        ranges=tuple(short_range(r) for r in RANGES),
        clock=ctx.words.clock(end),
        date=f"{ctx.words.date(end)} · {ctx.words.zone_name(end)}",
        behind=ctx.time.behind(present)
        or (f"{duration(max(1.0, ctx.silent_for()))} old" if state == "stale" and ctx.silent_for() else ""),
        strip=ctx.book.day(present),
    )


def status(ctx: Context) -> tuple[StatusItem, ...]:
    """The status bar: pace, size, and what was lost or is stale."""
    mirror = ctx.mirror
    if mirror.hello is None:
        return (StatusItem("connecting" if mirror.state.state == "connecting" else "not connected", "unknown"),)
    health = mirror.health.values if mirror.health else {}
    alive = mirror.connected and not ctx.silent_for()
    items = [
        StatusItem(
            ctx.collector if alive else f"{ctx.collector} silent", "ok" if alive else "unknown", "The collector this shows"
        )
    ]
    items.append(StatusItem(_pace(ctx.interval), None, "One tick of the collector"))
    items.append(StatusItem(f"{len(mirror.series):,} series", None, "Series that are alive"))
    rate = ctx.rates.get("points_total", "points")
    if rate is not None:
        shown = value(rate)
        items.append(StatusItem(f"{ctx.words.text(shown)} points/s", None, "Points taken in over the last minute"))
    came_late, lost = late(health), dropped(health)
    items.append(StatusItem(f"late {_count(came_late)}", None, "Points that came late and were still taken"))
    items.append(
        StatusItem(
            f"dropped {_count(lost)}", "warning" if ctx.rates.recent_drops else None, "Points that were lost, since the start"
        )
    )
    stale = sum(a.no_data for a in ctx.book.firing)
    if stale:
        items.append(StatusItem(f"stale {stale}", "unknown", "Rules that cannot be judged: their series say nothing"))
    skipped = sum(s.skipped for s in mirror.subscriptions.values())
    if skipped:
        items.append(StatusItem(f"skipped {_count(skipped)}", None, "Frames left out because this side or the line was slow"))
    ratio = _thinning(ctx)
    if ratio > 1.5:
        items.append(StatusItem(f"drawn {round(ratio)}:1, min–max kept", None, "More points than the chart has room for"))
    return tuple(items)


def _pace(interval: float) -> str:
    return f"{number(1.0 / interval)} Hz" if interval <= 1.0 else f"every {duration(interval)}"


def _count(x: float) -> str:
    return str(value(x)) if math.isfinite(x) else "no data"


def _thinning(ctx: Context) -> float:
    start, end = ctx.span()
    return (end - start) / max(ctx.interval, 1e-3) / max(1, ctx.profile.points)
