"""What is drawn of a line: never more than a screen can show, never less than matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.desktop.curves import dashed
from ui.desktop.envelope import LINE, nearest, trace

BOX = (0.0, 0.0, 300.0, 100.0)


def test_a_dense_line_becomes_at_most_one_segment_a_column() -> None:
    times = np.arange(3600.0)
    found = trace(times, np.sin(times), (0.0, 3600.0), (-1.0, 1.0), BOX)
    assert found.dense
    assert len(found.segments) == 300


def test_no_peak_is_lost_however_many_samples_share_its_column() -> None:
    times, values = np.arange(36_000.0), np.zeros(36_000)
    values[20_001] = 1.0
    found = trace(times, values, (0.0, 36_000.0), (0.0, 1.0), BOX)
    assert found.segments[:, 1].min() == pytest.approx(0.0, abs=LINE)


@given(st.integers(700, 4000), st.integers(0, 2**32 - 1))
def test_columns_hold_what_a_slow_walk_over_the_samples_finds(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0.0, 100.0, count))
    values = rng.normal(0.5, 0.3, count)
    found = trace(times, values, (0.0, 100.0), (0.0, 1.0), BOX)
    if not found.dense:
        return
    for x, low, _, high in found.segments:
        column = int(x)
        inside = values[(times >= column / 3.0) & (times < (column + 1) / 3.0)]
        if len(inside):
            top = np.clip(100.0 - inside.max() * 100.0, -100.0, 200.0)
            bottom = np.clip(100.0 - inside.min() * 100.0, -100.0, 200.0)
            assert low <= top + LINE
            assert high >= bottom - LINE


def test_neighbouring_columns_touch_so_that_a_steep_line_has_no_holes() -> None:
    times = np.arange(3000.0)
    found = trace(times, times / 3000.0 * 40.0, (0.0, 3000.0), (0.0, 1.0), (0.0, 0.0, 300.0, 100.0))
    tops, bottoms = found.segments[:, 1], found.segments[:, 3]
    assert (np.minimum(bottoms[:-1], bottoms[1:]) >= np.maximum(tops[:-1], tops[1:]) - 1e-6).all()


def test_a_gap_stays_open_in_sparse_and_in_dense_lines() -> None:
    for count in (200, 3600):
        times, values = np.linspace(0.0, 100.0, count), np.ones(count)
        values[(times > 40.0) & (times < 60.0)] = np.nan
        drawn = trace(times, values, (0.0, 100.0), (0.0, 2.0), BOX).segments
        assert not ((drawn[:, 0] > 125.0) & (drawn[:, 2] < 175.0)).any()


def test_a_lone_sample_is_seen() -> None:
    values = np.full(50, np.nan)
    values[25] = 1.0
    assert len(trace(np.arange(50.0), values, (0.0, 50.0), (0.0, 2.0), BOX).segments) == 1


@pytest.mark.parametrize("values", [[], [np.nan] * 5, [np.inf, 1.0, -np.inf]])
def test_nothing_infinite_or_missing_reaches_the_painter(values: list[float]) -> None:
    drawn = trace(np.arange(float(len(values))), np.array(values), (0.0, 5.0), (0.0, 1.0), BOX)
    assert np.isfinite(drawn.segments).all()


def test_the_last_known_point_is_where_the_dot_goes() -> None:
    found = trace(np.arange(4.0), np.array([0.0, 1.0, 0.5, np.nan]), (0.0, 3.0), (0.0, 1.0), (0.0, 0.0, 30.0, 100.0))
    assert found.last == pytest.approx((20.0, 50.0))


def test_the_nearest_sample_is_found_on_either_side() -> None:
    times = np.array([0.0, 10.0, 20.0])
    assert [nearest(times, at) for at in (-5.0, 4.0, 6.0, 99.0)] == [0, 0, 1, 2]
    assert nearest(np.empty(0), 1.0) == -1


def test_dashes_run_along_time_and_leave_out_what_lies_between() -> None:
    segments = np.array([[x + 0.5, 0.0, x + 0.5, 1.0] for x in range(20)])
    assert len(dashed(segments, [7, 3])) == 14
