"""Silences that are changed and renewed, those that would keep too many quiet, and acknowledgements until something changes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from monitor.alerting.book import AlertBook
from monitor.alerting.model import Silence, State
from monitor.wire import messages as m
from tests.ui.views.conftest import Stage
from ui.client.fake_alerts import FakeAlerts
from ui.views import silenceacts
from ui.views.silencelist import silences
from ui.views.view import SilenceDraftView


@pytest.fixture
def console(demo: Stage) -> Stage:
    demo.press("4")
    demo.tick(2)
    return demo


@pytest.fixture
def listed(console: Stage) -> Stage:
    """The console with the cursor on the first silence."""
    console.session.choose("group", "Silences")
    console.settle()
    return console


def chosen(stage: Stage) -> Silence:
    return silences(stage.session.ctx)[0]


def draft(stage: Stage) -> SilenceDraftView:
    alerts = stage.session.picture().alerts
    assert alerts is not None
    assert alerts.draft is not None
    return alerts.draft


def detail(stage: Stage) -> Any:
    alerts = stage.session.picture().alerts
    assert alerts is not None
    return alerts.detail


# ---------------------------------------------------------------- acknowledge


def test_an_alert_is_acknowledged_until_it_changes(console: Stage) -> None:
    alert = detail(console).id
    console.press("shift+a")
    console.tick()
    ack = console.mirror.alerts[alert].ack
    assert ack is not None
    assert (ack.until, ack.expires) == ("change", None)
    assert console.toast == "Acknowledged until it changes or resolves. The others see your name."
    assert "Mira has it until it changes." in detail(console).subtitle
    console.press("shift+a")
    console.tick()
    assert console.mirror.alerts[alert].ack is None
    console.press("ctrl+z")
    console.tick()
    ack = console.mirror.alerts[alert].ack
    assert ack is not None
    assert ack.until == "change"


def test_one_acknowledged_for_an_hour_can_be_held_until_it_changes_instead(console: Stage) -> None:
    alert = detail(console).id
    console.press("a", "shift+a")
    console.tick()
    ack = console.mirror.alerts[alert].ack
    assert ack is not None
    assert (ack.until, ack.expires) == ("change", None)


# ---------------------------------------------------------------- change


def test_the_form_of_a_silence_holds_what_it_is(listed: Stage) -> None:
    silence = chosen(listed)
    listed.press("shift+s")
    shown = draft(listed)
    assert shown.matchers == ", ".join(map(str, silence.matchers))
    assert shown.reason == silence.comment
    assert shown.duration.startswith("until ")
    assert (shown.button, shown.editing, shown.error) == ("Change the silence", True, "")
    assert listed.session.ctx.focus == "silence.duration"


def test_only_what_was_changed_is_sent_and_it_can_be_undone(listed: Stage) -> None:
    before = chosen(listed)
    listed.press("shift+s")
    listed.session.set_text("silence.reason", "Still being cleaned")
    listed.press("ctrl+s")
    listed.tick()
    request = listed.sent[-1]
    assert isinstance(request, m.EditSilence)
    assert (request.silence, request.ends, request.comment) == (before.id, None, "Still being cleaned")
    after = listed.mirror.silences[before.id]
    assert (after.ends, after.comment) == (before.ends, "Still being cleaned")
    assert listed.toast.startswith("Silence changed: it holds until ")
    listed.press("ctrl+z")
    listed.tick()
    assert listed.mirror.silences[before.id].comment == before.comment


def test_another_end_is_sent(listed: Stage) -> None:
    before = chosen(listed)
    listed.press("shift+s")
    listed.session.set_text("silence.duration", "4h")
    listed.press("ctrl+s")
    listed.tick()
    assert listed.mirror.silences[before.id].ends == pytest.approx(listed.fake.now + 4 * 3600, abs=3)


def test_with_other_matchers_it_becomes_another_silence(listed: Stage) -> None:
    before = chosen(listed)
    listed.press("shift+s")
    listed.session.set_text("silence.matchers", "service=payments")
    listed.press("ctrl+s")
    listed.tick()
    assert listed.mirror.silences[before.id].expired_by == "Mira"
    assert any(str(s.matchers[0]) == 'service="payments"' and not s.expired_by for s in listed.mirror.silences.values())


def test_one_that_is_over_is_renewed(listed: Stage) -> None:
    before = chosen(listed)
    listed.press("delete")
    listed.tick()
    over = next(n for n, s in enumerate(silences(listed.session.ctx)) if s.id == before.id)
    listed.session.point("silences", over)
    listed.press("shift+s")
    assert draft(listed).duration == "2h"
    listed.press("ctrl+s")
    listed.tick()
    assert any(s.matchers == before.matchers and not s.expired_by for s in listed.mirror.silences.values())


def test_the_silence_of_the_alert_under_the_cursor_is_edited(console: Stage) -> None:
    on, why = console.session.enabled("silence.edit")
    assert (on, why) == (False, "No silence is chosen.")
    console.session.choose("group", "Silenced")
    console.press("shift+s")
    assert draft(console).editing


def test_a_draft_that_was_typed_in_is_not_overwritten_by_an_edit(listed: Stage) -> None:
    listed.press("shift+s")
    listed.session.set_text("silence.reason", "half a thou")
    listed.session.ctx.focus = ""
    listed.press("j", "shift+s")
    assert draft(listed).reason == "half a thou"
    assert listed.toast.startswith("Your draft is still here.")


def test_whether_it_ends_when_resolved_cannot_be_changed(listed: Stage) -> None:
    listed.press("shift+s")
    before = draft(listed).end_when_resolved
    listed.session.set_flag("silence.end_when_resolved", not before)
    assert draft(listed).end_when_resolved is before
    assert listed.toast.startswith("Whether it ends when resolved stays")


# ---------------------------------------------------------------- too many


@pytest.fixture
def flood(console: Stage) -> Stage:
    """Thirty firing alerts of one service, and a draft that would keep them all quiet."""
    one = next(a for a in console.fake.book.alerts.values() if a.state is State.FIRING)
    for number in range(30):
        labels = tuple(sorted({**dict(one.labels), "service": "mill", "host": f"h{number}"}.items()))
        console.fake.book.put(replace(one, id=f"mill-{number}", labels=labels, series=None))
    console.tick()
    console.press("s")
    console.session.set_text("silence.matchers", "service=mill")
    console.session.set_text("silence.reason", "The mill is being moved")
    return console


def test_a_silence_of_very_many_is_refused_once_and_sent_when_it_is_meant(flood: Stage) -> None:
    flood.press("ctrl+s")
    assert flood.toast == "Not saved yet. Save once more to do it anyway."
    shown = draft(flood)
    assert shown.refused.startswith("This would silence 30 of ")
    assert shown.button == "Silence 30 alerts anyway"
    flood.press("ctrl+s")
    flood.tick()
    sent = [request for request in flood.sent if isinstance(request, m.AddSilence)]
    assert [request.guard for request in sent] == [True, False]
    assert flood.toast.startswith("30 alerts silenced until ")


def test_a_change_to_the_draft_is_guarded_again(flood: Stage) -> None:
    flood.press("ctrl+s")
    flood.session.set_text("silence.reason", "The mill is being moved to the hill")
    assert draft(flood).refused == ""
    flood.press("ctrl+s")
    sent = [request for request in flood.sent if isinstance(request, m.AddSilence)]
    assert [request.guard for request in sent] == [True, True]


def test_the_collector_and_its_fake_refuse_in_the_same_words() -> None:
    told = [*AlertBook._check_guard.__code__.co_consts, *FakeAlerts._check_guard.__code__.co_consts]
    assert sum(isinstance(text, str) and silenceacts.CONFIRM in text for text in told) == 2
