"""An expression's tree as `/api/v1/parse_query` shows it (web/api/v1/translate_ast.go)."""

from __future__ import annotations

from typing import Any

from monitor.model.matchers import Matcher
from monitor.query.ast import Aggregate, Binary, Call, Expr, Number, Paren, Selector, String, Subquery, Unary
from monitor.query.format import show_number
from monitor.query.signatures import FUNCTIONS


def tree_json(expr: Expr) -> dict[str, Any]:
    if isinstance(expr, Number):
        return {"type": "numberLiteral", "val": show_number(expr.value)}
    if isinstance(expr, String):
        return {"type": "stringLiteral", "val": expr.value}
    if isinstance(expr, Paren):
        return {"type": "parenExpr", "expr": tree_json(expr.expr)}
    if isinstance(expr, Unary):
        return {"type": "unaryExpr", "op": expr.op, "expr": tree_json(expr.expr)}
    if isinstance(expr, Binary):
        return _binary(expr)
    if isinstance(expr, Aggregate):
        return {
            "type": "aggregation",
            "op": expr.op,
            "expr": tree_json(expr.expr),
            "param": tree_json(expr.param) if expr.param is not None else None,
            "grouping": list(expr.grouping),
            "without": expr.without,
        }
    if isinstance(expr, Call):
        return _call(expr)
    if isinstance(expr, Subquery):
        shown = {"type": "subquery", "expr": tree_json(expr.expr), "range": expr.range, "step": expr.step or 0}
        return shown | _when(expr)
    return _selector(expr)


def _binary(expr: Binary) -> dict[str, Any]:
    matching = expr.matching
    shown = None
    if matching is not None:
        shown = {
            "card": matching.card,
            "labels": list(matching.labels),
            "on": matching.on,
            "include": list(matching.include),
        }
    return {
        "type": "binaryExpr",
        "op": expr.op,
        "lhs": tree_json(expr.left),
        "rhs": tree_json(expr.right),
        "matching": shown,
        "bool": expr.bool_modifier,
    }


def _call(expr: Call) -> dict[str, Any]:
    signature = FUNCTIONS[expr.func]
    func = {
        "name": signature.name,
        "argTypes": list(signature.types),
        "variadic": signature.variadic,
        "returnType": signature.returns,
    }
    return {"type": "call", "func": func, "args": [tree_json(arg) for arg in expr.args]}


def _selector(expr: Selector) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": "matrixSelector" if expr.is_range else "vectorSelector", "name": expr.name}
    if expr.is_range:
        shown["range"] = expr.range
    return shown | {"matchers": [_matcher(matcher) for matcher in expr.matchers]} | _when(expr)


def _matcher(matcher: Matcher) -> dict[str, str]:
    return {"name": matcher.name, "type": matcher.op, "value": matcher.value}


def _when(expr: Selector | Subquery) -> dict[str, Any]:
    at = expr.at
    return {
        "offset": expr.offset,
        "timestamp": at.time if at is not None else None,
        "startOrEnd": (at.anchor or None) if at is not None else None,
    }
