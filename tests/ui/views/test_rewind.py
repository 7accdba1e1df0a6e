"""The past looked at: everything on the page is of that moment, nothing can be done, and the way back is one key."""

from __future__ import annotations

import math

import pytest

from monitor.alerting.model import State
from tests.ui.views.conftest import Stage, words
from ui.client.fake import FakeCollector
from ui.views.moments import moment_of, stretch_of
from ui.views.view import TimeView

HOUR, DAY = 3600.0, 86_400.0


def back(stage: Stage, seconds: float) -> float:
    """Rewinds by so many seconds; the moment that is shown then."""
    at = math.floor(stage.fake.now - seconds)
    stage.session.rewind(at)
    stage.settle()
    return float(at)


def bar(stage: Stage) -> TimeView:
    return stage.session.picture().frame.time


def chart_ends(stage: Stage) -> list[float]:
    overview = stage.session.picture().overview
    assert overview is not None
    return [float(line.times[-1]) for chart in overview.charts for line in chart.lines if len(line.times)]


# ---------------------------------------------------------------- going there and back


def test_a_moment_of_the_past_frames_the_page_and_names_the_way_back(demo: Stage) -> None:
    back(demo, 10 * HOUR + 50 * 60)
    picture = demo.session.picture()
    time = picture.frame.time
    assert (time.state, time.clock, time.progress) == ("rewound", "03:31:38", None)
    assert time.behind == "10 h 50 min ago · L goes live"
    banner = picture.frame.banner
    assert banner is not None
    assert banner.title == "You are looking at 03:31:38, 10 h 50 min ago."
    assert (banner.tone, banner.action, banner.label) == ("accent", "time.live", "Go live")
    assert picture.frame.subtitle == "as of 03:31"


def test_charts_and_figures_end_at_the_moment(demo: Stage) -> None:
    at = back(demo, 10 * HOUR)
    overview = demo.session.picture().overview
    assert overview is not None
    assert {chart.x for chart in overview.charts} == {(at - 1800.0, at)}
    assert all(at - 3 <= end <= at for end in chart_ends(demo))
    assert all(stat.value.number != "no data" for stat in overview.stats[:4])


def test_alerts_are_shown_as_they_stood(demo: Stage) -> None:
    live = {alert.id for alert in demo.session.ctx.book.firing}
    back(demo, 10 * HOUR - 5 * 60)
    demo.press("4")
    firing = demo.session.ctx.book.firing
    assert firing
    assert {alert.id for alert in firing} != live
    moment = demo.session.ctx.present()
    assert all((alert.fired_at or 0.0) <= moment for alert in firing)
    assert all(alert.state is State.FIRING for alert in firing)


def test_nothing_can_be_done_in_the_past_and_the_sentence_says_why(demo: Stage) -> None:
    back(demo, 10 * HOUR - 5 * 60)
    demo.press("4")
    assert demo.session.enabled("alert.acknowledge") == (False, "You are looking at 04:26. Go live to act.")
    assert not demo.session.perform("alert.silence")
    assert demo.toast == "You are looking at 04:26. Go live to act."
    assert not demo.sent


@pytest.mark.parametrize("page", ["1", "2", "4", "5"])
def test_the_page_stays_where_it_was_there_and_back(demo: Stage, page: str) -> None:
    demo.press(page)
    shown = demo.session.page
    back(demo, 5 * HOUR)
    assert demo.session.page == shown
    demo.press("l")
    assert demo.session.page == shown
    assert bar(demo).state == "live"


def test_live_is_one_key_away_and_was_never_given_up(demo: Stage) -> None:
    back(demo, 5 * HOUR)
    demo.tick(30)
    picture = demo.press("l")
    assert picture.frame.time.state == "live"
    assert picture.frame.banner is None
    assert max(chart_ends(demo)) >= math.floor(demo.fake.now) - 2
    assert not demo.fake.pasts


def test_new_alerts_are_counted_and_told_while_one_looks_back(demo: Stage) -> None:
    told: list[str] = []
    demo.session.on_notify = lambda title, text, severity: told.append(title)
    back(demo, 5 * HOUR)
    quiet = demo.session.picture().frame
    assert "since you went back" not in (quiet.banner.detail if quiet.banner else "")
    demo.tick(1)
    resolved = next(a for a in demo.fake.book.alerts.values() if a.state is State.RESOLVED)
    demo.fake.book.fire(resolved.id, 9.0)
    demo.tick(2)
    frame = demo.session.picture().frame
    assert frame.banner is not None
    assert "1 alert began to fire since you went back." in frame.banner.detail
    assert frame.title.startswith("(")
    assert len(told) == 1


def test_a_lost_link_is_graver_than_the_past(demo: Stage) -> None:
    back(demo, 5 * HOUR)
    demo.fake.disconnect()
    demo.settle()
    banner = demo.session.picture().frame.banner
    assert banner is not None
    assert banner.title.startswith("Lightship is blind")


# ---------------------------------------------------------------- while it is built


def test_while_the_past_is_built_the_page_stays_and_the_bar_says_where_it_goes(demo: Stage) -> None:
    demo.tick(2)
    demo.fake.past_delay = 3
    before = demo.session.picture().overview
    back(demo, 10 * HOUR + 50 * 60)
    time = bar(demo)
    assert (time.state, time.progress, time.awaited) == ("live", 0.0, "Going to 03:31 …")
    assert before is not None
    demo.tick(1)
    now = demo.session.picture().overview
    assert now is not None
    assert now.charts[0].x[1] > demo.fake.now - 5
    demo.tick(4)
    demo.settle()
    assert bar(demo).progress is None
    assert chart_ends(demo)[0] < demo.fake.now - 10 * HOUR


def test_escape_gives_up_a_moment_that_is_not_there_yet(demo: Stage) -> None:
    demo.fake.past_delay = 100
    back(demo, 10 * HOUR)
    demo.press("escape")
    assert bar(demo).state == "live"
    assert not demo.fake.pasts


def test_the_page_never_blinks_on_the_way(demo: Stage) -> None:
    demo.tick(2)
    at = math.floor(demo.fake.now - 3 * HOUR)
    demo.session.rewind(at)
    for _ in range(6):
        demo.session.changed(set(demo.fake.pump(demo.mirror)))
        demo.session.pump()
        overview = demo.session.picture().overview
        assert overview is not None
        assert all(chart.lines and len(chart.lines[0].times) for chart in overview.charts)
    assert bar(demo).clock == demo.session.ctx.words.clock(at)


def test_where_nothing_is_kept_that_is_said(demo: Stage) -> None:
    back(demo, 4 * DAY)
    assert demo.toast.startswith("Nothing is kept before ")
    assert bar(demo).state == "live"


def test_without_a_history_the_collectors_reason_is_told() -> None:
    stage = Stage(FakeCollector(now=1_000_000.0))
    stage.fake.gauge("room.warmth", lambda times: times * 0.0 + 20.0)
    stage.start()
    stage.fake.kept_since = stage.fake.now
    back(stage, 600)
    assert stage.toast == "Nothing is kept of that moment."
    assert bar(stage).state == "live"


def test_one_that_the_collector_lets_go_is_live_again(demo: Stage) -> None:
    back(demo, 5 * HOUR)
    for past in demo.fake.pasts:
        past.let_go("nobody had asked anything for 30 min")
    demo.settle()
    assert bar(demo).state == "live"
    assert demo.toast == "Live again: nobody had asked anything for 30 min."


# ---------------------------------------------------------------- playing


def test_space_plays_on_from_there_and_stands_again(demo: Stage) -> None:
    at = back(demo, 5 * HOUR)
    demo.tick(5)
    assert demo.session.ctx.present() == at
    demo.press("space")
    demo.tick(10)
    assert demo.session.ctx.present() == at + 10
    assert (bar(demo).playing, bar(demo).speed) == (True, "1x")
    demo.press("space")
    demo.tick(5)
    assert demo.session.ctx.present() == at + 10
    assert not bar(demo).playing


def test_it_plays_faster_and_slower(demo: Stage) -> None:
    at = back(demo, 5 * HOUR)
    demo.press("space", ">", ">")
    assert bar(demo).speed == "5x"
    demo.tick(4)
    assert demo.session.ctx.present() == at + 20
    for _ in range(5):
        demo.session.key(">")
    assert demo.toast == "It plays no faster."
    demo.session.choose("speed", "10x")
    demo.tick(1)
    assert demo.session.ctx.present() == at + 30
    assert chart_ends(demo)[0] >= at + 28


def test_lines_have_no_holes_at_any_speed(demo: Stage) -> None:
    back(demo, 5 * HOUR)
    demo.session.choose("speed", "60x")
    demo.press("space")
    demo.tick(20)
    overview = demo.session.picture().overview
    assert overview is not None
    assert not any(chart.gaps for chart in overview.charts)


def test_alerts_begin_and_end_as_it_plays(demo: Stage) -> None:
    ended = next(a for a in demo.fake.book.alerts.values() if a.state is State.RESOLVED and a.resolved_at)
    firing = ended.firings[-1]
    back(demo, demo.fake.now - firing.start + 5)
    assert ended.id not in {a.id for a in demo.session.ctx.book.firing}
    demo.session.choose("speed", "10x")
    demo.press("space")
    demo.tick(3)
    assert ended.id in {a.id for a in demo.session.ctx.book.firing}


def test_playing_into_the_present_is_live_again(demo: Stage) -> None:
    back(demo, 30)
    demo.session.choose("speed", "10x")
    demo.press("space")
    demo.tick(6)
    assert bar(demo).state == "live"
    assert demo.toast == "This is the present: live again."


def test_speed_has_no_meaning_while_it_is_live(demo: Stage) -> None:
    assert not demo.session.perform("time.faster")
    assert "it plays only in the past" in demo.toast


# ---------------------------------------------------------------- windows, moments and stretches


def test_one_window_back_goes_beyond_the_hour_at_hand_and_forward_to_the_present(demo: Stage) -> None:
    demo.press(",")
    assert bar(demo).state == "paused"
    demo.press(",", ",")
    assert bar(demo).state == "rewound"
    there = demo.session.ctx.present()
    demo.press(",")
    assert demo.session.ctx.present() == there - 1800
    demo.press(".")
    assert demo.session.ctx.present() == there
    demo.press(".", ".", ".")
    assert bar(demo).state == "live"


def test_zooming_in_the_past_stands_still_in_it(demo: Stage) -> None:
    at = back(demo, 5 * HOUR)
    demo.press("space")
    demo.session.zoom(at - 600, at - 300)
    demo.tick(5)
    overview = demo.session.picture().overview
    assert overview is not None
    assert overview.charts[0].x == (at - 600, at - 300)
    assert (bar(demo).state, bar(demo).playing) == ("rewound", False)
    demo.press("escape")
    assert bar(demo).state == "rewound"
    assert demo.session.picture().overview.charts[0].x[1] == demo.session.ctx.present()  # type: ignore[union-attr]


def test_the_at_key_asks_for_a_time(demo: Stage) -> None:
    demo.press("@")
    palette = demo.session.picture().palette
    assert palette is not None
    assert [row.title for row in palette.rows][:2] == ["-1h", "-6h"]
    demo.session.set_text("palette", "@03:30")
    palette = demo.session.picture().palette
    assert palette is not None
    assert [(row.title, row.detail) for row in palette.rows] == [("Go to 03:30:00", "Rewind: everything as it was then")]
    demo.session.submit("palette")
    demo.settle()
    assert bar(demo).clock == "03:30:00"


def test_a_stretch_is_looked_at_as_it_was_at_its_end(demo: Stage) -> None:
    demo.session.key("@")
    demo.session.set_text("palette", "@03:00-03:20")
    demo.session.submit("palette")
    demo.settle()
    start, end = demo.session.ctx.span()
    assert end - start == 1200
    assert bar(demo).clock == "03:20:00"
    assert bar(demo).range_label == "20 m"


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("@03:30", 10 * HOUR + 51 * 60 + 36),
        ("14:05:10", 16 * 60 + 26),
        ("@9am", 5 * HOUR + 21 * 60 + 36),
        ("9:30 pm", 16 * HOUR + 51 * 60 + 36),
        ("yesterday 14:21", DAY + 36),
        ("tue 14:21", DAY + 36),
        ("wed 14:22", 7 * DAY - 24),
        ("2026-10-13 14:21:36", DAY),
        ("2026-10-14", 14 * HOUR + 21 * 60 + 36),
        ("-2h", 2 * HOUR),
        ("@-90m", 1.5 * HOUR),
    ],
)
def test_moments_as_people_write_them(text: str, ago: float) -> None:
    demo = Stage(FakeCollector.demo())
    demo.fake.start()
    demo.settle()
    ctx = demo.session.ctx
    assert moment_of(text, ctx) == pytest.approx(ctx.live_present() - ago, abs=1)


@pytest.mark.parametrize("text", ["", "@", "25:00", "soon", "12", "13pm", "2026-13-01 10:00", "shop 14:00", "-", "-x", "24:61"])
def test_other_texts_are_no_moments(demo: Stage, text: str) -> None:
    assert moment_of(text, demo.session.ctx) is None


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("09:00-10:30", 5400),
        ("@9:00 to 10:00", HOUR),
        ("-2h to -1h", HOUR),
        ("23:30–00:30", HOUR),
        ("2026-10-13 14:00 - 15:00", HOUR),
    ],
)
def test_stretches_as_people_write_them(demo: Stage, text: str, length: float) -> None:
    found = stretch_of(text, demo.session.ctx)
    assert found is not None
    assert found[1] - found[0] == length
    assert stretch_of("10:00", demo.session.ctx) is None


# ---------------------------------------------------------------- the strip and long ranges


def test_the_strip_is_a_day_with_load_alerts_and_changes(demo: Stage) -> None:
    demo.settle()
    time = bar(demo)
    assert len(time.strip) == 48
    assert time.load == "CPU busy"
    assert sum(load > 0.2 for _, load in time.strip) > 40
    assert any(shape == "critical" for shape, _ in time.strip)
    assert time.changes
    assert all(time.day[0] <= at <= time.day[1] for at, _ in time.changes)
    assert time.day[1] - time.day[0] == DAY


def test_the_strip_shows_which_part_of_it_is_looked_at(demo: Stage) -> None:
    at = back(demo, 5 * HOUR)
    time = bar(demo)
    assert time.window == (at - 1800, at)
    assert time.day[0] < at < demo.fake.now <= time.day[1] + 1800


def test_more_than_a_day_back_the_strip_goes_along(demo: Stage) -> None:
    at = back(demo, 2 * DAY)
    demo.settle()
    time = bar(demo)
    assert time.day[0] < at < time.day[1] < demo.fake.now
    assert sum(load > 0.2 for _, load in time.strip) > 40


def test_long_ranges_are_drawn_from_history_and_say_how_finely(demo: Stage) -> None:
    demo.session.choose("range", "24 h")
    demo.settle()
    overview = demo.session.picture().overview
    assert overview is not None
    line = overview.charts[0].lines[0]
    assert line.times[0] < demo.fake.now - 0.95 * DAY
    assert line.times[-1] >= demo.fake.now - 80
    assert any(item.text == "a point each 1 min 20 s" for item in demo.session.picture().frame.status)
    demo.tick(100)
    overview = demo.session.picture().overview
    assert overview is not None
    again = overview.charts[0].lines[0]
    assert again.times[-1] == demo.fake.now
    assert len(again.times) < len(line.times) + 5


@pytest.mark.parametrize("hours", [0.0, 30.0], ids=["live", "rewound"])
def test_zooming_into_a_long_range_shows_more_of_it(demo: Stage, hours: float) -> None:
    if hours:
        back(demo, hours * HOUR)
    demo.session.choose("range", "24 h")
    demo.settle()
    end = demo.session.ctx.present() - 5 * HOUR
    demo.session.zoom(end - 1200, end)
    demo.settle()
    overview = demo.session.picture().overview
    assert overview is not None
    line = overview.charts[0].lines[0]
    assert len(line.times) > 500
    assert end - 1200 <= line.times[0]
    assert line.times[-1] <= end
    demo.press("escape")
    overview = demo.session.picture().overview
    assert overview is not None
    assert overview.charts[0].lines[0].times[0] < end - 10 * HOUR


def test_changing_the_range_keeps_the_lines_until_the_longer_past_is_there(demo: Stage) -> None:
    demo.tick(1)
    demo.session.choose("range", "24 h")
    overview = demo.session.picture().overview
    assert overview is not None
    assert len(overview.charts[0].lines[0].times)


def test_ranges_are_offered_as_far_as_there_are_data(demo: Stage) -> None:
    assert bar(demo).ranges == ("5 m", "15 m", "30 m", "1 h", "3 h", "6 h", "12 h", "24 h", "2 d", "7 d")
    assert bar(demo).usual == ("5 m", "30 m", "1 h", "6 h", "24 h", "7 d")
    young = Stage(FakeCollector(now=1_000_000.0)).start()
    assert bar(young).ranges == ("5 m", "15 m", "30 m", "1 h")


def test_explore_and_rules_are_of_the_moment_too(demo: Stage) -> None:
    back(demo, 5 * HOUR)
    demo.press("2")
    explore = demo.session.picture().explore
    assert explore is not None
    assert explore.results
    demo.press("5")
    rules = demo.session.picture().rules
    assert rules is not None
    assert rules.rows
    assert "as of" in demo.session.picture().frame.subtitle


def test_a_sentence_of_the_past_speaks_of_the_past(demo: Stage) -> None:
    back(demo, 5 * HOUR)
    overview = demo.session.picture().overview
    assert overview is not None
    assert words(overview.charts[0].sentence)
