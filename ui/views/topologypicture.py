"""The map in the order and the words in which it is painted: rows, edges, columns, the finding, and what an empty map says."""

from __future__ import annotations

import numpy as np

from monitor.topology import graph as g
from ui.views.context import Context
from ui.views.format import plural, sanitise, value
from ui.views.sentence import join
from ui.views.topologymap import SHAPES, Now, edge_label, node_row
from ui.views.topologyview import MapView
from ui.views.units import PER_SECOND, RATIO, SECONDS
from ui.views.view import EmptyState, Floats, Sentence

LONG, TALL, ASIDE = 4.8, 1.75, 1.15
"""The room of 3D: from the first to the last layer at most, from top to bottom, and to either side."""
APART = 1.5
"""Distance of two layers at most."""
GOLDEN = 0.6180339887
_STORES = {g.NodeKind.DATABASE: "Databases", g.NodeKind.QUEUE: "Queues", g.NodeKind.EXTERNAL: "Providers"}


def map_view(now: Now, shown: g.Flags, lens: str, ctx: Context, before: tuple[str, ...]) -> tuple[MapView, tuple[int, ...]]:
    """The nodes `shown` bool[n] and the edges between them, and which node each row is.

    The gravest come first, then by name; rows of `before` keep their order while somebody is among them.
    """
    found = now.found
    place = {name: i for i, name in enumerate(before)}
    gravity = -now.health.astype(np.int64)

    def rank(i: int) -> tuple[int, int, int]:
        return place.get(found.names[i], len(place)), 0 if found.names[i] in place else int(gravity[i]), i

    order = tuple(sorted(np.flatnonzero(shown).tolist(), key=rank))
    chosen = np.array(order, np.int64)
    where = np.full(len(found.names), -1, np.int32)
    where[chosen] = np.arange(len(order), dtype=np.int32)
    drawn = np.flatnonzero((where[found.clients] >= 0) & (where[found.servers] >= 0))
    drawn = drawn[np.argsort(now.edge_health[drawn], kind="stable")]  # the gravest are painted last, on top
    space = in_space(now.spots, now.extent)
    view = MapView(
        nodes=tuple(node_row(now, i, lens, ctx) for i in order),
        spots=now.spots[chosen],
        space=space[chosen],
        edges=np.stack((where[found.clients[drawn]], where[found.servers[drawn]]), axis=1).astype(np.int32),
        edge_shapes=tuple(SHAPES[int(h)] for h in now.edge_health[drawn]),
        edge_labels=tuple(edge_label(now, e, lens, ctx) for e in drawn.tolist()),
        widths=_widths(now.edges.rate[drawn]),
        figures=np.stack((now.edges.rate[drawn], now.edges.errors[drawn], now.edges.p99[drawn]), axis=1),
        lanes=now.lanes[drawn],
        columns=_columns(now),
        extent=now.extent,
        room=room(now.extent),
    )
    return view, order


def in_space(spots: Floats, extent: Floats) -> Floats:
    """Layers and rows float64[n, 2] in the room of 3D, float64[n, 3]: layers are planes along x, rows go down, and to the side by
    the golden ratio, so that a node's place follows from its own layer and row alone.
    """
    rows = spots[:, 1] - extent[0, 1]
    side = np.mod(rows * GOLDEN + spots[:, 0] * 0.31, 1.0) * 2.0 - 1.0
    return np.stack((spots[:, 0] * apart(extent), -rows * TALL / _height(extent), side * ASIDE), axis=1)


def apart(extent: Floats) -> float:
    """The distance of two layers in 3D."""
    return min(APART, LONG / max(1.0, float(extent[1, 0] - extent[0, 0])))


def _height(extent: Floats) -> float:
    return max(3.0, float(extent[1, 1] - extent[0, 1]))


def room(extent: Floats) -> Floats:
    """The least and the greatest corner of what `in_space` fills, float64[2, 3]."""
    low, high = extent[:, 0] * apart(extent)
    deep = -float(extent[1, 1] - extent[0, 1]) * TALL / _height(extent)
    return np.array(((low, min(deep, -0.5), -ASIDE), (high, 0.0, ASIDE)))


def _widths(rates: Floats) -> Floats:
    """0 for one request a second and less, 1 for 10,000 and more, by the logarithm."""
    widths: Floats = np.clip(np.log10(np.maximum(np.nan_to_num(rates), 1.0)) / 4.0, 0.0, 1.0)
    return widths


def _columns(now: Now) -> tuple[tuple[int, str], ...]:
    """What stands in each layer: who is called by nobody, services by how far in they are, stores and providers."""
    if not len(now.spots):
        return ()
    layers = now.spots[:, 0].astype(np.int64)
    called = np.zeros(len(layers), np.bool_)
    called[now.found.servers] = True
    first = int(layers.min())
    words: list[tuple[int, str]] = []
    for layer in np.unique(layers).tolist():
        there = layers == layer
        kinds = {g.NodeKind(k) for k in now.found.kinds[there].tolist()}
        if not called[there].any():
            words.append((layer, "Entry"))
        elif g.NodeKind.SERVICE not in kinds:
            words.append((layer, _STORES[kinds.pop()] if len(kinds) == 1 else "Stores and providers"))
        else:
            words.append((layer, plural(layer - first, "call in", "calls in")))
    return tuple(words)


def say_edge(view: MapView, edge: int) -> str:
    """An edge in words: `checkout calls orders: 121 /s, 12.4 % of requests fail, p99 2.4 s`."""
    client, server = view.edges[edge].tolist()
    rate, errors, p99 = view.figures[edge].tolist()
    told = [str(value(rate, PER_SECOND))] if rate == rate else []
    told += [f"{value(errors, RATIO)} of requests fail"] if errors == errors else []
    told += [f"p99 {value(p99, SECONDS)}"] if p99 == p99 else []
    return f"{view.nodes[client].name} calls {view.nodes[server].name}: {', '.join(told) or 'no data'}"


def edge_between(view: MapView, names: tuple[str, ...], ends: tuple[str, str] | None) -> int:
    """Where the edge between two nodes stands in the map; -1: it is not shown. `names` are those of the rows."""
    if ends is None or ends[0] not in names or ends[1] not in names:
        return -1
    found = np.flatnonzero((view.edges == (names.index(ends[0]), names.index(ends[1]))).all(1))
    return int(found[0]) if len(found) else -1


def sentence(now: Now, ctx: Context) -> Sentence:
    """The finding of the map: who is not well, the gravest first."""
    health = now.health
    ill = np.flatnonzero(health >= g.Health.WARNING).tolist()
    n = len(health)
    if not n:
        return ()
    if now.waiting:
        return join(f"{plural(n, 'node')}; their figures are asked for.")
    silent = int((health == g.Health.UNKNOWN).sum())
    quiet = f" {silent} told nothing in the last minute." if silent else ""
    if not ill:
        return join(f"{plural(n, 'node')}, all within their limits.", quiet)
    ill.sort(key=lambda i: (-int(health[i]), -_wrong(now, i), i))
    named = [f"{sanitise(now.found.names[i], 40)} {node_row(now, i, 'Health', ctx).figure}" for i in ill[:3]]
    more = f" and {len(ill) - 3} more" if len(ill) > 3 else ""
    verb = "is" if len(ill) == 1 else "are"
    return join((f"{len(ill)} of {plural(n, 'node')} {verb} not well:", True), f" {', '.join(named)}{more}.", quiet)


def _wrong(now: Now, i: int) -> float:
    errors = float(now.nodes.errors[i])
    return errors if errors == errors else 0.0


def counts(shown: int, nodes: int, drawn: int, edges: int, left_out: int) -> str:
    """`18 services, 18 links`, or `4 of 18 services, 3 of 18 links`; and what there was no room for."""
    words = [f"{shown} of {nodes} nodes" if shown < nodes else f"{nodes} nodes"]
    words.append(f"{drawn} of {edges} links" if drawn < edges else f"{edges} links")
    return ", ".join((*words, f"{left_out} left out") if left_out else words)


def empty_state(ctx: Context) -> EmptyState:
    """What would be here, and how to send the first trace."""
    return EmptyState(
        "No traces yet." if not ctx.rewound else "No traces were known of then.",
        "Send spans and services appear here, with what they call: over OpenTelemetry to port 4317 (gRPC) or 4318 (HTTP), or as a"
        " Datadog agent's traces to port 8126.",
        (
            (
                "OpenTelemetry",
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_SERVICE_NAME=api opentelemetry-instrument python app.py",
            ),
            ("Datadog", "DD_AGENT_HOST=127.0.0.1 DD_TRACE_AGENT_PORT=8126 DD_SERVICE=api ddtrace-run python app.py"),
        ),
        "",
    )
