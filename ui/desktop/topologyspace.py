"""The service map in three dimensions: layers as planes one behind the other, round nodes that face the viewer."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from monitor.topology.projection import Camera, Projected, Scene, painters_order, project, scene_of
from ui.desktop import paint
from ui.desktop.look import MEDIUM, STRONG, Look
from ui.desktop.topologyink import MANY, codes_of, mixed, node_pen, paint_ways, path_along
from ui.desktop.topologyways import arcs
from ui.views.topologypicture import apart
from ui.views.topologyview import MapView, NodeRow
from ui.views.view import Floats, Shape

RADIUS = 14.0
MOST_LABELS = 90
PIECES = 9
"""Straight pieces of a curve; fewer where there are many."""
MOST_FILLED = 10
"""Layers up to which planes have a ground, lines and a caption each."""
SMALL = 500.0
"""Pixels of width below which there is no room for captions and the compass."""
MARGIN = (40.0, 34.0, 130.0, 56.0)
"""Room left at the left, top, right and bottom: names stand to the right of their nodes."""
_DISCS: dict[tuple[Shape, int, str, float], QPixmap] = {}
_MOST_DISCS = 512


def seen(view: MapView, camera: Camera, width: float, height: float) -> Projected:
    """The nodes as they are seen, in pixels of a room of that size."""
    return _project(view.space, view, camera, width, height)


def _project(points: Floats, view: MapView, camera: Camera, width: float, height: float) -> Projected:
    left, top, right, bottom = MARGIN
    scene = _scene(view)
    found = project(points, camera, scene, max(10.0, width - left - right), max(10.0, height - top - bottom))
    return Projected(found.xy + np.array((left, top)), found.scale, found.depth)


def _scene(view: MapView) -> Scene:
    low, high = view.room
    return scene_of(np.stack((low - np.array((0.0, 0.14, 0.16)), high + np.array((0.0, 0.14, 0.16)))))


def radius_of(view: MapView, place: Projected, width: float, height: float) -> float:
    """Pixels of a node's disc in the middle: smaller where there are many."""
    room = math.sqrt(width * height / max(1, len(view.nodes)))
    return max(4.0, min(RADIUS, room * 0.16))


def paint_space(
    painter: QPainter, look: Look, view: MapView, place: Projected, camera: Camera, cursor: int, box: QRectF, edge: int = -1
) -> None:
    """Planes from the farthest to the nearest, each with the edges that begin there, then nodes, then names."""
    w, h = box.width(), box.height()
    radius = radius_of(view, place, w, h)
    layers, depths, corners = _planes(view, camera, w, h)
    ways, codes = ways_of(view, place, radius), codes_of(view.edge_shapes, view.widths)
    begins = np.searchsorted(layers, view.spots[view.edges[:, 0], 0]) if layers else np.empty(0)
    if edge >= 0:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(mixed(look, "focus", 0.75), 7.0))
        painter.drawPath(path_along(ways[[edge]]))
    filled, thick = len(layers) <= MOST_FILLED, min(1.6, camera.zoom) * min(1.0, radius / RADIUS + 0.2)
    for number in painters_order(depths).tolist():
        _plane(painter, look, corners[number], filled)
        here = begins == number
        if filled and here.any():
            paint_ways(painter, look, ways[here], codes[here], len(ways) < MANY, thick, 0.8)
    if not filled:  # nothing of a plane hides what is behind it
        paint_ways(painter, look, ways, codes, len(ways) < MANY, thick, 0.8)
    order = painters_order(place.depth).tolist()
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    middles, sizes = place.xy.tolist(), np.clip(np.rint(radius * place.scale), 3, 40).astype(int).tolist()
    for i in order:
        _node(painter, look, view.nodes[i].shape, middles[i][0], middles[i][1], sizes[i], i == cursor, ratio)
    taken = _captions(painter, look, view, corners) if w >= SMALL else []
    _names(painter, look, view, place, radius, cursor, order, box, taken)
    if w >= SMALL:
        _compass(painter, look, camera, box)


def _planes(view: MapView, camera: Camera, w: float, h: float) -> tuple[list[int], Floats, list[list[tuple[float, float]]]]:
    """Layers with the depth and the four corners of each plane."""
    (_, y0, z0), (_, y1, z1) = view.room.tolist()
    layers = [layer for layer, _ in view.columns]
    step = apart(view.extent)
    y0, y1, z0, z1 = y0 - 0.14, y1 + 0.14, z0 - 0.16, z1 + 0.16
    points = np.array([(layer * step, y, z) for layer in layers for y, z in ((y1, z0), (y1, z1), (y0, z1), (y0, z0))])
    if not len(points):
        return [], np.empty(0), []
    found = _project(points, view, camera, w, h)
    depths = found.depth.reshape(-1, 4).mean(1)
    return layers, depths, [[(float(x), float(y)) for x, y in four] for four in found.xy.reshape(-1, 4, 2)]


def _caption(view: MapView, number: int) -> str:
    """The words of a layer; of many layers only some have room for theirs."""
    each = 1 + len(view.columns) // MOST_FILLED
    return view.columns[number][1] if number % each == 0 else ""


def _plane(painter: QPainter, look: Look, corners: list[tuple[float, float]], filled: bool) -> None:
    painter.setPen(QPen(look.colour("line-strong" if filled else "grid"), 1.0))
    painter.setBrush(look.colour("raised", 0.34) if filled else Qt.BrushStyle.NoBrush)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    painter.setPen(QPen(look.colour("grid"), 1.0))
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    for i in range(1, 6) if filled else ():
        t = i / 6
        painter.drawLine(QPointF(ax + (bx - ax) * t, ay + (by - ay) * t), QPointF(dx + (cx - dx) * t, dy + (cy - dy) * t))


def _captions(painter: QPainter, look: Look, view: MapView, corners: list[list[tuple[float, float]]]) -> list[QRectF]:
    """The words of the layers over their planes, where none lies on another; and where they stand."""
    font, taken = look.font("small", MEDIUM), list[QRectF]()
    for number, four in enumerate(corners):
        words = _caption(view, number)
        x, y = min(four[:2])
        label = QRectF(x, y - 21, paint.width_of(font, words) + 2, 16)
        if words and not any(label.intersects(other) for other in taken):
            taken.append(label)
            paint.words(painter, label, words, font, look.colour("text-secondary"))
    return taken


def ways_of(view: MapView, place: Projected, radius: float) -> Floats:
    """The arc of each edge, float64[m, p, 2], up to the disc it leads to."""
    if not len(view.edges):
        return np.empty((0, 2, 2))
    a, b = place.xy[view.edges[:, 0]], place.xy[view.edges[:, 1]]
    apart = b - a
    long = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-6)
    cut = np.minimum(0.45, radius * place.scale[view.edges[:, 1]] / long)[:, None]
    lift = np.minimum(0.12 * long, 34.0)
    middle = (a + b) / 2 - np.stack((np.zeros(len(long)), lift), axis=1)
    count = PIECES if len(view.edges) < MANY else 4 if len(view.edges) < 400 else 3
    return arcs(a, middle, b + (middle - b) * cut, count)


def _disc(look: Look, shape: Shape, size: int, ratio: float) -> QPixmap:
    """A node of a state, painted once a size and theme."""
    key = (shape, size, look.theme.name, ratio)
    found = _DISCS.get(key)
    if found is None:
        if len(_DISCS) > _MOST_DISCS:
            _DISCS.clear()
        side = 2 * size + 10
        found = QPixmap(round(side * ratio), round(side * ratio))
        found.setDevicePixelRatio(ratio)
        found.fill(Qt.GlobalColor.transparent)
        painter = QPainter(found)
        paint.crisp(painter)
        centre = QPointF(side / 2, side / 2)
        if shape == "critical":
            painter.setPen(QPen(look.colour("critical", 0.45), 1.0))
            painter.drawEllipse(centre, size + 3.5, size + 3.5)
        painter.setPen(node_pen(look, shape))
        painter.setBrush(look.brush("raised"))
        painter.drawEllipse(centre, size, size)
        sign = size * 1.08
        paint.shape(painter, look, shape, QRectF(centre.x() - sign / 2, centre.y() - sign / 2, sign, sign), "raised")
        painter.end()
        _DISCS[key] = found
    return found


def _node(painter: QPainter, look: Look, shape: Shape, x: float, y: float, size: int, chosen: bool, ratio: float) -> None:
    if chosen:
        painter.setPen(QPen(look.colour("focus"), 1.8))
        painter.setBrush(look.colour("accent", 0.14))
        painter.drawEllipse(QPointF(x, y), size + 8, size + 8)
    side = 2 * size + 10
    painter.drawPixmap(QPointF(x - side / 2, y - side / 2), _disc(look, shape, size, ratio))


def _names(
    painter: QPainter,
    look: Look,
    view: MapView,
    place: Projected,
    radius: float,
    cursor: int,
    order: list[int],
    box: QRectF,
    taken: list[QRectF],
) -> None:
    """Names and figures where there is room: of the chosen node, of those that are not well, then from the nearest on."""
    gravity = {"critical": 1, "warning": 2}
    nearest = {i: number for number, i in enumerate(reversed(order))}
    wanted = sorted(order, key=lambda i: (0 if i == cursor else gravity.get(view.nodes[i].shape, 3), nearest[i]))
    name_font, figure_font = look.font(12, STRONG), look.font(10, MEDIUM)
    sizes = radius * place.scale
    for i in wanted[:MOST_LABELS]:
        node = view.nodes[i]
        x, y = place.xy[i].tolist()
        wide = min(150.0, max(paint.width_of(name_font, node.name), paint.width_of(figure_font, node.figure)))
        apart = float(sizes[i]) + 6
        sides = [QRectF(x + apart, y - 14, wide, 28), QRectF(x - apart - wide, y - 14, wide, 28)]
        free = [label for label in sides if box.intersects(label) and not any(label.intersects(other) for other in taken)]
        clear = [label for label in free if len(wanted) > MOST_LABELS or not _covers(label, place.xy, sizes, i)]
        urgent = i == cursor or node.shape in gravity
        if not clear and not (urgent and free):
            continue
        label = (clear or free)[0]
        taken.append(label)
        _name(painter, look, node, label)


def _covers(label: QRectF, xy: Floats, sizes: Floats, own: int) -> bool:
    """Whether a label would lie on the disc of another node."""
    aside = np.maximum(np.abs(xy[:, 0] - label.center().x()) - label.width() / 2, 0.0)
    above = np.maximum(np.abs(xy[:, 1] - label.center().y()) - label.height() / 2, 0.0)
    hit = np.hypot(aside, above) < sizes
    hit[own] = False
    return bool(hit.any())


def _name(painter: QPainter, look: Look, node: NodeRow, label: QRectF) -> None:
    painter.fillRect(label.adjusted(-2, 0, 2, 0), look.colour("card", 0.72))
    tone = node.shape if node.shape in ("critical", "warning", "unknown") else "text-secondary"
    upper = QRectF(label.left(), label.top(), label.width() + 1, 15)
    paint.words(painter, upper, node.name, look.font(12, STRONG), look.colour("text-primary"), middle=True)
    paint.words(painter, upper.translated(0, 14), node.figure, look.font(10, MEDIUM), look.colour(tone))


def _compass(painter: QPainter, look: Look, camera: Camera, box: QRectF) -> None:
    """The three axes as they are turned now."""
    centre = QPointF(box.right() - 52, box.bottom() - 92)
    painter.setPen(QPen(look.colour("line-strong"), 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(centre, 28, 28)
    sin, cos = math.sin(camera.yaw), math.cos(camera.yaw)
    tilt, flat = math.sin(camera.pitch), math.cos(camera.pitch)
    for number, (x, y) in enumerate(((cos, sin * tilt), (0.0, flat), (-sin, cos * tilt)), 1):
        path = QPainterPath(centre)
        path.lineTo(centre.x() + 22 * x, centre.y() - 22 * y)
        painter.setPen(QPen(look.colour(f"series-{number}"), 1.6))
        painter.drawPath(path)
    tip = QRectF(centre.x() - 40, centre.y() + 31, 80, 14)
    paint.words(painter, tip, "drag to turn", look.font(10), look.colour("text-secondary"), paint.CENTRE)
