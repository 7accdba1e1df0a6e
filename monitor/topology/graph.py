"""The service map as columns: which nodes and edges there are, what each does now, and whether that is well.

A node goes when the last series that names it has gone. What it does is read from the windows' columns, without an object a node.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.series import SeriesInfo
from monitor.topology.span_metrics import CALLS, EDGE_CALLS, EDGE_FAILED, EDGE_SECONDS, LATENCY

NAMES = (CALLS, LATENCY, EDGE_CALLS, EDGE_FAILED, EDGE_SECONDS)
SERVED = ("SPAN_KIND_SERVER", "SPAN_KIND_CONSUMER")
"""Spans that are a service's own answers; the others are what it asks of somebody, or its inside."""
MOST_NODES = 2_000
MOST_EDGES = 10_000
QUANTILES = (0.5, 0.95, 0.99)
BISECTIONS = 40
_FAILED = "STATUS_CODE_ERROR"

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]


class NodeKind(enum.IntEnum):
    """What a node is, as the edges that lead to it say."""

    SERVICE = 0
    DATABASE = 1
    QUEUE = 2
    EXTERNAL = 3


_KINDS = {"database": NodeKind.DATABASE, "messaging_system": NodeKind.QUEUE, "virtual_node": NodeKind.EXTERNAL}


class Health(enum.IntEnum):
    """How a node or edge is, the gravest last."""

    OK = 0
    UNKNOWN = 1
    SILENCED = 2
    WARNING = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """From which error share (0..1) and p99 (seconds) on something is not well; what was asked less often is not judged."""

    warning_errors: float = 0.01
    critical_errors: float = 0.05
    warning_p99: float = 1.0
    critical_p99: float = 5.0
    least_rate: float = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """k series that tell of nodes or edges: `rows` int32[k] of the series, `places` int32[k] of whom they tell."""

    rows: Ids
    places: Places


@dataclass(frozen=True, slots=True, eq=False)
class ServiceMap:
    """n nodes, by name, and m edges. `kinds` int8[n]; `clients`, `servers` int32[m] are places among the nodes.

    `left_out`: nodes and edges over the bounds, which are not in it.
    """

    names: tuple[str, ...]
    kinds: Codes
    clients: Places
    servers: Places
    node_calls: Members
    node_failed: Members
    node_seconds: Members
    edge_calls: Members
    edge_failed: Members
    edge_seconds: Members
    left_out: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """The windows' columns of those series: `rows` int32[k] ascending; `rate`, `p50`, `p95`, `p99` float64[k], NaN: none."""

    rows: Ids
    rate: Floats
    p50: Floats
    p95: Floats
    p99: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What n nodes or edges do: `rate` a second, `errors` a share 0..1, `quantiles` float64[n, 3] in seconds. NaN: not known."""

    rate: Floats
    errors: Floats
    quantiles: Floats

    @property
    def p99(self) -> Floats:
        found: Floats = self.quantiles[:, 2]
        return found


def service_map(series: Iterable[SeriesInfo]) -> ServiceMap:
    """Nodes and edges that the series of `NAMES` tell of; the same series in any order give the same map."""
    told = [(info.key.name, dict(info.key.tags), info.row) for info in series if info.key.name in NAMES]
    own = {tags.get("service", "") for name, tags, _ in told if name in (CALLS, LATENCY)} - {""}
    pairs, kinds = _pairs([tags for name, tags, _ in told if name not in (CALLS, LATENCY)], own)
    # What an edge leads to matters more than who has no edge at all.
    connected = sorted({name for pair in pairs for name in pair})
    every = [*connected, *sorted(own - set(connected))]
    names = tuple(sorted(every[:MOST_NODES]))
    place = {name: i for i, name in enumerate(names)}
    kept = sorted((place[a], place[b]) for a, b in pairs if a in place and b in place)[:MOST_EDGES]
    edges = {pair: i for i, pair in enumerate(kept)}
    groups: dict[str, list[tuple[int, int]]] = {name: [] for name in (*NAMES, _FAILED)}
    for name, tags, row in told:
        if name in (CALLS, LATENCY):
            at = place.get(tags.get("service", "")) if tags.get("span_kind") in SERVED else None
            if name == CALLS and at is not None and tags.get("status_code") == _FAILED:
                groups[_FAILED].append((row, at))
        else:
            at = edges.get((place.get(tags.get("client", ""), -1), place.get(tags.get("server", ""), -1)))
        if at is not None:
            groups[name].append((row, at))
    ends = np.array(kept, np.int32).reshape(-1, 2)
    members = {name: _members(group) for name, group in groups.items()}
    return ServiceMap(
        names=names,
        kinds=np.array([NodeKind.SERVICE if n in own else kinds.get(n, NodeKind.SERVICE) for n in names], np.int8),
        clients=ends[:, 0],
        servers=ends[:, 1],
        node_calls=members[CALLS],
        node_failed=members[_FAILED],
        node_seconds=members[LATENCY],
        edge_calls=members[EDGE_CALLS],
        edge_failed=members[EDGE_FAILED],
        edge_seconds=members[EDGE_SECONDS],
        left_out=len(every) - len(names) + len(pairs) - len(kept),
    )


def _pairs(told: Sequence[Mapping[str, str]], own: set[str]) -> tuple[set[tuple[str, str]], dict[str, NodeKind]]:
    """Who calls whom, and what those are that send no spans themselves."""
    pairs: set[tuple[str, str]] = set()
    kinds: dict[str, NodeKind] = {}
    for tags in told:
        client, server = tags.get("client", ""), tags.get("server", "")
        if not client or not server:
            continue
        pairs.add((client, server))
        kind, meant = _KINDS.get(tags.get("connection_type", ""), NodeKind.SERVICE), server
        if kind is NodeKind.EXTERNAL and server in own and client not in own:
            meant = client  # a caller that sends no spans: the connector calls it virtual too
        if kind is not NodeKind.SERVICE:
            kinds[meant] = max(kind, kinds.get(meant, kind))
    return pairs, kinds


def _members(pairs: list[tuple[int, int]]) -> Members:
    table = np.array(sorted(pairs), np.int32).reshape(-1, 2)
    return Members(table[:, 0], table[:, 1])


def edge_figures(found: ServiceMap, readings: Readings) -> Figures:
    """What the edges do."""
    return _figures(readings, found.edge_calls, found.edge_failed, found.edge_seconds, len(found.clients))


def node_figures(found: ServiceMap, readings: Readings, edges: Figures) -> Figures:
    """What the nodes do: their own answers, else (a database) what is asked of them, else (a mere caller) what they ask."""
    n = len(found.names)
    own = _figures(readings, found.node_calls, found.node_failed, found.node_seconds, n)
    asked = _summed(edges, found.servers, n)
    asking = _summed(edges, found.clients, n)
    asking = Figures(asking.rate, asking.errors, np.full((n, 3), np.nan))
    return _first_known(own, _first_known(asked, asking))


def _first_known(first: Figures, other: Figures) -> Figures:
    known = np.isfinite(first.rate)
    return Figures(
        np.where(known, first.rate, other.rate),
        np.where(known, first.errors, other.errors),
        np.where(known[:, None], first.quantiles, other.quantiles),
    )


def _figures(readings: Readings, calls: Members, failed: Members, seconds: Members, n: int) -> Figures:
    rate = _sums(_read(readings, readings.rate, calls.rows), calls.places, n)
    broken = _sums(_read(readings, readings.rate, failed.rows), failed.places, n)
    columns = [_read(readings, column, seconds.rows) for column in (readings.rate, readings.p50, readings.p95, readings.p99)]
    quantiles = mixed_quantiles(columns[0], np.stack(columns[1:], axis=1), QUANTILES, seconds.places, n)
    return Figures(rate, _share(broken, rate), quantiles)


def _summed(edges: Figures, ends: Places, n: int) -> Figures:
    rate = _sums(edges.rate, ends, n)
    broken = _sums(edges.rate * edges.errors, ends, n)
    return Figures(rate, _share(broken, rate), mixed_quantiles(edges.rate, edges.quantiles, QUANTILES, ends, n))


def _share(broken: Floats, rate: Floats) -> Floats:
    """Failures of requests; no failure told is none, and nothing asked is nothing failed."""
    share: Floats = np.clip(np.nan_to_num(broken) / np.where(rate > 0, rate, 1.0), 0.0, 1.0)
    share[np.isnan(rate)] = np.nan
    return share


def _read(readings: Readings, column: Floats, rows: Ids) -> Floats:
    """The column at those rows; NaN where it has none."""
    found = np.full(len(rows), np.nan)
    at = np.searchsorted(readings.rows, rows)
    there = at < len(readings.rows)
    there[there] = readings.rows[at[there]] == rows[there]
    found[there] = column[at[there]]
    return found


def _sums(values: Floats, places: Places, n: int) -> Floats:
    """Sums by place; NaN where nothing is known."""
    known = np.isfinite(values)
    sums: Floats = np.bincount(places[known], weights=values[known], minlength=n).astype(np.float64)
    sums[np.bincount(places[known], minlength=n) == 0] = np.nan
    return sums


def health(figures: Figures, limits: Limits = Limits()) -> Codes:
    """int8[n], `Health` by the limits alone; UNKNOWN where there is no rate."""
    judged = figures.rate >= limits.least_rate
    errors, p99 = np.nan_to_num(figures.errors), np.nan_to_num(figures.p99)
    found = np.full(len(figures.rate), int(Health.OK), np.int8)
    found[judged & ((errors > limits.warning_errors) | (p99 > limits.warning_p99))] = Health.WARNING
    found[judged & ((errors > limits.critical_errors) | (p99 > limits.critical_p99))] = Health.CRITICAL
    found[np.isnan(figures.rate)] = Health.UNKNOWN
    return found


def with_alerts(names: tuple[str, ...], found: Codes, alerts: Mapping[str, Health]) -> Codes:
    """Health with what fires on a service of that name: the graver of both; a silence covers what is only over a limit."""
    result = found.copy()
    place = {name: i for i, name in enumerate(names)}
    for service, level in alerts.items():
        at = place.get(service)
        if at is not None:
            quiet = level is Health.SILENCED and result[at] < Health.CRITICAL
            result[at] = level if quiet else max(int(result[at]), int(level))
    return result


def within(found: ServiceMap, start: Flags, hops: int) -> Flags:
    """bool[n]: the nodes at most so many edges, either way, from those of `start` bool[n]."""
    near = start.copy()
    for _ in range(max(0, hops)):
        further = near.copy()
        further[found.servers[near[found.clients]]] = True
        further[found.clients[near[found.servers]]] = True
        if (further == near).all():
            break
        near = further
    return near


def mixed_quantiles(weights: Floats, told: Floats, shares: tuple[float, ...], places: Places, n: int) -> Floats:
    """Quantiles of the mixture of all parts of each of n places, float64[n, q].

    `weights` float64[k] how much each part counts, `told` float64[k, q] its quantiles at `shares` (0..1, rising), `places`
    int32[k]. Between two told quantiles the logarithm of the survival falls linearly with that of the value, which is exact for
    Weibull and close for what latencies are; a place with one part has its quantiles exactly, every other one a value between the
    least and the greatest of its parts. Found by bisection.
    """
    usable = np.isfinite(told).all(1) & (weights > 0) & (told > 0).all(1)
    weights, places = weights[usable], places[usable]
    answer = np.full((n, len(shares)), np.nan)
    if not len(places):
        return answer
    logs: Floats = np.maximum.accumulate(np.log(told[usable]), axis=1)
    counts, totals = np.bincount(places, minlength=n), np.bincount(places, weights=weights, minlength=n)
    depths = -np.log1p(-np.array(shares))
    slopes = np.diff(depths) / np.maximum(np.diff(logs, axis=1), 1e-9)
    for i, share in enumerate(shares):
        low, high = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(low, places, logs[:, i])
        np.maximum.at(high, places, logs[:, i])
        low[counts == 0] = high[counts == 0] = 0.0
        for _ in range(BISECTIONS if (counts > 1).any() else 0):
            middle = (low + high) / 2
            at = middle[places]
            segment = np.clip((at[:, None] >= logs[:, 1:]).sum(1), 0, slopes.shape[1] - 1)
            row = np.arange(len(at))
            depth = depths[segment] + slopes[row, segment] * (at - logs[row, segment])
            below = np.bincount(places, weights=weights * -np.expm1(-np.maximum(depth, 0.0)), minlength=n)
            enough = below >= share * totals
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        answer[counts > 0, i] = np.exp(high[counts > 0])
    return answer
