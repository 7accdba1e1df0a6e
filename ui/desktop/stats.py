"""The row of numbers on Overview: label with shape, value, comparison in words, spark line."""

from __future__ import annotations

import re

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.labels import literal_tip
from ui.desktop.look import STRONG
from ui.views.view import Stat

_AGO = re.compile(r",?[\s\u202f]\d+[\s\u202f]min ago$")
"""What a narrow column leaves out of a comparison."""


class StatRow(Painted):
    """All stats in one card; two columns on the phone. A stat with an action is pressed to follow it."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.stats: tuple[Stat, ...] = ()
        self.setAccessibleName("Figures")

    def show_stats(self, stats: tuple[Stat, ...]) -> None:
        if stats is self.stats:
            return
        grown = len(stats) != len(self.stats)
        self.stats = stats
        self.setAccessibleDescription(". ".join(f"{s.label} {s.value}, {s.comparison}" for s in stats))
        if grown:
            self.updateGeometry()
        self.update()

    def columns(self) -> int:
        return 2 if self.width() < 560 else max(1, len(self.stats)) if self.width() >= 760 else 3

    def _row_height(self) -> int:
        return 82 if self.look.phone else 74

    def sizeHint(self) -> QSize:
        rows = -(-len(self.stats) // self.columns()) if self.stats else 1
        return QSize(300, self._row_height() * rows + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def resizeEvent(self, event: object) -> None:
        self.setFixedHeight(self.sizeHint().height())

    def _cells(self) -> list[QRectF]:
        columns, tall = self.columns(), self._row_height()
        width = self.width() / columns
        return [QRectF((i % columns) * width, 1 + (i // columns) * tall, width, tall) for i in range(len(self.stats))]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(self.look.pen("line-subtle"))
        painter.setBrush(self.look.brush("card"))
        painter.drawRoundedRect(box, 8, 8)
        for number, (stat, cell) in enumerate(zip(self.stats, self._cells(), strict=True)):
            if number % self.columns():
                painter.fillRect(QRectF(cell.left(), cell.top(), 1, cell.height()), self.look.colour("line-subtle"))
            if number >= self.columns():
                painter.fillRect(QRectF(cell.left(), cell.top(), cell.width(), 1), self.look.colour("line-subtle"))
            self._stat(painter, stat, cell.adjusted(12, 7, -8, -6))

    def _stat(self, painter: QPainter, stat: Stat, box: QRectF) -> None:
        small = self.look.font("small")
        label = QRectF(box.left(), box.top(), box.width(), 15)
        bad = stat.shape not in (None, "ok")
        if bad and stat.shape:
            paint.shape(painter, self.look, stat.shape, QRectF(label.left(), label.center().y() - 5.5, 11, 11))
            label.setLeft(label.left() + 16)
        paint.words(painter, label, stat.label, small, self.look.colour("text-secondary"), middle=True)
        size = 24 if self.look.phone else 22
        wide = 56 if self.look.phone else 44
        number = QRectF(box.left(), box.top() + 16, box.width() - wide - 4, 28)
        unit = 13 if self.look.phone else 12
        room = paint.value_width(self.look, stat.value, size, STRONG, unit)
        if room > number.width():
            number.setRight(box.right())
        while room > number.width() and size > 15:
            size -= 1
            room = paint.value_width(self.look, stat.value, size, STRONG, unit)
        paint.value(painter, self.look, number, stat.value, size, STRONG, paint.LEFT, colour="text-primary", unit_role=unit)
        if len(stat.spark) and room <= box.width() - wide - 4:
            colour = str(stat.shape) if bad else "series-1"
            paint.spark(painter, self.look, QRectF(box.right() - wide, box.top() + 18, wide, 24), stat.spark, colour)
        below = QRectF(box.left(), box.bottom() - 16, box.width(), 16)
        said = stat.comparison
        if paint.width_of(small, said) > below.width():
            said = _AGO.sub("", said)  # the accessible text and the tooltip say it whole
        paint.words(painter, below, said, small, self.look.colour("text-secondary"))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for stat, cell in zip(self.stats, self._cells(), strict=True):
            if stat.action and cell.contains(event.position()):
                self.host.act(stat.action)
                return

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        under = next((s for s, cell in zip(self.stats, self._cells(), strict=True) if cell.contains(event.position())), None)
        self.setToolTip(literal_tip(f"{under.label} {under.value}, {under.comparison}" if under is not None else ""))
        over = any(stat.action and cell.contains(event.position()) for stat, cell in zip(self.stats, self._cells(), strict=True))
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
