"""The ways of edges on the screen as polylines, many at once; and which of them lies under the pointer."""

from __future__ import annotations

import numpy as np

from ui.views.view import Floats

NEAR = 6.0
"""Pixels from an edge at which the pointer is still on it."""


def flat_ways(starts: Floats, ends: Floats, lanes: Floats, bend: float, count: int) -> Floats:
    """float64[m, 2 * count + 2, 2]: a curve to the next layer (`lanes` NaN); over several along its lane, and back round both
    boxes where it leads to the left.

    `starts` and `ends` float64[m, 2] of points, `bend` how far a curve leaves straight on, `count` pieces of half a curve.
    """
    sx, sy, tx, ty = starts[:, 0], starts[:, 1], ends[:, 0], ends[:, 1]
    long = np.isfinite(lanes)
    lane = np.where(long, lanes, ty)
    back = tx < sx
    out, home = np.where(back, sx, sx + 2 * bend), np.where(back, tx, tx - 2 * bend)
    first = _cubic((sx, sy), (sx + bend, sy), (sx + bend, lane), (out, lane), count + 1)
    second = _cubic((home, lane), (tx - bend, lane), (tx - bend, ty), (tx, ty), count + 1)
    direct = _cubic((sx, sy), (sx + bend, sy), (tx - bend, ty), (tx, ty), 2 * count + 2)
    ways: Floats = np.where(long[:, None, None], np.concatenate((first, second), axis=1), direct)
    return ways


Point = tuple[Floats, Floats]


def _cubic(a: Point, b: Point, c: Point, d: Point, count: int) -> Floats:
    """`count` points along each of m curves, float64[m, count, 2]."""
    t = np.linspace(0.0, 1.0, count)
    weights = np.stack(((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3))
    corners = np.stack([np.stack(point, axis=1) for point in (a, b, c, d)], axis=1)
    curves: Floats = np.einsum("kt,mkx->mtx", weights, corners)
    return curves


def arcs(starts: Floats, middles: Floats, ends: Floats, count: int) -> Floats:
    """float64[m, count + 1, 2]: points along arcs that are drawn towards `middles`."""
    t = np.linspace(0.0, 1.0, count + 1)
    weights = np.stack(((1 - t) ** 2, 2 * t * (1 - t), t**2))
    curves: Floats = np.einsum("kt,mkx->mtx", weights, np.stack((starts, middles, ends), axis=1))
    return curves


def nearest(ways: Floats, x: float, y: float, reach: float = NEAR) -> int | None:
    """The way that passes nearest to a point, None where none passes within `reach`; of two equally near, the one on top."""
    if not len(ways):
        return None
    a, b, point = ways[:, :-1], ways[:, 1:], np.array((x, y))
    along = b - a
    share = ((point - a) * along).sum(2) / np.maximum((along**2).sum(2), 1e-9)
    apart = a + np.clip(share, 0.0, 1.0)[:, :, None] * along - point
    distance = np.hypot(apart[:, :, 0], apart[:, :, 1]).min(1)
    best = len(ways) - 1 - int(distance[::-1].argmin())
    return best if distance[best] <= reach else None
