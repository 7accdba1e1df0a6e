"""Beside the map: all nodes as a list, or what is open with its figures, charts, alerts, operations, errors and links."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, row_of
from ui.desktop.card import ChartCard
from ui.desktop.delegates import AlertPainter
from ui.desktop.host import Host, Painted
from ui.desktop.labels import Label, SentenceLabel, heading, literal_tip, muted
from ui.desktop.look import STRONG
from ui.desktop.panel import Card, PanelHead, Rule
from ui.desktop.rows import RowList, RowPainter
from ui.desktop.topologyrows import ErrorPainter, LinkPainter, NodePainter, OperationPainter
from ui.views.topologyview import PARTS, DetailPart, NodeDetail, TopologyView
from ui.views.view import Shape

CHART = 118


class Sign(Painted):
    """The silhouette of a state, as large as a heading."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.shape: Shape = "ok"
        self.want(20, 22)

    def show_shape(self, shape: Shape) -> None:
        if shape != self.shape:
            self.shape = shape
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        paint.shape(painter, self.look, self.shape, paint.centred(QRectF(self.rect()), 19))


class Three(Painted):
    """Requests, errors and p99 side by side."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.detail: NodeDetail | None = None
        self.want(0, 62)

    def show_detail(self, detail: NodeDetail) -> None:
        self.detail = detail
        self.setAccessibleName(", ".join(f"{label} {shown}" for label, shown, _ in detail.stats))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.detail is None:
            return
        painter = QPainter(self)
        paint.crisp(painter)
        small, soft = self.look.font("small"), self.look.colour("text-secondary")
        each = (self.width() - 28) / max(1, len(self.detail.stats))
        for i, (label, shown, note) in enumerate(self.detail.stats):
            left = 14 + i * each
            paint.words(painter, QRectF(left, 2, each - 8, 16), label, small, soft)
            paint.value(painter, self.look, QRectF(left, 19, each - 8, 24), shown, 18, STRONG, paint.LEFT, unit_role=11)
            paint.words(painter, QRectF(left, 43, each - 8, 16), note, small, soft)


class Part(QWidget):
    """A heading over a list, there only when it has rows or says why not. A click follows the row."""

    def __init__(self, host: Host, title: str, rows: RowPainter) -> None:
        super().__init__()
        self.host, self.title = host, title
        self.first = 0
        """Which of all rows of the card is the first of this list."""
        self.list = RowList(host, title, rows, lambda n: host.tell(host.session.open, "topology.row", self.first + n))
        self.list.setCursor(Qt.CursorShape.PointingHandCursor)
        self.column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addWidget(Rule(host))
        self.head = PanelHead(host, title)
        column.addWidget(self.head)
        column.addWidget(self.list)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    def show_part(self, part: DetailPart, first: int, cursor: int) -> None:
        """`first`: how many rows there are in the lists above; `cursor` counts over all of them."""
        self.first = first
        self.setVisible(bool(part.rows or part.note))
        self.head.note.say(part.note)
        at = cursor - first
        self.list.show_rows(part.rows, at if 0 <= at < len(part.rows) else -1)
        self.list.fix()

    def cursor_box(self) -> QRect:
        """Where the row under the cursor lies in the widget; empty when it is in another list."""
        at = self.list.cursor_row
        box = self.list.visualRect(self.list.rows_model.index(at, 0)) if at >= 0 else QRect()
        return box.translated(self.list.pos()) if at >= 0 else box


class NodeCard(Card):
    """A node or an edge opened. It scrolls by itself; the phone shows it in the map's place."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Node")
        self.sign = Sign(host)
        self.title = heading(host, "", "title")
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.subtitle = muted(host)
        self.close_button = Button(host, "", lambda: host.act("back"), "ghost", icon="close")
        self.close_button.setAccessibleName("Close the node")
        self.traces = Button(host, "Traces", lambda: host.act("topology.traces"), key="O")
        self.failed = Button(host, "Failed", lambda: host.act("topology.errors"))
        self.failed.setAccessibleName("Failed traces")
        self.logs = Button(host, "Logs", lambda: host.act("topology.logs"), key="I")
        self.explore = Button(host, "Explore", lambda: host.act("topology.explore"), key="E")
        self.near = Button(host, "Neighbours", lambda: host.act("topology.near"), key="N")
        self.sentence = SentenceLabel(host, "body", wrap=True)
        self.three = Three(host)
        self.charts = [ChartCard(host, framed=False) for _ in range(3)]
        painters = (AlertPainter(strip_width=92), OperationPainter(), ErrorPainter(), LinkPainter(), LinkPainter(), LinkPainter())
        self.parts = {title: Part(host, title, painter) for title, painter in zip(PARTS, painters, strict=True)}
        self._cursor = -1
        self.add(row_of(self.sign, self.title, self.close_button, margins=(14, 8, 6, 0), wide=1))
        self.add(row_of(self.subtitle, margins=(42, 0, 14, 7), wide=0))
        self.add(Rule(host))
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body = body = QWidget()
        body.setObjectName("bare")
        self.area.setWidget(body)
        for ground in (self.area.viewport(), body):  # the card shows through
            ground.setAutoFillBackground(False)
        self.stack = column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(row_of(self.sentence, margins=(14, 8, 14, 6), wide=0))
        column.addWidget(self.three)
        for card in self.charts:
            card.setFixedHeight(CHART)
            column.addWidget(card)
        for part in self.parts.values():
            column.addWidget(part)
        column.addStretch(1)
        self.add(self.area, 1)
        self.add(Rule(host))
        self.add(row_of(self.traces, self.failed, self.logs, None, margins=(14, 8, 14, 0)))
        self.add(row_of(self.explore, self.near, None, margins=(14, 6, 14, 9)))

    def show_detail(self, detail: NodeDetail) -> None:
        self.setAccessibleName(f"{detail.name}: {paint.plain(detail.sentence)}")
        self.sign.show_shape(detail.shape)
        if detail.name != self.title.text:
            self.area.verticalScrollBar().setValue(0)
        self.title.say(detail.name)
        self.title.setToolTip(literal_tip(detail.name))
        self.subtitle.say(detail.subtitle)
        self.sentence.say(detail.sentence)
        self.three.show_detail(detail)
        for card, chart in zip(self.charts, detail.charts, strict=False):
            card.show_chart(chart)
        first = 0
        for part in detail.parts:
            self.parts[part.title].show_part(part, first, detail.cursor)
            first += len(part.rows)
        for button in (self.traces, self.failed):
            button.say(button.text(), not detail.no_traces, detail.no_traces)
        self.near.setVisible(not detail.edge)
        self._follow(detail.cursor)

    def _follow(self, cursor: int) -> None:
        """Scroll to the row under the cursor when that has moved."""
        if cursor == self._cursor:
            return
        self._cursor = cursor
        for part in self.parts.values():
            box = part.cursor_box()
            if not box.isEmpty():
                self._lay_out()
                at = part.mapTo(self.body, box.center())
                self.area.ensureVisible(at.x(), at.y(), 0, 40)

    def _lay_out(self) -> None:
        """The lists at their present sizes, without waiting for the next turn of the event loop."""
        for part in self.parts.values():
            part.column.activate()
        self.stack.invalidate()
        room = self.area.viewport().size()
        need = self.stack.totalHeightForWidth(room.width()) if self.stack.hasHeightForWidth() else self.stack.sizeHint().height()
        self.body.resize(room.width(), max(room.height(), need))
        self.stack.activate()

    def restyle(self) -> None:
        for card in self.charts:
            card.restyle()
        for part in self.parts.values():
            part.list.restyle()


class NodeList(Card):
    """All nodes of the map, the gravest first: the map for whoever does not see it, and for the phone."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Nodes")
        self.whole = False
        self.head = PanelHead(host, "Nodes")
        self.note: Label = self.head.note
        self.list = RowList(
            host,
            "Nodes",
            NodePainter(),
            lambda row: host.tell(host.session.point, "topology", row),
            lambda row: host.tell(host.session.open, "topology", row),
            hovering=True,
        )
        self.add(self.head)
        self.add(self.list, 1)

    def show_view(self, view: TopologyView, whole: bool) -> None:
        self.note.say("requests, then errors or p99" if view.map.nodes else "")
        self.list.show_rows(view.map.nodes, view.cursor)
        self.whole = whole
        if whole:
            self.list.fix()
        else:
            self.list.setMinimumHeight(0)
            self.list.setMaximumHeight(16_777_215)

    def minimumSizeHint(self) -> QSize:
        return super().minimumSizeHint() if self.whole else QSize(200, 120)
