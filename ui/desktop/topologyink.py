"""How states of the map are drawn: pens of nodes and edges, and edges drawn a pen at a time so that hundreds cost little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from ui.desktop import paint
from ui.desktop.look import Look
from ui.views.view import Floats, Shape

STEPS = 4
"""Widths an edge may have: more could not be told apart."""
ORDER: tuple[Shape, ...] = ("ok", "info", "acked", "pending", "silenced", "unknown", "warning", "critical")
_LEVELS = {shape: level for level, shape in enumerate(ORDER)}
MANY = 150
"""Edges from which on they are drawn as straight pieces."""
MOST_SIGNS = 512
BLEED = 5
_SIGNS: dict[tuple[Shape, int, str, float], QPixmap] = {}
_BOXES: dict[tuple[Shape, tuple[int, int], int, str, float], QPixmap] = {}


def node_pen(look: Look, shape: Shape) -> QPen:
    """The border of a node by its state: thick, dashed and dotted, so that it reads without colour."""
    if shape in ("critical", "warning"):
        return QPen(look.colour(shape), 2.0 if shape == "critical" else 1.7)
    if shape == "unknown":
        pen = QPen(look.colour("unknown"), 1.4)
        pen.setDashPattern([3.6, 2.2])
        return pen
    if shape == "silenced":
        pen = QPen(look.colour("silenced"), 1.5)
        pen.setDashPattern([1.0, 2.2])
        return pen
    return QPen(look.colour("line-control"), 1.0)


def mixed(look: Look, name: str, alpha: float) -> QColor:
    """A colour over the card, opaque: hundreds of wide translucent lines cost seven times as much as opaque ones."""
    front, ground = look.colour(name), look.colour("card")
    if alpha >= 1.0:
        return front
    rest = 1.0 - alpha
    return QColor.fromRgbF(
        front.redF() * alpha + ground.redF() * rest,
        front.greenF() * alpha + ground.greenF() * rest,
        front.blueF() * alpha + ground.blueF() * rest,
    )


def edge_pen(look: Look, shape: Shape, width: float, scale: float = 1.0, alpha: float = 1.0) -> QPen:
    """The line of an edge: `width` 0..1 by its rate; over a limit coloured, far over it dashed too."""
    ill = shape in ("critical", "warning")
    colour = mixed(look, shape if ill else "line-control", (1.0 if ill else 0.6) * alpha)
    size = max(0.6, (1.2 + 4.2 * width + (0.6 if ill else 0.0)) * scale)
    pen = QPen(colour, size)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if shape == "critical":
        pen.setDashPattern([max(2.0, 9.0 * scale) / size, max(1.4, 5.0 * scale) / size])
    return pen


def sign_pixmap(look: Look, shape: Shape, size: int, ratio: float) -> QPixmap:
    """The silhouette of a state on a raised ground, painted once a size and theme."""
    key = (shape, size, look.theme.name, ratio)
    found = _SIGNS.get(key)
    if found is None:
        if len(_SIGNS) > MOST_SIGNS:
            _SIGNS.clear()
        found = _SIGNS[key] = QPixmap(round(size * ratio), round(size * ratio))
        found.setDevicePixelRatio(ratio)
        found.fill(Qt.GlobalColor.transparent)
        painter = QPainter(found)
        paint.shape(painter, look, shape, QRectF(0, 0, size, size), "raised")
        painter.end()
    return found


def box_pixmap(look: Look, shape: Shape, size: tuple[int, int], radius: int, sign: int, ratio: float) -> QPixmap:
    """A node that is too small for its name, with `BLEED` pixels round it, painted once a size and theme."""
    key = (shape, size, radius, look.theme.name, ratio)
    found = _BOXES.get(key)
    if found is None:
        if len(_BOXES) > MOST_SIGNS:
            _BOXES.clear()
        w, h = size[0] + 2 * BLEED, size[1] + 2 * BLEED
        found = _BOXES[key] = QPixmap(round(w * ratio), round(h * ratio))
        found.setDevicePixelRatio(ratio)
        found.fill(Qt.GlobalColor.transparent)
        painter = QPainter(found)
        paint.crisp(painter)
        box = QRectF(BLEED, BLEED, *size)
        paint_box(painter, look, shape, box, float(radius))
        paint.shape(painter, look, shape, paint.centred(box, sign, box.center().x() - sign / 2), "raised")
        painter.end()
    return found


def paint_box(painter: QPainter, look: Look, shape: Shape, box: QRectF, radius: float) -> None:
    """The box of a node, its border by its state: double where it is critical."""
    if shape == "critical":
        painter.setPen(QPen(look.colour("critical", 0.45), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(-3, -3, 3, 3), radius + 3, radius + 3)
    painter.setPen(node_pen(look, shape))
    painter.setBrush(look.brush("raised"))
    painter.drawRoundedRect(box, radius, radius)


def codes_of(shapes: Sequence[Shape], widths: Floats) -> npt.NDArray[np.int64]:
    """What pen each edge is drawn with: its state in the order of `ORDER`, and one of `STEPS` widths."""
    levels = np.array([_LEVELS[shape] for shape in shapes], np.int64)
    return levels * STEPS + np.minimum(STEPS - 1, (widths * STEPS).astype(np.int64))


def paint_ways(
    painter: QPainter, look: Look, ways: Floats, codes: npt.NDArray[np.int64], few: bool, scale: float = 1.0, alpha: float = 1.0
) -> None:
    """Edges along float64[m, p, 2], the well first, the gravest last and so on top.

    A map of `few` edges is drawn as whole curves; one of many as straight pieces, which is several times as fast, but for those
    with dashes, which go on from piece to piece.
    """
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for code in np.unique(codes).tolist():
        shape, step = ORDER[code // STEPS], code % STEPS
        painter.setPen(edge_pen(look, shape, (step + 0.5) / STEPS, scale, alpha))
        own = ways[codes == code]
        if few or shape == "critical":
            painter.drawPath(path_along(own))
        else:
            pieces = np.concatenate((own[:, :-1], own[:, 1:]), axis=2).reshape(-1, 4).tolist()
            painter.drawLines([QLineF(a, b, c, d) for a, b, c, d in pieces])


def path_along(ways: Floats) -> QPainterPath:
    """One path of all these ways, float64[m, p, 2]."""
    path = QPainterPath()
    for points in ways.tolist():
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    return path


def paint_heads(painter: QPainter, look: Look, tips: Floats, size: float, shapes: Sequence[Shape]) -> None:
    """Arrow heads to the right, filled, at float64[m, 2]."""
    heads: dict[Shape, QPainterPath] = {}
    for (x, y), shape in zip(tips.tolist(), shapes, strict=True):
        path = heads.setdefault(shape, QPainterPath())
        path.addPolygon(QPolygonF([QPointF(x, y), QPointF(x - size, y - size * 0.55), QPointF(x - size, y + size * 0.55)]))
        path.closeSubpath()
    painter.setPen(Qt.PenStyle.NoPen)
    for shape in sorted(heads, key=_LEVELS.__getitem__):
        painter.setBrush(look.colour(shape if shape in ("critical", "warning") else "line-control"))
        painter.drawPath(heads[shape])
