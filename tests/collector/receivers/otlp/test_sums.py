"""Readings and increments of sums, against a slow reference and by example."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.otlp.sums import Counted, Samples, Sums
from tests.collector.receivers.otlp.reference import Point, Reference, Sample

SINCE = 20.0
points = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 50).map(float),
        st.integers(1, 60).map(float),
        st.sampled_from([0.0, 0.0, 5.0, 19.0, 20.0, 25.0, 31.0, 40.0, 61.0]),
    ),
    max_size=12,
)
messages = st.lists(points, max_size=6)


def columns(told: list[Point]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    ids = np.array([point[0] for point in told], np.int32)
    values, times, starts = (np.array([point[place] for point in told], np.float64) for place in (1, 2, 3))
    return ids, values, times, starts


def listed(samples: Samples) -> list[Sample]:
    return sorted(zip(samples.ids.tolist(), samples.values.tolist(), samples.times.tolist(), strict=True))


def told(counted: Counted) -> tuple[list[Sample], list[Sample]]:
    return listed(counted.readings), listed(counted.increments)


@given(messages)
def test_cumulative_sums_are_what_the_slow_reference_says(several: list[list[Point]]) -> None:
    sums, reference = Sums(SINCE), Reference(SINCE)
    for message in several:
        expected = reference.cumulative(message)
        assert told(sums.cumulative(*columns(message))) == (sorted(expected[0]), sorted(expected[1]))


@given(messages)
def test_delta_sums_are_what_the_slow_reference_says(several: list[list[Point]]) -> None:
    sums, reference = Sums(SINCE), Reference(SINCE)
    for message in several:
        expected = reference.delta(message)
        assert told(sums.delta(*columns(message))) == (sorted(expected[0]), sorted(expected[1]))


@given(messages, points, st.booleans())
def test_a_message_that_was_undone_counts_the_same_when_it_comes_again(
    several: list[list[Point]], again: list[Point], cumulative: bool
) -> None:
    sums = Sums(SINCE)
    take = sums.cumulative if cumulative else sums.delta
    for message in several:
        take(*columns(message))
    first = take(*columns(again))
    assert first.undo() == 0
    assert told(take(*columns(again))) == told(first)


def test_what_another_message_built_upon_is_not_undone() -> None:
    sums = Sums(SINCE)
    first = sums.delta(*columns([(0, 5.0, 30.0, 0.0), (1, 1.0, 30.0, 0.0)]))
    sums.delta(*columns([(0, 2.0, 31.0, 0.0)]))
    assert first.undo() == 1
    readings, _ = told(sums.delta(*columns([(0, 0.0, 32.0, 0.0), (1, 3.0, 32.0, 0.0)])))
    assert readings == [(0, 7.0, 32.0), (1, 0.0, 31.0), (1, 3.0, 32.0)]


def test_a_counter_that_began_after_the_receiver_counts_from_its_first_reading_on() -> None:
    sums = Sums(SINCE)
    counted = sums.cumulative(*columns([(0, 7.0, 40.0, 25.0), (1, 7.0, 40.0, 10.0), (2, 7.0, 40.0, 0.0)]))
    assert listed(counted.increments) == [(0, 7.0, 40.0)]
    assert (0, 0.0, 25.0) in listed(counted.readings)


def test_a_restart_that_no_falling_value_shows_is_known_by_its_start() -> None:
    sums = Sums(SINCE)
    sums.cumulative(*columns([(0, 7.0, 40.0, 10.0)]))
    counted = sums.cumulative(*columns([(0, 9.0, 50.0, 45.0)]))
    assert listed(counted.increments) == [(0, 9.0, 50.0)]
    assert listed(counted.readings) == [(0, 0.0, 45.0), (0, 9.0, 50.0)]


def test_a_start_that_trembles_is_no_restart() -> None:
    sums = Sums(SINCE)
    sums.cumulative(*columns([(0, 7.0, 40.0, 10.0)]))
    assert listed(sums.cumulative(*columns([(0, 9.0, 50.0, 10.002)])).increments) == [(0, 2.0, 50.0)]


def test_small_series_beside_large_ones_lose_no_digits() -> None:
    counted = Sums(SINCE).delta(*columns([(0, 1e18, 30.0, 29.5), (1, 0.1, 30.0, 29.5), (1, 0.2, 31.0, 30.0)]))
    assert (1, 0.1, 30.0) in listed(counted.readings)
