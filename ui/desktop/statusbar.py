"""The status bar: how the collector is, what was lost, and the keys that matter here."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.labels import literal_tip
from ui.views.theme import tokens
from ui.views.view import FrameView, KeyHint, StatusItem


class StatusBar(Painted):
    """24 pixels: items from the left, as many hints from the right as fit."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.setAccessibleName("Status")
        self.setMouseTracking(True)
        self.items: tuple[StatusItem, ...] = ()
        self.hints: tuple[KeyHint, ...] = ()
        self._boxes: list[tuple[QRectF, StatusItem]] = []
        self._keys: list[tuple[QRectF, KeyHint]] = []
        self.want(0, int(tokens()["size"]["statusbar"]))

    def show_frame(self, frame: FrameView) -> None:
        if (frame.status, frame.hints) == (self.items, self.hints):
            return
        self.items, self.hints = frame.status, frame.hints
        self.setAccessibleDescription(", ".join(item.text for item in frame.status))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        painter.fillRect(self.rect(), self.look.colour("canvas"))
        painter.fillRect(QRectF(0, 0, self.width(), 1), self.look.colour("line-subtle"))
        left = self._items(painter, self.width() - 24.0)
        self._hints(painter, left)

    def _items(self, painter: QPainter, room: float) -> float:
        font, left, middle = self.look.font(11), 12.0, self.height() / 2
        self._boxes = []
        for number, item in enumerate(self.items):
            sign = 17.0 if item.shape else 0.0
            width = sign + paint.width_of(font, item.text)
            if left + width > room:
                break
            box = QRectF(left, 0, width, self.height())
            if item.shape:
                paint.shape(painter, self.look, item.shape, QRectF(left, middle - 6, 12, 12), "canvas")
            loud = item.shape not in (None, "ok")
            ink = str(item.shape) if loud else "text-primary" if number == 0 else "text-secondary"
            paint.words(painter, box.adjusted(sign, 1, 2, 0), item.text, font, self.look.colour(ink))
            self._boxes.append((box, item))
            left += width + 14
        return left

    def _hints(self, painter: QPainter, left: float) -> None:
        font, right = self.look.font(11), self.width() - 12.0
        self._keys = []
        fitting: list[tuple[KeyHint, float]] = []
        room = right - left - 8
        for hint in reversed(self.hints):
            width = paint.width_of(font, hint.label) + paint.keycap_width(self.look, hint.key) + 5
            if width + 14 > room:
                break
            room -= width + 14
            fitting.append((hint, width))
        for hint, width in fitting:
            words = paint.width_of(font, hint.label)
            paint.words(
                painter, QRectF(right - words, 1, words + 1, self.height()), hint.label, font, self.look.colour("text-secondary")
            )
            paint.keycap(painter, self.look, right - words - 5, self.height() / 2 + 0.5, hint.key)
            self._keys.append((QRectF(right - width, 0, width, self.height()), hint))
            right -= width + 14

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = any(box.contains(event.position()) for box, _ in self._keys)
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for box, hint in self._keys:
            if box.contains(event.position()):
                self.host.act(hint.action)
                return

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            words = next((item.help for box, item in self._boxes if box.contains(event.pos())), "")
            QToolTip.showText(event.globalPos(), literal_tip(words), self)
            return True
        return super().event(event)
