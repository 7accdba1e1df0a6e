"""Head sampling agrees everywhere and with the specification, and says what each trace stands for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.spans import Spans
from monitor.pipeline.sampling import (
    RANGE,
    adjusted_count,
    at_threshold,
    count_told,
    head_sampled,
    kept_state,
    randomness,
    read_state,
    sampled,
    threshold_of,
    threshold_text,
    without_threshold,
    written_state,
)
from tests.monitor.pipeline.made import made_spans

RANDOMS = np.random.default_rng(5).integers(0, RANGE, 20_000, np.int64).astype(np.uint64)


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
    assert bool(sampled(randomness(traces), threshold)[0]) == (((high << 64 | low) & (2**56 - 1)) >= threshold)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=30)
def test_who_keeps_more_keeps_all_that_another_keeps(one: float, other: float) -> None:
    fewer, more = sorted((one, other))
    assert not (sampled(RANDOMS, threshold_of(fewer)) & ~sampled(RANDOMS, threshold_of(more))).any()


def test_the_share_kept_is_the_share_asked_for() -> None:
    assert abs(sampled(RANDOMS, threshold_of(0.3)).mean() - 0.3) < 0.02
    assert not sampled(RANDOMS, threshold_of(0.0)).any()


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


def stated(traces: list[int], state: str, counts: float | None = None) -> Spans:
    """Spans of traces, all with one `tracestate`."""
    spans = made_spans([(trace, "web", "GET /") for trace in traces])
    told = count_told(state) if counts is None else counts
    states = np.full(len(spans), len(spans.texts) if state else 0, np.int32)
    return replace(spans, texts=(*spans.texts, state), states=states, counts=np.full(len(spans), told))


def told(spans: Spans) -> list[tuple[str, float]]:
    return [(spans.texts[state], count) for state, count in zip(spans.states.tolist(), spans.counts.tolist(), strict=True)]


def test_what_is_kept_tells_its_threshold_and_how_many_it_stands_for() -> None:
    spans = made_spans([(0xFFFFFFFFFFFFFF, "web", "GET /"), (1, "web", "GET /")])
    assert told(head_sampled(spans, 0.25)) == [("ot=th:c", 4.0)]


def test_what_was_sampled_to_less_comes_through_and_still_tells_that() -> None:
    sampled_before = stated([0xFF << 48, 0xF8 << 48], "vendor=1,ot=th:f", 16.0)
    assert told(head_sampled(sampled_before, 0.25)) == [("ot=th:f,vendor=1", 16.0)] * 2


def test_what_was_sampled_to_more_is_sampled_to_the_share_in_all() -> None:
    sampled_before = stated([0x90 << 48, 0xD0 << 48], "ot=th:8;x:y", 2.0)
    assert told(head_sampled(sampled_before, 0.25)) == [("ot=th:c;x:y", 4.0)]


def test_randomness_that_is_told_counts_and_not_the_id() -> None:
    kept, gone = stated([1], "ot=rv:ff000000000000"), stated([0xFF << 48], "ot=rv:00000000000001")
    assert told(head_sampled(kept, 0.5)) == [("ot=th:8;rv:ff000000000000", 2.0)]
    assert len(head_sampled(gone, 0.5)) == 0


def test_counts_of_another_chance_multiply_and_no_threshold_tells_them() -> None:
    assert told(head_sampled(stated([0xFF << 48], "", counts=10.0), 0.5)) == [("", 20.0)]
    unlikely = stated([0x90 << 48], "ot=th:c")  # its randomness does not reach what it says it came through
    assert told(head_sampled(unlikely, 0.5)) == [("", 8.0)]


@given(st.sampled_from([1.0, 0.9, 0.5, 0.25, 0.1]), st.sampled_from([0.9, 0.5, 0.25, 0.1]), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_sampling_twice_keeps_the_expected_count(first: float, second: float, seed: int) -> None:
    ids = np.random.default_rng(seed).integers(1, 2**62, 4000).tolist()
    spans = head_sampled(head_sampled(made_spans([(trace, "web", "a") for trace in ids]), first), second)
    share = min(first, second)
    assert abs(spans.counts.sum() - 4000) < 6 * np.sqrt(4000 * (1 - share) / share) + 1e-6
    np.testing.assert_allclose(spans.counts, 1 / share)


def test_a_threshold_can_be_taken_out_again() -> None:
    spans = without_threshold(stated([1], "ot=th:c;rv:ff000000000000,vendor=1"))
    assert [state for state, _ in told(spans)] == ["ot=rv:ff000000000000,vendor=1"]
    assert [state for state, _ in told(without_threshold(stated([1], "ot=th:c")))] == [""]


def test_nothing_changes_where_all_come_through() -> None:
    spans = stated([1], "ot=th:c")
    assert at_threshold(spans, 0) is spans
    assert head_sampled(spans, 1.0) is spans


def test_a_state_that_is_too_long_keeps_what_is_of_use() -> None:
    assert kept_state("a=" + "x" * 600 + ",ot=th:c") == "ot=th:c"
    assert kept_state("a=" + "x" * 600) == ""
    assert kept_state("ot=" + "x" * 600) == ""
    assert written_state("", None) == ""
