from __future__ import annotations

import msgspec
import pytest

from monitor.alerting.model import State
from monitor.model.matchers import parse_matchers
from monitor.wire import messages as m
from tests.ui.views.conftest import Stage, words
from ui.views import silencedraft
from ui.views.alertbook import GRAVITY
from ui.views.alertdetail import onset_span
from ui.views.view import AlertsView, SilenceDraftView


def view(stage: Stage) -> AlertsView:
    stage.session.go("alerts")
    alerts = stage.session.picture().alerts
    assert alerts is not None
    return alerts


def draft(stage: Stage) -> SilenceDraftView:
    found = view(stage).draft
    assert found is not None
    return found


@pytest.fixture
def console(demo: Stage) -> Stage:
    demo.press("4")
    demo.tick(2)
    return demo


def test_groups_carry_their_counts_and_the_gravest_and_newest_comes_first(console: Stage) -> None:
    alerts = view(console)
    assert alerts.groups == (("Firing", 7), ("Pending", 1), ("Silenced", 2), ("Resolved", 2), ("Silences", 3))
    found = [console.mirror.alerts[r.id] for r in alerts.rows]
    assert found == sorted(found, key=lambda a: (GRAVITY[a.severity], -a.since))
    assert alerts.rows[0].name == "Requests are slow"
    assert alerts.rows[0].where == "payments, prod"
    assert str(alerts.rows[0].value) == "1.15 s"
    assert alerts.rows[0].limit.replace("\u202f", " ") == "above 1 s"
    assert alerts.rows[0].age == "11 min"
    assert next(r for r in alerts.rows if r.shape == "unknown").value.number == "no data"


def test_the_detail_follows_the_cursor_with_chart_threshold_and_reasons(console: Stage) -> None:
    detail = view(console).detail
    assert detail is not None
    assert detail.title == "Requests are slow"
    assert detail.chart.threshold[0].label.replace("\u202f", " ") == "limit 1 s for 1 min"
    assert words(detail.sentence).startswith("1.15 s; above the 1 s limit for ")
    assert detail.chart.x[0] <= console.fake.now - 660 - 590
    assert any(marker.label == "fired" for marker in detail.chart.markers)
    assert [row.shape for row in detail.why] == ["ok"] * 6
    assert detail.runbook_url == "https://wiki.example.net/slow"
    before = detail.id
    console.press("j")
    after = view(console).detail
    assert after is not None
    assert after.id != before


def test_history_and_owner_are_in_the_detail(console: Stage) -> None:
    for _ in range(4):
        console.press("j")
    detail = view(console).detail
    assert detail is not None
    assert "Mira has it until 15:09: “Mine. Telling support.”" in detail.subtitle
    assert [words(row.text) for row in detail.history][:2] == [
        "Jonas: Rolling back. Migration locks order_lines.",
        "Mira acknowledged slow_latency",
    ]


def test_why_says_what_kept_it_back_and_what_changes_that(console: Stage) -> None:
    console.session.choose("group", "Pending")
    detail = view(console).detail
    assert detail is not None
    stopped = next(row for row in detail.why if row.shape == "warning")
    assert stopped.action == "alert.rule"
    assert [row.shape for row in detail.why[2:]] == ["pending"] * 4
    console.press("w")
    hidden = view(console).detail
    assert hidden is not None
    assert hidden.why == ()


# ---------------------------------------------------------------- marks and acts


def test_three_marked_alerts_are_acknowledged_at_once_and_it_can_be_undone(console: Stage) -> None:
    console.press("x", "x", "x")
    assert view(console).marked == 3
    console.press("a")
    request = console.sent[-1]
    assert isinstance(request, m.Acknowledge)
    assert len(request.alerts) == 3
    assert request.expires == pytest.approx(console.fake.now + 3600, abs=2)
    assert console.toast == "3 alerts acknowledged until 15:21. The others see your name."
    console.tick()
    assert sum(r.acked_by == "Mira" for r in view(console).rows) == 4
    console.press("ctrl+z")
    console.tick()
    assert isinstance(console.sent[-1], m.Release)
    assert sum(bool(r.acked_by) for r in view(console).rows) == 1


def test_acknowledging_again_releases(console: Stage) -> None:
    console.press("a")
    console.tick()
    assert view(console).rows[0].acked_by == "Mira"
    console.press("a")
    assert console.toast == "Alert released: nobody has it now."


def test_marks_go_by_the_alert_and_escape_clears_them(console: Stage) -> None:
    console.press("x")
    marked = [r.id for r in view(console).rows if r.marked]
    console.press("o")
    assert [r.id for r in view(console).rows if r.marked] == marked
    console.press("ctrl+a")
    assert view(console).marked == 7
    console.press("escape", "escape")
    assert view(console).marked == 0


def test_a_range_is_marked_from_the_last_mark(console: Stage) -> None:
    console.press("x", "j", "j", "shift+x")
    assert [r.marked for r in view(console).rows] == [True, True, True, True, False, False, False]


# ---------------------------------------------------------------- order


def test_rows_keep_their_place_while_somebody_reads(console: Stage) -> None:
    before = [r.id for r in view(console).rows]
    console.session.hovering = True
    pending = console.mirror.alerts[next(a.id for a in console.mirror.alerts.values() if a.state is State.PENDING)]
    console.fake.book.put(msgspec.structs.replace(pending, severity="critical"))
    console.fake.book.fire(pending.id, 900.0)
    console.tick(2)
    alerts = view(console)
    assert [r.id for r in alerts.rows] == before
    assert alerts.new_above == 1
    console.press("home")
    assert view(console).rows[0].id == pending.id
    assert view(console).cursor == 0
    assert view(console).new_above == 0


def test_the_cursor_stays_on_its_alert_when_the_order_changes(console: Stage) -> None:
    console.press("j", "j")
    chosen = view(console).rows[view(console).cursor].id
    console.press("o", "o")
    alerts = view(console)
    assert alerts.sort == "name"
    assert alerts.rows[alerts.cursor].id == chosen
    names = [r.name.lower() for r in alerts.rows]
    assert names == sorted(names)


def test_an_alert_that_resolves_while_it_is_read_stays_until_the_reader_leaves(console: Stage) -> None:
    first = view(console).rows[0].id
    console.session.hovering = True
    console.fake.book.resolve(first, 0.1)
    console.tick()
    row = view(console).rows[0]
    assert (row.id, row.shape, row.state) == (first, "ok", "resolved")
    console.session.hovering = False
    console.tick(12)
    assert first not in [r.id for r in view(console).rows]


# ---------------------------------------------------------------- filter


def test_the_filter_narrows_and_its_errors_have_a_column(console: Stage) -> None:
    console.press("/")
    assert console.session.picture().frame.focus == "filter"
    console.session.set_text("filter", "severity:warning edge")
    assert [r.name for r in view(console).rows] == ["Error ratio"]
    console.session.set_text("filter", "severity:warning edge service=~(")
    assert [r.name for r in view(console).rows] == ["Error ratio"]
    assert view(console).filter_error.startswith("Column 32: ")
    console.session.set_text("filter", "nothing-like-it")
    assert view(console).empty == "No alert here matches nothing-like-it."
    console.press("escape", "escape")
    assert len(view(console).rows) == 7


@pytest.mark.parametrize(
    ("text", "count"),
    [("-checkout", 4), ("service=orders", 1), ("owner:mira", 1), ("rule=checkout_fails", 2), ("env=prod slow", 2)],
)
def test_words_and_keys_find_alerts(console: Stage, text: str, count: int) -> None:
    console.session.set_text("filter", text)
    found = view(console)
    assert len(found.rows) == count, [r.name for r in found.rows]


# ---------------------------------------------------------------- silences


def test_a_silence_is_previewed_saved_said_and_undone(console: Stage) -> None:
    console.session.set_text("filter", "checkout_fails")
    console.press("ctrl+a", "s")
    console.session.set_text("silence.duration", "45m")
    found = draft(console)
    assert found.matchers == 'alertname="checkout_fails", env="prod", service=~"checkout|orders"'
    assert found.until == "until 15:06"
    assert found.preview_title == "Silences 2 alerts firing now, and 1 of 11 rules could match."
    assert [r.where for r in found.preview] == ["orders, prod", "checkout, prod"]
    assert found.button == "Silence 2 alerts"
    assert found.error == "Say why: the others will read it."
    assert not console.sent
    console.session.set_text("silence.reason", "rollback of 2.31.0 in progress")
    assert draft(console).error == ""
    console.press("ctrl+s")
    request = console.sent[-1]
    assert isinstance(request, m.AddSilence)
    assert request.comment == "rollback of 2.31.0 in progress"
    assert request.ends == pytest.approx(console.fake.now + 2700, abs=2)
    assert console.toast == "2 alerts silenced until 15:06."
    assert view(console).draft is None
    console.session.set_text("filter", "")
    console.tick()
    assert dict(view(console).groups)["Silenced"] == 4
    console.press("ctrl+z")
    console.tick()
    assert dict(view(console).groups)["Silenced"] == 2


def test_a_silence_that_matches_nothing_says_that_it_will_still_hold(console: Stage) -> None:
    console.press("s")
    console.session.set_text("silence.matchers", "service=warehouse")
    found = draft(console)
    assert found.preview_title.startswith("Matches nothing now. It will still hold for new alerts.")
    assert found.button == "Silence"
    assert found.preview == ()


@pytest.mark.parametrize(
    ("field", "text", "error"),
    [
        ("silence.matchers", "service=~(", "Matches, column 10: not a valid pattern"),
        ("silence.matchers", "", "Say what it matches"),
        ("silence.matchers", 'service=~".*"', "This would match everything."),
        ("silence.duration", "soon", "For: write how long: 45m, 2h, 1d or until 15:06."),
        ("silence.duration", "10s", "For: a silence lasts a minute at least."),
        ("silence.duration", "until 25:00", "For: 25:00 is not a time of day."),
    ],
)
def test_what_is_in_the_way_of_a_silence_is_said(console: Stage, field: str, text: str, error: str) -> None:
    console.press("s")
    console.session.set_text("silence.reason", "because")
    console.session.set_text(field, text)
    assert draft(console).error.startswith(error)
    console.session.submit("silence.reason")
    assert not any(isinstance(r, m.AddSilence) for r in console.sent)


@pytest.mark.parametrize(
    ("text", "until"),
    [("2h", "until 16:21"), ("until 15:06", "until 15:06"), ("14:00", "until Thu 14:00"), ("1 h 30 min", "until 15:51")],
)
def test_the_end_of_a_silence_is_written_in_many_ways(console: Stage, text: str, until: str) -> None:
    console.press("s")
    console.session.set_text("silence.duration", text)
    assert draft(console).until == until


def test_a_draft_survives_page_changes_data_and_a_lost_link(console: Stage) -> None:
    console.press("s")
    console.session.set_text("silence.reason", "rolling back")
    console.session.set_flag("silence.end_when_resolved", True)
    console.press("escape", "1", "2", "4")
    console.fake.disconnect()
    console.settle()
    console.tick(5)
    found = draft(console)
    assert found.reason == "rolling back"
    assert found.end_when_resolved
    assert not console.session.perform("draft.save")
    assert "is blind" in console.toast
    console.fake.reconnect()
    console.settle()
    assert console.session.perform("draft.save")
    console.tick()
    assert view(console).draft is None


def test_another_silence_does_not_overwrite_what_was_typed(console: Stage) -> None:
    console.press("s")
    console.session.set_text("silence.reason", "rolling back")
    console.press("escape", "j", "s")
    assert draft(console).reason == "rolling back"
    assert console.toast == "Your draft is still here. Save it or press Ctrl D to discard it."
    console.press("ctrl+d")
    assert view(console).draft is None
    console.press("ctrl+z")
    assert draft(console).reason == "rolling back"


def test_the_collectors_refusal_keeps_the_draft(console: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.client.fake_alerts import CommandError, FakeAlerts

    def refuse(self: FakeAlerts, request: m.Request) -> object:
        raise CommandError("the store is full; free some space")

    monkeypatch.setattr(FakeAlerts, "command", refuse)
    console.press("s")
    console.session.set_text("silence.reason", "rolling back")
    console.press("ctrl+s")
    assert console.toast == "Not silenced: the store is full; free some space The draft is kept."
    assert draft(console).reason == "rolling back"


def test_silences_are_listed_with_end_owner_and_what_they_hold_back(console: Stage) -> None:
    console.session.point("group", 4)
    rows = view(console).silences
    assert [(r.state, r.by, r.matches) for r in rows] == [
        ("active", "Jonas", "matches nothing"),
        ("active", "Jonas", "1 alert"),
        ("active", "Ana", "1 alert"),
    ]
    assert rows[1].until == "until Thu 05:21 or resolved"
    console.press("j", "j", "delete")
    request = console.sent[-1]
    assert isinstance(request, m.ExpireSilence)
    assert request.silence == rows[2].id
    console.tick()
    assert dict(view(console).groups)["Silences"] == 2
    console.press("ctrl+z")
    assert isinstance(console.sent[-1], m.AddSilence)


def test_my_own_silence_says_that_it_ends(console: Stage) -> None:
    console.press("s")
    console.session.set_text("silence.duration", "15m")
    console.session.set_text("silence.reason", "short")
    console.press("ctrl+s")
    console.fake.engine.now += 310
    console.tick(2)
    assert console.toast.endswith('service="payments" ends at 14:36.')
    console.session.dismiss()
    console.tick(3)
    assert console.toast == ""


def test_a_silence_about_to_end_warns(console: Stage) -> None:
    console.session.point("group", 4)
    console.fake.engine.now += 1.1 * 3600 - 500
    console.tick(2)
    assert view(console).silences[0].until == "ends in 8 min"


def test_matchers_for_alerts_meet_them_all(console: Stage) -> None:
    firing = [a for a in console.mirror.alerts.values() if a.state is State.FIRING]
    for group in (firing[:1], firing[:2], firing):
        text = silencedraft.matchers_for_alerts(group)
        checked = parse_matchers(text)
        assert {a.id for a in group} <= {a.id for a in silencedraft.matched(checked, firing)}


# ---------------------------------------------------------------- notes and ways


def test_a_note_is_prompted_for_and_sent(console: Stage) -> None:
    console.press("n")
    assert view(console).prompt == "Note on Requests are slow"
    assert console.session.picture().frame.focus == "note"
    console.session.set_text("note", "rolling back")
    console.session.submit("note")
    request = console.sent[-1]
    assert isinstance(request, m.AddNote)
    assert request.text == "rolling back"
    assert view(console).prompt == ""


def test_an_alert_leads_to_its_chart_and_its_rule(console: Stage) -> None:
    console.press("e")
    explore = console.tick().explore
    assert explore is not None
    assert explore.field == "p95"
    assert explore.window == "5 m"
    assert [row.name for row in explore.picked] == ["shop.latency"]
    assert [t.label.replace("\u202f", " ") for t in explore.chart.threshold] == ["Requests are slow: 1 s"]
    assert words(explore.chart.sentence).startswith("1.15 s; above the 1 s limit for ")
    console.press("4", "t")
    rules = console.session.picture().rules
    assert rules is not None
    assert rules.rows[rules.cursor].id == "slow_latency"


def test_overview_acts_on_the_alert_under_its_cursor(demo: Stage) -> None:
    overview = demo.session.picture().overview
    assert overview is not None
    headline = overview.headline
    assert headline is not None
    assert headline.title == "Requests are slow: payments, prod"
    assert headline.detail.replace("\u202f", " ") == "1.15 s, limit 1 s, since 14:10:36. Nobody has it. 6 more alerts are firing."
    demo.press("j", "a")
    request = demo.sent[-1]
    assert isinstance(request, m.Acknowledge)
    assert request.alerts == (overview.firing[1].id,)
    demo.press("enter")
    assert demo.session.page == "alerts"
    assert view(demo).rows[view(demo).cursor].id == overview.firing[1].id


def test_hostile_labels_are_shown_harmless(console: Stage) -> None:
    pending = next(a for a in console.mirror.alerts.values() if a.state is State.FIRING)
    assert pending.series is not None
    evil = msgspec.structs.replace(
        pending,
        id="evil",
        labels=(*pending.labels, ("x\x1b[2J", "\u202egnp.exe\n<b>")),
        severity="critical",
        since=console.fake.now,
    )
    console.fake.book.put(evil)
    console.tick(12)
    console.press("home")
    detail = view(console).detail
    assert detail is not None
    assert detail.id == "evil"
    shown = "".join(name + value for name, value in detail.labels)
    assert shown.isprintable()


def test_labels_are_named_for_people_and_do_not_repeat_the_head(console: Stage) -> None:
    detail = view(console).detail
    assert detail is not None
    names = [name for name, _ in detail.labels]
    assert "metric" in names
    assert not {"__name__", "alertname", "severity"} & set(names)


def test_a_young_alert_stands_in_the_middle_of_its_chart(console: Stage) -> None:
    stage = console
    alert = stage.session.ctx.book.firing[0]
    present = stage.session.ctx.present()
    for age, before in ((5, 295), (100, 200), (200, 300), (400, 600), (1500, 600)):
        young = msgspec.structs.replace(alert, fired_at=present - age)
        start, end = onset_span(stage.session.ctx, young)
        assert (end, present - age - start) == (present, before)
    # a series that began with the alert is not drawn in an empty room
    start, _ = onset_span(stage.session.ctx, msgspec.structs.replace(alert, fired_at=present - 400), present - 410)
    assert start == present - 460
