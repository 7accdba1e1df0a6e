"""A grid of cells painted with text and inks, compared as a whole with the last one."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.cells import get_character_cell_size
from rich.segment import Segment
from textual.strip import Strip

from ui.terminal.cells import clean, cut, to_ascii, width
from ui.terminal.ink import BACK_MASK, InkBook, back_bits, ink

Codes = npt.NDArray[np.int32]
TAIL = 0
"""Stands in the second cell of a wide character."""
_SPACE = 32
_JOIN = 12
"""Two changes of a row nearer than this are sent as one: moving the cursor and setting the colour anew costs as much."""


class Rect(NamedTuple):
    """A region of cells: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int

    def inner(self, left: int = 0, top: int = 0, right: int = 0, bottom: int = 0) -> Rect:
        """The region with margins taken off; never negative."""
        return Rect(self.x + left, self.y + top, max(0, self.w - left - right), max(0, self.h - top - bottom))

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h


@dataclass(frozen=True, slots=True)
class Hit:
    """What a click in a region means: an action's name, or a place in a list ("alerts", 3), or a choice ("range", "1 h")."""

    rect: Rect
    kind: str
    name: str
    index: int = 0
    value: str = ""

    def at(self, x: int, y: int) -> bool:
        return self.rect.x <= x < self.rect.right and self.rect.y <= y < self.rect.bottom


class Span(NamedTuple):
    """Cells of a row that changed: from `start` up to `end`."""

    y: int
    start: int
    end: int


class Canvas:
    """`chars` and `inks` int32[height, width]. What lies outside is not painted; wide characters are kept whole."""

    def __init__(self, w: int, h: int, *, ascii_only: bool = False) -> None:
        self.w = w
        self.h = h
        self.ascii = ascii_only
        self.chars: Codes = np.full((h, w), _SPACE, dtype=np.int32)
        self.inks: Codes = np.full((h, w), ink(), dtype=np.int32)
        self.hits: list[Hit] = []
        self.locked = False
        """Whether nothing can be changed: keys of actions that would are painted as off."""
        self._wide = False
        """Whether wide characters may have been painted, of which no half may be left."""

    @property
    def has_wide(self) -> bool:
        return self._wide

    def note_wide(self, wide: bool) -> None:
        """Cells with wide characters were copied in."""
        self._wide = self._wide or wide

    @property
    def rect(self) -> Rect:
        return Rect(0, 0, self.w, self.h)

    def put(self, x: int, y: int, text: str, colour: int, room: int | None = None) -> int:
        """Paint text from a cell on, cut with an ellipsis to `room` cells; returns the column after it."""
        if room is not None:
            text = cut(text, room)
        codes = _codes(text, self.ascii)
        size = len(codes)
        end = x + size
        if not size or not 0 <= y < self.h or end <= 0 or x >= self.w:
            return end
        if x >= 0 and end <= self.w and not self._wide:
            self.chars[y, x:end] = codes
            self.inks[y, x:end] = colour
            self._wide = not text.isascii() and bool((codes == TAIL).any())
            return end
        self._put_clipped(x, y, codes, colour)
        return end

    def _put_clipped(self, x: int, y: int, codes: Codes, colour: int) -> None:
        """Paint what lies inside, and no half of a wide character."""
        end = x + len(codes)
        left, right = max(x, 0), min(end, self.w)
        self._keep_whole(y, left, right)
        self.chars[y, left:right] = codes[left - x : right - x]
        self.inks[y, left:right] = colour
        if codes[left - x] == TAIL:
            self.chars[y, left] = _SPACE
        if right < end and codes[right - x] == TAIL:
            self.chars[y, right - 1] = _SPACE
        self._wide = True

    def _keep_whole(self, y: int, left: int, right: int) -> None:
        """Blank the halves of wide characters that painting over [left, right) would leave behind."""
        row = self.chars[y]
        if row[left] == TAIL and left:
            row[left - 1] = _SPACE
        if right < self.w and row[right] == TAIL:
            row[right] = _SPACE

    def right(self, end: int, y: int, text: str, colour: int, room: int | None = None) -> int:
        """Paint text so that it ends before column `end`; returns its first column."""
        text = clean(text) if room is None else cut(text, room)
        start = end - width(text)
        self.put(start, y, text, colour)
        return start

    def run(self, x: int, y: int, *pieces: tuple[str, int]) -> int:
        """Paint pieces of (text, ink) one after the other."""
        for text, colour in pieces:
            x = self.put(x, y, text, colour)
        return x

    def fill(self, rect: Rect, colour: int, char: str = " ") -> None:
        """Paint every cell of a region with one character."""
        x0, y0, x1, y1 = max(rect.x, 0), max(rect.y, 0), min(rect.right, self.w), min(rect.bottom, self.h)
        if x0 >= x1 or y0 >= y1:
            return
        if self._wide:
            for y in range(y0, y1):
                self._keep_whole(y, x0, x1)
        self.chars[y0:y1, x0:x1] = ord(to_ascii(char) if self.ascii else char)
        self.inks[y0:y1, x0:x1] = colour

    def ground(self, rect: Rect, back: str) -> None:
        """Lay a background under what is painted already."""
        view = self.inks[max(rect.y, 0) : rect.bottom, max(rect.x, 0) : rect.right]
        view[...] = (view & ~BACK_MASK) | back_bits(back)

    def column(self, x: int, y: int, h: int, char: str, colour: int) -> None:
        """A vertical line."""
        self.fill(Rect(x, y, 1, h), colour, char)

    def rule(self, x: int, y: int, w: int, colour: int, char: str = "─") -> None:
        """A horizontal line."""
        self.fill(Rect(x, y, w, 1), colour, char)

    def box(self, rect: Rect, colour: int) -> None:
        """A frame with round corners; what is inside stays."""
        x, y, w, h = rect
        if w < 2 or h < 2:
            return
        self.put(x, y, "╭" + "─" * (w - 2) + "╮", colour)
        self.put(x, y + h - 1, "╰" + "─" * (w - 2) + "╯", colour)
        self.column(x, y + 1, h - 2, "│", colour)
        self.column(x + w - 1, y + 1, h - 2, "│", colour)

    def stamp(self, x: int, y: int, codes: Codes, colours: Codes | int) -> None:
        """Paint a block of code points, int32[h, w]; zero leaves the cell as it is."""
        h, w = codes.shape
        x1, y1 = min(x + w, self.w), min(y + h, self.h)
        if x >= x1 or y >= y1 or x < 0 or y < 0:
            return
        part = codes[: y1 - y, : x1 - x]
        where = part != 0
        self.chars[y:y1, x:x1][where] = part[where]
        self.inks[y:y1, x:x1][where] = colours if isinstance(colours, int) else colours[: y1 - y, : x1 - x][where]

    def hit(self, rect: Rect, kind: str, name: str, index: int = 0, value: str = "") -> None:
        """Make a region answer the mouse; what is painted later lies above."""
        self.hits.append(Hit(rect, kind, name, index, value))

    def target(self, x: int, y: int) -> Hit | None:
        """What a click at a cell means."""
        return next((hit for hit in reversed(self.hits) if hit.at(x, y)), None)

    # ------------------------------------------------------------ what is seen

    def text(self, y: int) -> str:
        """A row as it is read, without trailing spaces."""
        return "".join(map(chr, self.chars[y][self.chars[y] != TAIL])).rstrip()

    def lines(self) -> list[str]:
        """All rows as they are read."""
        return [self.text(y) for y in range(self.h)]

    def runs(self, y: int, start: int, end: int) -> list[tuple[str, int]]:
        """Runs of equal ink in a part of a row, as (text, ink)."""
        row, inks = self.chars[y, start:end], self.inks[y, start:end]
        edges = [0, *(np.flatnonzero(inks[1:] != inks[:-1]) + 1).tolist(), end - start]
        text = row.tobytes().decode("utf-32-le")
        colours = inks[edges[:-1]].tolist()
        # The tail of a wide character is not written: the terminal moves over it by itself.
        return [(text[a:b].replace("\0", ""), ink) for (a, b), ink in zip(itertools.pairwise(edges), colours, strict=True)]

    def strip(self, y: int, book: InkBook) -> Strip:
        """A row as Textual takes it: one segment a run of equal ink."""
        style = book.style
        return Strip([Segment(text, style(colour)) for text, colour in self.runs(y, 0, self.w)], self.w)


@functools.lru_cache(maxsize=8192)
def _codes(text: str, ascii_only: bool) -> Codes:
    """Code points of clean text, with a tail after each wide character."""
    text = clean(text)
    if ascii_only:
        text = to_ascii(text)
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.int32)
    if text.isascii() or width(text) == len(codes):
        return codes
    spread: list[int] = []
    for c in text:
        spread.append(ord(c))
        spread.extend([TAIL] * (get_character_cell_size(c) - 1))
    return np.array(spread, dtype=np.int32)


def differences(old: Canvas, new: Canvas) -> list[Span]:
    """Spans of cells that differ between two canvases of one size, row by row."""
    changed = (old.chars != new.chars) | (old.inks != new.inks)
    spans: list[Span] = []
    for y in np.flatnonzero(changed.any(axis=1)).tolist():
        columns = np.flatnonzero(changed[y])
        breaks = np.flatnonzero(np.diff(columns) > _JOIN)
        starts = columns[np.concatenate(([0], breaks + 1))].tolist()
        ends = (columns[np.concatenate((breaks, [len(columns) - 1]))] + 1).tolist()
        spans.extend(_whole(new, old, y, start, end) for start, end in zip(starts, ends, strict=True))
    return spans


def _whole(new: Canvas, old: Canvas, y: int, start: int, end: int) -> Span:
    """A span widened so that it cuts no wide character, old or new."""
    while start > 0 and (new.chars[y, start] == TAIL or old.chars[y, start] == TAIL):
        start -= 1
    while end < new.w and (new.chars[y, end] == TAIL or old.chars[y, end] == TAIL):
        end += 1
    return Span(y, start, end)
