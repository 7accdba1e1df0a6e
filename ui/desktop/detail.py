"""One alert: what it is, its chart round the onset with the limit drawn in, labels, history; and why nobody was told."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop.banner import Sign
from ui.desktop.buttons import Button, row_of
from ui.desktop.card import ChartCard
from ui.desktop.delegates import EventPainter, WhyPainter
from ui.desktop.host import Host
from ui.desktop.labels import Label, SentenceLabel, heading, muted
from ui.desktop.panel import Card, PanelHead, Rule
from ui.desktop.rows import RowList, fill_height
from ui.desktop.topbar import Field
from ui.views.view import AlertDetail, EventRow, Text

ONE_LINE = 44
"""Characters of a step's detail that are seen in its row for certain."""


class DetailCard(Card):
    """The centre of the console. Its buttons name the keys that do the same."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Alert")
        self.detail: AlertDetail | None = None
        self.back = Button(host, "", lambda: None, "ghost", icon="back")
        self.back.setAccessibleName("Back to the list")
        self.back.hide()
        self.sign = Sign(host, 20)
        self.title = heading(host, "", 16)
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.title.middle = True
        self.subtitle = Label(host, "", "body", colour="text-secondary")
        self.ack = Button(host, "Acknowledge", lambda: host.act("alert.acknowledge"), key="A")
        self.until_change = Button(host, "Until change", lambda: host.act("alert.acknowledge.change"), key="Shift A")
        self.until_change.setAccessibleName("Acknowledge until it changes")
        self.silence = Button(host, "Silence…", lambda: host.act("alert.silence"), key="S")
        self.note = Button(host, "Note", lambda: host.act("alert.note"), key="N")
        self.silence.acts = self.note.acts = True
        self.runbook = Button(host, "Runbook", lambda: host.act("alert.runbook"), key="R")
        self.sentence = SentenceLabel(host, "control", wrap=True)
        self.chart = ChartCard(host, framed=False)
        self.labels = SentenceLabel(host, "small", wrap=True)
        self.note_field = Field(host, "note", "Note text", "Write a note, Enter saves it")
        self.note_words = muted(host)
        self.note_row = row_of(self.note_words, self.note_field, margins=(14, 4, 14, 6), wide=1)
        self.history_head = PanelHead(host, "History")
        self.history = RowList(host, "History", EventPainter())
        self.nothing = SentenceLabel(host, "control", wrap=True, soft="text-secondary")
        self.body = QWidget()
        self._lay_out()
        self.add(self.body, 1)
        self.nothing_row = row_of(self.nothing, margins=(16, 14, 16, 14))
        self.add(self.nothing_row)
        self.lately_head = PanelHead(host, "Lately")
        self.lately = RowList(host, "What happened lately", EventPainter())
        fill_height(self.lately)
        self.add(self.lately_head)
        self.add(self.lately, 1)
        self.show_detail(None, "", "")

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self.title)
        words.addWidget(self.subtitle)
        top = QHBoxLayout()
        top.setContentsMargins(14, 10, 12, 6)
        top.setSpacing(10)
        top.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)
        self.buttons = row_of(self.ack, self.until_change, self.silence, self.note, self.runbook, None, margins=(14, 0, 12, 8))
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.buttons)
        self.sentence_row = row_of(self.sentence, margins=(14, 0, 14, 8))
        column.addWidget(self.sentence_row)
        column.addWidget(self.note_row)
        column.addWidget(Rule(self.host))
        column.addWidget(self.chart, 3)
        column.addWidget(Rule(self.host))
        column.addWidget(row_of(self.labels, margins=(14, 8, 14, 8)))
        column.addWidget(Rule(self.host))
        column.addWidget(self.history_head)
        column.addWidget(self.history, 2)
        self.chart.setMinimumHeight(170)
        self.history.setMinimumHeight(26)

    def show_detail(self, detail: AlertDetail | None, prompt: str, empty: str, lately: tuple[EventRow, ...] = ()) -> None:
        """None shows `empty` and what happened lately; `prompt` opens the field for a note."""
        self.lately.show_rows(lately)
        self.lately_head.setVisible(detail is None and bool(lately))
        self.lately.setVisible(detail is None)
        self.body.setVisible(detail is not None)
        self.nothing_row.setVisible(detail is None)
        self.nothing.say(empty)
        self.note_row.setVisible(bool(prompt))
        self.note_words.say(prompt)
        if not prompt:
            self.note_field.clear()
        if detail is None or detail is self.detail:
            self.detail = detail
            return
        self.detail = detail
        self.sign.show_shape(detail.shape)
        self.title.say(detail.title)
        self.subtitle.say(detail.subtitle)
        self.setAccessibleName(f"{detail.title}. {detail.subtitle}")
        self.sentence.say(detail.sentence)
        self.sentence_row.setVisible(bool(detail.sentence) and detail.sentence != detail.chart.sentence)
        self.chart.show_chart(detail.chart)
        runs = [
            Text(piece, strong)
            for name, value in detail.labels
            for piece, strong in ((f"{name} = ", False), (f"{value}    ", True))
        ]
        self.labels.say(tuple(runs))
        self.history.show_rows(detail.history)
        self.history.fit(420)
        for part in (self.history_head, self.history):
            part.setVisible(bool(detail.history))
        self.ack.say(
            "Release" if detail.acked else "Acknowledge",
            detail.can_acknowledge,
            "" if detail.can_acknowledge else "Nothing to acknowledge.",
        )
        self.until_change.setVisible(detail.can_acknowledge and not detail.acked and not self.host.look.phone)
        self.runbook.setVisible(bool(detail.runbook_url))

    def arrange(self, phone: bool) -> None:
        self.back.setVisible(phone)
        for button in (self.ack, self.silence, self.note, self.runbook, self.back):
            button.updateGeometry()
        self.note.setVisible(not phone)

    def restyle(self) -> None:
        self.chart.restyle()
        self.history.restyle()
        self.lately.restyle()


class WhyCard(Card):
    """From rule to notification, in the order the engine decides; the step that stopped it stands out."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Why was nobody told?")
        self.head = PanelHead(host, "Why was nobody told?")
        self.rows = RowList(host, "Steps from rule to notification", WhyPainter())
        self.action = Button(host, "", self._press)
        self.button_row = row_of(self.action, None, margins=(12, 4, 12, 10))
        self.stopped = SentenceLabel(host, "small", wrap=True)
        self.stopped_row = row_of(self.stopped, margins=(34, 2, 12, 2))
        self._action = ""
        self.add(self.head)
        self.add(self.rows, 1)
        self.add(self.stopped_row)
        self.column.addSpacing(6)
        self.add(self.button_row)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def _press(self) -> None:
        if self._action:
            self.host.act(self._action)

    def show_detail(self, detail: AlertDetail | None) -> None:
        from ui.views.actions import BY_NAME

        there = detail is not None and bool(detail.why)
        self.setVisible(there)
        if detail is None or not there:
            return
        self.head.title.say(detail.why_title)
        self.head.note.say(detail.title)
        self.rows.show_rows(detail.why)
        self.rows.fit()
        # A row has one line for the detail: that of the step which stopped it is said in full.
        stopped = next((row for row in detail.why if row.shape == "warning" and len(row.detail) > ONE_LINE), None)
        self.stopped_row.setVisible(stopped is not None)
        if stopped is not None:
            self.stopped.say((Text(f"{stopped.title}: ", True), Text(stopped.detail)))
        self._action = next((row.action for row in detail.why if row.action in BY_NAME), "")
        self.button_row.setVisible(bool(self._action))
        if self._action:
            self.action.say(BY_NAME[self._action].title)
