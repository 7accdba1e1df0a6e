from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.views.format import NO_DATA, Words, against, comparison, duration, minutes_ago, number, sanitise, shorten, value
from ui.views.units import BITS, BYTES, MILLISECONDS, PER_SECOND, PERCENT, PLAIN, SECONDS, Unit, axis_step, step_for

NOW = datetime(2026, 10, 14, 14, 21, 36, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("x", "unit", "shown"),
    [
        (1.857, SECONDS, "1.86 s"),
        (18.44, PERCENT, "18.4 %"),
        (1284.4, PER_SECOND, "1,284 /s"),
        (0.3104, PERCENT, "0.31 %"),
        (9999, PLAIN, "9,999"),
        (12_400, PLAIN, "12.4 k"),
        (61_234, PER_SECOND, "61.2 k/s"),
        (3.1e6, PLAIN, "3.10 M"),
        (0, PLAIN, "0"),
        (0.004, PERCENT, "< 0.01 %"),
        (0.00084, SECONDS, "840 µs"),
        (8.4, MILLISECONDS, "8.4 ms"),
        (999.7, MILLISECONDS, "1.00 s"),
        (912, SECONDS, "15 min 12 s"),
        (46_500, SECONDS, "12 h 55 min"),
        (1.86 * 2**30, BYTES, "1.86 GiB"),
        (2.4e6, BITS.each("/s"), "19.2 Mbit/s"),
        (-3.2, PLAIN, "−3.20"),
        (math.inf, PLAIN, "∞"),
    ],
)
def test_three_significant_digits_in_the_unit_that_reads_best(x: float, unit: Unit, shown: str) -> None:
    assert str(value(x, unit)) == shown


@pytest.mark.parametrize("x", [None, math.nan])
def test_what_is_absent_is_no_data_and_never_zero(x: float | None) -> None:
    assert value(x, PERCENT) == NO_DATA
    assert NO_DATA.shape == "unknown"


def test_rounding_never_crosses_a_threshold() -> None:
    assert str(against(0.996, 1.0, PERCENT)) == "0.996 %"
    assert str(against(0.99999, 1.0, PERCENT)) == "0.99999 %"
    assert str(against(18.4, 2.0, PERCENT)) == "18.4 %"
    assert str(against(249.9996, 250.0, MILLISECONDS)) == "249.9996 ms"


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_what_is_shown_lies_on_the_same_side_of_the_limit(x: float, limit: float) -> None:
    shown = against(x, limit, PLAIN)
    factor = {"": 1.0, "k": 1e3, "M": 1e6}[shown.unit]
    if abs(x - limit) > 1e-5 * limit:
        assert (float(shown.number.replace(",", "")) * factor > limit) == (x > limit)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(18, "18 s"), (18.3, "18 s"), (59.7, "1 min"), (60, "1 min"), (912, "15 min 12 s"), (3600, "1 h"), (273_600, "3 d 4 h")],
)
def test_durations_have_two_units_at_most_and_no_zero_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_change_is_said_as_a_factor_from_two_on_and_as_a_percentage_below() -> None:
    assert comparison(97, 100, "1 h ago") == "3 % below 1 h ago"
    assert comparison(130, 100, "1 h ago") == "30 % above 1 h ago"
    assert comparison(221, 1, "1 h ago") == "221 times 1 h ago"
    assert comparison(100.2, 100, "1 h ago") == "as 1 h ago"
    assert comparison(5, 0, "1 h ago") == "was 0 1 h ago"
    assert comparison(math.nan, 1, "1 h ago") == ""


def test_times_are_said_by_how_long_ago_they_are() -> None:
    words = Words(UTC)
    assert words.moment(NOW - 1000, NOW) == "14:04"
    assert words.moment(NOW - 86_400, NOW) == "Tue 14:21"
    assert words.moment(NOW - 8 * 86_400, NOW) == "Tue 6 Oct 14:21"
    assert words.moment(NOW, NOW, seconds=True) == "14:21:36"
    assert words.age(NOW - 1020, NOW) == "17 min"
    assert words.age(NOW - 4 * 3600, NOW) == "10:21"
    assert Words(timezone(timedelta(hours=2))).minute(NOW) == "16:21"
    assert words.minute(math.inf) == "00:00"


def test_ages_stand_still_for_a_minute() -> None:
    assert minutes_ago(60) == minutes_ago(119) == "1 min"
    assert minutes_ago(12) == "< 1 min"


def test_a_sentence_takes_the_readers_space_before_the_unit() -> None:
    assert Words(UTC, "\u202f").say(1.86, SECONDS) == "1.86\u202fs"
    assert Words(UTC).say(1.86, SECONDS) == "1.86 s"


def test_outside_text_loses_controls_escapes_and_direction_marks() -> None:
    assert sanitise("a\u202eb\x1b[31mc\r\nd\u200b") == "ab[31mc  d"
    assert sanitise("Zürich 東京") == "Zürich 東京"
    assert sanitise("e" + "\u0301" * 40) == "e\u0301\u0301"


@given(st.text(max_size=200))
def test_sanitised_text_always_prints_on_one_line(text: str) -> None:
    clean = sanitise(text, 64)
    assert len(clean) <= 64
    assert all(char.isprintable() or ord(char) >= 0x300 for char in clean)
    assert "\n" not in clean
    assert "\x1b" not in clean


def test_long_text_is_cut_in_the_middle() -> None:
    assert shorten("abcdefghij", 7) == "abc…hij"
    assert shorten("abc", 7) == "abc"
    assert shorten("abc", 1) == "…"


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([PLAIN, BYTES, BITS, SECONDS, PERCENT, PER_SECOND]))
def test_any_number_can_be_shown(x: float, unit: Unit) -> None:
    assert str(value(x, unit))
    assert number(x)


def test_a_prefix_changes_only_where_it_reads_better() -> None:
    assert step_for(PLAIN, 9_999).label == ""
    assert step_for(PLAIN, 10_000).label == "k"
    assert step_for(BYTES, 1023).label == "B"
    assert axis_step(SECONDS, 912).label == "min"
