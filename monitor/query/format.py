"""Expressions back to text: on one line, or laid out as Prometheus' `format_query` does (promql/parser/prettier.go)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.ast import Aggregate, At, Binary, Call, Expr, Matching, Number, Paren, Selector, String, Subquery, Unary
from monitor.query.durations import show_duration
from monitor.query.quoting import go_quote

MAX_LINE = 100
INDENT = "  "

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_NO_METRIC = frozenset({"bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf", "nan"})
"""Words that are never a metric where they stand bare."""
_POWERS = {"or": 1, "and": 2, "unless": 2, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6}
_COMPARISON = 3
_SIGN = 5


def to_text(expr: Expr) -> str:
    """The expression on one line; `parse` makes the same tree of it. Parentheses are added where a tree that was put together
    rather than parsed needs them.
    """
    return _Printer(ordered=False).show(expr)


def pretty(expr: Expr) -> str:
    """The expression over as many lines as it needs, of at most 100 characters where that can be, matchers sorted."""
    return _Printer(ordered=True).lay_out(expr, 0)


def show_number(value: float) -> str:
    """A number as PromQL writes it: all digits that tell it from its neighbours, no exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")


def show_labels(names: Sequence[str]) -> str:
    """Label names for `by (…)` and the like, quoted where they are not plain words."""
    return ", ".join(name if _LABEL.fullmatch(name) else go_quote(name) for name in names)


def show_matcher(matcher: Matcher) -> str:
    name = matcher.name if _LABEL.fullmatch(matcher.name) else go_quote(matcher.name)
    return f"{name}{matcher.op}{go_quote(matcher.value)}"


def show_matching(matching: Matching | None) -> str:
    """` on (a) group_left (b) fill (0)` behind an operator, "" where nothing needs saying."""
    if matching is None:
        return ""
    side = {"many-to-one": "left", "one-to-many": "right"}.get(matching.card, "")
    shown = ""
    if matching.on or matching.labels or side:
        shown += f" {'on' if matching.on else 'ignoring'} ({show_labels(matching.labels)})"
    if side:
        shown += f" group_{side} ({show_labels(matching.include)})"
    left, right = matching.fill_left, matching.fill_right
    if left is not None and right is not None and show_number(left) == show_number(right):
        return f"{shown} fill ({show_number(left)})"
    shown += "" if left is None else f" fill_left ({show_number(left)})"
    return shown + ("" if right is None else f" fill_right ({show_number(right)})")


class _Printer:
    """`ordered`: matchers are sorted, as in Prometheus' own printing."""

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered

    def show(self, expr: Expr) -> str:
        if isinstance(expr, Number):
            return _duration(expr.value) if expr.duration else show_number(expr.value)
        if isinstance(expr, String):
            return go_quote(expr.value)
        if isinstance(expr, Selector):
            return self._selector(expr)
        if isinstance(expr, Subquery):
            return self._within(expr.expr, not _is_primary(expr.expr)) + self._subquery_suffix(expr)
        if isinstance(expr, Paren):
            return f"({self.show(expr.expr)})"
        if isinstance(expr, Unary):
            return expr.op + self._within(expr.expr, _power(expr.expr) <= _SIGN or isinstance(expr.expr, Number))
        if isinstance(expr, Binary):
            left, right = self._sides(expr)
            return f"{left} {self._operator(expr)} {right}"
        if isinstance(expr, Call):
            return f"{expr.func}({', '.join(self.show(arg) for arg in expr.args)})"
        param = "" if expr.param is None else f"{self.show(expr.param)}, "
        return f"{_aggregation(expr)}({param}{self.show(expr.expr)})"

    def _within(self, expr: Expr, parentheses: bool) -> str:
        return f"({self.show(expr)})" if parentheses else self.show(expr)

    def _sides(self, expr: Binary) -> tuple[str, str]:
        power = _power(expr)
        right_binds = expr.op == "^"
        loose_left = _power(expr.left) < power + right_binds or (right_binds and _has_sign(expr.left))
        loose_right = _power(expr.right) < power + (not right_binds)
        left = self._within(expr.left, loose_left)
        return left.removeprefix("+") if right_binds else left, self._within(expr.right, loose_right)  # -Inf ^ 2 is -(Inf ^ 2)

    def _operator(self, expr: Binary) -> str:
        return expr.op + (" bool" if expr.bool_modifier else "") + show_matching(expr.matching)

    def _selector(self, selector: Selector) -> str:
        bare = selector.name if _is_metric(selector.name) else ""
        own = Matcher(NAME_TAG, "=", bare)
        shown = [show_matcher(matcher) for matcher in selector.matchers if not bare or matcher != own]
        if self._ordered:
            shown.sort()
        text = bare + ("{" + ",".join(shown) + "}" if shown or not bare else "")
        extended = f" {selector.mode}" if selector.mode else ""
        at = _at(selector.at)
        if selector.is_range:
            text += f"[{self._duration(selector.range, selector.range_expr)}]{extended}{at}"
        else:
            text += at + extended
        return text + self._offset(selector)

    def _subquery_suffix(self, expr: Subquery) -> str:
        step = "" if expr.step is None and expr.step_expr is None else self._duration(expr.step, expr.step_expr)
        return f"[{self._duration(expr.range, expr.range_expr)}:{step}]{_at(expr.at)}{self._offset(expr)}"

    def _duration(self, millis: int | None, expr: Expr | None) -> str:
        return show_duration(millis or 0) if expr is None else self.show(expr)

    def _offset(self, expr: Selector | Subquery) -> str:
        if expr.offset_expr is not None:
            return " offset " + self._within(expr.offset_expr, isinstance(expr.offset_expr, Binary))
        return f" offset {show_duration(expr.offset)}" if expr.offset else ""

    def lay_out(self, expr: Expr, level: int) -> str:
        indent, text = INDENT * level, self.show(expr)
        if isinstance(expr, Unary):
            return f"{indent}{expr.op}{self.lay_out(expr.expr, level).strip()}"
        if isinstance(expr, Subquery):
            return text if _fits(text) else self.lay_out(expr.expr, level) + self._subquery_suffix(expr)
        if _fits(text) or isinstance(expr, Number | String | Selector):
            return indent + text
        if isinstance(expr, Binary):
            left, right = self.lay_out(expr.left, level + 1), self.lay_out(expr.right, level + 1)
            return f"{left}\n{indent}{self._operator(expr)}\n{right}"
        if isinstance(expr, Paren):
            return self._block(f"{indent}(", [expr.expr], level)
        if isinstance(expr, Call):
            return self._block(f"{indent}{expr.func}(", expr.args, level)
        return self._block(
            f"{indent}{_aggregation(expr)}(", [expr.expr] if expr.param is None else [expr.param, expr.expr], level
        )

    def _block(self, opening: str, parts: Sequence[Expr], level: int) -> str:
        body = ",\n".join(self.lay_out(part, level + 1) for part in parts)
        return f"{opening}\n{body}\n{INDENT * level})"


def _aggregation(expr: Aggregate) -> str:
    if expr.without:
        return f"{expr.op} without ({show_labels(expr.grouping)}) "
    return f"{expr.op} by ({show_labels(expr.grouping)}) " if expr.grouping else expr.op


def _fits(text: str) -> bool:
    """Whether one line is enough. Prometheus counts bytes."""
    return len(text.encode("utf-8", "replace")) <= MAX_LINE


def _duration(seconds: float) -> str:
    return show_duration(round(seconds * 1000))


def _at(at: At | None) -> str:
    if at is None:
        return ""
    if at.time is None:
        return f" @ {at.anchor}()"
    whole, part = divmod(abs(at.time), 1000)
    return f" @ {'-' if at.time < 0 else ''}{whole}.{part:03d}"


def _is_metric(name: str) -> bool:
    return _METRIC.fullmatch(name) is not None and name.lower() not in _NO_METRIC


def _is_primary(expr: Expr) -> bool:
    return not isinstance(expr, Binary | Unary) and not _has_sign(expr)


def _has_sign(expr: Expr) -> bool:
    return isinstance(expr, Unary) or (
        isinstance(expr, Number) and math.copysign(1.0, expr.value) < 0 and not math.isnan(expr.value)
    )


def _power(expr: Expr) -> int:
    """How tightly an operator holds its sides; more than any where there is none."""
    return _POWERS.get(expr.op, _COMPARISON) if isinstance(expr, Binary) else 9
