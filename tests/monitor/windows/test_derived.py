"""Derived metrics: formulas, what they are joined by, and what is wrong with bad ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine import Derived, Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.matchers import parse_selector
from monitor.model.series import KeySpace, Kind, SeriesKey, series_key
from monitor.windows.formula import FormulaError, parse_formula, work_out

BEGIN = 1_700_000_000


def engine_with(*derived: Derived) -> Engine:
    return Engine(EngineSettings(derived=derived))


def feed(engine: Engine, space: KeySpace, samples: list[tuple[SeriesKey, Kind, float]], second: int = 0) -> None:
    ids = []
    for key, kind, _ in samples:
        known = [n for n, (k, d) in enumerate(zip(space.keys, space.kinds, strict=True)) if (k, d) == (key, kind)]
        ids.append(known[0] if known else space.add(key, kind))
    values = np.array([value for _, _, value in samples])
    engine.ingest(Batch(space, np.array(ids, np.int32), values, np.full(len(ids), BEGIN + second + 0.5)))
    engine.tick(BEGIN + second + 1)


def last(engine: Engine, key: SeriesKey) -> float:
    row = engine.table.find(key)
    assert row is not None
    return float(engine.column("last", 60, np.array([row], np.int32))[0])


def counter(name: str, value: float, **tags: str) -> tuple[SeriesKey, Kind, float]:
    return series_key(name, tags.items()), Kind.COUNTER, value


def test_a_cache_hit_rate_is_worked_out_for_each_set_of_tags() -> None:
    engine = engine_with(Derived("cache.rate", "cache.hits / (cache.hits + cache.misses)", unit="percent"))
    space = KeySpace()
    feed(engine, space, [
        counter("cache.hits", 3, host="a"), counter("cache.misses", 1, host="a"),
        counter("cache.hits", 1, host="b"), counter("cache.misses", 1, host="b"), counter("cache.hits", 1, host="c"),
    ])  # fmt: skip
    assert last(engine, series_key("cache.rate", [("host", "a")])) == 0.75
    assert last(engine, series_key("cache.rate", [("host", "b")])) == 0.5
    assert engine.table.find(series_key("cache.rate", [("host", "c")])) is None
    row = engine.table.select(parse_selector("cache.rate"))[0]
    info = engine.table.info(int(row))
    assert info is not None
    assert (info.kind, info.unit) == (Kind.GAUGE, "percent")


def test_tags_that_the_formula_fixes_are_left_out_of_the_join() -> None:
    engine = engine_with(Derived("errors", 'http{code="500"} / (http{code="200"} + http{code="500"})'))
    feed(engine, KeySpace(), [counter("http", 1, code="500", host="a"), counter("http", 3, code="200", host="a")])
    assert last(engine, series_key("errors", [("host", "a")])) == 0.25


def test_nothing_over_nothing_is_no_number_and_recovers() -> None:
    engine, space = engine_with(Derived("ratio", "a / b", window=10)), KeySpace()
    feed(engine, space, [counter("a", 1), counter("b", 2)])
    assert last(engine, series_key("ratio")) == 0.5
    feed(engine, space, [], 30)
    assert np.isnan(last(engine, series_key("ratio")))
    feed(engine, space, [counter("a", 1), counter("b", 1)], 31)
    assert last(engine, series_key("ratio")) == 1.0


def test_gauges_enter_as_last_and_distributions_as_mean() -> None:
    engine = engine_with(Derived("x", "-g + 2 * d * 10"))
    samples = [(series_key("g"), Kind.GAUGE, 4.0), (series_key("g"), Kind.GAUGE, 5.0)]
    samples += [(series_key("d"), Kind.DISTRIBUTION, 1.0), (series_key("d"), Kind.DISTRIBUTION, 2.0)]
    feed(engine, KeySpace(), samples)
    assert last(engine, series_key("x")) == 25.0


def test_a_derived_metric_may_use_another() -> None:
    engine = engine_with(Derived("half", "a / 2"), Derived("quarter", "half / 2"))
    space = KeySpace()
    for second in range(3):
        feed(engine, space, [(series_key("a"), Kind.GAUGE, 8.0)], second)
    assert last(engine, series_key("quarter")) == 2.0


def test_derived_series_have_a_history_like_any_other() -> None:
    engine, space = engine_with(Derived("double", "a * 2")), KeySpace()
    for second in range(20):
        feed(engine, space, [(series_key("a"), Kind.GAUGE, float(second))], second)
    row = engine.table.find(series_key("double"))
    history = engine.history(np.array([row], np.int32), "value", 60, BEGIN, BEGIN + 20, 1)
    assert history.values[0].tolist() == [2.0 * second for second in range(20)]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "expected a metric"),
        ("a +", 4, "found the end"),
        ("a + (b * 2", 5, "never closed"),
        ("a b", 3, "expected"),
        ("a $ b", 3, "expected"),
        ("2 + 2", 1, "names no metric"),
        ('a{tag="x', 2, "never closed"),
        ('a + b{tag="x", 9}', 16, "tag name"),
        ("(" * 40 + "a" + ")" * 40, 33, "deeper than 32"),
        ("a" + "+a" * 600, 1001, "at most 1000"),
    ],
)
def test_a_bad_formula_is_refused_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(FormulaError, match=says) as caught:
        parse_formula(text)
    assert caught.value.column == column


def test_a_bad_formula_is_refused_when_the_engine_begins() -> None:
    with pytest.raises(FormulaError):
        engine_with(Derived("x", "a /"))


@given(st.text(alphabet='ab.{}="()+-*/ 12~,\\', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    column = 1
    try:
        parse_formula(text)
    except FormulaError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1


def expressions() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["a", "b", "3", "0.5", "1e2"])
    return st.recursive(
        leaves,
        lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner) | st.builds("-{}".format, inner),
        max_leaves=8,
    )


@given(expressions(), st.floats(-100, 100), st.floats(-100, 100))
def test_formulas_are_worked_out_as_python_would(text: str, a: float, b: float) -> None:
    text = f"a * 0 + {text}"
    tree = parse_formula(text)
    operands = {parse_selector("a"): np.array([a]), parse_selector("b"): np.array([b])}
    try:
        wanted = float(eval(text, {"a": a, "b": b}))
    except (ZeroDivisionError, OverflowError):
        wanted = float("nan")
    got = float(work_out(tree, operands)[0])
    assert got == pytest.approx(wanted, nan_ok=True) or not np.isfinite(wanted)
