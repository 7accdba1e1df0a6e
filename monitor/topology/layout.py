"""Where nodes of the map stand: layers from left to right, and places that are kept for as long as a node is remembered.

A whole map is laid out in layers as Sugiyama, Tagawa and Toda (1981) describe: cycles are opened, a node stands one layer beyond
the farthest of those that call it, layers are put in order by the barycentre of their neighbours, and rows are levelled with the
pool adjacent violators algorithm. That is done once, and again when somebody asks for it. A node that comes later takes a free
place beside its neighbours; nobody moves for it, nor when a node or an edge goes. What is not connected stands below.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats

Ints = npt.NDArray[np.int32]
Pairs = list[tuple[int, int]]
Spot = tuple[int, float]
"""A layer and a row. Rows are multiples of a half; two nodes of a layer are at least 1 apart."""
REMEMBERED = 8_192
"""Places that are kept at most, with those of nodes that are gone, for when they come back."""
SWEEPS = 12
GAP = 1.0
"""Rows left free between two parts that are not connected."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """n nodes and m edges from `clients` to `servers`, int32[m]. `last` bool[n]: belongs at the right end (a store)."""

    names: Sequence[str]
    clients: Ints
    servers: Ints
    last: npt.NDArray[np.bool_]

    def pairs(self) -> Pairs:
        """Edges between two different nodes, each once, in the order of their names."""
        names = self.names
        found = {(a, b) for a, b in zip(self.clients.tolist(), self.servers.tolist(), strict=True) if a != b}
        return sorted(found, key=lambda pair: (names[pair[0]], names[pair[1]]))


def arrange(graph: Graph, held: Mapping[str, Spot]) -> dict[str, Spot]:
    """A spot for every node, and the spots held of nodes that are gone.

    Those held stay; without any the whole map is laid out. 2,000 nodes with 6,000 edges take under a second, one more node
    a few milliseconds. The order in which nodes and edges come does not matter.
    """
    pairs = graph.pairs()
    field = _Field(graph.names, held)
    waiting = sorted((i for i, name in enumerate(graph.names) if name not in held), key=lambda i: graph.names[i])
    if len(waiting) < len(graph.names):
        waiting = _join(graph, pairs, field, waiting)
    _stack(graph, pairs, field, waiting)
    return field.spots


class _Field:
    """Spots taken so far; what is put where a node that is gone once stood takes its place for good."""

    def __init__(self, names: Iterable[str], held: Mapping[str, Spot]) -> None:
        present = set(names)
        newest = dict(itertools.islice(reversed(tuple(held.items())), REMEMBERED))
        self.spots: dict[str, Spot] = {name: spot for name, spot in held.items() if name in present or name in newest}
        self._rows: dict[int, list[float]] = defaultdict(list)
        self._gone: dict[int, list[str]] = defaultdict(list)
        for name, (layer, row) in self.spots.items():
            if name in present:
                bisect.insort(self._rows[layer], row)
            else:
                self._gone[layer].append(name)

    def bottom(self) -> float:
        """The first row below everything that is there."""
        return max((rows[-1] + 1.0 for rows in self._rows.values() if rows), default=0.0)

    def put(self, name: str, layer: int, row: float) -> None:
        for gone in [g for g in self._gone.get(layer, ()) if abs(self.spots[g][1] - row) < 1.0]:
            self._gone[layer].remove(gone)
            del self.spots[gone]
        bisect.insort(self._rows[layer], row)
        self.spots[name] = (layer, row)

    def put_near(self, name: str, layer: int, wanted: float) -> None:
        """At the free row nearest to the wanted one; below rather than above."""
        rows = self._rows[layer]
        start = round(wanted * 2.0) / 2.0
        for step in range(4 * len(rows) + 2):
            for row in (start + step / 2.0, start - step / 2.0):
                at = bisect.bisect_left(rows, row)
                if (at == len(rows) or rows[at] - row >= 1.0) and (at == 0 or row - rows[at - 1] >= 1.0):
                    self.put(name, layer, row)
                    return
        self.put(name, layer, rows[-1] + 1.0)


def _join(graph: Graph, pairs: Pairs, field: _Field, waiting: list[int]) -> list[int]:
    """Give a place to new nodes that are connected with old ones, step by step outward; those that are not are left over."""
    callers, called = _neighbours(pairs)
    names, spots = graph.names, field.spots
    placed = set(range(len(names))) - set(waiting)
    stores = [spots[names[i]][0] for i in placed if graph.last[i]]
    while True:
        near = [i for i in waiting if any(j in placed for j in (*callers[i], *called[i]))]
        if not near:
            return waiting
        for i in near:
            before = [spots[names[j]] for j in callers[i] if j in placed]
            after = [spots[names[j]] for j in called[i] if j in placed]
            layer = max(s[0] for s in before) + 1 if before else min(s[0] for s in after) - 1
            if graph.last[i] and not after and stores:
                layer = max(layer, max(stores))
            rows = [row for _, row in (*before, *after)]
            field.put_near(names[i], layer, math.fsum(rows) / len(rows))
        placed |= set(near)
        waiting = [i for i in waiting if i not in placed]


def _neighbours(pairs: Pairs) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    callers: dict[int, list[int]] = defaultdict(list)
    called: dict[int, list[int]] = defaultdict(list)
    for a, b in pairs:
        called[a].append(b)
        callers[b].append(a)
    return callers, called


def _stack(graph: Graph, pairs: Pairs, field: _Field, nodes: list[int]) -> None:
    """Lay out what has no place yet below what has: the largest part first, then those without an edge side by side."""
    parts = _parts(nodes, pairs)
    alone = [part[0] for part in parts if len(part) == 1]
    top = field.bottom()
    top += GAP if top else 0.0
    owner = {i: number for number, part in enumerate(parts) for i in part}
    own: dict[int, Pairs] = defaultdict(list)
    for pair in pairs:
        if pair[0] in owner and pair[1] in owner:
            own[owner[pair[0]]].append(pair)
    for number, part in enumerate(parts):
        if len(part) == 1:
            continue
        layers, rows = _laid_out(graph, part, own[number])
        for i, layer, row in zip(part, layers.tolist(), rows.tolist(), strict=True):
            field.put(graph.names[i], layer, top + row)
        top += float(rows.max()) + 1.0 + GAP
    across = max(4, 1 + max((layer for layer, _ in field.spots.values()), default=0), math.isqrt(len(alone)) // 2)
    for place, i in enumerate(alone):
        field.put(graph.names[i], place % across, top + place // across)


def _parts(nodes: list[int], pairs: Pairs) -> list[list[int]]:
    """Connected parts, the largest first, each in the order of `nodes`."""
    root = {i: i for i in nodes}

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = i = root[root[i]]
        return i

    for a, b in pairs:
        if a in root and b in root:
            root[find(b)] = find(a)
    parts: dict[int, list[int]] = defaultdict(list)
    for i in nodes:
        parts[find(i)].append(i)
    return sorted(parts.values(), key=lambda part: -len(part))


# ---------------------------------------------------------------- one part


def _laid_out(graph: Graph, part: list[int], pairs: Pairs) -> tuple[Ints, Floats]:
    """Layer int32[k] and row float64[k] of each node of a connected part; rows begin at 0."""
    place = {i: k for k, i in enumerate(part)}
    local = [(place[a], place[b]) for a, b in pairs]
    forward = np.array(_acyclic(len(part), local), np.int32).reshape(-1, 2)
    layers = _layers(len(part), forward, graph.last[part])
    order = _ordered(layers, forward)
    return layers, _rows(layers, order, forward)


def _acyclic(n: int, pairs: Pairs) -> Pairs:
    """The edges with each one that closes a cycle turned round: what is met again on the way from the callers leads back."""
    callers, called = _neighbours(pairs)
    order = sorted(range(n), key=lambda i: (bool(callers[i]), len(callers[i]) - len(called[i]), i))
    state = [0] * n  # 1: on the way, 2: done
    found: set[tuple[int, int]] = set()
    for start in order:
        if state[start]:
            continue
        state[start] = 1
        way = [(start, iter(called[start]))]
        while way:
            i, rest = way[-1]
            for j in rest:
                found.add((j, i) if state[j] == 1 else (i, j))
                if not state[j]:
                    state[j] = 1
                    way.append((j, iter(called[j])))
                    break
            else:
                state[i] = 2
                way.pop()
    return sorted(found)


def _layers(n: int, edges: Ints, last: npt.NDArray[np.bool_]) -> Ints:
    """One beyond the farthest caller; callers that nobody calls just before whom they call; stores together at the end."""
    called: list[list[int]] = [[] for _ in range(n)]
    missing = [0] * n
    for a, b in edges.tolist():
        called[a].append(b)
        missing[b] += 1
    sources = [i for i in range(n) if not missing[i]]
    layers = [0] * n
    ready = list(sources)
    while ready:
        i = ready.pop()
        for j in called[i]:
            layers[j] = max(layers[j], layers[i] + 1)
            missing[j] -= 1
            if not missing[j]:
                ready.append(j)
    for i in sources:
        layers[i] = min((layers[j] for j in called[i]), default=1) - 1
    ends = [i for i in range(n) if last[i] and not called[i]]
    others = set(range(n)) - set(ends)
    end = max((layers[i] for i in ends), default=0)
    end = max(end, 1 + max((layers[i] for i in others), default=-1))
    for i in ends:
        layers[i] = end
    return np.array(layers, np.int32)


def _ordered(layers: Ints, edges: Ints) -> list[Ints]:
    """The nodes of each layer from top to bottom, with edges as short as some sweeps of barycentres make them."""
    order = [np.flatnonzero(layers == layer).astype(np.int32) for layer in range(int(layers.max()) + 1)]
    heights = _heights(order, len(layers))
    best, cost = order, math.inf
    for sweep in range(SWEEPS):
        way, ends = (range(len(order)), (0, 1)) if sweep % 2 == 0 else (range(len(order) - 1, -1, -1), (1, 0))
        groups = _by_layer(layers, edges[:, ends[1]], len(order))
        order = list(order)
        for layer in way:
            nodes, mine = order[layer], groups[layer]
            middles = _means(nodes, edges[mine, ends[1]], heights[edges[mine, ends[0]]], heights)
            order[layer] = nodes = nodes[np.lexsort((heights[nodes], middles))]
            heights[nodes] = np.arange(len(nodes)) - (len(nodes) - 1) / 2.0
        length = float(np.abs(heights[edges[:, 0]] - heights[edges[:, 1]]).sum())
        if length < cost - 1e-9:
            best, cost = order, length
    return best


def _heights(order: list[Ints], n: int) -> Floats:
    heights = np.zeros(n)
    for nodes in order:
        heights[nodes] = np.arange(len(nodes)) - (len(nodes) - 1) / 2.0
    return heights


def _by_layer(layers: Ints, ends: Ints, count: int) -> list[npt.NDArray[np.intp]]:
    """Places of the edges by the layer of one of their ends."""
    sorting = np.argsort(layers[ends], kind="stable")
    return np.split(sorting, np.searchsorted(layers[ends][sorting], np.arange(1, count)))


def _means(nodes: Ints, mine: Ints, values: Floats, own: Floats) -> Floats:
    """The mean of `values` told to each of `nodes` by edges ending at `mine`; its own height where no edge ends."""
    sorting = np.argsort(nodes)
    at = sorting[np.searchsorted(nodes[sorting], mine)]
    counts, sums = np.bincount(at, minlength=len(nodes)), np.bincount(at, weights=values, minlength=len(nodes))
    means: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), own[nodes])
    return means


def _rows(layers: Ints, order: list[Ints], edges: Ints) -> Floats:
    """Rows as near to the middle of each node's neighbours as the order and a distance of 1 allow, on halves, from 0."""
    rows = _heights(order, len(layers))
    both = np.concatenate((edges, edges[:, ::-1]))
    groups = _by_layer(layers, both[:, 1], len(order))
    for sweep in range(SWEEPS):
        for layer in range(len(order)) if sweep % 2 == 0 else range(len(order) - 1, -1, -1):
            nodes, mine = order[layer], groups[layer]
            rows[nodes] = _level(_means(nodes, both[mine, 1], rows[both[mine, 0]], rows))
    for nodes in order:
        below = -math.inf
        for i in nodes.tolist():
            rows[i] = below = max(round(rows[i] * 2.0) / 2.0, below + 1.0)
    rows -= rows.min()
    return rows


def _level(wanted: Floats) -> Floats:
    """The nearest heights to the wanted ones, least squares, that rise by at least 1: pool adjacent violators."""
    pools: list[tuple[float, int]] = []
    for i, height in enumerate(wanted.tolist()):
        mean, size = height - i, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    heights: Floats = np.arange(len(wanted), dtype=np.float64)
    heights += np.repeat(np.array([mean for mean, _ in pools]), np.array([size for _, size in pools], np.int64))
    return heights
