"""What could be done about a query: what would say more, and what was meant where nothing is found."""

from __future__ import annotations

import difflib
from dataclasses import fields, is_dataclass

from monitor.model.matchers import NAME_TAG, promql_name
from monitor.model.series import Kind
from monitor.query.ast import Paren, Selector
from monitor.query.format import to_text
from monitor.query.units import Quantity
from ui.views.context import Context
from ui.views.format import sanitise
from ui.views.index import SeriesIndex
from ui.views.querytext import parsed

RATE = "A counter only rises: its rate says how fast."
QUANTILE = "This is a histogram: a quantile makes a line of it."
OVER_RANGE = "A range is drawn by a function over it."
MOST_NAMES = 8_000


def suggestion(text: str, index: SeriesIndex, quantity: Quantity | None) -> tuple[str, str]:
    """What would say more than a query does, and its text: a counter's rate, a histogram's quantile. "" where nothing would."""
    tree = parsed(text).expr
    bare = tree
    while isinstance(bare, Paren):
        bare = bare.expr
    if tree is None or bare is None:
        return "", ""
    written = to_text(tree)
    if isinstance(bare, Selector):
        kind = _kind_of(bare, index)
        if bare.is_range:
            function = "rate" if kind in (Kind.COUNTER, Kind.DISTRIBUTION) else "avg_over_time"
            return OVER_RANGE, f"{function}({written})"
        if kind is Kind.COUNTER:
            return RATE, f"rate({written}[5m])"
        return (QUANTILE, f"histogram_quantile(0.99, rate({written}[5m]))") if kind is Kind.DISTRIBUTION else ("", "")
    if quantity is not None and quantity.inside is not None and "_bucket" not in written:
        return QUANTILE, f"histogram_quantile(0.99, {written})"
    return "", ""


def _kind_of(selector: Selector, index: SeriesIndex) -> Kind | None:
    if not metrics_of(selector):
        return None
    name = metrics_of(selector)[0]
    found = index.named(name) or next((index.named(n) for n in index.names() if promql_name(n) == name), ())
    return found[0].kind if found else None


def nothing_found(ctx: Context, text: str) -> str:
    """Why a query gave no series: a metric that there is not and the one that was meant, else the time asked for."""
    known = {promql_name(name) for name in ctx.index.names()}
    for name in metrics_of(parsed(text).expr):
        if promql_name(name) not in known:
            close = difflib.get_close_matches(name, sorted(known)[:MOST_NAMES], 1, 0.7)
            meant = f" Did you mean {sanitise(close[0], 80)}?" if close else ""
            return f"No series is called {sanitise(name, 80)} now.{meant}"
    start, end = ctx.span()
    return f"No series answer to this between {ctx.words.minute(start)} and {ctx.words.minute(end)}."


def metrics_of(expr: object) -> list[str]:
    """The names of the metrics an expression reads, in the order they stand."""
    if isinstance(expr, Selector):
        return [m.value for m in expr.matchers if m.name == NAME_TAG and m.op == "="]
    found: list[str] = []
    if is_dataclass(expr) and not isinstance(expr, type):
        for field in fields(expr):
            child = getattr(expr, field.name)
            for part in child if isinstance(child, tuple) else (child,):
                found += metrics_of(part)
    return found
