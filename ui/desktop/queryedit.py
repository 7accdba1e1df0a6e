"""The text of one query: coloured while it is typed, problems underlined, as tall as it needs; offers get their keys first."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from ui.desktop.host import Host, has_caret
from ui.desktop.keys import FIELD_OWN
from ui.desktop.look import Look
from ui.desktop.plainedit import PlainEdit, from_qt, to_qt
from ui.views.queryedit import FOCUS, coloured
from ui.views.querytext import MAX_QUERY
from ui.views.queryview import TOKEN_COLOURS, Token
from ui.views.view import ProblemRow

MOST_LINES = 6
_LIST_KEYS = frozenset(("up", "down", "pageup", "pagedown", "enter", "tab", "escape", "ctrl+n", "ctrl+p"))
_OWN = FIELD_OWN | {"ctrl+home", "ctrl+end", "ctrl+backspace", "ctrl+delete"}
_NEWLINE = ("shift+enter", "ctrl+j")


class QueryHighlighter(QSyntaxHighlighter):
    """Functions, labels, strings and numbers in the colours of the theme."""

    def __init__(self, look: Look, editor: QPlainTextEdit) -> None:
        super().__init__(editor.document())
        self.look = look
        self._tokens: tuple[Token, ...] = ()
        self.restyle()

    def restyle(self) -> None:
        self.formats = {kind: self._format(colour) for kind, colour in TOKEN_COLOURS.items()}
        self.rehighlight()

    def _format(self, colour: str) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(self.look.colour(colour))
        return made

    def take(self, text: str) -> None:
        """Another text: what stands behind a change may mean something else now."""
        tokens = coloured(text)
        if not text.isascii():
            tokens = tuple((to_qt(text, a), to_qt(text, b), kind) for a, b, kind in tokens)
        if tokens != self._tokens:
            self._tokens = tokens
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        start = self.currentBlock().position()
        end = start + len(text.encode("utf-16-le")) // 2
        for first, last, kind in self._tokens:
            if first < end and last > start and kind in self.formats:
                self.setFormat(max(first, start) - start, min(last, end) - max(first, start), self.formats[kind])


class QueryEdit(PlainEdit):
    """One query. Every change and every step of the caret is told; another text from the session is taken with its caret."""

    longest = MAX_QUERY
    ring = 4.0

    def __init__(self, host: Host, index: int) -> None:
        super().__init__()
        self.host, self.look, self.index = host, host.look, index
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(5)
        self.setPlaceholderText("Write PromQL: a metric, such as up")
        self.highlighter = QueryHighlighter(self.look, self)
        self.problem: ProblemRow | None = None
        self._loading = False
        self._told: tuple[str, int] = ("", 0)
        self.textChanged.connect(self._typed)
        self.cursorPositionChanged.connect(self._stepped)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self.restyle()

    def restyle(self) -> None:
        self.setFont(self.look.font(15 if self.look.phone else 13, mono=True))
        self.highlighter.restyle()
        self._fit()

    def cleaned(self, text: str) -> str:
        return text.strip("\r\n")

    def name(self, letter: str) -> None:
        """What a screen reader calls it."""
        self.setAccessibleName(f"Query {letter}")

    # ------------------------------------------------------------ text

    def show_text(self, text: str, caret: int | None, problem: ProblemRow | None) -> None:
        """The session's text, with its caret where it is being written in."""
        if text != self.toPlainText():
            self._load(text, caret)
        elif caret is not None and has_caret(self) and (text, caret) != self._told:
            self._place(caret)
        if problem != self.problem:
            self.problem = problem
            self.setAccessibleDescription(problem.text if problem is not None else "")
            self._mark()

    def _load(self, text: str, caret: int | None) -> None:
        self._loading = True
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        self.highlighter.take(text)  # which counts as a change of the text too
        self._loading = False
        self._place(len(text) if caret is None else caret)
        self._fit()

    def _place(self, caret: int) -> None:
        text = self.toPlainText()
        cursor = self.textCursor()
        cursor.setPosition(min(to_qt(text, caret), to_qt(text, len(text))))
        self._loading = True
        self.setTextCursor(cursor)
        self._loading = False
        self._told = (text, caret)

    def _typed(self) -> None:
        if self._loading:
            return
        # The caret is told of first, and with it the text; the colours count as a change of it.
        self._loading = True
        self.highlighter.take(self.toPlainText())
        self._loading = False
        self._fit()
        self._tell()

    def _stepped(self) -> None:
        if not self._loading and has_caret(self):
            self._tell()

    def _tell(self) -> None:
        text = self.toPlainText()
        told = (text, from_qt(text, self.textCursor().position()))
        if told != self._told:
            self._told = told
            self.host.tell(self.host.session.set_text, FOCUS, *told)

    # ------------------------------------------------------------ size and marks

    def _fit(self) -> None:
        """As tall as its lines, up to six."""
        lines = max(1, min(MOST_LINES, round(self.document().size().height())))
        spacing = self.fontMetrics().lineSpacing()
        tall = round(lines * spacing + 2 * self.document().documentMargin())
        if tall != self.height() or self.minimumHeight() != tall:
            self.setFixedHeight(tall)
        more = round(self.document().size().height()) > MOST_LINES
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if more else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)

    def sizeHint(self) -> QSize:
        return QSize(240, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _mark(self) -> None:
        mark = self.underline(self.problem, "critical") if self.problem is not None else None
        self.setExtraSelections([mark] if mark is not None else [])

    def place_of(self, start: int) -> tuple[int, int]:
        """Left and bottom edge of a character, in pixels of this widget."""
        text = self.toPlainText()
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(to_qt(text, start), to_qt(text, len(text))))
        box = self.cursorRect(cursor)
        corner = self.viewport().mapTo(self, box.bottomLeft())
        return corner.x(), corner.y()

    # ------------------------------------------------------------ input

    def takes(self, key: str) -> bool:
        """A key before Qt has it: True where the session or the list of offers has used it."""
        if key in _NEWLINE:
            self.insertPlainText("\n")
            return True
        modified = "+" in key and not key.startswith("shift+")
        if key in _OWN or not (key in _LIST_KEYS or modified):
            return False
        self._tell()
        heard: bool = self.host.session.key(key, True)
        self.host.repaint()
        return heard

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        session = self.host.session
        session.point("queries", self.index)
        session.focus(FOCUS)
        text = self.toPlainText()
        self._told = (text, from_qt(text, self.textCursor().position()))
        self.host.tell(session.set_text, FOCUS, *self._told)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        reasons = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
        if event.reason() not in reasons and self.host.field_left(FOCUS):
            self.host.tell(self.host.session.focus, "")
