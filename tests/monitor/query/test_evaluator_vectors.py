"""Aggregations and matching give what they give sample by sample."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.query.evaluator import Evaluator
from monitor.query.history import Labels, QueryError
from tests.monitor.query import slow_promql
from tests.monitor.query.promql_cases import CANCELLING, ODD, PLAIN, BlockHistory, Sample, block, close, labels, rows

TIMES = [1000, 2000, 3000]
ANY = st.one_of(PLAIN, CANCELLING, ODD.filter(lambda value: not abs(value) > 1e300 or math.isinf(value)))
Table = dict[Labels, list[Sample | str]]


@st.composite
def tables(draw: st.DrawFn, values: st.SearchStrategy[float] = ANY, name: str = "metric") -> Table:
    """Series by two tags, with holes."""
    keys = draw(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), unique=True, max_size=6))
    sample = st.one_of(values, values, values, st.none())
    return {labels(name, job=job, host=host): draw(st.lists(sample, min_size=3, max_size=3)) for job, host in keys}


def answered(expr: str, *parts: Table) -> dict[Labels, dict[int, float]]:
    history = BlockHistory([block(part, TIMES) for part in parts if part])
    return rows(Evaluator(history).range(expr, 1000, 3000, 1000))


def at(table: Table, place: int) -> dict[Labels, float]:
    found = {}
    for own, samples in table.items():
        value = samples[place]
        if isinstance(value, int | float):
            found[own] = value
    return found


def variance(values: list[float]) -> float:
    return slow_promql.exact_variance(values)


PLAINLY = {
    "avg": slow_promql.exact_mean,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0,
    "max": slow_promql.highest,
    "min": slow_promql.lowest,
    "sum": slow_promql.exact_sum,
}


@pytest.mark.parametrize("op", sorted(PLAINLY))
@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_aggregations(op: str, table: Table) -> None:
    for clause, group in (("", lambda own: ()), ("by (job)", lambda own: (("job", dict(own)["job"]),))):
        found = answered(f"{op} {clause} (metric)", table)
        for place, time in enumerate(TIMES):
            groups: dict[Labels, list[float]] = defaultdict(list)
            for own, value in at(table, place).items():
                groups[group(own)].append(value)
            got = {own: values[time] for own, values in found.items() if time in values}
            assert got.keys() == groups.keys()
            for own, values in groups.items():
                assert close(got[own], PLAINLY[op](values)), (op, values, got[own])


@settings(max_examples=40, deadline=None)
@given(table=tables(PLAIN), q=st.floats(-0.1, 1.1))
def test_spread_and_quantiles(table: Table, q: float) -> None:
    found = {op: answered(f"{op}(metric)", table) for op in ("stdvar", "stddev")}
    quantiles = answered(f"quantile({q!r}, metric)", table)
    for place, time in enumerate(TIMES):
        values = list(at(table, place).values())
        if values:
            assert close(found["stdvar"][()][time], variance(values), 1e-9, 1e-3)
            assert close(found["stddev"][()][time], math.sqrt(variance(values)), 1e-9, 1e-3)
            assert close(quantiles[()][time], slow_promql.quantile(q, values))


@settings(max_examples=40, deadline=None)
@given(table=tables(st.floats(-5, 5).map(round).map(float)), k=st.integers(0, 7))
def test_topk_and_bottomk_pick_the_extremes(table: Table, k: int) -> None:
    for op, sign in (("topk", -1), ("bottomk", 1)):
        found = answered(f"{op} by (job) ({k}, metric)", table)
        for place, time in enumerate(TIMES):
            for job in "ab":
                values = sorted(sign * v for own, v in at(table, place).items() if dict(own)["job"] == job)
                got = sorted(sign * v[time] for own, v in found.items() if time in v and dict(own)["job"] == job)
                assert got == values[:k]


@settings(max_examples=60, deadline=None)
@given(left=tables(PLAIN, "left"), right=tables(PLAIN, "right"))
def test_one_to_one_matching(left: Table, right: Table) -> None:
    found = answered("left - right", left, right)
    compared = answered("left > right", left, right)
    both = answered("left and right", left, right)
    neither = answered("left unless right", left, right)
    either = answered("left or right", left, right)
    for place, time in enumerate(TIMES):
        a = {own[1:]: (own, value) for own, value in ((_named_last(o), v) for o, v in at(left, place).items())}
        b = {own[1:]: value for own, value in ((_named_last(o), v) for o, v in at(right, place).items())}
        assert _at(found, time) == {own: a[own][1] - b[own] for own in a.keys() & b.keys()}
        named = {key: labels("left", **dict(key)) for key in a}
        assert _at(compared, time) == {named[own]: a[own][1] for own in a.keys() & b.keys() if a[own][1] > b[own]}
        assert _at(both, time) == {named[own]: a[own][1] for own in a.keys() & b.keys()}
        assert _at(neither, time) == {named[own]: a[own][1] for own in a.keys() - b.keys()}
        more = {labels("right", **dict(own)): b[own] for own in b.keys() - a.keys()}
        assert _at(either, time) == {named[own]: a[own][1] for own in a} | more


def _named_last(own: Labels) -> Labels:
    """The name first, then the other labels."""
    return (own[0], *own[1:])


def _at(found: dict[Labels, dict[int, float]], time: int) -> dict[Labels, float]:
    return {own: values[time] for own, values in found.items() if time in values}


@settings(max_examples=60, deadline=None)
@given(left=tables(PLAIN, "left"), right=st.lists(st.one_of(PLAIN, st.none()), min_size=3, max_size=3))
def test_many_to_one_matching_and_fills(left: Table, right: list[Sample | str]) -> None:
    one: Table = {labels("right", job="a", site="here"): right}
    grouped = answered("left * on (job) group_left (site) right", left, one)
    filled = answered("left * on (job) group_left fill_right(10) right", left, one)
    for place, time in enumerate(TIMES):
        factor = right[place]
        wanted, wanted_filled = {}, {}
        for own, value in at(left, place).items():
            tags = {key: text for key, text in own if key != "__name__"}
            known = isinstance(factor, float) and tags["job"] == "a"
            if known and isinstance(factor, float):
                wanted[tuple(sorted({**tags, "site": "here"}.items()))] = value * factor
            wanted_filled[tuple(sorted(tags.items()))] = value * (factor if known and isinstance(factor, float) else 10)
        assert _at(grouped, time) == wanted
        assert _at(filled, time) == wanted_filled


def test_ambiguous_matches_are_refused_in_prometheus_words() -> None:
    many: Table = {labels("left", job="a", host="x"): [1.0] * 3, labels("left", job="a", host="y"): [2.0] * 3}
    one: Table = {labels("right", job="a"): [1.0] * 3}
    with pytest.raises(QueryError, match=r"multiple matches for labels: many-to-one matching must be explicit"):
        answered("left + on (job) right", many, one)
    with pytest.raises(QueryError) as raised:
        answered("right + on (job) left", many, one)
    assert str(raised.value) == (
        'found duplicate series for the match group {job="a"} on the right hand-side of the operation: '
        '[{__name__="left", host="y", job="a"}, {__name__="left", host="x", job="a"}]'
        ";many-to-many matching not allowed: matching labels must be unique on one side"
    )
    with pytest.raises(QueryError, match="vector cannot contain metrics with the same labelset"):
        answered('label_replace(left, "host", "", "", "")', many)


def test_series_that_take_turns_may_share_their_labels() -> None:
    first: Table = {labels("one", job="a"): [1.0, None, None]}
    second: Table = {labels("two", job="a"): [None, 2.0, 3.0]}
    found = answered('-({__name__=~"one|two"})', first, second)
    assert found == {(("job", "a"),): {1000: -1.0, 2000: -2.0, 3000: -3.0}}


def test_many_series_of_few_times_are_summed_as_exactly_as_few_of_many() -> None:
    values = [1e16, 1.0, -1e16] * 333
    table: Table = {labels(id=str(row)): [value] for row, value in enumerate(values)}
    history = BlockHistory([block(table, [1000])])
    answer = Evaluator(history).instant("sum(metric)", 1000)
    assert answer.matrix is not None
    assert answer.matrix.values.tolist() == [[333.0]]
    long = Evaluator(history).range("sum(metric)", 1000, 201_000, 1000)
    assert long.matrix is not None
    assert np.unique(long.matrix.values).tolist() == [333.0]
