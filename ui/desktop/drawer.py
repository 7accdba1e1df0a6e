"""The silence drawer: matchers, duration, reason, and beside every key stroke what it would silence. Never a dialog."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, Check, row_of
from ui.desktop.host import Host, has_caret
from ui.desktop.labels import Label, SentenceLabel, muted
from ui.desktop.look import MEDIUM, Look
from ui.desktop.panel import Card, PanelHead
from ui.desktop.rows import RowList, RowPainter, State
from ui.desktop.topbar import Field
from ui.views.theme import GLYPHS
from ui.views.view import AlertRow, SilenceDraftView, Text


class PreviewPainter(RowPainter):
    """One line an alert: shape, name, where."""

    def height(self, look: Look, row: AlertRow) -> int:
        return 28 if look.phone else 20

    def say(self, row: AlertRow) -> str:
        return f"{GLYPHS[row.severity].word}: {row.name}, {row.where}"

    def tip(self, row: AlertRow) -> str:
        return f"{row.name}, {row.where}"

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: AlertRow, state: State) -> None:
        paint.shape(painter, look, row.shape, paint.centred(box, 11))
        rest = box.adjusted(18, 0, 0, 0)
        used = paint.words(painter, rest, row.name, look.font("small", MEDIUM), look.colour("text-primary"), middle=True)
        paint.words(
            painter, rest.adjusted(used + 8, 0, 0, 0), row.where, look.font("small"), look.colour("text-secondary"), middle=True
        )


class SilenceDrawer(Card):
    """The draft of a silence. It survives page changes and restarts; only saving or discarding ends it."""

    FIELDS = ("matchers", "duration", "reason")

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Silence")
        session = host.session
        self.draft: SilenceDraftView | None = None
        self.close_button = Button(host, "", lambda: host.act("draft.discard"), "ghost", icon="close")
        self.close_button.setAccessibleName("Discard the draft")
        self.head = PanelHead(host, "Silence", self.close_button)
        self.head.note.say("draft, kept while you look around")
        self.matchers = Field(host, "silence.matchers", "Matches", "service=orders, env=prod")
        self.matchers.setFont(host.look.font(11, mono=True))
        self.duration = Field(host, "silence.duration", "For how long", "45m, 2h, until 15:06")
        self.reason = Field(host, "silence.reason", "Because", "Why: the others will read it")
        self.until = muted(host)
        self.until.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.end = Check(host, "end early when resolved", lambda on: host.tell(session.set_flag, "silence.end_when_resolved", on))
        self.preview_title = SentenceLabel(host, "small", wrap=True, soft="text-primary")
        self.preview = RowList(host, "Alerts it would silence", PreviewPainter())
        self.preview_note = SentenceLabel(host, "small", wrap=True)
        self.error = Label(host, "", "small", colour="warning")
        self.refused = SentenceLabel(host, "small", wrap=True, soft="warning")
        self.save = Button(host, "Silence", lambda: host.act("draft.save"), "primary", key="Ctrl S")
        self.discard = Button(host, "Discard", lambda: host.act("draft.discard"), "ghost")
        self.save.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.add(self.head)
        self.add(self._form())
        self.add(self._preview())
        self.error_row = row_of(self.error, margins=(12, 4, 12, 0))
        self.add(self.error_row)
        self.refused_row = row_of(self.refused, margins=(12, 4, 12, 0))
        self.add(self.refused_row)
        self.add(row_of(self.save, self.discard, margins=(12, 6, 12, 11)))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def _form(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(12, 2, 12, 8)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Matches", self.matchers),
            ("For", row_of(self.duration, self.until, spacing=6)),
            ("", self.end),
            ("Because", self.reason),
        )
        for number, (words, widget) in enumerate(rows):
            if words:
                label = muted(self.host, words)
                label.setMinimumWidth(52)
                label.setAccessibleName("")  # the field says the same, and once is enough
                grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(widget, number, 1)
        return holder

    def _preview(self) -> QWidget:
        box = QFrame()
        box.setObjectName("inset")
        column = QVBoxLayout(box)
        column.setContentsMargins(10, 7, 10, 7)
        column.setSpacing(4)
        for widget in (self.preview_title, self.preview, self.preview_note):
            column.addWidget(widget)
        return row_of(box, margins=(12, 0, 12, 2))

    def show_draft(self, draft: SilenceDraftView | None) -> None:
        """None hides it. A field that has the focus keeps its caret."""
        if draft == self.draft:
            return
        opened = self.draft is None and draft is not None
        self.draft = draft
        self.setVisible(draft is not None)
        if draft is None:
            return
        for name in self.FIELDS:
            field: Field = getattr(self, name)
            field.show_text(getattr(draft, name))
            field.wrong(draft.error if draft.error and draft.field == name and not opened else "")
        self.head.title.say("Change the silence" if draft.editing else "Silence")
        self.end.setEnabled(not draft.editing)
        self.end.setToolTip("Whether it ends when resolved stays as it was made." if draft.editing else "")
        self.matchers.setToolTip(" ".join(draft.chips))
        self.until.say(draft.until)
        self.end.setChecked(draft.end_when_resolved)
        self.preview_title.say((Text(draft.preview_title, True),))
        self.preview.show_rows(draft.preview)
        self.preview.setFixedHeight(min(self.preview.content_height(), 168))
        self.preview.setVisible(bool(draft.preview))
        self.preview_note.say(draft.preview_note)
        self.preview_note.setVisible(bool(draft.preview_note))
        self.error.say(draft.error)
        self.error_row.setVisible(bool(draft.error))
        self.refused.say(draft.refused)
        self.refused_row.setVisible(bool(draft.refused) and not draft.error)
        self.save.say(draft.button, not draft.error, draft.error)

    def focus_field(self, name: str) -> None:
        """Put the caret into a field by its name in the session ("silence.reason")."""
        field = getattr(self, name.rpartition(".")[2], None)
        if isinstance(field, Field) and not has_caret(field):
            field.setFocus(Qt.FocusReason.OtherFocusReason)

    def restyle(self) -> None:
        self.preview.restyle()
