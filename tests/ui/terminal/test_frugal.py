"""What is sent for a change brings the terminal to where painting everything would have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tests.ui.terminal.emulator import Emulator
from tests.ui.terminal.test_canvas import BOOK
from ui.terminal.canvas import Canvas, differences
from ui.terminal.depth import Depth
from ui.terminal.frugal import FrugalUpdate, spans_text
from ui.terminal.ink import InkBook, ink
from ui.views.theme import load_themes

INKS = (ink(), ink("critical"), ink("ok", "raised"), ink(back="critical-tint", bold=True), ink("accent", underline=True))
PUTS = st.lists(
    st.tuples(st.integers(0, 38), st.integers(0, 3), st.text(alphabet="ab 日⠿", min_size=1, max_size=9), st.sampled_from(INKS)),
    max_size=12,
)
Puts = list[tuple[int, int, str, int]]


def painted(puts: Sequence[tuple[int, int, str, int]], base: Canvas | None = None) -> Canvas:
    canvas = Canvas(40, 4)
    if base is not None:
        canvas.chars[...], canvas.inks[...] = base.chars, base.inks
        canvas.note_wide(base.has_wide)
    for x, y, text, colour in puts:
        canvas.put(x, y, text, colour)
    return canvas


def whole(canvas: Canvas, book: InkBook = BOOK) -> str:
    strips: list[Iterable[Strip]] = [[canvas.strip(y, book)] for y in range(canvas.h)]
    return FrugalUpdate(LayoutUpdate(strips, Region(0, 0, canvas.w, canvas.h)), book).render_segments(Console())


def change(old: Canvas, new: Canvas, book: InkBook = BOOK) -> str:
    spans = [(y, start, end) for y, start, end in differences(old, new)]
    if not spans:
        return ""
    chops = [{0: new.strip(y, book)} for y in range(new.h)]
    return FrugalUpdate(ChopsUpdate(chops, spans, [[new.w]] * new.h), book).render_segments(Console())


@given(PUTS, PUTS)
@settings(max_examples=60, deadline=None)
def test_a_change_brings_the_screen_to_the_new_frame(first: Puts, then: Puts) -> None:
    old = painted(first)
    new = painted(then, old)
    step, jump = Emulator(40, 4), Emulator(40, 4)
    step.write(whole(old))
    step.write(change(old, new))
    jump.write(whole(new))
    assert step.seen() == jump.seen()


@given(PUTS, PUTS)
@settings(max_examples=60, deadline=None)
def test_spans_sent_straight_bring_the_screen_there_too(first: Puts, then: Puts) -> None:
    old = painted(first)
    new = painted(then, old)
    step, jump = Emulator(40, 4), Emulator(40, 4)
    step.write(whole(old))
    step.write(spans_text(new, differences(old, new), BOOK))
    jump.write(whole(new))
    assert step.seen() == jump.seen()


def test_only_the_changed_cells_are_sent() -> None:
    old = painted([(0, 0, "latency", INKS[0]), (20, 0, "1.86", INKS[1])])
    new = painted([(20, 0, "1.87", INKS[1])], old)
    sent = change(old, new)
    assert sent.count("H") == 1
    assert "\x1b[1;24H" in sent
    assert "lat" not in sent
    assert len(sent) < 60


def test_a_colour_is_set_once_for_neighbours_that_share_it() -> None:
    canvas = painted([(0, 0, "a", INKS[1]), (1, 0, "b", ink("critical"))])
    assert whole(canvas).count("248;76;68") == 1


DEPTHS: dict[Depth, Literal["38;2;", "38;5;", "\x1b[91m", ""]] = {"true": "38;2;", "256": "38;5;", "16": "\x1b[91m", "none": ""}


@pytest.mark.parametrize("depth", DEPTHS)
def test_colours_come_down_to_what_the_terminal_can_show(depth: Depth) -> None:
    book = InkBook(load_themes()["dark"], depth)
    sent = whole(painted([(0, 0, "x", ink("critical"))]), book)
    assert DEPTHS[depth] in sent
    if depth == "none":
        assert ";" not in "".join(part.partition("m")[0] for part in sent.split("\x1b[") if "m" in part)


def test_without_colour_what_is_loud_is_inverted() -> None:
    book = InkBook(load_themes()["dark"], "none")
    assert "7m" in whole(painted([(0, 0, "PAUSED", ink("canvas", "text-primary", bold=True))]), book)


def test_after_signs_of_doubtful_width_the_cursor_is_put_where_it_belongs() -> None:
    old, new = painted([]), painted([(0, 1, "a日本b", ink())])
    sent = spans_text(new, list(differences(old, new)), BOOK)
    assert "日本\x1b[2;6Hb" in sent
