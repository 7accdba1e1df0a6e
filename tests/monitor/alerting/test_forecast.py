from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting.forecast import crossing, fit


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.none()), min_size=12, max_size=40))
def test_the_line_is_that_of_least_squares(values: list[float | None]) -> None:
    times = np.arange(-len(values) + 1.0, 1.0)
    given_values = np.array([np.nan if value is None else value for value in values])
    lines = fit(times, given_values[None, :])
    there = ~np.isnan(given_values)
    if there.sum() < 10:
        assert math.isnan(lines.slope[0])
        return
    slope, level = np.polyfit(times[there], given_values[there], 1)
    assert lines.slope[0] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert lines.level[0] == pytest.approx(level, rel=1e-6, abs=1e-5)


def test_the_bound_holds_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    times = np.arange(-59.0, 1.0)
    values = 3 * times + random.normal(0, 10, (4000, 60))
    later = 3 * 60.0 + random.normal(0, 10, 4000)
    lines = fit(times, values)
    for confidence in (0.8, 0.95, 0.99):
        held = (later <= lines.at(60.0) + lines.margin(60.0, confidence)).mean()
        assert held == pytest.approx(confidence, abs=0.015)


def test_few_points_give_no_forecast() -> None:
    lines = fit(np.arange(9.0), np.arange(9.0)[None, :])
    assert np.isnan(lines.at(10.0)).all()


def test_when_a_line_crosses_is_told_in_seconds() -> None:
    lines = fit(np.arange(-19.0, 1.0), np.arange(-19.0, 1.0)[None, :])
    assert crossing(lines, 0, 100.0) == pytest.approx(100.0)
    assert crossing(lines, 0, -5.0) == 0.0
    flat = fit(np.arange(-19.0, 1.0), np.full((1, 20), 5.0))
    assert crossing(flat, 0, 100.0) == math.inf
