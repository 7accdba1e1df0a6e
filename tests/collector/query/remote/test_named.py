"""Whether an expression's series may have names: as the evaluator, which drops them as Prometheus does, shows."""

from __future__ import annotations

import numpy as np
import pytest

from collector.query.remote.named import may_be_named, named_as_here
from monitor.query.evaluator import Evaluator
from monitor.query.history import Answer, Labels, Matrix, QueryError
from monitor.query.parse import parse
from tests.differential.data import LENGTH, START, history_of, make
from tests.differential.queries import questions

NAME = "__name__"


def named(labels: Labels) -> bool:
    return any(name == NAME for name, _ in labels)


def test_no_series_has_a_name_where_none_may_have_one() -> None:
    evaluator, seen = Evaluator(history_of(make())), set()
    for question in questions(300):
        try:
            tree = parse(question.text)
            if may_be_named(tree):
                continue
            answer = evaluator.instant(tree, (START + LENGTH // 2) * 1000)
        except QueryError:  # a query that is wrong has no names
            continue
        seen.add(question.text)
        assert answer.matrix is None or not any(map(named, answer.matrix.labels)), question.text
    assert len(seen) > 50


@pytest.mark.parametrize(
    "text",
    [
        "up",
        "+(up)",
        "up > 1",
        "up and down",
        "topk(2, up)",
        "sort_desc(up)",
        "last_over_time(up[5m])",
        'label_replace(rate(up[5m]), "__name__", "rate", "", "")',
        "sum by (__name__) (up)",
        'count_values("__name__", up)',
        "up + on (job) group_left (__name__) down",
    ],
)
def test_what_may_keep_its_name(text: str) -> None:
    assert may_be_named(parse(text))


@pytest.mark.parametrize(
    "text",
    ["-up", "up > bool 1", "up + 1", "sum(up)", "max_over_time(up[5m])", "sort(rate(up[5m]))", "topk(1, -up)", "1", "time()"],
)
def test_what_never_keeps_its_name(text: str) -> None:
    assert not may_be_named(parse(text))


def test_names_that_alone_tell_series_apart_stay() -> None:
    times, values = np.array([1]), np.ones((2, 1))
    alike = (((NAME, "a"), ("job", "x")), ((NAME, "b"), ("job", "x")))
    apart = (((NAME, "a"), ("job", "x")), ((NAME, "a"), ("job", "y")))
    tree = parse("max_over_time(a[5m])")
    for labels, expected in ((alike, alike), (apart, ((("job", "x"),), (("job", "y"),)))):
        matrix = Matrix(labels, times, values, np.ones((2, 1), np.bool_))
        found = named_as_here(Answer("matrix", matrix), tree).matrix
        assert found is not None
        assert found.labels == expected
