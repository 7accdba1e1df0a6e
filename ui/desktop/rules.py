"""The Rules page: the list by file, the text with its problems, the rule as a sentence, and its metric with the limit."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, row_of
from ui.desktop.card import ChartCard
from ui.desktop.delegates import RulePainter
from ui.desktop.editor import CodeEdit
from ui.desktop.empty import EmptyCard
from ui.desktop.host import Host, Painted, has_caret
from ui.desktop.labels import Label, SentenceLabel, heading, literal_tip, muted
from ui.desktop.look import STRONG
from ui.desktop.panel import Card, Rule
from ui.desktop.rows import RowList, fill_height
from ui.desktop.topbar import Field
from ui.views.view import ProblemRow, RuleEditorView, RulesView, Text, Value

LIST = 268
BUTTONS = 254
"""Pixels the buttons of a rule need at least; kept while a draft comes and goes, so that the words beside stand still."""


class Problem(Painted):
    """The first problem below the text: where, what, and the one fix."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.problem: ProblemRow | None = None
        self.words = SentenceLabel(host, "small", wrap=True, soft="text-primary")
        self.fix = Button(host, "", lambda: host.act("rule.fix"), "link", key="Alt Enter")
        self.row = row = QHBoxLayout(self)
        row.setContentsMargins(36, 7, 10, 7)
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        row.addWidget(self.fix)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> QSize:
        return self.row.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.row.minimumSize()

    def show_problems(self, problems: tuple[ProblemRow, ...]) -> None:
        first = problems[0] if problems else None
        self.setVisible(first is not None)
        if first is None:
            self.problem = None
            return
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        where = f"Line {first.line + 1}: "
        said = where + first.text.removeprefix(where)
        self.words.say((Text(said + more),))
        self.setAccessibleName(said)
        self.fix.setVisible(bool(first.fix))
        self.fix.say(first.fix)
        self.problem = first

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush("warning-tint"))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        paint.shape(painter, self.look, "warning", QRectF(13, 9, 13, 13), "warning-tint")


class Now(Painted):
    """The rule's value at this moment, large, and what that means."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.value, self.note = Value(""), ""
        self.want(0, 80)

    def show_now(self, value: Value, note: str) -> None:
        if (value, note) != (self.value, self.note):
            self.value, self.note = value, note
            self.setAccessibleName(f"Now {value}. {note}")
            self.setToolTip(literal_tip(note))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        small = self.look.font("small")
        paint.words(painter, QRectF(0, 0, self.width(), 16), "Now", small, self.look.colour("text-secondary"))
        paint.value(painter, self.look, QRectF(0, 17, self.width(), 28), self.value, 22, STRONG, paint.LEFT, unit_role=12)
        painter.setFont(small)
        painter.setPen(self.look.colour("text-secondary"))
        painter.drawText(QRectF(0, 46, self.width(), 34), Qt.TextFlag.TextWordWrap, self.note)


class EditorCard(Card):
    """Name, file and state above the text, the problem below."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Rule")
        self.title = heading(host, "")
        self.place = muted(host)
        self.state = Label(host, "", "small", colour="series-1")
        self.state.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.text = CodeEdit(host)
        self.problem = Problem(host)
        self.conflict = SentenceLabel(host, "small", wrap=True, soft="warning")
        self.add(row_of(self.title, self.place, None, self.state, margins=(14, 7, 12, 7)))
        self.add(Rule(host))
        self.add(self.text, 1)
        self.conflict_row = row_of(self.conflict, margins=(14, 2, 14, 6))
        self.add(self.conflict_row)
        self.problem_row = row_of(self.problem, margins=(10, 2, 10, 9))
        self.add(self.problem_row)
        self.setMinimumHeight(170)

    def show_editor(self, view: RuleEditorView, name: str) -> None:
        self.title.say(name)
        self.place.say(view.file)
        count = len(view.changed_lines)
        changed = f"{count} line{'s' if count != 1 else ''} changed, not saved"
        self.state.say(changed if view.dirty and count else "changed, not saved" if view.dirty else "")
        self.conflict.say(view.conflict)
        self.conflict_row.setVisible(bool(view.conflict))
        self.text.show_view(view)
        self.problem.show_problems(view.problems)
        self.problem_row.setVisible(bool(view.problems))


class MeaningCard(Card):
    """What the rule does in words, where it stands, and the buttons that say what they do: a strip, or a column on the phone."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "What this rule does", (14, 9, 12, 9))
        self.sentence = SentenceLabel(host, "control", wrap=True)
        self.now = Now(host)
        self.save = Button(host, "Save", lambda: host.act("draft.save"), "primary", key="Ctrl S")
        self.discard = Button(host, "Discard", lambda: host.act("draft.discard"))
        self.toggle = Button(host, "Disable", lambda: host.act("rule.toggle"), key="D")
        self.delete = Button(host, "Delete rule", lambda: host.act("rule.delete"), "danger")
        self.save.acts = self.toggle.acts = self.delete.acts = True
        self.save.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.words = QWidget()
        words = QVBoxLayout(self.words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(4)
        words.addWidget(heading(host, "What this rule does"))
        words.addWidget(self.sentence)
        words.addStretch(1)
        self.buttons = QWidget()
        buttons = QVBoxLayout(self.buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(7)
        self.draft_row = row_of(self.save, self.discard)
        buttons.addWidget(self.draft_row)
        buttons.addWidget(row_of(self.toggle, self.delete, None))
        buttons.addStretch(1)
        self.strip = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.strip.setSpacing(16)
        self.strip.addWidget(self.words, 3)
        self.strip.addWidget(self.now, 2)
        self.strip.addWidget(self.buttons)
        self.column.addLayout(self.strip)

    def arrange(self, phone: bool) -> None:
        """Beside each other, or one below the other on the phone."""
        ways = QBoxLayout.Direction
        self.strip.setDirection(ways.TopToBottom if phone else ways.LeftToRight)
        self.buttons.setMinimumWidth(0 if phone else BUTTONS)

    def show_editor(self, view: RuleEditorView, enabled: bool) -> None:
        self.sentence.say(view.sentence)
        self.now.show_now(view.now, view.now_note)
        self.draft_row.setVisible(view.dirty or bool(view.problems))
        self.save.say(view.button, view.can_save)
        self.save.kind = "primary" if view.can_save else "plain"
        self.discard.say("Discard", view.dirty)
        self.toggle.say("Disable" if enabled else "Enable")


class RulesPage(QWidget):
    """List, editor and meaning side by side, the chart below; on the phone the list, then the rule."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        session = host.session
        self.view: RulesView | None = None
        self.phone, self.opened = False, False
        self.filter = Field(host, "filter", "Filter rules", "Filter rules")
        self.new = Button(host, "New", lambda: host.act("rule.new"), key="N", icon="plus")
        self.new.acts = True
        self.count = muted(host)
        self.list = RowList(
            host, "Rules", RulePainter(), self.point, lambda row: host.tell(session.open, "rules", row), hovering=True
        )
        fill_height(self.list)
        self.left = Card(host, "Rules")
        self.top = row_of(self.filter, self.new, spacing=6, margins=(10, 8, 10, 8), wide=0)
        self.left.add(self.top)
        self.left.add(self.list, 1)
        self.back = Button(host, "Rules", self.close_sheet, "ghost", icon="back")
        self.editor = EditorCard(host)
        self.meaning = MeaningCard(host)
        self.chart = ChartCard(host)
        self.empty = EmptyCard(host)
        self.work = QWidget()
        self.grid = QGridLayout(self.work)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(10)
        self.outer = QHBoxLayout(self)
        self.outer.setSpacing(10)
        self.outer.addWidget(self.left)
        self.right = QWidget()
        right = QVBoxLayout(self.right)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(10)
        right.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        right.addWidget(self.empty)
        right.addWidget(self.work, 1)
        self.outer.addWidget(self.right, 1)
        self.arrange(1440, False)

    def arrange(self, width: int, phone: bool) -> None:
        self.phone = phone
        self.outer.setContentsMargins(12, 4 if phone else 10, 12, 10)
        for widget in (self.editor, self.meaning, self.chart):
            self.grid.removeWidget(widget)
        for row, (part, stretch) in enumerate(((self.editor, 5), (self.meaning, 0), (self.chart, 3))):
            self.grid.addWidget(part, row, 0)
            self.grid.setRowStretch(row, stretch)
        self.meaning.arrange(phone)
        self.chart.setMinimumHeight(126)
        if phone:
            self.left.setMinimumWidth(0)
            self.left.setMaximumWidth(16_777_215)
        else:
            self.left.setFixedWidth(LIST if width >= 1180 else 220)
        self.new.updateGeometry()
        self._place()
        if self.view is not None:
            view, self.view = self.view, None
            self.show_view(view)

    def _place(self) -> None:
        self.left.setVisible(not self.phone or not self.opened)
        self.right.setVisible(not self.phone or self.opened)
        self.back.setVisible(self.phone and self.opened)
        self.work.setVisible((not self.phone or self.opened) and self.view is not None and self.view.editor is not None)

    def point(self, row: int) -> None:
        self.opened = self.phone
        self.host.tell(self.host.session.point, "rules", row)
        self._place()
        if self.opened:
            self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_sheet(self) -> None:
        self.opened = False
        self._place()

    def show_view(self, view: RulesView) -> None:
        if view is self.view:
            return
        old, self.view = self.view, view
        self.filter.show_text(view.filter)
        self.filter.setPlaceholderText(view.title or "Filter rules")
        self.list.show_rows(view.rows, view.cursor, lambda row: str(row.file), first_header=True)
        self.empty.show_state(view.empty)
        editor = view.editor
        if editor is not None:
            row = next((r for r in view.rows if r.id == editor.rule_id and r.file == editor.file), None)
            self.editor.text.editing = view.editing
            self.editor.show_editor(editor, row.name if row else editor.rule_id or "New rule")
            self.meaning.show_editor(editor, row.enabled if row else True)
            self.meaning.toggle.setVisible(row is not None)
            self.meaning.delete.setVisible(row is not None)
            self.chart.show_chart(editor.chart)
        self._place()
        if view.editing and (old is None or not old.editing) and not has_caret(self.editor.text):
            if editor is not None:
                self.editor.text.go_to(editor.cursor_line)
            self.editor.text.setFocus(Qt.FocusReason.OtherFocusReason)
        elif not view.editing and old is not None and old.editing and has_caret(self.editor.text):
            self.focus_main()

    def restyle(self) -> None:
        self.list.restyle()
        self.editor.text.restyle()
        self.chart.restyle()

    def focus_main(self) -> bool:
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def focus_field(self, name: str) -> bool:
        """The caret into a field of this page; False when it is not here."""
        if name == "rule":
            self.editor.text.setFocus(Qt.FocusReason.OtherFocusReason)
        elif name == "filter":
            self.filter.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            return False
        return True
