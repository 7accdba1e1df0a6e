"""Whether the series of an answer have a metric's name. VictoriaMetrics keeps it where PromQL drops it, so that a line would have
one name before the seam and another behind it.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.model.matchers import NAME_TAG
from monitor.query.ast import Aggregate, Binary, Call, Expr, Paren, Selector, String, Subquery, Unary
from monitor.query.history import Answer, Labels

_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_SETS = frozenset(("and", "or", "unless"))
_SELECTING = frozenset(("topk", "bottomk", "limitk", "limit_ratio"))
_SORTING = frozenset(("sort", "sort_desc", "sort_by_label", "sort_by_label_desc"))
_KEEPING = frozenset(("first_over_time", "info", "label_join", "label_replace", "last_over_time"))


def may_be_named(expr: Expr) -> bool:
    """False where PromQL drops the names of all series (Prometheus, promql/engine.go, dropMetricName)."""
    if isinstance(expr, Selector | Subquery):
        return True
    if isinstance(expr, Paren):
        return may_be_named(expr.expr)
    if isinstance(expr, Unary):
        return expr.op == "+" and may_be_named(expr.expr)
    if isinstance(expr, Binary):
        if expr.matching is not None and NAME_TAG in expr.matching.include:
            return True
        kept = expr.op in _SETS or (expr.op in _COMPARISONS and not expr.bool_modifier)
        return kept and (may_be_named(expr.left) or may_be_named(expr.right))
    if isinstance(expr, Aggregate):
        if expr.op in _SELECTING:
            return may_be_named(expr.expr)
        counted = isinstance(expr.param, String) and expr.param.value == NAME_TAG
        return counted or (not expr.without and NAME_TAG in expr.grouping)
    if isinstance(expr, Call):
        return expr.func in _KEEPING or (expr.func in _SORTING and may_be_named(expr.args[0]))
    return False


def named_as_here(answer: Answer, expr: Expr) -> Answer:
    """An answer of the store with the labels that ours would have."""
    matrix = answer.matrix
    if matrix is None or may_be_named(expr):
        return answer
    labels = tuple(map(_unnamed, matrix.labels))
    if len(set(labels)) < len(labels):  # the names are all that tells them apart
        return answer
    return replace(answer, matrix=replace(matrix, labels=labels))


def _unnamed(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != NAME_TAG)
