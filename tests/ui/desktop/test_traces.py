"""Traces & logs on the desktop: what a person sees and does with mouse and keyboard."""

from __future__ import annotations

import time
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from monitor.wire import messages as m
from tests.ui.desktop.conftest import Screen, rows_of
from tests.ui.views.test_traces import wide
from ui.desktop.traces import TracesPage
from ui.desktop.traceswaterfall import AXIS


def page_of(screen: Screen) -> TracesPage:
    page = screen.window.page("traces")
    assert isinstance(page, TracesPage)
    return page


@pytest.fixture
def screen(demo: Any) -> Screen:
    """The shop's traces in a window."""
    shown: Screen = demo()
    shown.press(Qt.Key.Key_6)
    shown.pass_time(2)
    return shown


def open_failed(screen: Screen) -> TracesPage:
    screen.session.navigation.open_traces("edge", "POST /checkout", True)
    screen.pass_time(2)
    page = page_of(screen)
    box = page.traces.visualRect(page.traces.model().index(0, 0))
    QTest.mouseClick(page.traces.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, box.center().y()))
    screen.take()
    screen.take()
    return page


def test_traces_are_listed_and_say_themselves(screen: Screen) -> None:
    rows = rows_of(page_of(screen).traces)
    assert len(rows) == 200
    assert any("edge POST /checkout" in row and "14 spans" in row for row in rows)
    assert screen.named("Search traces or logs")


def test_a_press_opens_a_trace_and_escape_leads_back(screen: Screen) -> None:
    page = open_failed(screen)
    assert page.waterfall.isVisible()
    assert not page.traces.isVisible()
    assert "edge" in page.trace_head.title.text
    assert screen.window.focusWidget() is page.waterfall
    screen.press(Qt.Key.Key_Escape)
    assert page.traces.isVisible()
    assert screen.window.focusWidget() is page.traces


def test_the_waterfall_is_walked_with_the_keyboard(screen: Screen) -> None:
    page = open_failed(screen)
    screen.press(Qt.Key.Key_Down)
    assert page.waterfall.accessibleDescription().startswith("checkout POST /checkout")
    count = page.waterfall.count()
    screen.press(Qt.Key.Key_Left)
    assert page.waterfall.count() < count
    screen.press(Qt.Key.Key_Right)
    assert page.waterfall.count() == count
    screen.press(Qt.Key.Key_P)
    assert "UPDATE order_lines" in page.waterfall.accessibleDescription()
    assert page.span.title.text == "UPDATE order_lines"
    assert any("UPDATE order_lines" in row for row in rows_of(page.span.facts))


def test_a_click_on_a_row_chooses_its_span_and_on_its_sign_folds_it(screen: Screen) -> None:
    page = open_failed(screen)
    view = page.waterfall.view
    assert view is not None
    at = QPoint(300, AXIS + 3 * page.waterfall.row + 8)
    QTest.mouseClick(page.waterfall.viewport(), Qt.MouseButton.LeftButton, pos=at)
    screen.take()
    assert page.waterfall.line_of_cursor() == 3
    count = page.waterfall.count()
    QTest.mouseClick(page.waterfall.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(12, AXIS + 8))
    screen.take()
    assert page.waterfall.count() == 1 < count


def test_the_flame_shows_the_same_spans_and_takes_clicks(screen: Screen) -> None:
    page = open_failed(screen)
    screen.press(Qt.Key.Key_V)
    assert page.flame.isVisible()
    assert screen.window.focusWidget() is page.flame
    left, width = page.flame.axis()
    place = page.flame.place_at(QPointF(left + width / 2, AXIS + 6))
    assert place == 0
    QTest.mouseClick(page.flame.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(int(left + width * 0.7), AXIS + 30))
    screen.take()
    assert page.flame.view is not None
    assert page.flame.view.spans[page.flame.view.place].service == "checkout"


def test_a_press_enlarges_a_span_of_the_flame_and_escape_leads_back(screen: Screen) -> None:
    page = open_failed(screen)
    screen.press(Qt.Key.Key_V)
    left, width = page.flame.axis()
    middle = QPoint(int(left + width * 0.7), AXIS + 30)
    assert "Enter or a press enlarges a span" in page.trace_head.notes.accessibleName()
    QTest.mouseClick(page.flame.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    screen.take()
    flame = page.flame.flame
    assert flame is not None
    assert flame.above == 1
    assert "Enlarged: checkout POST /checkout" in page.trace_head.notes.accessibleName()
    for share in (0.05, 0.95):
        assert page.flame.place_at(QPointF(left + width * share, AXIS + 30)) == 1, "it fills the width"
    QTest.mouseClick(page.flame.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(int(left + 20), AXIS + 6))
    screen.take()
    assert page.flame.flame is not None
    assert page.flame.flame.above == 0, "its caller leads back"
    screen.press(Qt.Key.Key_Down)
    screen.press(Qt.Key.Key_Return)
    assert "Enlarged" in page.trace_head.notes.accessibleName()
    screen.press(Qt.Key.Key_Escape)
    assert "Enlarged" not in page.trace_head.notes.accessibleName()
    assert page.flame.isVisible()
    screen.press(Qt.Key.Key_Escape)
    assert page.traces.isVisible()


def test_typing_offers_services_and_tab_takes_one(screen: Screen) -> None:
    page = page_of(screen)
    screen.press(Qt.Key.Key_Slash, text="/")
    assert screen.window.focusWidget() is page.head.field
    screen.write("service:mai")
    assert screen.is_shown("Completions")
    screen.press(Qt.Key.Key_Tab)
    assert page.head.field.text() == "service:mailer "
    assert screen.window.focusWidget() is page.head.field
    assert page.head.field.cursorPosition() == len("service:mailer ")
    screen.press(Qt.Key.Key_Return)
    screen.pass_time(2)
    assert screen.window.focusWidget() is page.traces
    assert all("POST /checkout" in row for row in rows_of(page.traces))


def test_a_log_record_opens_beside_the_list_and_leads_to_its_trace(screen: Screen) -> None:
    page = page_of(screen)
    screen.press(Qt.Key.Key_T)
    screen.press(Qt.Key.Key_F)
    screen.pass_time(2)
    assert all(row.startswith(("warn", "error")) for row in rows_of(page.logs))
    screen.session.navigation.open_logs("orders")
    screen.pass_time(2)
    screen.press(Qt.Key.Key_Return)
    assert page.log.isVisible()
    assert page.logs.isVisible()
    screen.press(Qt.Key.Key_G)
    screen.take()
    assert page.waterfall.isVisible()


def test_the_phone_shows_one_thing_after_the_other(demo: Any) -> None:
    screen = demo((390, 844))
    screen.session.go("traces")
    screen.pass_time(2)
    page = page_of(screen)
    assert page.width() <= 390
    assert page.traces.isVisible()
    page = open_failed(screen)
    assert not page.traces.isVisible()
    assert page.waterfall.viewport().height() >= AXIS + 3 * page.waterfall.row
    screen.session.navigation.open_logs("orders")
    screen.pass_time(2)
    screen.session.perform("open")
    screen.take()
    assert page.log.isVisible()
    assert not page.logs.isVisible()


def test_a_first_run_says_how_to_send_the_first_trace(demo: Any) -> None:
    screen = demo()
    screen.fake.traced = False
    screen.session.go("traces")
    screen.pass_time(2)
    assert screen.is_shown("Copy the command for OpenTelemetry")


@pytest.mark.parametrize("form", ["Waterfall", "Flame"])
def test_five_thousand_spans_are_painted_in_the_time_of_a_frame(screen: Screen, form: str) -> None:
    assert screen.fake is not None
    large = wide(5000)
    screen.fake.answer_to = lambda request: m.TraceFound(request.id, large.trace, large.spans, (), 5000)  # type: ignore[method-assign]
    screen.session.navigation.open_trace(large.trace)
    screen.session.choose("traces.form", form)
    screen.take()
    screen.take()
    page = page_of(screen)
    canvas = page.waterfall if form == "Waterfall" else page.flame
    assert canvas.view is not None
    assert len(canvas.view.spans) == 5000
    image = QImage(canvas.viewport().size(), QImage.Format.Format_RGB32)
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        canvas.viewport().render(image)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.05
    assert QRectF(canvas.viewport().rect()).height() > 200
