"""Head sampling agrees everywhere and with the specification; thinning keeps what is expected of sums and counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.pipeline.sampling import (
    RANGE,
    adjusted_count,
    head_sampled,
    read_state,
    sampled,
    thin,
    threshold_of,
    threshold_text,
)
from tests.monitor.pipeline.made import made_spans

TRACES = np.random.default_rng(5).integers(0, 2**63, (20_000, 2), np.int64).astype(np.uint64)


@pytest.mark.parametrize(
    ("probability", "text"),
    [(1.0, "0"), (0.5, "8"), (0.25, "c"), (0.75, "4"), (2**-8, "ff"), (2**-56, "ffffffffffffff"), (0.9375, "1")],
)
def test_thresholds_are_written_as_the_specification_writes_them(probability: float, text: str) -> None:
    assert threshold_text(threshold_of(probability)) == text
    assert read_state(f"other=1,ot=x:1;th:{text}")[0] == threshold_of(probability)


def test_one_that_came_through_stands_for_all_that_did_not() -> None:
    assert adjusted_count(threshold_of(0.25)) == 4
    assert adjusted_count(RANGE) == 0


def test_a_state_without_a_valid_threshold_tells_none() -> None:
    assert read_state("") == (None, None)
    assert read_state("ot=th:xyz;rv:123") == (None, None)
    assert read_state("ot=rv:0123456789abcd;th:c") == (0xC << 52, 0x0123456789ABCD)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.floats(0, 1))
def test_a_trace_is_kept_where_its_lowest_56_bits_reach_the_threshold(high: int, low: int, probability: float) -> None:
    threshold = threshold_of(probability)
    traces = np.array([[high, low]], np.uint64)
    assert bool(sampled(traces, threshold)[0]) == (((high << 64 | low) & (2**56 - 1)) >= threshold)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=30)
def test_who_keeps_more_keeps_all_that_another_keeps(one: float, other: float) -> None:
    fewer, more = sorted((one, other))
    assert not (sampled(TRACES, threshold_of(fewer)) & ~sampled(TRACES, threshold_of(more))).any()


def test_the_share_kept_is_the_share_asked_for() -> None:
    assert abs(sampled(TRACES, threshold_of(0.3)).mean() - 0.3) < 0.02
    assert not sampled(TRACES, threshold_of(0.0)).any()


def test_two_services_keep_the_same_traces_whole() -> None:
    ids = list(range(1, 400))
    web = made_spans([(trace << 40, "web", "GET /") for trace in ids])
    shop = made_spans([(trace << 40, "shop", "pay") for trace in reversed(ids)])
    kept = [{int(trace) for trace in head_sampled(spans, 0.5).traces[:, 1]} for spans in (web, shop)]
    assert kept[0] == kept[1]
    assert head_sampled(web, 1.0) is web


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_outside_of_0_to_1_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="from 0"):
        threshold_of(probability)


def mixed(count: int) -> Batch:
    space = KeySpace()
    for kind in Kind:
        space.add(series_key(kind.name.lower()), kind)
    ids = np.arange(count, dtype=np.int32) % 4
    values = np.arange(count, dtype=np.float64) % 17
    return Batch(space, ids, values, np.zeros(count), np.where(ids == Kind.DISTRIBUTION, 2.0, 1.0))


def test_thinned_sums_and_counts_are_what_they_were_on_average() -> None:
    batch, random = mixed(400), np.random.default_rng(1)
    totals, weights, sums = [], [], []
    for _ in range(4000):
        some = thin(batch, 0.25, random)
        assert some.weights is not None
        observed = some.ids == Kind.DISTRIBUTION
        totals.append(some.values[some.ids == Kind.COUNTER].sum())
        weights.append(some.weights[observed].sum())
        sums.append((some.weights * some.values)[observed].sum())
    assert batch.weights is not None
    observed = batch.ids == Kind.DISTRIBUTION
    truths = (
        batch.values[batch.ids == Kind.COUNTER].sum(),
        batch.weights[observed].sum(),
        (batch.weights * batch.values)[observed].sum(),
    )
    for estimates, truth in zip((totals, weights, sums), truths, strict=True):
        error = np.std(estimates) / np.sqrt(len(estimates))
        assert abs(np.mean(estimates) - truth) < 4 * error


def test_readings_members_and_staleness_markers_are_never_thinned() -> None:
    space = KeySpace()
    for kind in Kind:
        space.add(series_key(kind.name.lower()), kind)
    ids = np.array([Kind.GAUGE, Kind.SET, Kind.COUNTER] * 50, np.int32)
    values = np.where(ids == Kind.COUNTER, np.nan, 3.0)
    some = thin(Batch(space, ids, values, np.zeros(150)), 0.01, np.random.default_rng(2))
    assert len(some) == 150
    np.testing.assert_array_equal(some.values, values)


def test_what_only_the_history_takes_is_left_alone() -> None:
    space = KeySpace(raw=True)
    space.add(series_key("reads_total"), Kind.COUNTER)
    readings = Batch(space, np.zeros(9, np.int32), np.arange(9.0), np.arange(9.0), raw=True, windowed=False)
    assert thin(readings, 0.1, np.random.default_rng(3)) is readings
