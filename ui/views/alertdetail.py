"""One alert in full: its sentence, the chart round its onset, why nobody was told, and its history."""

from __future__ import annotations

from monitor.alerting.model import Alert, Rule, State, WhyStep
from monitor.model.matchers import NAME_TAG
from monitor.model.series import SeriesInfo
from ui.views.alertbook import shape_of_alert, where
from ui.views.chart import Chart, shape_of
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.format import duration, sanitise, value
from ui.views.lines import Track
from ui.views.overview_parts import NOTHING, event_row
from ui.views.sentence import Limit, join
from ui.views.timecontrol import RANGES
from ui.views.view import WHY, AlertDetail, ChartView, EventRow, Marker, Sentence, Shape, WhyRow

BEFORE = (150.0, 300.0, 600.0)
"""Seconds shown before the onset: as many as it is old, in steps, so that the chart does not change its scale each second."""
AFTER = 600.0
LEAST = 300.0
LONGEST = 7 * 86_400.0
"""Seconds of an alert that are charted at most."""
SETTLING = 60.0
"""Seconds shown before the onset at least, also where the series is hardly older."""
MARKED = {"acknowledged": "owner", "notified": "told", "silenced": "silenced", "note": "note", "released": "released"}
WHY_ACTIONS = {
    "enable_rule": "alert.rule",
    "edit_rule": "alert.rule",
    "release": "alert.acknowledge",
    "expire_silence": "silence.expire",
}
WHY_SHAPES: dict[str, Shape] = {"passed": "ok", "stopped": "warning", "not_reached": "pending"}


def detail(ctx: Context, alert: Alert, told: tuple[WhyStep, ...] = ()) -> AlertDetail:
    """The picture of one alert. `told`: why somebody was told, as the collector says; (): as is known here."""
    rule = ctx.book.rules.get(alert.rule_id)
    info = ctx.book.series_info(alert)
    chart = onset_chart(ctx, alert, rule, info)
    steps = why(ctx, alert, rule, told)
    return AlertDetail(
        id=alert.id,
        shape=shape_of_alert(alert),
        title=ctx.book.title(alert),
        subtitle=subtitle(ctx, alert),
        sentence=chart.sentence or sentence(ctx, alert),
        chart=chart,
        labels=labels(alert),
        why=steps,
        why_title=why_title(steps),
        history=history(ctx, alert),
        runbook_url=safe_url(rule.runbook_url if rule else ""),
        can_acknowledge=alert.state in (State.FIRING, State.PENDING) and not ctx.refusal(),
        acked=alert.ack is not None,
    )


def labels(alert: Alert) -> tuple[tuple[str, str], ...]:
    """Its labels for people: the metric under that name, and nothing that the head of the page says already."""
    said = {"alertname": alert.rule_id, "severity": alert.severity}
    shown = ((("metric" if n == NAME_TAG else n), v) for n, v in alert.labels if said.get(n) != v)
    return tuple((sanitise(n, 64), sanitise(v, 160)) for n, v in shown)


def subtitle(ctx: Context, alert: Alert) -> str:
    """`orders-db, prod. Critical for 17 min. Mira has it until 15:09.`"""
    present, words = ctx.present(), ctx.words
    place = where(alert)
    since = words.moment(alert.since, present, seconds=True)
    age = duration(max(0.0, present - alert.since) // 60 * 60) if present - alert.since >= 60 else "under 1 min"
    parts = [f"{place}." if place else ""]
    state = {State.FIRING: "Firing", State.PENDING: "Pending", State.RESOLVED: "Resolved"}.get(alert.state, "Quiet")
    if alert.state is State.RESOLVED and alert.fired_at and alert.resolved_at:
        parts.append(f"Resolved at {since}, lasted {duration(max(1.0, alert.resolved_at - alert.fired_at))}.")
    else:
        parts.append(f"{state} since {since}, {age}.")
    if alert.ack is not None:
        until = f" until {words.moment(alert.ack.expires, present)}" if alert.ack.expires else ""
        if alert.ack.until == "change":
            until += " or until it changes" if until else " until it changes"
        note = f": “{sanitise(alert.ack.note, 120)}”" if alert.ack.note else ""
        parts.append(f"{sanitise(alert.ack.who, 40)} has it{until}{note}.")
    for silence_id in alert.silenced_by[:1]:
        silence = ctx.mirror.silences.get(silence_id)
        if silence is not None:
            parts.append(f"Silenced by {sanitise(silence.created_by, 40)} until {words.moment(silence.ends, present)}.")
    return " ".join(p for p in parts if p)


def sentence(ctx: Context, alert: Alert) -> Sentence:
    """The rule's own summary where it has one; else the value beside its limit."""
    shown = ctx.words.text(ctx.book.value(alert))
    if alert.value is None or alert.no_data:
        return join(("No data", True), f" since {ctx.words.moment(alert.since, ctx.present(), seconds=True)}.")
    return join((shown, True), f"; fires {ctx.book.limit(alert, ctx.words)}.")


def onset_chart(ctx: Context, alert: Alert, rule: Rule | None, info: SeriesInfo | None) -> ChartView:
    """The series judged round the start of the alert, with the limit drawn in."""
    field = ctx.book.field(alert)
    window = rule.condition.window if rule else ctx.window
    feed = _feed(ctx, info, field, window, alert)
    times, _ = feed.track(info.row, field) if info is not None and feed is not None else (NOTHING, NOTHING)
    span = ctx.time.zoomed or onset_span(ctx, alert, float(times[0]) if len(times) else None)

    def make() -> Chart:
        unit = ctx.book.unit(alert)
        tracks: tuple[Track, ...] = ()
        if info is not None and feed is not None:
            tracks = (
                Track(sanitise(info.key.name, 60), *feed.track(info.row, field), unit, "series-1", 0, sanitise(info.key.label())),
            )
        held = f" for {duration(rule.for_seconds)}" if rule and rule.for_seconds else ""
        limit = Limit(
            alert.threshold,
            alert.operator,
            shape_of(alert.severity),
            f"limit {ctx.words.text(value(alert.threshold, unit))}{held}",
        )
        return Chart(
            id=f"alert.{alert.id}",
            title=f"{sanitise(info.key.name, 60)}, {_field_words(field, window)}" if info else ctx.book.title(alert),
            tracks=tracks,
            x=span,
            words=ctx.words,
            interval=ctx.interval,
            points=ctx.profile.points,
            ticks=ctx.profile.ticks,
            y_ticks=ctx.profile.y_ticks,
            limits=(limit,),
            markers=markers(ctx, alert, span),
            empty=_empty(ctx, alert, info, feed),
        )

    version = feed.version if feed is not None else ()
    last = ctx.mirror.events[-1].id if ctx.mirror.events else 0
    key = (version, alert.id, alert.revision, alert.threshold, span, ctx.profile, ctx.words, field, window, last)
    return ctx.charts.get("alert", key, make)


def onset_span(ctx: Context, alert: Alert, first: float | None = None) -> tuple[float, float]:
    """From before the onset to now (to ten minutes after the end), with the onset in the middle while the alert is young.

    Nothing before `first`, the series' first point, is shown but a minute: a young series is not drawn in an empty room.
    """
    present = ctx.present() if ctx.time.end is None else ctx.time.end
    onset = alert.fired_at or alert.active_at or alert.since
    end = min(present, alert.resolved_at + AFTER) if alert.state is State.RESOLVED and alert.resolved_at else present
    before = next((step for step in BEFORE if step >= end - onset), BEFORE[-1])
    start = min(max(onset - before, end - min(LONGEST, ctx.recent)), end - LEAST)
    return (start if first is None else max(start, min(first, onset - SETTLING, end - 2 * SETTLING))), end


def _feed(ctx: Context, info: SeriesInfo | None, field: str, window: float, alert: Alert) -> Feed | None:
    if info is None:
        return None
    selector = str(ctx.index.selector(info))
    wanted = ctx.present() - (alert.fired_at or alert.active_at or alert.since) + BEFORE[-1]
    # In steps of ranges, so that the wish stays the same while the alert grows older.
    whole = next((r for r in RANGES if r >= wanted), LONGEST)
    backfill, step = ctx.reach(min(whole, LONGEST))
    return ctx.feed(Wish(selector, (field,), window, backfill=backfill, step=step, track=True))


def _field_words(field: str, window: float) -> str:
    return "last value" if field == "last" else f"{field.replace('_', ' ')} over {duration(window)}"


def _empty(ctx: Context, alert: Alert, info: SeriesInfo | None, feed: Feed | None) -> str:
    if info is None:
        return "The series is gone: nothing has been sent for a while."
    if feed is not None and feed.subscription.error:
        return sanitise(feed.subscription.error)
    onset = alert.fired_at or alert.since
    if onset < ctx.present() - ctx.recent:
        return f"Nothing is kept from its start at {ctx.words.moment(onset, ctx.present())}."
    return "No data in this range." if feed is not None and feed.subscription.frames else "Waiting for data."


def markers(ctx: Context, alert: Alert, span: tuple[float, float]) -> tuple[Marker, ...]:
    """The onset, and what people did, within the span."""
    found: list[Marker] = []
    if alert.fired_at and span[0] <= alert.fired_at <= span[1]:
        found.append(Marker(alert.fired_at, "fired", shape_of(alert.severity)))
    found.extend(
        Marker(event.at, sanitise(event.who, 20) or MARKED[event.kind])
        for event in ctx.mirror.events
        if event.alert == alert.id and event.kind in MARKED and span[0] <= event.at <= span[1]
    )
    return tuple(found[-12:])


def why(ctx: Context, alert: Alert, rule: Rule | None, told: tuple[WhyStep, ...] = ()) -> tuple[WhyRow, ...]:
    """The steps from rule to notification, as the engine decides them; the one that stopped it carries what changes it."""
    from monitor.alerting.why import why as steps

    return tuple(
        WhyRow(
            WHY_SHAPES[s.verdict],
            sanitise(s.title, 120),
            sanitise(s.detail, 240),
            WHY_ACTIONS.get(s.action.partition(":")[0], ""),
        )
        for s in told or steps(alert, rule, ctx.mirror.silences, ctx.present())
    )


def why_title(steps: tuple[WhyRow, ...]) -> str:
    """What heads the steps: with routes, some may be told of it while others are not."""
    if steps and all(step.shape == "ok" for step in steps):
        return "How people were told"
    told = any(step.shape == "ok" and step.title.startswith("Told ") for step in steps)
    return "Who was told, and who was not?" if told else WHY


def history(ctx: Context, alert: Alert, count: int = 12) -> tuple[EventRow, ...]:
    """What happened to it, newest first."""
    found = [e for e in ctx.mirror.events if e.alert == alert.id][-count:]
    return tuple(event_row(ctx, e) for e in reversed(found))


def safe_url(url: str) -> str:
    """A runbook's address when it is one that a browser may be given; "" otherwise."""
    clean = sanitise(url, 2048)
    return clean if clean == url and clean.lower().startswith(("https://", "http://")) else ""
