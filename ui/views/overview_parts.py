"""The smaller parts of Overview: stats, events, processes, cores, the collector's health, the quiet sentence."""

from __future__ import annotations

import math

import numpy as np

from monitor.alerting.model import Event, State
from ui.views.alertbook import shape_of_alert, where
from ui.views.context import Context
from ui.views.feeds import Wish
from ui.views.format import duration, number, plural, sanitise, value
from ui.views.hostfigures import CORES, PROCESSES
from ui.views.lines import Track, level, spark
from ui.views.sentence import join
from ui.views.units import BYTES, MILLISECONDS, PER_SECOND, PERCENT, PLAIN, Unit
from ui.views.view import Banner, EventRow, ProcessRow, Sentence, Shape, Stat, Value

NOTHING = np.full(60, np.nan)


def stat(ctx: Context, label: str, track: Track | None, context: str = "") -> Stat:
    """A figure with what it was 15 minutes ago."""
    if track is None or not len(track.times):
        return Stat(label, value(None), missing(ctx) if ctx.mirror.hello else "", NOTHING, "unknown")
    start, end = ctx.span()
    last = _last(track, end)
    stale = last is None
    shown = value(last, track.unit)
    then = level(track.times, track.values, end - 900.0, 30.0)
    words = f"was {ctx.words.say(then, track.unit)} 15 min ago" if math.isfinite(then) else _shorter(ctx, track, end)
    if context:
        words = f"{context}, {words}" if words and len(context) < 12 else context
    line = spark(track.times, track.values * track.unit.factor, start, end)
    return Stat(label, shown, words, line, "unknown" if stale else None)


def _last(track: Track, end: float) -> float | None:
    last = int(track.times.searchsorted(end, "right"))
    tail = track.values[max(0, last - 5) : last]
    known = tail[np.isfinite(tail)]
    return float(known[-1]) if len(known) else None


def _shorter(ctx: Context, track: Track, end: float) -> str:
    then = level(track.times, track.values, end - 300.0, 20.0)
    return f"was {ctx.words.say(then, track.unit)} 5 min ago" if math.isfinite(then) else ""


def series_stat(ctx: Context) -> Stat:
    """How many series there are, beside the limit, and how many points a second come in."""
    health = ctx.mirror.health.values if ctx.mirror.health else {}
    count = float(len(ctx.mirror.series))
    limit = health.get("series_limit", 0.0)
    rate = ctx.rates.get("points_total", "points")
    words = f"{number(rate) if rate < 10_000 else value(rate)} points/s" if rate is not None else ""
    if limit and count > 0.9 * limit:
        words = f"of {limit:,.0f} allowed"
    shape: Shape | None = "warning" if limit and count > 0.9 * limit else None
    return Stat("Series", value(count, PLAIN, shape), words, NOTHING, shape)


def events(ctx: Context, count: int = 12) -> tuple[EventRow, ...]:
    """What happened lately, newest first."""
    newest = [ctx.mirror.events[-1 - i] for i in range(min(count, len(ctx.mirror.events)))]
    return tuple(event_row(ctx, e) for e in newest)


def event_row(ctx: Context, event: Event) -> EventRow:
    """An event in words; who did it stands out."""
    text = sanitise(event.text, 200)
    who = sanitise(event.who, 40)
    told = join((who, True), text[len(who) :]) if who and text.startswith(who) else join((f"{who}: " if who else "", True), text)
    return EventRow(ctx.words.moment(event.at, ctx.present()), sanitise(event.kind, 32), told, event.id)


def processes(ctx: Context, count: int = 8) -> tuple[ProcessRow, ...]:
    """The processes that use most of the processor."""
    feed = ctx.feed(Wish(PROCESSES, ("value",), ctx.window, every=2))
    rows: dict[str, dict[str, float]] = {}
    names: dict[str, str] = {}
    column = feed.column("value")
    for row, reading in zip(feed.rows.tolist(), column.tolist(), strict=False):
        info = ctx.mirror.series.get(row)
        if info is None or not math.isfinite(reading):
            continue
        tags = dict(info.key.tags)
        pid = tags.get("pid", "")
        names[pid] = tags.get("process", "")
        rows.setdefault(pid, {})[info.key.name.rpartition(".")[2]] = reading
    top = sorted(rows, key=lambda pid: (-rows[pid].get("cpu", 0.0), -rows[pid].get("memory", 0.0), pid))[:count]
    return tuple(
        ProcessRow(
            sanitise(names[pid], 40),
            sanitise(pid, 12),
            value(rows[pid].get("cpu"), PERCENT) if "cpu" in rows[pid] else Value(""),
            value(rows[pid].get("memory"), BYTES) if "memory" in rows[pid] else Value(""),
        )
        for pid in top
    )


def cores(ctx: Context) -> tuple[tuple[float, ...], Sentence]:
    """How busy each core is, 0 to 100 (NaN: no data), in order of their numbers; and that in words."""
    feed = ctx.feed(Wish(CORES, ("value",), ctx.window, every=1))
    found: list[tuple[int, str, float]] = []
    for row, busy in zip(feed.rows.tolist(), feed.column("value").tolist(), strict=False):
        info = ctx.mirror.series.get(row)
        tags = dict(info.key.tags) if info is not None else {}
        core = tags.get("core", "")
        if info is not None and "host" not in tags:
            found.append((int(core) if core.isdigit() else 1 << 20, core, busy))
    found.sort()
    known = [(busy, core) for _, core, busy in found if math.isfinite(busy)]
    if not known:
        return tuple(busy for *_, busy in found), ()
    busiest, core = max(known)
    mean = sum(busy for busy, _ in known) / len(known)
    if len(known) == 1:
        return tuple(busy for *_, busy in found), join((f"The one core is {ctx.words.say(busiest, PERCENT)} busy.", True))
    title = join(
        (f"Core {sanitise(core, 12)} is at {ctx.words.say(busiest, PERCENT)}", True),
        f"; all {len(known)}: {ctx.words.say(mean, PERCENT)}.",
    )
    return tuple(busy for *_, busy in found), title


HEALTH: tuple[tuple[str, str, Unit, bool], ...] = (
    ("Lines", "statsd_lines_total", PER_SECOND, True),
    ("Points", "points_total", PER_SECOND, True),
    ("Late", "late", PLAIN, False),
    ("Dropped", "dropped", PLAIN, False),
    ("Series", "series", PLAIN, False),
    ("Tick", "tick_seconds", Unit(MILLISECONDS.family), False),
    ("Memory", "process_resident_memory_bytes", BYTES, False),
    ("Clients", "stream_clients", PLAIN, False),
)


def collector(ctx: Context) -> tuple[tuple[str, Value], ...]:
    """The collector on itself: what comes in, what was lost, what it costs."""
    health = ctx.mirror.health.values if ctx.mirror.health else {}
    rows: list[tuple[str, Value]] = []
    if ctx.rewound:  # how it fared itself is not kept but as series
        return (("Series", value(float(len(ctx.mirror.series)), PLAIN)),)
    for label, name, unit, rate in HEALTH:
        if rate:
            found = ctx.rates.get(name, name)
        elif name == "late":
            found = late(health)
        elif name == "dropped":
            found = dropped(health)
        else:
            found = health.get(name)
        if found is not None:
            shape: Shape | None = "warning" if name == "dropped" and ctx.rates.recent_drops > 0 else None
            rows.append((label, value(found, unit, shape)))
    return tuple(rows)


def late(health: dict[str, float]) -> float:
    """Points that came late and were still taken."""
    return sum(v for k, v in health.items() if "late" in k and "dropped" not in k and k.endswith("_total"))


def dropped(health: dict[str, float]) -> float:
    """Points, lines and datagrams that were lost, however that is called."""
    return sum(v for k, v in health.items() if is_loss(k))


def is_loss(name: str) -> bool:
    """Whether a health figure counts things that were lost."""
    return "dropped" in name


def firing_title(ctx: Context) -> str:
    """`7 alerts, 2 with an owner`."""
    firing = ctx.book.firing
    if not firing:
        return "nothing"
    owned = sum(a.ack is not None for a in firing)
    return plural(len(firing), "alert") + (f", {owned} with an owner" if owned else "")


def missing(ctx: Context) -> str:
    """That there is no figure."""
    return "no data then" if ctx.rewound else "no data yet"


def quiet(ctx: Context) -> str:
    """What is said when nothing fires: how many rules were judged, and when the last alert ended."""
    told = ctx.mirror.rules
    if ctx.mirror.hello is None:
        return "Waiting for the collector."
    if ctx.rewound and (told is None or not told.rules):
        return "No rules and alerts are known of then."
    if told is None or not told.rules:
        return "Nothing is firing. There are no rules yet: press 5, then N."
    on = sum(rule.enabled for rule in told.rules)
    ended = [a.resolved_at for a in ctx.mirror.alerts.values() if a.state is State.RESOLVED and a.resolved_at]
    last = f"; the last alert ended at {ctx.words.moment(max(ended), ctx.present())}" if ended else ""
    if ctx.rewound:
        return f"Nothing was firing. {plural(on, 'rule')} in force{last}."
    ago = duration(max(1.0, ctx.silent_for())) if ctx.silent_for() else f"every {duration(ctx.interval)}"
    judged = f"judged {ago} ago" if ctx.silent_for() else f"judged {ago}"
    return f"Nothing is firing. {plural(on, 'rule')} {judged}{last}."


def headline(ctx: Context) -> Banner | None:
    """The gravest firing alert as a sentence: its name, since when, who has it, and how many more fire."""
    firing = ctx.book.firing
    if not firing:
        return None
    gravest, present = firing[0], ctx.present()
    place = where(gravest)
    title = ctx.book.title(gravest) + (f": {place}" if place else "")
    shown = ctx.book.value(gravest)
    facts = f"{ctx.words.text(shown)}, limit {ctx.words.text(value(gravest.threshold, ctx.book.unit(gravest)))}"
    if gravest.no_data or gravest.value is None:
        facts = "No data"
    owner = (
        f"{sanitise(gravest.ack.who, 40)} has it {ctx.words.since(gravest.ack.at, present)}." if gravest.ack else "Nobody has it."
    )
    more = len(firing) - 1
    others = f" {plural(more, 'more alert is', 'more alerts are')} firing." if more else ""
    since = ctx.words.moment(gravest.fired_at or gravest.since, present, seconds=True)
    shape = shape_of_alert(gravest)
    return Banner(shape, title, f"{facts}, since {since}. {owner}{others}", "open", "Open alert")
