"""The rule editor: TOML with line numbers, changed lines barred, problems underlined."""

from __future__ import annotations

import re

from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import (
    QFocusEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from ui.desktop import paint
from ui.desktop.host import Host, has_caret
from ui.desktop.look import Look
from ui.desktop.plainedit import PlainEdit
from ui.views.view import ProblemRow, RuleEditorView

MAX_TEXT = 200_000
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("series-8", re.compile(r"^\s*\[\[?[^\]]*\]?\]?")),
    ("series-1", re.compile(r"^\s*[A-Za-z0-9_.\-]+(?=\s*=)|(?<=[{,])\s*[A-Za-z0-9_\-]+(?=\s*=)")),
    ("series-3", re.compile(r"(?<![\w\"'])[+-]?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?\b|\b(?:true|false)\b")),
    ("series-2", re.compile(r'"(?:\\.|[^"\\])*"?' + r"|'[^']*'?")),
)
_COMMENT = re.compile(r"""^((?:[^#"']|"(?:\\.|[^"\\])*"|'[^']*')*)(#.*)$""")
_TRIPLE = re.compile(r'"""|' + "'''")


class TomlHighlighter(QSyntaxHighlighter):
    """Tables, keys, strings, numbers and comments in series colours; state 1 is within a string of several lines."""

    def __init__(self, look: Look, editor: QPlainTextEdit) -> None:
        super().__init__(editor.document())
        self.look = look
        self.restyle()

    def restyle(self) -> None:
        self.formats = {name: self._format(name) for name in ("series-1", "series-2", "series-3", "series-8", "text-secondary")}
        self.rehighlight()

    def _format(self, name: str) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(self.look.colour(name))
        return made

    def highlightBlock(self, text: str) -> None:
        start = 0
        if self.previousBlockState() == 1:
            closing = _TRIPLE.search(text)
            if closing is None:
                self.setFormat(0, len(text), self.formats["series-2"])
                self.setCurrentBlockState(1)
                return
            self.setFormat(0, closing.end(), self.formats["series-2"])
            start = closing.end()
        self.setCurrentBlockState(0)
        for name, pattern in _RULES:
            for found in pattern.finditer(text, start):
                self.setFormat(found.start(), found.end() - found.start(), self.formats[name])
        opening = _TRIPLE.search(text, start)
        if opening is not None:
            closing = _TRIPLE.search(text, opening.end())
            end = closing.end() if closing else len(text)
            self.setFormat(opening.start(), end - opening.start(), self.formats["series-2"])
            self.setCurrentBlockState(0 if closing else 1)
            return
        comment = _COMMENT.match(text[start:])
        if comment is not None:
            at = start + comment.start(2)
            self.setFormat(at, len(text) - at, self.formats["text-secondary"])


class Gutter(QWidget):
    """Line numbers; a bar where a line differs from what is saved."""

    def __init__(self, editor: CodeEdit) -> None:
        super().__init__(editor)
        self.editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self.editor.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self.editor.paint_gutter(event)


class CodeEdit(PlainEdit):
    """Tells the session each change; takes a text from outside only when its revision rises."""

    longest = MAX_TEXT

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host, self.look = host, host.look
        self.setAccessibleName("Rule text")
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(True)
        self.document().setDocumentMargin(4)
        self.changed: tuple[int, ...] = ()
        self.problems: tuple[ProblemRow, ...] = ()
        self.gutter = Gutter(self)
        self.highlighter = TomlHighlighter(self.look, self)
        self.editing = False
        self._line = -1
        self._revision: tuple[str, int] | None = None
        self._loading = False
        self._told = ""
        self.blockCountChanged.connect(lambda _: self._margins())
        self.updateRequest.connect(self._scrolled)
        self.cursorPositionChanged.connect(self._marks)
        self.textChanged.connect(self._typed)
        self.restyle()

    def restyle(self) -> None:
        self.setFont(self.look.font(13, mono=True))
        self.highlighter.restyle()
        self._margins()
        self._marks()

    def lock(self, why: str) -> None:
        """To be read only, for this reason; "" ends that."""
        self.setReadOnly(bool(why))
        self.setToolTip(why)

    def show_view(self, view: RuleEditorView) -> None:
        """Text, changed lines and problems. What is being typed is never overwritten."""
        revision = (f"{view.file}\n{view.rule_id}", view.text_revision)
        if revision != self._revision:
            self._load(view)
            self._revision = revision
        if view.cursor_line != self._line and not has_caret(self):
            self.go_to(view.cursor_line)
        self._line = view.cursor_line
        if (view.changed_lines, view.problems) != (self.changed, self.problems):
            self.changed, self.problems = view.changed_lines, view.problems
            self.setAccessibleDescription(". ".join(f"Line {p.line + 1}: {p.text}" for p in view.problems))
            self._marks()
            self.gutter.update()

    def go_to(self, line: int) -> None:
        """The caret at the start of a line, with what belongs to it below in sight."""
        block = self.document().findBlockByNumber(min(line, self.blockCount() - 1))
        self.setTextCursor(QTextCursor(self.document().lastBlock()))
        self.setTextCursor(QTextCursor(block))
        self.verticalScrollBar().setValue(max(0, block.blockNumber() - 1))

    def _load(self, view: RuleEditorView) -> None:
        self._told = view.text
        if self.toPlainText() == view.text:
            return
        self._loading = True
        line = view.cursor_line if self._revision is None or not has_caret(self) else self.textCursor().blockNumber()
        self.setPlainText(view.text[:MAX_TEXT])
        cursor = QTextCursor(self.document().findBlockByNumber(min(line, self.blockCount() - 1)))
        self.setTextCursor(cursor)
        self._loading = False

    def _typed(self) -> None:
        text = self.toPlainText()
        # The highlighter's colours count as changes too: only another text is one.
        if self._loading or self._revision is None or text == self._told:
            return
        self._told = text
        self.host.tell(self.host.session.set_text, "rule", text, self.textCursor().position())

    # ------------------------------------------------------------ gutter and marks

    def gutter_width(self) -> int:
        digits = max(2, len(str(self.blockCount())))
        return 20 + round(self.look.metrics(11, mono=True).horizontalAdvance("9") * digits)

    def _margins(self) -> None:
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)

    def _scrolled(self, area: QRect, dy: int) -> None:
        if dy:
            self.gutter.scroll(0, dy)
        else:
            self.gutter.update(0, area.y(), self.gutter.width(), area.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inner = self.contentsRect()
        self.gutter.setGeometry(inner.left(), inner.top(), self.gutter_width(), inner.height())

    def paint_gutter(self, event: QPaintEvent) -> None:
        painter = QPainter(self.gutter)
        font, changed = self.look.font(11, mono=True), set(self.changed)
        wrong = {problem.line for problem in self.problems}
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        width = self.gutter.width()
        while block.isValid() and top <= event.rect().bottom():
            height = self.blockBoundingRect(block).height()
            number = block.blockNumber()
            if number in changed:
                painter.fillRect(QRectF(0, top, 3, height), self.look.colour("series-1"))
            here = number == self.textCursor().blockNumber()
            ink = "warning" if number in wrong else "text-primary" if here else "text-secondary"
            paint.words(painter, QRectF(0, top, width - 10, height), str(number + 1), font, self.look.colour(ink), paint.RIGHT)
            top += height
            block = block.next()

    def _marks(self) -> None:
        marks = []
        if not self.isReadOnly():
            line = QTextEdit.ExtraSelection()
            line.format.setBackground(self.look.colour("raised"))
            line.format.setProperty(QTextCharFormat.Property.FullWidthSelection, True)
            line.cursor = self.textCursor()
            line.cursor.clearSelection()
            marks.append(line)
        marks += [mark for problem in self.problems if (mark := self.underline(problem, "warning")) is not None]
        self.setExtraSelections(marks)
        self.gutter.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._marks()
        if self.isReadOnly():
            return
        if not self.editing:
            self.host.act("rule.edit")
        self.host.tell(self.host.session.focus, "rule")
