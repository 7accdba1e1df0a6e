"""PromQL text to a checked expression tree: today's language (Prometheus 3 with its experimental parts), errors where they are.

The method is precedence climbing; precedences, associativity and the words of errors are those of Prometheus'
promql/parser/generated_parser.y. Text length and nesting are bounded, so hostile text costs an error and no more.
"""

from __future__ import annotations

from dataclasses import fields
from typing import NoReturn

from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.ast import Aggregate, Binary, Call, Expr, Matching, Number, Paren, Selector, String, Unary
from monitor.query.lexer import AGGREGATIONS, COMPARISONS, SET_OPERATORS, SPECIAL_CALLS, Token
from monitor.query.parse_cursor import MAX_DEPTH, Cursor, too_deep
from monitor.query.parse_duration import negated, number
from monitor.query.parse_labels import label_list, matchers
from monitor.query.parse_modifiers import POSTFIXES, postfix
from monitor.query.quoting import go_quote, unquote
from monitor.query.signatures import FUNCTIONS, PARAMETER_AGGREGATIONS
from monitor.query.typecheck import check

_POWERS = {
    "or": 1,
    **dict.fromkeys(SET_OPERATORS - {"or"}, 2),
    **dict.fromkeys(COMPARISONS | {"</", ">/"}, 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
_UNARY_POWER = 5
_NAME_WORDS = AGGREGATIONS | SET_OPERATORS | SPECIAL_CALLS | {"by", "offset", "without", "anchored", "smoothed"}
"""Keywords that are metrics where an operand is expected."""


def parse(text: str) -> Expr:
    """The expression, its types checked. Raises `ParseError` with the place and Prometheus' words for what is wrong."""
    cursor = Cursor(text)
    if cursor.kind == "eof":
        raise cursor.error("no expression found in input", 0, 0)
    expr = _expression(cursor, 0)
    if cursor.kind != "eof":
        cursor.unexpected()
    _bound_height(expr, cursor)
    return check(expr, text)


def _bound_height(root: Expr, cursor: Cursor) -> None:
    """Long chains (`a + a + …`) nest to the left without the parser going deep; those who walk the tree would."""
    level: list[Expr] = [root]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise cursor.error(too_deep(), *level[0].span)


def _children(node: Expr) -> list[Expr]:
    found: list[Expr] = []
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Expr):
            found.append(value)
        elif field.name == "args":
            found.extend(value)
    return found


def _expression(cursor: Cursor, minimum: int) -> Expr:
    with cursor.deeper():
        left = _operand(cursor)
        while (power := _POWERS.get(cursor.kind, 0)) > minimum:
            operator = cursor.take()
            bool_modifier, matching = _matching(cursor)
            right = _expression(cursor, power - 1 if operator.kind == "^" else power)
            span, op_span = (left.span[0], right.span[1]), (operator.start, operator.end)
            left = Binary(operator.kind, left, right, bool_modifier, matching, span, op_span)
    return left


def _matching(cursor: Cursor) -> tuple[bool, Matching]:
    """`bool on(a) group_left(b) fill(0)` after an operator."""
    bool_modifier = cursor.take_if("bool") is not None
    words: dict[str, tuple[str, ...]] = {}
    clause = cursor.take_if("on", "ignoring")
    if clause is not None:
        words["labels"] = label_list(cursor)
    side = cursor.take_if("group_left", "group_right") if clause is not None else None
    if side is not None:
        words["include"] = label_list(cursor) if cursor.kind == "(" else ()
    fills: dict[str, float] = {}
    while cursor.kind in ("fill", "fill_left", "fill_right"):
        word = cursor.take().kind
        if fills and (word == "fill" or word in fills or len(fills) > 1):
            cursor.unexpected()
        value = _fill_value(cursor)
        fills.update({"fill_left": value, "fill_right": value} if word == "fill" else {word: value})
    card = {"": "one-to-one", "group_left": "many-to-one", "group_right": "one-to-many"}[side.kind if side else ""]
    return bool_modifier, Matching(card, clause is not None and clause.kind == "on", **words, **fills)  # type: ignore[arg-type]


def _fill_value(cursor: Cursor) -> float:
    cursor.need("(")
    sign = cursor.take_if("+", "-")
    if cursor.kind not in ("number", "duration"):
        cursor.unexpected()
    literal = number(cursor)
    cursor.need(")")
    return (negated(literal, 0) if sign is not None and sign.kind == "-" else literal).value


def _operand(cursor: Cursor) -> Expr:
    sign = cursor.take_if("+", "-")
    if sign is not None:
        return _signed(cursor, sign)
    expr = _primary(cursor)
    while cursor.kind in POSTFIXES:
        expr = postfix(cursor, expr)
    return expr


def _signed(cursor: Cursor, sign: Token) -> Expr:
    operand = _expression(cursor, _UNARY_POWER)
    if isinstance(operand, Number):
        if sign.kind == "-":
            return negated(operand, sign.start)
        return Number(operand.value, (sign.start, operand.span[1]), operand.duration)
    return Unary("-" if sign.kind == "-" else "+", operand, (sign.start, operand.span[1]))


def _primary(cursor: Cursor) -> Expr:
    token = cursor.peek()
    if token.kind in ("number", "duration"):
        return number(cursor)
    if token.kind == "string":
        cursor.take()
        return String(unquote(token.text), (token.start, token.end))
    if token.kind == "(":
        return _parenthesis(cursor)
    if token.kind == "{":
        found = matchers(cursor)
        return Selector(found, span=(token.start, cursor.closing))
    if token.kind in _NAME_WORDS or token.kind in ("identifier", "metric identifier"):
        return _named(cursor)
    return cursor.unexpected()


def _parenthesis(cursor: Cursor) -> Expr:
    opening = cursor.take()
    inner = _expression(cursor, 0)
    closing = cursor.need(")")
    return Paren(inner, (opening.start, closing.end))


def _named(cursor: Cursor) -> Expr:
    """A call, an aggregation or a metric."""
    name = cursor.take()
    if name.kind in AGGREGATIONS and cursor.kind in ("(", "by", "without"):
        return _aggregation(cursor, name)
    if cursor.kind == "(" and (name.kind == "identifier" or name.kind in SPECIAL_CALLS):
        return _call(cursor, name)
    found: tuple[Matcher, ...] = (Matcher(NAME_TAG, "=", name.text),)
    end = name.end
    if cursor.kind == "{":
        found += matchers(cursor)
        end = cursor.closing
    return Selector(found, name.text, span=(name.start, end))


def _call(cursor: Cursor, name: Token) -> Expr:
    arguments = _arguments(cursor)
    spelt = name.kind if name.kind in SPECIAL_CALLS else name.text
    if spelt not in FUNCTIONS:
        raise cursor.error(f"unknown function with name {go_quote(name.text)}", name.start, name.end)
    return Call(spelt, tuple(arguments), (name.start, cursor.closing))


def _arguments(cursor: Cursor) -> list[Expr]:
    cursor.need("(")
    found: list[Expr] = []
    if cursor.take_if(")") is not None:
        return found
    while True:
        found.append(_expression(cursor, 0))
        comma = cursor.take_if(",")
        if comma is None:
            cursor.need(")")
            return found
        if not _starts_operand(cursor.peek()):
            raise cursor.error("trailing commas not allowed in function call args", comma.start, comma.end)


def _starts_operand(token: Token) -> bool:
    kinds = ("number", "duration", "string", "identifier", "metric identifier", "(", "{", "+", "-")
    return token.kind in kinds or token.kind in _NAME_WORDS


def _aggregation(cursor: Cursor, name: Token) -> Expr:
    grouping: tuple[str, ...] = ()
    with cursor.within("aggregation"):
        clause = cursor.take_if("by", "without")
        if clause is not None:
            grouping = label_list(cursor)
        arguments = _arguments(cursor)
    end = cursor.closing
    if clause is None:
        clause = cursor.take_if("by", "without")
        if clause is not None:
            grouping = label_list(cursor)
            end = cursor.closing
    wanted = 2 if name.kind in PARAMETER_AGGREGATIONS else 1
    if len(arguments) != wanted:
        _wrong_count(cursor, len(arguments), wanted, name.start, end)
    param = arguments[0] if wanted == 2 else None
    without = clause is not None and clause.kind == "without"
    return Aggregate(name.kind, arguments[-1], param, grouping, without, (name.start, end))


def _wrong_count(cursor: Cursor, got: int, wanted: int, start: int, end: int) -> NoReturn:
    message = f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {got}"
    raise cursor.error(message if got else "no arguments for aggregate expression provided", start, end)
