"""Small things every page is made of: shapes, values, strips, sparks, headings, buttons and fields."""

from __future__ import annotations

import functools
import itertools

import numpy as np

from ui.terminal.canvas import Canvas, Codes, Rect
from ui.terminal.cells import clean, cut, cut_at_word, width
from ui.terminal.fields import LineEdit
from ui.terminal.ink import ink
from ui.views.actions import ACTING
from ui.views.theme import GLYPHS
from ui.views.view import Floats, Sentence, Shape, Value

PLAIN = ink()
STRONG = ink(bold=True)
QUIET = ink("text-secondary")
FAINT = ink("text-disabled")
FRAME = ink("line-strong")
ACCENT = ink("accent")
ACCENT_STRONG = ink("accent", bold=True)
_EIGHTHS = "▁▂▃▄▅▆▇"
_ASCII_EIGHTHS = "_.--=##"


def sign(shape: Shape, ascii_only: bool) -> str:
    """A state's silhouette in one cell."""
    glyph = GLYPHS[shape]
    return glyph.ascii if ascii_only else glyph.term


def paint_sign(canvas: Canvas, x: int, y: int, shape: Shape | None, back: str = "canvas", severity: Shape | None = None) -> None:
    """The silhouette in its colour; acknowledged and pending keep the colour of their severity."""
    if shape is None:
        return
    colour = severity if severity is not None and shape in ("acked", "pending") else shape
    canvas.put(x, y, sign(shape, canvas.ascii), ink(colour, back))


def value_ink(value: Value, back: str = "canvas", bold: bool = False) -> int:
    """Plain while all is well; the state's colour when not."""
    calm = value.shape is None or value.shape == "ok"
    return ink("text-primary" if calm or value.shape is None else value.shape, back, bold)


def paint_value(canvas: Canvas, end: int, y: int, value: Value, room: int, back: str = "canvas", bold: bool = False) -> None:
    """A value that ends before column `end`; cut rather than let run into its neighbour."""
    canvas.right(end, y, str(value), value_ink(value, back, bold), room)


def paint_strip(canvas: Canvas, x: int, y: int, strip: tuple[Shape | None, ...], blocks: int, back: str = "canvas") -> None:
    """A firing strip: the newest `blocks` hours, newest right. Height is severity, so it reads without colour."""
    canvas.stamp(x, y, *_strip_cells(strip[-blocks:], back, canvas.ascii))


@functools.lru_cache(maxsize=4096)
def _strip_cells(strip: tuple[Shape | None, ...], back: str, ascii_only: bool) -> tuple[Codes, Codes]:
    """Code points and inks of a strip, int32[1, blocks] each; strips change once in half an hour."""
    codes = np.zeros((1, len(strip)), dtype=np.int32)
    inks = np.zeros((1, len(strip)), dtype=np.int32)
    for i, shape in enumerate(strip):
        glyph = GLYPHS["ok" if shape is None else shape]
        block = (glyph.ascii_block if ascii_only else glyph.term_block) or GLYPHS["warning"].term_block
        codes[0, i] = ord(block)
        inks[0, i] = ink("line-strong" if shape is None or shape == "ok" else shape, back)
    return codes, inks


def spark_text(values: Floats, room: int, ascii_only: bool = False) -> str:
    """Values as blocks of eighths over `room` cells, newest right; a gap is a space, never the lowest block."""
    glyphs = _ASCII_EIGHTHS if ascii_only else _EIGHTHS
    if not len(values) or room <= 0:
        return " " * max(room, 0)
    count = min(room, len(values))
    edges = np.linspace(0, len(values), count + 1).astype(int)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return " " * room
    low, high = float(finite.min()), float(finite.max())
    scale = (len(glyphs) - 1) / (high - low) if high > low else 0.0
    out = []
    for a, b in itertools.pairwise(edges):
        part = values[a:b][np.isfinite(values[a:b])]
        out.append(glyphs[round((float(part.max()) - low) * scale)] if len(part) else " ")
    return "".join(out).rjust(room)


def paint_sentence(canvas: Canvas, x: int, y: int, sentence: Sentence, room: int, back: str = "canvas") -> int:
    """A sentence on one line, shortened at a word; the finding is bright, the rest is context."""
    left = room
    for piece in sentence:
        text = cut_at_word(piece.text, left)
        x = canvas.put(x, y, text, ink("text-primary" if piece.strong else "text-secondary", back))
        left -= width(text)
        if left <= 1 or text != clean(piece.text):
            break
    return x


def plain(sentence: Sentence) -> str:
    """A sentence's words."""
    return "".join(piece.text for piece in sentence)


def paint_heading(canvas: Canvas, rect: Rect, title: str, right: str = "", focused: bool = False) -> None:
    """A line with a title in it, as a list or a detail has above."""
    canvas.rule(rect.x, rect.y, rect.w, FRAME)
    title = cut(title, max(0, rect.w - 6 - width(right)))
    canvas.put(rect.x + 1, rect.y, f" {title} ", ACCENT_STRONG if focused else STRONG)
    if right and rect.w > width(title) + width(right) + 8:
        canvas.right(rect.right - 2, rect.y, f" {right} ", QUIET)


def paint_button(canvas: Canvas, x: int, y: int, key: str, label: str, action: str, back: str = "canvas", on: bool = True) -> int:
    """A key and what it does; a click does the same."""
    key = key_cap(key) if key else ""
    on = on and not (canvas.locked and action in ACTING)
    end = canvas.put(x, y, key, ink("text-primary" if on else "text-disabled", back, bold=on))
    end = canvas.put(end + (1 if key else 0), y, label, ink("text-secondary" if on else "text-disabled", back))
    if action:
        canvas.hit(Rect(x, y, end - x, 1), "action", action)
    return end


_CAPS = {
    "escape": "Esc",
    "delete": "Del",
    "backspace": "Bksp",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


def key_cap(key: str) -> str:
    """A key as people write it: `ctrl+s` is `Ctrl S`, `a` is `A`. What is written for people already stays as it is."""
    parts = [part for part in key.split("+") if part] or [key]
    caps = [_CAPS.get(part, part.upper() if len(part) == 1 else part[:1].upper() + part[1:]) for part in parts]
    return " ".join(caps)


def paint_field(canvas: Canvas, rect: Rect, label: str, edit: LineEdit, *, focused: bool, hint: str = "", name: str = "") -> None:
    """A labelled one-line text field; the caret shows only where typing goes."""
    end = canvas.put(rect.x, rect.y, label, ACCENT if focused else QUIET)
    x = end + (1 if label else 0)
    room = rect.right - x
    if room < 3:
        return
    canvas.fill(Rect(x, rect.y, room, 1), ink(back="raised"))
    text, caret = edit.window(room - 1) if focused else (cut(edit.text, room - 1), 0)
    if text:
        canvas.put(x, rect.y, text, ink(back="raised"))
    if not edit.text and hint:
        canvas.put(x + (1 if focused else 0), rect.y, hint, ink("text-secondary", "raised"), room - 1)
    if focused:
        canvas.ground(Rect(x + caret, rect.y, 1, 1), "text-primary")
        under = canvas.chars[rect.y, x + caret] if x + caret < canvas.w else 32
        canvas.put(x + caret, rect.y, chr(int(under)) if under else " ", ink("canvas", "text-primary"))
    if name:
        canvas.hit(rect, "field", name)
