"""Explore's queries in the window: typed, completed, mended, looked at and saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui.desktop.conftest import Screen, rows_of
from ui.desktop.completion import ROW, Completion
from ui.desktop.plainedit import from_qt, to_qt
from ui.desktop.queryedit import QueryEdit

LATENCY = "histogram_quantile(0.99, sum by (service) (rate(shop_latency[1m])))"


@pytest.fixture
def lab(demo: Any) -> Screen:
    return explore(demo())


def explore(screen: Screen) -> Screen:
    screen.press(Qt.Key.Key_2, text="2")
    screen.pass_time(2)
    return screen


def page(screen: Screen) -> Any:
    return screen.window.page("explore")


def edits(screen: Screen) -> list[QueryEdit]:
    return [line.edit for line in page(screen).queries.lines if line.isVisible()]


def ask(screen: Screen, *texts: str) -> None:
    for text in texts:
        screen.session.perform("query.new")
        screen.session.set_text("query", text, len(text))
        screen.session.key("enter", True)
        screen.session.focus("")
    screen.pass_time(3)


def completion(screen: Screen) -> Completion:
    found: Completion = screen.named("Completions")  # type: ignore[assignment]
    return found


def test_a_query_is_written_completed_and_run_by_keys_alone(lab: Screen) -> None:
    lab.press(Qt.Key.Key_N, text="n")
    (edit,) = edits(lab)
    assert QApplication.focusWidget() is edit
    lab.write("ra")
    lab.write("te")
    offers = completion(lab).view
    assert offers is not None
    assert offers.rows[0].detail == "rate(m range-vector)"
    lab.press(Qt.Key.Key_Tab)
    assert edit.toPlainText() == "rate()"
    assert edit.textCursor().position() == 5
    lab.write("shop_req")
    lab.press(Qt.Key.Key_Return)
    lab.write("[1")
    lab.press(Qt.Key.Key_Down)
    lab.press(Qt.Key.Key_Tab)
    assert edit.toPlainText() == "rate(shop_requests[1m)"
    lab.write("]")
    lab.press(Qt.Key.Key_Return)
    lab.pass_time(2)
    assert page(lab).chart.plot.isVisible()
    assert page(lab).queries.lines[0].note.text.startswith("9 series")
    assert QApplication.focusWidget() is edit
    lab.press(Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is not edit
    assert not lab.is_shown("Completions")


def test_the_text_is_coloured_while_it_is_typed(lab: Screen) -> None:
    lab.press(Qt.Key.Key_N, text="n")
    for character in "sum(up[1m":
        lab.write(character)
    (edit,) = edits(lab)
    lab.press(Qt.Key.Key_Escape)
    spans = edit.document().firstBlock().layout().formats()
    coloured = {(s.start, s.length): s.format.foreground().color().name() for s in spans}
    assert coloured[(0, 3)] == edit.look.colour("series-8").name()
    assert coloured[(7, 2)] == edit.look.colour("series-3").name()


def test_letters_typed_into_a_query_are_no_actions(lab: Screen) -> None:
    lab.press(Qt.Key.Key_N, text="n")
    lab.write("vhdnsp1: ")
    (edit,) = edits(lab)
    assert edit.toPlainText() == "vhdnsp1: "


def test_a_click_takes_an_offer_and_the_caret_stays_in_the_query(lab: Screen) -> None:
    lab.press(Qt.Key.Key_N, text="n")
    lab.write("shop_")
    shown = completion(lab)
    assert shown.view is not None
    name = shown.view.rows[1].text
    QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=QPoint(60, 4 + ROW + ROW // 2))
    lab.take()
    (edit,) = edits(lab)
    assert edit.toPlainText() == name
    assert QApplication.focusWidget() is edit


def test_offers_stay_inside_the_window(demo: Any) -> None:
    screen = explore(demo((700, 480)))
    screen.press(Qt.Key.Key_N, text="n")
    screen.write("host_")
    shown = completion(screen)
    assert screen.window.rect().contains(shown.geometry())


def test_a_mistake_is_underlined_explained_and_mended_with_one_key(lab: Screen) -> None:
    lab.press(Qt.Key.Key_N, text="n")
    lab.write("rate(shop_requests)")
    lab.pass_time(1)
    (edit,) = edits(lab)
    (mark,) = edit.extraSelections()
    assert mark.cursor.selectedText() == "shop_requests"
    problem = page(lab).queries.problem
    assert problem.isVisible()
    assert problem.accessibleName() == "Line 1, column 6: `rate` needs a range. Write shop_requests[1m]."
    assert problem.height() >= 24
    lab.press(Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert edit.toPlainText() == "rate(shop_requests[1m])"
    assert not problem.isVisible()


def test_typing_is_never_overwritten_while_answers_come(lab: Screen) -> None:
    lab.press(Qt.Key.Key_N, text="n")
    lab.write("host_cpu_busy")
    lab.pass_time(3)
    lab.press(Qt.Key.Key_Home)
    lab.write("2 * ")
    lab.pass_time(2)
    (edit,) = edits(lab)
    assert edit.toPlainText() == "2 * host_cpu_busy"
    assert edit.textCursor().position() == 4
    lab.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert edit.toPlainText() != "2 * host_cpu_busy"


def test_lines_are_broken_with_shift_enter_and_the_text_grows(lab: Screen) -> None:
    lab.press(Qt.Key.Key_N, text="n")
    (edit,) = edits(lab)
    before = edit.height()
    lab.write("sum(")
    lab.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert edit.toPlainText() == "sum(\n"
    assert edit.height() > before


def test_each_query_is_a_line_with_its_letter_and_can_be_hidden_and_removed(lab: Screen) -> None:
    ask(lab, LATENCY, "sum(rate(shop_requests[1m]))")
    assert [edit.accessibleName() for edit in edits(lab)] == ["Query A", "Query B"]
    assert [card.isVisible() for card in page(lab).more] == [True]
    QTest.mouseClick(lab.named("Hide query B"), Qt.MouseButton.LeftButton)
    lab.take()
    assert lab.is_shown("Show query B")
    assert not any(card.isVisible() for card in page(lab).more)
    QTest.mouseClick(lab.named("Remove query A"), Qt.MouseButton.LeftButton)
    lab.take()
    assert [edit.accessibleName() for edit in edits(lab)] == ["Query B"]


def test_a_click_into_another_query_writes_in_that_one(lab: Screen) -> None:
    ask(lab, "host_cpu_busy", "vector(1)")
    first = edits(lab)[0]
    QTest.mouseClick(first.viewport(), Qt.MouseButton.LeftButton)
    lab.take()
    lab.press(Qt.Key.Key_End)
    lab.write(" + 1")
    assert [q.text for q in lab.session.explore.deck.queries.items] == ["host_cpu_busy + 1", "vector(1)"]


def test_the_table_has_the_labels_that_differ_as_columns(lab: Screen) -> None:
    ask(lab, "rate(shop_requests[1m])")
    lab.press(Qt.Key.Key_V, text="v")
    lab.pass_time(1)
    answers = page(lab).answers
    assert answers.isVisible()
    assert not page(lab).chart.isVisible()
    heads = [answers.table.rows_model.headerData(i, Qt.Orientation.Horizontal) for i in range(6)]
    assert heads == ["", "service", "Last", "Min", "Max", "Mean"]
    assert answers.head.title.text == "env=prod"
    assert rows_of(answers.table)[0].startswith("A | edge | 1,3")


def test_histograms_are_bars_where_there_are_no_lines(lab: Screen) -> None:
    ask(lab, 'rate(shop_latency{service="cart"}[1m])')
    lab.pass_time(2)
    assert page(lab).bars_card.isVisible()
    assert not page(lab).chart.isVisible()
    assert "p99 34.8 ms" in page(lab).bars.accessibleDescription()


@pytest.mark.parametrize("size", [(1440, 900), (1024, 700), (390, 844)])
def test_nothing_reaches_beyond_the_page_at_any_size(demo: Any, size: tuple[int, int]) -> None:
    screen = explore(demo(size))
    ask(screen, LATENCY, "sum(rate(shop_errors[1m]))")
    found = page(screen)
    wide = found.viewport().width()
    for card in (found.queries, found.chart, *found.more, found.answers):
        if card.isVisible():
            left = card.mapTo(found.viewport(), QPoint(0, 0)).x()
            assert 0 <= left <= left + card.width() <= wide
    if size[0] > 700:
        assert found.body.height() <= found.viewport().height()


def test_what_is_shown_is_saved_as_csv_and_as_a_picture(lab: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.desktop.app.QStandardPaths.writableLocation", lambda place: str(tmp_path))
    ask(lab, "host_cpu_busy")
    lab.press(Qt.Key.Key_S, text="s")
    lab.press(Qt.Key.Key_P, text="p")
    lab.press(Qt.Key.Key_S, text="s")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.rpartition(".")[2] for name in names] == ["csv", "csv", "png"]
    assert names[0].replace("-2.csv", ".csv") == names[1] or names[1].replace("-2.csv", ".csv") == names[0]
    image = QImage(str(next(tmp_path.glob("*.png"))))
    assert image.width() == 2 * page(lab).chart.width()


def test_a_name_is_typed_where_the_query_is_kept(lab: Screen) -> None:
    ask(lab, "host_cpu_busy")
    lab.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert lab.is_shown("Name of the query")
    lab.write("How busy")
    lab.press(Qt.Key.Key_Return)
    assert [saved.name for saved in lab.session.explore.deck.queries.saved] == ["How busy"]
    assert not lab.is_shown("Name of the query")


def test_places_are_counted_as_qt_does_beyond_the_basic_plane() -> None:
    text = 'up{a="\U0001f600b"}'
    assert to_qt(text, 8) == 9
    assert from_qt(text, 9) == 8
    assert from_qt("plain", 3) == 3
