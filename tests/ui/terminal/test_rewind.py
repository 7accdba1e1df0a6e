"""Looking at the past in a terminal, by keys alone and by a click on the day."""

from __future__ import annotations

import pytest

from tests.shots_terminal import Stagehand
from ui.terminal.controller import Controller

SIZES = ((120, 40), (80, 24), (45, 30))


def rows(hand: Stagehand, *, ascii_only: bool = False) -> list[str]:
    return hand.paint(ascii_only=ascii_only).canvas.lines()


def back(hand: Stagehand, seconds: float = 10 * 3600 + 50 * 60) -> None:
    hand.session.rewind(hand.fake.now - seconds)
    hand.settle(2)


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_the_rows_round_the_page_say_that_it_is_the_past(w: int, h: int) -> None:
    hand = Stagehand(w, h)
    back(hand)
    screen = rows(hand)
    assert screen[1].startswith(" ◀ REWOUND")
    assert "03:31" in screen[1]
    assert any("You are looking at 03:31" in row for row in screen)
    assert "L live" in screen[-1]
    assert all(len(row) <= w for row in screen)
    hand.press("l")
    hand.settle(1)
    assert "LIVE" in rows(hand)[1]
    assert not any("You are looking at" in row for row in rows(hand))


def test_everything_can_be_done_by_keys() -> None:
    hand = Stagehand(80, 24)
    hand.press("@")
    controller = Controller(hand.session, hand.memory)
    for letter in "03:30":
        controller.key(letter, letter)
    controller.key("enter", None)
    hand.settle(2)
    assert "03:30:00" in rows(hand)[1]
    hand.press("space", ">", ">")
    hand.settle(4)
    assert "▶ 5x" in rows(hand)[1]
    assert "03:30:20" in rows(hand)[1]
    hand.press("space", ",")
    hand.settle(2)
    assert "03:00" in rows(hand)[1]


def test_without_unicode_the_past_is_as_loud() -> None:
    hand = Stagehand(120, 40)
    back(hand)
    screen = rows(hand, ascii_only=True)
    assert screen[1].startswith(" << REWOUND")
    assert all(letter.isascii() for letter in screen[1])


def test_a_click_on_the_day_goes_there() -> None:
    hand = Stagehand(120, 40)
    hand.settle(2)
    stage = hand.paint()
    hits = [hit for hit in stage.canvas.hits if hit.kind == "rewind"]
    assert len(hits) >= 40
    Controller(hand.session, hand.memory).press(hits[len(hits) // 2], twice=False)
    hand.settle(2)
    assert hand.session.picture().frame.time.state == "rewound"
    assert abs(hand.session.ctx.present() - float(hits[len(hits) // 2].value)) < 2


def test_progress_is_told_in_words() -> None:
    hand = Stagehand(120, 40)
    hand.fake.past_delay = 4
    back(hand)
    assert "Going to 03:31 … 50 %" in rows(hand)[1]
    assert "LIVE" in rows(hand)[1]


def test_what_would_act_is_painted_as_off() -> None:
    hand = Stagehand(120, 40)
    back(hand, 9.9 * 3600)
    hand.press("a")
    hand.settle(1)
    assert any("Go live to act." in row for row in rows(hand))
