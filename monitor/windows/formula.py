"""Formulas of derived metrics: `cache.hits / (cache.hits + cache.misses)`, read into a tree and worked out over columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.model.batch import Floats
from monitor.model.matchers import Selector, SelectorError, parse_selector

MAX_LENGTH = 1000
MAX_DEPTH = 32

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:.]*")
_BRACES = re.compile(r"""\{(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\}""")

Operands = dict[Selector, Floats]


class FormulaError(ValueError):
    """A formula that cannot be read. `column` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.column = column


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Operand:
    selector: Selector


@dataclass(frozen=True, slots=True)
class Operation:
    symbol: str
    left: Node
    right: Node


Node = Number | Operand | Operation

_ACTS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


def parse_formula(text: str) -> Node:
    """The tree of a formula. Raises `FormulaError` with the column of what cannot be read."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters (at most {MAX_LENGTH})", MAX_LENGTH + 1)
    return _Parser(text).whole()


def operands_of(node: Node) -> tuple[Selector, ...]:
    """The selectors a formula speaks of, each once, in order."""
    if isinstance(node, Operand):
        return (node.selector,)
    if isinstance(node, Operation):
        return tuple(dict.fromkeys(operands_of(node.left) + operands_of(node.right)))
    return ()


def work_out(node: Node, operands: Operands) -> Floats:
    """The formula's value for each place of the operands' columns; NaN where it has none, as 0 / 0 or 1 / 0."""
    with np.errstate(all="ignore"):
        values = _value(node, operands)
    return np.where(np.isfinite(values), values, np.nan)


def _value(node: Node, operands: Operands) -> Floats:
    if isinstance(node, Number):
        return np.asarray(node.value, np.float64)
    if isinstance(node, Operand):
        return operands[node.selector]
    return _ACTS[node.symbol](_value(node.left, operands), _value(node.right, operands))


class _Parser:
    """Recursive descent: sums of products of operands, numbers and parentheses."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._sum()
        if self._at < len(self._text):
            raise self._error(f"expected + - * / or the end, found {self._text[self._at]!r}")
        if not operands_of(node):
            raise FormulaError("the formula names no metric", 1)
        return node

    def _sum(self) -> Node:
        node = self._product()
        while (symbol := self._peek()) in ("+", "-"):
            self._at += 1
            node = self._operation(symbol, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._single()
        while (symbol := self._peek()) in ("*", "/"):
            self._at += 1
            node = self._operation(symbol, node, self._single())
        return node

    def _operation(self, symbol: str, left: Node, right: Node) -> Node:
        return Operation(symbol, left, right)

    def _single(self) -> Node:
        symbol = self._peek()
        if symbol == "(":
            return self._parentheses()
        if symbol == "-":
            self._deeper()
            self._at += 1
            node = Operation("-", Number(0.0), self._single())
            self._depth -= 1
            return node
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            return Number(float(number.group()))
        return self._metric()

    def _parentheses(self) -> Node:
        self._deeper()
        opened = self._at
        self._at += 1
        node = self._sum()
        if self._peek() != ")":
            raise FormulaError("this ( is never closed with )", opened + 1)
        self._at += 1
        self._depth -= 1
        self._peek()
        return node

    def _metric(self) -> Node:
        name = _NAME.match(self._text, self._at)
        if name is None:
            found = repr(self._text[self._at]) if self._at < len(self._text) else "the end"
            raise self._error(f"expected a metric, a number or (, found {found}")
        begin, self._at = self._at, name.end()
        if self._peek() == "{":
            braces = _BRACES.match(self._text, self._at)
            if braces is None:
                raise self._error("this { is never closed with }")
            self._at = braces.end()
        try:
            return Operand(parse_selector(self._text[begin : self._at].rstrip()))
        except SelectorError as error:
            raise FormulaError(str(error), begin + error.column) from None

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH}")

    def _peek(self) -> str:
        """The next character after white space, "" at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def _error(self, message: str) -> FormulaError:
        return FormulaError(message, self._at + 1)
