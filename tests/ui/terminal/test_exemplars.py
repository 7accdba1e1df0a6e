"""Exemplars in cells: diamonds on the chart, the one chosen in words below it, in ASCII stars."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ui.terminal import pictures
from tests.ui.terminal.test_cells import HOSTILE
from ui.terminal.paint import paint
from ui.terminal.stage import Memory
from ui.views.view import ExemplarMark, Picture


def picture(said: str = "", chosen: bool = False) -> Picture:
    """Explore with two exemplars on its chart."""
    before = pictures.explore()
    assert before.explore is not None
    chart = before.explore.chart
    span, (low, high) = chart.x[1] - chart.x[0], chart.y
    places = ((0.25, 0.5), (0.75, 0.9))
    marks = tuple(
        ExemplarMark(chart.x[0] + x * span, low + y * (high - low), "series-1", str(x), "trace 1", chosen and not place)
        for place, (x, y) in enumerate(places)
    )
    return replace(before, explore=replace(before.explore, chart=replace(chart, exemplars=marks), exemplar=said))


def shown(one: Picture, w: int, h: int, *, ascii_only: bool = False) -> str:
    return "\n".join(paint(one, w, h, Memory(), ascii_only=ascii_only).canvas.lines())


@pytest.mark.parametrize(("w", "h"), [(120, 40), (80, 24), (45, 30)])
def test_diamonds_stand_on_the_chart(w: int, h: int) -> None:
    assert shown(picture(), w, h).count("◇") == 2
    assert shown(picture(chosen=True), w, h).count("◇") == 1


@pytest.mark.parametrize(("w", "h"), [(120, 40), (80, 24)])
def test_the_one_chosen_is_told_below_with_the_key_that_opens_it(w: int, h: int) -> None:
    text = shown(picture("14:03:12, trace 5b8efff7, 1.2 s (1 of 2 exemplars)", chosen=True), w, h)
    line = next(line for line in text.splitlines() if "trace 5b8efff7" in line)
    assert "◆ 14:03:12" in line
    assert line.rstrip().endswith("Enter opens")


def test_where_there_are_some_the_key_is_told() -> None:
    one = picture()
    assert one.explore is not None
    assert "O to 2 exemplars" in shown(replace(one, explore=replace(one.explore, readout=None, crosshair=None)), 120, 40)


def test_a_terminal_without_diamonds_has_stars() -> None:
    text = shown(picture("1 s", chosen=True), 80, 24, ascii_only=True)
    assert "*" in text
    assert text.isascii()


def test_hostile_words_stay_in_their_line() -> None:
    for words in HOSTILE:
        text = shown(picture(words, chosen=True), 80, 24)
        assert len(text.splitlines()) == 24
        assert "\x1b" not in text
