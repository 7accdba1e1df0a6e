"""First run and empty pages: what would be here, and the shortest way to get it as commands to copy."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from ui.desktop import paint
from ui.desktop.buttons import link, row_of
from ui.desktop.host import Host
from ui.desktop.labels import Label, SentenceLabel, heading
from ui.desktop.panel import Card
from ui.views.view import EmptyState


class Command(Label):
    """A command on a raised ground, shown literally."""

    def __init__(self, host: Host, text: str) -> None:
        super().__init__(host, text, 12)
        self.mono = True
        self.middle = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        size = super().sizeHint()
        size.setHeight(30 if self.look.phone else 24)
        return size

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush("raised"))
        painter.drawRoundedRect(self.rect(), 4, 4)
        box = QRectF(self.rect()).adjusted(8, 0, -8, 0)
        paint.words(painter, box, self.text, self.look.font(12, mono=True), self.look.colour("text-primary"), middle=True)


class EmptyCard(Card):
    """Never an empty grid."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "", (18, 14, 18, 14))
        self.state: EmptyState | None = None
        self._rows: QWidget | None = None
        self.title = heading(host, "", "title")
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.detail = SentenceLabel(host, "body", wrap=True)
        self.working = SentenceLabel(host, "body", wrap=True)
        self.column.setSpacing(6)
        for widget in (self.title, self.detail, self.working):
            self.add(widget)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.hide()

    def show_state(self, state: EmptyState | None) -> None:
        """None hides it."""
        if state == self.state:
            return
        self.state = state
        self.setVisible(state is not None)
        if state is None:
            return
        self.setAccessibleName(f"{state.title} {state.detail}")
        self.title.say(state.title)
        self.detail.say(state.detail)
        self.working.say(state.working)
        self.working.setVisible(bool(state.working))
        if self._rows is not None:
            self.column.removeWidget(self._rows)
            self._rows.hide()  # it goes with the next turn of the event loop, and must not be drawn until then
            self._rows.deleteLater()
        self._rows = self._commands(state)
        self.column.insertWidget(2, self._rows)

    def _commands(self, state: EmptyState) -> QWidget:
        if self.look_phone():
            return self._stacked(state)
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 4, 0, 4)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for row, (what, command) in enumerate(state.commands):
            grid.addWidget(Label(self.host, what), row, 0)
            grid.addWidget(Command(self.host, command), row, 1)
            grid.addWidget(self._copy(what, command), row, 2)
        return holder

    def _stacked(self, state: EmptyState) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 4, 0, 4)
        for row, (what, command) in enumerate(state.commands):
            grid.addWidget(row_of(Label(self.host, what), None, self._copy(what, command)), 2 * row, 0)
            grid.addWidget(Command(self.host, command), 2 * row + 1, 0)
        return holder

    def _copy(self, what: str, command: str) -> QWidget:
        button = link(self.host, "Copy", lambda: self.host.tell(self.host.session.copy, command))
        button.setAccessibleName(f"Copy the command for {what}")
        return button

    def look_phone(self) -> bool:
        return self.host.look.phone
