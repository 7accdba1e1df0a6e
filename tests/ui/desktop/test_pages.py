"""The pages: what a person sees and does on each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest

from tests.ui.desktop import pictures
from tests.ui.desktop.conftest import Screen, rows_of
from ui.desktop.readout import Readout
from ui.views import view as v


def click_row(view: Any, row: int, x: int = 120) -> None:
    box = view.visualRect(view.model().index(row, 0))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, box.center().y()))


def plot_of(screen: Screen, number: int = 0) -> Any:
    return screen.window.page("overview").charts[number].plot  # type: ignore[union-attr]


# ---------------------------------------------------------------- charts


def test_a_plot_takes_its_ranges_and_never_its_own(stub: Any) -> None:
    plot = plot_of(stub())
    assert plot.box.viewRange() == [[pictures.NOW - 1800.0, pictures.NOW], [0.0, 100.0]]
    assert plot.box.autoRangeEnabled() == [False, False]


def test_only_changed_charts_are_painted_again(stub: Any) -> None:
    screen = stub()
    painted: list[int] = []

    def heard(number: int, show: Any, view: v.ChartView) -> None:
        painted.append(number)
        show(view)

    for number in range(4):
        curves = plot_of(screen, number).curves
        curves.show = partial(heard, number, curves.show)
    old = screen.window.picture.overview
    charts = (*old.charts[:2], pictures.chart("chart 2", revision=9), old.charts[3])
    screen.show(pictures.picture("overview", replace(old, charts=charts)))
    assert painted == [2]


def test_the_crosshair_is_shared_by_all_plots(stub: Any) -> None:
    screen = stub()
    plot = plot_of(screen)
    at = QPointF(plot.width() / 2, plot.height() / 2)
    none = Qt.MouseButton.NoButton
    plot.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier))
    assert plot.crossing is plot_of(screen, 3).crossing
    assert pictures.NOW - 1800 < plot.crossing.at < pictures.NOW
    screen.window.grab()
    plot.leaveEvent(QEvent(QEvent.Type.Leave))
    assert plot.crossing.at is None


def test_the_wheel_zooms_in_time_round_the_pointer(stub: Any) -> None:
    screen = stub()
    plot = plot_of(screen)
    at = QPointF(plot.width() / 2, 40)
    plot.wheelEvent(
        QWheelEvent(
            at,
            at,
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
    )
    _, start, end = next(what for what in screen.session.heard if what[0] == "zoom")
    assert end - start == 1440.0
    assert pictures.NOW - 1800 < start < end < pictures.NOW


def test_the_readout_speaks_in_the_words_of_the_axis() -> None:
    times = np.array([0.0, 10.0])
    lines = (v.Line("p95", times, np.array([0.0, 0.42]), "series-1", v.Value("420", "ms")),)
    ticks = (v.Tick(0.0, "0 s"), v.Tick(0.2, "200 ms"), v.Tick(1.0, "1 s"))
    chart = pictures.chart(lines=0, y_ticks=ticks, x=(0.0, 10.0))
    readout = Readout.of(replace(chart, lines=lines), 9.0)
    assert readout.rows() == [(lines[0], "420 ms")]


def test_the_readout_invents_nothing_where_there_are_no_samples() -> None:
    times, values = np.arange(100.0), np.ones(100)
    chart = replace(pictures.chart(lines=0), lines=(v.Line("a", times, values, "series-1", v.Value("1")),))
    assert not Readout.of(chart, 500.0).points


def test_a_chart_without_lines_says_why(stub: Any) -> None:
    empty = pictures.chart(lines=0, empty="Waiting for data.")
    screen = stub(pictures.picture("overview", pictures.overview(charts=(empty,))))
    assert screen.named("Waiting for data.")


# ---------------------------------------------------------------- overview


def test_first_run_says_how_to_send_something_and_copies_it(stub: Any) -> None:
    empty = v.EmptyState("Listening.", "Send something.", (("StatsD", 'echo "demo.hits:1|c" | nc -u -w0 127.0.0.1 8125'),), "")
    screen = stub(pictures.picture("overview", pictures.overview(empty=empty, charts=(), stats=(), busiest=())))
    screen.named("Copy the command for StatsD").click()
    assert ("copy", 'echo "demo.hits:1|c" | nc -u -w0 127.0.0.1 8125') in screen.session.heard


def test_rows_of_the_overview_point_and_open(stub: Any) -> None:
    screen = stub()
    click_row(screen.named("Firing alerts"), 2)
    assert ("point", "firing", 2) in screen.session.heard
    table = screen.window.page("overview").table
    click_row(table, 1)
    assert ("point", "busiest", 1) in screen.session.heard


def test_rows_keep_their_place_while_the_pointer_rests_in_them(stub: Any) -> None:
    screen = stub()
    firing = screen.named("Firing alerts")
    firing.enterEvent(_entering())
    assert screen.session.hovering
    firing.leaveEvent(QEvent(QEvent.Type.Leave))
    assert not screen.session.hovering


def _entering() -> Any:
    from PySide6.QtGui import QEnterEvent

    return QEnterEvent(QPointF(5, 5), QPointF(5, 5), QPointF(5, 5))


# ---------------------------------------------------------------- alerts


def test_a_press_on_the_box_marks_and_beside_it_points(stub: Any) -> None:
    screen = stub(pictures.picture("alerts"))
    rows = screen.window.page("alerts").list
    click_row(rows, 1, x=18)
    assert ("mark", 1) in screen.session.heard
    click_row(rows, 2, x=150)
    assert ("point", "alerts", 2) in screen.session.heard


def test_marked_alerts_have_a_bar_that_repeats_their_number(stub: Any) -> None:
    screen = stub(pictures.picture("alerts", pictures.alerts(marked=3)))
    screen.named("Silence 3…").click()
    assert ("perform", "alert.silence") in screen.session.heard
    screen.show(pictures.picture("alerts"))
    assert not screen.is_shown("Silence 3…")


def test_a_draft_keeps_caret_and_words_while_data_arrive(stub: Any) -> None:
    screen = stub(pictures.picture("alerts", pictures.alerts(draft=pictures.draft()), focus="silence.reason"))
    reason = screen.named("Because")
    assert reason.hasFocus()
    screen.write("rollback")
    reason.setCursorPosition(4)
    for age in ("16 min", "17 min"):
        shown = pictures.alerts(draft=pictures.draft(reason="rollback", error=""), rows=(pictures.alert(age=age),))
        screen.show(pictures.picture("alerts", shown, focus="silence.reason"))
    assert (reason.text(), reason.cursorPosition(), reason.hasFocus()) == ("rollback", 4, True)
    assert screen.named("Silence 2 alerts").isEnabled()


def test_a_draft_that_cannot_be_saved_says_why(stub: Any) -> None:
    screen = stub(pictures.picture("alerts", pictures.alerts(draft=pictures.draft())))
    assert screen.named("Say why: the others will read it.")
    assert not screen.named("Silence 2 alerts").isEnabled()


def test_on_a_phone_an_alert_opens_as_a_sheet_and_goes_back(stub: Any) -> None:
    screen = stub(pictures.picture("alerts"), size=(390, 844))
    page = screen.window.page("alerts")
    assert not page.detail.isVisible()
    click_row(page.list, 0, x=150)
    assert page.detail.isVisible()
    assert not page.left.isVisible()
    screen.named("Back to the list").click()
    assert page.left.isVisible()


def test_a_note_is_written_where_the_alert_is(stub: Any) -> None:
    screen = stub(pictures.picture("alerts", pictures.alerts(prompt="Note on Checkout fails"), focus="note"))
    assert screen.named("Note text").hasFocus()
    screen.write("mine")
    screen.press(Qt.Key.Key_Return)
    assert ("submit", "note") in screen.session.heard


def test_silences_are_listed_and_can_be_ended(stub: Any) -> None:
    silence = v.SilenceRow("s1", "active", 'service="mailer"', "until 15:06", "Ana", "known", "matches nothing")
    screen = stub(pictures.picture("alerts", pictures.alerts(group="Silences", rows=(), detail=None, silences=(silence,))))
    assert "matches nothing" in rows_of(screen.window.page("alerts").silences)[0]
    screen.named("End silence").click()
    assert ("perform", "silence.expire") in screen.session.heard


# ---------------------------------------------------------------- rules


def test_showing_a_rule_is_not_typing_in_it(stub: Any) -> None:
    screen = stub(pictures.picture("rules"))
    screen.session.theme = "light"
    screen.show(pictures.picture("rules"))
    assert not [what for what in screen.session.heard if what[0] == "set_text"]


def test_typing_is_told_and_a_refresh_never_overwrites_it(stub: Any) -> None:
    screen = stub(pictures.picture("rules"))
    editor = screen.named("Rule text")
    editor.setFocus()
    screen.write("# ")
    text = "# " + pictures.RULE_TEXT
    assert ("set_text", "rule", text, 2) in screen.session.heard
    screen.show(pictures.picture("rules", pictures.rules("something older", revision=1)))
    assert editor.toPlainText() == text
    screen.show(pictures.picture("rules", pictures.rules("changed on disk", revision=2)))
    assert editor.toPlainText() == "changed on disk"


def test_a_problem_is_named_below_the_text_with_its_fix(stub: Any) -> None:
    screen = stub(pictures.picture("rules"))
    assert screen.named("Line 5: “2 m” has a space in it.")
    screen.named("Write 2m").click()
    assert ("perform", "rule.fix") in screen.session.heard
    marks = screen.named("Rule text").extraSelections()
    assert any(mark.cursor.selectedText() == '"2 m"' for mark in marks)
    assert not screen.named("Fix line 5 to save").isEnabled()


def test_a_problem_behind_a_pictograph_is_underlined_in_its_place(stub: Any) -> None:
    text = 'for = "🚀 2 m"'
    rules = pictures.rules(text, revision=7)
    assert rules.editor is not None
    editor = replace(rules.editor, problems=(v.ProblemRow(0, text.index("2 m"), 3, "“2 m” has a space in it."),))
    screen = stub(pictures.picture("rules", replace(rules, editor=editor)))
    marks = screen.named("Rule text").extraSelections()
    assert [mark.cursor.selectedText() for mark in marks if mark.cursor.hasSelection()] == ["2 m"]


def test_escape_in_the_editor_reaches_the_session(stub: Any) -> None:
    screen = stub(pictures.picture("rules"))
    screen.named("Rule text").setFocus()
    screen.press(Qt.Key.Key_Escape)
    assert ("key", "escape", True) in screen.session.heard
    assert ("perform", "rule.edit") in screen.session.heard


# ---------------------------------------------------------------- together


def test_an_alert_is_acknowledged_by_key_and_everybody_sees_it(demo: Any) -> None:
    screen = demo()
    screen.press(Qt.Key.Key_4)
    rows = screen.window.page("alerts").list
    assert "Mira Okafor has it" not in rows_of(rows)[0]
    screen.press(Qt.Key.Key_A)
    screen.pass_time()
    assert "Mira Okafor has it" in rows_of(rows)[0]
    assert screen.named("Release").isEnabled()


def test_alerts_are_silenced_by_keys_alone(demo: Any) -> None:
    screen = demo()
    screen.press(Qt.Key.Key_4)
    screen.press(Qt.Key.Key_X)
    screen.press(Qt.Key.Key_X)
    screen.press(Qt.Key.Key_S)
    assert screen.named("Because").hasFocus()
    screen.write("rollback in progress")
    assert screen.named("Silence 2 alerts").isEnabled()
    firing = len(screen.session.ctx.book.firing)
    screen.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    screen.pass_time()
    assert len(screen.session.ctx.book.firing) == firing - 2
    assert not screen.is_shown("Because")


def test_a_rule_is_edited_by_keys_alone(demo: Any) -> None:
    screen = demo()
    screen.press(Qt.Key.Key_5)
    screen.pass_time()
    screen.press(Qt.Key.Key_E)
    editor = screen.named("Rule text")
    assert editor.hasFocus()
    screen.write("# mine ")
    assert screen.session.ctx.desk.rule("shop.toml").dirty
    screen.press(Qt.Key.Key_Escape)
    assert screen.named("Rules")
    assert not editor.hasFocus()
    screen.press(Qt.Key.Key_1)
    screen.press(Qt.Key.Key_5)
    assert "# mine" in screen.named("Rule text").toPlainText()


def test_a_series_is_found_and_charted_by_keys_alone(demo: Any) -> None:
    screen = demo()
    screen.press(Qt.Key.Key_2)
    screen.press(Qt.Key.Key_Slash, text="/")
    field = screen.named("Search series")
    assert field.hasFocus()
    screen.write("latency")
    screen.press(Qt.Key.Key_Return)
    screen.press(Qt.Key.Key_X)
    screen.pass_time(2)
    assert screen.session.explore.picked
    assert screen.window.page("explore").chart.plot.isVisible()


def test_a_lost_connection_is_said_and_the_way_back_too(demo: Any) -> None:
    screen = demo()
    screen.fake.disconnect()
    screen.session.ctx.now = lambda: screen.fake.now + 18.0
    screen.take()
    assert screen.window.banner.isVisible()
    assert "blind" in screen.window.banner.accessibleName()
    assert screen.named("STALE, press to pause")
