"""Where edges over more than one layer run, so that none lies behind a box it does not end at."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from monitor.topology.graph import Places
from ui.views.view import Floats

CLEAR = 0.42
"""Rows between the middle of a box and an edge that passes it, at least."""
BESIDE = 0.1
"""Rows between two edges in one gap."""
MOST = 1_500
"""Edges for which a way is looked for; of more, none is told apart by eye."""


def lanes(spots: Floats, clients: Places, servers: Places) -> Floats:
    """float64[m]: the row along which each edge runs between its ends; NaN where it goes straight to the next layer.

    `spots` float64[n, 2] layer and row. It is the row of one of the ends where nothing stands in between, else the nearest gap
    between two boxes of every layer it passes.
    """
    found = np.full(len(clients), np.nan)
    if len(clients) > MOST or not len(spots):
        return found
    layers = spots[:, 0].astype(np.int64)
    rows = {layer: spots[layers == layer, 1] for layer in np.unique(layers).tolist()}
    taken: dict[float, list[tuple[int, int, int, int]]] = defaultdict(list)
    for i, (a, b) in enumerate(zip(clients.tolist(), servers.tolist(), strict=True)):
        first, last = int(layers[a]), int(layers[b])
        passed = range(first + 1, last) if first < last else range(last, first + 1)
        if not len(passed):
            continue
        there = [rows[layer] for layer in passed if layer in rows]
        wanted = _wanted(np.concatenate(there) if there else np.empty(0), float(spots[a, 1]), float(spots[b, 1]))
        way = (passed.start, passed.stop, a, b)
        lane = next((x for x in wanted if not any(_meet(way, other) for other in taken[x])), wanted[0])
        taken[lane].append(way)
        found[i] = lane
    return found


def _wanted(boxes: Floats, start: float, end: float) -> list[float]:
    """Rows that pass none of `boxes`, the nearest to both ends first."""
    steps = (0.5, 0.5 - BESIDE / 2, 0.5 + BESIDE / 2)
    gaps = np.concatenate(((end, start), *((boxes + side * step) for step in steps for side in (1.0, -1.0))))
    if len(boxes):
        gaps = gaps[(np.abs(gaps[:, None] - boxes) >= CLEAR).all(1)]
    gaps = np.unique(np.round(gaps, 3))
    cost = np.abs(gaps - end) + 0.6 * np.abs(gaps - start)
    ordered: list[float] = gaps[np.argsort(cost, kind="stable")][:12].tolist()
    return ordered


def _meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether two ways lie on each other: they pass a common layer and share neither end."""
    return one[0] < other[1] and other[0] < one[1] and one[2] != other[2] and one[3] != other[3]
