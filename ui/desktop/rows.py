"""Lists: one model over a tuple of rows, one view, one painter a kind of row; no widget a row, and rows keep their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QSizePolicy, QStyledItemDelegate, QStyleOptionViewItem

from ui.desktop import paint
from ui.desktop.host import Host
from ui.desktop.look import Look
from ui.desktop.touch import kinetic

Index = QModelIndex | QPersistentModelIndex


class RowModel(Protocol):
    """A Qt model over a tuple of rows."""

    rows: tuple[Any, ...]

    def beginInsertRows(self, parent: QModelIndex, first: int, last: int) -> None: ...

    def endInsertRows(self) -> None: ...

    def beginRemoveRows(self, parent: QModelIndex, first: int, last: int) -> None: ...

    def endRemoveRows(self) -> None: ...


def replace_rows(model: RowModel, new: tuple[Any, ...]) -> int:
    """Give a model other rows and tell its views by how many it grew (below zero: shrank); that number."""
    old = len(model.rows)
    if len(new) > old:
        model.beginInsertRows(QModelIndex(), old, len(new) - 1)
        model.rows = new
        model.endInsertRows()
    elif len(new) < old:
        model.beginRemoveRows(QModelIndex(), len(new), old - 1)
        model.rows = new
        model.endRemoveRows()
    else:
        model.rows = new
    return len(new) - old


@dataclass(frozen=True, slots=True)
class Header:
    """A line between groups of rows."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """How a row is shown: under the cursor, under the pointer, and whether the list has the focus."""

    cursor: bool
    hover: bool
    focus: bool


class RowPainter:
    """Paints one kind of row and says it in words."""

    def height(self, look: Look, row: Any) -> int:
        return 44 if look.phone else 26

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: Any, state: State) -> None:
        raise NotImplementedError

    def say(self, row: Any) -> str:
        return str(row)

    def tip(self, row: Any) -> str:
        return ""


class RowsModel(QAbstractListModel):
    """Rows as they came. Changes are told row by row, so the view repaints what changed and keeps its place."""

    def __init__(self, say: Callable[[Any], str], tip: Callable[[Any], str]) -> None:
        super().__init__()
        self.rows: tuple[Any, ...] = ()
        self._say, self._tip = say, tip

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.text if isinstance(row, Header) else self._say(row)
        if role == Qt.ItemDataRole.ToolTipRole and not isinstance(row, Header):
            from ui.desktop.labels import literal_tip

            return literal_tip(self._tip(row)) or None
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and index.row() < len(self.rows) and isinstance(self.rows[index.row()], Header):
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def take(self, rows: Sequence[Any]) -> bool:
        """Show these rows; True when their number changed."""
        new, old = tuple(rows), self.rows
        if new is old:
            return False
        grown = replace_rows(self, new)
        for number, (was, now) in enumerate(zip(old, new, strict=False)):
            if was is not now and was != now:
                at = self.index(number, 0)
                self.dataChanged.emit(at, at)
        return grown != 0


class RowDelegate(QStyledItemDelegate):
    """Hands rows to the painter, group lines to its own."""

    def __init__(self, view: RowList, painter: RowPainter) -> None:
        super().__init__(view)
        self.view, self.painter = view, painter

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(10, self.view.row_height(index.data(Qt.ItemDataRole.UserRole)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, look = index.data(Qt.ItemDataRole.UserRole), self.view.host.look
        if row is None:
            return
        box = QRectF(option.rect)
        painter.save()
        paint.crisp(painter)
        if isinstance(row, Header):
            _header(painter, look, box, row, index.row() == 0)
        else:
            hover = index.row() == self.view.hovered
            state = State(index.row() == self.view.cursor_row, hover, self.view.hasFocus())
            self.painter.paint(painter, look, box, row, state)
        painter.restore()


def _header(painter: QPainter, look: Look, box: QRectF, row: Header, first: bool) -> None:
    if not first:
        painter.fillRect(QRectF(box.left(), box.top(), box.width(), 1), look.colour("line-subtle"))
    inner = box.adjusted(12, 3, -12, 0)
    paint.words(painter, inner, row.text, look.font("small"), look.colour("text-secondary"), middle=True)
    if row.note:
        paint.words(painter, inner, row.note, look.font("small"), look.colour("text-secondary"), paint.RIGHT)


def ground(painter: QPainter, look: Look, box: QRectF, state: State, line: bool = True) -> None:
    """Divider above, the fill of the row under the cursor with its accent edge, the ring when the list has the focus."""
    if state.cursor:
        painter.fillRect(box, look.colour("raised"))
        painter.fillRect(QRectF(box.left(), box.top(), 3, box.height()), look.colour("accent"))
    elif state.hover:
        painter.fillRect(box, look.colour("raised", 0.5))
    if line:
        painter.fillRect(QRectF(box.left(), box.top(), box.width(), 1), look.colour("line-subtle"))
    if state.cursor and state.focus:
        paint.focus_ring(painter, look, box, 4)


class RowList(QListView):
    """A list with a cursor that the session owns. Pointing, opening and resting the pointer are told to it."""

    def __init__(
        self,
        host: Host,
        name: str,
        painter: RowPainter,
        point: Callable[[int], object] | None = None,
        opened: Callable[[int], object] | None = None,
        hovering: bool = False,
    ) -> None:
        super().__init__()
        self.host, self.painter = host, painter
        self.rows_model = RowsModel(painter.say, painter.tip)
        self.setModel(self.rows_model)
        self.setItemDelegate(RowDelegate(self, painter))
        self.setAccessibleName(name)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if point else Qt.FocusPolicy.NoFocus)
        self.cursor_row, self.hovered = -1, -1
        self.wanted = -1
        self._point, self._opened, self._rests = point, opened, hovering
        self._numbers: list[int] = []
        kinetic(self)

    def row_height(self, row: Any) -> int:
        if isinstance(row, Header):
            return 32 if self.host.look.phone else 26
        return self.painter.height(self.host.look, row) if row is not None else 0

    def content_height(self) -> int:
        """Pixels all rows need."""
        return sum(self.row_height(row) for row in self.rows_model.rows)

    def fit(self, most: int = 16_777_215) -> None:
        """Ask for the height of the content and no more."""
        height = min(most, self.content_height())
        if self.maximumHeight() != height:
            self.setMaximumHeight(height)
            self.updateGeometry()

    def fix(self) -> None:
        """Take exactly the height of the content: for pages that scroll as a whole."""
        self.wanted = -1
        self.setFixedHeight(self.content_height())

    def want_height(self, height: int) -> None:
        """Wish for a height without insisting: what a list has now must not become what its page needs at least."""
        if height != self.wanted:
            self.wanted = height
            self.setMinimumHeight(0)
            self.setMaximumHeight(height)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(120, self.wanted if self.wanted >= 0 else self.content_height())

    def minimumSizeHint(self) -> QSize:
        rows = self.rows_model.rows
        return QSize(80, min(self.content_height(), self.row_height(rows[0]) if rows else 0))

    def show_rows(
        self, rows: Sequence[Any], cursor: int = -1, group: Callable[[Any], str] | None = None, first_header: bool = False
    ) -> None:
        """Rows with the cursor on one of them; `group` names the line put before rows of another group."""
        shown: list[Any] = []
        numbers: list[int] = []
        last: str | None = None
        at = -1
        for number, row in enumerate(rows):
            if group is not None and (name := group(row)) != last:
                if last is not None or first_header:
                    shown.append(Header(name))
                    numbers.append(-1)
                last = name
            if number == cursor:
                at = len(shown)
            shown.append(row)
            numbers.append(number)
        self._numbers = numbers
        if self.rows_model.take(shown):
            self.updateGeometry()
        self._move(at)

    def _move(self, at: int) -> None:
        if at == self.cursor_row:
            return
        was, self.cursor_row = self.cursor_row, at
        for row in (was, at):
            if 0 <= row < len(self.rows_model.rows):
                self.update(self.rows_model.index(row, 0))
        if at >= 0:
            self.setCurrentIndex(self.rows_model.index(at, 0))
            self.scrollTo(self.rows_model.index(at, 0), QAbstractItemView.ScrollHint.EnsureVisible)

    def restyle(self) -> None:
        self.doItemsLayout()
        self.viewport().update()

    # ------------------------------------------------------------ pointer

    def _row_at(self, event: QMouseEvent) -> int:
        index = self.indexAt(event.position().toPoint())
        return index.row() if index.isValid() else -1

    def _hover(self, row: int) -> None:
        if row != self.hovered:
            was, self.hovered = self.hovered, row
            for number in (was, row):
                if 0 <= number < len(self.rows_model.rows):
                    self.update(self.rows_model.index(number, 0))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._row_at(event) if self._point else -1)
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        if self._rests:
            self.host.session.hovering = True
        super().enterEvent(event)

    def leaveEvent(self, event: object) -> None:
        self._hover(-1)
        if self._rests:
            self.host.session.hovering = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._point is None:
            event.ignore()
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        row = self._row_at(event)
        if 0 <= row < len(self._numbers) and (number := self._numbers[row]) >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.pressed_at(number, event.position().x() - self.visualRect(self.rows_model.index(row, 0)).left())

    def pressed_at(self, number: int, x: float) -> None:
        """A press on row `number`, `x` pixels from its left edge."""
        if self._point is not None:
            self._point(number)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event)
        if self._opened is not None and 0 <= row < len(self._numbers) and self._numbers[row] >= 0:
            self._opened(self._numbers[row])

    def keyPressEvent(self, event: Any) -> None:
        """Keys belong to the session; what it does not want goes to the page."""
        event.ignore()


def fill_height(view: QAbstractItemView) -> None:
    view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
