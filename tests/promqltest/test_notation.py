"""The test language is read as Prometheus reads it, and answers are compared as Prometheus compares them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.model.matchers import Matcher
from monitor.query.histogram import Buckets, Hint, Histogram
from monitor.query.history import STALE, Answer, Hints, Matrix, stale_at
from tests.promqltest.commands import Clear, Eval, Load, Unreadable, parse_file
from tests.promqltest.compare import MismatchError, almost_equal, compare, same_histogram
from tests.promqltest.loading import empty_history, load
from tests.promqltest.series import parse_histogram, parse_points, parse_series, parse_starts
from tests.promqltest.text import BadTestError, duration, metric, number, unquote


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2 _ 3", [1, 2, None, 3]),
        ("1+2x3", [1, 3, 5, 7]),
        ("-2-3x2", [-2, -5, -8]),
        ("0x1", [0, 0]),
        ("_x2 5", [None, None, 5]),
        ("1e3 .5 Inf -inf NaN", [1000, 0.5, math.inf, -math.inf, math.nan]),
    ],
)
def test_floats(text: str, values: list[float | None]) -> None:
    points = parse_points(text)
    np.testing.assert_equal([None if p.omitted else p.value for p in points], values)


def test_the_staleness_marker_keeps_its_bits() -> None:
    (point,) = parse_points("stale")
    assert stale_at(np.array([point.value]))[0]
    history = empty_history()
    (command,) = parse_file("load 1m\n  m 1 stale 3\n")
    assert isinstance(command, Load)
    load(history, command)
    assert history.size == 3


def test_histograms_and_steps_between_them() -> None:
    labels, points = parse_series(
        'h{a="b"} {{schema:1 count:3 sum:2 buckets:[1 2] offset:-1}}+{{schema:1 count:1 buckets:[1]}}x2 _ 7'
    )
    assert labels == (("__name__", "h"), ("a", "b"))
    assert [p.histogram.count if p.histogram else p.value for p in points if not p.omitted] == [3, 4, 5, 7]
    assert points[2].histogram is not None
    assert dict(zip(*points[2].histogram.positive, strict=True)) == {-1: 1.0, 0: 4.0}


def test_custom_bounds_negative_buckets_and_hints() -> None:
    point = parse_histogram("{{schema:-53 count:2 custom_values:[5 10] buckets:[1 1] counter_reset_hint:gauge}}")
    assert point.hint_given
    assert point.histogram is not None
    assert (point.histogram.hint, point.histogram.custom_values.tolist()) == (Hint.GAUGE, [5.0, 10.0])
    other = parse_histogram("{{n_buckets:[1 2] n_offset:3 z_bucket:4 z_bucket_w:0.5}}").histogram
    assert other is not None
    assert (other.negative.indices.tolist(), other.zero_count, other.zero_threshold) == ([3, 4], 4.0, 0.5)


@pytest.mark.parametrize("text", ["{{nonsense:1}}", "{{count:1 count:2}}", "{{count 1}}", "1+2", "one", "{{count:1"])
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(BadTestError):
        parse_points(text)


def test_start_timestamps() -> None:
    assert parse_starts("_ -30s-1mx2 * 5ms _x2") == [None, -30_000, -90_000, -150_000, -150_000, 5, None, None]


def test_small_things() -> None:
    assert [duration(text) for text in ("1h30m", "0", "-5s", "10s53ms")] == [5_400_000, 0, -5_000, 10_053]
    assert [number(text) for text in ("0x10", "-1.5", "+Inf")] == [16.0, -1.5, math.inf]
    assert unquote(r'"a\"\u00e9\x41"') == 'a"éA'
    assert metric('{"a.b", c=`d`, e=""} 1') == ((("__name__", "a.b"), ("c", "d")), " 1")


def test_commands_and_what_they_expect() -> None:
    commands = parse_file(
        """
# a comment
load 5m
  m 1 2

eval instant at 5m m
  expect no_warn
  expect info msg: PromQL info: so it is (1:1)
  {a="b"} 1

eval range from 0 to 10m step 5m m
  m 1 2 _

eval_fail instant at 0 rate(m)
  expected_fail_message no range

clear
nonsense
"""
    )
    assert [type(command) for command in commands] == [Load, Eval, Eval, Eval, Clear, Unreadable]
    instant, ranged, failing = (command for command in commands if isinstance(command, Eval))
    assert [e.kind for e in instant.expectations] == ["no_warn", "info"]
    assert (ranged.start, ranged.end, ranged.step) == (0, 600_000, 300_000)
    assert [(e.kind, e.message) for e in failing.expectations] == [("fail", "no range")]


def test_classic_histograms_become_native_ones_with_custom_bounds() -> None:
    history = empty_history()
    (command,) = parse_file('load_with_nhcb 1m\n h_bucket{le="1"} 1 2\n h_bucket{le="+Inf"} 3 5\n h_sum 4 9\n h_count 3 5\n')
    assert isinstance(command, Load)
    load(history, command)
    (block,) = history.select((Matcher("__name__", "=", "h"),), 0, 60_000, Hints()).blocks
    assert block.histograms is not None
    last: Histogram = block.histograms[0, 1]
    assert (last.custom_values.tolist(), last.positive.counts.tolist(), last.count, last.sum) == ([1.0], [2.0, 3.0], 5.0, 9.0)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1.0, 1.0000001, True),
        (1.0, 1.0001, False),
        (math.nan, math.nan, True),
        (math.nan, STALE, False),
        (math.inf, math.inf, True),
        (0.0, 1e-9, False),
    ],
)
def test_floats_are_equal_but_for_a_millionth(a: float, b: float, equal: bool) -> None:
    assert almost_equal(a, b) is equal


def test_histograms_are_equal_without_their_empty_buckets() -> None:
    def with_counts(*counts: float, hint: Hint = Hint.UNKNOWN) -> Histogram:
        return Histogram.of(0, 3.0, positive=Buckets(np.arange(len(counts), dtype=np.int32), np.array(counts)), hint=hint)

    assert same_histogram(with_counts(1, 2), with_counts(1, 2, 0), with_hint=True)
    assert not same_histogram(with_counts(1, 2), with_counts(1, 2.1), with_hint=False)
    assert not same_histogram(with_counts(1), with_counts(1, hint=Hint.GAUGE), with_hint=True)


def test_a_missing_series_a_surplus_one_and_a_wrong_value_are_told() -> None:
    (command,) = parse_file("eval instant at 0 m\n  m 1\n")
    assert isinstance(command, Eval)

    def vector(*series: tuple[str, float]) -> Answer:
        values = np.array([[value] for _, value in series]).reshape(-1, 1)
        labels = tuple((("__name__", name),) for name, _ in series)
        return Answer("vector", Matrix(labels, np.array([0]), values, np.ones(values.shape, bool)))

    compare(command, vector(("m", 1.0)))
    for answer, cause in ((vector(), "series"), (vector(("m", 1.0), ("n", 1.0)), "series"), (vector(("m", 2.0)), "value")):
        with pytest.raises(MismatchError, match=cause):
            compare(command, answer)
