"""The cores of this machine as a heat map, and the collector's own figures."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.look import MEDIUM
from ui.views.view import Value

GAP = 2
CELL = 26


class CoreMap(Painted):
    """A cell a core; its number inside where there is room, in whichever text colour can be read."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.cores: tuple[float, ...] = ()
        self.setAccessibleName("Cores")

    def show_cores(self, cores: tuple[float, ...]) -> None:
        """Percent busy of each core; NaN where it is not known."""
        if cores is self.cores:
            return
        grown = len(cores) != len(self.cores)
        self.cores = cores
        said = ", ".join("no data" if math.isnan(c) else f"{c:.0f} %" for c in cores[:64])
        self.setAccessibleDescription(f"{len(cores)} cores: {said}")
        if grown:
            self.updateGeometry()
        self.update()

    def per_row(self) -> int:
        """Cells a row: twelve of 26 pixels, or more and smaller where there are very many cores."""
        width = max(60, self.width() - 24)
        wanted = 12 if len(self.cores) <= 48 else 24 if len(self.cores) <= 144 else 32
        return max(1, min(wanted, width // 10, max(len(self.cores), 4)))

    def _size(self) -> float:
        return min((max(60, self.width() - 24) + GAP) / self.per_row() - GAP, 80)

    def sizeHint(self) -> QSize:
        rows = -(-len(self.cores) // self.per_row()) if self.cores else 1
        return QSize(200, round(rows * (min(CELL, self._size()) + GAP)) + 10)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        columns, wide = self.per_row(), self._size()
        tall = min(CELL, wide)
        font = self.look.font("axis", MEDIUM)
        for number, busy in enumerate(self.cores):
            box = QRectF(12 + number % columns * (wide + GAP), number // columns * (tall + GAP), wide, tall)
            if math.isnan(busy):
                pen = QPen(self.look.colour("unknown"), 1)
                pen.setDashPattern([2.6, 1.8])
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
                paint.words(painter, box, "?", font, self.look.colour("unknown"), paint.CENTRE)
                continue
            ground = self.look.ramp(busy / 100.0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, 3, 3)
            if wide >= 24 and tall >= 20:
                paint.words(painter, box, f"{busy:.0f}", font, self._ink(ground), paint.CENTRE)

    def _ink(self, ground: QColor) -> QColor:
        """The text colour that stands out more from the cell."""
        inks = (self.look.colour("text-primary"), self.look.colour("canvas"))
        return max(inks, key=lambda ink: contrast(ink, ground))


def _luminance(colour: QColor) -> float:
    given = (colour.redF(), colour.greenF(), colour.blueF())
    parts = [float(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for part in given]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.2 contrast ratio of two colours."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


class Figures(Painted):
    """Names and values in two columns of pairs."""

    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host)
        self.pairs: tuple[tuple[str, Value], ...] = ()
        self.setAccessibleName(name)

    def show_pairs(self, pairs: tuple[tuple[str, Value], ...]) -> None:
        if pairs == self.pairs:
            return
        grown = len(pairs) != len(self.pairs)
        self.pairs = pairs
        self.setAccessibleDescription(", ".join(f"{name} {value}" for name, value in pairs))
        if grown:
            self.updateGeometry()
        self.update()

    def _tall(self) -> int:
        return 28 if self.look.phone else 21

    def sizeHint(self) -> QSize:
        return QSize(200, -(-len(self.pairs) // 2) * self._tall() + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        half, small = (self.width() - 24) / 2, self.look.font("small")
        for number, (name, value) in enumerate(self.pairs):
            box = QRectF(12 + number % 2 * (half + 8), number // 2 * self._tall(), half - 8, self._tall())
            used = paint.value(painter, self.look, box, value, "small", MEDIUM)
            paint.words(painter, box.adjusted(0, 0, -used - 6, 0), name, small, self.look.colour("text-secondary"))
