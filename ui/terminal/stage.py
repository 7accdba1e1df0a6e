"""What the pages paint on: a canvas, the layout of this size, and what the painter remembers between frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ui.terminal.canvas import Canvas, Codes, Hit, Rect
from ui.terminal.fields import LineEdit

Layout = Literal["full", "compact", "narrow", "tiny"]
SMALLEST = (44, 16)
COMPACT = 80
FULL = 110


def layout_for(w: int, h: int) -> Layout:
    """The layout of a size in cells, by the breakpoints of the design."""
    if w < SMALLEST[0] or h < SMALLEST[1]:
        return "tiny"
    return "full" if w >= FULL else "compact" if w >= COMPACT else "narrow"


@dataclass(slots=True)
class Block:
    """A painted region that is used again while what it shows is the same object."""

    rect: Rect
    key: tuple[object, ...]
    chars: Codes
    inks: Codes
    hits: list[Hit]
    wide: bool = False


@dataclass(slots=True)
class Memory:
    """What outlives a frame: text fields with their carets, which one has the focus, first rows of lists, painted blocks."""

    fields: dict[str, LineEdit] = field(default_factory=dict)
    focus: str = ""
    first: dict[str, int] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    minutes_only: bool = False

    def field(self, name: str, text: str | None = None) -> LineEdit:
        """The field of a name with the session's text; the caret is the painter's own. None: the text lives here alone."""
        edit = self.fields.get(name)
        if edit is None:
            edit = self.fields[name] = LineEdit(text or "")
        elif text is not None:
            edit.replace(text)
        return edit

    def fit(self, w: int, h: int) -> None:
        """Another size: nothing painted before fits."""
        if self.size != (w, h):
            self.size = (w, h)
            self.blocks.clear()

    def take_focus(self, focus: str) -> None:
        """Another field has the focus: it begins with its caret at the end."""
        if focus != self.focus:
            self.focus = focus
            self.fields.pop(focus, None)


@dataclass(slots=True)
class Stage:
    """One frame being painted. `editor`: where the text area of the rule editor lies, None when there is none."""

    canvas: Canvas
    layout: Layout
    memory: Memory
    editor: Rect | None = None

    def window(self, name: str, cursor: int, count: int, room: int) -> int:
        """First row to show of a list: it moves only as far as the cursor needs."""
        if room <= 0:
            return 0
        first = min(self.memory.first.get(name, 0), max(0, count - room))
        if 0 <= cursor < count:
            first = min(first, cursor) if cursor < first else max(first, cursor - room + 1)
        self.memory.first[name] = first
        return first

    def block(self, name: str, rect: Rect, key: tuple[object, ...], paint: Callable[[], object]) -> None:
        """Paint a region, or lay the last painting of it when place and key are the same."""
        canvas = self.canvas
        if rect.x < 0 or rect.y < 0 or rect.right > canvas.w or rect.bottom > canvas.h or not rect.w or not rect.h:
            return
        known = self.memory.blocks.get(name)
        if known is not None and known.rect == rect and _same(known.key, key):
            canvas.chars[rect.y : rect.bottom, rect.x : rect.right] = known.chars
            canvas.inks[rect.y : rect.bottom, rect.x : rect.right] = known.inks
            canvas.hits.extend(known.hits)
            canvas.note_wide(known.wide)
            return
        before = len(canvas.hits)
        paint()
        chars = canvas.chars[rect.y : rect.bottom, rect.x : rect.right].copy()
        inks = canvas.inks[rect.y : rect.bottom, rect.x : rect.right].copy()
        self.memory.blocks[name] = Block(rect, key, chars, inks, canvas.hits[before:], canvas.has_wide)


def _same(old: tuple[object, ...], new: tuple[object, ...]) -> bool:
    """Equal by identity, or by value for what is plain; pictures hold arrays and compare by identity only."""
    return len(old) == len(new) and all(
        a is b or (isinstance(a, (str, int, float, bool, tuple)) and type(a) is type(b) and a == b)
        for a, b in zip(old, new, strict=True)
    )
