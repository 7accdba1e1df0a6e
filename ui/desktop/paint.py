"""Small painters of words, numbers, key caps, sparks and strips, shared by widgets and delegates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF, QStaticText, QTransform

from ui.desktop import shapes
from ui.desktop.look import MEDIUM, REGULAR, STRONG, Look, Role
from ui.views.theme import GLYPHS
from ui.views.view import Floats, Sentence, Shape, Text, Value

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter
NARROW = "\u202f"


def crisp(painter: QPainter) -> None:
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)


def words(
    painter: QPainter,
    box: QRectF,
    text: str,
    font: QFont,
    colour: QColor,
    align: Qt.AlignmentFlag = LEFT,
    middle: bool = False,
) -> float:
    """One line of text cut to its box (in the middle for names); returns its width. Never interpreted as rich text."""
    if not text or box.width() <= 0:
        return 0.0
    text = text.replace("\n", " ") if "\n" in text else text
    laid = _laid(font, text)
    if laid.width > box.width() + 0.5:
        mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        text = QFontMetricsF(font).elidedText(text, mode, box.width())
        laid = _laid(font, text)
    left = box.left()
    if align is RIGHT:  # flags compared by identity: their `&` costs more than the drawing
        left = box.right() - laid.width
    elif align is CENTRE:
        left = box.center().x() - laid.width / 2
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawStaticText(QPointF(left, box.center().y() - laid.height / 2), laid.text)
    return min(laid.width, box.width())


@dataclass(frozen=True, slots=True)
class _Laid:
    """A text laid out once: drawing it again costs a third of laying it out again."""

    text: QStaticText
    width: float
    height: float


_LAID: dict[tuple[int, str], _Laid] = {}
_MOST_LAID = 8192


def _laid(font: QFont, text: str) -> _Laid:
    """Laid-out text by font object (of which there is one each, for ever) and words; forgotten when there are too many."""
    key = (id(font), text)
    found = _LAID.get(key)
    if found is None:
        if len(_LAID) > _MOST_LAID:
            _LAID.clear()
        made = QStaticText(text)
        made.setTextFormat(Qt.TextFormat.PlainText)
        made.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        metrics = QFontMetricsF(font)
        made.prepare(QTransform(), font)
        found = _LAID[key] = _Laid(made, metrics.horizontalAdvance(text), metrics.height())
    return found


def width_of(font: QFont, text: str) -> float:
    """Pixels of a text in a font of `Look.font`."""
    return _laid(font, text).width


def draw_at(painter: QPainter, left: float, top: float, text: str, font: QFont, colour: QColor) -> None:
    """A text by its upper left corner, on one line whatever it contains."""
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawStaticText(QPointF(left, top), _laid(font, text).text)


def shape(painter: QPainter, look: Look, name: Shape, box: QRectF, behind: str = "card", colour: str = "") -> None:
    """A state's silhouette in its own colour."""
    shapes.draw_shape(painter, name, box, look.colour(colour or name), look.colour(behind))


def icon(painter: QPainter, look: Look, name: str, box: QRectF, colour: str = "text-secondary") -> None:
    shapes.draw_icon(painter, name, box, look.colour(colour))


def centred(box: QRectF, size: float, x: float | None = None) -> QRectF:
    """A square of `size` in the middle of `box`'s height, at `x` or its left edge."""
    return QRectF(box.left() if x is None else x, box.center().y() - size / 2, size, size)


def value(
    painter: QPainter,
    look: Look,
    box: QRectF,
    shown: Value,
    role: Role | int = "body",
    weight: int = REGULAR,
    align: Qt.AlignmentFlag = RIGHT,
    colour: str = "",
    unit_role: Role | int | None = None,
) -> float:
    """A number with its unit set back, on one base line; returns the width taken."""
    tone = look.colour(colour or ("text-primary" if shown.shape in (None, "ok") else str(shown.shape)))
    font = look.font(role, STRONG if shown.shape in ("critical", "warning") and weight < STRONG else weight)
    small = look.font(unit_role if unit_role is not None else role, min(weight, MEDIUM))
    gap = 2.0 if shown.unit else 0.0
    number_width, unit_width = width_of(font, shown.number), width_of(small, shown.unit)
    total = number_width + gap + unit_width
    left = box.left() if align is LEFT else box.right() - total
    if total > box.width() + 0.5:
        return words(painter, box, f"{shown.number}{NARROW}{shown.unit}", font, tone, align)
    base = box.center().y() + half_height(font)
    draw_at(painter, left, base - ascent(font), shown.number, font, tone)
    if shown.unit:
        soft = look.colour("text-secondary") if shown.shape in (None, "ok") else tone
        draw_at(painter, left + number_width + gap, base - ascent(small), shown.unit, small, soft)
    return total


def ascent(font: QFont) -> float:
    """From the top of a line down to its base."""
    return QFontMetricsF(font).ascent()


def half_height(font: QFont) -> float:
    """From the middle of a line down to its base."""
    metrics = QFontMetricsF(font)
    return (metrics.ascent() - metrics.descent()) / 2


def value_width(
    look: Look, shown: Value, role: Role | int = "body", weight: int = REGULAR, unit_role: Role | int | None = None
) -> float:
    small = look.font(unit_role if unit_role is not None else role, min(weight, MEDIUM))
    return width_of(look.font(role, weight), shown.number) + (2.0 if shown.unit else 0.0) + width_of(small, shown.unit)


def plain(sentence: Sentence) -> str:
    return "".join(run.text for run in sentence)


def fit_sentence(look: Look, sentence: Sentence, width: float, role: Role | int) -> tuple[Sentence, bool]:
    """The sentence shortened at a word to `width` pixels, and whether it was."""
    fonts = (look.font(role), look.font(role, MEDIUM))
    whole = sum(width_of(fonts[run.strong], run.text) for run in sentence)
    if whole <= width:
        return sentence, False
    kept: list[Text] = []
    room = width - width_of(fonts[0], "…")
    for run in sentence:
        advance = width_of(fonts[run.strong], run.text)
        if advance <= room:
            kept.append(run)
            room -= advance
            continue
        text, taken = "", False
        for word in run.text.split(" "):
            longer = f"{text} {word}" if taken else word
            if width_of(fonts[run.strong], longer) > room:
                break
            text, taken = longer, True
        if room - width_of(fonts[run.strong], text) > width * 0.2:  # a long word: better a part of it than an empty place
            font = QFontMetricsF(fonts[run.strong])
            text = font.elidedText(run.text, Qt.TextElideMode.ElideRight, room).removesuffix("…")
        kept.append(Text(text.rstrip(" ,;:") + "…", run.strong))
        break
    return tuple(kept), True


def sentence(
    painter: QPainter, look: Look, box: QRectF, runs: Sentence, role: Role | int = "small", soft: str = "text-secondary"
) -> bool:
    """One line: the finding stands out, the rest is set back. True when it had to be shortened."""
    fitted, cut = fit_sentence(look, runs, box.width(), role)
    left = box.left()
    for run in fitted:
        font = look.font(role, MEDIUM if run.strong else REGULAR)
        colour = look.colour("text-primary" if run.strong else soft)
        left += words(painter, QRectF(left, box.top(), box.right() - left + 2, box.height()), run.text, font, colour)
    return cut


def keycap_width(look: Look, key: str) -> float:
    return max(16.0, width_of(look.font("axis", MEDIUM), key) + 9.0)


def keycap(
    painter: QPainter, look: Look, right: float, middle: float, key: str, ink: str = "text-secondary", edge: str = "line-strong"
) -> float:
    """A key cap ending at `right`; returns its width."""
    width = keycap_width(look, key)
    box = QRectF(right - width + 0.5, middle - 7.5, width - 1, 15)
    painter.setPen(look.pen(edge))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 3, 3)
    words(painter, box, key, look.font("axis", MEDIUM), look.colour(ink), CENTRE)
    return width


def focus_ring(painter: QPainter, look: Look, box: QRectF, radius: float = 6.0) -> None:
    """2 px, just inside the widget, so that nothing can clip it."""
    painter.setPen(QPen(look.colour("focus"), 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), radius, radius)


def spark_points(values: Floats, box: QRectF) -> list[QPolygonF]:
    """Runs of a spark line, broken where there is no data."""
    count = len(values)
    if count < 2 or not np.isfinite(values).any():
        return []
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    spread = (high - low) or 1.0
    xs = box.left() + 1 + np.arange(count) / (count - 1) * (box.width() - 5)
    ys = box.bottom() - 2 - (values - low) / spread * (box.height() - 5)
    runs: list[QPolygonF] = []
    run: list[QPointF] = []
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if y == y:
            run.append(QPointF(x, y))
        elif run:
            runs.append(QPolygonF(run))
            run = []
    return [*runs, QPolygonF(run)] if run else runs


def spark(painter: QPainter, look: Look, box: QRectF, values: Floats, colour: str, fill: float = 0.14) -> None:
    """A line with a faint ground and a dot at its end."""
    tone, ground = look.colour(colour), look.colour(colour, fill)
    runs = spark_points(values, box)
    for run in runs:
        first, last = run.first(), run.last()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawPolygon(QPolygonF([*run.toList(), QPointF(last.x(), box.bottom()), QPointF(first.x(), box.bottom())]))
        painter.setPen(QPen(tone, 1.3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(run)
    if runs and np.isfinite(values[-1]):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone)
        painter.drawEllipse(runs[-1].last(), 1.9, 1.9)


def hatch(painter: QPainter, box: QRectF, colour: QColor, pitch: float = 4.0, width: float = 1.2) -> None:
    """Diagonal lines from bottom left to top right inside the box."""
    painter.save()
    painter.setClipRect(box, Qt.ClipOperation.IntersectClip)
    painter.setPen(QPen(colour, width))
    step = pitch * 1.41
    lines = []
    x = box.left() - box.height()
    while x < box.right():
        lines.append(QLineF(x, box.bottom(), x + box.height(), box.top()))
        x += step
    painter.drawLines(lines)
    painter.restore()


def strip(painter: QPainter, look: Look, box: QRectF, blocks: Sequence[Shape | None]) -> None:
    """Firing strip: a block an hour, newest right; its height tells the severity, so it reads without colour."""
    if not blocks:
        return
    pitch = box.width() / len(blocks)
    painter.setPen(Qt.PenStyle.NoPen)
    for number, block in enumerate(blocks):
        left = box.left() + number * pitch
        if block is None or block == "ok":
            painter.setBrush(look.colour("line-strong"))
            painter.drawRoundedRect(QRectF(left, box.bottom() - 3, pitch - 1.6, 3), 1, 1)
            continue
        height = box.height() * (GLYPHS[block].block or 0.64)
        cell = QRectF(left, box.bottom() - height, pitch - 1.6, height)
        if block == "silenced":
            hatch(painter, cell, look.colour("silenced"), 3.0, 1.6)
            painter.setPen(Qt.PenStyle.NoPen)
        elif block == "unknown":
            pen = QPen(look.colour("unknown"), 1.0)
            pen.setDashPattern([2.0, 1.4])
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), 1, 1)
            painter.setPen(Qt.PenStyle.NoPen)
        else:
            painter.setBrush(look.colour(block))
            painter.drawRoundedRect(cell, 1, 1)


def say_value(shown: Value) -> str:
    return f"{shown.number} {shown.unit}".strip()
