"""An expression with the names a store of the old alphabet knows: in its matchers, and where labels are named."""

from __future__ import annotations

from dataclasses import replace

from collector.storage.remote.names import old_label, old_metric
from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.ast import Aggregate, Binary, Call, Expr, Matching, Paren, Selector, Subquery, Unary


def respelled(expr: Expr) -> Expr:
    """Names with dots become those with underscores. Patterns are left as they are: they are tried on the store's names."""
    if isinstance(expr, Selector):
        return replace(expr, matchers=tuple(map(_matcher, expr.matchers)), name=old_metric(expr.name) if expr.name else "")
    if isinstance(expr, Paren | Unary | Subquery):
        return replace(expr, expr=respelled(expr.expr))
    if isinstance(expr, Binary):
        return replace(expr, left=respelled(expr.left), right=respelled(expr.right), matching=_matching(expr.matching))
    if isinstance(expr, Aggregate):
        param = respelled(expr.param) if expr.param is not None else None
        return replace(expr, expr=respelled(expr.expr), param=param, grouping=tuple(map(old_label, expr.grouping)))
    if isinstance(expr, Call):
        return replace(expr, args=tuple(map(respelled, expr.args)))
    return expr


def _matcher(matcher: Matcher) -> Matcher:
    if matcher.name == NAME_TAG:
        return (
            Matcher(NAME_TAG, matcher.op, old_metric(matcher.value)) if matcher.op in ("=", "!=") and matcher.value else matcher
        )
    return Matcher(old_label(matcher.name), matcher.op, matcher.value)


def _matching(matching: Matching | None) -> Matching | None:
    if matching is None:
        return None
    labels, include = (tuple(map(old_label, names)) for names in (matching.labels, matching.include))
    return replace(matching, labels=labels, include=include)
