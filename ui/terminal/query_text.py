"""The text of a query in cells: in rows, coloured by its parts, problems underlined, with a caret; and what keys do to it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.cells import clean, width
from ui.terminal.fields import LineEdit
from ui.terminal.ink import ink
from ui.views.queryview import TOKEN_COLOURS, Token
from ui.views.view import ProblemRow

_BREAKS = " ,()"


@dataclass(frozen=True, slots=True)
class Row:
    """Characters from `start` up to `end` of the text."""

    start: int
    end: int


def rows_of(text: str, room: int) -> list[Row]:
    """The text in rows of at most `room` cells, broken behind a space, a comma or a bracket where one is near."""
    rows: list[Row] = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        while width_of(text[start:end]) > room > 0:
            cut = start + _fitting(text[start:end], room)
            near = max(text.rfind(mark, start, cut) for mark in _BREAKS) + 1
            cut = near if near > start + (cut - start) // 2 else max(cut, start + 1)
            rows.append(Row(start, cut))
            start = cut
        rows.append(Row(start, end))
        start = end + 1
    return rows


def width_of(text: str) -> int:
    """Cells of text, what cannot be painted counted as one."""
    return len(text) if text.isascii() else sum(max(1, width(clean(c))) for c in text)


def _fitting(text: str, room: int) -> int:
    if text.isascii():
        return room
    used = 0
    for i, c in enumerate(text):
        used += width_of(c)
        if used > room:
            return i
    return len(text)


def row_of_caret(rows: list[Row], caret: int) -> int:
    """The row a caret stands in: at a break within a line it belongs to the row behind."""
    return max((i for i, row in enumerate(rows) if row.start <= caret), default=0)


def paint_query(
    canvas: Canvas,
    rect: Rect,
    text: str,
    tokens: tuple[Token, ...],
    *,
    back: str = "canvas",
    caret: int | None = None,
    problem: ProblemRow | None = None,
    dim: bool = False,
) -> tuple[int, int]:
    """Paint a query into a region, scrolled so that the caret is in sight; returns the cell of the caret."""
    if caret is None and rect.h == 1:  # a text that is only looked at is cut where the room ends
        return _paint_cut(canvas, rect, text, tokens, back, _span(text, problem), dim)
    rows = rows_of(text, rect.w - (1 if caret is not None else 0))
    here = row_of_caret(rows, caret) if caret is not None else 0
    first = max(0, min(here - rect.h + 1, len(rows) - rect.h)) if caret is not None else 0
    wrong = _span(text, problem)
    place = (rect.x, rect.y)
    for i, row in enumerate(rows[first : first + rect.h]):
        y = rect.y + i
        _paint_runs(canvas, rect.x, y, text, row, tokens, back, wrong, dim)
        if i == rect.h - 1 and first + rect.h < len(rows):
            canvas.put(rect.right - 1, y, "…", ink("text-secondary", back))
        if caret is not None and first + i == here:
            place = (rect.x + width_of(text[row.start : min(caret, row.end)]), y)
    if caret is not None:
        under = text[caret : caret + 1]
        canvas.put(*place, _shown(under) if under.strip("\n") else " ", ink("canvas", "text-primary"))
    return place


def _paint_runs(
    canvas: Canvas, x: int, y: int, text: str, row: Row, tokens: tuple[Token, ...], back: str, wrong: tuple[int, int], dim: bool
) -> int:
    for start, end, colour in _runs(row, tokens, dim):
        for a, b, marked in _split(start, end, wrong):
            shade = "critical" if marked else colour
            x = canvas.put(x, y, _shown(text[a:b]), ink(shade, back, underline=marked))
    return x


def _paint_cut(
    canvas: Canvas, rect: Rect, text: str, tokens: tuple[Token, ...], back: str, wrong: tuple[int, int], dim: bool
) -> tuple[int, int]:
    """One row of it, line breaks as spaces, with an ellipsis where it goes on."""
    flat = text.replace("\n", " ")
    cut = len(flat) if width_of(flat) <= rect.w else _fitting(flat, rect.w - 1)
    x = _paint_runs(canvas, rect.x, rect.y, flat, Row(0, cut), tokens, back, wrong, dim)
    if cut < len(flat):
        canvas.put(x, rect.y, "…", ink("text-secondary", back))
    return (rect.x, rect.y)


def cell_of(text: str, rect: Rect, caret: int, at: int) -> tuple[int, int]:
    """The cell of a character, as `paint_query` lays the text with the caret where it is."""
    rows = rows_of(text, rect.w - 1)
    first = max(0, min(row_of_caret(rows, caret) - rect.h + 1, len(rows) - rect.h))
    here = row_of_caret(rows, at)
    return rect.x + width_of(text[rows[here].start : at]), rect.y + max(0, here - first)


def _span(text: str, problem: ProblemRow | None) -> tuple[int, int]:
    if problem is None:
        return (-1, -1)
    lines = text.split("\n")
    start = sum(len(line) + 1 for line in lines[: problem.line]) + problem.column
    return start, start + problem.length


def _runs(row: Row, tokens: tuple[Token, ...], dim: bool) -> list[tuple[int, int, str]]:
    """Parts of a row of one colour."""
    runs: list[tuple[int, int, str]] = []
    plain = "text-disabled" if dim else "text-secondary"
    at = row.start
    for start, end, kind in tokens:
        if end <= row.start or start >= row.end:
            continue
        start, end = max(start, row.start), min(end, row.end)
        if start > at:
            runs.append((at, start, plain))
        runs.append((start, end, "text-disabled" if dim else TOKEN_COLOURS.get(kind, plain)))
        at = end
    if at < row.end:
        runs.append((at, row.end, plain))
    return runs


def _split(start: int, end: int, wrong: tuple[int, int]) -> list[tuple[int, int, bool]]:
    """A run cut where the problem begins and ends."""
    edges = sorted({start, end, *(edge for edge in wrong if start < edge < end)})
    return [(a, b, wrong[0] <= a < wrong[1]) for a, b in itertools.pairwise(edges)]


def _shown(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(clean(c) or "·" for c in text)


class QueryText(LineEdit):
    """Text of several lines: what is pasted keeps its line breaks, up and down move between them."""

    __slots__ = ()

    def insert(self, text: str) -> bool:
        """Type or paste at the caret."""
        parts = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        changed = False
        for i, part in enumerate(parts):
            if i:
                self.text = f"{self.text[: self.caret]}\n{self.text[self.caret :]}"
                self.caret += 1
                changed = True
            changed = super().insert(part) or changed
        return changed

    def key(self, key: str) -> bool:
        """An editing key; Home and End are those of the line."""
        start = self.text.rfind("\n", 0, self.caret) + 1
        stop = self.text.find("\n", self.caret)
        stop = len(self.text) if stop < 0 else stop
        if key == "ctrl+j":
            return self.insert("\n")
        if key in ("home", "ctrl+a"):
            self.caret = start
        elif key in ("end", "ctrl+e"):
            self.caret = stop
        elif key == "up" and start:
            above = self.text.rfind("\n", 0, start - 1) + 1
            self.caret = min(above + self.caret - start, start - 1)
        elif key == "down" and stop < len(self.text):
            below = self.text.find("\n", stop + 1)
            self.caret = min(stop + 1 + self.caret - start, len(self.text) if below < 0 else below)
        else:
            return super().key(key)
        return True
