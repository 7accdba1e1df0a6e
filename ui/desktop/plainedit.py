"""What the text fields of several lines share: bounded paste, the focus ring, a wavy line under a problem, Escape passed on."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from ui.desktop import paint
from ui.desktop.look import Look
from ui.views.view import ProblemRow


def to_qt(text: str, place: int) -> int:
    """A place in characters as Qt counts: in units of UTF-16."""
    return place if text.isascii() else len(text[:place].encode("utf-16-le")) // 2


def from_qt(text: str, place: int) -> int:
    """Qt's place in characters."""
    return place if text.isascii() else len(text.encode("utf-16-le")[: 2 * place].decode("utf-16-le", "ignore"))


class PlainEdit(QPlainTextEdit):
    """A plain text of at most `longest` characters; `ring` is the radius of its focus ring."""

    look: Look
    longest = 0
    ring = 3.0

    def cleaned(self, text: str) -> str:
        """What of a pasted text comes in."""
        return text

    def underline(self, problem: ProblemRow, colour: str) -> QTextEdit.ExtraSelection | None:
        """A wavy line under the problem; None when its line is not there."""
        block = self.document().findBlockByNumber(problem.line)
        if not block.isValid():
            return None
        line = block.text()
        first = to_qt(line, min(problem.column, max(0, len(line) - 1)))
        last = to_qt(line, min(len(line), problem.column + max(1, problem.length)))
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + first)
        cursor.setPosition(block.position() + max(first, last), QTextCursor.MoveMode.KeepAnchor)
        mark = QTextEdit.ExtraSelection()
        mark.cursor = cursor
        mark.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        mark.format.setUnderlineColor(self.look.colour(colour))
        return mark

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            paint.crisp(painter)
            paint.focus_ring(painter, self.look, QRectF(self.viewport().rect()), self.ring)

    def insertFromMimeData(self, source: object) -> None:
        """Only plain text comes in, and no more of it than there is room for."""
        text = self.cleaned(source.text() if hasattr(source, "text") else "")
        self.insertPlainText(text[: max(0, self.longest - len(self.toPlainText()))])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
            return
        super().keyPressEvent(event)
