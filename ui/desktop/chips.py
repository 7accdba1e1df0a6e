"""The series on the chart as chips: swatch, name, a cross that takes them off."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.labels import literal_tip
from ui.desktop.look import MEDIUM
from ui.views.view import SeriesRow

_MOST = 260.0


class Chips(Painted):
    """Wraps over as many lines as it needs; a press on a chip takes that series off."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.rows: tuple[SeriesRow, ...] = ()
        self.place = -1
        self.preview = False
        self.setAccessibleName("Series on the chart")
        self.setMouseTracking(True)

    def show_rows(self, rows: tuple[SeriesRow, ...], cursor: int = -1, preview: bool = False) -> None:
        if rows is self.rows and (cursor, preview) == (self.place, self.preview):
            return
        self.rows, self.place, self.preview = rows, cursor, preview
        self.setAccessibleDescription(", ".join(self._words(row) for row in rows) or "none yet")
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    @staticmethod
    def _words(row: SeriesRow) -> str:
        return f"{row.name} {row.tags}".strip()

    def _boxes(self) -> list[QRectF]:
        font, tall = self.look.font("small", MEDIUM), 36.0 if self.look.phone else 24.0
        left, top, boxes = 11.0, 7.0, []
        for row in self.rows:
            width = min(_MOST, paint.width_of(font, self._words(row)) + 46)
            if left > 11 and left + width > self.width() - 11:
                left, top = 11.0, top + tall + 6
            boxes.append(QRectF(left, top, width, tall))
            left += width + 6
        return boxes

    def sizeHint(self) -> QSize:
        boxes = self._boxes()
        return QSize(200, round(boxes[-1].bottom() + 4) if boxes else 34)

    def resizeEvent(self, event: object) -> None:
        self.setFixedHeight(self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        font = self.look.font("small", MEDIUM)
        if not self.rows:
            words = "Nothing drawn yet. Press Enter on a series to draw it."
            if self.preview:
                words = "The series under the cursor. X keeps it and adds others."
                if self.look.phone:
                    words = "The series touched last. Twice keeps it."
            paint.words(
                painter,
                QRectF(self.rect()).adjusted(12, 4, -12, 0),
                words,
                self.look.font("body"),
                self.look.colour("text-secondary"),
            )
        for number, (row, box) in enumerate(zip(self.rows, self._boxes(), strict=True)):
            painter.setPen(QPen(self.look.colour("focus"), 2) if number == self.place else Qt.PenStyle.NoPen)
            painter.setBrush(self.look.brush("raised"))
            painter.drawRoundedRect(box, 4, 4)
            painter.fillRect(QRectF(box.left() + 8, box.center().y() - 1.5, 12, 3), self.look.colour(row.picked or "others"))
            room = box.adjusted(26, 0, -20, 0)
            paint.words(painter, room, self._words(row), font, self.look.colour("text-primary"))
            paint.icon(painter, self.look, "close", paint.centred(box, 10, box.right() - 16))

    def _at(self, event: QMouseEvent) -> int:
        return next((n for n, box in enumerate(self._boxes()) if box.contains(event.position())), -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._at(event)
        if number >= 0:
            self.host.tell(self.host.session.open, "picked", number)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = self._at(event)
        self.setCursor(Qt.CursorShape.PointingHandCursor if number >= 0 else Qt.CursorShape.ArrowCursor)
        self.setToolTip(literal_tip(self._words(self.rows[number])) if number >= 0 else "")
