"""Histograms do what a plain dictionary of buckets does, and what the product's own bins say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.query.histogram import Buckets, Hint, Histogram, Stack, from_bins
from monitor.query.histogram_layout import reduced
from monitor.query.histogram_math import add, cell, divide, empty_cells, equal, scale, subtract, total
from monitor.query.histogram_over_time import mean, window_means, window_totals
from monitor.query.histogram_stacks import stacks_of
from monitor.query.histogram_stats import averages, counts, fractions, quantiles, sums, variances
from monitor.query.histogram_trim import trimmed
from monitor.query.history import Cells
from monitor.windows.bins import bins_of
from tests.monitor.query.slow_histograms import Slow, histograms, same


def cells_of(*found: Histogram | None) -> Cells:
    cells = empty_cells(len(found))
    cells[:] = found
    return cells


def custom(bounds: list[float], per_bucket: list[float], total_sum: float = 0.0) -> Histogram:
    buckets = Buckets(np.arange(len(per_bucket), dtype=np.int32), np.array(per_bucket, np.float64))
    return Histogram.of(-53, float(sum(per_bucket)), total_sum, positive=buckets, custom_values=np.array(bounds))


@given(histograms(), histograms())
def test_sums_and_differences_are_those_of_the_buckets(a: Slow, b: Slow) -> None:
    assert same(a.plus(b), add(cell(a.fast()), cell(b.fast())).cells[0])
    assert same(a.plus(b, -1.0), subtract(cell(a.fast()), cell(b.fast())).cells[0])


@given(st.lists(histograms(), min_size=1, max_size=5))
def test_a_total_is_the_sum_of_all(found: list[Slow]) -> None:
    whole = found[0]
    for more in found[1:]:
        whole = whole.plus(more)
    cells = empty_cells((len(found), 1))
    cells[:, 0] = [slow.fast() for slow in found]
    got = total(cells).cells[0]
    assert got.count == pytest.approx(whole.count)
    assert got.sum == pytest.approx(whole.total)
    assert got.schema == whole.schema
    assert got.counts.sum() == pytest.approx(whole.zero_count + sum(whole.buckets.values()))
    assert mean(cells).cells[0].count == pytest.approx(whole.count / len(found))


@given(st.lists(histograms(), min_size=2, max_size=5))
def test_a_total_is_the_same_for_one_time_as_for_many(found: list[Slow]) -> None:
    one = empty_cells((len(found), 1))
    one[:, 0] = [slow.fast() for slow in found]
    many = np.repeat(one, 12, axis=1)
    assert equal(np.repeat(total(one).cells, 12), total(many).cells).all()


@given(histograms(), st.integers(-4, 3))
def test_a_coarser_schema_merges_neighbours(slow: Slow, schema: int) -> None:
    if schema <= slow.schema:
        assert same(slow.coarser(schema), Histogram(reduced(slow.fast().alone(), schema)))


@given(histograms(), st.floats(0, 1))
def test_quantiles_are_those_of_the_buckets(slow: Slow, q: float) -> None:
    got = float(quantiles(cell(slow.fast()), q).values[0])
    wanted = slow.quantile(q)
    # At a bucket's very edge rounding decides for one bucket or the next: either is right.
    near = [slow.quantile(min(max(q + d, 0.0), 1.0)) for d in (-1e-9, 1e-9)]
    assert any(np.isclose(got, value, rtol=1e-6, equal_nan=True) for value in (wanted, *near))


@given(histograms(), st.floats(0.01, 0.99))
def test_the_fraction_below_a_quantile_is_that_quantile(slow: Slow, q: float) -> None:
    cells = cell(slow.fast())
    value = quantiles(cells, q).values
    back = fractions(cells, -np.inf, value).values
    inside = [n for lower, upper, n in slow.ordered() if lower < value[0] < upper]
    if slow.count and inside:
        assert back[0] == pytest.approx(q, abs=1e-6)


@given(histograms(), st.floats(-5, 5))
def test_what_is_trimmed_off_either_side_is_all_there_was(slow: Slow, value: float) -> None:
    cells = cell(slow.fast())
    below, above = trimmed(cells, value, keep_below=True)[0], trimmed(cells, value, keep_below=False)[0]
    assert below.count + above.count == pytest.approx(slow.count)


def test_the_products_bins_are_buckets_of_schema_6() -> None:
    values = np.array([-3.0, -0.25, 0.0, 0.1, 0.1, 7.5])
    bins, per_bin = np.unique(bins_of(values), return_counts=True)
    found = from_bins(bins, per_bin.astype(np.float64), len(values), float(values.sum()))
    assert (found.schema, found.count, found.zero_count) == (6, 6, 1)
    for bucket in found.buckets():
        inside = (
            (values > bucket.lower) & (values <= bucket.upper)
            if bucket.upper > 0
            else (values >= bucket.lower) & (values < bucket.upper)
        )
        assert bucket.count == (inside.sum() if bucket.lower != bucket.upper else 1)


def test_a_histogram_is_written_as_prometheus_writes_it() -> None:
    histogram = Histogram.of(
        0,
        7.0,
        1234567.5,
        zero_threshold=0.75,
        zero_count=1.5,
        positive=Buckets(np.array([0, 2], np.int32), np.array([3.0, 0.0])),
        negative=Buckets(np.array([1, 3], np.int32), np.array([2.0, 1e7])),
    )
    assert str(histogram) == "{count:7, sum:1.2345675e+06, [-8,-4):1e+07, [-2,-1):2, [-0.75,0.75]:1.5, (0.5,1]:3}"
    assert str(custom([5.0], [1.0, 2.0])) == "{count:3, sum:0, [-Inf,5]:1, (5,+Inf]:2}"


def test_exponential_and_custom_buckets_do_not_mix() -> None:
    exponential = Histogram.of(0, 1.0, positive=Buckets(np.array([0], np.int32), np.array([1.0])))
    found = add(cells_of(exponential, None), cells_of(custom([1.0], [1.0, 0.0]), exponential))
    assert found.cells.tolist() == [None, None]
    assert found.mixed.tolist() == [True, False]


def test_custom_bounds_that_differ_keep_those_that_both_have() -> None:
    found = add(cell(custom([5.0, 10.0], [1.0, 2.0, 3.0])), cell(custom([10.0, 20.0], [10.0, 20.0, 30.0])))
    assert found.reconciled.all()
    assert found.cells[0].custom_values.tolist() == [10.0]
    assert found.cells[0].positive.counts.tolist() == [13.0, 53.0]


def test_custom_buckets_interpolate_in_straight_lines() -> None:
    cells = cell(custom([5.0, 10.0], [1.0, 2.0, 1.0], 20.0))
    assert quantiles(cells, 0.5).values[0] == pytest.approx(7.5)
    assert quantiles(cells, 1.0).values[0] == 10.0
    assert fractions(cells, 5.0, 7.5).values[0] == pytest.approx(0.25)


def test_a_gauge_makes_a_sum_a_gauge_and_a_reset_against_no_reset_is_told() -> None:
    hinted = {hint: Histogram.of(0, 1.0, hint=hint) for hint in Hint}
    found = add(cells_of(hinted[Hint.GAUGE], hinted[Hint.RESET]), cells_of(hinted[Hint.RESET], hinted[Hint.NO_RESET]))
    assert [h.hint for h in found.cells] == [Hint.GAUGE, Hint.UNKNOWN]
    assert found.collided.tolist() == [False, True]


def test_scaling_and_dividing_go_for_every_part() -> None:
    histogram = Histogram.of(1, 6.0, 12.0, zero_count=2.0, positive=Buckets(np.array([1], np.int32), np.array([4.0])))
    twice = scale(cell(histogram), 2.0)
    assert equal(divide(twice, 2.0), cell(histogram)).all()
    assert scale(cell(histogram), -1.0)[0].hint == Hint.GAUGE
    by_zero = divide(cell(histogram), 0.0)[0]
    assert (by_zero.count, by_zero.zero_count, len(by_zero.positive.counts)) == (np.inf, np.inf, 0)


def test_averages_and_spread() -> None:
    ones = Histogram.of(0, 4.0, 10.0, positive=Buckets(np.array([1], np.int32), np.array([4.0])))
    cells = cells_of(ones, None)
    assert counts(cells)[0] == 4.0
    assert sums(cells)[0] == 10.0
    assert averages(cells)[0] == 2.5
    assert variances(cells)[0] == pytest.approx((2.5 - 2**0.5) ** 2)
    assert np.isnan([counts(cells)[1], sums(cells)[1], averages(cells)[1], variances(cells)[1]]).all()


def test_observations_that_are_no_numbers_are_left_out_and_told() -> None:
    with_nan = Histogram.of(0, 15.0, np.nan, positive=Buckets(np.array([0], np.int32), np.array([12.0])))
    high, low = quantiles(cell(with_nan), 0.9), quantiles(cell(with_nan), 0.4)
    assert np.isnan(high.values[0])
    assert high.nan_result[0]
    assert low.nan_skewed[0]
    share = fractions(cell(with_nan), -np.inf, np.inf)
    assert share.values[0] == pytest.approx(0.8)
    assert share.nan_skewed[0]


def test_a_mean_survives_sums_beyond_the_largest_float() -> None:
    huge = Histogram.of(0, 1.5e308, 1.0)
    cells = empty_cells((2, 1))
    cells[:, 0] = [huge, huge]
    assert mean(cells).cells[0].count == pytest.approx(1.5e308)


def test_windows_sum_up_what_is_in_them() -> None:
    cells = cells_of(*(Histogram.of(0, float(n), float(n)) for n in (1, 2, 4, 8)))
    found = window_totals(cells, np.array([0, 1, 2]), np.array([2, 4, 2]))
    assert [None if h is None else h.count for h in found.cells] == [3.0, 14.0, None]


@given(st.lists(histograms(), min_size=1, max_size=8), st.data())
def test_windows_over_any_histograms_are_totals_of_what_is_in_them(found: list[Slow], data: st.DataObject) -> None:
    same_buckets = data.draw(st.booleans())
    cells = cells_of(*(slow.fast() for slow in ([found[0]] * len(found) if same_buckets else found)))
    start = data.draw(st.integers(0, len(cells)))
    end = data.draw(st.integers(start, len(cells)))
    window = np.array([start]), np.array([end])
    sums, means = window_totals(cells, *window).cells, window_means(cells, *window).cells
    if start == end:
        assert (sums[0], means[0]) == (None, None)
        return
    laid = cells[start:end, np.newaxis]
    assert equal(sums, total(laid).cells).all()
    assert counts(means)[0] == pytest.approx(counts(mean(laid).cells)[0])
    assert sums[0].hint == total(laid).cells[0].hint


def test_cells_of_one_stack_come_back_as_a_view_of_it() -> None:
    stack = Stack(custom([1.0], [1.0, 2.0]).layout, np.arange(9.0).reshape(3, 3), np.ones(3), np.ones(3), np.zeros(3, np.int8))
    ((positions, found),) = stacks_of(stack.cells())
    assert positions.tolist() == [0, 1, 2]
    assert np.shares_memory(found.counts, stack.counts)


def test_a_schema_that_there_is_not_and_bounds_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="schema 9"):
        Histogram.of(9)
    with pytest.raises(ValueError, match="must rise"):
        custom([2.0, 1.0], [1.0])
