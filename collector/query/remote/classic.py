"""Queries of distributions for a store that has them as classic buckets, since it speaks remote write 1.0 only.

`histogram_quantile(0.9, sum by (job) (rate(latency[5m])))` becomes the same over `latency_bucket`, grouped by `le` too; count,
sum and average are those of `latency_count` and `latency_sum`. What has no such form is asked as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.ast import Aggregate, Binary, Call, Expr, Matching, Number, Paren, Selector, String, Subquery, Unary

_LINEAR = frozenset(("avg_over_time", "delta", "idelta", "increase", "irate", "last_over_time", "rate", "sum_over_time"))
"""Functions that mean for each bucket what they mean for a whole histogram."""
Known = Callable[[str], bool]
"""Whether a metric of this name is a distribution."""


def classic_form(expr: Expr, known: Known) -> Expr:
    """The expression for such a store."""
    if isinstance(expr, Call):
        found = _of_histograms(expr, known)
        return found if found is not None else replace(expr, args=tuple(classic_form(arg, known) for arg in expr.args))
    if isinstance(expr, Paren | Unary | Subquery):
        return replace(expr, expr=classic_form(expr.expr, known))
    if isinstance(expr, Binary):
        return replace(expr, left=classic_form(expr.left, known), right=classic_form(expr.right, known))
    if isinstance(expr, Aggregate):
        return replace(expr, expr=classic_form(expr.expr, known))
    return expr


def _of_histograms(call: Call, known: Known) -> Expr | None:
    if call.func == "histogram_quantile":
        buckets = _series(call.args[1], "_bucket", known)
        return None if buckets is None else replace(call, args=(call.args[0], buckets))
    if call.func in ("histogram_count", "histogram_sum"):
        return _in_parentheses(_series(call.args[0], call.func.removeprefix("histogram"), known))
    if call.func == "histogram_avg":
        total, count = _series(call.args[0], "_sum", known), _series(call.args[0], "_count", known)
        return None if total is None or count is None else Paren(Binary("/", total, count, matching=Matching()))
    return None


def _in_parentheses(expr: Expr | None) -> Expr | None:
    return None if expr is None else Paren(expr)


def _series(expr: Expr, suffix: str, known: Known) -> Expr | None:
    """The same of the classic series with that suffix; None where there is no such thing."""
    if isinstance(expr, Selector):
        return _renamed(expr, suffix, known)
    if isinstance(expr, Paren | Subquery):
        inner = _series(expr.expr, suffix, known)
        return None if inner is None else replace(expr, expr=inner)
    if isinstance(expr, Aggregate) and expr.op in ("sum", "avg"):
        inner = _series(expr.expr, suffix, known)
        grouping = expr.grouping if expr.without or suffix != "_bucket" else (*expr.grouping, "le")
        return None if inner is None else replace(expr, expr=inner, grouping=grouping)
    if isinstance(expr, Call) and expr.func in _LINEAR:
        inner = _series(expr.args[0], suffix, known)
        return None if inner is None else replace(expr, args=(inner,))
    if isinstance(expr, Call) and expr.func == "label_replace" and all(isinstance(arg, String) for arg in expr.args[1:]):
        inner = _series(expr.args[0], suffix, known)
        return None if inner is None else replace(expr, args=(inner, *expr.args[1:]))
    if isinstance(expr, Binary) and expr.op in ("*", "/") and isinstance(expr.right, Number):
        inner = _series(expr.left, suffix, known)
        return None if inner is None else replace(expr, left=inner)
    return None


def _renamed(selector: Selector, suffix: str, known: Known) -> Selector | None:
    names = [matcher for matcher in selector.matchers if matcher.name == NAME_TAG]
    if len(names) != 1 or names[0].op != "=" or not known(names[0].value):
        return None
    told = Matcher(NAME_TAG, "=", names[0].value + suffix)
    matchers = tuple(told if matcher is names[0] else matcher for matcher in selector.matchers)
    return replace(selector, matchers=matchers, name=selector.name + suffix if selector.name else "")
