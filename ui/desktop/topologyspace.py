"""The service map in three dimensions: layers as planes one behind the other, round nodes that face the viewer."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from monitor.topology.projection import Camera, Projected, Scene, painters_order, project, scene_of
from ui.desktop import paint
from ui.desktop.look import MEDIUM, STRONG, Look
from ui.desktop.topologyink import Edges, node_pen
from ui.views.topologypicture import apart
from ui.views.topologyview import MapView
from ui.views.view import Floats, Shape

RADIUS = 14.0
MOST_LABELS = 90
PIECES = 9
"""Straight pieces of a curve; fewer where there are many."""
MOST_FILLED = 10
"""Layers up to which planes have a ground, lines and a caption each."""
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


def paint_space(painter: QPainter, look: Look, view: MapView, place: Projected, camera: Camera, cursor: int, box: QRectF) -> None:
    """Planes from the farthest to the nearest, each with the edges that begin there, then nodes, then names."""
    w, h = box.width(), box.height()
    radius = radius_of(view, place, w, h)
    layers, depths, corners = _planes(view, camera, w, h)
    groups = _edges(view, place, radius, layers)
    zoom = min(1.6, camera.zoom)
    for number in painters_order(depths).tolist():
        _plane(painter, look, corners[number], _caption(view, number), len(layers) <= MOST_FILLED)
        if number in groups:
            groups[number].paint(painter, look, zoom * min(1.0, radius / RADIUS + 0.2), 0.8)
    order = painters_order(place.depth).tolist()
    for i in order:
        _node(painter, look, view, place, i, radius, i == cursor)
    _names(painter, look, view, place, radius, cursor, order, box)
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


def _plane(painter: QPainter, look: Look, corners: list[tuple[float, float]], words: str, filled: bool) -> None:
    painter.setPen(QPen(look.colour("line-strong" if filled else "grid"), 1.0))
    painter.setBrush(look.colour("raised", 0.34) if filled else Qt.BrushStyle.NoBrush)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    painter.setPen(QPen(look.colour("grid"), 1.0))
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    for i in range(1, 6) if filled else ():
        t = i / 6
        painter.drawLine(QPointF(ax + (bx - ax) * t, ay + (by - ay) * t), QPointF(dx + (cx - dx) * t, dy + (cy - dy) * t))
    x, y = min(corners[:2])
    paint.words(painter, QRectF(x, y - 21, 170, 16), words, look.font("small", MEDIUM), look.colour("text-secondary"))


def _edges(view: MapView, place: Projected, radius: float, layers: list[int]) -> dict[int, Edges]:
    """Edges as arcs by the plane they begin on."""
    groups: dict[int, Edges] = defaultdict(Edges)
    if not len(view.edges):
        return groups
    number = {layer: i for i, layer in enumerate(layers)}
    a, b = place.xy[view.edges[:, 0]], place.xy[view.edges[:, 1]]
    apart = b - a
    long = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-6)
    cut = np.minimum(0.45, radius * place.scale[view.edges[:, 1]] / long)[:, None]
    lift = np.minimum(0.12 * long, 34.0)
    middle = (a + b) / 2 - np.stack((np.zeros(len(long)), lift), axis=1)
    end = b + (middle - b) * cut
    starts = view.spots[view.edges[:, 0], 0].astype(int).tolist()
    count = PIECES if len(view.edges) < 150 else 4 if len(view.edges) < 400 else 3
    t = np.linspace(0.0, 1.0, count + 1)[:, None, None]
    curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * end
    rows = np.concatenate((curve[:-1], curve[1:]), axis=2).transpose(1, 0, 2).tolist()
    for i, pieces in enumerate(rows):
        group = groups[number.get(starts[i], 0)]
        if view.edge_shapes[i] == "critical":  # its dashes go on from piece to piece
            path = group.path("critical", view.widths[i])
            path.moveTo(pieces[0][0], pieces[0][1])
            path.quadTo(QPointF(*middle[i].tolist()), QPointF(*end[i].tolist()))
        else:
            group.pieces(view.edge_shapes[i], view.widths[i]).extend(QLineF(*piece) for piece in pieces)
    return groups


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


def _node(painter: QPainter, look: Look, view: MapView, place: Projected, i: int, radius: float, chosen: bool) -> None:
    x, y = place.xy[i].tolist()
    size = max(3, min(40, round(radius * float(place.scale[i]))))
    if chosen:
        painter.setPen(QPen(look.colour("focus"), 1.8))
        painter.setBrush(look.colour("accent", 0.14))
        painter.drawEllipse(QPointF(x, y), size + 8, size + 8)
    device = painter.device()
    disc = _disc(look, view.nodes[i].shape, size, device.devicePixelRatioF() if device is not None else 1.0)
    side = 2 * size + 10
    painter.drawPixmap(QPointF(x - side / 2, y - side / 2), disc)


def _names(
    painter: QPainter, look: Look, view: MapView, place: Projected, radius: float, cursor: int, order: list[int], box: QRectF
) -> None:
    """Names and figures where there is room: of the chosen node, of those that are not well, then from the nearest on."""
    gravity = {"critical": 1, "warning": 2}
    nearest = {i: number for number, i in enumerate(reversed(order))}
    wanted = sorted(order, key=lambda i: (0 if i == cursor else gravity.get(view.nodes[i].shape, 3), nearest[i]))
    taken: list[QRectF] = []
    ground = look.colour("card", 0.72)
    name_font, figure_font = look.font(12, STRONG), look.font(10, MEDIUM)
    for i in wanted[:MOST_LABELS]:
        node = view.nodes[i]
        x, y = place.xy[i].tolist()
        left = x + radius * float(place.scale[i]) + 6
        wide = max(paint.width_of(name_font, node.name), paint.width_of(figure_font, node.figure))
        label = QRectF(left, y - 14, min(wide, 150.0), 28)
        if not box.intersects(label) or any(label.intersects(other) for other in taken):
            continue
        taken.append(label)
        painter.fillRect(label.adjusted(-2, 0, 2, 0), ground)
        tone = node.shape if node.shape in ("critical", "warning", "unknown") else "text-secondary"
        upper = QRectF(left, y - 14, label.width() + 1, 15)
        paint.words(painter, upper, node.name, name_font, look.colour("text-primary"), middle=True)
        paint.words(painter, upper.translated(0, 14), node.figure, figure_font, look.colour(tone))


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
