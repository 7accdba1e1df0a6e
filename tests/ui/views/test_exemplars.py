"""Exemplars in Explore: drawn where they were observed, stepped through, and followed to their traces."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.wire import messages as m
from tests.ui.views.conftest import Stage
from ui.views.exemplarplaces import placed
from ui.views.view import ExemplarMark, ExploreView, Line, Value


def view(stage: Stage) -> ExploreView:
    explore = stage.session.picture().explore
    assert explore is not None
    return explore


@pytest.fixture
def latency(demo: Stage) -> Stage:
    """The latency of a service on the chart, its exemplars answered."""
    demo.press("2")
    demo.tick(2)
    demo.session.set_text("search", "latency service=checkout")
    demo.session.submit("search")
    demo.settle()
    demo.tick(2)
    return demo


def test_a_latency_has_diamonds_within_its_chart(latency: Stage) -> None:
    chart = view(latency).chart
    assert chart.exemplars
    low, high = (10.0 ** chart.y[0], 10.0 ** chart.y[1]) if chart.log else chart.y
    assert all(chart.x[0] <= mark.at <= chart.x[1] and low <= mark.value <= high for mark in chart.exemplars)
    assert {mark.colour for mark in chart.exemplars} == {chart.lines[0].colour}
    assert chart.exemplars[0].words.startswith("trace ")
    assert "operation=" in chart.exemplars[0].words


def test_a_series_without_any_says_so(demo: Stage) -> None:
    demo.press("2")
    demo.session.set_text("search", "queue.depth")
    demo.session.submit("search")
    demo.tick(2)
    assert view(demo).chart.exemplars == ()
    assert not demo.session.perform("exemplar.next")
    assert "No exemplars in the time shown" in demo.toast


def test_keys_step_through_them_and_enter_opens_the_trace(latency: Stage) -> None:
    latency.press("o")
    first = view(latency)
    assert [mark.chosen for mark in first.chart.exemplars].index(True) == 0
    assert f"(1 of {len(first.chart.exemplars)} exemplars)" in first.exemplar
    latency.press("o")
    assert f"(2 of {len(first.chart.exemplars)} exemplars)" in view(latency).exemplar
    latency.press("shift+o", "shift+o")
    assert f"({len(first.chart.exemplars)} of" in view(latency).exemplar
    latency.press("enter")
    picture = latency.settle()
    assert picture.frame.page == "traces"


def test_escape_leaves_them_before_anything_else(latency: Stage) -> None:
    latency.press("o", "escape")
    assert view(latency).exemplar == ""
    assert view(latency).search == "latency service=checkout"


def test_a_trace_that_is_not_kept_is_told_and_its_id_copied(latency: Stage) -> None:
    copied: list[str] = []
    latency.session.on_copy = copied.append
    latency.press("o")
    latency.fake.traced = False
    latency.press("enter")
    assert latency.session.picture().frame.page == "explore"
    assert "is not kept here. Its id was copied." in latency.toast
    assert len(copied[0]) == 32


def test_a_click_chooses_and_opens(latency: Stage) -> None:
    latency.session.choose("exemplar", view(latency).chart.exemplars[-1].key)
    assert latency.settle().frame.page == "traces"


def test_one_that_is_gone_does_nothing(latency: Stage) -> None:
    latency.session.choose("exemplar", "gone")
    assert latency.settle().frame.page == "explore"
    assert view(latency).exemplar == ""


def test_they_are_asked_for_every_few_seconds_and_not_with_each_picture(latency: Stage) -> None:
    latency.sent.clear()
    latency.tick(10)
    assert 1 <= sum(isinstance(one, m.GetExemplars) for one in latency.sent) <= 3


def test_on_a_count_they_stand_on_the_line(latency: Stage) -> None:
    latency.session.choose("field", "rate")
    latency.settle()
    latency.tick(2)
    chart = view(latency).chart
    assert chart.exemplars
    line = chart.lines[0]
    for mark in chart.exemplars:
        known = np.isfinite(line.values)
        near = np.abs(line.times[known] - mark.at).argmin()
        assert mark.value == pytest.approx(float(line.values[known][near]))


def test_queries_have_them_too(latency: Stage) -> None:
    latency.press("e")
    latency.session.choose("query.view", "Chart")
    latency.tick(3)
    assert view(latency).queries is not None
    assert view(latency).chart.exemplars


def test_places_are_within_the_axis_and_on_a_line_where_values_are_of_another_kind() -> None:
    line = Line("a", np.array([0.0, 10.0]), np.array([1.0, 3.0]), "series-1", Value(""))
    marks = [ExemplarMark(9.0, math.nan, "series-1", "a", ""), ExemplarMark(5.0, 99.0, "series-1", "b", "")]
    found = placed([*marks, ExemplarMark(50.0, 1.0, "series-1", "c", "")], [line], (0.0, 10.0), (0.0, 4.0), False, False)
    assert [(mark.key, mark.value) for mark in found] == [("a", 3.0), ("b", 4.0)]
    assert [mark.value for mark in placed(marks, [line], (0.0, 10.0), (0.0, 4.0), False, True)] == [3.0, 1.0]
    assert placed(marks[:1], [], (0.0, 10.0), (0.0, 4.0), False, False) == ()
