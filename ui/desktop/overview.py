"""The Overview page: what is wrong, the figures, the charts, the busiest series and, beside them, alerts, people and machine."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.banner import BannerBar
from ui.desktop.buttons import link
from ui.desktop.card import ChartCard
from ui.desktop.cores import CoreMap, Figures
from ui.desktop.delegates import AlertPainter, EventPainter, ProcessPainter, SeriesPainter, spark_colour
from ui.desktop.empty import EmptyCard
from ui.desktop.host import Host
from ui.desktop.labels import SentenceLabel
from ui.desktop.look import MEDIUM, Look
from ui.desktop.panel import Card, PanelHead
from ui.desktop.rows import RowList
from ui.desktop.stats import StatRow
from ui.desktop.tables import Column, Table
from ui.views.theme import GLYPHS
from ui.views.view import OverviewView, SeriesRow, Text

SIDE = 352
LOW = 600
"""Pixels of height below which the page has to scroll."""


def _name(painter: QPainter, look: Look, box: QRectF, row: SeriesRow) -> None:
    paint.shape(painter, look, row.shape, paint.centred(box, 13, box.left() + 3))
    rest = box.adjusted(24, 0, 0, 0)
    used = paint.words(
        painter,
        rest.adjusted(0, 0, -rest.width() * 0.25, 0),
        row.name,
        look.font("body", MEDIUM),
        look.colour("text-primary"),
        middle=True,
    )
    paint.words(
        painter, rest.adjusted(used + 8, 0, 0, 0), row.tags, look.font("small"), look.colour("text-secondary"), middle=True
    )


def busiest_columns() -> tuple[Column, ...]:
    """Series, kind, value, a minute's rate, the spark line and the last 24 hours."""
    return (
        Column("Series", 0, _name, lambda r: f"{r.name} {r.tags}".strip()),
        Column("Kind", 84, lambda p, k, b, r: _soft(p, k, b, r.kind), lambda r: r.kind, drop=3),
        Column("Now", 92, lambda p, k, b, r: _value(p, k, b, r), lambda r: str(r.value), right=True),
        Column("Samples", 92, lambda p, k, b, r: _number(p, k, b, r), lambda r: str(r.rate), right=True, drop=2),
        Column("Trend", 136, _trend, lambda r: ""),
        Column("Firing, 24 h", 150, _strip, _say_strip, drop=1),
    )


def _soft(painter: QPainter, look: Look, box: QRectF, text: str) -> None:
    paint.words(painter, box, text, look.font("body"), look.colour("text-secondary"))


def _value(painter: QPainter, look: Look, box: QRectF, row: SeriesRow) -> None:
    paint.value(painter, look, box, row.value, "body")


def _number(painter: QPainter, look: Look, box: QRectF, row: SeriesRow) -> None:
    paint.value(painter, look, box, row.rate, "body")


def _trend(painter: QPainter, look: Look, box: QRectF, row: SeriesRow) -> None:
    paint.spark(painter, look, box.adjusted(0, 2, 0, -2), row.spark, spark_colour(row), 0.1)


def _strip(painter: QPainter, look: Look, box: QRectF, row: SeriesRow) -> None:
    paint.strip(painter, look, QRectF(box.left(), box.center().y() - 6.5, box.width(), 13), row.strip)


def _say_strip(row: SeriesRow) -> str:
    bad = [GLYPHS[block].word for block in row.strip if block not in (None, "ok")]
    return f"{len(bad)} of {len(row.strip)} hours with alerts"


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
        self.cores_words = SentenceLabel(host, "small")
        self.cores_words.setContentsMargins(12, 0, 12, 0)
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


class OverviewPage(QScrollArea):
    """Everything at a glance; scrolls only where the window is too small for it."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        session = host.session
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body = QWidget()
        self.body.setObjectName("canvas")
        self.setWidget(self.body)
        self.banner = BannerBar(host, large=True)
        self.quiet = SentenceLabel(host, "control", soft="text-primary")
        self.empty = EmptyCard(host)
        self.stats = StatRow(host)
        self.charts: list[ChartCard] = []
        self.grid = QGridLayout()
        self.grid.setSpacing(10)
        self.table_card = Card(host, "Busiest series")
        self.table = Table(
            host,
            "Busiest series",
            busiest_columns(),
            lambda row: host.tell(session.point, "busiest", row),
            lambda row: host.tell(session.open, "busiest", row),
        )
        self.cards_head = PanelHead(host, "Busiest series")
        self.series_cards = RowList(
            host, "Busiest series", SeriesPainter(), lambda row: host.tell(session.open, "busiest", row), None, hovering=True
        )
        self.table_card.add(self.cards_head)
        self.table_card.add(self.table, 1)
        self.table_card.add(self.series_cards, 1)
        self.side = SideColumn(host)
        self.left = QVBoxLayout()
        self.left.setSpacing(10)
        for widget in (self.banner, self.quiet, self.empty, self.stats):
            self.left.addWidget(widget)
        self.left.addLayout(self.grid, 3)
        self.left.addWidget(self.table_card, 2)
        self.outer = QHBoxLayout(self.body)
        self.outer.setSpacing(10)
        self.stack = QVBoxLayout()
        self.stack.setSpacing(10)
        self.stack.addLayout(self.left)
        self.outer.addLayout(self.stack, 1)
        self.outer.addWidget(self.side)
        self.columns = 2
        self.whole = False
        self.view: OverviewView | None = None

    def arrange(self, width: int, phone: bool) -> None:
        """Wide: three chart columns; desktop: two and the side column; tablet: the side below; phone: one column."""
        self.columns = 1 if phone else 3 if width >= 1680 else 2
        beside = width >= 1080
        self.whole = not beside
        self._bars(phone)
        self.outer.setContentsMargins(12, 10 if not phone else 4, 12, 10)
        self.stack.removeWidget(self.side)
        self.outer.removeWidget(self.side)
        if beside:
            self.side.setFixedWidth(SIDE)
            self.outer.addWidget(self.side)
        else:
            self.side.setMinimumWidth(0)
            self.side.setMaximumWidth(16_777_215)
            self.stack.addWidget(self.side)
        self.banner.arrange(phone)
        self.cards_head.setVisible(phone)
        self.table.setVisible(not phone)
        self.series_cards.setVisible(phone)
        self._place_charts()
        if self.view is not None:
            view, self.view = self.view, None
            self.show_view(view)

    def _bars(self, phone: bool) -> None:
        """Never "as needed": a bar that comes makes the page narrower and so higher, one that goes the reverse, for ever."""
        on = not phone and (self.whole or self.height() < LOW)
        policies = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policies.ScrollBarAlwaysOn if on else policies.ScrollBarAlwaysOff)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._bars(self.host.look.phone)

    def _place_charts(self) -> None:
        for card in self.charts:
            self.grid.removeWidget(card)
        shown = [card for card in self.charts if not card.isHidden()]
        for number, card in enumerate(shown):
            self.grid.addWidget(card, number // self.columns, number % self.columns)
            card.setMinimumHeight(200 if self.columns == 1 else 160 if self.whole else 132)
        for column in range(3):
            self.grid.setColumnStretch(column, 1 if column < self.columns else 0)

    def show_view(self, view: OverviewView) -> None:
        if view is self.view:
            return
        old, self.view = self.view, view
        self.banner.show_banner(view.headline)
        self.quiet.say((Text(view.quiet),) if view.quiet else ())
        self.quiet.setVisible(view.headline is None and bool(view.quiet) and view.empty is None)
        self.empty.show_state(view.empty)
        self.stats.show_stats(view.stats)
        self.stats.setVisible(bool(view.stats))
        self._charts(view)
        cursor = view.cursor if view.region == "busiest" else -1
        if self.columns == 1:
            self.series_cards.show_rows(view.busiest)
            self.series_cards.fix()
        else:
            self.table.show_rows(view.busiest, cursor)
            self.table.setMinimumHeight(28 + 24 * (len(view.busiest) if self.whole else min(4, len(view.busiest))))
        self.table_card.setVisible(bool(view.busiest))
        if (
            old is None
            or old.firing is not view.firing
            or (old.cursor, old.region) != (view.cursor, view.region)
            or old is not view
        ):
            self.side.show_view(view, self.whole)

    def _charts(self, view: OverviewView) -> None:
        while len(self.charts) < len(view.charts):
            self.charts.append(ChartCard(self.host))
        changed = False
        for number, card in enumerate(self.charts):
            there = number < len(view.charts)
            changed = changed or card.isHidden() == there or card.view is None
            card.setVisible(there)
            if there:
                card.show_chart(view.charts[number])
        if changed:
            self._place_charts()

    def restyle(self) -> None:
        for card in self.charts:
            card.restyle()
        self.table.restyle()
        for lines in (self.side.firing, self.side.events, self.side.processes, self.series_cards):
            lines.restyle()

    def focus_main(self) -> bool:
        """Where the keyboard goes when the page opens; False while there is nothing to go to."""
        for part in (self.side.firing, self.table, self.series_cards):
            if part.isVisibleTo(self):
                part.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return False
