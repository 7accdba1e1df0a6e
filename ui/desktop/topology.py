"""The Topology page: the map with its switches, and beside it all nodes or the one that is open; below on the phone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, Segments
from ui.desktop.empty import EmptyCard
from ui.desktop.host import Host
from ui.desktop.labels import Label, SentenceLabel, muted
from ui.desktop.panel import Card
from ui.desktop.tables import Table
from ui.desktop.topbar import Field
from ui.desktop.topologyhelp import FilterHelp
from ui.desktop.topologymap import MapCanvas
from ui.desktop.topologyrows import node_columns
from ui.desktop.topologyside import NodeCard, NodeList
from ui.desktop.touch import kinetic
from ui.views.topologyfilter import EXAMPLES
from ui.views.topologyview import LENSES, MODES, TopologyView

SIDE = 336
NARROW_SIDE = 300
PHONE_MAP = 230


class TopologyPage(QScrollArea):
    """Map and table are two forms of the same: the table says all that the map shows."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.view: TopologyView | None = None
        self.phone = False
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        kinetic(self)
        body = QWidget()
        body.setObjectName("canvas")
        self.setWidget(body)
        self.empty = EmptyCard(host)
        self.map = MapCanvas(host)
        session = host.session
        self.table = Table(
            host,
            "Nodes of the map",
            node_columns(),
            lambda row: host.tell(session.point, "topology", row),
            lambda row: host.tell(session.open, "topology", row),
        )
        self._make_head(host)
        self.forms = QStackedWidget()
        self.forms.addWidget(self.map)
        self.forms.addWidget(self.table)
        self.card = Card(host, "Map")
        self.card.add(self.head)
        self.card.add(self.said_row)
        self.card.add(self.forms, 1)
        self.help = FilterHelp(host, body, self.filter)
        self.nodes = NodeList(host)
        self.node = NodeCard(host)
        self.node.hide()
        self.side = QWidget()
        beside = QVBoxLayout(self.side)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.nodes, 1)
        beside.addWidget(self.node, 1)
        self.column = QVBoxLayout(body)
        self.column.setSpacing(10)
        self.row = QHBoxLayout()
        self.row.setSpacing(10)
        self.row.addWidget(self.card, 1)
        self.row.addWidget(self.side)
        self.column.addWidget(self.empty)
        self.column.addLayout(self.row, 1)
        self.column.addStretch(0)

    def _make_head(self, host: Host) -> None:
        self.mode = Segments(host, "Form of the map", self._choose("mode"))
        self.lens = Segments(host, "What the map tells", self._choose("lens"))
        self.failing = Button(host, "Only what fails", lambda: host.act("topology.failing"), key="F")
        self.next = Button(host, "Next not well", lambda: host.act("topology.next_ill"), key="G")
        self.tidy = Button(host, "Tidy up", lambda: host.act("topology.tidy"), "ghost")
        self.filter = Field(host, "filter", "Find or hide nodes", "Filter  /")
        self.filter.setToolTip(EXAMPLES)
        self.filter.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.filter.setMaximumWidth(260)
        self.filter.setMinimumWidth(120)
        self.counts: Label = muted(host)
        self.counts.align = paint.RIGHT
        self.counts.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.said = SentenceLabel(host, "small")
        self.head = QWidget()
        line = QHBoxLayout(self.head)
        line.setContentsMargins(11, 9, 11, 4)
        line.setSpacing(8)
        for widget in (self.mode, self.lens, self.failing, self.next, self.filter):
            line.addWidget(widget)
        line.addStretch(0)
        line.addWidget(self.tidy)
        self.said_row = QWidget()
        below = QHBoxLayout(self.said_row)
        below.setContentsMargins(14, 0, 12, 4)
        below.addWidget(self.said, 3)
        below.addWidget(self.counts, 1)

    def _choose(self, what: str) -> Callable[[str], object]:
        return lambda word: self.host.tell(self.map.model.choose, what, word)

    # ------------------------------------------------------------ sizes

    def arrange(self, width: int, phone: bool) -> None:
        """Beside each other where there is room; on the phone a small map, the list, and the open node in their place."""
        self.phone = phone
        self.map.small = phone
        self.side.setMinimumWidth(0)
        self.side.setMaximumWidth(16_777_215)
        self.row.setDirection(QHBoxLayout.Direction.TopToBottom if phone else QHBoxLayout.Direction.LeftToRight)
        if not phone:
            self.side.setFixedWidth(SIDE if width >= 1180 else NARROW_SIDE)
        self.column.setContentsMargins(12, 10 if not phone else 4, 12, 10)
        wide = width >= 1180
        self.lens.setVisible(not phone and width >= 900)
        self.tidy.setVisible(wide)
        self.next.setVisible(not phone and width >= 1060)
        self.failing.setVisible(not phone)
        self.counts.setVisible(not phone)
        self.card.setMaximumHeight(PHONE_MAP + 96 if phone else 16_777_215)
        self.card.setMinimumHeight(PHONE_MAP + 96 if phone else 0)
        self.filter.setFixedHeight(44 if phone else 26)
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        for part in (self.mode, self.lens):
            part.restyle()
        if self.view is not None:
            view, self.view = self.view, None
            self.show_view(view)

    # ------------------------------------------------------------ picture

    def show_view(self, view: TopologyView) -> None:
        """Paint a picture; nothing happens when it is the one already shown."""
        if view is self.view:
            return
        self.view = view
        there = view.empty is None
        self.empty.show_state(view.empty)
        self.mode.show_choices([(word, "") for word in (MODES[:2] if self.phone else MODES)], view.mode)
        self.lens.show_choices([(word, "") for word in LENSES], view.lens)
        self.failing.say("All nodes" if view.failing else "Only what fails")
        self.filter.show_text(view.filter)
        self.filter.wrong(view.filter_error)
        if not view.filter_error:
            self.filter.setToolTip(EXAMPLES)
        self.said.say(view.sentence)
        self.counts.say(f"{view.near}: {view.counts}" if view.near else view.counts)
        opened = view.detail is not None
        self.node.setVisible(opened and there)
        self.nodes.setVisible(not opened and there)
        self.card.setVisible(there and not (self.phone and opened))
        self.side.setVisible(there)
        self.forms.setCurrentIndex(1 if view.mode == "Table" and not self.phone else 0)
        self.map.show_view(view)
        self.help.show_view(view)
        if view.mode == "Table" and not self.phone:
            self.table.show_rows(view.map.nodes, view.cursor)
        if view.detail is not None:
            self.node.show_detail(view.detail)
        else:
            self.nodes.show_view(view, self.phone)

    def restyle(self) -> None:
        self.mode.restyle()
        self.lens.restyle()
        self.table.restyle()
        self.nodes.list.restyle()
        self.node.restyle()
        self.map.update()

    def focus_main(self) -> bool:
        """Where the keyboard goes when the page opens; False while there is nothing to go to."""
        for part in (self.map, self.table, self.nodes.list):
            if part.isVisibleTo(self):
                part.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return False

    def focus_field(self, name: str) -> bool:
        """The caret into the filter."""
        if name != "filter":
            return False
        self.filter.setFocus(Qt.FocusReason.OtherFocusReason)
        return True
