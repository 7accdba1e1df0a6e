"""Durations in brackets and after `offset`: literals, and arithmetic over them with step(), range(), min_of and max_of.

What depends on the query's step or is worked out by arithmetic stays an expression in seconds, of `Number`, `Unary`, `Binary`,
`Paren` and `Call` nodes. After `offset` only a literal, a call or a parenthesis is taken: `x offset 5m + 1` adds to the value.
"""

from __future__ import annotations

import math

from monitor.query.ast import Binary, Call, Expr, Number, Paren, Span, Unary
from monitor.query.durations import DurationError, parse_duration, parse_number, to_millis
from monitor.query.parse_cursor import Cursor

_POWERS = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_PRODUCT = 2
EXPECTED = "number, duration, step(), or range()"


def number(cursor: Cursor) -> Number:
    """The number or duration ahead, as seconds where it is a duration."""
    token = cursor.take()
    span = (token.start, token.end)
    try:
        if token.kind == "duration":
            return Number(parse_duration(token.text) / 1000, span, duration=True)
        return Number(parse_number(token.text), span)
    except DurationError as error:
        raise cursor.error(str(error), *span) from None


def negated(literal: Number, start: int) -> Number:
    value = math.nan if math.isnan(literal.value) else -literal.value
    return Number(value, (start, literal.span[1]), literal.duration)


def positive_duration(cursor: Cursor) -> tuple[int | None, Expr | None]:
    """A range or step: milliseconds, or the expression that gives its seconds."""
    expression = _arithmetic(cursor, 0)
    if not isinstance(expression, Number):
        return None, expression
    millis = _millis(cursor, expression)
    if millis <= 0:
        raise cursor.error("duration must be greater than 0", *expression.span)
    return millis, None


def offset_duration(cursor: Cursor) -> tuple[int, Expr | None]:
    """What follows `offset`: milliseconds, or 0 and the expression that gives its seconds."""
    with cursor.within("offset", EXPECTED):
        sign = cursor.take_if("+", "-")
        operand = _primary(cursor)
    if isinstance(operand, Number):
        return _millis(cursor, negated(operand, sign.start) if sign and sign.kind == "-" else operand), None
    if sign is not None and sign.kind == "-":
        operand = Unary("-", operand, (sign.start, operand.span[1]))
    return 0, operand


def _millis(cursor: Cursor, literal: Number) -> int:
    try:
        return to_millis(literal.value)
    except DurationError as error:
        raise cursor.error(str(error), *literal.span) from None


def _arithmetic(cursor: Cursor, minimum: int) -> Expr:
    with cursor.deeper():
        left = _signed(cursor)
        while (power := _POWERS.get(cursor.kind, 0)) > minimum:
            operator = cursor.take()
            right = _arithmetic(cursor, power - 1 if operator.kind == "^" else power)
            if isinstance(right, Number) and right.value == 0 and operator.kind in "/%":
                word = "division" if operator.kind == "/" else "modulo"
                raise cursor.error(f"{word} by zero", operator.start, operator.end)
            span: Span = (left.span[0], right.span[1])
            left = Binary(operator.kind, left, right, span=span, op_span=(operator.start, operator.end))
    return left


def _signed(cursor: Cursor) -> Expr:
    sign = cursor.take_if("+", "-")
    if sign is None:
        return _primary(cursor)
    operand = _arithmetic(cursor, _PRODUCT)
    if sign.kind == "+":
        return operand
    if isinstance(operand, Number):
        return negated(operand, sign.start)
    return Unary("-", operand, (sign.start, operand.span[1]))


def _primary(cursor: Cursor) -> Expr:
    kind = cursor.kind
    if kind in ("number", "duration"):
        return number(cursor)
    if kind == "(":
        return _parenthesis(cursor)
    if kind not in ("step", "range", "min_of", "max_of"):
        cursor.unexpected()
    name = cursor.take()
    cursor.need("(")
    arguments: tuple[Expr, ...] = ()
    if kind in ("min_of", "max_of"):
        first = _arithmetic(cursor, 0)
        cursor.need(",")
        arguments = (first, _arithmetic(cursor, 0))
    closing = cursor.need(")")
    return Call(kind, arguments, (name.start, closing.end))


def _parenthesis(cursor: Cursor) -> Expr:
    opening = cursor.take()
    inner = _arithmetic(cursor, 0)
    closing = cursor.need(")")
    return Paren(inner, (opening.start, closing.end))
