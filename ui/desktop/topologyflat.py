"""The service map in two dimensions: boxes in columns, curves between them, each with the number that matters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from monitor.topology.projection import Camera
from ui.desktop import paint
from ui.desktop.look import MEDIUM, STRONG, Look
from ui.desktop.topologyink import Edges, node_pen, sign_pixmap
from ui.views.topologyview import MapView, NodeRow, Places
from ui.views.view import Floats

BOX = (138.0, 50.0)
NARROW = 94.0
"""Width to which a box shrinks before all of it becomes smaller."""
GAP = (28.0, 12.0)
"""Pixels between two boxes at least, at scale 1."""
TOP, BOTTOM, SIDE = 34.0, 40.0, 14.0
WIDEST, TALLEST = 230.0, 124.0
"""Pixels from node to node at most, however much room there is."""
MOST_LABELS = 80
NAMES_FROM, LINES_FROM = 0.45, 0.7
"""Scales from which on a box has its name, and its figures too."""


@dataclass(frozen=True, eq=False, slots=True)
class Flat:
    """Where everything is drawn: `centres` float64[n, 2] of the boxes, `scale` of a box, `column` from layer to x."""

    centres: Floats
    scale: float
    first: float
    pitch: float
    box: tuple[float, float]
    lanes: Floats

    def rect(self, i: int) -> QRectF:
        """The box of a node."""
        x, y = self.centres[i].tolist()
        w, h = self.box
        return QRectF(x - w / 2, y - h / 2, w, h)

    def pick(self, x: float, y: float) -> int | None:
        """The node whose box holds the point, with a little round it when boxes are small."""
        if not len(self.centres):
            return None
        apart = np.abs(self.centres - np.array((x, y)))
        reach = np.maximum(np.array(self.box) / 2, 12.0)
        inside = np.flatnonzero((apart <= reach).all(1))
        return int(inside[apart[inside].sum(1).argmin()]) if len(inside) else None


def flat(view: MapView, camera: Camera, width: float, height: float) -> Flat:
    """The map in a room of that size: all of it at zoom 1, wherever what is hidden would stand."""
    (low_x, low_y), (high_x, high_y) = view.extent.tolist()
    across, down = max(0.0, high_x - low_x), max(0.0, high_y - low_y)
    wide, tall = max(40.0, width - 2 * SIDE), max(40.0, height - TOP - BOTTOM - 16)
    fits = wide / (NARROW + across * (NARROW + GAP[0])), tall / (BOX[1] + down * (BOX[1] + GAP[1]))
    scale = max(0.05, min(1.0, *fits))
    pitch_x = min(WIDEST, (wide - NARROW * scale) / max(1.0, across))
    box_w = max(NARROW * scale, min(BOX[0] * scale, pitch_x - GAP[0] * scale))
    pitch_x = min(WIDEST, (wide - box_w) / max(1.0, across))
    pitch_y = min(TALLEST, (tall - BOX[1] * scale) / max(1.0, down))
    pitch_x, pitch_y = max(4.0, pitch_x) * camera.zoom, max(3.0, pitch_y) * camera.zoom
    middle = (width / 2 + camera.shift_x * width, TOP + (height - TOP - BOTTOM) / 2 + camera.shift_y * height)
    first = middle[0] - (low_x + high_x) / 2 * pitch_x
    x = first + view.spots[:, 0] * pitch_x
    y = middle[1] + (view.spots[:, 1] - (low_y + high_y) / 2) * pitch_y
    grown = min(1.5, scale * camera.zoom)
    lane_y = middle[1] + (view.lanes - (low_y + high_y) / 2) * pitch_y
    size = (box_w * grown / scale, BOX[1] * grown)
    return Flat(np.stack((x, y), axis=1), grown, first, pitch_x, size, lane_y)


def _ports(ends: Places, others_y: Floats, tall: float) -> Floats:
    """How far from the middle of its side each edge leaves a box: in the order of what they lead to."""
    order = np.lexsort((others_y, ends))
    sorted_ends = ends[order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_ends[1:] != sorted_ends[:-1])))
    counts = np.diff(np.append(starts, len(ends)))
    number = np.arange(len(ends)) - np.repeat(starts, counts)
    many = np.repeat(counts, counts)
    offsets = np.empty(len(ends))
    offsets[order] = (number - (many - 1) / 2.0) * np.minimum(9.0 * tall / BOX[1], 0.72 * tall / np.maximum(many, 1))
    return offsets


def edges_of(view: MapView, place: Flat, cursor: int = -1) -> tuple[Edges, QPainterPath]:
    """All edges as curves, by shape and width, with their arrow heads and where their labels go; and those of the chosen node."""
    found, own = Edges(), QPainterPath()
    if not len(view.edges):
        return found, own
    w, h = place.box
    a, b = view.edges[:, 0], view.edges[:, 1]
    ya, yb = place.centres[a, 1], place.centres[b, 1]
    y1, y2 = ya + _ports(a, yb, h), yb + _ports(b, ya, h)
    x1, x2 = place.centres[a, 0] + w / 2, place.centres[b, 0] - w / 2
    bend = np.full(len(x1), max(14.0, 0.5 * (place.pitch - w)))
    head = max(3.0, 7.0 * min(1.0, place.scale))
    rows, ends = np.stack((x1, y1, x2, y2, bend, place.lanes), axis=1).tolist(), view.edges.tolist()
    for i, (sx, sy, tx, ty, k, lane) in enumerate(rows):
        way = _way(sx, sy, tx - 2, ty, k, lane if abs(lane - ty) > h / 2 else ty if lane == lane else lane)
        found.path(view.edge_shapes[i], view.widths[i]).addPath(way)
        if cursor in ends[i]:
            own.addPath(way)
        found.head(view.edge_shapes[i], [(tx, ty), (tx - head, ty - head * 0.55), (tx - head, ty + head * 0.55)])
        found.middles.append(((sx + tx) / 2, (sy + ty) / 2) if lane != lane else (tx - 2.4 * k, lane - 7.0))
    return found, own


def _way(sx: float, sy: float, tx: float, ty: float, k: float, lane: float) -> QPainterPath:
    """A curve to the next layer; over several along its lane, and back round both boxes where it leads to the left."""
    path = QPainterPath(QPointF(sx, sy))
    if lane != lane:
        path.cubicTo(sx + k, sy, tx - k, ty, tx, ty)
        return path
    back = tx < sx
    out, home = (sx + k, tx - k) if back else (sx + 2 * k, tx - 2 * k)
    path.cubicTo(sx + k, sy, out if back else sx + k, lane, out if not back else sx, lane)
    path.lineTo(home if not back else tx, lane)
    path.cubicTo(tx - k, lane, tx - k, ty, tx, ty)
    return path


def paint_flat(painter: QPainter, look: Look, view: MapView, place: Flat, cursor: int, box: QRectF) -> None:
    """Columns, edges, boxes and labels."""
    _columns(painter, look, view, place, box)
    edges, own = edges_of(view, place, cursor)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(look.colour("focus", 0.28), 7.0 * min(1.0, place.scale)))
    painter.drawPath(own)
    edges.paint(painter, look, min(1.0, place.scale))
    inside = box.adjusted(-place.box[0], -place.box[1], place.box[0], place.box[1])
    for i, node in enumerate(view.nodes):
        if inside.contains(QPointF(*place.centres[i].tolist())):
            _node(painter, look, place.rect(i), node, place.scale, i == cursor)
    if place.scale >= 0.6:
        _labels(painter, look, view, place, edges, cursor, box)


def _columns(painter: QPainter, look: Look, view: MapView, place: Flat, box: QRectF) -> None:
    font, tone = look.font("small", MEDIUM), look.colour("text-secondary")
    pen = QPen(look.colour("grid"), 1.0)
    pen.setDashPattern([2.0, 4.0])
    room = min(place.pitch - 10.0, 170.0)
    for number, (layer, words) in enumerate(view.columns):
        x = place.first + layer * place.pitch
        left = x - place.box[0] / 2
        if number and place.pitch > 40:
            edge = x - place.pitch / 2
            painter.setPen(pen)
            painter.drawLine(QPointF(edge, box.top() + 6), QPointF(edge, box.bottom() - BOTTOM))
        if room >= 60 and -room < left < box.right():
            paint.words(painter, QRectF(left + 2, box.top() + 8, room, 18), words, font, tone)


def _node(painter: QPainter, look: Look, box: QRectF, node: NodeRow, scale: float, chosen: bool) -> None:
    radius = (13.0 if node.rounded else 6.0) * scale
    if chosen:
        painter.setPen(QPen(look.colour("focus"), 1.8))
        painter.setBrush(look.colour("accent", 0.12))
        painter.drawRoundedRect(box.adjusted(-6, -6, 6, 6), radius + 6, radius + 6)
    if node.shape == "critical":
        painter.setPen(QPen(look.colour("critical", 0.45), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(-3, -3, 3, 3), radius + 3, radius + 3)
    painter.setPen(node_pen(look, node.shape))
    painter.setBrush(look.brush("raised"))
    painter.drawRoundedRect(box, radius, radius)
    if node.rounded and scale > 0.5:
        painter.setPen(look.pen("line-strong"))
        lid = QPainterPath(QPointF(box.left() + 1, box.top() + 11 * scale))
        lid.quadTo(box.center().x(), box.top() + 20 * scale, box.right() - 1, box.top() + 11 * scale)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(lid)
    _words(painter, look, box, node, scale)


def _words(painter: QPainter, look: Look, box: QRectF, node: NodeRow, scale: float) -> None:
    sign = max(7.0, 14.0 * min(1.2, scale))
    if scale < NAMES_FROM:
        paint.shape(
            painter, look, node.shape, QRectF(box.center().x() - sign / 2, box.center().y() - sign / 2, sign, sign), "raised"
        )
        return
    lower = 3.0 * scale if node.rounded else 0.0
    middle = box.center().y() + lower
    sign = min(sign, 12.0) if box.width() < 110 else sign
    left = box.left() + (10.0 if box.width() > 110 else 7.0 * scale)
    _sign(painter, look, node, left, middle - sign / 2, sign)
    gap = (7.0 if box.width() > 110 else 5.0) * scale
    text = QRectF(left + sign + gap, box.top(), box.right() - left - sign - gap - 3, box.height())
    name = look.font(max(9, min(15, round((12 if box.width() > 110 else 11) * scale + 0.3))), STRONG)
    if scale < LINES_FROM:
        paint.words(painter, text.translated(0, lower), node.name, name, look.colour("text-primary"), middle=True)
        return
    upper = QRectF(text.left(), middle - 17 * scale, text.width(), 16 * scale)
    below = QRectF(text.left(), middle + 1 * scale, text.width(), 15 * scale)
    paint.words(painter, upper, node.name, name, look.colour("text-primary"), middle=True)
    tone = "text-primary" if node.shape in ("critical", "warning") else "unknown" if node.shape == "unknown" else "text-secondary"
    small = look.font(max(8, min(13, round(10.6 * scale))))
    line = node.line if paint.width_of(small, node.line) <= below.width() + 1 else node.figure
    paint.words(painter, below, line, small, look.colour(tone))


def _sign(painter: QPainter, look: Look, node: NodeRow, x: float, y: float, size: float) -> None:
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    painter.drawPixmap(QPointF(x, y), sign_pixmap(look, node.shape, max(6, round(size)), ratio))


def _labels(painter: QPainter, look: Look, view: MapView, place: Flat, edges: Edges, cursor: int, box: QRectF) -> None:
    """What edges carry, the gravest and the chosen node's first; a label that would lie on another, or on a box, is left out."""
    font = look.font(10, MEDIUM)
    taken = [place.rect(i) for i in range(len(view.nodes))]
    own = set(np.flatnonzero((view.edges == cursor).any(1)).tolist()) if cursor >= 0 else set()
    gravity = {"critical": 0, "warning": 1}
    order = sorted(range(len(view.edges)), key=lambda i: (gravity.get(view.edge_shapes[i], 3) - 2 * (i in own), i))
    for i in order[:MOST_LABELS]:
        text = view.edge_labels[i]
        x, y = edges.middles[i]
        if not text or not box.contains(x, y):
            continue
        wide = paint.width_of(font, text)
        label = QRectF(x - wide / 2 - 2, y - 7, wide + 4, 14)
        if any(label.intersects(other) for other in taken):
            continue
        taken.append(label)
        shape = view.edge_shapes[i]
        painter.fillRect(label, look.colour("card", 0.88))
        tone = shape if shape in ("critical", "warning") else "text-secondary"
        paint.words(painter, label, text, font, look.colour(tone), paint.CENTRE)
