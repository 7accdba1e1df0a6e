"""Selectors see the last sample of the look-back, no stale one, at the times that offset and @ name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from monitor.query.context import Limits
from monitor.query.evaluator import Evaluator
from monitor.query.history import Block, CanceledError, QueryError, TooManySamplesError
from tests.monitor.query.promql_cases import ODD, BlockHistory, Case, block, cases, close, labels, rows
from tests.monitor.query.slow_promql import last_before

MINUTE = 60_000


@settings(max_examples=80, deadline=None)
@given(case=cases(ODD))
def test_an_instant_selector_sees_the_last_sample(case: Case) -> None:
    found = rows(Evaluator(case.history).range("metric", case.start, case.end, case.step))
    for own, samples in case.series.items():
        points = [(time, s) for time, s in zip(case.times, samples, strict=True) if not isinstance(s, str)]
        for time in case.steps.tolist():
            wanted = last_before(points, time)
            assert (wanted is None) == (time not in found.get(own, {}))
            assert wanted is None or close(found[own][time], wanted)


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_series_in_several_blocks_answer_as_those_in_one(case: Case) -> None:
    apart = BlockHistory([block({own: samples}, case.times) for own, samples in reversed(case.series.items())])
    span = (case.start, case.end, case.step)
    for expr in ("metric", f"rate(metric[{case.range}ms])", f"sum(metric offset {case.range}ms)"):
        assert rows(Evaluator(apart).range(expr, *span)) == rows(Evaluator(case.history).range(expr, *span))


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_a_range_query_is_its_instant_queries(case: Case) -> None:
    evaluator = Evaluator(case.history)
    for expr in ("metric * 2", f"max by (job) (avg_over_time(metric[{case.range}ms:7s]))", f"metric @ {case.times[0] / 1000}"):
        whole = rows(evaluator.range(expr, case.start, case.end, case.step))
        for time in case.steps.tolist()[:5]:
            one = {own: values[time] for own, values in rows(evaluator.instant(expr, time)).items()}
            assert one == {own: values[time] for own, values in whole.items() if time in values}


def test_what_is_asked_of_the_history_is_what_is_needed() -> None:
    history = BlockHistory([block({labels(): [1.0]}, [1000 * MINUTE])])
    evaluator = Evaluator(history)
    evaluator.range("metric offset 1m", 1000 * MINUTE, 1010 * MINUTE, MINUTE)
    start, end, hints = history.asked[-1]
    assert (start, end) == (994 * MINUTE + 1, 1009 * MINUTE)
    assert (hints.step, hints.range, hints.lookback, hints.func, hints.first) == (MINUTE, 0, 5 * MINUTE, "", 999 * MINUTE)
    evaluator.range("sum(rate(metric[10m] @ 60))", 1000 * MINUTE, 1010 * MINUTE, MINUTE)
    start, end, hints = history.asked[-1]
    assert (start, end) == (-9 * MINUTE + 1, MINUTE)
    assert (hints.step, hints.range, hints.func, hints.first) == (0, 10 * MINUTE, "rate", MINUTE)
    evaluator.instant("abs((metric))", 1000 * MINUTE)
    assert history.asked[-1][2].func == "abs"


def test_a_coarse_history_is_looked_back_into_as_far_as_its_samples_are_apart() -> None:
    hour = 60 * MINUTE
    history = BlockHistory([block({labels(): [7.0]}, [100 * hour])], resolution=hour)
    answer = Evaluator(history).instant("metric", 100 * hour + 40 * MINUTE)
    assert list(rows(answer).values()) == [{100 * hour + 40 * MINUTE: 7.0}]
    assert answer.resolution == hour
    assert answer.infos == ("answered from 1 h resolution",)
    assert not rows(Evaluator(history).instant("metric", 101 * hour))


def test_a_range_shorter_than_what_is_kept_says_so() -> None:
    hour = 60 * MINUTE
    history = BlockHistory([block({labels(): [7.0, 8.0]}, [99 * hour, 100 * hour])], resolution=hour)
    answer = Evaluator(history).instant("delta(metric[5m])", 100 * hour)
    assert answer.infos == (
        "samples are kept 1 h apart here: a range of 5 min has fewer than two of them",
        "answered from 1 h resolution",
    )
    assert Evaluator(history).instant("delta(metric[2h])", 100 * hour).infos == ("answered from 1 h resolution",)


def test_reading_too_much_is_refused_with_what_to_do_about_it() -> None:
    times = np.arange(0, 100_000 * 1000, 1000)
    many = BlockHistory([Block((labels(),), times, np.zeros((1, len(times))))])
    evaluator = Evaluator(many, Limits(max_samples=50_000))
    with pytest.raises(TooManySamplesError) as raised:
        evaluator.range("metric", 0, 99_999_000, 30_000)
    assert str(raised.value) == ("This would read 99991 samples (limit 50000). Shorten the range or raise the step to 1 min.")
    with pytest.raises(TooManySamplesError, match="select fewer series"):
        evaluator.instant("sum_over_time(metric[100000s])", 99_999_000)


def test_more_points_than_a_screen_has_are_refused() -> None:
    evaluator = Evaluator(BlockHistory([]))
    evaluator.range("1", 0, 10_999_000, 1000)
    with pytest.raises(QueryError, match="11,000 points") as raised:
        evaluator.range("1", 0, 11_000_000, 1000)
    assert raised.value.kind == "bad_data"


def test_a_query_ends_when_its_caller_says_so() -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked > 5:
            raise CanceledError("stopped")

    times = list(range(0, 3_600_000, 1000))
    history = BlockHistory([block({labels(job=str(job)): [float(job)] * len(times) for job in range(200)}, times)])
    with pytest.raises(CanceledError):
        Evaluator(history).range("quantile_over_time(0.5, metric[10m])", 0, 3_600_000, 1000, check)
    assert asked == 6


@pytest.mark.parametrize(
    ("expr", "kind", "text"),
    [("'word'", "string", "word"), ("1 + 1", "scalar", ""), ("metric", "vector", ""), ("vector(1)", "vector", "")],
)
def test_an_answer_says_what_it_is(expr: str, kind: str, text: str) -> None:
    answer = Evaluator(BlockHistory([block({labels(): [1.0]}, [1000])])).instant(expr, 1000)
    assert (answer.kind, answer.text) == (kind, text)


def test_a_range_selector_answers_with_its_samples() -> None:
    history = BlockHistory([block({labels(job="b"): [1.0, None, 3.0], labels(job="a"): [4.0, "_", 6.0]}, [1000, 2000, 3000])])
    answer = Evaluator(history).instant("metric[2s]", 3000)
    assert answer.kind == "matrix"
    assert [dict(part.labels[0])["job"] for part in answer.raw] == ["a", "b"]
    assert [part.times.tolist() for part in answer.raw] == [[3000], [3000]]
    inner = Evaluator(history).instant("(metric * 2)[3s:1s]", 3000)
    assert inner.raw[0].times.tolist() == [1000, 2000, 3000]
    assert inner.raw[0].values.tolist() == [[8.0, 8.0, 12.0]]


def test_anchored_and_smoothed_ranges_answer_with_values_at_both_ends() -> None:
    history = BlockHistory([block({labels(): [9.0, 8.0, 5.0, 4.0]}, [0, MINUTE, 2 * MINUTE, 3 * MINUTE])])
    at, half = 2 * MINUTE + 15_000, MINUTE + 30_000
    anchored = Evaluator(history).instant("metric[90s] anchored", at).raw[0]
    assert dict(zip(anchored.times.tolist(), anchored.values[0].tolist(), strict=True)) == {
        at - half: 9.0,
        MINUTE: 8.0,
        2 * MINUTE: 5.0,
        at: 5.0,
    }
    smoothed = Evaluator(history).instant("metric[90s] smoothed", at).raw[0]
    assert smoothed.values[0].tolist() == [8.25, 8.0, 5.0, 4.75]
    assert not Evaluator(history).instant("metric[10s] anchored", 4 * MINUTE).raw


def test_samples_of_what_was_worked_out_have_no_name() -> None:
    history = BlockHistory([block({labels(job="a"): [1.0, 2.0]}, [1000, 2000])])
    assert Evaluator(history).instant("(metric * 2)[2s:1s]", 2000).raw[0].labels == ((("job", "a"),),)
    assert Evaluator(history).instant("metric[2s:1s]", 2000).raw[0].labels == (labels(job="a"),)


def test_times_beyond_all_calendars_are_refused() -> None:
    evaluator = Evaluator(BlockHistory([]))
    with pytest.raises(QueryError, match=r"timestamp out of bounds for @ modifier: 1000000000000000000\.000000"):
        evaluator.instant("metric @ 1e18", 0)
    with pytest.raises(QueryError, match="out of bounds"):
        evaluator.instant("metric offset 200y", 1 << 62)
    assert not rows(evaluator.instant("rate(metric[290y] @ -2e15 offset -290y)", 1 << 61))


def test_samples_read_are_counted_and_read_once() -> None:
    history = BlockHistory([block({labels(): [1.0, 2.0, 3.0]}, [1000, 2000, 3000])])
    assert Evaluator(history).instant("metric + metric", 3000).samples == 3
    assert len(history.asked) == 1
    assert Evaluator(history).instant("metric + metric offset 1s", 3000).samples == 5


def test_a_subquery_of_too_many_steps_is_refused_before_it_is_laid_out() -> None:
    with pytest.raises(TooManySamplesError):
        Evaluator(BlockHistory([])).instant("sum_over_time(vector(1)[1y:1s])", 0)
