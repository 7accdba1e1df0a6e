"""The strip of a day in the time bar: load, alerts and changes, what of it is shown, and the gesture that rewinds."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QApplication, QToolTip

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.look import STRONG
from ui.views.theme import GLYPHS
from ui.views.view import TimeView

FOOT = 5.0
TALLEST = 18.0
CALM = 13.0
DRAG = 4.0
"""Pixels from which on a press is a drag."""
LEAST_WINDOW = 9.0


class DayStrip(Painted):
    """Drag it (or press it) to rewind, double click for live. Kept as a picture until it changes."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.time: TimeView | None = None
        self._kept: tuple[object, QPixmap] | None = None
        self._pressed: float | None = None
        self._at: float | None = None
        """Where the pointer is while it is dragged or hovers."""
        self._dragging = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._go)
        self._wanted = 0.0
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("The day: drag to rewind, double click for live")
        self.want(0, 30)

    def show_time(self, time: TimeView) -> None:
        old = self.time
        self.time = time
        if old is None or _drawn(old) != _drawn(time):
            bad = [GLYPHS[shape].word for shape, _ in time.strip if shape not in (None, "ok")]
            load = f"; height is {time.load}" if time.load else ""
            self.setAccessibleDescription(
                f"{len(bad)} of {len(time.strip)} half hours with alerts: {', '.join(dict.fromkeys(bad)) or 'none'}{load}"
            )
            self._kept = None
            self.update()
        elif old.window != time.window:
            self.update()

    # ------------------------------------------------------------ places

    def _x(self, at: float) -> float:
        assert self.time is not None
        start, end = self.time.day
        return (at - start) / max(1.0, end - start) * (self.width() - 2)

    def _time_at(self, x: float) -> float:
        assert self.time is not None
        start, end = self.time.day
        return start + min(1.0, max(0.0, x / max(1.0, self.width() - 2))) * (end - start)

    # ------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        time = self.time
        if time is None or self.width() < 30:
            return
        ratio = self.devicePixelRatioF()
        key = (self.width(), self.height(), ratio, self.look.theme.name)
        if self._kept is None or self._kept[0] != key:
            picture = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            paint.crisp(painter)
            self._draw(painter, time)
            painter.end()
            self._kept = (key, picture)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._kept[1])
        paint.crisp(painter)
        self._draw_window(painter, time)
        if self._dragging and self._at is not None:
            self._draw_aim(painter, self._at)

    def _draw(self, painter: QPainter, time: TimeView) -> None:
        count = max(1, len(time.strip))
        pitch, foot = (self.width() - 2) / count, self.height() - FOOT
        wide = min(pitch - 1.5, 9.0)
        painter.setPen(Qt.PenStyle.NoPen)
        for number, (shape, load) in enumerate(time.strip):
            bad = shape not in (None, "ok")
            share = GLYPHS[shape].block if bad and shape is not None else 0.0
            calm = 2.0 + CALM * min(1.0, load) if load >= 0 else 1.5
            height = max(5.0, TALLEST * share**1.4) if bad else calm
            painter.setBrush(self.look.brush(str(shape) if bad else "line-strong"))
            painter.drawRoundedRect(QRectF(number * pitch + (pitch - wide) / 2, foot - height, wide, height), 1, 1)
        painter.setBrush(self.look.brush("text-secondary"))
        for at, _ in time.changes:
            x = self._x(at)
            painter.drawPolygon(QPolygonF([QPointF(x - 3, 0.5), QPointF(x + 3, 0.5), QPointF(x, 5)]))

    def _draw_window(self, painter: QPainter, time: TimeView) -> None:
        start, end = self._x(time.window[0]), self._x(time.window[1])
        edge = min(self.width() - 2.0, max(2.0, end))
        left = max(0.5, min(start, edge - LEAST_WINDOW))
        window = QRectF(left, 1.5, edge - left, self.height() - 3)
        ink = "text-primary" if time.state in ("paused", "stale") else "accent"
        painter.setPen(QPen(self.look.colour(ink), 1.4))
        painter.setBrush(self.look.brush(ink, 0.18))
        painter.drawRoundedRect(window.adjusted(0.5, 0, -0.5, 0), 3, 3)
        painter.fillRect(QRectF(edge - 1, 0, 2, self.height()), self.look.colour(ink))

    def _draw_aim(self, painter: QPainter, x: float) -> None:
        """Where letting go would lead, and when that is."""
        at = self._time_at(x)
        painter.fillRect(QRectF(x - 0.75, 0, 1.5, self.height()), self.look.colour("text-primary"))
        font = self.look.font(11, STRONG)
        words = self.host.session.ctx.words.moment(at, self.host.session.ctx.live_present())
        wide = paint.width_of(font, words) + 12
        left = min(max(0.0, x + 6), self.width() - wide) if x + 6 + wide <= self.width() else x - 6 - wide
        box = QRectF(left, 5, wide, self.height() - 10)
        painter.setPen(self.look.pen("line-control"))
        painter.setBrush(self.look.brush("raised"))
        painter.drawRoundedRect(box, 4, 4)
        paint.words(painter, box.adjusted(6, 0, -6, 0), words, font, self.look.colour("text-primary"))

    # ------------------------------------------------------------ gestures

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.time is not None:
            self._later.stop()
            self._pressed, self._dragging = event.position().x(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.time is None:
            return
        x = event.position().x()
        if self._pressed is not None:
            self._dragging = self._dragging or abs(x - self._pressed) >= DRAG
            self._at = min(self.width() - 2.0, max(0.0, x))
            self.update()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), self._words_at(x), self)

    def _words_at(self, x: float) -> str:
        """When this is, how busy it was, and what was changed near it."""
        time, ctx = self.time, self.host.session.ctx
        assert time is not None
        lines = [ctx.words.moment(self._time_at(x), ctx.live_present())]
        number = int(x / max(1.0, self.width() - 2) * len(time.strip))
        if 0 <= number < len(time.strip):
            shape, load = time.strip[number]
            if shape not in (None, "ok") and shape is not None:
                lines.append(GLYPHS[shape].word)
            if load >= 0 and time.load == "CPU busy":
                lines.append(f"{round(load * 100)} % {time.load}")
        lines += [text for at, text in time.changes if abs(self._x(at) - x) <= 4]
        return "\n".join([*lines, "Drag to rewind, double click for live"])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or self.time is None:
            return
        self._wanted = self._time_at(event.position().x())
        dragged, self._pressed, self._dragging, self._at = self._dragging, None, False, None
        self.update()
        if dragged:
            self._go()
        else:
            self._later.start(QApplication.doubleClickInterval())  # it may become a double click

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._later.stop()
        self._pressed = None
        self.host.act("time.live")

    def _go(self) -> None:
        self.host.tell(self.host.session.rewind, self._wanted)


def _drawn(time: TimeView) -> tuple[object, ...]:
    return time.strip, time.changes, time.day, time.state
