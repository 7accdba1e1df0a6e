"""The map as a widget: paints the picture in two or three dimensions, and takes what a pointer does on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy

from monitor.topology.projection import Projected, pick
from ui.desktop import paint, topologyflat, topologyspace
from ui.desktop.host import Host, Painted, has_caret
from ui.desktop.labels import literal_tip
from ui.desktop.topologyflat import Flat
from ui.desktop.topologyink import edge_pen
from ui.desktop.topologyways import nearest
from ui.views.theme import GLYPHS
from ui.views.topologypicture import say_edge
from ui.views.topologyview import NodeRow, TopologyView
from ui.views.view import Shape

if TYPE_CHECKING:
    from ui.views.topology import Topology

LEGEND: tuple[Shape, ...] = ("critical", "warning", "ok", "unknown", "silenced")
CLICK = 4.0
"""Pixels a press may move and still be a click."""
RADIANS = 0.008
"""Turned by a pixel of dragging."""


class MapCanvas(Painted):
    """Drag moves the map (turns it in 3D; Shift or the right button moves it), the wheel zooms, a click opens what is there."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.setAccessibleName("Service map")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.view: TopologyView | None = None
        self.small = False
        """A picture to look at above the table: without legend and gestures."""
        self._flat: Flat | None = None
        self._seen: Projected | None = None
        self._pressed: QPointF | None = None
        self._last = QPointF()
        self._dragged = False
        self._ring = False
        """Whether the focus came by Tab: otherwise the ring round the chosen node is enough."""

    def sizeHint(self) -> QSize:
        return QSize(480, 320)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 160)

    @property
    def model(self) -> Topology:
        """The page's own state, which turns, moves and zooms."""
        from ui.views.topology import Topology

        found = self.host.session.pages["topology"]
        assert isinstance(found, Topology)
        return found

    def show_view(self, view: TopologyView) -> None:
        """Paint a picture; nothing happens when it shows the same."""
        old = self.view
        self.view = view
        if old is not None and _same(old, view):
            return
        self.setAccessibleDescription(f"{paint.plain(view.sentence)} {view.counts}. {_chosen(view)}".strip())
        self.update()

    # ------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        view = self.view
        if view is None:
            return
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect())
        self._flat = self._seen = None
        if not view.map.nodes:
            words = "Nothing on the map passes the filter." if view.counts else ""
            paint.words(painter, box, words, self.look.font("body"), self.look.colour("text-secondary"), paint.CENTRE)
        elif view.mode == "3D":
            self._seen = topologyspace.seen(view.map, view.orbit, box.width(), box.height())
            topologyspace.paint_space(painter, self.look, view.map, self._seen, view.orbit, view.cursor, box, view.edge)
        else:
            self._flat = topologyflat.flat(view.map, view.flat, box.width(), box.height())
            topologyflat.paint_flat(painter, self.look, view.map, self._flat, view.cursor, box, view.edge)
        if not self.small:
            self._legend(painter, box)
        if self._ring and has_caret(self):
            paint.focus_ring(painter, self.look, box)

    def _legend(self, painter: QPainter, box: QRectF) -> None:
        look, font = self.look, self.look.font(10 if not self.look.phone else 12)
        strip = QRectF(box.left() + 1, box.bottom() - 31, box.width() - 2, 29)
        painter.fillRect(strip, look.colour("card", 0.9))
        left, middle = strip.left() + 12, strip.center().y()
        for shape in LEGEND:
            words = GLYPHS[shape].word
            paint.shape(painter, look, shape, QRectF(left, middle - 6, 12, 12))
            left += (
                17 + paint.words(painter, QRectF(left + 17, strip.top(), 90, 29), words, font, look.colour("text-secondary")) + 14
            )
        for pen, words in (
            (edge_pen(look, "ok", 0.1), ""),
            (edge_pen(look, "ok", 0.9), "1 to 10,000 /s"),
            (edge_pen(look, "critical", 0.3), "over its error or latency limit"),
        ):
            wide = paint.width_of(font, words)
            if left + 34 + wide > strip.right() - 12:
                break
            painter.setPen(pen)
            painter.drawLine(QPointF(left, middle), QPointF(left + 30, middle))
            left += 36
            if words:
                paint.words(painter, QRectF(left, strip.top(), wide + 2, 29), words, font, look.colour("text-secondary"))
                left += wide + 14

    # ------------------------------------------------------------ pointer

    def node_at(self, x: float, y: float) -> int | None:
        """Which of the nodes shown lies at a point."""
        if self._flat is not None:
            return self._flat.pick(x, y)
        if self._seen is not None and self.view is not None:
            return pick(self._seen, x, y, topologyspace.radius_of(self.view.map, self._seen, self.width(), self.height()) + 4.0)
        return None

    def edge_at(self, x: float, y: float) -> int | None:
        """Which of the edges shown passes a point."""
        if self.view is None:
            return None
        if self._flat is not None:
            return nearest(topologyflat.ways_of(self.view.map, self._flat), x, y)
        if self._seen is not None:
            radius = topologyspace.radius_of(self.view.map, self._seen, self.width(), self.height())
            return nearest(topologyspace.ways_of(self.view.map, self._seen, radius), x, y)
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._pressed = self._last = event.position()
        self._dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pressed is None:
            self._hover(at)
            return
        if not self._dragged and (at - self._pressed).manhattanLength() < CLICK:
            return
        self._dragged = True
        by, self._last = at - self._last, at
        aside = event.buttons() & Qt.MouseButton.RightButton or event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if self.view is not None and self.view.mode == "3D" and not aside:
            self.host.tell(self.model.turn, -by.x() * RADIANS, by.y() * RADIANS)
        else:
            self.host.tell(self.model.pan, by.x() / max(1, self.width()), by.y() / max(1, self.height()))

    def _hover(self, at: QPointF) -> None:
        found = self.node_at(at.x(), at.y())
        edge = self.edge_at(at.x(), at.y()) if found is None else None
        there = found is not None or edge is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if there else Qt.CursorShape.ArrowCursor)
        words = ""
        if self.view is not None and found is not None:
            words = say_node(self.view.map.nodes[found])
        elif self.view is not None and edge is not None:
            words = say_edge(self.view.map, edge)
        tip = literal_tip(words)
        if tip != self.toolTip():
            self.setToolTip(tip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is None or self._dragged or event.button() != Qt.MouseButton.LeftButton:
            return
        found = self.node_at(event.position().x(), event.position().y())
        edge = self.edge_at(event.position().x(), event.position().y()) if found is None else None
        if found is not None:
            self.host.tell(self.host.session.open, "topology", found)
        elif edge is not None:
            self.host.tell(self.host.session.point, "topology.edge", edge)
        else:
            self.host.tell(self.host.session.point, "topology", -1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.small:
            event.ignore()
            return
        self.host.tell(self.model.zoom, 1.0015 ** event.angleDelta().y())
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()


def _same(old: TopologyView, new: TopologyView) -> bool:
    return (
        old.map is new.map
        and (old.cursor, old.edge, old.mode, old.flat, old.orbit) == (new.cursor, new.edge, new.mode, new.flat, new.orbit)
        and old.counts == new.counts
    )


def _chosen(view: TopologyView) -> str:
    return say_node(view.map.nodes[view.cursor]) if 0 <= view.cursor < len(view.map.nodes) else ""


def say_node(node: NodeRow) -> str:
    """A node in words: `Critical: checkout, service, 122 /s, 18.4 % of requests fail, p99 2.41 s`."""
    figures = [str(node.rate), f"{node.errors} of requests fail", f"p99 {node.p99}"]
    return f"{GLYPHS[node.shape].word}: {node.name}, {node.kind}, " + ", ".join(f for f in figures if "no data" not in f)
