"""A node or an edge opened: rate, errors and latency as charts, its alerts, operations and recent errors, and whom it knows."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import Matcher
from monitor.model.series import SeriesInfo
from monitor.topology.graph import NodeKind, Places
from ui.views.context import Context
from ui.views.format import plural, sanitise, value
from ui.views.sentence import join
from ui.views.topologyerrors import RecentErrors
from ui.views.topologymap import (
    KINDS,
    LIMITS,
    SHAPES,
    Now,
    alerts_on,
    error_value,
    latency_value,
    link_row,
    node_row,
)
from ui.views.topologyred import Red, Source
from ui.views.topologyview import DetailPart, Ends, LinkRow, NodeDetail, OperationRow
from ui.views.units import PER_SECOND, RATIO, SECONDS
from ui.views.view import Sentence, Value

OPERATIONS = 6
LINKS = 8
ALERTS = 6
_CALLS = {
    NodeKind.SERVICE: "Calls to a service",
    NodeKind.DATABASE: "Calls to a database",
    NodeKind.QUEUE: "Messages put into a queue",
    NodeKind.EXTERNAL: "Calls to somebody outside",
}
Which = npt.NDArray[np.intp]


def _stats(ctx: Context, rate: Value, errors: Value, p99: Value, then: str) -> tuple[tuple[str, Value, str], ...]:
    return (
        ("Requests", rate, then),
        ("Errors", errors, f"limit {ctx.words.say(LIMITS.warning_errors, RATIO)}"),
        ("p99", p99, f"limit {ctx.words.say(LIMITS.warning_p99, SECONDS)}"),
    )


def _over(ctx: Context, errors: Value, p99: Value) -> list[str]:
    """What of these is over its limit, in words."""
    said = [f"{ctx.words.text(errors)} of requests fail"] if errors.shape in ("warning", "critical") else []
    return said + ([f"p99 is {ctx.words.text(p99)}"] if p99.shape in ("warning", "critical") else [])


class NodeModel:
    """The node that is open, read from feeds of its own series: its spans', or where it sends none those of the edges to it."""

    def __init__(self, ctx: Context, now: Now, name: str, errors: RecentErrors) -> None:
        self.ctx, self.now, self.name, self.errors = ctx, now, name, errors
        self.at = now.place[name]
        self.spans = sends_spans(now, name)
        own = Matcher("service", "=", name), Matcher("span_kind", "=~", "SPAN_KIND_(SERVER|CONSUMER)")
        ends = own if self.spans else (Matcher("server", "=", name),)
        self.red = Red(ctx, Source(name, ends, self.spans, float(now.nodes.errors[self.at]) > LIMITS.critical_errors))

    def view(self) -> NodeDetail:
        """The node in words and charts."""
        ctx, now, at, found = self.ctx, self.now, self.at, self.now.found
        row = node_row(now, at, "Health", ctx)
        calls, called = np.flatnonzero(found.clients == at), np.flatnonzero(found.servers == at)
        alerts = tuple(ctx.book.row(a, ctx.present(), ctx.words) for a in alerts_on(ctx, self.name)[:ALERTS])
        operations = self._operations()
        parts = (
            DetailPart("Firing here", alerts),
            DetailPart("Operations", operations, "requests, errors, p99" if operations else ""),
            self.errors.part(self.name) if self.spans else DetailPart("Recent errors", ()),
            DetailPart("Called by", self._links(called, found.clients)),
            DetailPart("Calls", self._links(calls, found.servers)),
            DetailPart("Ends", ()),
        )
        return NodeDetail(
            name=row.name,
            shape=row.shape,
            subtitle=self._subtitle(len(called), len(calls)),
            sentence=self._sentence(),
            stats=_stats(ctx, row.rate, row.errors, row.p99, self.red.then()),
            charts=self.red.charts("p99 by operation" if self.spans else "p99 by caller", lambda: self.red.by_series(self._part)),
            parts=parts,
            no_traces="" if self.spans else no_spans(row.name),
        )

    def _subtitle(self, callers: int, called: int) -> str:
        kind = KINDS[NodeKind(int(self.now.found.kinds[self.at]))].capitalize()
        seen = "" if self.spans else ", seen by its callers" if callers else ", seen as a caller"
        return f"{kind}{seen} · called by {callers}, calls {called}"

    def _sentence(self) -> Sentence:
        """What is wrong with it, and whom it may have that from."""
        now, at = self.now, self.at
        errors, p99 = error_value(float(now.nodes.errors[at])), latency_value(float(now.nodes.p99[at]))
        said = _over(self.ctx, errors, p99)
        ill = [int(b) for b in now.found.servers[now.found.clients == at] if now.health[b] >= 3 and b != at]
        names = ", ".join(sanitise(now.found.names[i], 40) for i in sorted(ill, key=lambda i: -int(now.health[i]))[:3])
        verb = "is" if len(ill) == 1 else "are"
        if not said:
            firing = alerts_on(self.ctx, self.name)
            said = [f"{plural(len(firing), 'alert fires', 'alerts fire')} here"] if firing else []
        if not said:
            return join("Within its limits.", f" It calls {names}, which {verb} not well." if names else "")
        asks = bool((now.found.clients == at).any())
        more = f" It calls {names}, which {verb} not well either." if names else " What it calls is well." if asks else ""
        return join((f"{' and '.join(said)}.", True), more)

    def _links(self, edges: Which, ends: Places) -> tuple[LinkRow, ...]:
        rates = np.nan_to_num(self.now.edges.rate[edges])
        order = edges[np.argsort(-rates, kind="stable")][:LINKS]
        return tuple(link_row(self.now, e, int(ends[e])) for e in order.tolist())

    def _part(self, info: SeriesInfo) -> str:
        """What one line of latency is of: an operation, or whoever calls."""
        tags = dict(info.key.tags)
        return sanitise(tags.get("span_name", "") if self.spans else f"from {tags.get('client', '')}", 60)

    def _operations(self) -> tuple[OperationRow, ...]:
        """The busiest operations with what fails of each."""
        if not self.spans:
            return ()
        red = self.red
        totals: dict[str, list[float]] = {}
        for info in red.infos(red.counters):
            rate = red.counters.value(info.row, "rate")
            if math.isfinite(rate):
                held = totals.setdefault(dict(info.key.tags).get("span_name", ""), [0.0, 0.0])
                held[0] += rate
                held[1] += rate if red.failed(info) else 0.0
        slow = {dict(info.key.tags).get("span_name", ""): red.durations.value(info.row, "p99") for info in red.busiest()}
        top = sorted(totals.items(), key=lambda item: (-item[1][0], item[0]))[:OPERATIONS]
        return tuple(
            OperationRow(
                sanitise(name, 60),
                value(rate, PER_SECOND),
                error_value(failed / rate if rate > 0 else 0.0),
                latency_value(slow.get(name, math.nan)),
                self.name,
                name,
            )
            for name, (rate, failed) in top
        )


class EdgeModel:
    """The edge that is open: how often one calls the other, what fails and how long it takes."""

    def __init__(self, ctx: Context, now: Now, edge: int) -> None:
        self.ctx, self.now, self.edge = ctx, now, edge
        self.ends: Ends = ends_of(now, edge)
        matchers = Matcher("client", "=", self.ends[0]), Matcher("server", "=", self.ends[1])
        far = float(now.edges.errors[edge]) > LIMITS.critical_errors
        self.red = Red(ctx, Source(self.ends, matchers, spans=False, far=far))

    def view(self) -> NodeDetail:
        """The edge in words and charts, with its two ends to go on to."""
        ctx, now, edge = self.ctx, self.now, self.edge
        client, server = (sanitise(name, 60) for name in self.ends)
        rate = value(float(now.edges.rate[edge]), PER_SECOND)
        errors, p99 = error_value(float(now.edges.errors[edge])), latency_value(float(now.edges.p99[edge]))
        firing = tuple(a for a in alerts_on(ctx, self.ends[1]) if dict(a.labels).get("client") == self.ends[0])
        kind, other = (NodeKind(int(now.found.kinds[now.place[name]])) for name in reversed(self.ends))
        subtitle = "Messages taken out of a queue" if other is NodeKind.QUEUE else _CALLS[kind]
        parts = (
            DetailPart("Firing here", tuple(ctx.book.row(a, ctx.present(), ctx.words) for a in firing[:ALERTS])),
            *(DetailPart(title, ()) for title in ("Operations", "Recent errors", "Called by", "Calls")),
            DetailPart("Ends", tuple(self._end(name) for name in self.ends), "who calls, and who is called"),
        )
        said = _over(ctx, errors, p99)
        known = any(v.shape != "unknown" for v in (rate, errors, p99))
        calm = "Within its limits." if known else "It was not used in the last minute."
        return NodeDetail(
            name=f"{client} → {server}" if not ctx.profile.ascii else f"{client} -> {server}",
            shape=SHAPES[int(now.edge_health[edge])],
            subtitle=subtitle,
            sentence=join((f"{' and '.join(said)}.", True)) if said else join(calm),
            stats=_stats(ctx, rate, errors, p99, self.red.then()),
            charts=self.red.charts("Latency", self.red.by_quantile),
            parts=parts,
            no_traces="" if any(sends_spans(now, name) for name in self.ends) else no_spans(client),
            edge=True,
        )

    def _end(self, name: str) -> LinkRow:
        row = node_row(self.now, self.now.place[name], "Health", self.ctx)
        figure = row.errors if row.errors.shape in ("warning", "critical") or row.p99.shape == "unknown" else row.p99
        return LinkRow(row.name, row.shape, row.rate, figure, to=name)


def ends_of(now: Now, edge: int) -> Ends:
    """Whole names of the two ends of an edge."""
    names = now.found.names
    return names[int(now.found.clients[edge])], names[int(now.found.servers[edge])]


def edge_of(now: Now, ends: Ends) -> int:
    """The edge between two nodes, -1 where there is none."""
    a, b = now.place.get(ends[0], -1), now.place.get(ends[1], -1)
    found = np.flatnonzero((now.found.clients == a) & (now.found.servers == b))
    return int(found[0]) if len(found) else -1


def no_spans(name: str) -> str:
    """Why nothing leads to traces of a node."""
    return f"{name} sends no spans of its own: look at the traces of whoever calls it."


def sends_spans(now: Now, name: str) -> bool:
    """Whether a node tells of itself by spans, so that there are traces of it."""
    return bool((now.found.node_calls.places == now.place.get(name, -1)).any())
