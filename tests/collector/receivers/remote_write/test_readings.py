"""What is newer goes to the windows and the history, what is older to the history alone; counters against a slow reference."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.remote_write.readings import Readings
from monitor.model.series import KeySpace, Kind, SeriesKey
from monitor.query.history import STALE, STALE_BITS
from tests.collector.receivers.remote_write.recording import Points, Recording

NAMES = ("c_total", "d_total", "g")
SAMPLE = st.tuples(
    st.sampled_from(range(3)),
    st.integers(1, 15).map(float),
    st.one_of(st.integers(0, 9).map(float), st.just(STALE), st.just(math.nan), st.just(math.inf)),
)


def begun() -> Readings:
    space = KeySpace(raw=True)
    for name in NAMES:
        space.add(SeriesKey(name, ()), Kind.COUNTER if name.endswith("_total") else Kind.GAUGE)
    return Readings(space)


def take(readings: Readings, samples: list[tuple[int, float, float]]) -> tuple[Recording, int]:
    recording = Recording()
    columns = list(zip(*samples, strict=True)) or [(), (), ()]
    batches, unordered, _ = readings.take(
        np.array(columns[0], np.int32), np.array(columns[1], float), np.array(columns[2], float)
    )
    recording.take(batches)
    return recording, unordered


class Reference:
    """The same, a sample at a time."""

    def __init__(self) -> None:
        self.times: dict[int, float] = {}
        self.readings: dict[int, float] = {}

    def take(self, samples: list[tuple[int, float, float]]) -> tuple[Points, Points]:
        seen: Points = {}
        kept: Points = {}
        for number, time, value in sorted(samples, key=lambda sample: sample[:2]):
            kept.setdefault(NAMES[number], []).append((time, value))
            if time <= self.times.get(number, -math.inf):
                continue
            self.times[number] = time
            is_stale = np.float64(value).tobytes() == np.uint64(STALE_BITS).tobytes()
            if number == 2 or is_stale:
                seen.setdefault(NAMES[number], []).append((time, value))
                self.readings.pop(number, None)
            elif math.isfinite(value):
                before = self.readings.get(number)
                if before is not None:
                    seen.setdefault(NAMES[number], []).append((time, value - before if value >= before else value))
                self.readings[number] = value
        return seen, kept


def bits(points: Points) -> dict[str, list[tuple[float, bytes]]]:
    return {name: sorted((time, np.array([value]).tobytes()) for time, value in each) for name, each in sorted(points.items())}


@given(st.lists(st.lists(SAMPLE, max_size=12), max_size=6))
def test_batches_are_those_of_a_sample_at_a_time(requests: list[list[tuple[int, float, float]]]) -> None:
    readings, reference = begun(), Reference()
    for request in requests:
        (recording, _), (seen, kept) = take(readings, request), reference.take(request)
        assert bits(recording.seen()) == bits(seen)
        assert bits(recording.kept()) == bits(kept)


def test_what_is_not_newer_is_counted_and_reaches_no_window() -> None:
    readings = begun()
    take(readings, [(0, 10.0, 5.0), (2, 10.0, 1.0)])
    recording, unordered = take(readings, [(0, 9.0, 4.0), (0, 10.0, 5.0), (2, 8.0, 2.0)])
    assert unordered == 3
    assert recording.seen() == {}
    assert recording.kept() == {"c_total": [(9.0, 4.0), (10.0, 5.0)], "g": [(8.0, 2.0)]}


@given(st.lists(SAMPLE, max_size=12), st.lists(SAMPLE, max_size=12))
def test_what_nobody_took_may_come_again(first: list[tuple[int, float, float]], second: list[tuple[int, float, float]]) -> None:
    readings, untouched = begun(), begun()
    take(readings, first)
    take(untouched, first)
    columns = list(zip(*second, strict=True)) or [(), (), ()]
    *_, undo = readings.take(np.array(columns[0], np.int32), np.array(columns[1], float), np.array(columns[2], float))
    undo()
    again, expected = take(readings, second)[0], take(untouched, second)[0]
    assert bits(again.seen()) == bits(expected.seen())


def test_a_series_that_comes_later_is_new() -> None:
    readings = begun()
    readings.space.add(SeriesKey("e_total", ()), Kind.COUNTER)
    recording = Recording()
    for time in (1.0, 2.0):
        recording.take(readings.take(np.array([3], np.int32), np.array([time]), np.array([10.0 * time]))[0])
    assert recording.seen() == {"e_total": [(2.0, 10.0)]}
