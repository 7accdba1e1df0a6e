"""Explore's queries: a line each with letter, text and what came of it; below them signature, problem, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, Segments, row_of
from ui.desktop.completion import Completion
from ui.desktop.host import Host, Painted, has_caret
from ui.desktop.labels import Label, SentenceLabel, literal_tip, muted
from ui.desktop.look import STRONG
from ui.desktop.panel import Card, Rule
from ui.desktop.queryedit import QueryEdit
from ui.desktop.topbar import Field
from ui.views.queryview import VIEWS, QueriesView, QueryEditorView, QueryRow, SignatureView
from ui.views.view import ProblemRow, Text

MOST = 8


class Badge(QAbstractButton):
    """The letter of a query on its colour; hollow when the query is hidden. A press hides or shows it."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host, self.look = host, host.look
        self.row: QueryRow | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._pressed)

    def show_row(self, row: QueryRow) -> None:
        self.row = row
        what = "Show" if row.hidden else "Hide"
        self.setAccessibleName(f"{what} query {row.letter}")
        self.setToolTip(f"{what} query {row.letter} (H)")
        self.update()

    def _pressed(self) -> None:
        if self.row is not None:
            self.host.tell(self.host.session.choose, "query.toggle", self.row.letter)

    def sizeHint(self) -> QSize:
        return QSize(44, 44) if self.look.phone else QSize(24, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.row is None:
            return
        painter = QPainter(self)
        paint.crisp(painter)
        size = 28.0 if self.look.phone else 20.0
        box = paint.centred(QRectF(self.rect()), size, (self.width() - size) / 2).adjusted(0.5, 0.5, -0.5, -0.5)
        tone = self.look.colour(self.row.colour)
        painter.setPen(QPen(tone, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush if self.row.hidden else tone)
        painter.drawRoundedRect(box, 4, 4)
        ink = self.row.colour if self.row.hidden else "canvas"
        paint.words(painter, box, self.row.letter, self.look.font("small", STRONG), self.look.colour(ink), paint.CENTRE)


class QueryLine(QWidget):
    """One query: badge, text, what came of it, and the cross that takes it away."""

    def __init__(self, host: Host, index: int) -> None:
        super().__init__()
        self.host = host
        self.row: QueryRow | None = None
        self.here = False
        self.badge = Badge(host)
        self.edit = QueryEdit(host, index)
        self.note: Label = muted(host)
        self.note.align = paint.RIGHT
        self.note.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.close_button = Button(host, "", self._close, "ghost", icon="close")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        line = QHBoxLayout(self)
        line.setContentsMargins(9, 3, 5, 3)
        line.setSpacing(7)
        for widget in (self.badge, self.edit, self.note, self.close_button):
            line.addWidget(widget, 1 if widget is self.edit else 0, Qt.AlignmentFlag.AlignVCenter)

    def _close(self) -> None:
        if self.row is not None:
            self.host.tell(self.host.session.choose, "query.remove", self.row.letter)

    def show_row(self, row: QueryRow, editor: QueryEditorView | None, here: bool) -> None:
        if row is not self.row:
            self.row = row
            self.badge.show_row(row)
            self.edit.name(row.letter)
            self.close_button.setAccessibleName(f"Remove query {row.letter}")
            colour = "critical" if row.wrong else "text-secondary"
            # Its words are in the chart's card: here there is room for its name only.
            note = "asking …" if row.waiting and not row.wrong else row.note if len(row.note) <= 28 else "not answered"
            self.note.say(note, colour)
            self.note.setToolTip(literal_tip(row.note))
        self.edit.show_text(row.text, editor.caret if editor is not None else None, row.problem)
        if here != self.here:
            self.here = here
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.here:
            painter = QPainter(self)
            painter.fillRect(QRectF(0, 2, 2, self.height() - 4), self.host.look.colour("accent"))


class SignatureLine(Painted):
    """The function the caret is in, its present argument bright; and what it does."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view: SignatureView | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(200, 20)

    def show_view(self, view: SignatureView | None) -> None:
        if view != self.view:
            self.view = view
            words = f"{view.before}{view.argument}{view.after}. {view.help}" if view is not None else ""
            self.setAccessibleName(words)
            self.setToolTip(literal_tip(words))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        view = self.view
        if view is None:
            return
        painter, look = QPainter(self), self.look
        paint.crisp(painter)
        box, mono = QRectF(self.rect()), look.font(11, mono=True)
        left = box.left()
        for text, colour in ((view.before, "text-secondary"), (view.argument, "accent"), (view.after, "text-secondary")):
            left += paint.words(
                painter, QRectF(left, box.top(), box.right() - left, box.height()), text, mono, look.colour(colour)
            )
        rest = QRectF(left + 16, box.top(), box.right() - left - 16, box.height())
        if rest.width() > 80:
            paint.words(painter, rest, view.help, look.font("small"), look.colour("text-secondary"))


class QueryProblem(Painted):
    """What is wrong, where, and the one fix; or what would say more. Its parts are placed by hand: it is as tall as its words."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.words = SentenceLabel(host, "small", wrap=True, soft="text-primary")
        self.words.setParent(self)
        self.fix = Button(host, "", lambda: host.act("query.fix"), "link", key="Alt Enter")
        self.fix.setParent(self)
        self.ground = "warning"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_problem(self, problem: ProblemRow) -> None:
        self._say(problem.text, problem.fix, "warning")

    def show_hint(self, words: str) -> None:
        self._say(words, "Write it so", "info")

    def _say(self, words: str, fix: str, ground: str) -> None:
        self.words.say((Text(words),))
        self.setAccessibleName(words)
        self.fix.setVisible(bool(fix))
        self.fix.say(fix)
        if ground != self.ground:
            self.ground = ground
            self.update()
        self._place()

    def _place(self) -> None:
        """The fix beside the words, or below them where they would have to be squeezed."""
        fix = self.fix.sizeHint() if self.fix.isVisibleTo(self) else QSize(0, 0)
        room = self.width() - 34 - 10
        beside = fix.width() + 12 <= room // 2
        wide = max(60, room - fix.width() - 12 if beside else room)
        tall = self.words.heightForWidth(wide)
        self.words.setGeometry(34, 6, wide, tall)
        whole = max(tall + 12, fix.height() + 4) if beside else tall + 12 + fix.height()
        top = 6 + tall + 2 if not beside else (min(whole, tall + 12) - fix.height()) // 2
        self.fix.setGeometry(self.width() - 10 - fix.width() if beside else 34, top, min(fix.width(), room), fix.height())
        if self.height() != whole:
            self.setFixedHeight(whole)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush(f"{self.ground}-tint"))
        painter.drawRoundedRect(QRectF(self.rect()), 5, 5)
        paint.shape(painter, self.look, self.ground, QRectF(12, 7, 13, 13), f"{self.ground}-tint")  # type: ignore[arg-type]


class QueriesCard(Card):
    """All queries, and the row of what can be done with them."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Queries")
        session = host.session
        self.lines: list[QueryLine] = []
        self.holder = QWidget()
        self.rows = QVBoxLayout(self.holder)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(0)
        self.signature = SignatureLine(host)
        self.problem = QueryProblem(host)
        self.name = Field(host, "query.name", "Name of the query", "Name, then Enter; Esc leaves it")
        self.add_button = Button(host, "Add a query", lambda: host.act("query.new"), "ghost", key="N", icon="plus")
        self.step: Label = muted(host)
        self.views = Segments(host, "How answers are shown", lambda word: host.tell(session.choose, "query.view", word))
        self.keep = Button(host, "Keep…", lambda: host.act("query.save"), key="Ctrl S")
        self.csv = Button(host, "CSV", lambda: host.act("export.csv"), key="S")
        self.picture = Button(host, "Picture", lambda: host.act("export.picture"), key="P")
        self.live = Button(host, "Go live", lambda: host.act("time.live"), "accent", key="L")
        self.add(self.holder)
        self.signature_row = row_of(self.signature, margins=(40, 0, 12, 3))
        self.add(self.signature_row)
        self.problem_row = row_of(self.problem, margins=(9, 1, 9, 6))
        self.add(self.problem_row)
        self.name_row = row_of(muted(host, "Keep as"), self.name, margins=(12, 2, 12, 6), wide=1)
        self.add(self.name_row)
        self.add(Rule(host))
        self.tools = QWidget()
        self.tools_row = QHBoxLayout(self.tools)
        self.tools_row.setContentsMargins(6, 4, 9, 4)
        self.tools_row.setSpacing(8)
        for widget in (self.add_button, None, self.step, self.views, self.live, self.keep, self.csv, self.picture):
            if widget is None:
                self.tools_row.addStretch(1)
            else:
                self.tools_row.addWidget(widget)
        self.add(self.tools)
        self.completion: Completion | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.view: QueriesView | None = None

    def arrange(self, width: int, phone: bool) -> None:
        """Less beside each other where there is less room."""
        self.keep.setVisible(width >= 1180)
        self.csv.setVisible(not phone)
        self.picture.setVisible(width >= 1080)
        self.step.setVisible(width >= 1080)
        for button, key in ((self.add_button, "N"), (self.csv, "S"), (self.live, "L")):
            button.key = key if width >= 1180 else ""
            button.updateGeometry()
        self.views.restyle()
        for line in self.lines:
            line.note.setVisible(not phone)
            line.edit.restyle()

    def show_view(self, view: QueriesView, frozen: bool) -> None:
        self.view = view
        while len(self.lines) < len(view.rows):
            line = QueryLine(self.host, len(self.lines))
            line.note.setVisible(not self.host.look.phone)
            self.lines.append(line)
            self.rows.addWidget(line)
        for place, line in enumerate(self.lines):
            line.setVisible(place < len(view.rows))
            if place < len(view.rows):
                here = place == view.cursor
                line.show_row(view.rows[place], view.editor if here else None, here and len(view.rows) > 1)
        self._show_help(view)
        self.name_row.setVisible(view.naming is not None)
        self.name.show_text(view.naming or "")
        self.step.say(view.step)
        self.views.show_choices([(word, "") for word in VIEWS], next(w for w, v in VIEWS.items() if v == view.view))
        self.live.setVisible(frozen)
        self._show_completion(view)

    def _show_help(self, view: QueriesView) -> None:
        """A problem, else what would say more; the signature while somebody writes."""
        row = view.rows[view.cursor] if view.cursor < len(view.rows) else None
        problem = row.problem if row is not None and row.text.strip() else None
        if problem is not None:
            self.problem.show_problem(problem)
        elif view.hint:
            self.problem.show_hint(view.hint)
        self.problem_row.setVisible(problem is not None or bool(view.hint))
        editor = view.editor
        self.signature_row.setVisible(editor is not None and editor.signature is not None)
        self.signature.show_view(editor.signature if editor is not None else None)

    def _show_completion(self, view: QueriesView) -> None:
        offers = view.editor.completion if view.editor is not None else None
        if offers is None:
            if self.completion is not None:
                self.completion.show_view(None, None)
            return
        edit = self.lines[view.cursor].edit
        if self.completion is None:
            self.completion = Completion(self.host, self.window())
        corner = edit.mapTo(self.window(), QPoint(*edit.place_of(offers.start)))
        if self.signature_row.isVisible():  # what is being written stays in sight
            corner.setY(self.signature_row.mapTo(self.window(), QPoint(0, self.signature_row.height())).y())
        self.completion.show_view(offers, corner)

    def hide_completion(self) -> None:
        """The page is left."""
        if self.completion is not None:
            self.completion.hide()

    def focus_line(self) -> bool:
        """The caret into the query being written."""
        view = self.view
        if view is None or not self.lines or view.cursor >= len(self.lines):
            return False
        edit = self.lines[view.cursor].edit
        if not has_caret(edit):
            edit.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def restyle(self) -> None:
        for line in self.lines:
            line.edit.restyle()
