"""An expression made ready for one query: durations worked out with its step and span, `@ start()` and `@ end()` fixed, no
parentheses round arguments.

Source: Prometheus, promql/durations.go and promql/engine.go (PreprocessExpr).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

from monitor.query.ast import Aggregate, At, Binary, Call, Expr, Number, Paren, Selector, Subquery, Unary
from monitor.query.durations import DurationError, to_millis
from monitor.query.history import QueryError

_DATES = ("day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year")
_DEPENDS_ON_TIME = frozenset((*_DATES, "predict_linear", "time", "timestamp"))
"""Functions whose value changes with the time of evaluation though their arguments do not."""


LATEST = 1 << 61
"""Milliseconds from the epoch, either way, up to which times and the longest durations add up to 64-bit numbers."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A query's first and last time and its step, milliseconds (step 0: an instant query)."""

    start: int
    end: int
    step: int


def resolved(expr: Expr, query: Bounds) -> Expr:
    """Raises `QueryError` for a duration that is none."""
    if isinstance(expr, Selector):
        found = replace(expr, at=_fixed(expr.at, query))
        if expr.range_expr is not None:
            found = replace(found, range=_duration(expr.range_expr, query, positive=True), range_expr=None)
        if expr.offset_expr is not None:
            found = replace(found, offset=_duration(expr.offset_expr, query, positive=False), offset_expr=None)
        return found
    if isinstance(expr, Subquery):
        return _subquery(expr, query)
    if isinstance(expr, Paren):
        return replace(expr, expr=resolved(expr.expr, query))
    if isinstance(expr, Unary):
        return replace(expr, expr=resolved(expr.expr, query))
    if isinstance(expr, Binary):
        return replace(expr, left=resolved(expr.left, query), right=resolved(expr.right, query))
    if isinstance(expr, Aggregate):
        param = _bare(resolved(expr.param, query)) if expr.param is not None else None
        return replace(expr, expr=_bare(resolved(expr.expr, query)), param=param)
    if isinstance(expr, Call):
        if expr.func in ("start", "end", "step", "range"):
            return Number(_of_query(expr.func, query), expr.span)
        return replace(expr, args=tuple(_bare(resolved(arg, query)) for arg in expr.args))
    return expr


def _bare(expr: Expr) -> Expr:
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def _subquery(expr: Subquery, query: Bounds) -> Subquery:
    found = replace(expr, expr=resolved(expr.expr, query), at=_fixed(expr.at, query))
    if expr.range_expr is not None:
        found = replace(found, range=_duration(expr.range_expr, query, positive=True), range_expr=None)
    if expr.step_expr is not None:
        found = replace(found, step=_duration(expr.step_expr, query, positive=True), step_expr=None)
    if expr.offset_expr is not None:
        found = replace(found, offset=_duration(expr.offset_expr, query, positive=False), offset_expr=None)
    return found


def _fixed(at: At | None, query: Bounds) -> At | None:
    if at is not None and at.time is not None and abs(at.time) > LATEST:
        raise QueryError(f"timestamp out of bounds for @ modifier: {at.time / 1000:.6f}")
    if at is None or at.time is not None:
        return at
    return At(query.start if at.anchor == "start" else query.end)


def _of_query(func: str, query: Bounds) -> float:
    millis = {"start": query.start, "end": query.end, "step": query.step, "range": query.end - query.start}[func]
    return millis / 1000


def _duration(expr: Expr, query: Bounds, positive: bool) -> int:
    seconds = _seconds(expr, query)
    if positive and not seconds > 0:
        raise QueryError("duration must be greater than 0")
    try:
        return to_millis(seconds)
    except DurationError:
        raise QueryError("duration is out of range") from None


def _seconds(expr: Expr, query: Bounds) -> float:
    if isinstance(expr, Number):
        return expr.value
    if isinstance(expr, Paren):
        return _seconds(expr.expr, query)
    if isinstance(expr, Unary):
        inner = _seconds(expr.expr, query)
        return -inner if expr.op == "-" else inner
    if isinstance(expr, Call):
        if expr.func in ("min_of", "max_of"):
            first, second = (_seconds(arg, query) for arg in expr.args)
            return min(first, second) if expr.func == "min_of" else max(first, second)
        return _of_query(expr.func, query)
    if isinstance(expr, Binary):
        return _arithmetic(expr.op, _seconds(expr.left, query), _seconds(expr.right, query))
    raise QueryError("a duration is made of numbers, durations, step() and range()")


def _arithmetic(op: str, left: float, right: float) -> float:
    if op in "/%" and right == 0:
        raise QueryError("division by zero" if op == "/" else "modulo by zero")
    try:
        return _ARITHMETIC[op](left, right)
    except (OverflowError, ValueError, ZeroDivisionError):
        raise QueryError("duration is out of range") from None


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": math.pow,
}


def time_free(expr: Expr) -> bool:
    """Whether an expression has one value at all times: constants, and selectors fixed by `@`."""
    if isinstance(expr, Selector | Subquery):
        return expr.at is not None
    if isinstance(expr, Paren | Unary):
        return time_free(expr.expr)
    if isinstance(expr, Binary):
        return time_free(expr.left) and time_free(expr.right)
    if isinstance(expr, Aggregate):
        return time_free(expr.expr) and (expr.param is None or time_free(expr.param))
    if isinstance(expr, Call):
        return expr.func not in _DEPENDS_ON_TIME and all(time_free(arg) for arg in expr.args)
    return True
