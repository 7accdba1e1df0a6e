"""What one span says of itself: attributes, events, links, its peer, and the logs that carry its id."""

from __future__ import annotations

from monitor.wire import messages as m
from monitor.wire.tracing import SpanEvent, SpanLink
from ui.views.context import Context
from ui.views.format import sanitise
from ui.views.traceslay import Laid
from ui.views.tracesview import Happening, SpanDetail
from ui.views.traceswords import lasted, log_row, name_of, operation_of, pairs

MOST_EVENTS = 128
MOST_LINKS = 32
MOST_LOGS = 100
PEERS = {"database": "database", "queue": "queue", "service": "service", "host": "host"}


def span_detail(ctx: Context, laid: Laid, place: int, logs: tuple[m.LogInfo, ...]) -> SpanDetail:
    """The span at a place of a trace; beside it its own logs, or where it has none those of the trace."""
    span = laid.spans[place]
    own = [log for log in logs if log.span == span.span]
    shown = own or list(logs)
    sections = (("Attributes", pairs(span.attributes)), ("Resource", pairs(span.resource)))
    return SpanDetail(
        title=operation_of(span.operation),
        subtitle=_subtitle(ctx, laid, place),
        shape="critical" if span.status == "error" else "ok",
        facts=tuple(_facts(ctx, laid, place)),
        message=sanitise(span.message, 1000),
        sections=tuple(section for section in sections if section[1]),
        events=tuple(_event(ctx, span, event) for event in span.events[:MOST_EVENTS]),
        links=tuple((_link_words(link), sanitise(link.trace, 32)) for link in span.links[:MOST_LINKS]),
        logs=tuple(log_row(ctx, log) for log in shown[:MOST_LOGS]),
        logs_title="Logs of this span" if own else "Logs of this trace",
    )


def _subtitle(ctx: Context, laid: Laid, place: int) -> str:
    span = laid.spans[place]
    kind = "" if span.kind in ("", "unspecified", "internal") else f"{sanitise(span.kind, 16)} span of "
    begun = float(laid.starts[place]) * laid.length
    after = f"after {ctx.words.text(lasted(begun))}" if place else "from the start"
    return f"{kind}{name_of(span.service)} · {ctx.words.text(lasted(span.duration))} · {after}"


def _facts(ctx: Context, laid: Laid, place: int) -> list[str]:
    span = laid.spans[place]
    facts = []
    share = laid.shares.get(place, 0.0)
    if share >= 0.005:
        facts.append(f"{share * 100:.0f}{ctx.words.space}% of the trace's critical path is its own.")
    elif laid.own.get(place) is None and place:
        facts.append("Not on the critical path: nothing waited for it alone.")
    if span.peer:
        kind = PEERS.get(span.peer_kind, "peer")
        facts.append(f"Speaks to the {kind} {sanitise(span.peer, 80)}.")
    shift = float(laid.shifts[place])
    if shift:
        way = "later" if shift > 0 else "earlier"
        by = ctx.words.text(lasted(abs(shift)))
        facts.append(f"Drawn {by} {way} than told: its clock and its caller's disagree.")
    if span.scope:
        facts.append(f"Told by {sanitise(span.scope, 80)}.")
    return facts


def _event(ctx: Context, span: m.SpanInfo, event: SpanEvent) -> Happening:
    after = event.time - span.start
    return Happening(f"+{ctx.words.text(lasted(after))}", sanitise(event.name, 160), pairs(event.attributes))


def _link_words(link: SpanLink) -> str:
    what = ", ".join(f"{name}={text}" for name, text in pairs(link.attributes)[:4])
    return f"trace {sanitise(link.trace, 32)}{': ' + what if what else ''}"
