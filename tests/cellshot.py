"""A terminal's cell grid as a picture: braille, blocks and frames are drawn as geometry, letters with a monospace font."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontDatabase, QGuiApplication, QImage, QPainter

from ui.terminal.canvas import TAIL, Canvas
from ui.terminal.ink import BOLD, UNDERLINE, parts
from ui.views.theme import Theme

FONTS = ("JetBrains Mono", "DejaVu Sans Mono", "Noto Sans Mono", "Liberation Mono")
SCALE = 2
CELL_W, CELL_H, SIZE = 8 * SCALE, 19 * SCALE, 13.4 * SCALE
MARGIN = 8 * SCALE
_LEFT, _RIGHT, _UP, _DOWN = "─╮╯┤┬┴┼", "─╭╰├┬┴┼", "│╰╯├┤┴┼", "│╭╮├┤┬┼"
_BLOCKS = "▁▂▃▄▅▆▇█"


def _font(bold: bool) -> QFont:
    families = QFontDatabase.families()
    font = QFont(next((name for name in FONTS if name in families), "monospace"))
    font.setPixelSize(round(SIZE))
    font.setBold(bold)
    return font


def save(canvas: Canvas, theme: Theme, path: Path) -> None:
    """Write a canvas as PNG, at twice the usual density."""
    app = QGuiApplication.instance() or QGuiApplication(["shots"])
    image = QImage(canvas.w * CELL_W + 2 * MARGIN, canvas.h * CELL_H + 2 * MARGIN, QImage.Format.Format_RGB32)
    image.fill(QColor(theme.colour("canvas")))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    fonts = (_font(False), _font(True))
    for y in range(canvas.h):
        for x in range(canvas.w):
            _ground(painter, canvas, theme, x, y)
    for y in range(canvas.h):
        for x in range(canvas.w):
            _glyph(painter, canvas, theme, x, y, fonts)
    painter.end()
    if not image.save(str(path)):
        raise OSError(f"{path} could not be written")
    assert app is not None


def _ground(painter: QPainter, canvas: Canvas, theme: Theme, x: int, y: int) -> None:
    _, back, _ = parts(int(canvas.inks[y, x]))
    if back != "canvas":
        painter.fillRect(MARGIN + x * CELL_W, MARGIN + y * CELL_H, CELL_W, CELL_H, QColor(theme.colour(back)))


def _glyph(painter: QPainter, canvas: Canvas, theme: Theme, x: int, y: int, fonts: tuple[QFont, QFont]) -> None:
    code = int(canvas.chars[y, x])
    fore, _, attributes = parts(int(canvas.inks[y, x]))
    colour = QColor(theme.colour(fore))
    left, top = MARGIN + x * CELL_W, MARGIN + y * CELL_H
    if attributes & UNDERLINE:
        painter.fillRect(QRectF(left, top + CELL_H - 3 * SCALE, CELL_W, SCALE), colour)
    if code in (32, TAIL):
        return
    char = chr(code)
    if 0x2800 <= code < 0x2900:
        _braille(painter, code - 0x2800, left, top, colour)
    elif char in _BLOCKS:
        share = (_BLOCKS.index(char) + 1) / 8
        height = (CELL_H - 2 * SCALE) * share
        painter.fillRect(QRectF(left, top + CELL_H - height, CELL_W - SCALE, height), colour)
    elif char in "░▒":
        painter.fillRect(QRectF(left, top, CELL_W, CELL_H), QBrush(colour, _HATCHES[char]))
    elif char in "▐▕":
        wide = CELL_W // 2 if char == "▐" else SCALE
        painter.fillRect(QRectF(left + CELL_W - wide, top, wide, CELL_H), colour)
    elif char in "─│╭╮╰╯├┤┬┴┼╌┆━":
        _frame(painter, char, left, top, colour)
    else:
        painter.setFont(fonts[1 if attributes & BOLD else 0])
        painter.setPen(colour)
        painter.drawText(QRectF(left - CELL_W, top, 3 * CELL_W, CELL_H), Qt.AlignmentFlag.AlignCenter, char)


_HATCHES = {"░": Qt.BrushStyle.BDiagPattern, "▒": Qt.BrushStyle.Dense5Pattern}


def _braille(painter: QPainter, bits: int, left: int, top: int, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    weights = ((1, 8), (2, 16), (4, 32), (64, 128))
    for row in range(4):
        for column in range(2):
            if bits & weights[row][column]:
                centre = QPointF(left + CELL_W * (0.25 + 0.5 * column), top + CELL_H * (0.125 + 0.25 * row))
                painter.drawEllipse(centre, 1.35 * SCALE, 1.35 * SCALE)


def _frame(painter: QPainter, char: str, left: int, top: int, colour: QColor) -> None:
    thick = 2 * SCALE if char == "━" else SCALE
    middle_x, middle_y = left + CELL_W // 2, top + CELL_H // 2
    half = thick // 2

    def bar(x0: float, y0: float, x1: float, y1: float) -> None:
        painter.fillRect(QRectF(x0, y0, x1 - x0, y1 - y0), colour)

    if char in "╌━":
        gap = 2 * SCALE if char == "╌" else 0
        bar(left, middle_y - half, left + CELL_W - gap, middle_y - half + thick)
    elif char == "┆":
        bar(middle_x - half, top + SCALE, middle_x - half + thick, top + CELL_H // 2 - SCALE)
        bar(middle_x - half, top + CELL_H // 2 + SCALE, middle_x - half + thick, top + CELL_H - SCALE)
    if char in _LEFT:
        bar(left, middle_y - half, middle_x + half, middle_y - half + thick)
    if char in _RIGHT:
        bar(middle_x - half, middle_y - half, left + CELL_W, middle_y - half + thick)
    if char in _UP:
        bar(middle_x - half, top, middle_x - half + thick, middle_y + half)
    if char in _DOWN:
        bar(middle_x - half, middle_y - half, middle_x - half + thick, top + CELL_H)
