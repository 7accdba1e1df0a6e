"""A plot: pyqtgraph's view box and axes with our own painting, fixed ranges, a shared crosshair and time zoom by mouse."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsGridLayout, QGraphicsScene, QGraphicsView, QSizePolicy

from ui.desktop import exemplars, paint
from ui.desktop.curves import Curves
from ui.desktop.envelope import nearest
from ui.desktop.look import STRONG, Look
from ui.desktop.readout import Readout
from ui.views.view import ChartView, ExemplarMark

AXIS_WIDTH, AXIS_HEIGHT = 66, 19
MIN_ZOOM = 5.0
_CATCH = 12.0


class Crossing:
    """One crosshair for all plots of a window: the plot under the pointer moves it, the others follow."""

    def __init__(self, clock: Callable[[float], str]) -> None:
        self.at: float | None = None
        self.clock = clock
        self._plots: weakref.WeakSet[Plot] = weakref.WeakSet()

    def join(self, plot: Plot) -> None:
        self._plots.add(plot)

    def move(self, at: float | None) -> None:
        if at == self.at:
            return
        self.at = at
        for plot in self._plots:
            if plot.isVisible():
                plot.cross.update()


class ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """The left axis with the words of the picture; pyqtgraph keeps its place and range."""

    def __init__(self, look: Look, curves: Curves) -> None:
        super().__init__("left")
        self.look, self.curves = look, curves
        self.setWidth(AXIS_WIDTH)

    def boundingRect(self) -> QRectF:
        # pyqtgraph's own reaches into the view box, and would be painted anew with every frame of it.
        return QRectF(0, -2, self.size().width() - 5, self.size().height() + 10)

    def paint(self, painter: QPainter, option: object, widget: object = None) -> None:
        view = self.curves.view
        if view is None:
            return
        scale = self.curves.scale()
        font, colour, width = self.look.font("axis"), self.look.pens.axis_text, self.size().width() - 6
        for tick in view.y_ticks:
            y = scale.py(tick.at)
            if scale.box.top() - 6 <= y <= scale.box.bottom() + 6:
                paint.words(painter, QRectF(0, y - 8, width, 16), tick.label, font, colour, paint.RIGHT)


class TimeAxis(pg.AxisItem):  # type: ignore[misc]
    """The bottom axis: round minutes, never two labels over each other."""

    def __init__(self, look: Look, curves: Curves) -> None:
        super().__init__("bottom")
        self.look, self.curves = look, curves
        self.setHeight(AXIS_HEIGHT)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self.size().width(), self.size().height())

    def paint(self, painter: QPainter, option: object, widget: object = None) -> None:
        view = self.curves.view
        if view is None:
            return
        scale = self.curves.scale()
        font = self.look.font("axis")
        colour = self.look.pens.axis_text
        free, right = 0.0, self.size().width()
        for tick in view.x_ticks:
            half = paint.width_of(font, tick.label) / 2
            x = scale.px(tick.at)
            if x - half < free or x + half > right:
                continue
            paint.words(painter, QRectF(x - half, 3, half * 2 + 1, 14), tick.label, font, colour)
            free = x + half + 8


class Cross(pg.GraphicsObject):  # type: ignore[misc]
    """Crosshair line, rings on the lines, the time below and, in the plot under the pointer, the values."""

    def __init__(self, look: Look, curves: Curves, crossing: Crossing, parent: pg.ViewBox) -> None:
        super().__init__(parent)
        self.look, self.curves, self.crossing = look, curves, crossing
        self.hovered = False
        self.exemplar: ExemplarMark | None = None
        """The one under the pointer."""

    def boundingRect(self) -> QRectF:
        return self.curves.boundingRect()

    def paint(self, painter: QPainter, option: object, widget: object = None) -> None:
        view, at = self.curves.view, self.crossing.at
        if view is None or at is None or not view.x[0] <= at <= view.x[1]:
            return
        scale = self.curves.scale()
        x = scale.px(at)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.look.pens.crosshair)
        painter.drawLine(QLineF(round(x) + 0.5, scale.box.top(), round(x) + 0.5, scale.box.bottom()))
        readout = Readout.of(view, at)
        for line, value in readout.points:
            painter.setPen(QPen(self.look.colour(line.colour), 2))
            painter.setBrush(self.look.brush("card"))
            painter.drawEllipse(QPointF(x, scale.py(scale.data(value))), 3.5, 3.5)
        self._time(painter, scale.box, x, self.crossing.clock(at))
        if self.hovered and self.exemplar is not None:
            exemplars.say(painter, self.look, self.exemplar, scale)
        elif self.hovered and readout.points:
            self._values(painter, scale.box, x, readout)

    def _time(self, painter: QPainter, box: QRectF, x: float, words: str) -> None:
        font = self.look.font("axis", STRONG)
        width = paint.width_of(font, words) + 10
        chip = QRectF(min(max(x - width / 2, box.left()), box.right() - width), box.bottom() - 15, width, 15)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush("text-primary"))
        painter.drawRoundedRect(chip, 3, 3)
        paint.words(painter, chip, words, font, self.look.colour("canvas"), paint.CENTRE)

    def _values(self, painter: QPainter, box: QRectF, x: float, readout: Readout) -> None:
        name, bold = self.look.font(11), self.look.font(11, STRONG)
        rows = readout.rows()[: max(1, int((box.height() - 24) // 16))]
        wide_names = min(180.0, max(paint.width_of(name, row[0].name) for row in rows))
        width = 10 + 18 + wide_names + 12 + max(paint.width_of(bold, row[1]) for row in rows) + 10
        height = 16 * len(rows) + 8
        left = x + 12 if x + 12 + width < box.right() else max(box.left(), x - 12 - width)
        tip = QRectF(left, box.top() + 4, width, height)
        painter.setPen(self.look.pen("line-control"))
        painter.setBrush(self.look.brush("raised", 0.96))
        painter.drawRoundedRect(tip, 6, 6)
        for number, (line, words) in enumerate(rows):
            row = QRectF(tip.left() + 10, tip.top() + 4 + number * 16, width - 20, 16)
            painter.fillRect(QRectF(row.left(), row.center().y() - 1, 12, 2.5), self.look.colour(line.colour))
            paint.words(painter, row.adjusted(18, 0, 0, 0), line.name, name, self.look.colour("text-primary"), middle=True)
            paint.words(painter, row, words, bold, self.look.colour("text-primary"), paint.RIGHT)


class Plot(pg.GraphicsView):  # type: ignore[misc]
    """Axes and lines of one chart. `zoomed(start, end)` is called when the mouse asks for another span of time."""

    def __init__(
        self, look: Look, crossing: Crossing, zoomed: Callable[[float, float], None], hovered: Callable[[float | None], None]
    ) -> None:
        super().__init__(useOpenGL=False, background=None)
        self.look, self.crossing, self.zoomed, self.hover = look, crossing, zoomed, hovered
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setBackgroundBrush(look.colour("card"))
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.box = pg.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0.0)
        self.box.disableAutoRange()
        self.curves = Curves(look, self.box)
        self.cross = Cross(look, self.curves, crossing, self.box)
        self.left, self.bottom = ValueAxis(look, self.curves), TimeAxis(look, self.curves)
        holder = pg.GraphicsWidget()
        grid = QGraphicsGridLayout()
        grid.setContentsMargins(0, 0, 4, 0)
        grid.setSpacing(0)
        for axis, row, column in ((self.left, 0, 0), (self.bottom, 1, 1)):
            axis.enableAutoSIPrefix(False)
            axis.linkToView(self.box)
            grid.addItem(axis, row, column)
        grid.addItem(self.box, 0, 1)
        grid.setColumnStretchFactor(1, 100)
        grid.setRowStretchFactor(0, 100)
        holder.setLayout(grid)
        self.setCentralItem(holder)
        self._held = (holder, grid)
        self.box.sigResized.connect(self._resized)
        self._drag: float | None = None
        self._span = (0.0, 1.0)
        self._pressed: ExemplarMark | None = None
        self.follow: Callable[[str], None] = lambda key: None
        """Called with the key of an exemplar that was pressed."""
        crossing.join(self)

    def sizeHint(self) -> QSize:
        return QSize(240, 110)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 70)

    def show_chart(self, view: ChartView) -> None:
        """Paint a picture; ranges are taken as they are."""
        old = self.curves.view
        self.curves.show(view)
        if old is None or old.x != view.x or old.y != view.y:
            self.box.setRange(xRange=view.x, yRange=view.y, padding=0, disableAutoRange=False)
        if old is None or old.y_ticks != view.y_ticks or old.y != view.y:
            self.left.update()
        if old is None or old.x_ticks != view.x_ticks or old.x != view.x:
            self.bottom.update()

    def restyle(self) -> None:
        self.setBackgroundBrush(self.look.colour("card"))
        self.viewport().update()

    def _resized(self, *_: object) -> None:
        self.curves.resize(self.box.rect())
        self.cross.prepareGeometryChange()
        self.left.update()
        self.bottom.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        if event is not None:
            super().resizeEvent(event)

    # ------------------------------------------------------------ mouse

    def time_at(self, x: float) -> float:
        """The moment under a pixel of this widget."""
        return self.curves.scale().at(self.box.mapFromScene(self.mapToScene(int(x), 0)).x())

    def _line_at(self, place: QPointF) -> int:
        """The line under the pointer, -1 for none."""
        view = self.curves.view
        if view is None or len(view.lines) < 2:
            return -1
        scale, at = self.curves.scale(), self.time_at(place.x())
        y = self.box.mapFromScene(self.mapToScene(place.toPoint())).y()
        best, gap = -1, _CATCH
        for number, line in enumerate(view.lines):
            found = nearest(line.times, at)
            if found >= 0 and (away := abs(scale.py(scale.data(float(line.values[found]))) - y)) < gap:
                best, gap = number, away
        return best

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        view = self.curves.view
        if view is None:
            return
        if self._drag is not None and event.buttons() & Qt.MouseButton.LeftButton:
            seconds = (self._span[1] - self._span[0]) / (self.curves.scale().box.width() or 1.0)
            shift = (self._drag - event.position().x()) * seconds
            if abs(self._drag - event.position().x()) > 3:
                self.zoomed(self._span[0] + shift, self._span[1] + shift)
            return
        at = self.time_at(event.position().x())
        inside = view.x[0] <= at <= view.x[1]
        self.cross.hovered = inside
        self._point_at(self._exemplar_at(event.position()) if inside else None)
        emphasis = self._line_at(event.position())
        if emphasis != self.curves.emphasis:
            self.curves.emphasis = emphasis
            self.curves.update()
        self.crossing.move(at if inside else None)
        self.hover(at if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        self.cross.hovered = False
        self._point_at(None)
        if self.curves.emphasis >= 0:
            self.curves.emphasis = -1
            self.curves.update()
        self.crossing.move(None)
        self.hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        view = self.curves.view
        if view is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = self._exemplar_at(event.position(), exemplars.TOUCH if self.look.phone else exemplars.CATCH)
            self._drag, self._span = event.position().x(), view.x
        event.ignore() if view is None else event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved = abs(self._drag - event.position().x()) if self._drag is not None else 0.0
        pressed, self._pressed, self._drag = self._pressed, None, None
        if pressed is not None and moved <= 3:
            self.follow(pressed.key)

    def _exemplar_at(self, place: QPointF, reach: float = exemplars.CATCH) -> ExemplarMark | None:
        view = self.curves.view
        if view is None or not view.exemplars:
            return None
        pointer = self.box.mapFromScene(self.mapToScene(place.toPoint()))
        return exemplars.under(view, self.curves.scale(), pointer, reach)

    def _point_at(self, mark: ExemplarMark | None) -> None:
        if mark is not self.cross.exemplar:
            self.cross.exemplar = mark
            self.setCursor(Qt.CursorShape.PointingHandCursor if mark is not None else Qt.CursorShape.ArrowCursor)
            self.cross.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        view = self.curves.view
        if view is None or (not event.modifiers() & Qt.KeyboardModifier.ControlModifier and self._page_scrolls()):
            event.ignore()
            return
        self.zoom_by(0.8 if event.angleDelta().y() > 0 else 1.25, self.time_at(event.position().x()))
        event.accept()

    def _page_scrolls(self) -> bool:
        """On a page that scrolls the wheel scrolls it; Ctrl and the wheel zoom everywhere."""
        from PySide6.QtWidgets import QScrollArea

        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        return above is not None and above.verticalScrollBar().maximum() > 0

    def zoom_by(self, factor: float, at: float) -> None:
        """Show `factor` times as much time, with `at` staying where it is."""
        view = self.curves.view
        if view is None or (view.x[1] - view.x[0]) * factor < MIN_ZOOM:
            return
        self.zoomed(at - (at - view.x[0]) * factor, at + (view.x[1] - at) * factor)
