"""Whatever is asked, the answer is a value or a `QueryError`; and a range query is its instant queries."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from monitor.query.ast import ValueType
from monitor.query.evaluator import Evaluator
from monitor.query.histogram import CUSTOM_SCHEMA, Buckets, Hint, Histogram, Indices
from monitor.query.history import STALE, Answer, Labels, QueryError
from monitor.query.memory import MemoryHistory
from monitor.query.signatures import AGGREGATIONS, FUNCTIONS, PARAMETER_AGGREGATIONS
from tests.monitor.query.promql_cases import labels

MINUTE = 60_000
END = 20 * MINUTE
NAMES = ["gauge", "events_total", "native", "custom", "mixed", "buckets", "target_info", "nothing"]
MATCHERS = ["", '{job="a"}', '{job!="a"}', '{job=~"a|b"}', '{le="1"}', '{host=""}']
RANGES = ["1m", "5m", "90s", "1ms", "7m30s"]
OPERATORS = ["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", ">=", "and", "or", "unless", "</", ">/"]
BY_RESULT = {
    "vector": sorted(name for name, signature in FUNCTIONS.items() if signature.returns == "vector"),
    "scalar": ["pi", "scalar", "time", "min_of", "max_of"],
}
OF_THE_QUERY = ("start", "end", "step", "range")
NUMBERS = ["0", "1", "2", "0.5", "-1", "NaN", "Inf", "100", "0.99"]


def histogram(count: int, custom: bool, hint: Hint = Hint.UNKNOWN) -> Histogram:
    indices: Indices = np.arange(3, dtype=np.int32)
    counts = np.array([1.0, 2.0, 1.0]) * count
    if custom:
        bounds = np.array([1.0, 5.0, 10.0])
        return Histogram.of(CUSTOM_SCHEMA, 4.0 * count, 9.0 * count, positive=Buckets(indices, counts), custom_values=bounds)
    return Histogram.of(0, 4.0 * count, 9.0 * count, positive=Buckets(indices, counts), hint=hint)


def everything() -> MemoryHistory:
    """Every kind of series there is, with gaps, resets and markers."""
    history = MemoryHistory()
    times = np.arange(0, END + 1, 20_000, dtype=np.int64)
    place = np.arange(len(times))
    for number, job in enumerate("abc"):
        gauge = np.asarray(np.sin(place + number) * 10, np.float64)
        gauge[number * 7 : number * 7 + 5] = STALE
        gauge[30] = (math.nan, math.inf, 1e16)[number]
        history.append(labels("gauge", job=job, host="x"), times, gauge)
        history.append(labels("events_total", job=job), times + number, np.asarray((place * 3.0) % (25 + number), np.float64))
        some = place[place % 9 != number]
        history.append_histograms(labels("native", job=job), times[some], [histogram(int(n) % 20, False) for n in some])
        for le in ("1", "5", "+Inf"):
            history.append(
                labels("buckets", job=job, le=le), times, np.asarray(place * {"1": 1.0, "5": 2.5, "+Inf": 3.0}[le], np.float64)
            )
    history.append_histograms(labels("custom", job="a"), times, [histogram(int(n), True) for n in place])
    history.append(labels("mixed", job="a"), times[::2], place[::2].astype(float))
    history.append_histograms(labels("mixed", job="a"), times[1::2], [histogram(int(n), bool(n % 3)) for n in place[1::2]])
    history.append(labels("target_info", job="a", host="x", version="1"), times[::3], np.ones(len(times[::3])))
    return history


@st.composite
def of_type(draw: DrawFn, wanted: ValueType, depth: int) -> str:
    if wanted == "string":
        return draw(st.sampled_from(['"job"', '"le"', '"x"', '"$1"', '"(.*)"', '""']))
    if wanted == "matrix":
        if depth <= 0 or draw(st.booleans()):
            offset = draw(st.sampled_from(["", "", " offset 1m", " @ 600"]))
            mode = draw(st.sampled_from(["", "", "", " anchored", " smoothed"]))
            return f"{draw(selector())}[{draw(st.sampled_from(RANGES))}]{mode}{offset}"
        step = draw(st.sampled_from(["", "30s", "1m"]))
        return f"({draw(of_type('vector', depth - 1))})[5m:{step}]{draw(st.sampled_from(['', ' offset 30s', ' @ 900']))}"
    if wanted == "scalar" and (depth <= 0 or draw(st.integers(0, 2)) > 0):
        return draw(st.sampled_from(NUMBERS))
    if depth <= 0 or (wanted == "vector" and draw(st.integers(0, 6)) == 0):
        return draw(selector()) + draw(st.sampled_from(["", "", " offset 2m", " @ 500", " smoothed"]))
    if wanted == "vector" and draw(st.booleans()):
        return draw(combined(depth))
    signature = FUNCTIONS[draw(st.sampled_from(BY_RESULT[wanted]))]
    count = len(signature.types) + (draw(st.integers(-1, 1)) if signature.variadic else 0)
    count = max(signature.least, min(count, signature.most or count))
    types = [signature.types[min(place, len(signature.types) - 1)] for place in range(count)]
    args = [draw(of_type(kind, depth - 1)) for kind in types]
    if signature.name == "info" and len(args) > 1:
        args[1] = '{version=~".*"}'
    return f"{signature.name}({', '.join(args)})"


@st.composite
def selector(draw: DrawFn) -> str:
    return draw(st.sampled_from(NAMES)) + draw(st.sampled_from(MATCHERS))


@st.composite
def combined(draw: DrawFn, depth: int) -> str:
    inner = draw(of_type("vector", depth - 1))
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return f"-({inner})"
    if kind == 1:
        op = draw(st.sampled_from(sorted(AGGREGATIONS)))
        clause = draw(st.sampled_from(["", "by (job) ", "without (job) ", "by (le, host) "]))
        param = draw(of_type("string" if op == "count_values" else "scalar", depth - 1)) + ", "
        return f"{op} {clause}({param if op in PARAMETER_AGGREGATIONS else ''}{inner})"
    operator = draw(st.sampled_from(OPERATORS))
    if kind == 2 and operator not in ("and", "or", "unless"):
        number = draw(of_type("scalar", depth - 1))
        return f"({inner}) {operator} {number}" if draw(st.booleans()) else f"{number} {operator} ({inner})"
    matching = draw(st.sampled_from(["", "on (job)", "ignoring (host, le)", "on ()"]))
    if matching and operator not in ("and", "or", "unless"):
        matching += draw(st.sampled_from(["", " group_left ()", " group_right ()", " fill (0)"]))
    return f"({inner}) {operator} {matching} ({draw(of_type('vector', depth - 1))})"


def at(answer: Answer, time: int) -> dict[Labels, dict[object, float]]:
    """An answer's values at one time; of a histogram its count, sum and buckets."""
    matrix = answer.matrix
    assert matrix is not None
    column = matrix.times.tolist().index(time)
    found: dict[Labels, dict[object, float]] = {}
    for row, own in enumerate(matrix.labels):
        if matrix.present[row, column]:
            cell = matrix.histograms[row, column] if matrix.histograms is not None else None
            if cell is None:
                found[own] = {"float": float(matrix.values[row, column])}
            else:
                buckets: dict[object, float] = {(bucket.lower, bucket.upper): bucket.count for bucket in cell.buckets()}
                found[own] = {"count": cell.count, "sum": cell.sum, **buckets}
    return found


def alike(got: dict[object, float], wanted: dict[object, float]) -> bool:
    """What rounding left of an empty bucket is as good as none."""
    if ("float" in got) != ("float" in wanted):
        return False
    pairs = [(got.get(key, 0.0), wanted.get(key, 0.0)) for key in got.keys() | wanted.keys()]
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


@settings(max_examples=120, deadline=None)
@given(expr=of_type("vector", 3))
def test_a_value_or_an_error_and_the_same_in_a_range(expr: str) -> None:
    evaluator = Evaluator(HISTORY)
    try:
        whole = evaluator.range(expr, 10 * MINUTE, END, 100_000)
    except QueryError:
        whole = None
    for time in range(10 * MINUTE, END + 1, 100_000):
        try:
            one = evaluator.instant(expr, time)
        except QueryError:
            continue
        if whole is not None and not any(f"{func}()" in expr for func in OF_THE_QUERY):
            got, wanted = at(whole, time), at(one, time)
            assert got.keys() == wanted.keys(), (expr, time)
            assert all(alike(got[own], wanted[own]) for own in got), (expr, time, got, wanted)


HISTORY = everything()
