"""Aggregations that pick series or count their values: topk, bottomk, limitk, limit_ratio, count_values.

Source: Prometheus, promql/engine.go (aggregationK, aggregationCountValues).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import NAME_TAG
from monitor.query.ast import Aggregate, String
from monitor.query.context import Frame, Run
from monitor.query.history import Labels, Mask, QueryError, Values
from monitor.query.labelsets import dropping, keeping, valid_label_name, with_labels
from monitor.query.notes import go_float, plain_float
from monitor.query.vectors import Vector, empty, of_floats
from monitor.query.xxhash import hash_of

Rows = npt.NDArray[np.int64]
_INT64 = 9223372036854774784.0


def _wanted(param: Values, series: int) -> Rows | None:
    """How many series are wanted at each time, int64 [N]; None: nowhere any. Raises `QueryError` for what is no number."""
    if np.isnan(param).any():
        raise QueryError("Parameter value is NaN")
    least, most = float(param.min()), float(param.max())
    if most < 1:
        return None
    if least <= -9223372036854775808:
        raise QueryError(f"Scalar value {go_float(least)} underflows int64")
    if most >= _INT64:
        raise QueryError(f"Scalar value {go_float(most)} overflows int64")
    found: Rows = np.minimum(np.trunc(param), series).astype(np.int64)
    return found


def _highest(run: Run, expr: Aggregate, vector: Vector, groups: Rows, param: Values) -> Vector:
    return _ranked(run, expr, vector, groups, param, largest=True)


def _lowest(run: Run, expr: Aggregate, vector: Vector, groups: Rows, param: Values) -> Vector:
    return _ranked(run, expr, vector, groups, param, largest=False)


def _ranked(run: Run, expr: Aggregate, vector: Vector, groups: Rows, param: Values, largest: bool) -> Vector:
    wanted = _wanted(param, len(vector.labels))
    if wanted is None or not vector.labels:
        return empty(vector.shape[1])
    floats = vector.floats()
    if vector.cells is not None and vector.histograms().any():
        run.notes.ignored_in_aggregation(expr.op, expr.span)
    # In order of value, NaN after all values and what is not there after NaN: ranked by two keys, values first by their negative.
    values = -vector.values if largest else vector.values
    kept = np.zeros(vector.shape, bool)
    for group in range(int(groups.max()) + 1):
        rows = np.flatnonzero(groups == group)
        kept[rows] = _least(values[rows], floats[rows], wanted)
    found = vector.where(kept)
    if vector.shape[1] == 1:
        order = sorted(np.flatnonzero(kept[:, 0]).tolist(), key=lambda row: (groups[row], *_rank(values[row, 0])))
        return found.take(np.array(order, np.int64))
    return found.populated()


def _rank(value: float) -> tuple[bool, float]:
    return (True, 0.0) if np.isnan(value) else (False, float(value))


def _least(values: Values, present: Mask, wanted: Rows) -> Mask:
    """The least `wanted` values of each column: bool [K, N]. Of equal ones the first."""
    present_count = present.sum(axis=0)
    if (present_count <= wanted).all():
        return present
    missing = np.isnan(values) & present
    known = present & ~missing
    keys = np.where(known, values, np.inf)
    place = np.clip(wanted, 1, len(values)) - 1
    bound = np.take_along_axis(np.sort(keys, axis=0), place[np.newaxis], axis=0)[0]
    below = known & (keys < bound)
    left = np.maximum(wanted, 0) - below.sum(axis=0)
    level = known & (keys == bound)
    below |= level & (np.cumsum(level, axis=0) <= left)
    left = np.maximum(wanted, 0) - below.sum(axis=0)
    below |= missing & (np.cumsum(missing, axis=0) <= left)
    kept: Mask = below & (wanted >= 1)
    return kept


def _first(run: Run, expr: Aggregate, vector: Vector, groups: Rows, param: Values) -> Vector:
    wanted = _wanted(param, len(vector.labels))
    if wanted is None or not vector.labels:
        return empty(vector.shape[1])
    kept = np.zeros(vector.shape, bool)
    for group in range(int(groups.max()) + 1):
        rows = np.flatnonzero(groups == group)
        kept[rows] = vector.present[rows] & (np.cumsum(vector.present[rows], axis=0) <= wanted)
    return vector.where(kept).populated()


def _share(run: Run, expr: Aggregate, vector: Vector, groups: Rows, param: Values) -> Vector:
    if not param.any():
        return empty(vector.shape[1])
    if np.isnan(param).any():
        raise QueryError("Ratio value is NaN")
    if expr.param is not None:
        if param.max() > 1:
            run.notes.bad_ratio(float(param.max()), 1.0, expr.param.span)
        if param.min() < -1:
            run.notes.bad_ratio(float(param.min()), -1.0, expr.param.span)
    if not vector.labels:
        return vector
    ratio = np.clip(param, -1.0, 1.0)
    offsets = np.array([_offset(labels) for labels in vector.labels])[:, np.newaxis]
    kept = np.where(ratio >= 0, offsets < ratio, offsets >= 1.0 + ratio) & (ratio != 0)
    return vector.where(vector.present & kept).populated()


def _offset(labels: Labels) -> float:
    """A place in [0, 1) that is always the same for the same labels, and evenly spread over many."""
    return hash_of(labels) / 2.0**64


RANKING: dict[str, Callable[[Run, Aggregate, Vector, Rows, Values], Vector]] = {
    "topk": _highest,
    "bottomk": _lowest,
    "limitk": _first,
    "limit_ratio": _share,
}


def count_values(run: Run, expr: Aggregate, vector: Vector, frame: Frame) -> Vector:
    """A series for every value there is, with how many have it; the value becomes a label."""
    label = expr.param.value if isinstance(expr.param, String) else ""
    if not valid_label_name(label):
        raise QueryError(f"invalid label name {run.notes.source(expr.param)}")
    names = frozenset((*expr.grouping, NAME_TAG)) if expr.without else frozenset((*expr.grouping, label))
    counts: dict[Labels, Values] = {}
    seen: dict[Labels, int] = {}
    for row, labels in enumerate(vector.labels):
        run.check()
        for shown, times in _values_of(vector, row):
            marked = with_labels(labels, {label: shown})
            group = dropping(marked, names) if expr.without else keeping(marked, names)
            if group not in seen:
                seen[group] = len(seen)
                run.bound(len(seen) * len(frame))
                counts[group] = np.zeros(len(frame))
            counts[group][times] += 1
    if not counts:
        return empty(len(frame))
    values = np.stack(list(counts.values()))
    return of_floats(tuple(counts), values, values > 0)


def _values_of(vector: Vector, row: int) -> list[tuple[str, Mask]]:
    """The different values of a series as text, and where it has each, bool [N]."""
    floats = vector.floats()[row]
    found: list[tuple[str, Mask]] = []
    if floats.any():
        distinct, places = np.unique(vector.values[row, floats], return_inverse=True)
        times = np.flatnonzero(floats)
        for number, value in enumerate(distinct.tolist()):
            mask = np.zeros(len(floats), bool)
            mask[times[places == number]] = True
            found.append((plain_float(value), mask))
    if vector.cells is not None:
        shown: dict[str, Mask] = {}
        for time in np.flatnonzero(vector.histograms()[row]).tolist():
            shown.setdefault(str(vector.cells[row, time]), np.zeros(len(floats), bool))[time] = True
        found += list(shown.items())
    return found
