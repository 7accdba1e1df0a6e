"""Tables: columns that paint themselves over a tuple of rows, with a fixed row height and no widget a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from ui.desktop import paint
from ui.desktop.host import Host
from ui.desktop.look import Look
from ui.desktop.rows import Index, replace_rows
from ui.desktop.touch import kinetic

PaintCell = Callable[[QPainter, Look, QRectF, Any], None]


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in pixels, 0 takes what is left; `drop` columns go first when room is scarce, the highest first."""

    title: str
    width: int
    paint: PaintCell
    say: Callable[[Any], str]
    right: bool = False
    drop: int = 0


class ColumnsModel(QAbstractTableModel):
    """Rows as they came, told cell by cell when they change."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.rows: tuple[Any, ...] = ()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.columns[index.column()].say(row)
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 0:
            from ui.desktop.labels import literal_tip

            return literal_tip(self.columns[0].say(row))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return paint.RIGHT if self.columns[section].right else paint.LEFT
        return None

    def take(self, rows: Sequence[Any]) -> None:
        new, old = tuple(rows), self.rows
        replace_rows(self, new)
        for number, (was, now) in enumerate(zip(old, new, strict=False)):
            if was is not now:
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(self.columns) - 1))


class CellDelegate(QStyledItemDelegate):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.table = table

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        if row is None:
            return
        look, box = self.table.host.look, QRectF(option.rect)
        painter.save()
        paint.crisp(painter)
        if index.row() == self.table.cursor_row and self.table.hasFocus():
            painter.fillRect(box, look.colour("raised"))
        painter.fillRect(QRectF(box.left(), box.top(), box.width(), 1), look.colour("line-subtle"))
        self.table.columns[index.column()].paint(painter, look, box.adjusted(8, 1, -8, 0), row)
        painter.restore()


class Table(QTableView):
    """A read-only table whose narrow forms leave columns out in a stated order."""

    def __init__(
        self,
        host: Host,
        name: str,
        columns: Sequence[Column],
        point: Callable[[int], object] | None = None,
        opened: Callable[[int], object] | None = None,
    ) -> None:
        super().__init__()
        self.host, self.columns = host, tuple(columns)
        self.rows_model = ColumnsModel(columns)
        self.setModel(self.rows_model)
        self.setItemDelegate(CellDelegate(self))
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if point else Qt.FocusPolicy.NoFocus)
        vertical = self.verticalHeader()
        vertical.hide()
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setDefaultSectionSize(24)
        header = self.horizontalHeader()
        header.setFixedHeight(26)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.cursor_row = -1
        self._point, self._opened = point, opened
        kinetic(self)
        self.restyle()

    def restyle(self) -> None:
        self.horizontalHeader().setFont(self.host.look.font("small", 500))
        self.viewport().update()

    def show_rows(self, rows: Sequence[Any], cursor: int = -1) -> None:
        self.rows_model.take(rows)
        if cursor != self.cursor_row:
            self.cursor_row = cursor
            if 0 <= cursor < len(self.rows_model.rows):
                self.setCurrentIndex(self.rows_model.index(cursor, 0))
            self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(200, 28 + 24 * max(2, len(self.rows_model.rows)))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 28 + 24 * 2)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._share(self.viewport().width())
        self._fit_rows()

    def _share(self, width: int) -> None:
        """Fixed columns keep their width, the wide one takes the rest; the first to drop goes first."""
        wide = 130
        shown = [True] * len(self.columns)
        for number in sorted((i for i, c in enumerate(self.columns) if c.drop), key=lambda i: -self.columns[i].drop):
            if self._needed(shown, wide) <= width:
                break
            shown[number] = False
        left = width - sum(c.width for c, on in zip(self.columns, shown, strict=True) if on)
        stretching = max(1, sum(1 for c, on in zip(self.columns, shown, strict=True) if on and not c.width))
        for number, column in enumerate(self.columns):
            self.setColumnHidden(number, not shown[number])
            self.setColumnWidth(number, column.width or max(60, left // stretching))

    def _fit_rows(self) -> None:
        """Rows grow by a pixel or two so that the last one shown is whole."""
        tall = self.viewport().height()
        fitting = max(1, min(tall // 24, len(self.rows_model.rows) or 1))
        size = max(24, min(28, tall // fitting))
        if fitting < len(self.rows_model.rows) and size * fitting < tall - 4:
            size = 24
        self.verticalHeader().setDefaultSectionSize(size)

    def _needed(self, shown: list[bool], wide: int) -> int:
        return sum((column.width or wide) for column, on in zip(self.columns, shown, strict=True) if on)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if self._point is not None and index.isValid():
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._point(index.row())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if self._opened is not None and index.isValid():
            self._opened(index.row())

    def keyPressEvent(self, event: Any) -> None:
        event.ignore()
