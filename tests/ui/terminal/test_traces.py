"""Traces & logs in the terminal: searched, opened, walked and followed, at every size."""

from __future__ import annotations

import time

import pytest
from rich.cells import cell_len

from monitor.wire import messages as m
from tests.shots_terminal import Stagehand
from tests.ui.terminal.test_canvas import BOOK
from tests.ui.views.test_traces import wide
from ui.terminal.canvas import differences
from ui.terminal.controller import Controller

SIZES = [(120, 40), (80, 24), (45, 30), (44, 16)]


class Hand(Stagehand):
    """Keys go where a terminal's go: through the controller."""

    def __init__(self, w: int, h: int) -> None:
        super().__init__(w, h)
        self.controller = Controller(self.session, self.memory)
        self.keys("6")
        self.settle()

    def keys(self, *keys: str) -> None:
        for key in keys:
            assert self.controller.key(key, None), f"{key} means nothing here"
            self.pump()

    def type(self, text: str) -> None:
        for character in text:
            self.controller.key("space" if character == " " else character, character)
            self.pump()

    def screen(self, *, ascii_only: bool = False) -> list[str]:
        canvas = self.paint(ascii_only=ascii_only).canvas
        assert all(cell_len(canvas.strip(y, BOOK).text) == self.size[0] for y in range(self.size[1]))
        return canvas.lines()

    def failed(self) -> None:
        self.session.traces.show_traces("edge", "POST /checkout", True)
        self.settle()
        self.keys("enter")
        self.look()

    def look(self) -> None:
        """Take in what was asked for by looking."""
        self.session.picture()
        self.pump()
        self.session.picture()


def shown(rows: list[str], text: str) -> bool:
    return any(text in row for row in rows)


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_traces_are_listed_with_duration_and_errors(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.session.traces.show_traces("edge", "POST /checkout")
    hand.settle()
    rows = hand.screen()
    assert shown(rows, "edge POST /checkout") or shown(rows, "edge POST /ch")
    assert shown(rows, " s")
    assert shown(rows, "◆")
    if w >= 76:
        assert shown(rows, "5 errors")
        assert shown(rows, "14 spans")


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_a_trace_is_opened_walked_and_folded(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.failed()
    rows = hand.screen()
    assert shown(rows, "◆ edge  POST /checkout")
    assert shown(rows, "of the time")
    assert shown(rows, "▼")
    hand.keys("p")
    rows = hand.screen()
    assert shown(rows, "▇▇▇")
    assert shown(rows, "canceling statement due to lock timeout")
    hand.keys("home", "left")
    rows = hand.screen()
    assert shown(rows, "▶")
    assert not shown(rows, "UPDATE order_li…")
    hand.keys("escape")
    assert shown(hand.screen(), "Traces")


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_the_flame_is_drawn_at_every_size(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.failed()
    hand.keys("v", "p")
    rows = hand.screen()
    assert h < 24 or shown(rows, "◆ edge POST /checkout")
    assert shown(rows, "orders UPDATE")


def test_in_ascii_the_critical_path_and_errors_keep_their_shapes() -> None:
    hand = Hand(120, 40)
    hand.failed()
    hand.keys("p")
    rows = hand.screen(ascii_only=True)
    assert all(row.isascii() for row in rows)
    assert shown(rows, "###")
    assert shown(rows, "---")
    assert shown(rows, "X orders")


@pytest.mark.parametrize(("w", "h"), SIZES[:3])
def test_a_search_is_typed_with_offers(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.keys("/")
    hand.type("service:mai")
    rows = hand.screen()
    assert shown(rows, "Tab takes")
    hand.keys("tab")
    assert shown(hand.screen(), "service:mailer")
    hand.keys("enter")
    hand.settle()
    assert hand.session.ctx.focus == ""
    assert hand.session.traces.list.filter.service == "mailer"


@pytest.mark.parametrize(("w", "h"), SIZES[:3])
def test_logs_are_followed_and_lead_to_their_trace(w: int, h: int) -> None:
    hand = Hand(w, h)
    hand.keys("t")
    hand.settle()
    assert shown(hand.screen(), "following")
    hand.session.traces.show_logs("orders")
    hand.settle()
    hand.keys("f")
    hand.settle()
    hand.keys("enter")
    rows = hand.screen()
    assert shown(rows, "orders · ")
    hand.keys("g")
    hand.look()
    assert shown(hand.screen(), "POST /checkout")


def test_a_first_run_says_how_to_send_the_first_trace() -> None:
    hand = Hand(80, 24)
    hand.fake.traced = False
    hand.session.traces.completer.asking.again()
    hand.keys("r")
    hand.settle(8)
    rows = hand.screen()
    assert shown(rows, "No traces yet.")
    assert shown(rows, "4317")
    assert shown(rows, "OTEL_EXPORTER_OTLP_ENDPOINT")


def test_a_click_chooses_a_span_and_folds_it_on_its_sign() -> None:
    hand = Hand(120, 40)
    hand.failed()
    canvas = hand.paint().canvas
    y = next(y for y, row in enumerate(canvas.lines()) if "checkout POST /checkout" in row)
    hit = canvas.target(30, y)
    assert hit is not None
    hand.controller.press(hit, False)
    assert hand.session.traces.opened is not None
    assert hand.session.traces.opened.cursor() == 1
    sign = canvas.target(canvas.lines()[y].index("▼"), y)
    assert sign is not None
    hand.controller.press(sign, False)
    assert shown(hand.screen(), "▶")


def test_moving_the_cursor_repaints_its_rows_and_the_detail_alone() -> None:
    hand = Hand(120, 40)
    hand.failed()
    before = hand.paint().canvas
    hand.keys("j")
    changed = {span.y for span in differences(before, hand.paint().canvas) if span.start < 70}
    assert len(changed) <= 3


def test_five_thousand_spans_are_painted_quickly() -> None:
    hand = Hand(120, 40)
    large = wide(5000)
    hand.fake.answer_to = lambda request: m.TraceFound(request.id, large.trace, large.spans, (), 5000)  # type: ignore[method-assign]
    hand.session.navigation.open_trace(large.trace)
    hand.session.picture()
    hand.pump()
    for form in ("Waterfall", "Flame"):
        hand.session.choose("traces.form", form)
        hand.paint()
        begin = time.perf_counter()
        hand.paint()
        assert time.perf_counter() - begin < 0.1
        assert shown(hand.screen(), "5,000 spans")
