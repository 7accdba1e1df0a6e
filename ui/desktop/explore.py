"""The Explore page: find series, chart them over any window, read them under a crosshair."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QHideEvent, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QGridLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, Segments, row_of
from ui.desktop.card import ChartCard
from ui.desktop.chips import Chips
from ui.desktop.delegates import SeriesPainter
from ui.desktop.empty import EmptyCard
from ui.desktop.histograms import Histograms
from ui.desktop.host import Host
from ui.desktop.labels import muted
from ui.desktop.look import MEDIUM, Look
from ui.desktop.panel import Card, PanelHead
from ui.desktop.queries import QueriesCard
from ui.desktop.results import HEAD, ROW, ResultCard
from ui.desktop.rows import RowList, fill_height
from ui.desktop.tables import Column, Table
from ui.desktop.topbar import Field
from ui.views.view import ChartView, ExploreView, Value

MOST_ROWS = 6
"""Rows of figures below the charts of queries."""
Row = tuple[str, str, Value, Value, Value, Value]


def _swatch(painter: QPainter, look: Look, box: QRectF, row: Row) -> None:
    painter.fillRect(QRectF(box.left() + 3, box.center().y() - 1.5, 12, 3), look.colour(row[1] or "line-control"))
    paint.words(painter, box.adjusted(24, 0, 0, 0), row[0], look.font("body", MEDIUM), look.colour("text-primary"), middle=True)


def _figure(number: int) -> Column:
    title = ("Last", "Min", "Mean", "Max")[number]

    def draw(painter: QPainter, look: Look, box: QRectF, row: Row) -> None:
        shown = row[2 + number]
        assert isinstance(shown, Value)
        paint.value(painter, look, box, shown, "body")

    return Column(title, 96, draw, lambda row: str(row[2 + number]), right=True, drop=(0, 3, 2, 1)[number])


class ExplorePage(QScrollArea):
    """Results at the left, chart with controls and table at the right; one above the other on the phone."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        session = host.session
        self.view: ExploreView | None = None
        self.search = Field(host, "search", "Search series", "Search series: name or tag, service=checkout")
        self.found = muted(host)
        self.results = RowList(
            host,
            "Series found",
            SeriesPainter(),
            lambda row: host.tell(session.point, "explore", row),
            lambda row: host.tell(session.open, "explore", row),
            hovering=True,
        )
        fill_height(self.results)
        self.finder = Card(host, "Find series")
        self.finder.add(row_of(self.search, margins=(10, 9, 10, 5)))
        self.finder.add(row_of(self.found, margins=(12, 0, 12, 6)))
        self.finder.add(self.results, 1)
        self.chips = Chips(host)
        self.windows = Segments(host, "Window", lambda word: host.tell(session.choose, "window", word))
        self.field = Segments(host, "Field", lambda word: host.tell(session.choose, "field", word))
        self.field.wraps = True
        self.live = Button(host, "Go live", lambda: host.act("time.live"), "accent", key="L")
        self.rule = Button(host, "Make a rule…", lambda: host.act("explore.rule"), key="T")
        self.rule.acts = True
        self.chart = ChartCard(host)
        self.tools = Card(host, "What is drawn")
        self.tools.add(self.chips)
        self.tool_grid = QGridLayout()
        self.tool_grid.setContentsMargins(11, 3, 11, 7)
        self.tool_grid.setSpacing(8)
        self.tools.column.addLayout(self.tool_grid)
        columns = (Column("Series", 0, _swatch, lambda row: str(row[0])), *(_figure(n) for n in range(4)))
        self.table_card = Card(host, "Figures of the range shown")
        self.table = Table(host, "Figures of the range shown", columns)
        self.table_card.add(self.table)
        self.table_card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.readout_head = PanelHead(host, "Under the crosshair")
        self.empty = EmptyCard(host)
        self.queries = QueriesCard(host)
        self.bars_card = Card(host, "Histograms")
        self.bars = Histograms(host)
        self.bars_card.add(self.bars, 1)
        self.answers = ResultCard(host)
        self.more: list[ChartCard] = []
        self._lay_out()
        self.arrange(1440, False)

    def _lay_out(self) -> None:
        self.right = QVBoxLayout()
        self.right.setSpacing(10)
        self.right.addWidget(self.queries)
        self.right.addWidget(self.tools)
        self.right.addWidget(self.empty)
        self.right.addWidget(self.chart, 5)
        self.right.addWidget(self.bars_card, 5)
        self.right.addWidget(self.table_card)
        self.right.addWidget(self.answers, 0)
        self.body = QWidget()
        self.body.setObjectName("canvas")
        self.setWidget(self.body)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.outer = QGridLayout(self.body)
        self.outer.setSpacing(10)

    def arrange(self, width: int, phone: bool) -> None:
        self.outer.setContentsMargins(12, 4 if phone else 10, 12, 10)
        self.outer.removeWidget(self.finder)
        self.outer.removeItem(self.right)
        if phone:
            self.finder.setMinimumWidth(0)
            self.finder.setMaximumWidth(16_777_215)
            self.outer.addWidget(self.finder, 0, 0)
            self.outer.addLayout(self.right, 1, 0)
            self.outer.setRowStretch(0, 2)
            self.outer.setRowStretch(1, 3)
            self.outer.setColumnStretch(0, 1)
            self.outer.setColumnStretch(1, 0)
        else:
            self.finder.setFixedWidth(312 if width >= 1080 else 264)
            self.outer.addWidget(self.finder, 0, 0)
            self.outer.addLayout(self.right, 0, 1)
            self.outer.setRowStretch(0, 1)
            self.outer.setRowStretch(1, 0)
            self.outer.setColumnStretch(0, 0)
            self.outer.setColumnStretch(1, 1)
        self.finder.setMinimumHeight(250 if phone else 0)
        for card in (self.chart, *self.more):
            card.setMinimumHeight(270 if phone else 140)
        self._tools(one_line=width >= 1300, phone=phone)
        self.queries.arrange(width, phone)
        self.table_card.setVisible(not phone)
        self.rule.setVisible(not phone)
        for part in (self.windows, self.field):
            part.restyle()
        if self.view is not None:
            view, self.view = self.view, None
            self.show_view(view)

    def _tools(self, one_line: bool, phone: bool) -> None:
        """Window and field beside each other where they fit, else one below the other."""
        for widget in (self.windows, self.field, self.live, self.rule):
            self.tool_grid.removeWidget(widget)
        self.tool_grid.addWidget(self.windows, 0, 0, Qt.AlignmentFlag.AlignLeft)
        if one_line:
            self.tool_grid.addWidget(self.field, 0, 1)
        else:
            self.tool_grid.addWidget(self.field, 1, 0, 1, 4)
        self.tool_grid.addWidget(self.live, 0, 2)
        self.tool_grid.addWidget(self.rule, 0, 3)
        self.tool_grid.setColumnStretch(1, 1)

    def show_view(self, view: ExploreView) -> None:
        if view is self.view:
            return
        self.view = view
        self.search.show_text(view.search)
        self.search.wrong(view.search_error)
        self.found.say(view.search_error or view.found, "critical" if view.search_error else "text-secondary")
        self.results.show_rows(view.results, view.cursor if view.region == "results" else -1)
        self.chips.show_rows(view.picked, view.cursor if view.region == "picked" else -1, view.preview)
        self.windows.show_choices([(word, "") for word in view.windows], view.window)
        self.field.show_choices([(word, "") for word in view.fields], view.field)
        self.live.setVisible(view.frozen)
        self.empty.show_state(view.empty)
        self.chart.show_chart(view.chart)
        self.table.show_rows(view.table)
        self.table.setFixedHeight(28 + 24 * max(1, min(8, len(view.table))))
        self._show_queries(view)
        if view.crosshair is not None and self.chart.crossing is not None:
            self.chart.crossing.move(view.crosshair)
        elif self.chart.crossing is not None and self.chart.plot is not None and not self.chart.plot.underMouse():
            self.chart.crossing.move(None)
        self._say_readout(view)

    def _show_queries(self, view: ExploreView) -> None:
        """The queries take the place of what is picked; their answers are a chart, bars or a table."""
        queries, ready, phone = view.queries, view.empty is None, self.host.look.phone
        self.tools.setVisible(ready and queries is None)
        self.table_card.setVisible(bool(view.table) and not phone and ready and queries is None)
        self.queries.setVisible(ready and queries is not None)
        if phone and queries is not None and self.results.hasFocus():
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # before Qt gives it to the next button
        self.finder.setVisible(not phone or queries is None)
        self.outer.setRowStretch(0, (2 if queries is None else 0) if phone else 1)
        if queries is None:
            self.chart.setVisible(ready)
            self._show_more(())
            self.bars_card.hide()
            self.answers.hide()
            self.queries.hide_completion()
            return
        self.queries.show_view(queries, view.frozen)
        self.bars.show_views(queries.histograms)
        drawn = queries.view == "chart"
        bars = bool(queries.histograms) and bool(view.chart.empty)
        self.bars_card.setVisible(bool(queries.histograms) and ready)
        self.chart.setVisible(ready and drawn and not bars)
        self._show_more(queries.charts if ready and drawn and not bars else ())
        table = queries.table
        room = self._rows_below(1 + len(queries.charts)) if drawn else 0
        shown = table is not None and ready and (not drawn or (bool(table.rows) and room > 1 and not bars))
        if table is not None and shown:
            self.answers.show_table(table, room)
        self.answers.setVisible(shown)
        self.right.setStretchFactor(self.answers, 5 if not drawn else 0)

    def _rows_below(self, charts: int) -> int:
        """Rows of figures for which there is room below so many charts: none on the phone, six at most."""
        if self.host.look.phone:
            return 0
        taken = self.queries.sizeHint().height() + charts * (self.chart.minimumHeight() + 10) + 20
        return max(0, min(MOST_ROWS, (self.viewport().height() - taken - HEAD - 40) // ROW))

    def _show_more(self, charts: tuple[ChartView, ...]) -> None:
        """A chart for each further unit, below the first and under the same crosshair."""
        while len(self.more) < len(charts):
            card = ChartCard(self.host)
            card.setMinimumHeight(self.chart.minimumHeight())
            self.right.insertWidget(self.right.indexOf(self.chart) + 1 + len(self.more), card, 3)
            self.more.append(card)
        for place, card in enumerate(self.more):
            card.setVisible(place < len(charts))
            if place < len(charts):
                card.show_chart(charts[place])

    def hideEvent(self, event: QHideEvent) -> None:
        self.queries.hide_completion()

    def focus_field(self, name: str) -> bool:
        """The caret into a field of this page; False when it is not here."""
        if name == "query":
            return self.queries.focus_line()
        if name == "query.name":
            self.queries.name.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        return False

    def picture(self) -> bytes:
        """The chart, bars or table as PNG, at twice the pixels of the screen."""
        shown = next((w for w in (self.chart, self.bars_card, self.answers) if w.isVisible()), self.chart)
        image = QImage(shown.size() * 2, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(2.0)
        image.fill(self.host.look.colour("card"))
        shown.render(image)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"PNG")).write(image)
        return bytes(buffer.data().data())

    def _say_readout(self, view: ExploreView) -> None:
        if view.readout is None:
            return
        time, rows = view.readout
        words = ", ".join(f"{name} {value}" for name, _, value in rows)
        self.chart.setAccessibleDescription(f"At {time}: {words}")

    def restyle(self) -> None:
        for card in (self.chart, *self.more):
            card.restyle()
        self.results.restyle()
        self.table.restyle()
        self.queries.restyle()
        self.answers.restyle()

    def focus_main(self) -> bool:
        (self.results if self.finder.isVisible() else self).setFocus(Qt.FocusReason.OtherFocusReason)
        return True
