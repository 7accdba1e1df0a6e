"""Looking at the past in a window: the strip that is dragged, the edge, the banner, the buttons that are off."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication

from tests.ui.desktop.conftest import Screen
from ui.desktop.editor import CodeEdit

SIZES = ((1440, 900), (1024, 700), (390, 844))


def back(screen: Screen, seconds: float = 9.9 * 3600) -> None:
    assert screen.fake is not None
    screen.session.rewind(screen.fake.now - seconds)
    screen.pass_time(2)


def state(screen: Screen) -> str:
    return str(screen.session.picture().frame.time.state)


@pytest.mark.parametrize("size", SIZES)
def test_the_past_has_an_edge_a_banner_and_a_word(demo: Any, size: tuple[int, int]) -> None:
    screen = demo(size)
    assert not screen.window.edge.isVisible()
    back(screen)
    assert screen.window.edge.isVisible()
    assert screen.window.edge.geometry().contains(screen.window.stack.geometry())
    assert screen.window.banner.isVisible()
    assert "You are looking at" in screen.window.banner.accessibleName()
    assert screen.window.timebar.state.accessibleName() == "REWOUND, press to play on"
    QTest.mouseClick(screen.named("Go live"), Qt.MouseButton.LeftButton)
    screen.take()
    assert not screen.window.edge.isVisible()
    assert not screen.window.banner.isVisible()
    assert state(screen) == "live"


def test_dragging_the_strip_rewinds_to_where_it_is_let_go(demo: Any) -> None:
    screen = demo()
    screen.pass_time(2)
    strip = screen.window.timebar.strip
    start, end = strip.time.day
    x, y = round(strip.width() * 0.6), strip.height() // 2
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(strip.width() - 20, y))
    QTest.mouseMove(strip, QPoint(x + 40, y))
    QTest.mouseMove(strip, QPoint(x, y))
    assert state(screen) == "live"
    QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(x, y))
    screen.pass_time(2)
    assert state(screen) == "rewound"
    wanted = start + 0.6 * (end - start)
    assert abs(screen.session.ctx.present() - wanted) < 0.01 * (end - start)


def test_a_double_click_on_the_strip_is_live(demo: Any) -> None:
    screen = demo()
    back(screen)
    QTest.mouseDClick(screen.window.timebar.strip, Qt.MouseButton.LeftButton)
    screen.take()
    assert state(screen) == "live"


def test_a_press_on_the_strip_goes_there_once_it_is_no_double_click(demo: Any, qapp_wait: Any) -> None:
    screen = demo()
    strip = screen.window.timebar.strip
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(strip.width() // 2, 10))
    assert state(screen) == "live"
    qapp_wait(lambda: not strip._later.isActive())
    screen.pass_time(2)
    assert state(screen) == "rewound"


def test_what_would_act_is_off_and_says_why(demo: Any) -> None:
    screen = demo()
    screen.session.perform("page.alerts")
    back(screen)
    acting = [b for b in screen.window.findChildren(QAbstractButton) if b.isVisible() and getattr(b, "acts", False)]
    assert acting
    assert all(not button.isEnabled() for button in acting)
    assert all("Go live to act." in button.toolTip() for button in acting)
    screen.session.perform("time.live")
    screen.pass_time(1)
    assert all(button.isEnabled() for button in acting)


def test_rules_of_then_can_be_read_but_not_written(demo: Any) -> None:
    screen = demo()
    screen.session.perform("page.rules")
    screen.pass_time(1)
    back(screen)
    editor = screen.window.pages["rules"].findChild(CodeEdit)
    assert editor.isReadOnly()
    assert "[[rule]]" in editor.toPlainText()
    editor.setFocus()
    screen.write("x")
    assert not screen.session.rules.editing
    acting = [b for b in screen.window.findChildren(QAbstractButton) if b.isVisible() and getattr(b, "acts", False)]
    assert len(acting) >= 3
    assert not any(button.isEnabled() for button in acting)
    screen.session.perform("time.live")
    screen.pass_time(1)
    assert not editor.isReadOnly()


def test_the_parts_of_the_state_play_stand_and_go_back(demo: Any) -> None:
    screen = demo()
    back(screen)
    button = screen.window.timebar.state
    there = screen.session.ctx.present()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(button.width() - 45, 10))
    screen.pass_time(3)
    assert screen.session.ctx.present() == there + 3
    assert button.accessibleName() == "REWOUND, press to stand still"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(button.width() - 10, 10))
    screen.pass_time(2)
    assert screen.session.ctx.present() <= there + 3 - 1800 + 1
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(20, 10))
    screen.take()
    assert state(screen) == "live"


def test_speeds_and_ranges_are_offered_in_menus(demo: Any) -> None:
    screen = demo()
    bar = screen.window.timebar
    assert not bar.speed.isVisible()
    back(screen)
    assert bar.speed.isVisible()
    assert bar.speed.text() == "1x"
    bar._choose_speed()
    menu = QApplication.activePopupWidget()
    assert menu is not None
    speeds = [entry for entry in menu.actions() if entry.text().endswith("x")]
    assert [entry.text() for entry in speeds] == ["1x", "2x", "5x", "10x", "60x"]
    assert menu.actions()[0].text() == "Play on"
    speeds[3].trigger()
    menu.close()
    screen.take()
    assert bar.speed.text() == "10x"
    bar._choose_range()
    menu = QApplication.activePopupWidget()
    assert menu is not None
    assert "12 h" in [entry.text() for entry in menu.actions()]
    menu.close()


def test_a_thin_bar_says_how_far_the_past_is_built(demo: Any, qapp_wait: Any) -> None:
    screen = demo()
    screen.fake.past_delay = 100
    screen.session.rewind(screen.fake.now - 7200)
    screen.pass_time(50)
    bar = screen.window.timebar
    assert bar.clock.accessibleDescription().endswith("Going to 12:21 …")
    qapp_wait(lambda: not bar._late.isActive())
    image = bar.grab().toImage()
    accent = screen.window.look.colour("accent").name()
    assert image.pixelColor(10, image.height() - 2).name() == accent
    assert image.pixelColor(image.width() - 10, image.height() - 2).name() != accent
    screen.session.perform("time.live")
    screen.take()


def test_the_time_field_opens_with_its_caret_behind_the_sign(demo: Any) -> None:
    screen = demo()
    screen.write("@")
    field = screen.window.palette_overlay.field
    assert field.text() == "@"
    assert field.cursorPosition() == 1
    screen.write("03:30")
    screen.press(Qt.Key.Key_Return)
    screen.pass_time(2)
    assert screen.session.picture().frame.time.clock == "03:30:00"
