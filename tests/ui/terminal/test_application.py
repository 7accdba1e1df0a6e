"""The application on a collector in memory: keys, typing, drafts, size, silence of the link, and bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from rich.console import Console
from textual._compositor import ChopsUpdate
from textual.pilot import Pilot
from textual.widgets import TextArea

from tests.shots_terminal import demo_app
from ui.client.fake import FakeCollector
from ui.terminal.application import LightshipApp
from ui.terminal.canvas import differences
from ui.terminal.frugal import FrugalUpdate
from ui.views.actions import ACTIONS


class Stage:
    """The application, the collector behind it, and eyes on the screen."""

    def __init__(self, app: LightshipApp, fake: FakeCollector, pilot: Pilot[int]) -> None:
        self.app, self.fake, self.pilot = app, fake, pilot

    def rows(self) -> list[str]:
        """The screen as it is read, text area and all."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.rows())

    async def until(self, holds: Callable[[], object], what: str) -> None:
        for _ in range(400):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"waited in vain until {what}; the screen:\n{self.text}")

    async def see(self, words: str) -> None:
        await self.until(lambda: words in self.text, f"{words!r} is seen")

    async def see_at(self, w: int, words: str) -> None:
        """See words once the screen is so many columns wide."""
        await self.until(lambda: words in self.text and self.app.surface.canvas.w == w, f"{words!r} is seen at {w} columns")

    async def tick(self, seconds: int = 1) -> None:
        frames = self.app.frames
        self.fake.advance(seconds)
        self.app.heard()
        await self.until(lambda: self.app.frames > frames, "a frame is painted")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)


@asynccontextmanager
async def staged(w: int = 120, h: int = 40) -> AsyncIterator[Stage]:
    fake = FakeCollector.demo()
    app = demo_app(fake)
    async with app.run_test(size=(w, h)) as pilot:
        stage = Stage(app, fake, pilot)
        await stage.see("harbour-1")
        await stage.tick(3)
        await stage.see("Requests are slow")
        yield stage


@pytest.mark.parametrize(("w", "h"), [(120, 40), (80, 24), (45, 30)])
async def test_each_page_opens_by_its_digit(w: int, h: int) -> None:
    async with staged(w, h) as stage:
        for digit, words in (("2", "find a series"), ("4", "Firing 7"), ("5", "11 rules"), ("1", "7 alerts, 1 with an owner")):
            await stage.press(digit)
            await stage.see(words)


async def test_the_terminal_is_given_up_as_it_was_found() -> None:
    async with staged() as stage:
        await stage.press("q")
        await stage.until(lambda: stage.app.return_code == 0, "it is left")


async def test_every_key_of_the_table_may_be_pressed_on_every_page() -> None:
    keys = [key for action in ACTIONS for key in action.keys if action.name != "quit"]
    async with staged() as stage:
        for page in ("1", "2", "4", "5"):
            for key in keys:
                for pressed in (page, key, "escape", "escape", "escape"):
                    stage.app.controller.key(pressed, pressed if len(pressed) == 1 else None)
                    stage.app.repaint()
        assert stage.app.is_running
        await stage.see("harbour-1")


async def test_an_alert_is_acknowledged_and_released_by_one_key() -> None:
    async with staged(120, 40) as stage:
        await stage.press("4", "a")
        await stage.until(lambda: "✓ Mira" in stage.rows()[3], "the first row has an owner")
        await stage.press("a")
        await stage.until(lambda: "✓ Mira" not in stage.rows()[3], "it is released")


async def test_letters_are_text_while_a_field_has_the_focus() -> None:
    async with staged(80, 24) as stage:
        await stage.press("4", "slash", *"edge")
        await stage.see("/ edge")
        assert "Error ratio" in stage.text
        assert "Queries are slow" not in stage.text
        assert stage.app.is_running  # q and the digits did nothing either
        await stage.press("1", "q")
        await stage.see("/ edge1q")
        await stage.press("backspace", "backspace", "enter")
        await stage.see("/ edge")
        await stage.press("escape")
        await stage.see("Requests are slow")


async def test_a_silence_is_written_previewed_and_saved_without_the_mouse() -> None:
    async with staged(120, 40) as stage:
        await stage.press("4", "s")
        await stage.see("Silences 1 alert firing now")
        await stage.press(*"deploy")
        await stage.see("Because deploy")
        await stage.press("shift+tab", "ctrl+u", *"4h")
        await stage.see("For     4h")
        await stage.press("ctrl+s")
        await stage.see("1 alert silenced until 18:21")
        await stage.press("ctrl+z")
        await stage.see("Firing 7")


async def test_keys_that_come_before_a_field_was_painted_are_not_lost() -> None:
    async with staged(120, 40) as stage:
        keys = ["4", "s", *"why", "shift+tab", "ctrl+u", *"30m", "shift+tab", "end", *", env=a"]
        for key in keys:
            stage.app.controller.key(key, key if len(key) == 1 else None)
        draft = stage.app.session.ctx.desk.silence
        assert draft is not None
        assert (draft.reason, draft.duration) == ("why", "30m")
        assert draft.matchers.startswith('alertname="slow_latency"')
        assert draft.matchers.endswith(", env=a")


async def test_a_draft_survives_refreshes_and_leaving_the_page() -> None:
    async with staged(80, 24) as stage:
        await stage.press("4", "s", *"roll")
        await stage.see("Because roll")
        await stage.tick(5)
        await stage.press(*"back")
        await stage.see("Because rollback")
        await stage.press("escape", "1", "4")
        await stage.see("Draft: Silence 1 alert")
        await stage.press("s")
        await stage.see("Because rollback")


async def test_the_palette_finds_by_words_and_opens() -> None:
    async with staged(80, 24) as stage:
        await stage.press("colon", *"explor")
        await stage.see("Find any series and chart it")
        await stage.press("enter")
        await stage.see("find a series by name or tag")


async def test_series_are_picked_and_read_under_the_crosshair() -> None:
    async with staged(120, 40) as stage:
        await stage.press("2", "slash", *"queue")
        await stage.see("queue")
        await stage.press("enter")
        await stage.until(lambda: stage.app.session.ctx.focus == "", "the list has the keys")
        assert not stage.app.session.explore.picked
        await stage.press("enter")
        await stage.tick(2)
        await stage.see("On the chart")
        await stage.press("left", "left")
        await stage.see(" ago")
        assert stage.app.session.explore.at is not None


async def test_help_shows_the_keys_of_the_page_and_scrolls() -> None:
    async with staged(80, 24) as stage:
        await stage.press("4", "question_mark")
        await stage.see("Keys: Alerts")
        first = stage.rows()[3]
        await stage.press("j", "j")
        await stage.until(lambda: stage.rows()[3] != first, "it scrolls")
        await stage.press("escape")
        await stage.until(lambda: "Keys: Alerts" not in stage.text, "it closes")


async def test_a_rule_is_edited_with_typing_kept_through_refreshes() -> None:
    async with staged(120, 40) as stage:
        await stage.press("5", "e")
        await stage.until(lambda: isinstance(stage.app.focused, TextArea), "the text area has the focus")
        await stage.see("[[rule]]")
        await stage.press("home", *"# note", "enter")
        await stage.see("# note")
        await stage.tick(3)
        await stage.see("Save 1 changed line")
        assert "# note" in stage.text
        await stage.press("ctrl+s")
        await stage.see("saved;")
        assert any("# note" in file.text for file in stage.fake.book.told_rules().files)


async def test_a_rule_that_does_not_parse_is_not_saved_and_kept_as_a_draft() -> None:
    async with staged(80, 24) as stage:
        await stage.press("5", "e")
        await stage.until(lambda: isinstance(stage.app.focused, TextArea), "the text area has the focus")
        await stage.press("home", *"oops ")
        await stage.see("not valid TOML")
        await stage.press("ctrl+s")
        await stage.see("is in the way")
        await stage.press("escape", "escape")
        await stage.until(lambda: not list(stage.app.query(TextArea)), "the text area is gone")
        await stage.press("1", "5", "e")
        await stage.see("oops")


async def test_the_size_may_change_at_any_time() -> None:
    async with staged(120, 40) as stage:
        await stage.press("4")
        for w, h in ((80, 24), (45, 30), (30, 10), (200, 60), (120, 40)):
            await stage.pilot.resize_terminal(w, h)
            words = "window larger" if w < 44 else "Firing 7"
            await stage.see_at(w, words)


async def test_a_lost_link_is_said_and_drafts_stay() -> None:
    async with staged(80, 24) as stage:
        await stage.press("4", "s", *"why")
        stage.fake.disconnect()
        await stage.tick(6)
        await stage.see("Lightship is blind")
        assert "Because why" in stage.text
        stage.fake.reconnect()
        await stage.tick(2)
        await stage.until(lambda: "Lightship is blind" not in stage.text, "the banner is gone")
        assert "Because why" in stage.text


async def test_what_is_clicked_is_what_is_meant() -> None:
    async with staged(120, 40) as stage:
        x = stage.rows()[0].index("4 Alerts")
        await stage.pilot.click(offset=(x + 2, 0))
        await stage.see("Firing 7")
        row = next(y for y, text in enumerate(stage.rows()) if "Host is silent" in text)
        await stage.pilot.click(offset=(20, row))
        await stage.see("─ Host is silent")
        hit = next(h for h in stage.app.surface.canvas.hits if h.kind == "choose" and h.value == "Silences")
        await stage.pilot.click(offset=(hit.rect.x, hit.rect.y))
        await stage.until(lambda: stage.app.session.alerts.list.group == "Silences", "the group is chosen")


async def test_the_theme_changes_colours_only() -> None:
    async with staged(80, 24) as stage:
        await stage.press("4")
        await stage.see("Firing 7")
        await stage.press("ctrl+t")
        await stage.until(lambda: stage.app.book.theme.name == "light", "the theme is another")
        strip = stage.app.surface.render_line(2)
        assert any(
            s.style is not None and s.style.bgcolor is not None and s.style.bgcolor.get_truecolor() == (241, 244, 247)
            for s in strip
        )


class Counted(LightshipApp):
    """Counts what would be sent for changes."""

    sent = 0

    def sent_since(self, before: int) -> bool:
        return self.sent > before

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, ChopsUpdate):
            self.sent += len(FrugalUpdate(renderable, self.book).render_segments(Console()).encode())
        super()._display(screen, renderable)


async def test_a_second_costs_few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four charts, 120x40, a minute of the demonstration: under 3 KB a second on average, and no second repaints all."""
    monkeypatch.setattr("ui.terminal.application.LightshipApp", Counted)
    async with staged(120, 40) as stage:
        app = stage.app
        assert isinstance(app, Counted)
        await stage.tick(10)
        await stage.pilot.pause(0.2)
        app.sent, most = 0, 0
        for _ in range(60):
            before, old = app.sent, app.surface.canvas
            await stage.tick()
            if differences(old, app.surface.canvas):
                await stage.until(partial(app.sent_since, before), "the change is sent")
            most = max(most, app.sent - before)
        assert app.sent / 60 < 3000
        assert most < 16_000


async def test_a_slow_terminal_gets_fewer_frames_and_then_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(80, 24) as stage:
        slow = True
        monkeypatch.setattr(stage.app, "_behind", lambda: slow)
        frames = stage.app.frames
        await stage.press("4", "j", "j")
        await stage.until(lambda: stage.app.dropped >= 3, "frames are left out")
        assert stage.app.frames == frames
        assert stage.app.session.page == "alerts"  # input was taken all the same
        slow = False
        await stage.see("Firing 7")


async def test_nothing_is_sent_while_nothing_changes() -> None:
    async with staged(80, 24) as stage:
        await stage.press("space")
        await stage.see("‖ PAUSED")
        await stage.pilot.pause(0.15)
        before = stage.app.surface.canvas
        stage.app.repaint()
        behind = [span for span in differences(before, stage.app.surface.canvas) if span.y != 1]
        assert behind == []


def test_the_application_leaves_no_task_behind() -> None:
    async def whole() -> set[asyncio.Task[Any]]:
        async with staged(80, 24) as stage:
            await stage.press("4")
        return {task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()}

    assert asyncio.run(whole()) == set()
