"""The edge round all that is of another time."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.desktop import paint
from ui.desktop.host import Host

WIDTH = 2.0


class PastEdge(QWidget):
    """Two pixels of accent above everything, through which the pointer passes."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self.look = host.look
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def show_past(self, on: bool, area: QRect) -> None:
        if on:
            if area != self.geometry():
                self.setGeometry(area)
            if not self.isVisible():
                self.show()
                self.raise_()
        elif self.isVisible():
            self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        pen = self.look.pen("accent", WIDTH)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
