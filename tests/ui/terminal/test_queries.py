"""Explore's queries in the terminal: typed, completed, mended and looked at, at every size."""

from __future__ import annotations

import pytest

from tests.shots_terminal import Stagehand
from ui.terminal.canvas import Canvas, Rect
from ui.terminal.controller import Controller
from ui.terminal.query_text import QueryText, paint_query, rows_of
from ui.views.queryedit import coloured

LATENCY = "histogram_quantile(0.99, sum by (service) (rate(shop_latency[1m])))"
SIZES = [(120, 40), (80, 24), (45, 30)]


class Hand(Stagehand):
    """Keys go where a terminal's go: through the controller."""

    def __init__(self, w: int, h: int) -> None:
        super().__init__(w, h)
        self.controller = Controller(self.session, self.memory)
        self.keys("2")
        self.settle()

    def keys(self, *keys: str) -> None:
        for key in keys:
            assert self.controller.key(key, None), f"{key} means nothing here"
            self.pump()

    def type(self, text: str) -> None:
        for character in text:
            self.controller.key("space" if character == " " else character, character)
            self.pump()

    def ask(self, *texts: str) -> None:
        for text in texts:
            self.keys("n")
            self.session.set_text("query", text, len(text))
            self.keys("enter", "escape")
        self.settle(3)

    def screen(self, *, ascii_only: bool = False) -> list[str]:
        return self.paint(ascii_only=ascii_only).canvas.lines()

    @property
    def query(self) -> str:
        current = self.session.explore.deck.queries.current
        return current.text if current is not None else ""


def shown(rows: list[str], text: str) -> bool:
    return any(text in row for row in rows)


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_a_query_is_typed_completed_and_run(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.keys("n")
    hand.type("sum(rate(shop_req")
    rows = hand.screen()
    assert shown(rows, "shop_requests")
    assert shown(rows, "Tab takes")
    hand.keys("tab")
    hand.type("[1m]))")
    assert hand.query == "sum(rate(shop_requests[1m]))"
    hand.keys("enter")
    hand.settle(2)
    rows = hand.screen()
    assert shown(rows, "/s")
    assert shown(rows, "A sum(rate(shop_requests[1m]))")
    hand.keys("escape")
    assert hand.session.ctx.focus == ""


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_a_mistake_is_explained_below_with_its_fix(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.keys("n")
    hand.type("rate(shop_requests)")
    rows = hand.screen()
    assert shown(rows, "Line 1, column 6: `rate` needs a range.")
    assert shown(rows, "Alt Enter Write rate(shop_requests[1m])")
    hand.keys("alt+enter")
    assert hand.query == "rate(shop_requests[1m])"
    assert not shown(hand.screen(), "needs a range")


def test_letters_are_text_in_a_query_and_actions_outside() -> None:
    hand = Hand(120, 40)
    hand.keys("n")
    hand.type("vhd: q")
    assert hand.query == "vhd: q"
    hand.keys("escape", "v")
    assert hand.session.explore.deck.view_name == "table"


def test_long_queries_wrap_while_they_are_written_and_are_cut_when_not() -> None:
    hand = Hand(80, 24)
    hand.ask(f"{LATENCY} / on (service) {LATENCY}")
    assert sum("histogram_quantile" in row for row in hand.screen()) <= 3
    assert any(row.startswith(" A histogram") and "…" in row for row in hand.screen()) or shown(hand.screen(), "…")
    hand.keys("e")
    rows = hand.screen()
    at = next(i for i, row in enumerate(rows) if row.startswith(" A "))
    assert rows[at + 1].startswith("   ")
    assert "shop_latency[1m])))" in rows[at] + rows[at + 1]


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_units_that_differ_have_charts_of_their_own(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.ask(LATENCY, "sum(rate(shop_errors[1m])) / sum(rate(shop_requests[1m]))")
    rows = hand.screen()
    assert shown(rows, "A  histogram_quantile")
    assert shown(rows, "B  sum(rate(") or shown(rows, "1 more chart: make the window taller")


def test_the_table_and_the_bars_are_painted() -> None:
    hand = Hand(120, 40)
    hand.ask("rate(shop_requests[1m])")
    hand.keys("v")
    hand.settle(2)
    rows = hand.screen()
    assert shown(rows, "env=prod · ")
    assert any("edge" in row and row.rstrip().endswith("/s") for row in rows)
    hand.keys("v", "c")
    hand.session.choose("query.view", "Chart")
    hand.ask('rate(shop_latency{service="cart"}[1m])')
    hand.settle(2)
    rows = hand.screen()
    assert shown(rows, "ms  p99 34")
    assert shown(rows, "█")
    assert not shown(hand.screen(ascii_only=True), "█")


def test_a_name_is_typed_in_a_field_of_its_own() -> None:
    hand = Hand(80, 24)
    hand.ask("host_cpu_busy")
    hand.keys("ctrl+s")
    hand.type("Busy")
    assert shown(hand.screen(), "Keep as Busy")
    hand.keys("enter")
    assert [saved.name for saved in hand.session.explore.deck.queries.saved] == ["Busy"]


def test_a_frame_without_news_changes_few_cells() -> None:
    from ui.terminal.canvas import differences

    hand = Hand(120, 40)
    hand.ask(LATENCY)
    before = hand.paint().canvas
    hand.settle(1)
    changed = differences(before, hand.paint().canvas)
    assert sum(span.end - span.start for span in changed) < 500


# ---------------------------------------------------------------- text


def test_rows_break_behind_words_and_every_character_is_in_one() -> None:
    text = "sum by (service) (rate(shop_requests[5m]))\nor vector(0)"
    rows = rows_of(text, 20)
    assert [text[row.start : row.end] for row in rows] == [
        "sum by (service) (",
        "rate(shop_requests[5",
        "m]))",
        "or vector(0)",
    ]
    assert all(row.end - row.start <= 20 for row in rows)
    assert rows_of("", 10)[0].end == 0
    assert len(rows_of("x" * 95, 10)) == 10


def test_the_caret_is_always_in_sight() -> None:
    canvas = Canvas(30, 5)
    text = "a + " * 40
    for caret in range(len(text) + 1):
        x, y = paint_query(canvas, Rect(2, 1, 20, 3), text, coloured(text), caret=caret)
        assert 2 <= x < 22
        assert 1 <= y < 4


def test_wide_and_strange_characters_keep_their_cells() -> None:
    canvas = Canvas(40, 2)
    text = 'up{a="日本\u202e"}'
    paint_query(canvas, Rect(0, 0, 40, 1), text, coloured(text))
    assert canvas.text(0) == 'up{a="日本·"}'


def test_pasted_line_breaks_are_kept_and_home_and_end_are_those_of_the_line() -> None:
    edit = QueryText("")
    edit.insert("sum(\r\n  up\n)")
    assert edit.text == "sum(\n  up\n)"
    edit.key("up")
    edit.key("end")
    assert edit.caret == len("sum(\n  up")
    edit.key("home")
    assert edit.caret == len("sum(\n")
    edit.key("up")
    assert edit.caret == 0
    edit.key("down")
    edit.key("ctrl+j")
    assert edit.text == "sum(\n\n  up\n)"
