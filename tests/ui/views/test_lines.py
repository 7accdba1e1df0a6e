from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ui.views.lines import broken_at, common, finite, holes, level, nearest, pace_now, spark, thin, usual_interval

T = np.arange(1000.0)


@given(st.integers(0, 2**32 - 1), st.integers(4, 200), st.integers(0, 900))
def test_thinning_keeps_every_extreme_and_the_order(seed: int, points: int, missing: int) -> None:
    rng = np.random.default_rng(seed)
    keep = np.sort(rng.choice(1000, 1000 - missing, replace=False))
    times, values = T[keep], rng.normal(size=len(keep))
    thinned_times, thinned = thin(times, values, points, 1000.0)
    assert thinned.min() == values.min()
    assert thinned.max() == values.max()
    assert thinned_times[-1] == times[-1]
    assert (np.diff(thinned_times) >= 0).all()
    if len(times) > points:
        assert len(thinned) <= points + 4


def test_a_line_keeps_its_shape_while_it_moves_on() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    before = dict(zip(*(a.tolist() for a in thin(T[:900], values[:900], 100, 900.0)), strict=True))
    after = dict(zip(*(a.tolist() for a in thin(T[1:901], values[1:901], 100, 900.0)), strict=True))
    assert len(before.keys() ^ after.keys()) <= 6


def test_a_hole_of_three_intervals_is_a_gap_and_a_smaller_one_is_not() -> None:
    values = np.ones(12)
    values[[4, 5, 6, 9]] = np.nan
    assert holes(np.arange(12.0), values, 1.0) == [(3.0, 7.0)]
    times = np.array([0.0, 1, 2, 3, 7, 8, 10, 11])
    assert usual_interval(times, 0.5) == 1.0
    t, v = broken_at(times, np.ones(8), [(3.0, 7.0)])
    assert np.isnan(v[4])
    assert t[4] == 5.0


def test_only_what_every_line_lacks_is_a_gap_of_the_chart() -> None:
    assert common([[(0.0, 10.0)], [(5.0, 20.0)]]) == [(5.0, 10.0)]
    assert common([[(0.0, 10.0)], []]) == []
    assert common([]) == []


def test_points_without_a_value_are_left_out_of_the_range() -> None:
    values = np.where(T % 2 == 0, T, np.nan)
    times, found = finite(T, values, 10.0, 14.0)
    assert times.tolist() == found.tolist() == [10.0, 12.0, 14.0]


def test_the_level_is_a_median_not_a_single_point() -> None:
    values = np.ones(1000)
    values[500] = 1e9
    assert level(T, values, 500.0, 20.0) == 1.0
    assert np.isnan(level(T, values, 5000.0, 20.0))


def test_a_spark_has_sixty_parts_and_says_nothing_where_nothing_is_known() -> None:
    line = spark(T[:500], np.full(500, 7.0), 0.0, 1000.0)
    assert len(line) == 60
    assert np.nanmax(line) == 7.0
    assert np.isnan(line[40:]).all()
    assert np.isnan(spark(np.empty(0), np.empty(0), 0.0, 1.0)).all()


def test_a_reading_is_the_nearest_point_within_reach() -> None:
    assert nearest(T, T, 41.4, 3.0) == 41.0
    assert np.isnan(nearest(T, T, 2000.0, 3.0))
    assert np.isnan(nearest(np.empty(0), np.empty(0), 0.0, 3.0))


def test_a_coarser_past_before_a_finer_present_is_no_hole() -> None:
    times = np.concatenate([np.arange(0.0, 30.0, 10.0), np.arange(30.0, 70.0)])
    assert holes(times, np.ones(len(times)), 1.0) == []


def test_the_pace_is_that_of_the_newest_points() -> None:
    assert pace_now(np.concatenate([np.arange(0.0, 300.0, 10.0), np.arange(300.0, 310.0)]), 1.0) == 1.0
