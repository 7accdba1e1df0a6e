"""Exemplars on a plot: small diamonds, the one chosen with a ring, and what one says beside it."""

from __future__ import annotations

import math
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen, QPolygonF

from ui.desktop import paint
from ui.desktop.look import Look
from ui.views.view import ChartView, ExemplarMark

HALF = 4.5
"""Pixels from the middle of a diamond to its corners."""
CATCH = 9.0
"""Pixels at which the pointer is on one; a finger reaches further."""
TOUCH = 18.0


class Scale(Protocol):
    """Of `ui.desktop.curves.Scale`."""

    @property
    def box(self) -> QRectF: ...

    def px(self, at: float) -> float: ...

    def py(self, value: float) -> float: ...

    def data(self, value: float) -> float: ...


def place(mark: ExemplarMark, scale: Scale) -> QPointF:
    """The middle of a mark in pixels, its diamond whole within the plot."""
    box = scale.box.adjusted(HALF, HALF, -HALF, -HALF)
    x, y = scale.px(mark.at), scale.py(scale.data(mark.value))
    return QPointF(min(max(x, box.left()), box.right()), min(max(y, box.top()), box.bottom()))


def draw(painter: QPainter, look: Look, view: ChartView, scale: Scale) -> None:
    """All of a chart, the one chosen on top."""
    for mark in sorted(view.exemplars, key=lambda one: one.chosen):
        middle = place(mark, scale)
        half = HALF + 2.0 if mark.chosen else HALF
        painter.setPen(QPen(look.colour("text-primary" if mark.chosen else "card"), 1.5 if mark.chosen else 1.0))
        painter.setBrush(look.colour(mark.colour))
        painter.drawPolygon(_diamond(middle, half))
    chosen = next((mark for mark in view.exemplars if mark.chosen), None)
    if chosen is not None:
        say(painter, look, chosen, scale, "Enter opens it.")


def _diamond(middle: QPointF, half: float) -> QPolygonF:
    corners = ((0.0, -half), (half, 0.0), (0.0, half), (-half, 0.0))
    return QPolygonF([QPointF(middle.x() + x, middle.y() + y) for x, y in corners])


def under(view: ChartView, scale: Scale, pointer: QPointF, reach: float = CATCH) -> ExemplarMark | None:
    """The mark nearest to the pointer, None where none is within reach."""
    best, gap = None, reach
    for mark in view.exemplars:
        middle = place(mark, scale)
        away = math.hypot(middle.x() - pointer.x(), middle.y() - pointer.y())
        if away <= gap:
            best, gap = mark, away
    return best


def say(painter: QPainter, look: Look, mark: ExemplarMark, scale: Scale, how: str = "Click opens it.") -> None:
    """A chip beside a mark with its words and how it is followed, within the plot."""
    font, middle, box = look.font(11), place(mark, scale), scale.box
    text = f"{mark.words}. {how}"
    width = min(paint.width_of(font, text) + 20, box.width())
    left = min(max(middle.x() - width / 2, box.left()), box.right() - width)
    top = middle.y() - HALF - 26 if middle.y() - HALF - 26 >= box.top() else middle.y() + HALF + 6
    chip = QRectF(left, top, width, 20)
    painter.setPen(look.pen("line-control"))
    painter.setBrush(look.brush("raised", 0.97))
    painter.drawRoundedRect(chip, 5, 5)
    paint.words(painter, chip.adjusted(10, 0, -10, 0), text, font, look.colour("text-primary"), middle=True)
