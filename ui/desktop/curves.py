"""One graphics item that paints everything inside a plot: grid, shades, gaps, lines, threshold, markers, last points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from ui.desktop import exemplars, paint
from ui.desktop.envelope import EMPTY, Trace, log_space, traces
from ui.desktop.look import MEDIUM, Look, dash_pen
from ui.views.theme import tokens
from ui.views.view import ChartView, Floats, Line, Threshold

_CHART = tokens()["chart"]
_LEAST_FOR_WORDS = 90
"""Pixels that a plot is high before words stand in it beside its markers."""
_FEW_SEGMENTS = 800
"""Segments of a dashed line that Qt may dash itself."""
_AA_SEGMENTS = 6000
"""Segments a plot may paint smoothly; beyond, the uprights of a dense plot look the same without and cost a third."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Seconds and values to pixels of the plot area."""

    x: tuple[float, float]
    y: tuple[float, float]
    box: QRectF
    log: bool

    def px(self, at: float) -> float:
        return self.box.left() + (at - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0) * self.box.width()

    def py(self, value: float) -> float:
        """Pixel of a value already in the axis' space."""
        return self.box.bottom() - (value - self.y[0]) / ((self.y[1] - self.y[0]) or 1.0) * self.box.height()

    def data(self, value: float) -> float:
        """A raw value in the axis' space."""
        if not self.log:
            return value
        return float(np.log10(value)) if value > 0 else self.y[0]

    def at(self, px: float) -> float:
        return self.x[0] + (px - self.box.left()) / (self.box.width() or 1.0) * (self.x[1] - self.x[0])


class Curves(pg.GraphicsObject):  # type: ignore[misc]
    """Paints a `ChartView` in the pixels of the view box it lies in. Traces are kept until data, range or size change."""

    def __init__(self, look: Look, parent: pg.ViewBox) -> None:
        super().__init__(parent)
        self.look = look
        self.view: ChartView | None = None
        self.emphasis = -1
        self._size = QRectF()
        self._traces: list[Trace] = []
        self._made_for: tuple[object, ...] = ()
        self._segments = PrimitiveArray(QLineF, 4)
        self.smooth = True

    def show(self, view: ChartView) -> None:
        self.view = view
        self.update()

    def resize(self, size: QRectF) -> None:
        if size != self._size:
            self.prepareGeometryChange()
            self._size = QRectF(size)

    def boundingRect(self) -> QRectF:
        return self._size

    def scale(self) -> Scale:
        """The scale in use; the right end keeps room for the dot of the last point."""
        view = self.view
        box = self._size.adjusted(0, 7, -4, -1)
        return Scale(view.x, view.y, box, view.log) if view else Scale((0, 1), (0, 1), box, False)

    def paint(self, painter: QPainter, option: object, widget: object = None) -> None:
        view = self.view
        if view is None or self._size.width() < 8 or self._size.height() < 8:
            return
        scale = self.scale()
        self._grid(painter, view, scale)
        painter.save()
        painter.setClipRect(scale.box.adjusted(0, -3, 4, 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._shades(painter, view, scale)
        self._others(painter, view, scale)
        self._lines(painter, view, scale)
        painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for threshold in view.threshold:
            self._threshold(painter, threshold, scale)
        self._markers(painter, view, scale)
        exemplars.draw(painter, self.look, view, scale)
        self._ends(painter, view)

    # ------------------------------------------------------------ ground

    def _grid(self, painter: QPainter, view: ChartView, scale: Scale) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(self.look.pens.grid)
        box = scale.box
        lines = [QLineF(box.left(), y, box.right() + 4, y) for y in (round(scale.py(tick.at)) for tick in view.y_ticks)]
        lines += [QLineF(x, box.top(), x, box.bottom()) for x in (round(scale.px(tick.at)) for tick in view.x_ticks)]
        painter.drawLines(lines)

    def _shades(self, painter: QPainter, view: ChartView, scale: Scale) -> None:
        box = scale.box.toAlignedRect()
        for start, end, name in view.broken:
            left, right = max(box.left(), round(scale.px(start))), min(box.right(), round(scale.px(end)))
            if right > left:
                painter.fillRect(QRect(left, box.top(), right - left, box.height()), self.look.colour(name, 0.09))
        for start, end, words in view.gaps:
            left, right = max(box.left(), round(scale.px(start))), min(box.right(), round(scale.px(end)))
            if right > left:
                self._gap(painter, QRect(left, box.top(), right - left, box.height()), words)

    def _gap(self, painter: QPainter, where: QRect, words: str) -> None:
        # Whole pixels: the rasteriser fills them ten times as fast as halves.
        painter.fillRect(where, self.look.colour("unknown", 0.09))
        span = QRectF(where)
        paint.hatch(painter, span, self.look.colour("unknown", 0.45), 6.0)
        font = self.look.font("axis", MEDIUM)
        width = paint.width_of(font, words) + 10
        if words and width < span.width() - 4 and span.height() > 24:
            chip = QRectF(span.center().x() - width / 2, span.top() + 4, width, 16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.brush("card"))
            painter.drawRoundedRect(chip, 3, 3)
            paint.words(painter, chip, words, font, self.look.colour("unknown"), paint.CENTRE)

    def _others(self, painter: QPainter, view: ChartView, scale: Scale) -> None:
        if view.others is None:
            return
        times, low, high = view.others
        if view.log:
            low, high = log_space(low), log_space(high)
        known = ~(np.isnan(low) | np.isnan(high))
        if int(known.sum()) < 2:
            return
        times, low, high = times[known], low[known], high[known]
        points = np.empty((2 * len(times), 2))
        points[: len(times), 0] = scale.box.left() + (times - scale.x[0]) / (scale.x[1] - scale.x[0]) * scale.box.width()
        points[len(times) :, 0] = points[: len(times), 0][::-1]
        spread = (scale.y[1] - scale.y[0]) or 1.0
        points[: len(times), 1] = scale.box.bottom() - (high - scale.y[0]) / spread * scale.box.height()
        points[len(times) :, 1] = (scale.box.bottom() - (low - scale.y[0]) / spread * scale.box.height())[::-1]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush("others", _CHART["band-opacity"] + 0.04))
        painter.drawPolygon(polygon(points))

    # ------------------------------------------------------------ lines

    def traces(self, view: ChartView, scale: Scale, ratio: float = 1.0) -> list[Trace]:
        """What to draw of each line, remade only when data, range or size changed."""
        key = (id(view.lines), view.revision, scale.x, scale.y, scale.box.width(), scale.box.height(), ratio)
        if key != self._made_for:
            self._traces = self._made(view, scale, ratio)
            self._made_for = key
        return self._traces

    @staticmethod
    def _made(view: ChartView, scale: Scale, ratio: float) -> list[Trace]:
        """Traces of all lines; those that share their times, as most do, are made in one go."""
        box = (scale.box.left(), scale.box.top(), scale.box.width(), scale.box.height())
        made = [EMPTY] * len(view.lines)
        left = [number for number, line in enumerate(view.lines) if len(line.times)]
        while left:
            times = view.lines[left[0]].times
            group = [n for n in left if view.lines[n].times is times or np.array_equal(view.lines[n].times, times)]
            values = [log_space(view.lines[n].values) if view.log else view.lines[n].values for n in group]
            for number, found in zip(group, traces(times, values, scale.x, scale.y, box, ratio), strict=True):
                made[number] = found
            left = [n for n in left if n not in group]
        return made

    def _lines(self, painter: QPainter, view: ChartView, scale: Scale) -> None:
        ratio = painter.device().devicePixelRatio()
        drawn_lines = self.traces(view, scale, ratio)
        smooth = self.smooth and sum(len(t.segments) for t in drawn_lines) <= _AA_SEGMENTS
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
        order = list(range(len(drawn_lines)))[::-1]
        if 0 <= self.emphasis < len(drawn_lines):
            order.remove(self.emphasis)
            order.append(self.emphasis)
        for number in order:
            line, drawn = view.lines[number], drawn_lines[number]
            if not len(drawn.segments):
                continue
            if len(view.lines) == 1 and line.colour in ("critical", "warning"):
                self._area(painter, drawn, scale, line.colour)
            pen = self.pen_of(line, number)
            if drawn.dense:
                # Uprights stand a device pixel apart: where they are tall, wider ones would only smear into each other.
                wide = pen.widthF() if drawn.calm else 1.0 / ratio
                pen = QPen(pen.color(), 2 * wide if number == self.emphasis else wide)
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            self._segments_of(painter, drawn.segments, line.dash)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def pen_of(self, line: Line, number: int) -> QPen:
        """The pen of a line: thicker when it is the one looked at, faint when another is."""
        pens = self.look.pens
        loud = number == self.emphasis
        if line.colour.startswith("series-"):
            place = (int(line.colour.rpartition("-")[2]) - 1) % len(pens.lines)
            pen = (pens.emphasis if loud else pens.lines)[place]
        else:
            pen = dash_pen(self.look.colour(line.colour), _CHART["line-emphasis" if loud else "line"], [])
            pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        if self.emphasis >= 0 and not loud:
            pen = QPen(pen)
            faint = QColor(pen.color())
            faint.setAlphaF(_CHART["line-deemphasis-opacity"])
            pen.setColor(faint)
        return pen

    def _segments_of(self, painter: QPainter, segments: Floats, dash: int) -> None:
        pattern = _CHART["series-dashes"][dash % 8] if dash else []
        if pattern and len(segments) <= _FEW_SEGMENTS:
            self._dashed_runs(painter, segments, pattern)
            return
        if pattern:
            segments = dashed(segments, pattern)
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            painter.setPen(pen)
        if not len(segments):
            return
        self._segments.resize(len(segments))
        self._segments.ndarray()[:] = segments
        painter.drawLines(*self._segments.drawargs())

    def _dashed_runs(self, painter: QPainter, segments: Floats, pattern: list[float]) -> None:
        """Dashes along the line itself, so that a steep part of a line of few points does not fall into a pause as a whole."""
        pen = painter.pen()
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([part / max(pen.widthF(), 1e-6) for part in pattern])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        apart = np.abs(segments[1:, :2] - segments[:-1, 2:]).max(axis=1, initial=0.0)
        breaks = np.flatnonzero(apart > 0.5) + 1
        for part in np.split(segments, breaks) if len(segments) else ():
            painter.drawPolyline(polygon(np.concatenate((part[:1, :2], part[:, 2:]))))

    def _area(self, painter: QPainter, drawn: Trace, scale: Scale, colour: str) -> None:
        """The faint ground under a single line in a severity's colour."""
        segments = drawn.segments
        breaks = np.flatnonzero(segments[1:, 0] - segments[:-1, 2] > 1.5) + 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush(colour, _CHART["area-opacity"]))
        for part in np.split(segments, breaks):
            points = np.empty((len(part) + 3, 2))
            points[0] = part[0, 0], scale.box.bottom()
            points[1:-2] = part[:, :2]
            points[-2] = part[-1, 2:]
            points[-1] = part[-1, 2], scale.box.bottom()
            painter.drawPolygon(polygon(points))

    # ------------------------------------------------------------ on top

    def _threshold(self, painter: QPainter, threshold: Threshold, scale: Scale) -> None:
        y = scale.py(scale.data(threshold.value))
        if not scale.box.top() - 1 <= y <= scale.box.bottom() + 1:
            return
        colour = self.look.colour("text-secondary" if threshold.draft and threshold.shape == "ok" else threshold.shape)
        painter.setPen(dash_pen(colour, _CHART["threshold"], [2, 3] if threshold.draft else _CHART["threshold-dash"]))
        painter.drawLine(QLineF(scale.box.left(), y, scale.box.right() + 4, y))
        font = self.look.font("axis", MEDIUM)
        width = min(paint.width_of(font, threshold.label), scale.box.width() - 10)
        above = y - 14 >= scale.box.top()
        label = QRectF(scale.box.left() + 5, y - 14 if above else y + 2, width + 2, 12)
        # A ground under the words: a line crossing them must not make them unreadable.
        painter.fillRect(label.adjusted(-2, 0, 0, 0).toAlignedRect(), self.look.colour("card", 0.75))
        paint.words(painter, label, threshold.label, font, colour)

    def _markers(self, painter: QPainter, view: ChartView, scale: Scale) -> None:
        for marker in view.markers:
            x = scale.px(marker.at)
            if not scale.box.left() <= x <= scale.box.right():
                continue
            painter.setPen(self.look.pens.marker)
            painter.drawLine(QLineF(round(x) + 0.5, scale.box.top(), round(x) + 0.5, scale.box.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.brush(marker.shape or "text-secondary"))
            foot = scale.box.bottom() + 1
            painter.drawPolygon(QPolygonF([QPointF(x - 4, foot), QPointF(x + 4, foot), QPointF(x, foot - 6)]))
        self._marker_words(painter, view, scale)

    def _marker_words(self, painter: QPainter, view: ChartView, scale: Scale) -> None:
        """Beside each line what it stands for, as far as the next one leaves room."""
        if scale.box.height() < _LEAST_FOR_WORDS:
            return
        font = self.look.font("axis")
        metrics = QFontMetricsF(font)
        places = sorted((scale.px(marker.at), marker.label) for marker in view.markers)
        for place, (x, label) in enumerate(places):
            end = min(places[place + 1][0] if place + 1 < len(places) else scale.box.right(), scale.box.right())
            room = min(end - x - 8, 160.0)
            if x < scale.box.left() or room < 24:
                continue
            words = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room)
            box = QRectF(x + 4, scale.box.top() + 2, metrics.horizontalAdvance(words) + 2, metrics.height())
            painter.fillRect(box.adjusted(-2, 0, 0, 0).toAlignedRect(), self.look.colour("card", 0.75))
            paint.words(painter, box, words, font, self.look.colour("text-secondary"))

    def _ends(self, painter: QPainter, view: ChartView) -> None:
        if view.stale:
            return
        painter.setPen(QPen(self.look.pens.card, 1.2))
        for line, drawn in zip(view.lines, self._traces, strict=False):
            if drawn.last is not None:
                painter.setBrush(self.look.brush(line.colour))
                painter.drawEllipse(QPointF(*drawn.last), 2.9, 2.9)


def dashed(segments: Floats, pattern: list[float]) -> Floats:
    """Segments whose middle falls on a dash, counted along the time axis: steady however dense the line is."""
    middle = np.mod((segments[:, 0] + segments[:, 2]) / 2, sum(pattern))
    edges = np.cumsum(pattern)
    shown = np.searchsorted(edges, middle, side="right") % 2 == 0
    kept: Floats = segments[shown]
    return kept


def polygon(points: Floats) -> QPolygonF:
    """float64[n, 2] as a polygon, copied through its buffer: no object a point."""
    made = QPolygonF()
    made.resize(len(points))
    if len(points):
        pg.functions.ndarray_from_qpolygonf(made)[:] = points
    return made
