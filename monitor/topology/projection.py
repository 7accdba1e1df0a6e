"""Orbit and perspective: points of the map seen by an eye that turns round it, the order to paint them in, and what lies where.

Angles are radians, lengths of the scene its own units, lengths on the screen pixels or dots. y points up in the scene and down on
the screen; depth rises away from the eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats

Order = npt.NDArray[np.intp]
STEEPEST = 1.35
"""Largest pitch either way: beyond it up and down would change places."""
NEAREST, FARTHEST = 0.2, 8.0
"""Bounds of the zoom."""
EYE = 3.2
"""How far the eye is from the middle, in radii of the scene."""


@dataclass(frozen=True, slots=True)
class Camera:
    """`yaw` turns round the upright axis, `pitch` looks from above; `zoom` 1 fits the scene; `shift_x`, `shift_y` are shares of
    the screen by which the middle is moved.
    """

    yaw: float = -0.6
    pitch: float = 0.28
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def turned(self, yaw: float, pitch: float) -> Camera:
        """Turned by so much; the pitch stays within bounds, the yaw within one turn."""
        around = math.remainder(self.yaw + yaw, 2.0 * math.pi)
        return replace(self, yaw=around, pitch=max(-STEEPEST, min(STEEPEST, self.pitch + pitch)))

    def nearer(self, factor: float) -> Camera:
        """Zoomed by a factor, within bounds."""
        return replace(self, zoom=max(NEAREST, min(FARTHEST, self.zoom * factor)))

    def moved(self, x: float, y: float) -> Camera:
        """Moved by shares of the screen, at most two screens from the middle."""
        return replace(self, shift_x=max(-2.0, min(2.0, self.shift_x + x)), shift_y=max(-2.0, min(2.0, self.shift_y + y)))


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """n points on the screen: `xy` float64[n, 2], `scale` float64[n] (1 in the middle, more in front), `depth` float64[n]."""

    xy: Floats
    scale: Floats
    depth: Floats


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the scene lies: its middle and its half size along each axis. The eye looks at the middle from outside the radius."""

    middle: tuple[float, float, float]
    half: tuple[float, float, float]

    @property
    def radius(self) -> float:
        return max(1e-9, math.hypot(*self.half))


def scene_of(points: Floats) -> Scene:
    """The box round points float64[n, 3]; without any, a box of one unit."""
    if not len(points):
        return Scene((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))
    low, high = points.min(0), points.max(0)
    middle, half = ((low + high) / 2).tolist(), np.maximum((high - low) / 2, 1e-3).tolist()
    return Scene((middle[0], middle[1], middle[2]), (half[0], half[1], half[2]))


def project(points: Floats, camera: Camera, scene: Scene, width: float, height: float) -> Projected:
    """Points float64[n, 3] on a screen of that size, with the whole scene inside it at zoom 1."""
    turned = _turned(points, camera, scene)
    fit, shift = _fit(camera, scene, width, height)
    scale = _perspective(turned[:, 2])
    size = fit * camera.zoom
    x = width * (0.5 + camera.shift_x) + (turned[:, 0] * scale - shift[0]) * size
    y = height * (0.5 + camera.shift_y) - (turned[:, 1] * scale - shift[1]) * size
    return Projected(np.stack((x, y), axis=1), scale * camera.zoom, turned[:, 2])


def _turned(points: Floats, camera: Camera, scene: Scene) -> Floats:
    """Points as the eye sees them, in radii of the scene: right, up, away."""
    x, y, z = ((points - np.array(scene.middle)) / scene.radius).T
    sin, cos = math.sin(camera.yaw), math.cos(camera.yaw)
    right, away = x * cos - z * sin, x * sin + z * cos
    sin, cos = math.sin(camera.pitch), math.cos(camera.pitch)
    return np.stack((right, y * cos + away * sin, away * cos - y * sin), axis=1)


def _perspective(depth: Floats) -> Floats:
    scale: Floats = EYE / (EYE + np.maximum(depth, -0.9 * EYE))
    return scale


def _fit(camera: Camera, scene: Scene, width: float, height: float) -> tuple[float, tuple[float, float]]:
    """Pixels a radius, so that the scene's box, as it is turned, just fills the screen; and what has to come to the middle."""
    corners = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], np.float64)
    seen = _turned(np.array(scene.middle) + corners * np.array(scene.half), camera, scene)
    flat = seen[:, :2] * _perspective(seen[:, 2])[:, None]
    low, high = flat.min(0), flat.max(0)
    size = np.maximum(high - low, 1e-6)
    middle = (low + high) / 2
    return float(min(width / size[0], height / size[1])), (float(middle[0]), float(middle[1]))


def painters_order(depth: Floats) -> Order:
    """Places from the farthest to the nearest; what is equally far keeps its order."""
    return np.argsort(-depth, kind="stable")


def pick(seen: Projected, x: float, y: float, radius: float, scaled: bool = True) -> int | None:
    """The nearest to the eye of the points whose disc holds (x, y); None beside them all. `radius` at scale 1."""
    reach = radius * (seen.scale if scaled else 1.0)
    inside = ((seen.xy - np.array((x, y))) ** 2).sum(1) <= reach**2
    if not inside.any():
        return None
    return int(np.where(inside, seen.depth, np.inf).argmin())


def toward(xy: Floats, chosen: int, x: int, y: int, usable: npt.NDArray[np.bool_] | None = None) -> int:
    """The next point seen from `chosen` in the direction (x, y) of the screen: near, and little aside; itself where none is.

    `xy` float64[n, 2]; `usable` bool[n] leaves others out.
    """
    if not len(xy):
        return chosen
    apart = xy - xy[chosen]
    along = apart @ np.array((float(x), float(y)))
    aside = np.abs(apart @ np.array((float(y), float(x))))
    there = (along > 1e-6) & (along * 4.0 >= aside)
    if usable is not None:
        there &= usable
    cost = np.where(there, along + 2.5 * aside, np.inf)
    best = int(cost.argmin())
    return best if np.isfinite(cost[best]) else chosen
