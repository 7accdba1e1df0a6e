"""The grid of cells: clipping, wide characters, and what changed since the last frame."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.terminal.test_cells import HOSTILE
from ui.terminal.canvas import TAIL, Canvas, Rect, differences
from ui.terminal.ink import InkBook, ink
from ui.views.theme import load_themes

BOOK = InkBook(load_themes()["dark"], "true")
TEXTS = st.text(alphabet="ab 日本…◆", max_size=12)
PUTS = st.lists(st.tuples(st.integers(-6, 16), st.integers(-1, 4), TEXTS, st.sampled_from((ink(), ink("critical", bold=True)))))


def painted(puts: list[tuple[int, int, str, int]]) -> Canvas:
    canvas = Canvas(12, 4)
    for x, y, text, colour in puts:
        canvas.put(x, y, text, colour)
    return canvas


def test_text_outside_is_not_painted() -> None:
    canvas = Canvas(5, 1)
    assert canvas.put(-2, 0, "abcdefgh", ink()) == 6
    assert canvas.lines() == ["cdefg"]
    canvas.put(0, 3, "below", ink())
    canvas.put(0, -1, "above", ink())
    assert canvas.lines() == ["cdefg"]


def test_no_half_of_a_wide_character_is_left() -> None:
    canvas = Canvas(6, 1)
    canvas.put(0, 0, "日本語", ink())
    canvas.put(1, 0, "x", ink())
    canvas.put(4, 0, "y", ink())
    assert canvas.lines() == [" x本y"]


@given(PUTS)
def test_every_row_is_as_wide_as_the_canvas(puts: list[tuple[int, int, str, int]]) -> None:
    canvas = painted(puts)
    for y in range(canvas.h):
        text = "".join(chr(c) for c in canvas.chars[y] if c != TAIL)
        assert cell_len(text) == canvas.w
        assert cell_len(canvas.strip(y, BOOK).text) == canvas.w


@given(PUTS, PUTS)
def test_differences_hold_every_changed_cell(
    before: list[tuple[int, int, str, int]], after: list[tuple[int, int, str, int]]
) -> None:
    old, new = painted(before), painted(after)
    changed = (old.chars != new.chars) | (old.inks != new.inks)
    for y, start, end in differences(old, new):
        assert changed[y, start:end].any()
        changed[y, start:end] = False
        assert new.chars[y, start] != TAIL
        assert end == new.w or new.chars[y, end] != TAIL
    assert not changed.any()


def test_two_changes_far_apart_are_two_spans() -> None:
    old, new = Canvas(60, 1), Canvas(60, 1)
    new.put(2, 0, "a", ink())
    new.put(6, 0, "b", ink())
    new.put(50, 0, "c", ink())
    assert [tuple(span) for span in differences(old, new)] == [(0, 2, 7), (0, 50, 51)]


def test_hostile_text_cannot_leave_its_cells() -> None:
    canvas = Canvas(40, 2)
    canvas.put(0, 0, HOSTILE, ink())
    canvas.put(30, 0, "safe", ink())
    assert canvas.text(0)[30:] == "safe"
    assert not any(c < 32 for c in np.unique(canvas.chars) if c != TAIL)


def test_ascii_canvases_hold_ascii_only() -> None:
    canvas = Canvas(30, 3, ascii_only=True)
    canvas.box(Rect(0, 0, 30, 3), ink())
    canvas.put(2, 1, "◆ Müller 日本 ▁▅▇…", ink())
    assert all(line.isascii() for line in canvas.lines())
    assert canvas.text(0) == "+" + "-" * 28 + "+"


def test_what_is_painted_later_is_hit_first() -> None:
    canvas = Canvas(10, 2)
    canvas.hit(Rect(0, 0, 10, 2), "action", "back")
    canvas.hit(Rect(2, 0, 3, 1), "row", "alerts", 4)
    hit = canvas.target(3, 0)
    assert hit is not None
    assert (hit.name, hit.index) == ("alerts", 4)
    assert canvas.target(9, 1) == canvas.hits[0]
    assert canvas.target(30, 1) is None
