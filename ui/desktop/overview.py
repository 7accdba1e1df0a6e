"""The Overview page: what is wrong, the figures, the charts, the busiest series and, beside them, alerts, people and machine."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.banner import BannerBar
from ui.desktop.card import ChartCard
from ui.desktop.delegates import SeriesPainter, spark_colour
from ui.desktop.empty import EmptyCard
from ui.desktop.host import Host
from ui.desktop.labels import SentenceLabel
from ui.desktop.look import MEDIUM, Look
from ui.desktop.panel import Card, PanelHead
from ui.desktop.rows import RowList
from ui.desktop.side import SideColumn
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
    paint.words(painter, rest.adjusted(used + 8, 0, 0, 0), row.tags, look.font("small"), look.colour("text-secondary"))


def busiest_columns() -> tuple[Column, ...]:
    """Series, kind, value, a minute's rate, the spark line and the last 24 hours."""
    return (
        Column("Series", 0, _name, lambda r: f"{r.name} {r.tags}".strip()),
        Column("Kind", 84, lambda p, k, b, r: _soft(p, k, b, r.kind), lambda r: r.kind, drop=3),
        Column("Now", 92, lambda p, k, b, r: _value(p, k, b, r), lambda r: str(r.value), right=True),
        Column("Rate", 92, lambda p, k, b, r: _number(p, k, b, r), lambda r: str(r.rate), right=True, drop=2),
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
            self.table_card.setMaximumHeight(16_777_215)
            self.series_cards.show_rows(view.busiest)
            self.series_cards.fix()
        else:
            self.table.show_rows(view.busiest, cursor)
            rows = len(view.busiest)
            self.table.setMinimumHeight(28 + 24 * (rows if self.whole else min(4, rows)))
            # A short table leaves its room to the charts.
            self.table_card.setMaximumHeight(34 + 28 * max(2, rows))
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
