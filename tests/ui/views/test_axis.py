from __future__ import annotations

import itertools
import math
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.views.axis import linear, logarithmic, time_ticks, wants_log
from ui.views.format import Words
from ui.views.units import BITS, BYTES, PER_SECOND, PERCENT, PLAIN, SECONDS, Unit

GIB = float(1 << 30)


def labels(high: float, unit: Unit, low: float = 0.0) -> list[str]:
    return [tick.label for tick in linear(low, high, unit)[1]]


def test_ticks_stand_at_pleasing_values_with_one_unit() -> None:
    assert labels(31.4, PERCENT) == ["0 %", "10 %", "20 %", "30 %", "40 %"]
    assert labels(7.2 * GIB, BYTES) == ["0 GiB", "2 GiB", "4 GiB", "6 GiB", "8 GiB"]
    assert labels(1284, PER_SECOND) == ["0", "500", "1,000", "1,500"]
    assert labels(61_000, PER_SECOND) == ["0", "20 k", "40 k", "60 k", "80 k"]
    assert labels(912, SECONDS) == ["0 min", "5 min", "10 min", "15 min", "20 min"]
    assert labels(12.3, PER_SECOND) == ["0", "2.5", "5.0", "7.5", "10.0", "12.5"]
    assert labels(2.1e6, BITS.each("/s"))[1] == "0.5 Mbit/s"


@given(st.floats(0, 1e12), st.floats(1e-9, 1e12), st.sampled_from([PLAIN, BYTES, SECONDS, PERCENT, PER_SECOND]))
def test_an_axis_holds_its_data_and_has_few_ticks(low: float, span: float, unit: Unit) -> None:
    high = low + span
    (bottom, top), ticks = linear(low, high, unit)
    slack = 1e-6 * max(abs(low), abs(high))
    assert bottom <= low + slack
    assert top >= high - slack
    assert 2 <= len(ticks) <= 9
    assert all(a.at < b.at for a, b in itertools.pairwise(ticks))


@pytest.mark.parametrize("pair", [(math.nan, 1.0), (math.inf, -math.inf), (5.0, 5.0), (0.0, 0.0)])
def test_an_axis_without_a_span_is_still_an_axis(pair: tuple[float, float]) -> None:
    (low, high), ticks = linear(*pair, PLAIN)
    assert low < high
    assert len(ticks) >= 2


def test_more_than_two_decades_are_drawn_logarithmically_and_the_labels_say_so() -> None:
    assert wants_log(0.0084, 2.4, SECONDS)
    assert not wants_log(0.0, 2.4, SECONDS)
    assert not wants_log(0.1, 90.0, PERCENT)
    (low, high), ticks = logarithmic(0.0084, 2.4, SECONDS)
    assert [tick.label for tick in ticks] == ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
    assert (low, high) == (-3.0, 1.0)


def test_time_ticks_stand_at_round_minutes_of_the_readers_zone() -> None:
    start = 1_700_000_000.0
    assert [t.label for t in time_ticks(start, start + 1800, Words(), 7)] == [
        "22:15",
        "22:20",
        "22:25",
        "22:30",
        "22:35",
        "22:40",
    ]
    half = Words(timezone(timedelta(hours=5, minutes=45)))
    assert all(t.label.endswith(("00", "15", "30", "45")) for t in time_ticks(start, start + 3600, half, 5))
    assert time_ticks(start, start + 40, Words(), 5)[0].label == "22:13:20"
    assert time_ticks(start, start, Words()) == ()


def test_a_logarithmic_axis_of_bytes_has_round_numbers_of_bytes() -> None:
    (low, high), ticks = logarithmic(3_000.0, 900_000.0, BYTES)
    assert [tick.label for tick in ticks] == ["1 KiB", "10 KiB", "100 KiB", "1 MiB"]
    assert (10**low, 10**high) == pytest.approx((1024, 1024**2))
