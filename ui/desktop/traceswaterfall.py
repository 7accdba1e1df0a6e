"""A trace's spans: one below the other on one time axis, or stacked as a flame. Only what is in sight is painted."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from ui.desktop import paint
from ui.desktop.host import Host
from ui.desktop.labels import literal_tip
from ui.desktop.look import MEDIUM
from ui.desktop.touch import kinetic
from ui.views.tracesview import SpanRow, TraceView
from ui.views.view import Tick

ROW, TOUCH_ROW = 24, 38
AXIS = 24
INDENT = 13
DEEPEST = 14
"""Levels that are indented; deeper ones stay below each other."""
NARROW = 460


class SpanCanvas(QAbstractScrollArea):
    """Both forms scroll, point and tell what is under the pointer alike; they differ in where a span lies."""

    def __init__(self, host: Host, name: str) -> None:
        super().__init__()
        self.host, self.look = host, host.look
        self.view: TraceView | None = None
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self._shown = ("", -1)
        kinetic(self)

    @property
    def row(self) -> int:
        return ROW

    def count(self) -> int:
        """Rows or levels there are."""
        raise NotImplementedError

    def line_of_cursor(self) -> int:
        raise NotImplementedError

    def place_at(self, at: QPointF) -> int:
        """The span at a point of the viewport, -1 for none."""
        raise NotImplementedError

    def paint_rows(self, painter: QPainter, view: TraceView, top: float, first: int, last: int) -> None:
        """Paint rows or levels from `first` to before `last`; row 0 begins at `top`."""
        raise NotImplementedError

    def axis(self) -> tuple[float, float]:
        """Left edge and width of the time axis in the viewport."""
        raise NotImplementedError

    def ticks(self, view: TraceView) -> tuple[Tick, ...]:
        """Those of the time axis."""
        return view.ticks

    # ------------------------------------------------------------ showing

    def show_view(self, view: TraceView) -> None:
        """Another picture; the cursor is kept in sight when it has moved."""
        self.view = view
        chosen = view.spans[view.place]
        words = f"{chosen.service} {chosen.operation}, {chosen.duration}{', failed' if chosen.failed else ''}"
        self.setAccessibleDescription(f"{words}, row {view.cursor + 1} of {len(view.rows)}")
        self._range()
        line = self.line_of_cursor()
        if (view.trace, line) != self._shown:
            self._shown = (view.trace, line)
            self._into_sight(line)
        self.viewport().update()

    def _into_sight(self, line: int) -> None:
        bar, room = self.verticalScrollBar(), self.viewport().height() - AXIS
        top = line * self.row
        if top < bar.value():
            bar.setValue(top)
        elif top + self.row > bar.value() + room:
            bar.setValue(top + self.row - room)

    def _range(self) -> None:
        bar, room = self.verticalScrollBar(), max(1, self.viewport().height() - AXIS)
        bar.setPageStep(room)
        bar.setSingleStep(self.row)
        bar.setRange(0, max(0, self.count() * self.row - room))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._range()
        if self.view is not None:
            self._into_sight(self.line_of_cursor())

    def sizeHint(self) -> QSize:
        return QSize(300, AXIS + self.row * min(40, self.count() if self.view is not None else 4))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, AXIS + 3 * self.row)

    # ------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        view = self.view
        if view is None:
            return
        painter = QPainter(self.viewport())
        paint.crisp(painter)
        room = self.viewport().rect()
        scrolled = self.verticalScrollBar().value()
        first = scrolled // self.row
        last = min(self.count(), (scrolled + room.height() - AXIS) // self.row + 2)
        self._axis(painter, view)
        painter.save()
        painter.setClipRect(QRectF(0, AXIS, room.width(), room.height() - AXIS))
        self.paint_rows(painter, view, float(AXIS - scrolled), first, last)
        painter.restore()
        if self.hasFocus():
            paint.focus_ring(painter, self.look, QRectF(room), 5)

    def _axis(self, painter: QPainter, view: TraceView) -> None:
        left, width = self.axis()
        foot = self.viewport().height()
        font = self.look.font("axis")
        last = -1e9
        for tick in self.ticks(view):
            x = left + tick.at * width
            painter.fillRect(QRectF(round(x), AXIS - 5, 1, foot - AXIS + 5), self.look.colour("grid"))
            wide = paint.width_of(font, tick.label)
            at = min(max(x - wide / 2, left), left + width - wide)
            if at > last + 8:
                box = QRectF(at, 3, wide + 2, AXIS - 8)
                paint.words(painter, box, tick.label, font, self.look.colour("text-secondary"))
                last = at + wide
        painter.fillRect(QRectF(0, AXIS - 1, self.viewport().width(), 1), self.look.colour("line-subtle"))

    # ------------------------------------------------------------ pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        place = self.place_at(event.position())
        if place >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.host.tell(self.host.session.point, "span", place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self.view is not None:
            words = self.tip(self.view, QPointF(event.pos()))  # type: ignore[attr-defined]  # a help event has it
            if words:
                QToolTip.showText(event.globalPos(), literal_tip(words), self)  # type: ignore[attr-defined]
                return True
        return super().viewportEvent(event)

    def tip(self, view: TraceView, at: QPointF) -> str:
        """What is under the pointer, "" for nothing."""
        place = self.place_at(at)
        if place < 0:
            return ""
        row = view.spans[place]
        return f"{row.service}: {row.operation}, {row.duration}{', failed' if row.failed else ''}"

    def keyPressEvent(self, event: object) -> None:
        """Keys belong to the session."""
        event.ignore()  # type: ignore[attr-defined]


class Waterfall(SpanCanvas):
    """The tree at the left, the bars at the right."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Spans of the trace, one below the other")

    @property
    def row(self) -> int:
        return TOUCH_ROW if self.look.phone else ROW

    @property
    def names(self) -> float:
        """Width of the tree."""
        wide = self.viewport().width()
        return wide * 0.46 if wide < NARROW else min(380.0, wide * 0.4)

    def axis(self) -> tuple[float, float]:
        return self.names + 8, max(20.0, self.viewport().width() - self.names - 16)

    def count(self) -> int:
        return len(self.view.rows) if self.view is not None else 0

    def line_of_cursor(self) -> int:
        return self.view.cursor if self.view is not None else 0

    def place_at(self, at: QPointF) -> int:
        number = int((at.y() - AXIS + self.verticalScrollBar().value()) // self.row)
        if self.view is None or at.y() < AXIS or not 0 <= number < len(self.view.rows):
            return -1
        return self.view.rows[number]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if place >= 0 and self.view is not None and self.view.spans[place].below:
            left = self._indent(self.view.spans[place])
            if left - 4 <= event.position().x() <= left + 16:
                self.host.tell(self.host.session.point, "fold", self.view.rows.index(place))
                return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if place >= 0 and self.view is not None:
            self.host.tell(self.host.session.point, "fold", self.view.rows.index(place))

    def _indent(self, row: SpanRow) -> float:
        step = INDENT if self.names > 220 else 7
        return 8.0 + step * min(row.depth, DEEPEST)

    def paint_rows(self, painter: QPainter, view: TraceView, top: float, first: int, last: int) -> None:
        left, width = self.axis()
        for number in range(first, last):
            place = view.rows[number]
            row = view.spans[place]
            box = QRectF(0, top + number * self.row, self.viewport().width(), self.row)
            if number == view.cursor:
                painter.fillRect(box, self.look.colour("raised"))
                painter.fillRect(QRectF(0, box.top(), 3, box.height()), self.look.colour("accent"))
            self._name(painter, row, box, place in view.folded)
            self._bar(painter, row, QRectF(left, box.top(), width, box.height()))

    def _name(self, painter: QPainter, row: SpanRow, box: QRectF, folded: bool) -> None:
        look = self.look
        left = self._indent(row)
        if row.below:
            fold_sign(painter, QRectF(left, box.center().y() - 4, 8, 8), look.colour("text-secondary"), folded)
        left += 14
        painter.fillRect(QRectF(left, box.center().y() - 6, 3, 12), look.colour(row.colour))
        left += 9
        if row.failed:
            behind = "card"
            paint.shape(painter, look, "critical", QRectF(left - 1, box.center().y() - 6.5, 13, 13), behind)
            left += 17
        rest = QRectF(left, box.top(), self.names - left - 4, box.height())
        tone = look.colour("text-primary")
        used = paint.words(painter, rest, row.service, look.font("body", MEDIUM), tone, middle=True)
        rest.setLeft(rest.left() + used + 7)
        more = f"  +{row.below}" if folded else ""
        paint.words(painter, rest, f"{row.operation}{more}", look.font("body"), look.colour("text-secondary"))

    def _bar(self, painter: QPainter, row: SpanRow, box: QRectF) -> None:
        look = self.look
        left = box.left() + row.start * box.width()
        wide = max(2.0, (row.end - row.start) * box.width())
        bar = QRectF(left, box.center().y() - 5.5, wide, 11)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour(row.colour, 0.6))
        painter.drawRoundedRect(bar, 2, 2)
        if row.failed:
            painter.setPen(QPen(look.colour("critical"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(bar.adjusted(-1, -1, 1, 1), 3, 3)
        for start, end in row.own:
            part = QRectF(box.left() + start * box.width(), bar.bottom() + 1, max(1.5, (end - start) * box.width()), 2.5)
            painter.fillRect(part, look.colour("text-primary"))
        font = look.font("small")
        need = paint.width_of(font, row.duration)
        words = f"{row.duration}{' *' if row.moved else ''}"
        if bar.right() + need + 16 <= box.right():
            at = QRectF(bar.right() + 6, box.top(), need + 12, box.height())
            paint.words(painter, at, words, font, look.colour("text-secondary"))
        elif left - need - 14 >= box.left():
            at = QRectF(left - need - 14, box.top(), need + 8, box.height())
            paint.words(painter, at, words, font, look.colour("text-secondary"), paint.RIGHT)
        else:
            at = bar.adjusted(6, -4, -6, 4)
            paint.words(painter, at, words, look.font("small", MEDIUM), look.colour("text-primary"), paint.RIGHT)


def fold_sign(painter: QPainter, box: QRectF, colour: object, folded: bool) -> None:
    """A triangle: to the right where something is folded away, down where it is shown."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    if folded:
        corners = (box.topLeft(), QPointF(box.right(), box.center().y()), box.bottomLeft())
    else:
        corners = (box.topLeft(), box.topRight(), QPointF(box.center().x(), box.bottom()))
    painter.drawPolygon(QPolygonF(list(corners)))
