"""Cards: the framed grounds that hold charts, lists and forms."""

from __future__ import annotations

from PySide6.QtGui import QMoveEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop.host import Host
from ui.desktop.labels import Label, heading, muted


class Card(QFrame):
    """A framed ground with a vertical layout."""

    def __init__(self, host: Host, name: str = "", margins: tuple[int, int, int, int] = (1, 1, 1, 1)) -> None:
        super().__init__()
        self.setObjectName("card")
        self.host = host
        if name:
            self.setAccessibleName(name)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(*margins)
        self.column.setSpacing(0)

    def moveEvent(self, event: QMoveEvent) -> None:
        # What Qt copies of a card that moves while its neighbours move too may carry their gutter along.
        self.update()

    def add(self, widget: QWidget, stretch: int = 0) -> QWidget:
        self.column.addWidget(widget, stretch)
        return widget

    def edge(self, name: str) -> None:
        """Colour the left edge by a severity; "" takes it back."""
        if self.property("edge") != name:
            self.setProperty("edge", name)
            self.style().unpolish(self)
            self.style().polish(self)


class PanelHead(QWidget):
    """Title, what it counts, and at the right whatever the panel offers."""

    def __init__(self, host: Host, title: str, *right: QWidget) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.title: Label = heading(host, title)
        self.note: Label = muted(host)
        self.note.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(11, 6, 11, 5)
        row.setSpacing(8)
        row.addWidget(self.title)
        row.addWidget(self.note, 1)
        for widget in right:
            row.addWidget(widget)


class Rule(QFrame):
    """A hairline between two parts of a card."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.setFixedHeight(1)

    def paintEvent(self, event: object) -> None:
        from PySide6.QtGui import QPainter

        QPainter(self).fillRect(self.rect(), self.host.look.colour("line-subtle"))
