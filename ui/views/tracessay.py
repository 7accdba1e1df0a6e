"""What an open trace says: where its time went, who took part, and what is odd about it."""

from __future__ import annotations

from monitor.wire import messages as m
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.sentence import join
from ui.views.traceslay import Laid
from ui.views.traceswords import Colours, lasted, name_of, operation_of
from ui.views.view import Sentence


def sentence_of(ctx: Context, laid: Laid) -> Sentence:
    """Where the time went, and what failed first."""
    spent: dict[tuple[str, str], float] = {}
    for place, share in laid.shares.items():
        span = laid.spans[place]
        spent[span.service, span.operation] = spent.get((span.service, span.operation), 0.0) + share
    parts: list[tuple[str, bool] | str] = []
    if spent:
        (service, operation), share = max(spent.items(), key=lambda item: item[1])
        whole = f"{share * 100:.0f}{ctx.words.space}%"
        parts += [(f"{whole} of the time", True), f" is spent in {name_of(service)}, {operation_of(operation)}."]
    broken = [place for place, span in enumerate(laid.spans) if span.status == "error"]
    if broken:
        deepest = max(broken, key=lambda place: (laid.depths[place], -place))
        span = laid.spans[deepest]
        said = f": {sanitise(span.message, 120)}" if span.message else ""
        parts += [" ", (f"{name_of(span.service)} failed", True), f" in {operation_of(span.operation)}{said}."]
    return join(*parts)


def shares_of(ctx: Context, laid: Laid, colours: Colours) -> tuple[tuple[str, str, str], ...]:
    """Who took part, with its colour and its share of the critical path, the greatest first."""
    shares: dict[str, float] = dict.fromkeys((span.service for span in laid.spans), 0.0)
    for place, share in laid.shares.items():
        shares[laid.spans[place].service] += share
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    space = ctx.words.space
    return tuple(
        (name_of(name), colours.of(name), f"{share * 100:.0f}{space}%" if share >= 0.005 else "") for name, share in ranked
    )


def notes_of(ctx: Context, laid: Laid, answer: m.TraceFound) -> tuple[str, ...]:
    """What is left out, moved or missing, in sentences."""
    notes = [sanitise(warning, 300) for warning in answer.warnings[:4]]
    if answer.total > len(laid):
        notes.append(f"{len(laid):,} of {answer.total:,} spans are shown.")
    moved_spans = [place for place in range(len(laid)) if laid.shifts[place]]
    if moved_spans:
        farthest = max(moved_spans, key=lambda place: abs(float(laid.shifts[place])))
        by = ctx.words.text(lasted(abs(float(laid.shifts[farthest]))))
        who = name_of(laid.spans[farthest].service)
        notes.append(f"Clocks disagree: {plural(len(moved_spans), 'span')} moved (*), those of {who} by {by}.")
    if laid.tops > 1:
        notes.append(f"{plural(laid.tops - 1, 'span has', 'spans have')} a parent that is not here.")
    return tuple(notes)
