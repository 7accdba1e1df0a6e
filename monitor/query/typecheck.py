"""Checks the types of an expression as Prometheus does (promql/parser/parse.go, checkAST): same words, the guilty node's span."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from monitor.model.matchers import NAME_TAG
from monitor.query.ast import Aggregate, Binary, Call, Expr, Matching, Number, Selector, Span, String, Subquery, Unary, ValueType
from monitor.query.history import ParseError
from monitor.query.lexer import COMPARISONS, SET_OPERATORS
from monitor.query.quoting import go_quote
from monitor.query.signatures import FUNCTIONS, Signature

_SHOWN = {"vector": "instant vector", "matrix": "range vector", "scalar": "scalar", "string": "string"}


def type_of(expr: Expr) -> ValueType:
    """The type of an expression's value: scalar, vector (instant), matrix (range) or string."""
    if isinstance(expr, Number):
        return "scalar"
    if isinstance(expr, String):
        return "string"
    if isinstance(expr, Selector):
        return "matrix" if expr.is_range else "vector"
    if isinstance(expr, Subquery):
        return "matrix"
    if isinstance(expr, Call):
        return FUNCTIONS[expr.func].returns
    if isinstance(expr, Binary):
        return "scalar" if type_of(expr.left) == "scalar" and type_of(expr.right) == "scalar" else "vector"
    return "vector" if isinstance(expr, Aggregate) else type_of(expr.expr)


def check(expr: Expr, text: str) -> Expr:
    """`expr` with each operator's matching settled. Raises `ParseError` for the first wrong type in reading order."""
    return _Checker(text).check(expr)[0]


class _Checker:
    def __init__(self, text: str) -> None:
        self._text = text

    def _fail(self, message: str, span: Span) -> NoReturn:
        raise ParseError(message, self._text, *span)

    def check(self, expr: Expr) -> tuple[Expr, ValueType]:
        if isinstance(expr, Number):
            return expr, "scalar"
        if isinstance(expr, String):
            return expr, "string"
        if isinstance(expr, Selector):
            self._selector(expr)
            return expr, "matrix" if expr.is_range else "vector"
        if isinstance(expr, Binary):
            return self._binary(expr)
        if isinstance(expr, Call):
            return self._call(expr), FUNCTIONS[expr.func].returns
        if isinstance(expr, Aggregate):
            return self._aggregate(expr), "vector"
        inner, kind = self.check(expr.expr)
        if isinstance(expr, Unary) and kind not in ("scalar", "vector"):
            shown = go_quote(_SHOWN[kind])
            self._fail(f"unary expression only allowed on expressions of type scalar or instant vector, got {shown}", expr.span)
        if isinstance(expr, Subquery):
            if kind != "vector":
                self._fail(f"subquery is only allowed on instant vector, got {kind} instead", expr.span)
            kind = "matrix"
        return (expr if inner is expr.expr else replace(expr, expr=inner)), kind

    def _expect(self, expr: Expr, wanted: ValueType, context: str) -> Expr:
        checked, kind = self.check(expr)
        if kind != wanted:
            self._fail(f"expected type {_SHOWN[wanted]} in {context}, got {_SHOWN[kind]}", expr.span)
        return checked

    def _selector(self, selector: Selector) -> None:
        names = [m for m in selector.matchers if m.name == NAME_TAG]
        if selector.name:
            if len(names) > 1:
                message = f"metric name must not be set twice: {go_quote(selector.name)} or {go_quote(names[1].value)}"
                self._fail(message, selector.span)
        elif not any(not matcher.test("") for matcher in selector.matchers):
            self._fail("vector selector must contain at least one non-empty matcher", selector.span)

    def _aggregate(self, expr: Aggregate) -> Aggregate:
        inner = self._expect(expr.expr, "vector", "aggregation expression")
        param = expr.param
        if param is not None:
            param = self._expect(param, "string" if expr.op == "count_values" else "scalar", "aggregation parameter")
        return expr if inner is expr.expr and param is expr.param else replace(expr, expr=inner, param=param)

    def _binary(self, expr: Binary) -> tuple[Expr, ValueType]:
        left, left_type = self.check(expr.left)
        right, right_type = self.check(expr.right)
        self._modifiers(expr, left_type, right_type)
        for side, kind in ((left, left_type), (right, right_type)):
            if kind not in ("scalar", "vector"):
                self._fail("binary expression must contain only scalar and instant vector types", side.span)
        matching = self._matching(expr, expr.matching or Matching(), left_type == right_type == "vector")
        if "scalar" in (left_type, right_type) and expr.op in SET_OPERATORS:
            self._fail(f"set operator {go_quote(expr.op)} not allowed in binary scalar expression", expr.span)
        checked = Binary(expr.op, left, right, expr.bool_modifier, matching, expr.span, expr.op_span)
        return checked, "scalar" if left_type == right_type == "scalar" else "vector"

    def _modifiers(self, expr: Binary, left: ValueType, right: ValueType) -> None:
        if expr.bool_modifier and expr.op not in COMPARISONS:
            self._fail("bool modifier can only be used on comparison operators", expr.op_span)
        if expr.op in COMPARISONS and not expr.bool_modifier and left == right == "scalar":
            self._fail("comparisons between scalars must use BOOL modifier", expr.op_span)
        if expr.matching is not None and expr.matching.on:
            for label in expr.matching.labels:
                if label in expr.matching.include:
                    self._fail(f"label {go_quote(label)} must not occur in ON and GROUP clause at once", expr.op_span)

    def _matching(self, expr: Binary, matching: Matching, vectors: bool) -> Matching | None:
        fills = matching.fill_left is not None or matching.fill_right is not None
        if not vectors:
            if matching.labels:
                self._fail("vector matching only allowed between instant vectors", expr.span)
            if fills:
                self._fail("filling in missing series only allowed between instant vectors", expr.span)
            return None
        if expr.op not in SET_OPERATORS:
            return matching
        if matching.card in ("many-to-one", "one-to-many"):
            self._fail(f"no grouping allowed for {go_quote(expr.op)} operation", expr.span)
        if fills:
            self._fail("filling in missing series not allowed for set operators", expr.span)
        return replace(matching, card="many-to-many")

    def _call(self, expr: Call) -> Call:
        signature = FUNCTIONS[expr.func]
        self._count(expr, signature)
        if expr.func == "info" and len(expr.args) > 1:
            self._info(expr)
        context = f"call to function {go_quote(expr.func)}"
        args: list[Expr] = []
        for place, arg in enumerate(expr.args):
            wanted = signature.types[min(place, len(signature.types) - 1)]
            if expr.func == "info" and place == 1:
                args.append(arg)  # a bare {…} that may be empty: the only selector that need not name anything
            else:
                args.append(self._expect(arg, wanted, context))
        return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else replace(expr, args=tuple(args))

    def _count(self, expr: Call, signature: Signature) -> None:
        got, name = len(expr.args), go_quote(expr.func)
        if signature.variadic == 0:
            if got != len(signature.types):
                self._fail(f"expected {len(signature.types)} argument(s) in call to {name}, got {got}", expr.span)
            return
        if got < signature.least:
            self._fail(f"expected at least {signature.least} argument(s) in call to {name}, got {got}", expr.span)
        if signature.most is not None and got > signature.most:
            self._fail(f"expected at most {signature.most} argument(s) in call to {name}, got {got}", expr.span)

    def _info(self, expr: Call) -> None:
        second = expr.args[1]
        kind = type_of(second)
        if kind != "vector":
            self._fail(f'expected type instant vector in call to function "info", got {_SHOWN[kind]}', expr.span)
        if not isinstance(second, Selector):
            self._fail("expected label selectors only", second.span)
        if second.name:
            self._fail("expected label selectors only, got vector selector instead", second.span)
