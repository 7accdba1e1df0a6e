"""Functions of ranges give what they give sample by sample, whatever the times, holes, staleness markers and numbers are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.query.evaluator import Evaluator
from monitor.query.history import Answer
from tests.monitor.query import slow_promql
from tests.monitor.query.promql_cases import CANCELLING, ODD, PLAIN, Case, cases, close, labels, points_of, rows
from tests.monitor.query.slow_promql import OVER_TIME, Points, window

NUMBERS = st.one_of(PLAIN, CANCELLING)
ANY = st.one_of(PLAIN, CANCELLING, ODD)


def asked(case: Case, expr: str) -> Answer:
    return Evaluator(case.history).range(expr, case.start, case.end, case.step)


def by_series(answer: Answer) -> dict[str, dict[int, float]]:
    return {dict(own)["job"]: values for own, values in rows(answer).items()}


def hold(case: Case, expr: str, wanted: object, relative: float = 1e-9, absolute: float = 0.0) -> None:
    """Every series at every step is as `wanted(points in the window, all points, start, end)` says; None: no sample."""
    assert callable(wanted)
    found = by_series(asked(case, expr))
    for own, samples in case.series.items():
        points = points_of(samples, case.times)
        values = found.get(dict(own)["job"], {})
        for time in case.steps.tolist():
            inside = window(points, time - case.range, time)
            value = wanted(inside, points, time - case.range, time) if inside else None
            assert (value is None) == (time not in values), (own, time, value, values.get(time))
            assert value is None or close(values[time], value, relative, absolute), (own, time, value, values[time])


def numbers(case: Case) -> list[float]:
    """The sizes of a case's finite numbers."""
    every = [v for samples in case.series.values() for v in samples if isinstance(v, float)]
    return [abs(value) for value in every if math.isfinite(value)]


@pytest.mark.parametrize("func", sorted(OVER_TIME))
@settings(max_examples=25, deadline=None)
@given(case=cases(ANY))
def test_over_time(func: str, case: Case) -> None:
    biggest = max(numbers(case), default=0.0)
    if func in ("avg_over_time", "sum_over_time"):
        assume(biggest < 1e300)
    absolute = 0.0
    if func in ("stddev_over_time", "stdvar_over_time"):
        assume(biggest < 1e100)
        # A variance is as exact as the squares of its largest values allow.
        absolute = biggest**2 * 1e-14 if func == "stdvar_over_time" else biggest * 1e-7
    hold(case, f"{func}(metric[{case.range}ms])", lambda inside, *_: OVER_TIME[func](inside), absolute=absolute)


@settings(max_examples=20, deadline=None)
@given(case=cases(st.sampled_from((1e308, 1.7e308, -1e308, 1.0))))
def test_means_of_numbers_whose_sum_is_no_float(case: Case) -> None:
    hold(case, f"avg_over_time(metric[{case.range}ms])", lambda inside, *_: OVER_TIME["avg_over_time"](inside))


@settings(max_examples=30, deadline=None)
@given(case=cases(NUMBERS))
def test_rate_increase_and_delta_extrapolate_as_prometheus_does(case: Case) -> None:
    for func, counter, per_second in (("rate", True, True), ("increase", True, False), ("delta", False, False)):

        def wanted(inside: Points, _: Points, start: int, end: int, c: bool = counter, p: bool = per_second) -> float | None:
            return slow_promql.extrapolated(inside, start, end, c, p)

        hold(case, f"{func}(metric[{case.range}ms])", wanted)


@settings(max_examples=20, deadline=None)
@given(case=cases(PLAIN))
def test_irate_and_idelta_take_the_last_two_samples(case: Case) -> None:
    hold(case, f"irate(metric[{case.range}ms])", lambda inside, *_: slow_promql.last_two(inside, counter=True))
    hold(case, f"idelta(metric[{case.range}ms])", lambda inside, *_: slow_promql.last_two(inside, counter=False))


@settings(max_examples=25, deadline=None)
@given(case=cases(PLAIN))
def test_anchored_ranges_begin_with_the_sample_before_them(case: Case) -> None:
    for func, counter in (("increase", True), ("delta", False)):

        def wanted(inside: Points, points: Points, start: int, end: int, c: bool = counter) -> float | None:
            return slow_promql.anchored(inside, points, start, c)

        hold(case, f"{func}(metric[{case.range}ms] anchored)", wanted, absolute=1e-6)


@settings(max_examples=25, deadline=None)
@given(case=cases(ANY), q=st.one_of(st.floats(0, 1), st.sampled_from((-0.1, 1.1, math.nan))))
def test_quantile_over_time(case: Case, q: float) -> None:
    shown = "NaN" if math.isnan(q) else repr(q)
    hold(
        case,
        f"quantile_over_time({shown}, metric[{case.range}ms])",
        lambda inside, *_: slow_promql.quantile(q, [value for _, value in inside]),
    )


@settings(max_examples=20, deadline=None)
@given(case=cases(PLAIN))
def test_median_deviation_and_smoothing(case: Case) -> None:
    def deviation(inside: Points, *_: object) -> float:
        values = [value for _, value in inside]
        middle = slow_promql.quantile(0.5, values)
        return slow_promql.quantile(0.5, [abs(value - middle) for value in values])

    hold(case, f"mad_over_time(metric[{case.range}ms])", deviation, absolute=1e-9)
    hold(
        case,
        f"double_exponential_smoothing(metric[{case.range}ms], 0.3, 0.6)",
        lambda inside, *_: slow_promql.smoothed([value for _, value in inside], 0.3, 0.6),
        absolute=1e-6,
    )


@settings(max_examples=20, deadline=None)
@given(case=cases(PLAIN))
def test_linear_regression(case: Case) -> None:
    def slope(inside: Points, *_: object) -> float | None:
        return slow_promql.regression(inside, inside[0][0])[0] if len(inside) > 1 else None

    def ahead(inside: Points, points: Points, start: int, end: int) -> float | None:
        if len(inside) < 2:
            return None
        rise, level = slow_promql.regression(inside, end)
        return rise * 60 + level

    hold(case, f"deriv(metric[{case.range}ms])", slope, relative=1e-6, absolute=1e-6)
    hold(case, f"predict_linear(metric[{case.range}ms], 60)", ahead, relative=1e-6, absolute=1e-2)


def test_long_windows_of_numbers_that_cancel_lose_nothing() -> None:
    times = list(range(1000, 401_000, 1000))
    values = [1e100, 1.0, -1e100, 3.0] * 100
    case = Case({labels(job="0"): list(values)}, times, 400_000, 400_000, 1, 399_500)
    wanted = math.fsum(values)
    found = by_series(Evaluator(case.history).range("sum_over_time(metric[399500ms])", 200_000, 400_000, 1000))["0"]
    assert found[400_000] == wanted
    for time, value in found.items():
        assert value == math.fsum(v for t, v in zip(times, values, strict=True) if time - 399_500 < t <= time)


def test_histories_that_are_coarse_or_long_give_the_same_sums_by_either_way_of_summing() -> None:
    random = np.random.default_rng(5)
    times = list(range(15_000, 15_000 * 2000, 15_000))
    samples = np.round(random.normal(50, 20, len(times)), 2).tolist()
    case = Case({labels(job="0"): samples}, times, 0, 0, 1, 3_600_000)
    found = by_series(Evaluator(case.history).range("sum_over_time(metric[1h])", 0, times[-1], 60_000))["0"]
    points = points_of(samples, times)
    for time in list(found)[::37]:
        assert close(found[time], math.fsum(v for _, v in window(points, time - 3_600_000, time)), 1e-15)


@pytest.mark.parametrize("outlier", [1e9, 1e15, 1e60, 1e200, math.inf, math.nan])
def test_what_a_series_was_long_ago_does_not_blur_its_spread_and_trend(outlier: float) -> None:
    random = np.random.default_rng(7)
    times = list(range(15_000, 15_000 * 400, 15_000))
    samples = (1e6 + np.cumsum(random.normal(0, 1, len(times)))).tolist()
    samples[20] = outlier
    samples[100:200] = [1e6] * 100
    case = Case({labels(job="0"): samples}, times, 0, 0, 1, 0)
    span = (0, times[-1], 30_000)
    spread = by_series(Evaluator(case.history).range("stdvar_over_time(metric[10m])", *span))["0"]
    slope = by_series(Evaluator(case.history).range("deriv(metric[10m])", *span))["0"]
    level = by_series(Evaluator(case.history).range("predict_linear(metric[10m], 0)", *span))["0"]
    points = points_of(samples, times)
    for time in list(spread)[40::7]:
        inside = window(points, time - 600_000, time)
        values = [value for _, value in inside]
        assert close(spread[time], slow_promql.exact_variance(values), 1e-9)
        rise, now = slow_promql.regression(inside, time)
        assert close(slope[time], rise, 1e-9, 1e-12)
        assert close(level[time], now, 1e-12)
    middle = window(points, 150 * 15_000 - 600_000, 150 * 15_000)
    assert spread[150 * 15_000] == 0.0
    assert slope[150 * 15_000] == 0.0
    assert level[150 * 15_000] == middle[0][1]
