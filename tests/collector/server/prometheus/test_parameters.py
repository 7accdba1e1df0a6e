"""Parameters are read as Prometheus reads them and refused in its words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.server.prometheus.parameters import (
    MAX_TIME,
    MIN_TIME,
    BadDataError,
    Parameters,
    label_name,
    parse_duration,
    parse_time,
)


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("0", 0),
        ("1435781430.781", 1435781430781),
        ("-1.5", -1500),
        ("1e3", 1_000_000),
        ("2015-07-01T20:10:51.781Z", 1435781451781),
        ("2015-07-01T22:10:51.781+02:00", 1435781451781),
        ("2015-07-01T20:10:51Z", 1435781451000),
        ("1969-12-31T23:59:59.5Z", -500),
        ("-292273086-05-16T16:47:06Z", MIN_TIME),
        ("292277025-08-18T07:12:54.999999999Z", MAX_TIME),
    ],
)
def test_times(text: str, millis: int) -> None:
    assert parse_time(text) == millis


@pytest.mark.parametrize(
    "text", ["", "now", "2015-13-01T00:00:00Z", "2015-07-01", "nan", "inf", "1_000", " 1", "1e300", "9999-12-31T23:59:59+99:99"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="to a valid timestamp"):
        parse_time(text)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    for read in (parse_time, parse_duration):
        with contextlib.suppress(ValueError):
            assert isinstance(read(text), int)


@pytest.mark.parametrize(
    ("text", "millis"), [("15", 15_000), ("0.5", 500), ("1h30m", 5_400_000), ("-1", -1000), ("1e2", 100_000)]
)
def test_durations(text: str, millis: int) -> None:
    assert parse_duration(text) == millis


@pytest.mark.parametrize(
    ("text", "name"), [("job", "job"), ("U__http_2e_status", "http.status"), ("U__a__b", "a_b"), ("U__a_b", "U__a_b")]
)
def test_names_in_paths_are_unescaped(text: str, name: str) -> None:
    assert label_name(text) == name


_READERS: dict[str, Callable[[Parameters], object]] = {
    "limit": lambda asked: asked.number("limit"),
    "timeout": Parameters.timeout,
    "start": Parameters.span,
    "match[]": Parameters.matcher_sets,
}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("limit", "x", 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'),
        ("limit", "-1", 'invalid parameter "limit": limit must be non-negative'),
        ("timeout", "soon", 'invalid parameter "timeout": cannot parse "soon" to a valid duration'),
        ("start", "then", 'invalid parameter "start": cannot parse "then" to a valid timestamp'),
        ("match[]", "{", 'invalid parameter "match[]": 1:2: parse error: unexpected end of input inside braces'),
        ("match[]", '{a=""}', None),
        ("match[]", "up[5m]", None),
    ],
)
def test_what_is_wrong_is_named(field: str, value: str, words: str | None) -> None:
    asked = Parameters([(field, value)])
    with pytest.raises(BadDataError) as told:
        _READERS[field](asked)
    if words is not None:
        assert str(told.value) == words
    assert str(told.value).startswith(f'invalid parameter "{field}": ')


def test_the_end_is_not_before_the_start() -> None:
    with pytest.raises(BadDataError, match="end timestamp must not be before start time"):
        Parameters([("start", "2"), ("end", "1")]).span()
    assert Parameters([]).span() == (MIN_TIME, MAX_TIME)
