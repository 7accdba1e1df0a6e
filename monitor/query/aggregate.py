"""Aggregations over series, for all times at once: sums, means, extrema, spread; `ranking` has those that pick series.

Source: Prometheus, promql/engine.go (rangeEvalAgg, aggregation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import NAME_TAG
from monitor.query.aggregate_histograms import group_histograms
from monitor.query.ast import Aggregate
from monitor.query.cells import only, there
from monitor.query.context import Frame, Run
from monitor.query.exact_sums import group_sums
from monitor.query.history import Labels, Mask, Values
from monitor.query.labelsets import dropping, keeping
from monitor.query.over_time import incremental_mean
from monitor.query.quantiles import quantiles_of
from monitor.query.ranking import RANKING, count_values
from monitor.query.vectors import Vector, empty, merged

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """`labels` of each group, and the number of the group each series is in, int64 [S]."""

    labels: tuple[Labels, ...]
    of: Rows

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self, present: Mask) -> Values:
        """How many samples each group has at each time, float64 [G, N]."""
        if present.all():
            sizes = np.bincount(self.of, minlength=len(self)).astype(np.float64)
            return np.repeat(sizes[:, np.newaxis], present.shape[1], axis=1)
        found = np.zeros((len(self), present.shape[1]))
        for group, rows in self.members():
            found[group] = present[rows].sum(axis=0)
        return found

    def members(self) -> list[tuple[int, Rows]]:
        order = np.argsort(self.of, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(self.of[order])) + 1)
        return [(int(self.of[rows[0]]), rows) for rows in parts if len(rows)]


def grouped(expr: Aggregate, vector: Vector) -> Groups:
    """Groups in the order in which their first series come."""
    names = frozenset((*expr.grouping, NAME_TAG)) if expr.without else frozenset(expr.grouping)
    numbers: dict[Labels, int] = {}
    if expr.without:
        of = [numbers.setdefault(dropping(labels, names), len(numbers)) for labels in vector.labels]
    elif names:
        of = [numbers.setdefault(keeping(labels, names), len(numbers)) for labels in vector.labels]
    else:
        numbers, of = {(): 0}, [0] * len(vector.labels)
    return Groups(tuple(numbers), np.array(of, np.int64))


def aggregate(run: Run, expr: Aggregate, frame: Frame) -> Vector:
    param = None
    if expr.param is not None and expr.op != "count_values":
        param = run.scalar(expr.param, frame)
    vector = run.vector(expr.expr, frame)
    run.check()
    if expr.op == "count_values":
        found = count_values(run, expr, vector, frame)
        return merged(found) if len(frame) > 1 else found
    groups = grouped(expr, vector)
    if expr.op in RANKING and param is not None:
        return RANKING[expr.op](run, expr, vector, groups.of, param)
    if expr.op == "quantile" and param is not None:
        _check_quantile(run, expr, param)
    if not vector.labels:
        return empty(len(frame))
    if expr.op in ("sum", "avg"):
        return _totals(run, expr, vector, groups)
    if expr.op in ("count", "group"):
        counts = groups.counts(vector.present)
        return _answer(groups, counts if expr.op == "count" else np.ones(counts.shape), counts > 0, vector)
    floats = vector.floats()
    if vector.cells is not None and vector.histograms().any():
        run.notes.ignored_in_aggregation(expr.op, expr.expr.span)
    if expr.op == "quantile":
        values = _quantiles(vector.values, floats, groups, param if param is not None else np.zeros(len(frame)))
    else:
        values = _PLAIN[expr.op](vector.values, floats, groups)
    return _answer(groups, values, groups.counts(floats) > 0, vector)


def _answer(groups: Groups, values: Values, present: Mask, vector: Vector) -> Vector:
    nameless = np.zeros(len(groups), bool)
    np.logical_or.at(nameless, groups.of, vector.nameless)
    return Vector(groups.labels, values, present, None, nameless).populated()


def _totals(run: Run, expr: Aggregate, vector: Vector, groups: Groups) -> Vector:
    floats = vector.floats()
    clean = vector.values if floats.all() else np.where(floats, vector.values, 0.0)
    sums = group_sums(clean, groups.of, len(groups))
    counts = groups.counts(floats)
    if expr.op == "avg":
        sums = _means(clean, floats, sums, counts, groups)
    if vector.cells is None:
        return _answer(groups, sums, counts > 0, vector)
    found = group_histograms(run, expr, vector, groups.of, len(groups))
    mixed = (counts > 0) & (groups.counts(vector.histograms()) > 0)
    if mixed.any():
        run.notes.mixed_aggregation(expr.expr.span)
    cells = only(~mixed, found)
    present = ((counts > 0) & ~mixed) | there(cells)
    floats_only = _answer(groups, sums, np.ones(present.shape, bool), vector)
    return Vector(groups.labels, sums, present, cells, floats_only.nameless).populated()


def _means(values: Values, present: Mask, sums: Values, counts: Values, groups: Groups) -> Values:
    with np.errstate(all="ignore"):
        found = sums / counts
    beyond = ~np.isfinite(sums)
    if beyond.any():
        for group, rows in groups.members():
            for time in np.flatnonzero(beyond[group]).tolist():  # only where a sum is too large for a float
                inside = values[rows, time][present[rows, time]]
                if len(inside) and np.isfinite(inside).all():
                    found[group, time] = incremental_mean(inside)
    return found


def _lowest(values: Values, present: Mask, groups: Groups) -> Values:
    return _extreme(values, present, groups, np.fmin)


def _highest(values: Values, present: Mask, groups: Groups) -> Values:
    return _extreme(values, present, groups, np.fmax)


def _extreme(values: Values, present: Mask, groups: Groups, extreme: np.ufunc) -> Values:
    """NaN counts only where a group has nothing else."""
    clean = values if present.all() else np.where(present, values, np.nan)
    found = np.full((len(groups), values.shape[1]), np.nan)
    for group, rows in groups.members():
        found[group] = extreme.reduce(clean[rows], axis=0)
    return found


def _variances(values: Values, present: Mask, groups: Groups) -> Values:
    counts = groups.counts(present)
    with np.errstate(all="ignore"):
        average = group_sums(np.where(present, values, 0.0), groups.of, len(groups)) / counts
        off = np.where(present, values - average[groups.of], 0.0)
        spread = group_sums(off * off, groups.of, len(groups)) / counts
        # The mean is rounded: what it is off by is taken out again.
        slack = group_sums(off, groups.of, len(groups)) / counts
        # Squares beyond the largest float are infinite, and so is the variance.
        return np.where(np.isinf(spread), spread, np.maximum(spread - slack * slack, 0.0))


def _deviations(values: Values, present: Mask, groups: Groups) -> Values:
    found: Values = np.sqrt(_variances(values, present, groups))
    return found


_PLAIN: dict[str, Callable[[Values, Mask, Groups], Values]] = {
    "min": _lowest,
    "max": _highest,
    "stddev": _deviations,
    "stdvar": _variances,
}


def _check_quantile(run: Run, expr: Aggregate, q: Values) -> None:
    span = expr.param.span if expr.param is not None else expr.span
    if np.isnan(q).any():
        run.notes.bad_quantile(float("nan"), span)
    known = q[~np.isnan(q)]
    if len(known) and known.max() > 1:
        run.notes.bad_quantile(float(known.max()), span)
    if len(known) and known.min() < 0:
        run.notes.bad_quantile(float(known.min()), span)


def _quantiles(values: Values, present: Mask, groups: Groups, q: Values) -> Values:
    found = np.full((len(groups), values.shape[1]), np.nan)
    for group, rows in groups.members():
        found[group] = quantiles_of(values[rows].T, q, present[rows].T)
    return found
