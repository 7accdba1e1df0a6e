"""Beside a list or a waterfall: the span or the log record that is looked at, in full."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from ui.desktop import paint
from ui.desktop.buttons import Button, row_of
from ui.desktop.host import Host, Painted
from ui.desktop.labels import Label, SentenceLabel, heading
from ui.desktop.panel import Card
from ui.desktop.rows import RowList
from ui.desktop.tracesrows import Fact, FactPainter
from ui.views.tracesview import LogDetail, Pairs, SpanDetail
from ui.views.view import Shape, Text

BODY = 60
"""Lines of a record's body that are shown."""


class Sign(Painted):
    """The silhouette of a state beside a heading; nothing for what asks for no look."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.shape: Shape | None = None
        self.want(18, 20)

    def show_shape(self, shape: Shape | None) -> None:
        self.shape = shape
        self.setVisible(shape is not None)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.shape is not None:
            painter = QPainter(self)
            paint.crisp(painter)
            paint.shape(painter, self.look, self.shape, paint.centred(QRectF(self.rect()), 16))


class Facts(RowList):
    """Names and values, events, links and records; a press on one that leads somewhere goes there, on a value copies it."""

    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host, name, FactPainter(), None, None)
        self.setMouseTracking(True)

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        self.show_rows(facts)

    def mousePressEvent(self, event: object) -> None:
        row = self._row_at(event)  # type: ignore[arg-type]
        rows = self.rows_model.rows
        if not 0 <= row < len(rows):
            return
        fact: Fact = rows[row]
        session = self.host.session
        if fact.kind == "link":
            self.host.tell(session.choose, "traces.trace", fact.value)
        elif fact.kind == "log":
            self.host.act("traces.other")

    def mouseDoubleClickEvent(self, event: object) -> None:
        row = self._row_at(event)  # type: ignore[arg-type]
        rows = self.rows_model.rows
        if 0 <= row < len(rows) and rows[row].kind == "pair":
            self.host.tell(self.host.session.copy, rows[row].value)


class Detail(Card):
    """A heading, sentences, and facts below them."""

    def __init__(self, host: Host, name: str, facts: str, *buttons: Button) -> None:
        super().__init__(host, name)
        self.sign = Sign(host)
        self.title: Label = heading(host, "", "control")
        self.title.middle = True
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.subtitle = SentenceLabel(host, "small", wrap=True)
        self.said = SentenceLabel(host, "body", wrap=True)
        self.facts = Facts(host, facts)
        self.add(row_of(self.sign, self.title, *buttons, margins=(14, 10, 10, 0), wide=1))
        self.add(row_of(self.subtitle, margins=(14, 2, 12, 4), wide=0))
        self.said_row = row_of(self.said, margins=(14, 2, 12, 4), wide=0)
        self.add(self.said_row)
        self.add(self.facts, 1)

    def say(self, shape: Shape | None, title: str, subtitle: str, said: tuple[Text, ...]) -> None:
        """The heading and the sentences."""
        self.sign.show_shape(shape)
        self.title.say(title)
        self.subtitle.say(subtitle)
        self.said.say(said)
        self.said_row.setVisible(bool(said))

    def restyle(self) -> None:
        self.facts.restyle()


class SpanCard(Detail):
    """The span under the cursor."""

    def __init__(self, host: Host) -> None:
        self.logs = Button(host, "Logs", lambda: host.act("traces.other"), key="G")
        super().__init__(host, "Span", "What the span says", self.logs)
        self.detail: SpanDetail | None = None

    def show_detail(self, detail: SpanDetail | None) -> None:
        if detail is self.detail or detail is None:
            return
        self.detail = detail
        runs = [Text(f"{detail.message}  ", True)] if detail.message else []
        runs += [Text(f"{fact} ") for fact in detail.facts]
        self.say(detail.shape if detail.shape != "ok" else None, detail.title, detail.subtitle, tuple(runs))
        self.facts.show_facts(facts_of(detail))


def facts_of(detail: SpanDetail) -> tuple[Fact, ...]:
    """Events first, for they say what went wrong; then attributes, links, logs, and the resource last."""
    facts: list[Fact] = []
    if detail.events:
        facts.append(Fact("head", "Events", str(len(detail.events))))
        for event in detail.events:
            facts.append(Fact("event", event.after, event.name))
            facts += [Fact("pair", name, value) for name, value in event.attributes]
    sections = dict(detail.sections)
    facts += _section("Attributes", sections.get("Attributes", ()))
    if detail.links:
        facts.append(Fact("head", "Links", str(len(detail.links))))
        facts += [Fact("link", words, trace) for words, trace in detail.links]
    facts.append(Fact("head", detail.logs_title, str(len(detail.logs)) if detail.logs else "none"))
    facts += [Fact("log", log=log) for log in detail.logs]
    facts += _section("Resource", sections.get("Resource", ()))
    return tuple(facts)


def _section(title: str, pairs: Pairs) -> list[Fact]:
    return [Fact("head", title, str(len(pairs))), *(Fact("pair", name, value) for name, value in pairs)] if pairs else []


class LogCard(Detail):
    """The log record that is open."""

    def __init__(self, host: Host) -> None:
        self.trace = Button(host, "Its trace", lambda: host.act("traces.other"), "accent", key="G")
        self.close_button = Button(host, "", lambda: host.act("back"), "ghost", icon="close")
        self.close_button.setAccessibleName("Close the record")
        super().__init__(host, "Log record", "What the record says", self.trace, self.close_button)
        self.detail: LogDetail | None = None

    def show_detail(self, detail: LogDetail | None) -> None:
        if detail == self.detail or detail is None:
            return
        self.detail = detail
        self.say(detail.shape, detail.title, detail.subtitle, ())
        self.trace.setVisible(bool(detail.trace))
        self.said_row.setVisible(True)
        self.said.say((Text("\u2028".join(detail.lines[:BODY]), True),))
        facts: list[Fact] = []
        for title, pairs in detail.sections:
            facts += _section(title, pairs)
        if detail.trace:
            facts += [Fact("head", "Trace"), Fact("pair", "trace", detail.trace), Fact("pair", "span", detail.span or "none")]
        self.facts.show_facts(tuple(facts))
