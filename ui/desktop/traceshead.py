"""The search field with its offers, and the heads of the list and of a trace that is open."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, Segments, row_of
from ui.desktop.completion import Completion
from ui.desktop.host import Host, Painted
from ui.desktop.labels import Label, SentenceLabel, heading, muted
from ui.desktop.look import MEDIUM
from ui.desktop.topbar import Field
from ui.desktop.tracesside import Sign
from ui.views.queryview import CompletionView
from ui.views.tracesfilter import EXAMPLES, LOG_EXAMPLES
from ui.views.tracesview import FORMS, KINDS, ORDERS, TracesView, TraceView


class Offers(Completion):
    """Services and operations below the search field; a press takes one."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().y())
        if row >= 0:
            self.host.tell(self.host.session.choose, "traces.offer", str(row))


class FindField(Field):
    """A search field whose Tab takes an offer while there are any."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "find", "Search traces or logs")
        self.offers: Offers | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Tab
            and self.offers is not None
            and self.offers.isVisible()
        ):
            self.host.tell(self.host.session.key, "tab", True)
            return True
        return super().event(event)

    def take(self, view: TracesView) -> None:
        """What is searched for, and what may be written next. An offer that was taken puts the caret behind itself."""
        if view.search != self.text():
            grown = len(view.search) - len(self.text())
            at = self.cursorPosition()
            self.setText(view.search)
            self.setCursorPosition(max(0, min(len(view.search), at + max(0, grown))))
        self.wrong(view.search_error)
        if not view.search_error:
            self.setToolTip("")
        self.setPlaceholderText(f"Search  /   {EXAMPLES if view.kind == 'Traces' else LOG_EXAMPLES}")
        self._offer(view.completion)

    def _offer(self, completion: CompletionView | None) -> None:
        if completion is None:
            if self.offers is not None:
                self.offers.show_view(None, None)
            return
        if self.offers is None:
            self.offers = Offers(self.host, self.window())
        before = self.fontMetrics().horizontalAdvance(self.text()[: completion.start])
        corner = self.mapTo(self.window(), QPoint(8 + min(before, self.width() - 60), self.height()))
        self.offers.show_view(completion, corner)

    def hide_offers(self) -> None:
        """The page is left."""
        if self.offers is not None:
            self.offers.hide()


class ListHead(QWidget):
    """What is listed, the search, the order, and how much was found."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        session = host.session
        self.host = host
        self.kinds = Segments(host, "Traces or logs", lambda word: host.tell(session.choose, "traces.kind", word))
        self.field = FindField(host)
        self.orders = Segments(host, "Order", lambda word: host.tell(session.choose, "traces.order", word))
        self.failing = Button(host, "Only what fails", lambda: host.act("traces.failing"), key="F")
        self.problem = SentenceLabel(host, "small", wrap=True, soft="critical")
        self.problem.hide()
        self.found: Label = muted(host)
        self.note: Label = muted(host)
        self.note.align = paint.RIGHT
        self.note.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.live: Label = muted(host)
        self.first = QHBoxLayout()
        self.first.setSpacing(8)
        self.second = QHBoxLayout()
        self.second.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(11, 9, 11, 6)
        column.setSpacing(6)
        column.addLayout(self.first)
        column.addLayout(self.second)
        column.addWidget(self.problem)
        self.counts = row_of(self.found, self.live, self.note, margins=(2, 0, 0, 0), wide=2)
        column.addWidget(self.counts)
        self.phone: bool | None = None

    def arrange(self, phone: bool) -> None:
        """On the phone the search has a line of its own."""
        if phone != self.phone:
            self.phone = phone
            for widget in (self.kinds, self.field, self.orders, self.failing):
                self.first.removeWidget(widget)
                self.second.removeWidget(widget)
            self.first.addWidget(self.kinds)
            if phone:
                self.first.addStretch(1)
                self.second.addWidget(self.field, 1)
            else:
                self.first.addWidget(self.field, 1)
                self.first.addWidget(self.orders)
            self.first.addWidget(self.failing)
            self.orders.setVisible(not phone)
        for part in (self.kinds, self.orders):
            part.restyle()
        self.field.setFixedHeight(44 if phone else 28)

    def show_view(self, view: TracesView) -> None:
        self.kinds.show_choices([(word, "") for word in KINDS], view.kind)
        self.orders.show_choices([(word, "") for word in ORDERS], view.order)
        self.orders.setVisible(view.kind == "Traces" and not self.phone)
        word = "Only what fails" if view.kind == "Traces" else "Only warnings"
        self.failing.say("All of them" if view.failing else word)
        self.field.take(view)
        told = view.search_error or view.problem
        self.problem.say(told)
        self.problem.setVisible(bool(told))
        self.counts.setVisible(not told)
        self.found.say(view.found)
        following = view.kind == "Logs" and view.live and not told and bool(view.found)
        self.live.say("· following" if following else "· held" if view.kind == "Logs" and not view.live and view.found else "")
        self.note.say(view.note)


class Services(Painted):
    """Who took part, each with its colour and its share of what was waited for; the last ones give way."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.services: tuple[tuple[str, str, str], ...] = ()
        self.want(0, 20)

    def show_services(self, services: tuple[tuple[str, str, str], ...]) -> None:
        if services != self.services:
            self.services = services
            self.setAccessibleName(", ".join(f"{name} {share}".strip() for name, _, share in services))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        look, box = self.look, QRectF(self.rect())
        strong, plain = look.font("small", MEDIUM), look.font("small")
        mark = "critical path"
        foot = paint.width_of(plain, mark) + 26
        left, right = box.left(), box.right() - (foot if box.width() > 420 else 0)
        for name, colour, share in self.services:
            need = 14 + paint.width_of(strong, name) + (paint.width_of(plain, share) + 6 if share else 0)
            if left + need > right:
                break
            painter.fillRect(QRectF(left, box.center().y() - 5, 8, 10), look.colour(colour))
            at = left + 14
            at += paint.words(painter, QRectF(at, 0, need, box.height()), name, strong, look.colour("text-primary")) + 6
            paint.words(painter, QRectF(at, 0, need, box.height()), share, plain, look.colour("text-secondary"))
            left += need + 16
        if right < box.right():
            painter.fillRect(QRectF(right + 4, box.center().y() - 1, 16, 2.5), look.colour("text-primary"))
            paint.words(painter, QRectF(right + 24, 0, foot, box.height()), mark, plain, look.colour("text-secondary"))


class TraceHead(QWidget):
    """The trace that is open: what it was, how long it took and where that went."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        session = host.session
        self.host = host
        self.back = Button(host, "Back", lambda: host.act("back"), "ghost", key="Esc", icon="back")
        self.sign = Sign(host)
        self.title: Label = heading(host, "", "title")
        self.title.middle = True
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.took: Label = heading(host, "", "title")
        self.forms = Segments(host, "Form of the trace", lambda word: host.tell(session.choose, "traces.form", word))
        self.subtitle: Label = muted(host)
        self.subtitle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.id: Label = muted(host)
        self.id.mono = True
        self.sentence = SentenceLabel(host, "body", wrap=True)
        self.services = Services(host)
        self.notes = SentenceLabel(host, "small", wrap=True)
        self.first = row_of(self.back, self.sign, self.title, self.took, margins=(0, 0, 0, 0), wide=2)
        self.second = row_of(self.subtitle, self.id, self.forms, wide=0)
        column = QVBoxLayout(self)
        column.setContentsMargins(11, 9, 11, 4)
        column.setSpacing(4)
        for widget in (self.first, self.second, self.sentence, self.services, self.notes):
            column.addWidget(widget)

    def arrange(self, width: int, phone: bool) -> None:
        self.id.setVisible(width >= 1180)
        self.forms.restyle()

    def show_view(self, view: TraceView) -> None:
        self.sign.show_shape(view.shape)
        self.title.say(view.title)
        self.took.say(str(view.duration))
        self.subtitle.say(view.subtitle)
        self.id.say(view.trace)
        self.forms.show_choices([(word, "") for word in FORMS], view.form)
        self.sentence.say(view.sentence)
        self.services.show_services(view.services)
        self.notes.say(" ".join(view.notes))
        self.notes.setVisible(bool(view.notes))
