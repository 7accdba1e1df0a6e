"""What stands where in an expression: the parts of a node, and what is round its selectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from monitor.model.matchers import Matcher
from monitor.query.ast import Call, Expr, Selector


def functions_round_selectors(expr: Expr) -> dict[int, str]:
    """By the id of a selector node the name of the function whose argument it is."""
    found: dict[int, str] = {}
    for child in children(expr):
        found.update(functions_round_selectors(child))
        if isinstance(expr, Call) and isinstance(child, Selector):
            found[id(child)] = expr.func
    return found


def repeated_matchers(expr: Expr) -> frozenset[tuple[Matcher, ...]]:
    """Matchers that more than one selector of a tree has."""
    counts = Counter(_matchers(expr))
    return frozenset(matchers for matchers, count in counts.items() if count > 1)


def selected(expr: Expr) -> list[tuple[Matcher, ...]]:
    """The matchers of all selectors of a tree, each set once."""
    return list(dict.fromkeys(_matchers(expr)))


def _matchers(expr: Expr) -> Iterator[tuple[Matcher, ...]]:
    if isinstance(expr, Selector):
        yield expr.matchers
    for child in children(expr):
        yield from _matchers(child)


def children(expr: Expr) -> Iterator[Expr]:
    """The expressions directly inside one."""
    for field in fields(expr):
        value = getattr(expr, field.name)
        for child in value if isinstance(value, tuple) else (value,):
            if is_dataclass(child) and hasattr(child, "span"):
                yield child  # type: ignore[misc]  # what has a span is an expression
