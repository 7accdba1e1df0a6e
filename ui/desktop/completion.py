"""What may be written at the caret, as a list below it: names with their kind, functions with their signature, a line of help."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.look import MEDIUM
from ui.views.queryview import CompletionView

ROW, TOUCH_ROW, HELP, MOST = 24, 44, 26, 9
WIDTH = 500
_MARKS = {"metric": "m", "function": "f", "aggregation": "a", "label": "l", "value": "v", "keyword": "k", "duration": "d"}
_COLOURS = {"metric": "accent", "function": "series-1", "aggregation": "series-8", "label": "text-secondary", "value": "series-2"}


class Completion(Painted):
    """Floats above the page and takes no focus: keys stay with the query."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent)
        self.view: CompletionView | None = None
        self.first = 0
        self.setAccessibleName("Completions")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    @property
    def row(self) -> int:
        """Height of an offer: a finger's on the phone."""
        return TOUCH_ROW if self.look.phone else ROW

    @property
    def most(self) -> int:
        return 5 if self.look.phone else MOST

    def show_view(self, view: CompletionView | None, corner: QPoint | None) -> None:
        """The list at a corner of the window; None hides it."""
        self.view = view
        window = self.parentWidget()
        if view is None or corner is None or window is None:
            self.hide()
            return
        count = min(self.most, len(view.rows))
        tall = count * self.row + 8 + (HELP if view.help or view.note else 0)
        wide = min(WIDTH, window.width() - 24)
        left = max(12, min(corner.x() - 30, window.width() - wide - 12))
        top = corner.y() + 4
        if top + tall > window.height() - 8:
            top = max(8, corner.y() - tall - 24)
        self.setGeometry(left, top, wide, tall)
        self.first = max(0, min(self.first, view.cursor, len(view.rows) - count))
        if view.cursor >= self.first + count:
            self.first = view.cursor - count + 1
        chosen = view.rows[view.cursor]
        self.setAccessibleDescription(f"{chosen.text}, {chosen.kind}. {view.help}")
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        view = self.view
        if view is None:
            return
        painter, look = QPainter(self), self.look
        paint.crisp(painter)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(look.pen("line-control"))
        painter.setBrush(look.brush("raised"))
        painter.drawRoundedRect(box, 7, 7)
        mono, small = look.font(14 if look.phone else 12, mono=True), look.font("small")
        for place, row in enumerate(view.rows[self.first : self.first + self.most]):
            line = QRectF(5, 4 + place * self.row, self.width() - 10, self.row)
            if self.first + place == view.cursor:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(look.brush("accent-tint"))
                painter.drawRoundedRect(line, 4, 4)
            tone = look.colour(_COLOURS.get(row.kind, "text-secondary"))
            paint.words(
                painter,
                QRectF(line.left() + 7, line.top(), 14, self.row),
                _MARKS.get(row.kind, "·"),
                look.font(11, MEDIUM, True),
                tone,
            )
            inner = line.adjusted(26, 0, -8, 0)
            room = min(inner.width() * 0.8, paint.width_of(mono, row.text) + 2)  # the name before its detail
            used = paint.words(
                painter,
                QRectF(inner.left(), inner.top(), room, self.row),
                row.text,
                mono,
                look.colour("text-primary"),
                middle=True,
            )
            rest = inner.adjusted(used + 14, 0, 0, 0)
            paint.words(painter, rest, row.detail or row.kind, small, look.colour("text-secondary"), paint.RIGHT)
        if view.help or view.note:
            foot = QRectF(12, self.height() - HELP, self.width() - 24, HELP - 2)
            painter.fillRect(QRectF(1, self.height() - HELP, self.width() - 2, 1), look.colour("line-strong"))
            words = view.help or view.note
            paint.words(painter, foot, words, small, look.colour("text-secondary"))

    def row_at(self, y: float) -> int:
        """The offer at a height, -1 for none."""
        place = int((y - 4) // self.row)
        count = min(self.most, len(self.view.rows)) if self.view is not None else 0
        return self.first + place if 0 <= place < count else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().y())
        if row >= 0:
            self.host.tell(self.host.session.choose, "completion", str(row))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.view is not None:
            most = max(0, len(self.view.rows) - self.most)
            self.first = max(0, min(most, self.first + (-1 if event.angleDelta().y() > 0 else 1)))
            self.update()
        event.accept()
