"""The unit of a query's values, inferred from the units of its metrics and from what is done to them.

A quantity is a product of bases (`bytes`, `s`, `time` for "per second", `count` for a plain number of things …) and a scale.
Where an operation makes the unit unknown, so is the answer: a wrong unit is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from monitor.query.ast import Aggregate, Binary, Call, Expr, Number, Paren, Selector, String, Subquery, Unary

COUNT, TIME, SECONDS, BYTES, BITS, PERCENT = "count", "time", "s", "bytes", "bits", "percent"


@dataclass(frozen=True, slots=True)
class Quantity:
    """`powers`: exponent of each base, sorted by base, none 0. A raw value is `scale` times the value in these bases: seconds
    that were multiplied by 1,000 have scale 1,000. `inside`: what a histogram observed, where this counts its observations.
    """

    powers: tuple[tuple[str, int], ...] = ()
    scale: float = 1.0
    inside: Quantity | None = None
    ratio: bool = field(default=False, compare=False)
    """A quotient of two like things, which people read as a percentage."""

    @classmethod
    def of(cls, base: str, power: int = 1, scale: float = 1.0, inside: Quantity | None = None) -> Quantity:
        return cls(((base, power),), scale, inside)

    def power(self, base: str) -> int:
        """The exponent of a base, 0 where it has none."""
        return dict(self.powers).get(base, 0)

    def times(self, other: Quantity, sign: int = 1) -> Quantity:
        """Their product, or with `sign` -1 their quotient."""
        powers = dict(self.powers)
        for base, power in other.powers:
            powers[base] = powers.get(base, 0) + sign * power
        kept = tuple(sorted((base, power) for base, power in powers.items() if power))
        scale = self.scale * other.scale if sign > 0 else self.scale / other.scale
        return Quantity(kept, scale, ratio=sign < 0 and not kept and bool(self.powers))

    def scaled(self, by: float) -> Quantity:
        """As it is after its values were multiplied by a number."""
        if by == 8.0 and self.powers and self.power(BYTES) == 1 and self.scale == 1.0:
            rest = tuple(pair for pair in self.powers if pair[0] != BYTES)
            return Quantity(tuple(sorted((*rest, (BITS, 1)))))
        return replace(self, scale=self.scale * by)

    def per_time(self, by: int = -1) -> Quantity:
        """Over time: of each second (`by` -1)."""
        inside = self.inside
        return replace(self.times(Quantity.of(TIME, by)), inside=inside, ratio=False)


PLAIN = Quantity.of(COUNT)
RATIO = Quantity(ratio=True)
Metric = Callable[[Selector], Quantity | None]
"""The quantity of what a selector selects; None where nothing is known."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEEPS = _words("""
    abs ceil floor round clamp clamp_max clamp_min sort sort_desc sort_by_label sort_by_label_desc label_replace label_join
    vector scalar info delta idelta increase predict_linear holt_winters double_exponential_smoothing last_over_time
    first_over_time avg_over_time min_over_time max_over_time sum_over_time quantile_over_time stddev_over_time mad_over_time
""")
_PER_TIME = _words("rate irate deriv")
_COUNTS = _words("""
    count_over_time absent absent_over_time changes resets histogram_count sgn
    minute hour day_of_month day_of_week day_of_year days_in_month month year
""")
_INSIDE = _words("histogram_quantile histogram_quantiles histogram_avg histogram_stddev")
_INSTANTS = _words("""
    time timestamp start_timestamp start end step range
    ts_of_max_over_time ts_of_min_over_time ts_of_last_over_time ts_of_first_over_time
""")
_SAME_AGGREGATES = _words("sum avg min max stddev topk bottomk quantile limitk limit_ratio")
_ADDITIVE = frozenset(("+", "-", "%"))
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))


def infer(expr: Expr, metric: Metric) -> Quantity | None:
    """The quantity of an expression's values, None where it is not known."""
    match expr:
        case Paren(expr=inner) | Unary(expr=inner) | Subquery(expr=inner):
            return infer(inner, metric)
        case Selector():
            return metric(expr)
        case Number(duration=True):
            return Quantity.of(SECONDS)
        case Aggregate():
            return _aggregate(expr, metric)
        case Call():
            return _call(expr, metric)
        case Binary():
            return _binary(expr, metric)
    return None


def constant(expr: Expr) -> float | None:
    """The number an expression is, where it is one whatever the data: `8`, `1024 * 1024`, `-(2 ^ 10)`."""
    match expr:
        case Paren(expr=inner):
            return constant(inner)
        case Unary(op=op, expr=inner):
            found = constant(inner)
            return None if found is None else -found if op == "-" else found
        case Number(value=value):
            return value
        case Binary(op=op, left=left, right=right) if op in ("*", "/", "^", "+", "-"):
            a, b = constant(left), constant(right)
            return None if a is None or b is None else _computed(op, a, b)
    return None


def _computed(op: str, a: float, b: float) -> float | None:
    with np.errstate(all="ignore"):
        left, right = np.float64(a), np.float64(b)
        found = {"*": np.multiply, "/": np.divide, "^": np.power, "+": np.add, "-": np.subtract}[op](left, right)
    return float(found) if np.isfinite(found) else None


def _aggregate(expr: Aggregate, metric: Metric) -> Quantity | None:
    if expr.op in ("count", "group", "count_values"):
        return PLAIN
    if expr.op in _SAME_AGGREGATES:
        return infer(expr.expr, metric)
    return None


def _call(expr: Call, metric: Metric) -> Quantity | None:
    if expr.func in _INSTANTS:
        return Quantity.of(SECONDS)
    if expr.func in _COUNTS:
        return _counted(expr, metric)
    if expr.func == "histogram_fraction":
        return RATIO
    argument = next((a for a in expr.args if isinstance(a, Selector | Subquery)), None) or _vector(expr)
    found = infer(argument, metric) if argument is not None else None
    if found is None:
        return None
    if expr.func in _KEEPS:
        return found
    if expr.func in _PER_TIME:
        return found.per_time()
    if expr.func in _INSIDE:
        return found.inside
    if expr.func == "histogram_sum" and found.inside is not None:
        return found.inside.times(Quantity.of(TIME, found.power(TIME))) if found.power(TIME) else found.inside
    if expr.func == "sqrt" and all(power % 2 == 0 for _, power in found.powers) and found.scale >= 0:
        return Quantity(tuple((base, power // 2) for base, power in found.powers), found.scale**0.5)
    return None


def _counted(expr: Call, metric: Metric) -> Quantity | None:
    if expr.func != "histogram_count":
        return PLAIN
    found = infer(expr.args[0], metric) if expr.args else None
    return replace(found, inside=None) if found is not None else PLAIN


def _vector(expr: Call) -> Expr | None:
    """The argument that carries the data: the first that is neither a number nor a text."""
    return next((a for a in expr.args if constant(a) is None and not _is_text(a)), None)


def _is_text(expr: Expr) -> bool:
    while isinstance(expr, Paren):
        expr = expr.expr
    return isinstance(expr, String)


def _binary(expr: Binary, metric: Metric) -> Quantity | None:
    op = expr.op
    left, right = constant(expr.left), constant(expr.right)
    if op in _COMPARISONS:
        return PLAIN if expr.bool_modifier else infer(expr.right if left is not None and right is None else expr.left, metric)
    if op in ("and", "unless", "</", ">/"):
        return infer(expr.left, metric)
    if left is not None and right is not None:
        return None
    if left is not None or right is not None:
        return _with_number(op, left, right, infer(expr.right if left is not None else expr.left, metric))
    a, b = infer(expr.left, metric), infer(expr.right, metric)
    if a is None or b is None:
        return None
    if op == "or" or op in _ADDITIVE:
        return a if (a.powers, a.scale) == (b.powers, b.scale) else None
    if op == "/":
        return a.times(b, -1)
    return a.times(b) if op == "*" else None


def _with_number(op: str, left: float | None, right: float | None, found: Quantity | None) -> Quantity | None:
    """A quantity and a number: multiplied it is scaled, what is added or taken away is of its own unit."""
    number = right if right is not None else left
    if found is None or number is None:
        return None
    if op in _ADDITIVE:
        return found
    if op == "*" and number > 0:
        return found.scaled(number)
    if op == "/" and right is not None and number > 0:
        return found.scaled(1.0 / number)
    if op == "/" and left == 1.0:
        return Quantity().times(found, -1)
    return None


NAMES: Mapping[str, str] = {BYTES: "bytes", BITS: "bits", SECONDS: "s", PERCENT: "%"}


def unit_text(found: Quantity | None) -> str:
    """The unit in words: `bytes/s`, `s`, `ratio`; "" where it is none or unknown."""
    if found is None:
        return ""
    bases = [(base, power) for base, power in found.powers if base not in (COUNT, TIME)]
    per = "/s" if found.power(TIME) == -1 else ""
    if not found.powers:
        return "ratio" if found.ratio else ""
    if len(bases) > 1 or any(power != 1 for _, power in bases) or found.power(TIME) not in (0, -1):
        return ""
    return f"{NAMES.get(bases[0][0], bases[0][0]) if bases else ''}{per}"
