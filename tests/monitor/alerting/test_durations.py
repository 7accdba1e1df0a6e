"""Durations are read as people write them and said back so that they can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting.durations import DurationError, duration_words, format_duration, parse_duration, rough_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("90s", 90), ("250ms", 0.25), ("0s", 0), ("1.5h", 5400), ("2d", 172_800), ("1w", 604_800)],
)
def test_short_spellings(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("last_5_minutes", 300), ("last_1_hour", 3600), ("last_1_minute", 60), ("last_30_seconds", 30)]
)
def test_spellings_of_a_window(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("2 m", "2m"),
        ("5 minutes", "5m"),
        ("5M", "5m"),
        ("1 hour 30 min", "1h30m"),
        ("1h and 5m", "1h5m"),
        ("30m1h", ""),
        ("5", ""),
        ("", ""),
    ],
)
def test_other_spellings_are_refused_with_what_was_meant(text: str, fix: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert caught.value.fix == fix


@given(st.integers(0, 400 * 86_400_000))
def test_what_is_formatted_is_read_back(milliseconds: int) -> None:
    assert round(parse_duration(format_duration(milliseconds / 1000)) * 1000) == milliseconds


@given(st.text(alphabet="0123456789 smhdw._lastinuer", max_size=70))
def test_any_text_is_a_duration_or_refused_and_a_fix_can_be_read(text: str) -> None:
    fix = text
    try:
        assert parse_duration(text) >= 0
    except DurationError as error:
        fix = error.fix
    assert not fix or parse_duration(fix) >= 0


def test_words() -> None:
    assert duration_words(5400) == "1 h 30 min"
    assert duration_words(0) == "0 s"
    assert [rough_duration(s) for s in (-5, 45.6, 754, 11_111, 190_000)] == ["0 s", "45 s", "12 min", "3 h 5 min", "2 d 4 h"]
