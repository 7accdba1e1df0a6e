"""What follows an expression: `[5m]`, `[5m:30s]`, `offset 5m`, `@ 1609746000`, `anchored`, `smoothed`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from monitor.query.ast import At, Expr, Selector, Span, Subquery
from monitor.query.lexer import Token
from monitor.query.parse_cursor import Cursor
from monitor.query.parse_duration import EXPECTED, negated, number, offset_duration, positive_duration

POSTFIXES = frozenset({"[", "offset", "@", "anchored", "smoothed"})

_NEEDS_SELECTOR = "must be preceded by an instant vector selector or range vector selector or a subquery"
_MAX_INT64 = float(1 << 63)


def postfix(cursor: Cursor, expr: Expr) -> Expr:
    """`expr` with the modifier that stands ahead."""
    token = cursor.take()
    if token.kind == "[":
        return _bracket(cursor, expr, token)
    if token.kind == "offset":
        return _offset(cursor, expr)
    if token.kind == "@":
        return _at(cursor, expr)
    return _extended(cursor, expr, "anchored" if token.kind == "anchored" else "smoothed", token)


def _bracket(cursor: Cursor, expr: Expr, opening: Token) -> Expr:
    with cursor.within("subquery or range selector", EXPECTED):
        millis, expression = positive_duration(cursor)
    if cursor.take_if(":") is not None:
        return _subquery(cursor, expr, millis, expression)
    closing = cursor.need("]", "subquery or range", '":" or "]"')
    fault = ""
    if not isinstance(expr, Selector) or expr.is_range:
        fault = "ranges only allowed for vector selectors"
    elif expr.offset or expr.offset_expr is not None:
        fault = "no offset modifiers allowed before range"
    elif expr.at is not None:
        fault = "no @ modifiers allowed before range"
    if fault or not isinstance(expr, Selector):
        raise cursor.error(fault, opening.start, closing.end)
    return replace(expr, range=millis, range_expr=expression, span=(expr.span[0], closing.end))


def _subquery(cursor: Cursor, expr: Expr, millis: int | None, expression: Expr | None) -> Expr:
    step: int | None = None
    step_expr: Expr | None = None
    closing = cursor.take_if("]")
    if closing is None:
        with cursor.within("subquery selector", 'number, duration, step(), range(), or "]"'):
            step, step_expr = positive_duration(cursor)
        closing = cursor.need("]", "subquery selector", '"]"')
    span: Span = (expr.span[0], closing.end)
    return Subquery(expr, millis, step, range_expr=expression, step_expr=step_expr, span=span)


def _offset(cursor: Cursor, expr: Expr) -> Expr:
    millis, expression = offset_duration(cursor)
    if not isinstance(expr, Selector | Subquery):
        raise cursor.error(f"offset modifier {_NEEDS_SELECTOR}", *expr.span)
    if expr.offset or expr.offset_expr is not None:
        raise cursor.error("offset may not be set multiple times", *expr.span)
    return replace(expr, offset=millis, offset_expr=expression, span=(expr.span[0], cursor.closing))


def _at(cursor: Cursor, expr: Expr) -> Expr:
    at = _anchor(cursor) if cursor.kind in ("start", "end") else _timestamp(cursor, expr)
    if not isinstance(expr, Selector | Subquery):
        raise cursor.error(f"@ modifier {_NEEDS_SELECTOR}", *expr.span)
    if expr.at is not None:
        raise cursor.error("@ <timestamp> may not be set multiple times", *expr.span)
    return replace(expr, at=at, span=(expr.span[0], cursor.closing))


def _anchor(cursor: Cursor) -> At:
    anchor: Literal["start", "end"] = "start" if cursor.take().kind == "start" else "end"
    cursor.need("(", "@", "timestamp")
    cursor.need(")", "@", "timestamp")
    return At(anchor=anchor)


def _timestamp(cursor: Cursor, expr: Expr) -> At:
    sign = cursor.take_if("+", "-")
    if cursor.kind not in ("number", "duration"):
        cursor.unexpected("@", "timestamp")
    literal = number(cursor)
    seconds = (negated(literal, sign.start) if sign is not None and sign.kind == "-" else literal).value
    if math.isnan(seconds) or abs(seconds) >= _MAX_INT64:
        shown = "NaN" if math.isnan(seconds) else ("+Inf" if seconds > 0 else "-Inf") if math.isinf(seconds) else f"{seconds:f}"
        raise cursor.error(f"timestamp out of bounds for @ modifier: {shown}", *expr.span)
    millis = math.floor(abs(seconds) * 1000 + 0.5)
    return At(time=millis if seconds >= 0 else -millis)


def _extended(cursor: Cursor, expr: Expr, mode: Literal["anchored", "smoothed"], token: Token) -> Expr:
    if isinstance(expr, Subquery):
        raise cursor.error(f"{mode} modifier is not supported for subqueries", *expr.span)
    if not isinstance(expr, Selector):
        raise cursor.error(f"{mode} modifier not implemented", *expr.span)
    if expr.mode not in ("", mode):
        raise cursor.error("anchored and smoothed modifiers cannot be used together", *expr.span)
    return replace(expr, mode=mode, span=(expr.span[0], token.end))
