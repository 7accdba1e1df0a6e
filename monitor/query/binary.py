"""Binary and unary expressions over scalars and vectors; vectors with vectors are matched in `matching` and `set_operators`.

Source: Prometheus, promql/engine.go (VectorscalarBinop, scalarBinop).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitor.query.ast import Binary, Unary
from monitor.query.context import Frame, Run, Value
from monitor.query.histogram_math import scale
from monitor.query.history import QueryError, Values
from monitor.query.matching import matched
from monitor.query.operators import COMPARISONS, TRIMS, Side, combined, scalars
from monitor.query.set_operators import SET_OPERATORS
from monitor.query.vectors import Vector, merged


def binary(run: Run, expr: Binary, frame: Frame) -> Value:
    left, right = run.evaluate(expr.left, frame), run.evaluate(expr.right, frame)
    if isinstance(left, str) or isinstance(right, str):
        raise QueryError(f"the operator {expr.op} does not take strings")
    if isinstance(left, Vector) and isinstance(right, Vector):
        run.check()
        found = SET_OPERATORS[expr.op](left, right, expr) if expr.op in SET_OPERATORS else matched(run, expr, left, right)
        return merged(found) if len(frame) > 1 else found
    if isinstance(left, Vector):
        return _with_scalar(run, expr, left, right, swapped=False)
    if isinstance(right, Vector):
        return _with_scalar(run, expr, right, left, swapped=True)
    return scalars(expr.op, left, right)


def _with_scalar(run: Run, expr: Binary, vector: Vector, scalar: Value, swapped: bool) -> Vector:
    one, other = Side(vector.values, vector.cells), Side(np.asarray(scalar, np.float64))
    found = combined(expr, other if swapped else one, one if swapped else other, vector.present, run.notes)
    values, cells = found.values, found.cells
    if expr.op in COMPARISONS:
        values, cells = vector.values, vector.cells  # the vector's own samples stay, on whichever side it stands
    present = vector.present & found.possible
    if expr.bool_modifier:
        values, cells = found.keep.astype(np.float64), None
    else:
        present = present & found.keep
    kept = replace(vector, values=values, cells=cells, present=present)
    if expr.bool_modifier or (expr.op not in COMPARISONS and expr.op not in TRIMS):
        kept = kept.unnamed()
    return kept.populated()


def unary(run: Run, expr: Unary, frame: Frame) -> Value:
    found = run.evaluate(expr.expr, frame)
    if expr.op == "+" or isinstance(found, str):
        return found
    if not isinstance(found, Vector):
        negated: Values = -found
        return negated
    cells = scale(found.cells, -1.0) if found.cells is not None else None
    return replace(found, values=-found.values, cells=cells).unnamed()
