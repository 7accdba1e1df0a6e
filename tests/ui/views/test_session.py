from __future__ import annotations

import math
import re

import numpy as np
import pytest

from monitor.wire import messages as m
from tests.ui.views.conftest import Stage, words
from ui.client.fake import FakeCollector
from ui.views.actions import ACTIONS, BY_NAME
from ui.views.drafts import MemoryDrafts
from ui.views.session import DESKTOP, PHONE, TERMINAL
from ui.views.theme import THEMES
from ui.views.view import ChartView, Page

PAGES: tuple[Page, ...] = ("overview", "explore", "topology", "alerts", "rules")


def test_every_action_of_the_table_does_something_or_says_why_not(demo: Stage) -> None:
    for page in PAGES:
        for action in ACTIONS:
            demo.session.go(page)
            on, reason = demo.session.enabled(action.name)
            assert on != bool(reason), f"{action.name} on {page}: {reason!r}"
            if page in action.pages or not action.pages:
                assert on or reason not in ("Not here.", "There is no such action."), f"{action.name} is forgotten on {page}"


def test_every_handler_is_in_the_table(demo: Stage) -> None:
    names = set(demo.session.handlers)
    for page in demo.session.pages.values():
        names |= set(page.handlers)
    assert names <= set(BY_NAME)
    general = {a.name for a in ACTIONS if not a.pages}
    everywhere = set(demo.session.handlers) | set.intersection(*(set(p.handlers) for p in demo.session.pages.values()))
    assert general - everywhere <= {"region.next", "region.previous"}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("profile", [DESKTOP, TERMINAL, PHONE])
def test_every_action_can_be_performed_on_every_page_with_nothing_there(empty: Stage, page: Page, profile: object) -> None:
    empty.session.resize(profile)  # type: ignore[arg-type]
    for action in ACTIONS:
        empty.session.go(page)
        empty.session.perform(action.name)
        empty.settle()


def test_before_the_collector_answers_every_page_is_there_and_says_so() -> None:
    stage = Stage(FakeCollector())
    for page in PAGES:
        stage.session.go(page)
        picture = stage.session.picture()
        assert getattr(picture, page) is not None
        assert not picture.frame.connected
        assert picture.frame.status[0].shape == "unknown"
    assert stage.session.picture().frame.time.state == "stale"


def test_exactly_the_page_shown_is_built(demo: Stage) -> None:
    for page in PAGES:
        demo.session.go(page)
        picture = demo.session.picture()
        assert [p for p in PAGES if getattr(picture, p) is not None] == [page]


def test_keys_follow_the_table_and_do_nothing_while_somebody_types(demo: Stage) -> None:
    demo.press("4")
    assert demo.session.page == "alerts"
    assert not demo.session.key("1", typing=True)
    assert not demo.session.key("a", typing=True)
    assert demo.session.page == "alerts"
    assert demo.session.key("ctrl+k", typing=True)
    assert demo.session.picture().palette is not None
    assert demo.session.key("escape", typing=True)
    assert demo.session.picture().palette is None
    assert not demo.session.key("f12")


def test_help_shows_this_pages_keys_first_and_any_key_closes_it(demo: Stage) -> None:
    picture = demo.press("4", "?")
    assert picture.help is not None
    assert picture.help.sections[0][0] in ("Lists", "Alerts")
    everything = [row for _, rows in picture.help.sections for row in rows]
    assert ("A", "Acknowledge", BY_NAME["alert.acknowledge"].help) in everything
    assert demo.press("j").help is None


def test_an_action_that_is_off_says_why_in_a_toast(demo: Stage) -> None:
    assert not demo.session.perform("alert.acknowledge") or demo.session.page == "overview"
    demo.session.go("rules")
    assert not demo.session.perform("alert.acknowledge")
    assert demo.toast == "This belongs to Overview and Alerts."
    assert not demo.session.perform("undo") or demo.toast


def test_nothing_is_built_anew_when_nothing_happened(demo: Stage) -> None:
    assert demo.session.picture() is demo.session.picture()
    before = demo.session.picture()
    demo.session.key("j")
    assert demo.session.picture() is not before


def test_themes_walk_round_and_only_known_names_are_taken(demo: Stage) -> None:
    seen = []
    for _ in THEMES:
        demo.press("ctrl+t")
        seen.append(demo.session.theme)
    assert sorted(seen) == sorted(THEMES)
    demo.session.choose("theme", "mauve")
    assert demo.session.theme in THEMES


# ---------------------------------------------------------------- time


def charts(stage: Stage) -> tuple[ChartView, ...]:
    overview = stage.session.picture().overview
    assert overview is not None
    return overview.charts


def test_a_paused_view_stands_still_while_data_keep_arriving(demo: Stage) -> None:
    demo.press("space")
    before = demo.session.picture()
    newest = demo.mirror.time
    after = demo.tick(30)
    assert demo.mirror.time == newest + 30
    assert before.overview is not None
    assert after.overview is not None
    assert after.frame.time.state == "paused"
    assert after.frame.time.behind == "30 s behind · Space resumes"
    assert [c.revision for c in after.overview.charts] == [c.revision for c in before.overview.charts]
    assert [str(s.value) for s in after.overview.stats[:4]] == [str(s.value) for s in before.overview.stats[:4]]
    assert after.frame.time.clock == before.frame.time.clock
    demo.press("space")
    live = demo.session.picture()
    assert live.frame.time.state == "live"
    assert charts(demo)[0].x[1] == newest + 30


def test_a_view_that_stands_for_longer_than_data_are_kept_still_stands(demo: Stage) -> None:
    demo.press("space")
    before = charts(demo)[0].lines[0].values.copy()
    demo.tick(120)
    demo.session.resize(TERMINAL)
    demo.session.resize(DESKTOP)
    assert np.array_equal(charts(demo)[0].lines[0].values, before, equal_nan=True)


def test_ranges_step_and_say_where_they_end(demo: Stage) -> None:
    demo.press("]")
    assert demo.session.picture().frame.time.range_label == "1 h"
    for _ in range(7):
        demo.session.key("]")
    assert demo.toast == "There are no data for a longer range."
    assert demo.session.picture().frame.time.range_label == "7 d"
    demo.session.choose("range", "5 m")
    assert charts(demo)[0].x[1] - charts(demo)[0].x[0] == 300


def test_one_window_back_pauses_and_the_way_back_is_live(demo: Stage) -> None:
    demo.session.choose("range", "15 m")
    end = charts(demo)[0].x[1]
    demo.press(",")
    assert charts(demo)[0].x[1] == end - 900
    assert demo.session.picture().frame.time.state == "paused"
    demo.press(".")
    assert demo.session.picture().frame.time.state == "live"
    assert not demo.session.perform("time.later")


def test_zooming_a_chart_freezes_it_and_live_returns(demo: Stage) -> None:
    end = charts(demo)[0].x[1]
    demo.session.zoom(end - 400, end - 100)
    demo.tick(20)
    assert charts(demo)[0].x == (end - 400, end - 100)
    assert demo.session.picture().frame.time.state == "paused"
    demo.press("l")
    assert charts(demo)[0].x[1] == end + 20


def test_a_moment_typed_into_the_palette_is_gone_to(demo: Stage) -> None:
    demo.press("ctrl+k")
    demo.session.set_text("palette", "@14:03")
    row = demo.session.picture().palette
    assert row is not None
    assert row.rows[0].title == "Go to 14:03:00"
    demo.session.submit("palette")
    picture = demo.settle()
    assert charts(demo)[0].x[1] == math.floor(demo.fake.now) - 1118
    assert picture.frame.time.state == "rewound"
    demo.session.set_text("goto", "2026-10-02 3:00")
    demo.session.submit("goto")
    assert demo.toast.startswith("Only what came since ")
    demo.session.set_text("goto", "soon")
    demo.session.submit("goto")
    assert "Write a time as" in demo.toast


# ---------------------------------------------------------------- the link


def test_a_lost_link_says_so_keeps_what_is_seen_and_lets_nobody_act(demo: Stage) -> None:
    before = charts(demo)[0].lines[0].values[-2]
    demo.press("4")
    demo.fake.disconnect()
    demo.settle()
    picture = demo.tick(18)
    banner = picture.frame.banner
    assert banner is not None
    assert banner.shape == "unknown"
    assert banner.title == "Lightship is blind: harbour-1 has not answered for 18 s."
    assert banner.detail.startswith("What you see ends at 14:21:3")
    assert banner.action == "connection.retry"
    assert picture.frame.time.state == "stale"
    assert not demo.session.perform("alert.acknowledge")
    assert "is blind" in demo.toast
    demo.press("1")
    chart = charts(demo)[0]
    assert chart.stale
    assert chart.gaps
    assert np.nanmax(chart.lines[0].values) >= before * 0.1
    demo.fake.reconnect()
    demo.settle()
    picture = demo.tick(2)
    assert picture.frame.banner is None
    assert picture.frame.connected
    assert re.fullmatch(r"harbour-1 is back\. \d\d s filled in, (nothing lost|\d s missing)\.", demo.toast)
    assert not charts(demo)[0].stale


def test_retry_asks_at_once(demo: Stage) -> None:
    asked = []
    demo.session.on_retry = lambda: asked.append(1)
    assert not demo.session.perform("connection.retry")
    demo.fake.disconnect()
    demo.settle()
    assert demo.session.perform("connection.retry")
    assert asked == [1]


def test_a_collector_that_only_lets_look_says_so() -> None:
    fake = FakeCollector(read_only=True)
    stage = Stage(fake).start()
    banner = stage.session.picture().frame.banner
    assert banner is not None
    assert banner.title == "You can look but not act here."


def test_dropped_samples_are_a_banner_with_the_number(demo: Stage) -> None:
    demo.fake.figures["points_dropped_total"] = 0.0
    demo.tick(2)
    demo.fake.figures["points_dropped_total"] = 312.0
    banner = demo.tick(1).frame.banner
    assert banner is not None
    assert banner.title == "312 samples dropped in 1 min."
    demo.tick(65)
    assert demo.session.picture().frame.banner is None


def test_newly_firing_alerts_are_told_once_and_old_ones_are_not(demo: Stage) -> None:
    told: list[tuple[str, str, str]] = []
    demo.session.on_notify = lambda title, text, severity: told.append((title, text, severity))
    demo.tick(2)
    assert told == []
    pending = next(a.id for a in demo.mirror.alerts.values() if a.state == "pending")
    demo.fake.book.fire(pending, 900.0)
    demo.tick(3)
    assert [(title, severity) for title, _, severity in told] == [("Queue grows", "warning")]
    assert told[0][1].startswith("events: ")


# ---------------------------------------------------------------- subscriptions


def test_pages_share_subscriptions_and_give_them_up_when_nobody_looks(demo: Stage) -> None:
    held = {s.selector for s in demo.mirror.subscriptions.values()}
    demo.press("2", "1", "2", "1")
    assert held <= {s.selector for s in demo.mirror.subscriptions.values()}
    demo.press("5")
    demo.tick(30)
    left = [s.selector for s in demo.mirror.subscriptions.values()]
    assert len(left) == 1
    assert left[0] not in held


def test_a_restart_of_the_collector_is_no_event_a_user_can_see(demo: Stage) -> None:
    demo.press("4")
    before = demo.session.picture().alerts
    demo.fake.restart()
    demo.settle()
    demo.fake.reconnect()
    after = demo.tick(2).alerts
    assert before is not None
    assert after is not None
    assert [r.id for r in after.rows] == [r.id for r in before.rows]
    assert demo.session.picture().frame.banner is None


def test_requests_carry_the_name_of_who_acts(demo: Stage) -> None:
    demo.press("4", "a")
    assert isinstance(demo.sent[-1], m.Acknowledge)
    assert demo.sent[-1].who == "Mira"


def test_drafts_survive_a_restart_of_the_user_interface(demo: Stage) -> None:
    demo.press("4", "s")
    demo.session.set_text("silence.reason", "rolling back")
    again = Stage(demo.fake, drafts=demo.drafts).start()
    again.session.go("alerts")
    draft = again.session.picture().alerts
    assert draft is not None
    assert draft.draft is not None
    assert draft.draft.reason == "rolling back"
    assert isinstance(again.drafts, MemoryDrafts)


def test_quit_and_urls_are_the_painters(demo: Stage) -> None:
    done: list[str] = []
    demo.session.on_quit = lambda: done.append("quit")
    demo.session.on_open_url = done.append
    demo.session.on_copy = done.append
    demo.press("q")
    demo.session.copy("echo")
    demo.press("4", "r")
    assert done == ["quit", "echo", "https://wiki.example.net/slow"]


def test_the_quiet_sentence_has_the_numbers(empty: Stage) -> None:
    overview = empty.session.picture().overview
    assert overview is not None
    assert overview.headline is None
    assert overview.quiet == "Nothing is firing. There are no rules yet: press 5, then N."
    assert words(overview.cores_title) == ""
