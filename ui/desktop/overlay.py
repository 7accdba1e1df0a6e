"""Overlays: the command palette and the keys of a page, frameless over the window, which stays alive below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button
from ui.desktop.delegates import PaletteItem
from ui.desktop.host import Host, Painted
from ui.desktop.labels import heading
from ui.desktop.look import MEDIUM, STRONG
from ui.desktop.panel import Rule
from ui.desktop.rows import Header, RowList, fill_height
from ui.desktop.topbar import Field
from ui.views.view import HelpView, PaletteView

__all__ = ["HelpOverlay", "PaletteOverlay"]


class Overlay(QWidget):
    """Covers the window to catch a press beside the sheet; paints a soft shadow round it and nothing else."""

    def __init__(self, host: Host, parent: QWidget, name: str) -> None:
        super().__init__(parent)
        self.host, self.look = host, host.look
        self.setAccessibleName(name)
        self.sheet = QFrame(self)
        self.sheet.setObjectName("float")
        self.column = QVBoxLayout(self.sheet)
        self.column.setContentsMargins(1, 1, 1, 1)
        self.column.setSpacing(0)
        parent.installEventFilter(self)
        self.hide()

    def wanted(self) -> QRectF:
        """Where the sheet lies in the window."""
        raise NotImplementedError

    def place(self) -> None:
        above = self.parentWidget()
        if above is not None:
            self.setGeometry(above.rect())
            self.sheet.setGeometry(self.wanted().toRect())

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.place()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.sheet.geometry().contains(event.position().toPoint()):
            self.host.act("back")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        if self.look.phone:
            painter.fillRect(self.rect(), self.look.colour("scrim"))
        painter.setPen(Qt.PenStyle.NoPen)
        box = QRectF(self.sheet.geometry())
        for step in range(10, 0, -1):
            painter.setBrush(QColor(0, 0, 0, 9))
            painter.drawRoundedRect(box.adjusted(-step, -step + 6, step, step + 6), 8 + step, 8 + step)


class PaletteOverlay(Overlay):
    """Type words in any order, walk with the arrows, Enter does it."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent, "Command palette")
        self.field = Field(host, "palette", "Find an action, a series or an alert", "Find an action, a series or an alert")
        self.field.setObjectName("find")
        self.field.setFixedHeight(44)
        self.list = RowList(
            host,
            "Found",
            PaletteItem(),
            lambda row: host.tell(host.session.open, "palette", row),
            lambda row: host.tell(host.session.open, "palette", row),
        )
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        fill_height(self.list)
        top = QHBoxLayout()
        top.setContentsMargins(14, 0, 14, 0)
        top.setSpacing(10)
        top.addWidget(_Glass(host))
        top.addWidget(self.field, 1)
        self.column.addLayout(top)
        self.column.addWidget(Rule(host))
        self.column.addWidget(self.list, 1)
        self.column.addSpacing(4)
        self.palette_view: PaletteView | None = None

    def wanted(self) -> QRectF:
        width = min(686.0, self.width() - 16.0)
        rows = min(self.list.content_height(), round(self.height() * 0.62))
        return QRectF((self.width() - width) / 2, 8 if self.look.phone else 54, width, 53 + max(rows, 32))

    def show_view(self, view: PaletteView | None) -> None:
        if view is self.palette_view:
            return
        opened = self.palette_view is None and view is not None
        self.palette_view = view
        if view is None:
            self.hide()
            return
        self.field.show_text(view.query)
        self.list.show_rows(view.rows or (Header("Nothing matches. Try fewer letters, or : for all commands."),), view.cursor)
        self.place()
        if opened:
            self.show()
            self.raise_()
            self.field.setFocus(Qt.FocusReason.PopupFocusReason)
            self.field.setCursorPosition(len(view.query))
        if 0 <= view.cursor < len(view.rows):
            self.field.setAccessibleDescription(PaletteItem().say(view.rows[view.cursor]))


class _Glass(Painted):
    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.want(16, 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint.icon(QPainter(self), self.look, "search", QRectF(0, 0, 16, 16), "text-primary")


class _Keys(Painted):
    """Every key of a page in columns, painted at once."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view: HelpView | None = None

    def show_view(self, view: HelpView) -> None:
        self.view = view
        said = [
            f"{title}: {'; '.join(f'{keys}: {what}, {words}' for keys, what, words in rows)}" for title, rows in view.sections
        ]
        self.setAccessibleName(". ".join(said))
        self.updateGeometry()
        self.update()

    def _columns(self) -> int:
        return max(1, min(2, self.width() // 360))

    def tall_at(self, width: int) -> int:
        """Pixels all keys need in a sheet this wide."""
        return self._tall(max(1, min(2, width // 360)))

    def _heights(self) -> list[int]:
        return [34 + 24 * len(rows) for _, rows in self.view.sections] if self.view else []

    def _tall(self, count: int = 0) -> int:
        columns = [0] * (count or self._columns())
        for height in self._heights():
            columns[columns.index(min(columns))] += height
        return max(columns, default=0) + 8

    def sizeHint(self) -> QSize:
        return QSize(340, self._tall())

    def minimumSizeHint(self) -> QSize:
        return QSize(280, self._tall())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.view is None:
            return
        painter = QPainter(self)
        paint.crisp(painter)
        count = self._columns()
        tops, width = [0] * count, self.width() / count
        for (title, rows), height in zip(self.view.sections, self._heights(), strict=True):
            column = tops.index(min(tops))
            left, top = column * width + 16, tops[column]
            tops[column] += height
            paint.words(
                painter,
                QRectF(left, top + 8, width - 32, 22),
                title,
                self.look.font("body", STRONG),
                self.look.colour("text-primary"),
            )
            for number, (keys, what, words) in enumerate(rows):
                self._row(painter, QRectF(left, top + 32 + 24 * number, width - 32, 24), keys, what, words)

    def _row(self, painter: QPainter, box: QRectF, keys: str, what: str, words: str) -> None:
        keys_width = max(76.0, paint.keycap_width(self.look, keys) + 12)
        if keys:
            paint.keycap(painter, self.look, box.left() + paint.keycap_width(self.look, keys), box.center().y(), keys)
        font = self.look.font(12, MEDIUM)
        used = paint.words(painter, box.adjusted(keys_width, 0, 0, 0), what, font, self.look.colour("text-primary"))
        rest = box.adjusted(keys_width + used + 10, 0, 0, 0)
        paint.words(painter, rest, words, self.look.font(11), self.look.colour("text-secondary"))


class HelpOverlay(Overlay):
    """Every key and what it does, this page first."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent, "Keys")
        self.title = heading(host, "Keys", "title")
        self.close_button = Button(host, "Close", lambda: host.act("back"), key="Esc")
        top = QHBoxLayout()
        top.setContentsMargins(16, 10, 12, 8)
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(self.close_button)
        self.keys = _Keys(host)
        self.area = QScrollArea()
        self.area.setWidget(self.keys)
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.viewport().setAutoFillBackground(False)
        self.keys.setAutoFillBackground(False)
        self.column.addLayout(top)
        self.column.addWidget(Rule(host))
        self.column.addWidget(self.area, 1)
        self.help_view: HelpView | None = None

    def wanted(self) -> QRectF:
        width = min(880.0, self.width() - 16.0)
        wanted = self.keys.tall_at(round(width) - 12) + 64.0
        height = min(self.height() - 32.0, wanted)
        policies = Qt.ScrollBarPolicy
        self.area.setVerticalScrollBarPolicy(policies.ScrollBarAlwaysOn if wanted > height else policies.ScrollBarAlwaysOff)
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def show_view(self, view: HelpView | None) -> None:
        if view is self.help_view:
            return
        opened = self.help_view is None and view is not None
        self.help_view = view
        if view is None:
            self.hide()
            return
        self.title.say(f"Keys of {view.page}")
        self.keys.show_view(view)
        self.place()
        self.column.activate()
        self.place()
        if opened:
            self.show()
            self.raise_()
            self.close_button.setFocus(Qt.FocusReason.PopupFocusReason)
