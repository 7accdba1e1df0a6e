"""The service map in two dimensions: boxes in columns, curves between them, each with the number that matters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from monitor.topology.projection import Camera
from ui.desktop import paint
from ui.desktop.look import MEDIUM, STRONG, Look
from ui.desktop.topologyink import (
    BLEED,
    MANY,
    box_pixmap,
    codes_of,
    mixed,
    paint_box,
    paint_heads,
    paint_ways,
    path_along,
    sign_pixmap,
)
from ui.desktop.topologyways import flat_ways
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
FINE, COARSE = 14, 2
"""Pieces of half a curve, of few edges and of many."""
HEADS_FROM = 0.5
"""Scale from which on edges have an arrow head; all lead to the right but those that go round."""
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


def ways_of(view: MapView, place: Flat) -> Floats:
    """The curve of each edge, float64[m, p, 2], from the right side of one box to the left side of another."""
    if not len(view.edges):
        return np.empty((0, 2, 2))
    w, h = place.box
    a, b = view.edges[:, 0], view.edges[:, 1]
    ya, yb = place.centres[a, 1], place.centres[b, 1]
    y1, y2 = ya + _ports(a, yb, h), yb + _ports(b, ya, h)
    x1, x2 = place.centres[a, 0] + w / 2, place.centres[b, 0] - w / 2
    # A lane so near to its end that two bends would not fit leads straight there.
    lanes = np.where(np.abs(place.lanes - y2) <= h / 2, y2, place.lanes)
    bend = max(14.0, 0.5 * (place.pitch - w))
    count = FINE if len(view.edges) < MANY else COARSE
    return flat_ways(np.stack((x1, y1), axis=1), np.stack((x2 - 2, y2), axis=1), lanes, bend, count)


def _middles(view: MapView, ways: Floats, bend: float) -> list[tuple[float, float]]:
    """Where the label of each edge goes: the middle of a curve, or a little above the end of its lane."""
    first, last = ways[:, 0], ways[:, -1]
    lanes = ways[:, ways.shape[1] // 2, 1]
    direct = np.isnan(view.lanes)
    x = np.where(direct, (first[:, 0] + last[:, 0]) / 2, last[:, 0] - 2.4 * bend)
    y = np.where(direct, (first[:, 1] + last[:, 1]) / 2, lanes - 7.0)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def paint_flat(painter: QPainter, look: Look, view: MapView, place: Flat, cursor: int, box: QRectF, edge: int = -1) -> None:
    """Columns, edges, boxes and labels; `edge`: the one chosen, -1 shows those of the node chosen."""
    _columns(painter, look, view, place, box)
    ways = ways_of(view, place)
    scale = min(1.0, place.scale)
    own = ways[_own(view, cursor, edge)]
    if len(own):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(mixed(look, "focus", 0.4 if edge < 0 else 0.75), 7.0 * max(0.5, scale)))
        painter.drawPath(path_along(own))
    paint_ways(painter, look, ways, codes_of(view.edge_shapes, view.widths), len(ways) < MANY, scale)
    if scale >= HEADS_FROM and len(ways):
        paint_heads(painter, look, ways[:, -1] + np.array((2.0, 0.0)), 7.0 * scale, view.edge_shapes)
    inside = box.adjusted(-place.box[0], -place.box[1], place.box[0], place.box[1])
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    for i, node in enumerate(view.nodes):
        if inside.contains(QPointF(*place.centres[i].tolist())):
            _node(painter, look, place.rect(i), node, place.scale, i == cursor, ratio)
    if place.scale >= 0.6:
        middles = _middles(view, ways, max(14.0, 0.5 * (place.pitch - place.box[0])))
        _labels(painter, look, view, place, middles, _own(view, cursor, edge), box)


def _own(view: MapView, cursor: int, edge: int) -> list[int]:
    """Edges that are shown as chosen: one by itself, else all of the node chosen."""
    if edge >= 0:
        return [edge]
    return np.flatnonzero((view.edges == cursor).any(1)).tolist() if cursor >= 0 else []


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


def _node(painter: QPainter, look: Look, box: QRectF, node: NodeRow, scale: float, chosen: bool, ratio: float) -> None:
    radius = (13.0 if node.rounded else 6.0) * scale
    if chosen:
        painter.setPen(QPen(look.colour("focus"), 1.8))
        painter.setBrush(look.colour("accent", 0.12))
        painter.drawRoundedRect(box.adjusted(-6, -6, 6, 6), radius + 6, radius + 6)
    if scale < NAMES_FROM:
        size = round(box.width()), round(box.height())
        small = box_pixmap(look, node.shape, size, round(radius), max(7, round(14 * scale)), ratio)
        painter.drawPixmap(QPointF(box.left() - BLEED, box.top() - BLEED), small)
        return
    paint_box(painter, look, node.shape, box, radius)
    if node.rounded and scale > 0.5:
        painter.setPen(look.pen("line-strong"))
        lid = QPainterPath(QPointF(box.left() + 1, box.top() + 11 * scale))
        lid.quadTo(box.center().x(), box.top() + 20 * scale, box.right() - 1, box.top() + 11 * scale)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(lid)
    _words(painter, look, box, node, scale, ratio)


def _words(painter: QPainter, look: Look, box: QRectF, node: NodeRow, scale: float, ratio: float) -> None:
    sign = max(7.0, 14.0 * min(1.2, scale))
    lower = 3.0 * scale if node.rounded else 0.0
    middle = box.center().y() + lower
    sign = min(sign, 12.0) if box.width() < 110 else sign
    left = box.left() + (10.0 if box.width() > 110 else 7.0 * scale)
    painter.drawPixmap(QPointF(left, middle - sign / 2), sign_pixmap(look, node.shape, max(6, round(sign)), ratio))
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


def _labels(
    painter: QPainter, look: Look, view: MapView, place: Flat, middles: list[tuple[float, float]], own: list[int], box: QRectF
) -> None:
    """What edges carry, the gravest and those chosen first; a label that would lie on another, or on a box, is left out."""
    font = look.font(10, MEDIUM)
    taken = [place.rect(i) for i in range(len(view.nodes))]
    gravity = {"critical": 0, "warning": 1}
    order = sorted(range(len(view.edges)), key=lambda i: (gravity.get(view.edge_shapes[i], 3) - 2 * (i in own), i))
    for i in order[:MOST_LABELS]:
        text = view.edge_labels[i]
        x, y = middles[i]
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
