"""Under the filter of the map while it is written: what may be written, or what is wrong with what is."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.look import MEDIUM
from ui.views.topologyview import TopologyView

LINE = 19
WIDTH = 440
TIGHT = 400
"""Pixels below which what an example does stands under it."""


class FilterHelp(Painted):
    """Lies over the map, so that nothing moves when it comes and goes; the pointer goes through it."""

    def __init__(self, host: Host, parent: QWidget, field: QWidget) -> None:
        super().__init__(host)
        self.setParent(parent)
        self.page, self.field = parent, field
        self.error, self.tight = "", False
        self.lines: tuple[tuple[str, str], ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_view(self, view: TopologyView) -> None:
        """Shown while the field is written in, and as long as something is wrong with it."""
        self.error, self.lines = view.filter_error, view.grammar
        there = bool(self.error or self.lines) and view.empty is None and self.field.isVisible()
        if there:
            words = self.error or "Find or hide nodes: " + "; ".join(f"{example}: {does}" for example, does in self.lines)
            self.setAccessibleName(words)
            self.place()
            self.raise_()
            self.update()
        self.setVisible(there)

    def place(self) -> None:
        """Under the field, within the page."""
        parent = self.page
        at = self.field.mapTo(parent, QPoint(0, self.field.height() + 4))
        wide = min(WIDTH, parent.width() - 16)
        self.tight = wide < TIGHT
        lines = len(self.lines) * (2 if self.tight else 1)
        tall = 12 + LINE * (lines + ((3 if self.tight else 2) if self.error else 0))
        self.setGeometry(max(8, min(at.x(), parent.width() - wide - 8)), at.y(), wide, tall)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 12 + 8 * LINE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), self.look
        paint.crisp(painter)
        painter.setPen(QPen(look.colour("line-strong"), 1.0))
        painter.setBrush(look.brush("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        top, inside = 6.0, self.width() - 20.0
        soft = look.colour("text-secondary")
        if self.error:
            high = LINE * (2 if self.tight else 1)
            painter.setFont(look.font("small", MEDIUM))
            painter.setPen(look.colour("critical"))
            painter.drawText(QRectF(10, top, inside, high), Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter, self.error)
            kept = "The map shows what could be read last."
            paint.words(painter, QRectF(10, top + high, inside, LINE), kept, look.font("small"), soft)
            top += high + LINE
        font = look.font(11, mono=True)
        for example, does in self.lines:
            paint.words(painter, QRectF(10, top, inside if self.tight else 156, LINE), example, font, look.colour("text-primary"))
            if self.tight:
                top += LINE - 2
            left = 20.0 if self.tight else 170.0
            paint.words(painter, QRectF(left, top, inside + 10 - left, LINE), does, look.font("small"), soft)
            top += LINE + (2 if self.tight else 0)
