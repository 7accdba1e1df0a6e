"""Time control, strips, drafts on disk, palette and help."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from monitor.alerting.model import Alert, Firing, State
from tests.ui.views.conftest import Stage
from ui.views.actions import ACTIONS
from ui.views.drafts import Desk, Drafts, FileDrafts, MemoryDrafts, RuleDraft, SilenceDraft
from ui.views.help import help_view, key_words
from ui.views.strips import day_strip, firing_strip, merged_strip
from ui.views.timecontrol import LEAST, TimeControl

NOW = 1_700_000_000.0
HOUR = 3600.0


def alert(*firings: Firing, **more: object) -> Alert:
    base = Alert("a", "rule", (), "critical", State.FIRING, NOW - 60, 5.0, 1.0, firings=firings)
    return msgspec.structs.replace(base, **more)


# ---------------------------------------------------------------- strips


def test_a_strip_has_a_block_an_hour_with_the_gravest_state() -> None:
    strip = firing_strip(alert(Firing(NOW - 5 * HOUR, NOW - 4.9 * HOUR, "warning"), Firing(NOW - 60, None, "critical")), NOW)
    assert len(strip) == 24
    assert strip[-1] == "critical"
    assert strip.count("warning") in (1, 2)
    assert strip[0] is None


def test_hours_in_which_nobody_was_told_are_hatched() -> None:
    long = alert(Firing(NOW - 40 * HOUR, None, "info"))
    strip = firing_strip(long, NOW, silenced_from=NOW - 3 * HOUR)
    assert strip[-1] == strip[-4] == "silenced"
    assert strip[0] == "info"


def test_no_data_now_is_its_own_block() -> None:
    assert firing_strip(alert(Firing(NOW - 60, None, "warning"), no_data=True), NOW)[-1] == "unknown"


def test_a_days_strip_takes_the_gravest_of_all() -> None:
    alerts = [
        alert(Firing(NOW - 60, None, "info")),
        alert(Firing(NOW - 60, None, "critical")),
        alert(Firing(NOW - 9 * HOUR, NOW - 8.9 * HOUR, "info")),
    ]
    strip = day_strip(alerts, NOW, NOW)
    assert strip[-1] == "critical"
    assert strip.count("info") == 1
    assert merged_strip(alerts, NOW)[-1] == "critical"
    assert day_strip([], NOW, NOW) == (None,) * 48
    known = day_strip(alerts[:1], NOW + 2 * HOUR, NOW)
    assert known[-1] is None
    assert known[-5] == "info"


def test_times_no_calendar_has_do_no_harm() -> None:
    assert firing_strip(alert(Firing(float("nan"), None, "info"), Firing(-1e300, 1e300, "info")), NOW)


# ---------------------------------------------------------------- time control


def test_zoom_never_goes_closer_than_ten_seconds_and_out_again() -> None:
    time = TimeControl()
    for _ in range(40):
        time.zoom_by(0.5, None, NOW, HOUR)
    start, end = time.span(NOW)
    assert end - start == pytest.approx(LEAST)
    assert not time.zoom_by(0.5, None, NOW, HOUR)
    for _ in range(20):
        time.zoom_by(2.0, None, NOW, HOUR)
    assert time.zoomed is None


def test_a_zoom_drawn_backwards_is_the_same_zoom() -> None:
    time = TimeControl()
    time.zoom(NOW, NOW - 100, NOW)
    assert time.span(NOW) == (NOW - 100, NOW)
    assert time.paused


def test_behind_says_how_far_and_which_key_returns() -> None:
    time = TimeControl()
    assert time.behind(NOW) == ""
    time.pause(NOW - 94)
    assert time.behind(NOW) == "1 min 34 s behind · Space resumes"
    time.end = NOW - 2 * HOUR
    assert time.behind(NOW) == "2 h ago · L goes live"


# ---------------------------------------------------------------- drafts


def test_drafts_outlive_the_program_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "drafts.json"
    desk = Desk(FileDrafts(path))
    desk.silence = SilenceDraft("service=api", "45m", "why not")
    desk.put_rule(RuleDraft("a.toml", "new", "old", 3, 7))
    again = Desk(FileDrafts(path))
    assert again.silence == SilenceDraft("service=api", "45m", "why not")
    assert again.rule("a.toml") == RuleDraft("a.toml", "new", "old", 3, 7)
    again.silence = None
    again.drop_rule("a.toml")
    assert FileDrafts(path).load() == Drafts()
    assert [p.name for p in path.parent.iterdir()] == ["drafts.json"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"silence": 3}', b"\xff\xfe", b'{"rules": {"a": {}}}'])
def test_a_broken_draft_file_is_no_reason_not_to_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "drafts.json"
    path.write_bytes(content)
    assert FileDrafts(path).load() == Drafts()


def test_a_file_that_cannot_be_written_is_said_and_nothing_else_happens(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = FileDrafts(tmp_path / "file" / "drafts.json")
    Desk(store).silence = SilenceDraft("a=b")
    assert store.problem.startswith("Drafts are not kept")


def test_the_number_of_rule_drafts_is_bounded() -> None:
    desk = Desk(MemoryDrafts())
    for i in range(40):
        desk.put_rule(RuleDraft(f"{i}.toml", "a", "b", 0))
    assert len(desk.rules) == 32
    assert desk.rule("0.toml") is None
    assert desk.rule("39.toml") is not None


# ---------------------------------------------------------------- palette and help


def test_the_palette_finds_actions_alerts_rules_and_series_by_words_in_any_order(demo: Stage) -> None:
    demo.press("ctrl+k")
    for text, target in (
        ("live go", "action:time.live"),
        ("fails checkout orders", "alert:"),
        ("memory nearly", "rule:memory_full"),
        ("latency cart", "series:"),
        ("counter cart", "series:"),
        ("sil ord", "silence:"),
        ("orders ack", "acknowledge:"),
    ):
        demo.session.set_text("palette", text)
        palette = demo.session.picture().palette
        assert palette is not None
        assert any(row.target.startswith(target) for row in palette.rows), (text, [row.target for row in palette.rows])


def test_an_alert_is_silenced_straight_from_the_palette(demo: Stage) -> None:
    demo.press("2", "ctrl+k")
    demo.session.set_text("palette", "sil slow orders-db")
    palette = demo.session.picture().palette
    assert palette is not None
    row = palette.rows[0]
    assert row.title.startswith("Silence ")
    demo.press("enter")
    assert demo.session.page == "alerts"
    draft = demo.session.ctx.desk.silence
    assert draft is not None
    assert f"silence:{draft.alerts[0]}" == row.target


def test_what_is_off_is_shown_with_the_reason(demo: Stage) -> None:
    demo.press("ctrl+k")
    demo.session.set_text("palette", "undo")
    palette = demo.session.picture().palette
    assert palette is not None
    row = next(r for r in palette.rows if r.target == "action:undo")
    assert not row.enabled
    assert row.detail == "There is nothing to undo."


def test_the_palette_leads_where_it_says(demo: Stage) -> None:
    demo.press("ctrl+k")
    demo.session.set_text("palette", "latency service=cart")
    demo.press("down", "up", "enter")
    explore = demo.settle().explore
    assert explore is not None
    assert [row.tags for row in explore.picked] == ["service=cart, env=prod"]
    demo.press("ctrl+k")
    demo.session.set_text("palette", "memory nearly")
    demo.session.open("palette", 0)
    assert demo.session.page == "rules"


def test_help_has_every_key_of_the_page_and_none_of_the_others() -> None:
    for page in ("overview", "explore", "alerts", "rules"):
        rows = {row[1] for _, section in help_view(page).sections for row in section}
        assert rows == {a.title for a in ACTIONS if a.keys and (not a.pages or page in a.pages)}


def test_keys_are_written_as_people_know_them() -> None:
    assert [key_words(k) for k in ("ctrl+k", "shift+x", "space", "a", "?", "pagedown", "alt+enter")] == [
        "Ctrl K",
        "Shift X",
        "Space",
        "A",
        "?",
        "PgDn",
        "Alt Enter",
    ]


def test_no_key_means_two_things_on_one_page() -> None:
    for page in ("overview", "explore", "alerts", "rules"):
        own = [k for a in ACTIONS if page in a.pages for k in a.keys]
        assert len(own) == len(set(own)), page
    general = [k for a in ACTIONS if not a.pages for k in a.keys]
    assert len(general) == len(set(general))
