"""The alert console on the desktop: silences that are edited or refused, incidents, and reasons told in full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt

from tests.ui.desktop import pictures
from tests.ui.desktop.conftest import rows_of
from ui.desktop.detail import ONE_LINE
from ui.views import view as v


def test_a_silence_is_edited_by_keys_alone(demo: Any) -> None:
    screen = demo()
    screen.write("4")
    for _ in range(4):
        screen.press(Qt.Key.Key_Right)
    screen.press(Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    assert screen.named("Change the silence").isEnabled()
    assert screen.named("For how long").hasFocus()
    assert not screen.named("end early when resolved").isEnabled()
    screen.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    screen.pass_time()
    assert not screen.is_shown("Change the silence")


def test_a_silence_that_was_refused_says_why_and_its_button_what_it_would_do(stub: Any) -> None:
    why = "This would silence 30 of 40 firing alerts. Narrow the matchers, or confirm that you mean it."
    draft = replace(pictures.draft(reason="moved", error=""), refused=why, button="Silence 30 alerts anyway")
    screen = stub(pictures.picture("alerts", pictures.alerts(draft=draft)))
    drawer = screen.window.page("alerts").drawer
    assert drawer.refused.isVisible()
    assert screen.named("Silence 30 alerts anyway").isEnabled()


def test_the_buttons_edit_a_silence_and_acknowledge_until_it_changes(stub: Any) -> None:
    silence = v.SilenceRow("s1", "active", "service=orders", "until 15:00", "Ana", "moved", "1 alert")
    screen = stub(pictures.picture("alerts", pictures.alerts(group="Silences", rows=(), detail=None, silences=(silence,))))
    screen.named("Edit silence").click()
    assert ("perform", "silence.edit") in screen.session.heard
    screen.show(pictures.picture("alerts"))
    screen.named("Acknowledge until it changes").click()
    assert ("perform", "alert.acknowledge.change") in screen.session.heard


def test_incidents_are_lines_of_the_list_but_not_counted_as_alerts(stub: Any) -> None:
    line = replace(pictures.alert(), id="incident-1", name="[-] 1 alert: Checkout fails", incident=True)
    screen = stub(pictures.picture("alerts", pictures.alerts(rows=(line, pictures.alert()))))
    page = screen.window.page("alerts")
    assert "[-] 1 alert: Checkout fails" in rows_of(page.list)[0]
    assert page.count.accessibleName() == "1 shown"


def test_the_step_that_stopped_it_is_told_in_full(stub: Any) -> None:
    shown = pictures.alerts()
    assert shown.detail is not None
    row = v.WhyRow("warning", "Waiting with its group", "It is looked at in 20 s. " * 4)
    assert len(row.detail) > ONE_LINE
    screen = stub(pictures.picture("alerts", replace(shown, detail=replace(shown.detail, why=(row,)))))
    assert screen.window.page("alerts").why.stopped.isVisible()
