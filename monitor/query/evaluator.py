"""Evaluates PromQL over any history, column-wise: an expression is gone through once for all times of a query.

Semantics are those of Prometheus 3 with delayed name removal (promql/engine.go, promql/functions.go). There is no clock here: a
caller's `check` is called between operations and ends a query by raising.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.query.aggregate import aggregate
from monitor.query.ast import Aggregate, Binary, Call, Expr, Number, Paren, Selector, String, Subquery, Unary
from monitor.query.binary import binary, unary
from monitor.query.context import BadQueryError, Frame, Limits, Run, Value
from monitor.query.found_resets import selectors_under_statistics
from monitor.query.function_histograms import HISTOGRAM_FUNCTIONS
from monitor.query.function_labels import LABEL_FUNCTIONS
from monitor.query.function_ranges import RANGE_FUNCTIONS, absent, over_range
from monitor.query.function_values import SCALAR_FUNCTIONS, VALUE_FUNCTIONS
from monitor.query.history import Answer, History, QueryError
from monitor.query.info import info
from monitor.query.notes import Notes
from monitor.query.parse import parse
from monitor.query.raw import raw_blocks
from monitor.query.resolve import LATEST, Bounds, resolved, time_free
from monitor.query.selectors import Stamps, instant
from monitor.query.smoothed import smoothed_instant
from monitor.query.tree import functions_round_selectors, repeated_matchers
from monitor.query.typecheck import type_of
from monitor.query.vectors import Vector, as_matrix, broadcast, finished, merged, single

Check = Callable[[], None]
_ORDERED_HERE = frozenset(("sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "topk", "bottomk"))
_DEFAULT_LIMITS = Limits()


class Evaluator:
    """Answers queries from one history. Holds no state of a query: calls may come from any thread at once."""

    def __init__(self, history: History, limits: Limits = _DEFAULT_LIMITS) -> None:
        self._history = history
        self._limits = limits

    def instant(self, expr: str | Expr, time: int, check: Check | None = None) -> Answer:
        """The value at one time (milliseconds). Raises `QueryError`, and what `check` raises."""
        run, tree = self._prepared(expr, Bounds(time, time, 0), check)
        frame = Frame(np.array([time], np.int64))
        bare = tree
        while isinstance(bare, Paren):
            bare = bare.expr
        if isinstance(bare, Subquery) or (isinstance(bare, Selector) and bare.is_range):
            raw = raw_blocks(run, bare, frame)
            return Answer("matrix", None, raw, "", run.warnings, run.infos, run.resolution, run.samples)
        return self._answer(run, run.evaluate(tree, frame), frame, _keeps_order(bare))

    def range(self, expr: str | Expr, start: int, end: int, step: int, check: Check | None = None) -> Answer:
        """The values at start, start + step, … up to the end (milliseconds). Raises as `instant`."""
        if step <= 0:
            raise BadQueryError("zero or negative query resolution step widths are not accepted. Try a positive integer")
        if end < start:
            raise BadQueryError("end timestamp must not be before start time")
        if (end - start) // step + 1 > self._limits.max_points:
            raise BadQueryError(
                f"exceeded maximum resolution of {self._limits.max_points:,} points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        run, tree = self._prepared(expr, Bounds(start, end, step), check)
        kind = type_of(tree)
        if kind in ("string", "matrix"):
            shown = "range vector" if kind == "matrix" else kind
            raise BadQueryError(f'invalid expression type "{shown}" for range query, must be Scalar or instant Vector')
        times = np.arange(start, end + 1, step, dtype=np.int64)
        frame = Frame(times, step)
        return self._answer(run, run.evaluate(tree, frame), frame, ordered_here=False)

    def _prepared(self, expr: str | Expr, bounds: Bounds, check: Check | None) -> tuple[Run, Expr]:
        if max(abs(bounds.start), abs(bounds.end)) > LATEST:
            raise BadQueryError("the time of a query is out of bounds")
        text = expr if isinstance(expr, str) else ""
        tree = parse(expr) if isinstance(expr, str) else expr
        tree = resolved(tree, bounds)
        run = Run(self._history, self._limits, Notes(text), lambda *_: "", check or (lambda: None), bounds.step)
        run.statistics, run.functions = selectors_under_statistics(tree), functions_round_selectors(tree)
        run.repeated = repeated_matchers(tree)
        run.evaluate = lambda part, frame: _evaluate(run, part, frame)
        return run, tree

    def _answer(self, run: Run, found: Value, frame: Frame, ordered_here: bool) -> Answer:
        if isinstance(found, str):
            return Answer("string", None, (), found, run.warnings, run.infos, run.resolution, run.samples)
        kind = "matrix" if frame.step else "scalar" if isinstance(found, np.ndarray) else "vector"
        vector = found if isinstance(found, Vector) else single(found)
        matrix = as_matrix(finished(vector), frame.times, ordered=not ordered_here)
        return Answer(kind, matrix, (), "", run.warnings, run.infos, run.resolution, run.samples)


def _keeps_order(expr: Expr) -> bool:
    """Whether an instant query's series come in an order that means something."""
    return (expr.func if isinstance(expr, Call) else expr.op if isinstance(expr, Aggregate) else "") in _ORDERED_HERE


def _evaluate(run: Run, expr: Expr, frame: Frame) -> Value:
    run.check()
    with np.errstate(all="ignore"):  # infinities and NaN are values like others
        return _evaluate_once(run, expr, frame)


def _evaluate_once(run: Run, expr: Expr, frame: Frame) -> Value:
    if len(frame) > 1 and not isinstance(expr, Number | String | Paren) and time_free(expr):
        found = _evaluate_part(run, expr, frame.first())
        if isinstance(found, Vector):
            run.bound(len(found.labels) * len(frame))
            return broadcast(merged(found), len(frame))
        return found if isinstance(found, str) else np.broadcast_to(found, len(frame))
    return _evaluate_part(run, expr, frame)


def _evaluate_part(run: Run, expr: Expr, frame: Frame) -> Value:
    if isinstance(expr, Number):
        return np.full(len(frame), expr.value)
    if isinstance(expr, String):
        return expr.value
    if isinstance(expr, Paren):
        return _evaluate(run, expr.expr, frame)
    if isinstance(expr, Unary):
        return unary(run, expr, frame)
    if isinstance(expr, Binary):
        return binary(run, expr, frame)
    if isinstance(expr, Aggregate):
        return aggregate(run, expr, frame)
    if isinstance(expr, Call):
        return _called(run, expr, frame)
    if isinstance(expr, Subquery) or expr.is_range:
        raise BadQueryError("a range is the argument of a function: rate(x[5m]), not x[5m] alone")
    return _selected(run, expr, frame)


def _selected(run: Run, selector: Selector, frame: Frame, stamps: Stamps = "") -> Vector:
    func = run.functions.get(id(selector), "")
    if selector.mode == "smoothed" and not stamps:
        return smoothed_instant(run, selector, frame, func)
    found = instant(run, selector, frame, func, stamps)
    return broadcast(found, len(frame)) if found.shape[1] < len(frame) else found


def _called(run: Run, call: Call, frame: Frame) -> Value:
    func = call.func
    if func in RANGE_FUNCTIONS:
        return over_range(run, call, frame)
    if func == "timestamp" and isinstance(call.args[0], Selector):
        return _selected(run, call.args[0], frame, stamps="taken").unnamed()
    if func == "start_timestamp" and isinstance(call.args[0], Selector):
        return _selected(run, call.args[0], frame, stamps="start").unnamed()
    if func == "absent":
        return absent(call.args[0], run.vector(call.args[0], frame), frame)
    if func == "info":
        return info(run, call, frame)
    for table in (VALUE_FUNCTIONS, LABEL_FUNCTIONS, HISTOGRAM_FUNCTIONS):
        if func in table:
            return table[func](run, call, frame)
    if func in SCALAR_FUNCTIONS:
        return SCALAR_FUNCTIONS[func](run, call, frame)
    raise QueryError(f"unknown function with name {func!r}")
