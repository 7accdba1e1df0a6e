"""Start timestamps tell what values hide: resets, and counters that began inside a window."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.query.evaluator import Evaluator
from monitor.query.histogram import Hint, Histogram
from monitor.query.history import Labels
from monitor.query.memory import MemoryHistory
from monitor.query.start_times import overlapping, start_resets

MINUTE = 60_000
SERIES: Labels = (("__name__", "m_total"),)


def history(values: list[float], starts: list[int], step: int = MINUTE) -> MemoryHistory:
    """Samples a step apart, from one step on."""
    found = MemoryHistory()
    times = np.arange(1, len(values) + 1, dtype=np.int64) * step
    found.append(SERIES, times, np.array(values), np.array(starts, np.int64))
    return found


def value(found: MemoryHistory, query: str, time: int) -> float | None:
    matrix = Evaluator(found).instant(query, time).matrix
    assert matrix is not None
    return float(matrix.values[0, 0]) if len(matrix.labels) else None


@pytest.mark.parametrize(
    ("before", "since_before", "after", "since_after", "reset"),
    [
        (1000, 500, 2000, 500, False),  # goes on counting
        (1000, 500, 2000, 1500, True),  # began anew in between
        (1000, 500, 2000, 1000, True),  # a delta: from one sample to the next
        (1000, 0, 2000, 1000, False),  # nobody knows when it began
        (1000, 1000, 2000, 1000, False),
        (1000, 1500, 2000, 1000, False),  # the start before is nonsense
        (1000, 500, 2000, 0, False),
        (1000, 500, 2000, 2000, False),  # a start that is none
    ],
)
def test_what_start_timestamps_say_of_a_reset(before: int, since_before: int, after: int, since_after: int, reset: bool) -> None:
    found = start_resets(np.array([before, after]), np.array([[since_before, since_after]]))
    assert found.tolist() == [[False, reset]]


def test_starts_that_contradict_the_sample_before_are_odd() -> None:
    times, since = np.array([1000, 2000, 3000]), np.array([[500, 700, 700], [500, 1000, 2000]])
    assert overlapping(times, since).tolist() == [[False, True, False], [False, False, False]]


def test_a_reset_that_the_values_hide_is_counted() -> None:
    rising = history([10, 20, 30], [1, 1, 2 * MINUTE + 1])
    assert value(rising, "resets(m_total[3m])", 3 * MINUTE) == 1
    assert value(rising, "irate(m_total[3m])", 3 * MINUTE) == pytest.approx(30 / 60)
    assert value(rising, "increase(m_total[3m])", 3 * MINUTE) == pytest.approx(10 + 10 + 30, rel=1e-4)


def test_one_sample_is_a_rate_where_its_counter_began_inside_the_window() -> None:
    begun = history([12], [30_000])
    assert value(begun, "increase(m_total[2m])", MINUTE) == 12
    assert value(begun, "rate(m_total[2m])", MINUTE) == 0.1
    assert value(history([12], [0]), "increase(m_total[2m])", MINUTE) is None


def test_the_same_goes_for_histograms() -> None:
    found = MemoryHistory()
    cells = [Histogram.of(0, 12.0, 24.0), Histogram.of(0, 30.0, 60.0)]
    found.append_histograms(SERIES, np.array([MINUTE, 2 * MINUTE]), cells, np.array([30_000, MINUTE + 1]))
    assert value(found, "histogram_count(increase(m_total[2m]))", MINUTE) == 12
    assert value(found, "histogram_count(increase(m_total[2m]))", 2 * MINUTE) == pytest.approx(42)
    assert value(found, "resets(m_total[5m])", 2 * MINUTE) == 1
    assert cells[1].hint == Hint.UNKNOWN


def test_contradicting_starts_are_warned_of() -> None:
    answer = Evaluator(history([1, 2, 3], [1, 2, 3])).instant("rate(m_total[5m])", 3 * MINUTE)
    assert any("start time that overlaps" in warning for warning in answer.warnings)


def test_start_timestamp_gives_them_where_they_are_known() -> None:
    assert value(history([1], [30_000]), "start_timestamp(m_total)", MINUTE) == 30
    without = MemoryHistory()
    without.append(SERIES, np.array([MINUTE]), np.ones(1))
    assert value(without, "start_timestamp(m_total)", MINUTE) is None


def test_many_series_keep_theirs() -> None:
    found = MemoryHistory()
    for number in range(3000):
        times = np.arange(1, 100, dtype=np.int64) * 1000
        since = np.where(times > 50_000, 50_001 if number % 2 else 1, 1)
        found.append((("__name__", "m_total"), ("n", str(number))), times, times / 1000, since)
    assert value(found, "sum(resets(m_total[100s]))", 100_000) == 1500
