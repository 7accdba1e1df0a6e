"""Functions of samples and labels, and the notes that answers come with."""

from __future__ import annotations

import calendar
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.query.evaluator import Evaluator
from monitor.query.history import QueryError
from monitor.query.notes import go_float, metrics_float, plain_float
from monitor.query.xxhash import xxhash64
from tests.monitor.query.promql_cases import BlockHistory, block, labels, rows

DAY = 86_400


def value(expr: str, sample: float = 0.0, at: int = 1000) -> float:
    history = BlockHistory([block({labels(): [sample]}, [at])])
    found = rows(Evaluator(history).instant(expr, at))
    return next(iter(found.values()))[at]


@settings(max_examples=200, deadline=None)
@given(st.integers(-60_000_000_000, 250_000_000_000))
def test_dates_are_those_of_the_calendar(seconds: int) -> None:
    moment = time.gmtime(seconds)
    wanted = {
        "year": moment.tm_year,
        "month": moment.tm_mon,
        "day_of_month": moment.tm_mday,
        "day_of_week": (moment.tm_wday + 1) % 7,
        "day_of_year": moment.tm_yday,
        "days_in_month": calendar.monthrange(moment.tm_year, moment.tm_mon)[1] if moment.tm_year > 0 else None,
        "hour": moment.tm_hour,
        "minute": moment.tm_min,
    }
    history = BlockHistory([block({labels(): [float(seconds)]}, [1000])])
    for func, expected in wanted.items():
        found = rows(Evaluator(history).instant(f"{func}(metric)", 1000))
        assert expected is None or found == {(): {1000: expected}}


def test_dates_of_no_argument_are_those_of_the_evaluation() -> None:
    assert value("hour()", at=3 * 3_600_000 + 61_000) == 3
    assert value("minute()", at=3 * 3_600_000 + 61_000) == 1


@pytest.mark.parametrize(
    ("expr", "sample", "wanted"),
    [
        ("round(metric, 0.5)", 2.26, 2.5),
        ("round(metric)", -2.5, -2.0),
        ("clamp(metric, 0, 1)", 3.0, 1.0),
        ("clamp_min(metric, 5)", 3.0, 5.0),
        ("clamp_max(metric, 2)", 3.0, 2.0),
        ("sgn(metric)", -4.0, -1.0),
        ("scalar(metric) + 1", 4.0, 5.0),
        ("time() - timestamp(metric)", 4.0, 0.0),
        ("metric % 3", -7.0, -1.0),
        ("metric ^ 0.5", 16.0, 4.0),
        ("2 ^ 3 ^ 2", 0.0, 512.0),
        ("metric atan2 metric", 1.0, math.pi / 4),
        ("metric > bool 1", 2.0, 1.0),
        ("5 < metric", 7.0, 7.0),
    ],
)
def test_functions_of_one_sample(expr: str, sample: float, wanted: float) -> None:
    assert value(expr, sample) == pytest.approx(wanted)


def test_a_clamp_of_nothing_is_empty() -> None:
    history = BlockHistory([block({labels(): [1.0]}, [1000])])
    assert not rows(Evaluator(history).instant("clamp(metric, 2, 1)", 1000))


@pytest.mark.parametrize(
    ("expr", "wanted"),
    [
        ('label_replace(metric, "to", "$1-${2}", "host", "(\\\\w+):(\\\\d+)")', {"host": "web:80", "to": "web-80"}),
        ('label_replace(metric, "to", "$name$$", "host", "(?P<name>.*):.*")', {"host": "web:80", "to": "web$"}),
        ('label_replace(metric, "to", "x", "host", "web")', {"host": "web:80"}),
        ('label_replace(metric, "host", "", "host", ".*")', {}),
        ('label_replace(metric, "to", "$5", "host", ".*")', {"host": "web:80"}),
        ('label_join(metric, "to", "/", "host", "none", "host")', {"host": "web:80", "to": "web:80//web:80"}),
    ],
)
def test_labels_are_replaced_and_joined(expr: str, wanted: dict[str, str]) -> None:
    history = BlockHistory([block({labels(host="web:80"): [1.0]}, [1000])])
    found = next(iter(rows(Evaluator(history).instant(expr, 1000))))
    assert dict(found) == {"__name__": "metric", **wanted}


def test_natural_order() -> None:
    hosts = ["web10", "web9", "db", "web", "web9a", "2", "10"]
    history = BlockHistory([block({labels(host=host): [1.0] for host in hosts}, [1000])])
    for func, turned in (("sort_by_label", False), ("sort_by_label_desc", True)):
        found = [dict(own)["host"] for own in rows(Evaluator(history).instant(f'{func}(metric, "host")', 1000))]
        ordered = ["2", "10", "db", "web", "web9", "web9a", "web10"]
        assert found == (ordered[::-1] if turned else ordered)


def test_nan_sorts_last_either_way() -> None:
    history = BlockHistory([block({labels(host="a"): [math.nan], labels(host="b"): [1.0], labels(host="c"): [2.0]}, [1000])])
    for func, wanted in (("sort", "bca"), ("sort_desc", "cba")):
        found = rows(Evaluator(history).instant(f"{func}(metric)", 1000))
        assert "".join(dict(own)["host"] for own in found) == wanted


def test_absent_has_the_labels_that_are_certain() -> None:
    found = rows(Evaluator(BlockHistory([])).instant('absent(metric{job="a", host=~"b.*", kind="x", kind="y"})', 1000))
    assert found == {(("job", "a"),): {1000: 1.0}}
    assert rows(Evaluator(BlockHistory([])).instant("absent(sum(metric))", 1000)) == {(): {1000: 1.0}}


def test_notes_stand_at_their_place_in_the_text() -> None:
    history = BlockHistory([block({labels(): [1.0, 2.0]}, [1000, 2000])])
    answer = Evaluator(history).instant("1 +\n  rate(metric[5m])", 2000)
    words = 'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "metric"'
    assert answer.infos == (f"{words} (2:8)",)
    answer = Evaluator(history).range("quantile(2, metric)", 1000, 2000, 1000)
    assert answer.warnings == ("PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)",)


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("topk(NaN, metric)", "Parameter value is NaN"),
        ("topk(1e30, metric)", r"Scalar value 1e\+30 overflows int64"),
        ("limit_ratio(NaN, metric)", "Ratio value is NaN"),
        ("max_over_time(metric[1m] smoothed)", "smoothed modifier can only be used with: delta, increase, rate - not with"),
        ("double_exponential_smoothing(metric[1m], 2, 0.5)", "invalid smoothing factor. Expected: 0 < sf < 1, got: 2.000000"),
        ("metric[1m - 1m * step()]", "duration must be greater than 0"),
        ('count_values("\\xff", metric)', 'invalid label name "\\\\xff"'),
        ('label_replace(metric, "a", "", "b", "(")', r"invalid regular expression in label_replace\(\): \("),
    ],
)
def test_what_cannot_be_evaluated_says_why(expr: str, words: str) -> None:
    history = BlockHistory([block({labels(): [1.0]}, [1000])])
    with pytest.raises(QueryError, match=words):
        Evaluator(history).range(f"sum({expr})" if "[1m - " not in expr else f"rate({expr})", 1000, 100_000, 60_000)


@pytest.mark.parametrize(
    ("number", "shortest", "plain", "label"),
    [
        (0.0, "0", "0", "0.0"),
        (1.0, "1", "1", "1.0"),
        (0.99, "0.99", "0.99", "0.99"),
        (1e6, "1e+06", "1000000", "1e+06"),
        (123456.5, "123456.5", "123456.5", "123456.5"),
        (1e-5, "1e-05", "0.00001", "1e-05"),
        (-2.5e-7, "-2.5e-07", "-0.00000025", "-2.5e-07"),
        (math.inf, "+Inf", "+Inf", "+Inf"),
        (math.nan, "NaN", "NaN", "NaN"),
    ],
)
def test_numbers_are_shown_as_go_shows_them(number: float, shortest: str, plain: str, label: str) -> None:
    assert (go_float(number), plain_float(number), metrics_float(number)) == (shortest, plain, label)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_shown_are_the_numbers(number: float) -> None:
    assert float(go_float(number)) == number
    assert float(plain_float(number)) == number


def test_hashes_are_those_of_xxhash() -> None:
    known = {b"": 0xEF46DB3751D8E999, b"a": 0xD24EC4F1A98C6E5B, b"abc": 0x44BC2CF5AD770999}
    known[b"Nobody inspects the spammish repetition"] = 0xFBCEA83C8A378BF1
    assert {data: xxhash64(data) for data in known} == known
