"""Sums and means of native histograms over groups of series.

Source: Prometheus, promql/engine.go (aggregation).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.query.ast import Aggregate
from monitor.query.cells import only, there
from monitor.query.context import Run
from monitor.query.histogram_math import empty_cells, total
from monitor.query.histogram_over_time import mean
from monitor.query.history import Cells
from monitor.query.labelsets import name_of
from monitor.query.notes import AGGREGATION
from monitor.query.vectors import Vector


def group_histograms(run: Run, expr: Aggregate, vector: Vector, groups: npt.NDArray[np.int64], count: int) -> Cells:
    """Object [count, N]; None where a group has none or mixes exponential and custom buckets."""
    found = empty_cells((count, vector.shape[1]))
    if vector.cells is None:
        return found
    span = expr.expr.span
    cells = only(vector.present, vector.cells)
    some = there(cells)
    for group in range(count):
        rows = np.flatnonzero((groups == group) & some.any(axis=1))
        if not len(rows):
            continue
        run.check()
        sums = (mean if expr.op == "avg" else total)(cells[rows])
        found[group] = sums.cells
        if sums.mixed.any():
            run.notes.mixed_buckets(name_of(vector.labels[rows[-1]]), span)
        if (sums.collided & ~sums.mixed).any():
            run.notes.collided_resets(AGGREGATION, span)
        if sums.reconciled.any():
            run.notes.reconciled_bounds(AGGREGATION, span)
    return found
