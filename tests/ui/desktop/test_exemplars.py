"""Diamonds on a plot: pointed at they say what they are, pressed they open their trace, wide or narrow."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.ui.desktop.conftest import Screen
from ui.desktop import exemplars
from ui.desktop.plot import Plot
from ui.views.view import ExemplarMark


def on_latency(screen: Screen) -> Plot:
    """Explore with a latency and its exemplars; the plot they are on."""
    screen.session.go("explore")
    screen.session.set_text("search", "latency service=checkout")
    screen.session.submit("search")
    screen.pass_time(4)
    plots = [plot for plot in screen.window.findChildren(Plot) if plot.isVisible()]
    return next(plot for plot in plots if plot.curves.view is not None and plot.curves.view.exemplars)


def pixel(plot: Plot, mark: ExemplarMark) -> QPoint:
    """Where a mark lies in the plot's widget."""
    place: QPoint = plot.mapFromScene(plot.box.mapToScene(exemplars.place(mark, plot.curves.scale())))
    return place


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_a_press_on_a_diamond_opens_its_trace(demo: Any, size: tuple[int, int]) -> None:
    screen = demo(size)
    plot = on_latency(screen)
    view = plot.curves.view
    assert view is not None
    mark = view.exemplars[0]
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, pixel(plot, mark))
    screen.pass_time(2)
    assert screen.session.page == "traces"


def test_a_diamond_under_the_pointer_says_what_it_is(demo: Any) -> None:
    screen = demo()
    plot = on_latency(screen)
    view = plot.curves.view
    assert view is not None
    QTest.mouseMove(plot.viewport(), pixel(plot, view.exemplars[0]))
    screen.settle()
    assert plot.cross.exemplar is not None
    assert plot.cross.exemplar.words.startswith("trace ")
    assert plot.grab().width()
    QTest.mouseMove(plot.viewport(), QPoint(plot.width() // 2, plot.height() // 2))
    screen.settle()
    assert plot.cross.exemplar is None


def test_dragging_from_a_diamond_moves_time_and_opens_nothing(demo: Any) -> None:
    screen = demo()
    plot = on_latency(screen)
    view = plot.curves.view
    assert view is not None
    start = pixel(plot, view.exemplars[0])
    QTest.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + QPoint(60, 0))
    screen.pass_time(1)
    assert screen.session.page == "explore"


def test_a_screen_reader_hears_how_many_there_are_and_which_is_chosen(demo: Any) -> None:
    screen = demo()
    plot = on_latency(screen)
    screen.session.perform("exemplar.next")
    screen.pass_time(1)
    card = plot.parentWidget()
    while card is not None and "exemplars" not in card.accessibleDescription():
        card = card.parentWidget()
    assert card is not None
    assert "exemplars, chosen: trace " in card.accessibleDescription()
