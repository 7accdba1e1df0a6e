"""Binary operators sample by sample, over whole arrays: floats with floats, histograms with either.

Source: Prometheus, promql/engine.go (vectorElemBinop).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.query.ast import Binary, Span
from monitor.query.cells import there
from monitor.query.histogram import Hint
from monitor.query.histogram_math import add, divide, empty_cells, equal, hinted, scale, subtract
from monitor.query.histogram_trim import trimmed
from monitor.query.history import Cells, Mask, Values
from monitor.query.notes import ADDITION, SUBTRACTION, Notes


def _power(base: Values, exponent: Values) -> Values:
    """C's and Go's `pow`. numpy takes the square root where the exponent is 0.5, which has no answer for -Inf and keeps -0."""
    with np.errstate(invalid="ignore"):
        found: Values = np.power(base, exponent)
    edge = (exponent == 0.5) & ((base == 0) | np.isneginf(base))
    return np.where(edge, np.abs(base), found) if edge.any() else found


ARITHMETIC: dict[str, Callable[..., Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": _power,
    "atan2": np.arctan2,
}
COMPARISONS: dict[str, Callable[..., Mask]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
TRIMS = ("</", ">/")


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of an operator: floats of any shape, and the histograms among them."""

    values: Values
    cells: Cells | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """`values` and `cells` as in a vector; `possible`: where the types go together at all; `keep`: where a comparison holds."""

    values: Values
    cells: Cells | None
    possible: Mask
    keep: Mask


def scalars(op: str, left: Values, right: Values) -> Values:
    """An operator between scalars; comparisons give 0 and 1."""
    with np.errstate(all="ignore"):
        if op in COMPARISONS:
            return COMPARISONS[op](left, right).astype(np.float64)
        return ARITHMETIC[op](left, right)


def combined(expr: Binary, left: Side, right: Side, present: Mask, notes: Notes) -> Outcome:
    """The operator over both sides where they are `present`; both broadcast to its shape."""
    shape, op = present.shape, expr.op
    everywhere = np.ones(shape, bool)
    with np.errstate(all="ignore"):
        if op in COMPARISONS:
            values = np.broadcast_to(left.values, shape)
            found = Outcome(values, None, everywhere, COMPARISONS[op](left.values, right.values) & everywhere)
        elif op in TRIMS:
            found = Outcome(np.zeros(shape), None, ~everywhere, everywhere)
        else:
            found = Outcome(np.broadcast_to(ARITHMETIC[op](left.values, right.values), shape), None, everywhere, everywhere)
    if left.cells is None and right.cells is None:
        if op in TRIMS and present.any():
            notes.incompatible_types("float", op, "float", expr.span)
        return found
    return _with_histograms(expr, left, right, present, found, notes)


def _with_histograms(expr: Binary, left: Side, right: Side, present: Mask, floats: Outcome, notes: Notes) -> Outcome:
    shape, op, span = present.shape, expr.op, expr.span
    old, new = _cells(left, shape), _cells(right, shape)
    is_old, is_new = there(old) & present, there(new) & present
    cells = empty_cells(shape)
    possible = np.where(is_old | is_new, False, floats.possible)
    keep = floats.keep.copy()
    both, only_old, only_new = is_old & is_new, is_old & ~is_new, is_new & ~is_old
    if op in TRIMS and (present & ~is_old & ~is_new).any():
        notes.incompatible_types("float", op, "float", span)
    if both.any():
        cells[both], possible[both], keep[both] = _two_histograms(op, old[both], new[both], notes, span)
    if only_old.any():
        factors = np.broadcast_to(right.values, shape)[only_old]
        cells[only_old], possible[only_old] = _histogram_and_float(op, old[only_old], factors, notes, span)
        keep[only_old] = True
    if only_new.any():
        possible[only_new] = keep[only_new] = op == "*"
        if op == "*":
            cells[only_new] = scale(new[only_new], np.broadcast_to(left.values, shape)[only_new])
        else:
            notes.incompatible_types("float", op, "histogram", span)
    return Outcome(floats.values, cells, possible, keep)


def _cells(side: Side, shape: tuple[int, ...]) -> Cells:
    return np.broadcast_to(side.cells, shape) if side.cells is not None else empty_cells((1,) * len(shape))


def _histogram_and_float(op: str, cells: Cells, factors: Values, notes: Notes, span: Span) -> tuple[Cells, bool]:
    if op == "*":
        return scale(cells, factors), True
    if op == "/":
        return divide(cells, factors), True
    if op in TRIMS:
        return trimmed(cells, factors, keep_below=op == "</"), True
    notes.incompatible_types("histogram", op, "float", span)
    return empty_cells(len(cells)), False


def _two_histograms(op: str, left: Cells, right: Cells, notes: Notes, span: Span) -> tuple[Cells, Mask | bool, Mask | bool]:
    if op in ("==", "!="):
        same = equal(left, right)
        return left, True, same if op == "==" else ~same
    if op not in "+-":
        notes.incompatible_types("histogram", op, "histogram", span)
        return empty_cells(len(left)), False, False
    found = add(left, right) if op == "+" else subtract(left, right)
    operation = ADDITION if op == "+" else SUBTRACTION
    if found.mixed.any():
        notes.incompatible_layout(op, span)
    if found.collided.any():
        notes.collided_resets(operation, span)
    if found.reconciled.any():
        notes.reconciled_bounds(operation, span)
    cells = found.cells if op == "+" else hinted(found.cells, Hint.GAUGE)
    return cells, ~found.mixed, True
