"""The service map as it is now: structure, figures and health from the mirror, places that are kept, and rows in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from monitor.alerting.model import Alert, State
from monitor.model.batch import Ids
from monitor.topology import graph as g
from monitor.topology import span_metrics as series
from monitor.topology.layout import Graph, Spot, arrange
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.format import sanitise, value
from ui.views.topologylanes import lanes
from ui.views.topologyview import LinkRow, NodeRow
from ui.views.units import PER_SECOND, RATIO, SECONDS
from ui.views.view import Floats, Shape, Value

_SERVED = 'span_kind=~"(SPAN_KIND_(SERVER|CONSUMER))?"'
COUNTERS = f'{{__name__=~"{series.CALLS}|{series.EDGE_CALLS}|{series.EDGE_FAILED}",{_SERVED}}}'
DURATIONS = f'{{__name__=~"{series.LATENCY}|{series.EDGE_SECONDS}",{_SERVED}}}'
LIMITS = g.Limits()
KINDS = {
    g.NodeKind.SERVICE: "service",
    g.NodeKind.DATABASE: "database",
    g.NodeKind.QUEUE: "queue",
    g.NodeKind.EXTERNAL: "external",
}
SHAPES: dict[int, Shape] = {
    g.Health.OK: "ok",
    g.Health.UNKNOWN: "unknown",
    g.Health.SILENCED: "silenced",
    g.Health.WARNING: "warning",
    g.Health.CRITICAL: "critical",
}
_LEVELS = {"critical": g.Health.CRITICAL, "warning": g.Health.WARNING}


@dataclass(frozen=True, eq=False, slots=True)
class Now:
    """One moment of the map: nodes and edges with their figures and health; `spots` float64[n, 2] layer and row.

    `extent` float64[2, 2]: the least and the greatest layer and row there have been since the map was laid out.
    `lanes` float64[m]: the row along which a longer edge runs. `waiting`: no figure has come yet, which is not "no data".
    """

    found: g.ServiceMap
    nodes: g.Figures
    edges: g.Figures
    health: g.Codes
    edge_health: g.Codes
    spots: Floats
    extent: Floats
    lanes: Floats
    place: Mapping[str, int]
    waiting: bool = False


class MapModel:
    """Asks for the series of the map and keeps what was worked out until something changes."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._held: dict[str, Spot] = {}
        self._layouts = 0
        self._extent: Floats = np.zeros((2, 2))
        self._lanes: Floats = np.empty(0)
        self._structure: tuple[object, g.ServiceMap | None, Floats] = (None, None, np.empty((0, 2)))
        self._now: tuple[object, Now | None] = (None, None)
        self.revision = 0
        """Rises when anything of the map may have changed."""

    def _feeds(self) -> tuple[Feed, Feed]:
        ctx = self.ctx
        durations = Wish(DURATIONS, ("rate", "p50", "p95", "p99"), ctx.window)
        return ctx.feed(Wish(COUNTERS, ("rate",), ctx.window)), ctx.feed(durations)

    def now(self) -> Now:
        """The map at this moment; the same object while nothing has changed."""
        ctx = self.ctx
        counters, durations = self._feeds()
        told = (ctx.mirror.series_revision, ctx.book.revision, counters.version, durations.version)
        key = (ctx.sight, told, self._layouts)
        if self._now[1] is None or self._now[0] != key:
            self._now = (key, self._measure(counters, durations))
            self.revision += 1
        return self._now[1]  # type: ignore[return-value]

    def _measure(self, counters: Feed, durations: Feed) -> Now:
        found, spots = self._map()
        readings = _readings(counters, durations)
        edges = g.edge_figures(found, readings)
        nodes = g.node_figures(found, readings, edges)
        waiting = not (counters.ready and durations.ready)
        judged = g.health(nodes, LIMITS)
        if waiting:
            judged[judged == g.Health.UNKNOWN] = g.Health.OK
        judged = g.with_alerts(found.names, judged, alerts_by_service(self.ctx))
        place = {name: i for i, name in enumerate(found.names)}
        return Now(found, nodes, edges, judged, g.health(edges, LIMITS), spots, self._extent, self._lanes, place, waiting)

    def _map(self) -> tuple[g.ServiceMap, Floats]:
        """Structure and places: worked out anew only when series come or go, or when somebody tidies up."""
        key = (self.ctx.sight, self.ctx.mirror.series_revision, self._layouts)
        if self._structure[1] is None or self._structure[0] != key:
            index = self.ctx.index
            found = g.service_map(info for name in g.NAMES for info in index.named(name))
            last = found.kinds != g.NodeKind.SERVICE
            last[found.clients] = False  # a queue that is read from stands before its reader
            self._held = arrange(Graph(found.names, found.clients, found.servers, last), self._held)
            spots = np.array([self._held[name] for name in found.names], np.float64).reshape(-1, 2)
            self._structure = (key, found, spots)
            self._lanes = lanes(spots, found.clients, found.servers)
            if len(spots):
                known = spots if not self._extent.any() else np.concatenate((spots, self._extent))
                self._extent = np.stack((known.min(0), known.max(0)))
        return self._structure[1], self._structure[2]  # type: ignore[return-value]

    def tidy(self) -> Callable[[], None]:
        """Lay the whole map out anew; gives how to take that back."""
        before = self._held

        def put(places: dict[str, Spot]) -> None:
            self._held = places
            self._layouts += 1
            self._extent = np.zeros((2, 2))

        def back() -> None:
            put(before)

        put({})

        return back


def _readings(counters: Feed, durations: Feed) -> g.Readings:
    rows: Ids = np.concatenate((counters.rows, durations.rows)).astype(np.int32)
    order = np.argsort(rows, kind="stable")
    none = np.full(len(counters.rows), np.nan)

    def column(name: str) -> Floats:
        first = counters.column(name) if name == "rate" else none
        joined: Floats = np.concatenate((first, durations.column(name)))[order]
        return joined

    return g.Readings(rows[order], column("rate"), column("p50"), column("p95"), column("p99"))


def service_of(alert: Alert) -> str:
    """The service an alert is about, by its own labels, else by the series it judges."""
    labels = dict(alert.labels)
    tags = dict(alert.series.tags) if alert.series is not None else {}
    return labels.get("service") or tags.get("service") or labels.get("server") or tags.get("server") or ""


def alerts_by_service(ctx: Context) -> dict[str, g.Health]:
    """The gravest that fires on each service; SILENCED where all that would is silenced."""
    found: dict[str, g.Health] = {}
    for alert in ctx.book.group("Silenced"):
        if alert.state is State.FIRING:
            found.setdefault(service_of(alert), g.Health.SILENCED)
    for alert in ctx.book.firing:
        service = service_of(alert)
        level = g.Health.UNKNOWN if alert.no_data else _LEVELS.get(alert.severity, g.Health.OK)
        held = found.get(service, level)
        found[service] = level if held is g.Health.SILENCED else max(held, level)
    return found


def alerts_on(ctx: Context, service: str) -> list[Alert]:
    """What fires on a service, silenced or not, the gravest first."""
    return [a for a in (*ctx.book.firing, *ctx.book.group("Silenced")) if service_of(a) == service]


# ---------------------------------------------------------------- words


def node_row(now: Now, i: int, lens: str, ctx: Context) -> NodeRow:
    """Node `i` in words."""
    nodes, level = now.nodes, int(now.health[i])
    shape = SHAPES[level]
    rate = value(float(nodes.rate[i]), PER_SECOND)
    errors, p99 = error_value(float(nodes.errors[i])), latency_value(float(nodes.p99[i]))
    say = ctx.words.text
    own = [say(v) for v in (rate, _matters(errors, p99)) if v.shape != "unknown"]
    if lens == "Latency":
        own = [say(latency_value(float(x))) for x in nodes.quantiles[i, (0, 2)] if x == x]
    elif lens == "Traffic":
        own = own[:1]
    figure = own[-1] if own else "" if now.waiting else "no data"
    return NodeRow(
        name=sanitise(now.found.names[i], 80),
        kind=KINDS[g.NodeKind(int(now.found.kinds[i]))],
        shape=shape,
        rate=rate,
        errors=errors,
        p99=p99,
        figure=figure,
        line=" · ".join(own) or ("" if now.waiting else "no data of its own"),
    )


def _matters(errors: Value, p99: Value) -> Value:
    """What a box has room for beside the rate: failures that are over their limit, else how long it takes."""
    return errors if errors.shape in ("warning", "critical") or p99.shape == "unknown" else p99


def error_value(share: float) -> Value:
    """An error share, coloured when it is over a limit."""
    over = share > LIMITS.critical_errors, share > LIMITS.warning_errors
    return value(share, RATIO, "critical" if over[0] else "warning" if over[1] else None)


def latency_value(seconds: float) -> Value:
    """A duration, coloured when it is over a limit."""
    over = seconds > LIMITS.critical_p99, seconds > LIMITS.warning_p99
    return value(seconds, SECONDS, "critical" if over[0] else "warning" if over[1] else None)


def link_row(now: Now, edge: int, other: int) -> LinkRow:
    """An edge as it is seen from one of its ends."""
    names = now.found.names
    errors, p99 = error_value(float(now.edges.errors[edge])), latency_value(float(now.edges.p99[edge]))
    return LinkRow(
        sanitise(names[other], 80),
        SHAPES[int(now.health[other])],
        value(float(now.edges.rate[edge]), PER_SECOND),
        _matters(errors, p99),
        ends=(names[int(now.found.clients[edge])], names[int(now.found.servers[edge])]),
    )


def edge_label(now: Now, edge: int, lens: str, ctx: Context) -> str:
    """What stands on an edge: its rate, or the figure that is over its limit."""
    rate = value(float(now.edges.rate[edge]), PER_SECOND)
    p99 = latency_value(float(now.edges.p99[edge]))
    figure = _matters(error_value(float(now.edges.errors[edge])), p99)
    shown = rate
    if lens == "Latency":
        shown = p99
    elif lens == "Health" and figure.shape in ("warning", "critical"):
        shown = figure
    return ctx.words.text(shown) if shown.shape != "unknown" else ""
