"""and, or, unless: which series of a vector stay, by what the other has of the same signature at each time.

Source: Prometheus, promql/engine.go (VectorAnd, VectorOr, VectorUnless).
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.query.ast import Binary, Matching
from monitor.query.matching import by_signature, signatures
from monitor.query.vectors import Vector, stacked


def _both(left: Vector, right: Vector, expr: Binary) -> Vector:
    mine, theirs, count = signatures(expr.matching or Matching(), left, right)
    there = by_signature(right.present, theirs, count)
    return left.where(left.present & there[mine]).populated()


def _either(left: Vector, right: Vector, expr: Binary) -> Vector:
    mine, theirs, count = signatures(expr.matching or Matching(), left, right)
    there = by_signature(left.present, mine, count)
    more = right.where(right.present & ~there[theirs]).populated()
    return stacked((left, more), left.shape[1])


def _only(left: Vector, right: Vector, expr: Binary) -> Vector:
    mine, theirs, count = signatures(expr.matching or Matching(), left, right)
    there = by_signature(right.present, theirs, count)
    return left.where(left.present & ~there[mine]).populated()


SET_OPERATORS: dict[str, Callable[[Vector, Vector, Binary], Vector]] = {"and": _both, "or": _either, "unless": _only}
