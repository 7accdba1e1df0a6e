"""Expressions to try parsers with: `expressions` writes well-typed PromQL in many spellings."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

NAMES = ["up", "http_requests_total", "job:latency:p99", "x", "node_cpu", "sum", "by", "offset", "start"]
LABELS = ["job", "instance", "le", "__name__x", "by", "bool", "on"]
VALUES = ["", "api", "a b", 'say "hi"', "back\\slash", "new\nline", "é", "a|b", ".*x", "[0-9]+"]
DURATIONS = ["5m", "1h30m", "1d", "2w", "1y", "90s", "10ms", "1m1s"]
NUMBERS = ["0", "1", "2.5", ".5", "3.", "1e3", "1e-3", "0x1F", "017", "1_000", "Inf", "NaN", "12345678.9"]
SIMPLE_FUNCTIONS = ["abs", "ceil", "sort", "ln", "timestamp", "sgn", "hour"]
RANGE_FUNCTIONS = ["rate", "increase", "irate", "avg_over_time", "last_over_time", "changes", "deriv"]
AGGREGATIONS = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@st.composite
def matchers(draw: DrawFn) -> str:
    label = draw(st.sampled_from(LABELS))
    operator = draw(st.sampled_from(["=", "!=", "=~", "!~"]))
    value = draw(st.sampled_from([value for value in VALUES if operator in ("=", "!=") or "\\" not in value]))
    return f"{label}{draw(spaces())}{operator}{draw(spaces())}{quoted(value)}"


def spaces() -> SearchStrategy[str]:
    return st.sampled_from(["", "", " ", "\n", "  "])


@st.composite
def modifiers(draw: DrawFn) -> str:
    at = draw(st.sampled_from(["", "", " @ 1609746000", " @ 1.5", " @ start()", " @ end()"]))
    offset = draw(st.sampled_from(["", "", " offset 5m", " offset -1h30m"]))
    return offset + at if draw(st.booleans()) else at + offset


@st.composite
def selectors(draw: DrawFn, ranged: bool = False) -> str:
    inside = draw(st.lists(matchers(), max_size=2))
    text = draw(st.sampled_from(NAMES[:5]))
    if inside:
        text += "{" + ",".join(inside) + draw(st.sampled_from(["", ","])) + "}"
    if ranged:
        text += f"[{draw(st.sampled_from(DURATIONS))}]"
    return text + draw(modifiers())


def labels() -> SearchStrategy[str]:
    return st.lists(st.sampled_from(LABELS[:3]), max_size=2, unique=True).map(lambda names: f"({', '.join(names)})")


@st.composite
def matchings(draw: DrawFn) -> str:
    text = draw(st.sampled_from(["on", "ignoring"])) + draw(labels())
    side = draw(st.sampled_from(["", " group_left ()", " group_right()", " group_left (extra)"]))
    return f" {text}{side} "


@st.composite
def vectors(draw: DrawFn, depth: int = 3) -> str:
    if depth == 0:
        return draw(selectors())
    inner, number = vectors(depth - 1), scalars(depth - 1)
    kind = draw(st.integers(0, 8))
    if kind == 0:
        return draw(selectors())
    if kind == 1:
        return f"({draw(inner)})"
    if kind == 2:
        return f"{draw(st.sampled_from(['-', '+']))}({draw(inner)})"
    if kind == 3:
        clause = draw(st.sampled_from(["", " by ", " without "]))
        grouping = clause + draw(labels()) if clause else ""
        name = draw(st.sampled_from(AGGREGATIONS))
        return f"{name}{grouping}({draw(inner)})" if draw(st.booleans()) else f"{name}({draw(inner)}){grouping}"
    if kind == 4:
        return f"topk({draw(number)}, {draw(inner)})"
    if kind == 5:
        return f"{draw(st.sampled_from(SIMPLE_FUNCTIONS))}({draw(inner)})"
    if kind == 6:
        over = draw(selectors(ranged=True)) if draw(st.booleans()) else f"({draw(inner)})[1h:{draw(st.sampled_from(['', '1m']))}]"
        return f"{draw(st.sampled_from(RANGE_FUNCTIONS))}({over})"
    if kind == 7:
        operator = draw(st.sampled_from(ARITHMETIC + COMPARISONS))
        modifier = " bool" if operator in COMPARISONS and draw(st.booleans()) else ""
        return f"{draw(inner)} {operator}{modifier} {draw(number)}"
    operator = draw(st.sampled_from([*ARITHMETIC, *COMPARISONS, "and", "or", "unless"]))
    between = "" if operator in ("and", "or", "unless") else draw(st.one_of(st.just(""), matchings()))
    return f"{draw(inner)} {operator}{between} {draw(inner)}"


@st.composite
def scalars(draw: DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 4)) if depth > 0 else 0
    if kind == 0:
        return draw(st.sampled_from(NUMBERS))
    inner = scalars(depth - 1)
    if kind == 1:
        return f"({draw(inner)})"
    if kind == 2:
        return f"-{draw(inner)}"
    if kind == 3:
        return draw(st.sampled_from(["time()", "pi()", "scalar(up)"]))
    return f"{draw(inner)} {draw(st.sampled_from(ARITHMETIC))} {draw(inner)}"


def expressions() -> SearchStrategy[str]:
    """Well-typed PromQL that any parser of the last years reads."""
    return st.one_of(vectors(), scalars(), selectors(ranged=True))


@st.composite
def durations(draw: DrawFn, depth: int = 2) -> str:
    """Durations with arithmetic, as they stand in brackets."""
    kind = draw(st.integers(0, 5)) if depth else 0
    if kind == 0:
        return draw(st.sampled_from([*DURATIONS, "30", "step()", "range()"]))
    inner = durations(depth - 1)
    if kind == 1:
        return f"({draw(inner)})"
    if kind == 2:
        return f"-{draw(inner)} + 1d"
    if kind == 3:
        return f"{draw(st.sampled_from(['min_of', 'max_of']))}({draw(inner)}, {draw(inner)})"
    return f"{draw(inner)} {draw(st.sampled_from(['+', '-', '*', '/', '%', '^']))} {draw(inner)}"


@st.composite
def newer(draw: DrawFn) -> str:
    """What only today's language has: arithmetic in durations, anchored and smoothed, fills, trims, quoted names."""
    offset = f" offset ({draw(durations())})" if draw(st.booleans()) else ""
    parts = [
        f"rate(x[{draw(durations())}]{offset})",
        f"sum_over_time(x[{draw(durations())}:{draw(durations())}]{offset})",
        f"increase(x[5m] {draw(st.sampled_from(['anchored', 'smoothed']))}{offset})",
        f"x + on(job) fill({draw(st.sampled_from(['0', '-1', 'NaN', '+Inf']))}) y",
        f"x * {draw(st.sampled_from(['fill_left(1)', 'fill_right(2)', 'fill_left(1) fill_right(2)']))} y",
        f"h {draw(st.sampled_from(['</', '>/']))} {draw(scalars())}",
        '{"foundation.service.error", "quoted.label"="v"}',
        'sum by ("quoted.label", job) (x) / start()',
        "min_of(step(), 5m) * max_of(end(), range())",
        'info(x, {version=~".*"})',
    ]
    return draw(st.sampled_from(parts))
