"""One table of points for every state, icon and the mark, in a 16-unit box; whoever draws shapes draws these."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from ui.views.view import Shape

Command = tuple[str | float, ...]
"""("M", x, y), ("L", x, y), ("C", x1, y1, x2, y2, x, y), ("O", cx, cy, r), ("R", x, y, w, h, radius), ("Z",)."""
How = Literal["fill", "inner", "stroke", "dash"]


@dataclass(frozen=True, slots=True)
class Part:
    """A path and how it is drawn: `inner` strokes in the colour behind, so that a filled shape keeps its sign."""

    how: How
    width: float
    commands: tuple[Command, ...]


_BELL: tuple[Command, ...] = (
    ("M", 3.4, 11.4),
    ("L", 12.6, 11.4),
    ("C", 11.6, 10.3, 11.4, 9.4, 11.4, 7.3),
    ("C", 11.4, 5.4, 9.9, 3.8, 8.0, 3.8),
    ("C", 6.1, 3.8, 4.6, 5.4, 4.6, 7.3),
    ("C", 4.6, 9.4, 4.4, 10.3, 3.4, 11.4),
    ("Z",),
    ("M", 6.9, 13.2),
    ("L", 9.1, 13.2),
)
_HALF: tuple[Command, ...] = (
    ("M", 8.0, 2.0),
    ("C", 11.31, 2.0, 14.0, 4.69, 14.0, 8.0),
    ("C", 14.0, 11.31, 11.31, 14.0, 8.0, 14.0),
    ("Z",),
)
_QUESTION: tuple[Command, ...] = (
    ("M", 6.2, 6.4),
    ("C", 6.2, 5.2, 7.0, 4.6, 8.0, 4.6),
    ("C", 9.1, 4.6, 9.8, 5.4, 9.8, 6.4),
    ("C", 9.8, 7.1, 9.4, 7.6, 8.8, 8.0),
    ("C", 8.2, 8.3, 8.0, 8.6, 8.0, 9.2),
    ("M", 8.0, 11.0),
    ("L", 8.0, 11.9),
)

SHAPES: dict[Shape, tuple[Part, ...]] = {
    "critical": (
        Part("fill", 0, (("M", 8.0, 0.9), ("L", 15.1, 8.0), ("L", 8.0, 15.1), ("L", 0.9, 8.0), ("Z",))),
        Part("inner", 1.7, (("M", 8.0, 4.4), ("L", 8.0, 8.7), ("M", 8.0, 10.6), ("L", 8.0, 11.7))),
    ),
    "warning": (
        Part("fill", 0, (("M", 8.0, 1.4), ("L", 15.2, 14.4), ("L", 0.8, 14.4), ("Z",))),
        Part("inner", 1.7, (("M", 8.0, 6.0), ("L", 8.0, 10.0), ("M", 8.0, 11.7), ("L", 8.0, 12.7))),
    ),
    "info": (
        Part("fill", 0, (("O", 8.0, 8.0, 6.6),)),
        Part("inner", 1.7, (("M", 8.0, 7.2), ("L", 8.0, 11.2), ("M", 8.0, 4.6), ("L", 8.0, 5.6))),
    ),
    "ok": (
        Part("stroke", 1.6, (("O", 8.0, 8.0, 5.6),)),
        Part("stroke", 1.6, (("M", 5.2, 8.2), ("L", 7.2, 10.2), ("L", 10.9, 6.1))),
    ),
    "unknown": (Part("dash", 1.4, (("R", 2.0, 2.0, 12.0, 12.0, 2.0),)), Part("stroke", 1.6, _QUESTION)),
    "silenced": (Part("stroke", 1.5, _BELL), Part("stroke", 1.5, (("M", 2.3, 2.3), ("L", 13.7, 13.7)))),
    "acked": (
        Part("stroke", 1.6, (("O", 8.0, 8.0, 6.3),)),
        Part("stroke", 1.6, (("M", 4.9, 8.2), ("L", 7.0, 10.3), ("L", 11.2, 5.9))),
    ),
    "pending": (Part("stroke", 1.6, (("O", 8.0, 8.0, 6.0),)), Part("fill", 0, _HALF)),
}


def _lines(*runs: tuple[tuple[float, float], ...]) -> tuple[Command, ...]:
    return tuple(("M" if i == 0 else "L", *point) for run in runs for i, point in enumerate(run))


def _stroke(*commands: Command, width: float = 1.4) -> tuple[Part, ...]:
    return (Part("stroke", width, commands),)


ICONS: dict[str, tuple[Part, ...]] = {
    "overview": _stroke(
        ("R", 2.0, 2.5, 5.0, 6.0, 0.0),
        ("R", 9.0, 2.5, 5.0, 3.5, 0.0),
        ("R", 9.0, 8.5, 5.0, 5.0, 0.0),
        ("R", 2.0, 11.0, 5.0, 2.5, 0.0),
    ),
    "explore": _stroke(*_lines(((2, 13.5), (14, 13.5)), ((2, 11), (5.5, 7), (8.5, 9.5), (14, 3)))),
    "topology": _stroke(
        ("O", 4.0, 8.0, 2.0),
        ("O", 12.0, 3.8, 2.0),
        ("O", 12.0, 12.2, 2.0),
        *_lines(((5.8, 7.1), (10.2, 4.7)), ((5.8, 8.9), (10.2, 11.3))),
    ),
    "alerts": _stroke(
        ("M", 3.0, 11.5),
        ("L", 13.0, 11.5),
        ("C", 11.8, 10.3, 11.6, 9.3, 11.6, 7.1),
        ("C", 11.6, 5.1, 10.0, 3.5, 8.0, 3.5),
        ("C", 6.0, 3.5, 4.4, 5.1, 4.4, 7.1),
        ("C", 4.4, 9.3, 4.2, 10.3, 3.0, 11.5),
        ("Z",),
        ("M", 6.6, 13.5),
        ("L", 9.4, 13.5),
    ),
    "rules": _stroke(
        *_lines(
            ((2, 4), (9, 4)), ((12, 4), (14, 4)), ((2, 8), (4, 8)), ((7, 8), (14, 8)), ((2, 12), (7, 12)), ((10, 12), (14, 12))
        ),
        ("O", 10.5, 4.0, 1.5),
        ("O", 5.5, 8.0, 1.5),
        ("O", 8.5, 12.0, 1.5),
    ),
    "traces": _stroke(*_lines(((2, 3.5), (10, 3.5)), ((5, 8), (14, 8)), ((8, 12.5), (12.5, 12.5))), width=1.8),
    "more": _stroke(*_lines(((3, 8), (3.01, 8)), ((8, 8), (8.01, 8)), ((13, 8), (13.01, 8))), width=2.4),
    "search": _stroke(("O", 7.0, 7.0, 4.3), *_lines(((10.3, 10.3), (14, 14)))),
    "pause": _stroke(*_lines(((5.5, 3), (5.5, 13)), ((10.5, 3), (10.5, 13))), width=2.0),
    "play": (Part("fill", 0, (*_lines(((4.5, 2.5), (13.5, 8), (4.5, 13.5))), ("Z",))),),
    "back": _stroke(*_lines(((8.5, 3), (3.5, 8), (8.5, 13)), ((13, 3), (8, 8), (13, 13)))),
    "chevron": _stroke(*_lines(((4, 6), (8, 10), (12, 6)))),
    "close": _stroke(*_lines(((4, 4), (12, 12)), ((12, 4), (4, 12)))),
    "plus": _stroke(*_lines(((8, 3), (8, 13)), ((3, 8), (13, 8)))),
    "link": _stroke(*_lines(((6, 3), (13, 3), (13, 10)), ((13, 3), (5, 11)))),
    "deploy": _stroke(*_lines(((8, 13), (8, 3)), ((4, 7), (8, 3), (12, 7)))),
    "person": _stroke(
        ("O", 8.0, 5.2, 2.7), ("M", 3.0, 13.5), ("C", 3.6, 10.4, 5.4, 9.6, 8.0, 9.6), ("C", 10.6, 9.6, 12.4, 10.4, 13.0, 13.5)
    ),
    "note": _stroke(*_lines(((3, 3), (13, 3), (13, 10), (7.5, 10), (4.5, 13), (4.5, 10), (3, 10))), ("Z",)),
    "check": _stroke(*_lines(((3.5, 8.4), (6.7, 11.5), (12.5, 4.8))), width=1.8),
    "dot": (Part("fill", 0, (("O", 8.0, 8.0, 2.4),)),),
    "keyboard": _stroke(
        ("R", 1.5, 4.0, 13.0, 8.0, 1.5),
        *_lines(((4, 7), (4.01, 7)), ((8, 7), (8.01, 7)), ((12, 7), (12.01, 7)), ((5, 9.7), (11, 9.7))),
    ),
}

MARK: tuple[tuple[str, Part], ...] = (
    ("accent", Part("fill", 0, (*_lines(((2.4, 11.6), (13.6, 11.6), (11.84, 14.24), (4.16, 14.24))), ("Z",)))),
    ("accent", Part("fill", 0, (*_lines(((7.04, 11.2), (7.04, 6.8), (8.96, 6.8), (8.96, 11.2))), ("Z",)))),
    ("text-primary", Part("fill", 0, (("O", 8.0, 4.8, 1.52),))),
    (
        "accent",
        Part(
            "stroke",
            1.04,
            _lines(((10.4, 4), (14.4, 2.24)), ((10.4, 5.6), (14.4, 7.36)), ((5.6, 4), (1.6, 2.24)), ((5.6, 5.6), (1.6, 7.36))),
        ),
    ),
)
"""The lighthouse of the product: which colour, which part."""


@functools.cache
def path_of(commands: tuple[Command, ...]) -> QPainterPath:
    """Commands as a path in the 16-unit box."""
    path = QPainterPath()
    for command in commands:
        name, at = command[0], [float(number) for number in command[1:]]
        if name == "M":
            path.moveTo(at[0], at[1])
        elif name == "L":
            path.lineTo(at[0], at[1])
        elif name == "C":
            path.cubicTo(*at)
        elif name == "O":
            path.addEllipse(QPointF(at[0], at[1]), at[2], at[2])
        elif name == "R":
            path.addRoundedRect(QRectF(*at[:4]), at[4], at[4])
        else:
            path.closeSubpath()
    return path


def _draw(painter: QPainter, part: Part, colour: QColor, behind: QColor) -> None:
    if part.how == "fill":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
    else:
        pen = QPen(behind if part.how == "inner" else colour, part.width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if part.how == "dash":
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([2.6 / part.width, 1.8 / part.width])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path_of(part.commands))


def draw(painter: QPainter, parts: tuple[tuple[QColor, Part], ...], box: QRectF, behind: QColor) -> None:
    """Draw parts, each in its colour, scaled from the 16-unit box into `box`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / 16.0, box.height() / 16.0)
    for colour, part in parts:
        _draw(painter, part, colour, behind)
    painter.restore()


def draw_shape(painter: QPainter, shape: Shape, box: QRectF, colour: QColor, behind: QColor) -> None:
    """The silhouette of a state."""
    draw(painter, tuple((colour, part) for part in SHAPES[shape]), box, behind)


def draw_icon(painter: QPainter, name: str, box: QRectF, colour: QColor) -> None:
    """An icon by its name; a plain dot for a name that has none."""
    draw(painter, tuple((colour, part) for part in ICONS.get(name, ICONS["dot"])), box, colour)
