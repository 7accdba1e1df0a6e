"""The side column of Overview: what fires, what people and deployments did, cores, processes, the collector itself."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import link
from ui.desktop.cores import CoreMap, Figures
from ui.desktop.delegates import AlertPainter, EventPainter, ProcessPainter
from ui.desktop.host import Host
from ui.desktop.panel import Card, PanelHead
from ui.desktop.rows import RowList
from ui.views.view import OverviewView


class SideColumn(QWidget):
    """Firing, changes and people, cores, processes, the collector itself."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.whole = False
        session = host.session
        self.firing_head = PanelHead(host, "Firing", link(host, "Open Alerts", lambda: host.act("page.alerts")))
        self.firing = RowList(
            host,
            "Firing alerts",
            AlertPainter(strip_width=128),
            lambda row: host.tell(session.point, "firing", row),
            lambda row: host.tell(session.open, "firing", row),
            hovering=True,
        )
        self.events_head = PanelHead(host, "Changes and people")
        self.events = RowList(host, "Changes and people", EventPainter())
        self.cores_head = PanelHead(host, "Cores")
        self.cores = CoreMap(host)
        self.process_head = PanelHead(host, "Processes")
        self.processes = RowList(host, "Busiest processes", ProcessPainter())
        self.figures_head = PanelHead(host, "Collector")
        self.figures = Figures(host, "Collector")
        self.cards = [
            self._card("Firing", self.firing_head, self.firing),
            self._card("Changes and people", self.events_head, self.events),
            self._card("Cores", self.cores_head, self.cores),
            self._card("Processes", self.process_head, self.processes),
            self._card("Collector", self.figures_head, self.figures),
        ]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for card in self.cards:
            column.addWidget(card)
        column.addStretch(1)

    def _card(self, name: str, head: PanelHead, body: QWidget) -> Card:
        card = Card(self.host, name)
        card.add(head)
        card.add(body, 1)
        card.column.addSpacing(4)
        # A card never takes more than its content: what is left stays at the foot of the column.
        card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        return card

    def show_view(self, view: OverviewView, whole: bool) -> None:
        """`whole`: the page scrolls, so every list shows all its rows."""
        self.firing_head.note.say(view.firing_title)
        self.firing.show_rows(view.firing, view.cursor if view.region == "firing" else -1)
        self.events.show_rows(view.events)
        self.processes.show_rows(view.processes)
        self.cores.show_cores(view.cores)
        self.cores_head.note.say(paint.plain(view.cores_title))
        self.figures.show_pairs(view.collector)
        for card, there in zip(self.cards, (True, view.events, view.cores, view.processes, view.collector), strict=True):
            card.setVisible(bool(there))
        self.firing.setVisible(bool(view.firing))
        self.whole = whole
        self._share()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._share()

    def _share(self) -> None:
        """Heights of the three lists: all they need, or whole rows of what there is, alerts first."""
        lists = [self.firing, self.processes, self.events]
        if self.whole:
            for lines in lists:
                lines.fix()
            return
        taken = sum(
            max(min(part.sizeHint().height(), part.maximumHeight()), part.minimumHeight())
            for part in lists
            if not part.isHidden()
        )
        rest = sum(card.sizeHint().height() + 10 for card in self.cards if not card.isHidden()) - taken
        rows = [lines.row_height(lines.rows_model.rows[0]) if lines.rows_model.rows else 0 for lines in lists]
        for lines, height in zip(
            lists, self._fair(rows, [lines.content_height() for lines in lists], self.height() - rest), strict=True
        ):
            lines.want_height(height)

    @staticmethod
    def _fair(rows: list[int], needs: list[int], room: int) -> list[int]:
        """Each list its first rows, then row by row in turn, alerts twice as often."""
        given = [min(need, row * least) for need, row, least in zip(needs, rows, (2, 3, 2), strict=True)]
        turns = (0, 0, 1, 2)
        grown = True
        while grown:
            grown = False
            for at in turns:
                if rows[at] and given[at] < needs[at] and sum(given) + rows[at] <= room:
                    given[at] += rows[at]
                    grown = True
        return given
