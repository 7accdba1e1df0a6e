"""How states of the map are drawn: pens of nodes and edges, and edges gathered into few paths so that hundreds cost little."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from ui.desktop import paint
from ui.desktop.look import Look
from ui.views.view import Shape

STEPS = 4
"""Widths an edge may have: more could not be told apart."""
ORDER: tuple[Shape, ...] = ("ok", "info", "acked", "pending", "silenced", "unknown", "warning", "critical")
Key = tuple[Shape, int]
MOST_SIGNS = 512
_SIGNS: dict[tuple[Shape, int, str, float], QPixmap] = {}


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


def edge_pen(look: Look, shape: Shape, width: float, scale: float = 1.0, alpha: float = 1.0) -> QPen:
    """The line of an edge: `width` 0..1 by its rate; over a limit coloured, far over it dashed too."""
    ill = shape in ("critical", "warning")
    colour = look.colour(shape if ill else "line-control", (1.0 if ill else 0.6) * alpha)
    size = max(0.6, (1.2 + 4.2 * width + (0.6 if ill else 0.0)) * scale)
    pen = QPen(colour, size)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if shape == "critical":
        pen.setDashPattern([max(2.0, 9.0 * scale) / size, max(1.4, 5.0 * scale) / size])
    return pen


def _key(shape: Shape, width: float) -> Key:
    return shape, min(STEPS - 1, int(width * STEPS))


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


class Edges:
    """Edges drawn as few paths: one a state and step of width. `middles`: where the label of each edge goes."""

    def __init__(self) -> None:
        self.paths: dict[Key, QPainterPath] = {}
        self.lines: dict[Key, list[QLineF]] = {}
        """Curves cut into straight pieces: thousands of these are drawn several times as fast as one path of as many curves."""
        self.heads: dict[Shape, QPainterPath] = {}
        self.middles: list[tuple[float, float]] = []

    def path(self, shape: Shape, width: float) -> QPainterPath:
        """The path an edge of this state and width (0..1) belongs to."""
        return self.paths.setdefault(_key(shape, width), QPainterPath())

    def pieces(self, shape: Shape, width: float) -> list[QLineF]:
        """The straight pieces of edges of this state and width (0..1)."""
        return self.lines.setdefault(_key(shape, width), [])

    def head(self, shape: Shape, points: list[tuple[float, float]]) -> None:
        """An arrow head: a filled triangle."""
        found = self.heads.setdefault(shape, QPainterPath())
        found.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
        found.closeSubpath()

    def paint(self, painter: QPainter, look: Look, scale: float = 1.0, alpha: float = 1.0) -> None:
        """The well first, the gravest last and so on top."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for (shape, step), path in sorted(self.paths.items(), key=lambda item: (ORDER.index(item[0][0]), item[0][1])):
            painter.setPen(edge_pen(look, shape, (step + 0.5) / STEPS, scale, alpha))
            painter.drawPath(path)
        for (shape, step), lines in sorted(self.lines.items(), key=lambda item: (ORDER.index(item[0][0]), item[0][1])):
            painter.setPen(edge_pen(look, shape, (step + 0.5) / STEPS, scale, alpha))
            painter.drawLines(lines)
        painter.setPen(Qt.PenStyle.NoPen)
        for shape, path in self.heads.items():
            painter.setBrush(look.colour(shape if shape in ("critical", "warning") else "line-control", alpha))
            painter.drawPath(path)
