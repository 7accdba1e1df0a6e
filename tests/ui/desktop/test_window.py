"""The window round the pages: what is seen, what keys reach, and what survives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from tests.ui.desktop import pictures
from tests.ui.desktop.conftest import rows_of
from ui.desktop.remember import Memory
from ui.desktop.window import profile_for
from ui.views.view import Banner, Page, PaletteRow, PaletteView, StatusItem, Toast

CTRL = Qt.KeyboardModifier.ControlModifier
HOSTILE = "<b onclick=x>bold</b> &amp; \u202egnp <img src=/etc/passwd>"


def test_every_page_names_what_it_shows(stub: Any) -> None:
    expected: tuple[tuple[Page, tuple[str, ...]], ...] = (
        ("overview", ("Pages", "Figures", "Firing alerts", "Busiest series", "Changes and people", "Cores")),
        ("explore", ("Search series", "Series found", "Window", "Field", "Figures of the range shown")),
        ("alerts", ("Groups", "Alerts", "History", "Steps from rule to notification")),
        ("rules", ("Rules", "Rule text", "What this rule does")),
    )
    for page, names in expected:
        screen = stub(pictures.picture(page))
        for name in names:
            assert screen.named(name)


def test_every_widget_that_takes_the_focus_has_a_name(stub: Any) -> None:
    for page in pictures.MAKERS:
        view = pictures.alerts(draft=pictures.draft()) if page == "alerts" else None
        screen = stub(pictures.picture(page, view))
        for widget in screen.window.findChildren(QWidget):
            if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
                assert widget.accessibleName(), widget


def test_a_chart_is_heard_as_its_sentence(stub: Any) -> None:
    screen = stub()
    card = screen.named("chart 0 busy: 42.1 % busy, as an hour ago; nothing else stands out on this machine today.")
    assert "Last 42.1 %" in card.accessibleDescription()


def test_lists_say_their_rows(stub: Any) -> None:
    screen = stub()
    assert rows_of(screen.named("Firing alerts"))[1] == (
        "Critical, firing: Checkout fails 1, service=checkout, 18.4 %, 15 min, Mira has it"
    )


@pytest.mark.parametrize("page", list(pictures.MAKERS))
@pytest.mark.parametrize("theme", ["dark", "light", "dark-cvd", "light-cvd"])
def test_each_page_paints_in_each_theme(stub: Any, page: Any, theme: str) -> None:
    screen = stub(pictures.picture(page), theme=theme)
    image = screen.window.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(200, 1400, 37) for y in range(60, 880, 23)}
    assert screen.window.look.theme.colour("card").lower() in seen
    assert len(seen) > 8


def test_the_theme_changes_while_the_window_is_open(stub: Any) -> None:
    screen = stub()
    screen.session.theme = "light"
    screen.show(pictures.picture())
    image = screen.window.grab().toImage()
    assert image.pixelColor(600, 30).name() == screen.window.look.theme.colour("canvas").lower() == "#f1f4f7"


@pytest.mark.parametrize(
    ("width", "rail", "phone"), [(1440, False, False), (1100, True, False), (800, True, False), (390, False, True)]
)
def test_the_frame_follows_the_width(stub: Any, width: int, rail: bool, phone: bool) -> None:
    screen = stub(size=(width, 844))
    assert screen.window.sidebar.isVisible() is not phone
    assert screen.window.bottom.isVisible() is phone
    assert screen.window.status.isVisible() is not phone
    assert screen.window.sidebar.rail is rail or phone


def test_any_size_is_laid_out_and_the_desk_never_scrolls(demo: Any) -> None:
    screen = demo()
    for width in (360, 520, 699, 700, 820, 1079, 1080, 1179, 1200, 1299, 1440, 1679, 1700):
        for height in (520, 640, 900):
            screen.window.resize(width, height)
            screen.settle()
    screen.window.resize(1440, 900)
    screen.settle()
    page = screen.window.page("overview")
    assert page.verticalScrollBar().maximum() == 0
    assert page.body.width() == page.viewport().width()


def test_a_phone_gets_cards_and_targets_a_finger_can_hit(stub: Any) -> None:
    for page in pictures.MAKERS:
        screen = stub(pictures.picture(page), size=(390, 844))
        assert screen.window.centralWidget().width() == 390
        for widget in screen.window.findChildren(QWidget):
            if (widget.isVisible() and type(widget).__name__ in ("StateButton", "Check")) or getattr(
                widget, "kind", "link"
            ) != "link":
                assert not widget.isVisible() or widget.height() >= 44, (page, widget.accessibleName(), widget.height())
    assert profile_for(390, 844).charts < profile_for(1440, 900).charts <= profile_for(1700, 900).charts


def test_the_busiest_series_are_a_table_on_the_desk_and_cards_on_the_phone(stub: Any) -> None:
    page = stub().window.page("overview")
    assert page.table.isVisible()
    assert not page.series_cards.isVisible()
    page = stub(size=(390, 844)).window.page("overview")
    assert page.series_cards.isVisibleTo(page)
    assert not page.table.isVisibleTo(page)


def test_letters_reach_the_session_from_a_list_but_not_from_a_field(stub: Any) -> None:
    screen = stub(pictures.picture("explore"))
    screen.press(Qt.Key.Key_F)
    assert ("key", "f", False) in screen.session.heard
    screen.session.heard.clear()
    screen.session.wanted = frozenset(("ctrl+k",))
    screen.named("Search series").setFocus()
    screen.write("fa")
    assert screen.named("Search series").text() == "fa"
    assert ("set_text", "search", "fa", 2) in screen.session.heard
    assert not any(what[:2] == ("key", "f") and what[2] is False for what in screen.session.heard)
    screen.press(Qt.Key.Key_K, CTRL)
    assert ("key", "ctrl+k", True) in screen.session.heard


@pytest.mark.parametrize("page", ["explore", "alerts", "rules"])
def test_a_filter_is_left_by_escape_and_by_down_and_letters_are_keys_again(demo: Any, page: str) -> None:
    screen = demo()
    screen.session.perform(f"page.{page}")
    screen.take()
    for way_out in (Qt.Key.Key_Escape, Qt.Key.Key_Down):
        screen.press(Qt.Key.Key_Slash, text="/")
        field = screen.window.focusWidget()
        assert field.what in ("search", "filter")
        screen.write("e")
        held = field.text()
        screen.press(way_out)
        assert screen.window.focusWidget() is not field
        screen.write("x")
        assert field.text() == held
    screen.press(Qt.Key.Key_Escape)
    screen.press(Qt.Key.Key_Escape)
    screen.press(Qt.Key.Key_Escape)
    assert field.text() == ""


def test_a_window_that_is_not_the_active_one_leaves_its_fields_too(demo: Any) -> None:
    screen = demo()
    screen.session.perform("page.explore")
    screen.take()
    other = QWidget()
    other.show()
    other.activateWindow()
    screen.settle()
    assert not screen.window.isActiveWindow()
    for key in (Qt.Key.Key_Slash, Qt.Key.Key_C, Qt.Key.Key_Escape, Qt.Key.Key_X):
        QTest.keyClick(screen.window.focusWidget(), key)
        screen.take()
    assert screen.session.explore.search == "c"
    assert len(screen.session.explore.picked) == 1
    other.close()


def test_up_and_down_walk_through_the_fields_of_a_silence(demo: Any) -> None:
    screen = demo()
    screen.session.perform("page.alerts")
    screen.session.perform("alert.silence")
    screen.take()
    assert screen.window.focusWidget().accessibleName() == "Because"
    screen.press(Qt.Key.Key_Up)
    assert screen.window.focusWidget().accessibleName() == "For how long"
    screen.press(Qt.Key.Key_Down)
    assert screen.window.focusWidget().accessibleName() == "Because"
    screen.press(Qt.Key.Key_Escape)
    assert screen.window.focusWidget().accessibleName() == "Alerts"


def test_undo_in_a_field_is_the_fields_own(stub: Any) -> None:
    screen = stub(pictures.picture("explore"))
    field = screen.named("Search series")
    field.setFocus()
    screen.write("ab")
    screen.press(Qt.Key.Key_Z, CTRL)
    assert field.text() != "ab"
    assert not any(what[:2] == ("key", "ctrl+z") for what in screen.session.heard)


def test_enter_and_space_press_the_button_that_has_the_focus(stub: Any) -> None:
    screen = stub()
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        screen.session.heard.clear()
        screen.named("Open alert").setFocus()
        screen.press(key)
        assert ("perform", "open") in screen.session.heard


def test_nothing_is_painted_when_nothing_changed(stub: Any) -> None:
    screen = stub()
    before = screen.window.picture
    calls: list[Any] = []
    screen.window.page("overview").show_view = calls.append
    screen.window.refresh()
    assert not calls
    assert screen.window.picture is before


def test_a_hidden_window_paints_nothing(stub: Any) -> None:
    screen = stub()
    screen.window.hide()
    screen.session.shown = pictures.picture("alerts")
    screen.window.refresh()
    assert screen.window.picture.alerts is None
    screen.window.show()
    screen.settle()
    assert screen.window.picture.alerts is not None


def test_outside_text_is_shown_literally_everywhere(stub: Any) -> None:
    hostile = pictures.overview(
        headline=Banner("critical", HOSTILE, HOSTILE, "open", "Open"),
        firing=(pictures.alert(name=HOSTILE, where=HOSTILE),),
        busiest=(pictures.series(name=HOSTILE, tags=HOSTILE),),
        charts=(pictures.chart(title=HOSTILE, note=HOSTILE),),
    )
    screen = stub(
        pictures.picture("overview", hostile, collector=HOSTILE, who=HOSTILE, subtitle=HOSTILE, status=(StatusItem(HOSTILE),))
    )
    screen.window.grab()
    assert HOSTILE in rows_of(screen.named("Firing alerts"))[0]
    # Nothing of Qt's that guesses rich text by its looks may hold outside text.
    assert not [label for label in screen.window.findChildren(QLabel) if HOSTILE in label.text()]
    for widget in screen.window.findChildren(QWidget):
        assert "<img" not in widget.toolTip()
        assert "<b " not in widget.toolTip()


def test_a_banner_names_the_fact_and_its_button_acts(stub: Any) -> None:
    blind = Banner(
        "unknown",
        "Lightship is blind: harbour-1 has not answered for 18 s.",
        "What you see ends at 14:21.",
        "connection.retry",
        "Retry now",
    )
    screen = stub(pictures.picture(banner=blind))
    assert screen.named(f"No data: {blind.title} {blind.detail}")
    screen.named("Retry now").click()
    assert ("perform", "connection.retry") in screen.session.heard
    screen.show(pictures.picture())
    assert not screen.is_shown("Retry now")


def test_a_toast_offers_the_way_back_and_an_error_stays(stub: Any) -> None:
    screen = stub(pictures.picture(toast=Toast("Acknowledged until 15:09.", "Undo", number=1)))
    assert screen.named("Acknowledged until 15:09.")
    assert screen.window.toast.timer.isActive()
    screen.named("Undo").click()
    assert ("perform", "undo") in screen.session.heard
    screen.show(pictures.picture(toast=Toast("Not saved.", error=True, number=2)))
    assert screen.named("Not saved.")
    assert not screen.window.toast.timer.isActive()


def test_the_palette_takes_the_keyboard_and_gives_it_back(stub: Any) -> None:
    screen = stub()
    before = QApplication.focusWidget()
    rows = (
        PaletteRow("Acknowledge", "Alerts", "A", "action:alert.acknowledge"),
        PaletteRow("orders-db", "series", "", "series:1"),
    )
    screen.show(pictures.picture(palette=PaletteView("a", rows, 1)))
    field = screen.named("Find an action, a series or an alert")
    assert field.hasFocus()
    assert field.accessibleDescription() == "orders-db, series"
    screen.press(Qt.Key.Key_Down)
    assert ("key", "down", True) in screen.session.heard
    screen.show(pictures.picture())
    assert not screen.is_shown("Find an action, a series or an alert")
    assert QApplication.focusWidget() is before


def test_place_page_and_theme_are_remembered(demo: Any, tmp_path: Path) -> None:
    screen = demo()
    screen.session.perform("page.rules")
    screen.session.choose("theme", "light")
    screen.take()
    screen.window.close()
    memory = Memory(tmp_path / "state.ini")
    assert (memory.word("page"), memory.word("theme")) == ("rules", "light")
    assert not memory.geometry().isEmpty()


def test_a_press_on_a_page_opens_it(stub: Any) -> None:
    screen = stub()
    screen.window.sidebar.press(2)
    assert ("perform", "page.alerts") in screen.session.heard
    phone = stub(size=(390, 844))
    phone.window.bottom.press(3)
    assert ("perform", "page.rules") in phone.session.heard
    menu = phone.window.bottom.more_menu()
    assert [action.text() for action in menu.actions()] == ["Find a command", "Keys", "Next theme", "Go live"]


def test_the_state_of_time_is_said_and_switched(stub: Any) -> None:
    screen = stub()
    screen.named("LIVE, press to pause").click()
    assert ("perform", "time.pause") in screen.session.heard
    frozen = replace(screen.window.picture.frame.time, state="paused", behind="94 s behind · Space resumes")
    screen.show(pictures.picture(time=frozen))
    assert screen.named("PAUSED, press to resume")
    assert "94 s behind" in screen.named("Clock").accessibleDescription()
