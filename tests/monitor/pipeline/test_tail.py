"""Tail sampling keeps what tells something, whole, within its bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.spans import Spans, no_spans
from monitor.pipeline.fates import Fate
from monitor.pipeline.tail import TailPolicies, TailSampler
from tests.monitor.pipeline.made import made_spans

NOTHING = TailPolicies(errors=False, share=0.0)


def traces(spans: Spans) -> list[int]:
    return [int(trace) for trace in spans.traces[:, 1]]


def test_nothing_is_decided_before_a_trace_had_time_to_be_whole() -> None:
    sampler = TailSampler(TailPolicies(share=1.0), wait=10)
    assert len(sampler.take(made_spans([(1, "web", "GET /")]), 100.0)) == 0
    assert len(sampler.take(no_spans(), 109.0)) == 0
    assert sampler.held == 1
    assert traces(sampler.take(no_spans(), 110.0)) == [1]
    assert sampler.held == 0


def test_a_trace_with_an_error_is_kept_whole() -> None:
    sampler = TailSampler(TailPolicies(share=0.0), wait=1)
    sampler.take(made_spans([(1, "web", "GET /"), (2, "web", "GET /")]), 0.0)
    sampler.take(made_spans([(2, "shop", "pay"), (1, "shop", "pay")], errors=[1]), 0.5)
    assert traces(sampler.take(no_spans(), 1.0)) == [1, 1]
    assert sampler.counters.kept_traces == sampler.counters.dropped_traces == 1


def test_a_slow_trace_is_kept_by_its_first_start_and_last_end() -> None:
    sampler = TailSampler(TailPolicies(errors=False, slower_than=1.0, share=0.0), wait=1)
    sampler.take(made_spans([(1, "web", "a"), (2, "web", "a")], seconds=[0.9, 1.1]), 0.0)
    assert traces(sampler.take(no_spans(), 1.0)) == [2]


def test_the_first_traces_of_an_operation_are_kept_and_later_ones_are_not_rare() -> None:
    sampler = TailSampler(TailPolicies(errors=False, rare=3, share=0.0), wait=1)
    sampler.take(made_spans([(number, "web", "GET /") for number in range(1, 11)]), 0.0)
    assert len(sampler.take(no_spans(), 1.0)) == 3
    sampler.take(made_spans([(20, "web", "GET /"), (21, "web", "odd")]), 2.0)
    assert traces(sampler.take(no_spans(), 3.0)) == [21]
    sampler.take(made_spans([(30, "web", "GET /")]), 600.0)
    assert traces(sampler.take(no_spans(), 601.0)) == [30]


def test_of_the_rest_a_share_is_kept_that_every_sampler_agrees_on() -> None:
    each = [(number * 0x9E3779B97F4A7, "web", "a") for number in range(1, 2001)]
    kept = []
    for order in (each, each[::-1]):
        sampler = TailSampler(TailPolicies(share=0.25), wait=1)
        sampler.take(made_spans(order), 0.0)
        kept.append(set(traces(sampler.take(no_spans(), 1.0))))
    assert kept[0] == kept[1]
    assert abs(len(kept[0]) / 2000 - 0.25) < 0.05


def test_late_spans_share_the_fate_of_their_trace() -> None:
    sampler = TailSampler(TailPolicies(share=0.0), wait=1)
    sampler.take(made_spans([(1, "web", "a"), (2, "web", "a")], errors=[0]), 0.0)
    sampler.take(no_spans(), 1.0)
    assert traces(sampler.take(made_spans([(1, "web", "b"), (2, "web", "b")], errors=[1]), 2.0)) == [1]
    assert sampler.counters.late_spans == 2


def test_beyond_the_rate_the_most_telling_are_kept() -> None:
    sampler = TailSampler(TailPolicies(share=1.0, slower_than=1.0, traces_per_second=2), wait=1)
    sampler.take(made_spans([(n, "web", "a") for n in range(1, 6)], errors=[3], seconds=[0.1, 2, 0.3, 0.1, 0.2]), 0.0)
    assert sorted(traces(sampler.take(no_spans(), 1.0))) == [2, 4]
    assert sampler.counters.limited_traces == 3


def test_when_there_is_no_room_those_that_tell_least_are_shed_first_and_counted() -> None:
    sampler = TailSampler(TailPolicies(share=0.0), wait=10, max_spans=100)
    each = [(number, "web", "a") for number in range(1, 151)]
    sampler.take(made_spans(each, errors=range(0, 150, 3)), 0.0)
    assert sampler.held <= 100
    assert sampler.counters.shed_traces == sampler.counters.shed_spans == 150 - sampler.held
    assert len(sampler.take(no_spans(), 10.0)) == 50


def test_texts_of_traces_long_gone_are_not_kept() -> None:
    sampler = TailSampler(NOTHING, wait=1)
    for second in range(300):
        sampler.take(made_spans([(second * 50 + n + 1, "web", f"GET /{second}/{n}") for n in range(50)]), float(second))
    assert sum(len(part.spans.texts) for part in sampler._parts) < 2000


def test_a_stop_decides_all_that_waits() -> None:
    sampler = TailSampler(TailPolicies(share=1.0), wait=10)
    sampler.take(made_spans([(1, "web", "a"), (2, "web", "a")]), 0.0)
    assert traces(sampler.flush(1.0)) == [1, 2]
    assert len(sampler.flush(1.0)) == 0


def test_policies_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="slower_than is 0"):
        TailPolicies(slower_than=0)
    with pytest.raises(ValueError, match="traces_per_second is -1"):
        TailPolicies(traces_per_second=-1)
    with pytest.raises(ValueError, match="from 0"):
        TailPolicies(share=2)


ARRIVALS = st.lists(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=8), max_size=12)


@settings(max_examples=100, deadline=None)
@given(ARRIVALS, st.integers(4, 40))
def test_every_span_is_kept_dropped_shed_or_waits_and_no_trace_is_halved(
    arrivals: list[list[tuple[int, bool]]], room: int
) -> None:
    sampler, kept, sent = TailSampler(TailPolicies(share=0.5), wait=3, max_spans=room), [], 0
    for second, each in enumerate(arrivals):
        errors = [place for place, (_, wrong) in enumerate(each) if wrong]
        kept += traces(sampler.take(made_spans([(trace << 50, "web", "a") for trace, _ in each], errors), float(second)))
        sent += len(each)
        assert sampler.held <= room
    kept += traces(sampler.flush(100.0))
    counters = sampler.counters
    assert counters.kept_spans == len(kept)
    assert counters.kept_spans + counters.dropped_spans + counters.shed_spans == sent
    whole = {trace: sum(one << 50 == trace for each in arrivals for one, _ in each) for trace in set(kept)}
    assert all(kept.count(trace) == count for trace, count in whole.items())


def test_what_was_drawn_tells_its_threshold_and_what_was_chosen_does_not() -> None:
    sampler = TailSampler(TailPolicies(share=0.25), wait=1)
    sampler.take(made_spans([(0xFF << 48, "web", "a"), (1, "web", "a")], errors=[1]), 0.0)
    kept = sampler.take(made_spans([(0xFF << 48, "shop", "b")]), 1.0)
    late = sampler.take(made_spans([(0xFF << 48, "shop", "late"), (1, "shop", "late")]), 2.0)
    for spans in (kept, late):
        told = {
            int(trace): (spans.texts[state], count)
            for trace, state, count in zip(spans.traces[:, 1].tolist(), spans.states.tolist(), spans.counts.tolist(), strict=True)
        }
        assert told == {0xFF << 48: ("ot=th:c", 4.0), 1: ("", 1.0)}


def test_with_a_rate_no_threshold_is_told() -> None:
    sampler = TailSampler(TailPolicies(share=0.25, traces_per_second=10), wait=1)
    sampler.take(made_spans([(0xFF << 48, "web", "a")]), 0.0)
    assert not sampler.take(no_spans(), 1.0).states.any()


def test_decided_traces_are_told_once_and_remembered_by_another_sampler() -> None:
    sampler = TailSampler(TailPolicies(share=0.0), wait=1)
    sampler.take(made_spans([(1, "web", "a"), (2, "web", "a")], errors=[0]), 0.0)
    sampler.take(no_spans(), 1.0)
    decided = sampler.decided()
    assert [(fate, len(keys)) for fate, keys in decided] == [(Fate.CHOSEN, 1), (Fate.DROPPED, 1)]
    assert sampler.decided() == []
    other = TailSampler(TailPolicies(share=0.0), wait=1)
    for fate, keys in decided:
        other.remember(fate, keys)
    assert traces(other.take(made_spans([(1, "web", "b"), (2, "web", "b")], errors=[1]), 0.0)) == [1]
    assert other.held == 0
