"""The one banner above the page: the gravest of blind, rewound, losing data, read-only."""

from __future__ import annotations

from ui.views.context import Context
from ui.views.format import duration, plural, sanitise
from ui.views.rewinding import Rewinding
from ui.views.view import Banner


def banner(ctx: Context, rewinding: Rewinding) -> Banner | None:
    """What a person must know about Lightship itself; None when all is well."""
    return blind(ctx) or (rewound(ctx, rewinding) if ctx.rewound else losing(ctx) or read_only(ctx))


def rewound(ctx: Context, rewinding: Rewinding) -> Banner:
    """Which moment this is, how long ago, and the way back."""
    state = ctx.mirror.state
    if not ctx.mirror.connected:
        reason = sanitise(state.reason, 120).rstrip(".")
        return Banner("unknown", "The past does not answer.", f"{reason[:1].upper()}{reason[1:]}.", "time.live", "Go live")
    notes = ctx.mirror.health.notes if ctx.mirror.health else ()
    detail = rewinding.detail(sanitise(notes[0], 200) if notes else "")
    return Banner("info", rewinding.title(), detail, "time.live", "Go live", tone="accent")


def blind(ctx: Context) -> Banner | None:
    """No answer from the collector: since when, and where what is seen ends."""
    mirror = ctx.live.mirror
    silent = ctx.silent_for()
    if mirror.connected and not silent:
        return None
    if mirror.hello is None:
        return None if mirror.state.state != "lost" else _never(ctx)
    waited = max(silent, ctx.now() - mirror.state.since if mirror.state.since and not mirror.connected else 0.0)
    ends = ctx.words.clock(mirror.time) if mirror.time else ""
    title = f"Lightship is blind: {ctx.collector} has not answered for {duration(max(1, int(waited)))}."
    detail = f"What you see ends at {ends}." if ends else ""
    return Banner("unknown", title, detail, "connection.retry", "Retry now")


def _never(ctx: Context) -> Banner:
    state = ctx.live.mirror.state
    reason = sanitise(state.reason, 160).rstrip(".")
    detail = f"{reason[:1].upper()}{reason[1:]}. " if reason else ""
    title = f"Lightship is blind: {ctx.collector} does not answer."
    return Banner("unknown", title, f"{detail}lightship collector starts one.", "connection.retry", "Retry now")


def losing(ctx: Context) -> Banner | None:
    """Samples are being dropped: how many in the last minute, and which limit was reached."""
    lost, nameless = ctx.rates.recent_drops, ctx.rates.grown("points_overflowed_total")
    if lost < 1 and nameless < 1:
        return None
    health = ctx.mirror.health.values if ctx.mirror.health else {}
    series, limit = health.get("series", 0.0), health.get("series_limit", 0.0)
    why = f": {series:,.0f} of {limit:,.0f} series in use." if limit and series >= limit else "."
    notes = ctx.mirror.health.notes if ctx.mirror.health else ()
    what = (
        f"{plural(round(lost), 'sample')} dropped"
        if lost >= 1
        else f"{plural(round(nameless), 'sample')} without a series of their own"
    )
    return Banner("warning", f"{what} in 1 min{why}", sanitise(notes[0], 200) if notes else "")


def read_only(ctx: Context) -> Banner | None:
    """Looking is allowed, acting is not."""
    if ctx.mirror.hello is None or not ctx.mirror.hello.read_only:
        return None
    return Banner("info", "You can look but not act here.", "This connection is read-only.")


def back_words(ctx: Context, lost_at: float) -> str:
    """`harbour-1 is back. 18 s filled in, nothing lost.` / `… 18 s filled in, 4 s missing.`"""
    mirror = ctx.live.mirror
    away = max(1.0, mirror.time - lost_at)
    spans = [gap for sub in mirror.subscriptions.values() for gap in sub.gaps()]
    missing = max((min(b, mirror.time) - max(a, lost_at) for a, b in spans if b > lost_at), default=0.0)
    filled = duration(max(0.0, round(away - missing)))
    lost = f"{duration(round(missing))} missing" if missing >= 1.0 else "nothing lost"
    return f"{ctx.collector} is back. {filled} filled in, {lost}."
