"""All that surrounds a page: tabs, time control, banner, toast, status bar and key row."""

from __future__ import annotations

import math

from ui.views.banner import banner
from ui.views.chart import shape_of
from ui.views.context import Context
from ui.views.day import Day
from ui.views.format import duration, number, sanitise, short_range, value
from ui.views.help import NAMES, hints
from ui.views.overview_parts import dropped, late
from ui.views.rewinding import SPEEDS, Rewinding
from ui.views.view import FrameView, KeyHint, Page, Shape, StatusItem, Tab, TimeView

USUAL = ("5 m", "30 m", "1 h", "6 h", "24 h", "7 d")
"""Ranges that are offered at once where there is no room for all."""
KEYS: dict[Page, str] = {"overview": "1", "explore": "2", "topology": "3", "alerts": "4", "rules": "5", "traces": "6"}


def frame(ctx: Context, page: Page, on: frozenset[str], rewinding: Rewinding, day: Day) -> FrameView:
    """The frame round a page; `on` are the actions that do something now."""
    firing = len(ctx.book.firing)
    gravest = shape_of(ctx.book.firing[0].severity) if firing else None
    return FrameView(
        tabs=tuple(_tab(ctx, p, firing, gravest) for p in NAMES),
        page=page,
        subtitle=_subtitle(ctx, page),
        collector=ctx.collector,
        who=sanitise(ctx.who, 60),
        time=time_view(ctx, rewinding, day),
        banner=banner(ctx, rewinding),
        toast=ctx.toast(),
        status=status(ctx),
        hints=_hints(hints(page, on), ctx, rewinding),
        connected=ctx.live.mirror.connected,
        title=_title(ctx),
        focus=ctx.focus,
        locked=ctx.refusal() if ctx.rewound else "",
    )


def _tab(ctx: Context, page: Page, firing: int, gravest: Shape | None) -> Tab:
    if page == "alerts" and firing:
        return Tab(page, KEYS[page], NAMES[page], str(firing), gravest)
    if page == "rules" and any(d.dirty for d in ctx.desk.rules):
        return Tab(page, KEYS[page], NAMES[page], "draft")
    return Tab(page, KEYS[page], NAMES[page])


def _title(ctx: Context) -> str:
    """What fires now counts, whatever is looked at."""
    firing = len(ctx.live.book.firing)
    return f"({firing}) Lightship" if firing else "Lightship"


def _hints(hints: tuple[KeyHint, ...], ctx: Context, rewinding: Rewinding) -> tuple[KeyHint, ...]:
    """In the past Space plays, and the first key is the way back."""
    if not ctx.rewound:
        return hints
    plays = "stand" if rewinding.playing else "play"
    named = tuple(KeyHint(h.key, plays, h.action) if h.action == "time.pause" else h for h in hints)
    return (KeyHint("L", "live", "time.live"), *named)


def _subtitle(ctx: Context, page: Page) -> str:
    if ctx.rewound:
        return f"as of {ctx.words.moment(ctx.present(), ctx.live_present())}"
    return {
        "overview": "This machine and what is sent to it",
        "alerts": "",
        "explore": "",
        "topology": "Services, as their traces tell",
        "rules": "",
        "traces": "",
    }[page]


def time_view(ctx: Context, rewinding: Rewinding, day: Day) -> TimeView:
    """The time control: live is quiet, everything else says how far behind and which key returns."""
    present = ctx.present()
    start, end = ctx.span()
    shown = end - start if ctx.time.zoomed is not None else ctx.time.range
    moment = ctx.present() if ctx.rewound else end
    ranges = tuple(short_range(r) for r in ctx.time.ranges(ctx.recent))
    label = short_range(round(shown))
    first, last = day.span()
    return TimeView(
        state=_state(ctx, rewinding),  # type: ignore[arg-type]
        range_label=label,
        ranges=ranges,
        clock=ctx.words.clock(moment),
        date=f"{ctx.words.date(moment)} · {ctx.words.zone_name(moment)}",
        behind=_behind(ctx, rewinding, present),
        strip=day.strip(),
        usual=tuple(r for r in ranges if r in USUAL or r == label) if len(ranges) > 5 else ranges,
        day=(first, last),
        window=(start, end) if rewinding.progress is None else (rewinding.moment - (end - start), rewinding.moment),
        changes=day.changes(),
        load=day.load_words(),
        playing=rewinding.playing,
        speed=rewinding.speed_label() if ctx.rewound else "",
        speeds=tuple(f"{speed:g}x" for speed in SPEEDS),
        progress=rewinding.progress,
        awaited=rewinding.awaited() if rewinding.progress is not None else "",
    )


def _state(ctx: Context, rewinding: Rewinding) -> str:
    if ctx.rewound:
        return "rewound"
    if ctx.time.paused:
        return "paused"
    return "stale" if not ctx.live.mirror.connected or ctx.silent_for() > 0 else "live"


def _behind(ctx: Context, rewinding: Rewinding, present: float) -> str:
    if ctx.rewound:
        return f"{rewinding.ago()} ago · L goes live"
    late = ctx.silent_for()
    stale = f"{duration(max(1.0, late))} old" if late and not ctx.time.paused else ""
    return ctx.time.behind(present) or stale


def status(ctx: Context) -> tuple[StatusItem, ...]:
    """The status bar: pace, size, and what was lost or is stale."""
    mirror = ctx.mirror
    if mirror.hello is None:
        return (StatusItem("connecting" if mirror.state.state == "connecting" else "not connected", "unknown"),)
    health = mirror.health.values if mirror.health else {}
    if ctx.rewound:
        return _status_then(ctx)
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
    return (*items, *_drawn(ctx))


def _status_then(ctx: Context) -> tuple[StatusItem, ...]:
    """What is known of the collector at a moment of the past: its name and its series, and what of the picture was left out."""
    mirror = ctx.mirror
    items = [StatusItem(ctx.collector, "ok" if mirror.connected else "unknown", "The collector this shows")]
    items.append(StatusItem(f"{len(mirror.series):,} series then", None, "Series that were alive"))
    stale = sum(a.no_data for a in ctx.book.firing)
    if stale:
        items.append(StatusItem(f"stale {stale}", "unknown", "Rules that could not be judged: their series said nothing"))
    return (*items, *_drawn(ctx))


def _drawn(ctx: Context) -> tuple[StatusItem, ...]:
    """How finely the charts are drawn: thinned because there is no room, or kept no finer."""
    start, end = ctx.span()
    _, step = ctx.reach()
    if step > 1.0:
        return (StatusItem(f"a point each {duration(step)}", None, "So long a range is read in coarser steps"),)
    ratio = (end - start) / max(ctx.interval, 1e-3) / max(1, ctx.profile.points)
    if ratio <= 1.5:
        return ()
    return (StatusItem(f"drawn {round(ratio)}:1, min–max kept", None, "More points than the chart has room for"),)


def _pace(interval: float) -> str:
    return f"{number(1.0 / interval)} Hz" if interval <= 1.0 else f"every {duration(interval)}"


def _count(x: float) -> str:
    return str(value(x)) if math.isfinite(x) else "no data"
