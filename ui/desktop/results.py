"""The table of answers: labels that differ in columns, values at the right; its columns change with the answer."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy

from ui.desktop import paint
from ui.desktop.host import Host
from ui.desktop.look import MEDIUM, STRONG, Look
from ui.desktop.panel import Card, PanelHead
from ui.desktop.tables import Column, Table
from ui.views.queryview import TableRow, TableView

VALUE = 96
HEAD, ROW = 28, 24


def _first(letters: bool) -> Column:
    """Swatch and letter: which line of the chart it is."""

    def draw(painter: QPainter, look: Look, box: QRectF, row: TableRow) -> None:
        if row.colour:
            painter.fillRect(QRectF(box.left() + 2, box.center().y() - 1.5, 12, 3), look.colour(row.colour))
        if letters:
            paint.words(painter, box.adjusted(20, 0, 6, 0), row.letter, look.font("small", STRONG), look.colour("text-secondary"))

    return Column("", 50 if letters else 34, draw, lambda row: str(row.letter))


def _label(place: int, title: str) -> Column:
    def draw(painter: QPainter, look: Look, box: QRectF, row: TableRow) -> None:
        text = row.cells[place] if place < len(row.cells) else row.name
        weight = MEDIUM if place == 0 else 400
        paint.words(painter, box, text, look.font("body", weight), look.colour("text-primary"), middle=True)

    return Column(
        title, 0, draw, lambda row: row.cells[place] if place < len(row.cells) else row.name, drop=0 if not place else 10 + place
    )


def _value(place: int, title: str) -> Column:
    def draw(painter: QPainter, look: Look, box: QRectF, row: TableRow) -> None:
        paint.value(painter, look, box, row.values[place], "body", MEDIUM if place == 0 else 400)

    drop = (0, 3, 2, 1)[place] if place < 4 else 1
    return Column(title, VALUE, draw, lambda row: str(row.values[place]), right=True, drop=drop)


class ResultTable(Table):
    """A table that takes other columns when the answer has others."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Answers", ())
        self._heads: tuple[object, ...] = ()

    def show_table(self, view: TableView) -> None:
        heads = (view.columns, view.heads, view.letters)
        if heads != self._heads:
            self._heads = heads
            labels = [_label(i, title) for i, title in enumerate(view.columns)]
            values = [_value(i, title) for i, title in enumerate(view.heads)]
            self.columns = (_first(view.letters), *labels, *values)
            self.rows_model.beginResetModel()
            self.rows_model.columns, self.rows_model.rows = self.columns, ()
            self.rows_model.endResetModel()
        self.show_rows(view.rows)
        self._share(self.viewport().width())


class ResultCard(Card):
    """What all rows share and when it is of, above the table; what is not listed, in its head."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Answers")
        self.head = PanelHead(host, "")
        self.table = ResultTable(host)
        self.add(self.head)
        self.add(self.table, 1)
        self._shown: tuple[TableView | None, int] = (None, 0)

    def show_table(self, view: TableView, rows: int) -> None:
        """With at most so many rows below a chart; 0: the table is all there is, and as tall as the page."""
        if (view, rows) == self._shown:
            return
        self._shown = (view, rows)
        whole = not rows
        self.head.title.say(view.shared or ("Answers" if view.rows else "No answer yet"))
        self.head.note.say(" · ".join(part for part in (view.at, view.more) if part))
        self.head.setVisible(whole or bool(view.shared or view.more))
        self.table.show_table(view)
        expanding = QSizePolicy.Policy.Expanding
        if whole:
            self.table.setMinimumHeight(HEAD + 2 * ROW)
            self.table.setMaximumHeight(16_777_215)
            self.setSizePolicy(expanding, expanding)
        else:
            self.table.setFixedHeight(HEAD + ROW * max(1, min(rows, len(view.rows))))
            self.setSizePolicy(expanding, QSizePolicy.Policy.Maximum)

    def restyle(self) -> None:
        self.table.restyle()
