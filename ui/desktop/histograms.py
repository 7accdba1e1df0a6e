"""Native histograms as bars over their values, with count, sum, median and p99 beside them."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.look import MEDIUM, STRONG
from ui.views.querytable import figures_words
from ui.views.queryview import HistogramView

TALL, MOST_TALL = 132, 230


class Histograms(Painted):
    """One below the other, each with its own axis: histograms are compared by their shape."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.views: tuple[HistogramView, ...] = ()
        self.setAccessibleName("Histograms")

    def show_views(self, views: tuple[HistogramView, ...]) -> None:
        if views is self.views:
            return
        self.views = views
        self.setVisible(bool(views))
        self.setAccessibleDescription(". ".join(self._say(view) for view in views))
        self.updateGeometry()
        self.update()

    @staticmethod
    def _say(view: HistogramView) -> str:
        return f"{view.name}: " + ", ".join(f"{word} {value}" for word, value in figures_words(view))

    def sizeHint(self) -> QSize:
        return QSize(300, max(1, min(3, len(self.views))) * TALL + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, TALL + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        if not self.views:
            return
        tall = max(TALL - 20, min(MOST_TALL, (self.height() - 8) / len(self.views)))
        for place, view in enumerate(self.views):
            box = QRectF(12, 4 + place * tall, self.width() - 24, tall - 6)
            if box.bottom() <= self.height():
                self._paint(painter, box, view)

    def _paint(self, painter: QPainter, box: QRectF, view: HistogramView) -> None:
        look = self.look
        painter.fillRect(QRectF(box.left(), box.top() + 6, 10, 3), look.colour(view.colour))
        used = paint.words(
            painter,
            QRectF(box.left() + 16, box.top(), box.width() * 0.4, 16),
            view.name,
            look.font("small", STRONG),
            look.colour("text-primary"),
            middle=True,
        )
        left, size = box.left() + 16 + used + 18, 13 if look.phone else 11
        for word, shown in figures_words(view):
            wide = paint.width_of(look.font(size), word) + 5 + paint.value_width(look, shown, size, MEDIUM, size)
            if left + wide > box.right():
                break
            label = paint.words(painter, QRectF(left, box.top(), wide, 16), word, look.font(size), look.colour("text-secondary"))
            room = QRectF(left + label + 5, box.top(), wide, 16)
            paint.value(painter, look, room, shown, size, MEDIUM, paint.LEFT, unit_role=size)
            left += wide + 20
        plot = QRectF(box.left(), box.top() + 20, box.width(), box.height() - 38)
        self._bars(painter, plot, view)
        self._axis(painter, plot, view)

    def _bars(self, painter: QPainter, plot: QRectF, view: HistogramView) -> None:
        edges, counts = view.edges, view.counts
        top = float(counts.max()) if len(counts) else 0.0
        span = float(edges[-1] - edges[0]) if len(edges) > 1 else 0.0
        if not top or not span:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush(view.colour, 0.72))
        places = plot.left() + (edges - edges[0]) / span * plot.width()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for first, last, count in zip(places[:-1].tolist(), places[1:].tolist(), counts.tolist(), strict=True):
            tall = count / top * (plot.height() - 2)
            if count > 0:
                painter.drawRect(
                    QRectF(
                        round(first) + 1, plot.bottom() - max(1.0, tall), max(1.0, round(last) - round(first) - 1), max(1.0, tall)
                    )
                )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _axis(self, painter: QPainter, plot: QRectF, view: HistogramView) -> None:
        look = self.look
        painter.fillRect(QRectF(plot.left(), plot.bottom(), plot.width(), 1), look.colour("line-strong"))
        span = float(view.edges[-1] - view.edges[0]) if len(view.edges) > 1 else 0.0
        if not span:
            return
        font, free = look.font("axis"), plot.left() - 20
        for tick in view.ticks:
            x = plot.left() + (tick.at - float(view.edges[0])) / span * plot.width()
            half = paint.width_of(font, tick.label) / 2
            if plot.left() - 2 <= x <= plot.right() + 2 and x - half > free:
                at = max(plot.left(), min(x - half, plot.right() - 2 * half))
                paint.words(painter, QRectF(at, plot.bottom() + 3, 2 * half + 2, 14), tick.label, font, look.pens.axis_text)
                free = at + 2 * half + 10
        for mark in view.marks:
            x = round(plot.left() + (mark.at - float(view.edges[0])) / span * plot.width()) + 0.5
            if plot.left() <= x <= plot.right():
                painter.setPen(look.pens.crosshair)
                painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
                wide = paint.width_of(look.font("axis", MEDIUM), mark.label) + 6
                place = x + 3 if x + wide < plot.right() else x - wide
                painter.fillRect(QRectF(place - 1, plot.top(), wide - 2, 12).toAlignedRect(), look.colour("card", 0.8))
                paint.words(
                    painter,
                    QRectF(place + 1, plot.top(), wide, 12),
                    mark.label,
                    look.font("axis", MEDIUM),
                    look.colour("text-primary"),
                )
