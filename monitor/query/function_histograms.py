"""Functions of histograms, native and classic: quantiles, fractions, sums, spread.

Source: Prometheus, promql/functions.go and promql/engine.go (resetHistograms).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.query import histogram_stats
from monitor.query.ast import Call, Span, String
from monitor.query.cells import only
from monitor.query.classic import (
    LE,
    Buckets,
    Rows,
    bounds_of,
    bucket_fractions,
    bucket_quantiles,
    each_pattern,
    gathered,
)
from monitor.query.context import Frame, Run
from monitor.query.history import Cells, Labels, Mask, Values
from monitor.query.labelsets import name_of, value_of, with_labels
from monitor.query.notes import metrics_float
from monitor.query.vectors import Vector, empty, merged, of_floats, stacked


def _of_each(run: Run, call: Call, frame: Frame) -> Vector:
    vector = run.vector(call.args[0], frame)
    if vector.cells is None:
        return empty(len(frame))
    present = vector.histograms()
    values = _EACH[call.func](only(present, vector.cells))
    return of_floats(vector.labels, values, present, np.ones(len(vector.labels), bool)).populated()


def _deviations(cells: Cells) -> Values:
    with np.errstate(invalid="ignore"):
        found: Values = np.sqrt(histogram_stats.variances(cells))
    return found


_EACH: dict[str, Callable[[Cells], Values]] = {
    "histogram_avg": histogram_stats.averages,
    "histogram_count": histogram_stats.counts,
    "histogram_stddev": _deviations,
    "histogram_stdvar": histogram_stats.variances,
    "histogram_sum": histogram_stats.sums,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """A vector's native histograms, and its classic ones; neither where both have the same labels at the same time."""

    native: Vector
    cells: Cells | None
    classic: list[Buckets]
    values: Values
    floats: Mask


def _split(run: Run, vector: Vector, span: Span) -> _Split:
    floats = vector.floats()
    bounds = bounds_of(vector.labels)
    for row, bound in enumerate(bounds):
        if bound is None and floats[row].any():
            labels = vector.labels[row]
            run.notes.bad_bucket(name_of(labels), value_of(labels, LE), span)
    classic = gathered(vector.labels, bounds)
    if vector.cells is None:
        return _Split(vector.take(slice(0, 0)), None, classic, vector.values, floats)
    native = vector.histograms()
    if any(bound is not None for bound in bounds) and native.any():
        floats, native = floats.copy(), native.copy()
        rows = {labels: row for row, labels in enumerate(vector.labels)}
        for buckets in classic:
            place = rows.get(buckets.labels)
            if place is None:
                continue
            both = floats[buckets.rows].any(axis=0) & native[place]
            if both.any():
                run.notes.mixed_classic(name_of(buckets.labels), span)
                native[place] &= ~both
                floats[buckets.rows] &= ~both
    kept: Mask = np.any(native, axis=1)
    found = vector.where(native).take(kept)
    cells = only(found.present, vector.cells[kept])
    return _Split(found, cells, classic, vector.values, floats)


def _quantile(run: Run, call: Call, frame: Frame) -> Vector:
    q = run.scalar(call.args[0], frame)
    vector = run.vector(call.args[1], frame)
    _check_quantile(run, q, call.args[0].span)
    split = _split(run, vector, call.args[1].span)
    found = _quantiles(run, split, q, call.args[1].span)
    return _once(found, frame)


def _once(found: Vector, frame: Frame) -> Vector:
    return merged(found) if len(frame) > 1 else found


def _check_quantile(run: Run, q: Values, span: Span) -> None:
    for wrong in np.unique(q[~((q >= 0) & (q <= 1))]).tolist():
        run.notes.bad_quantile(wrong, span)


def _quantiles(run: Run, split: _Split, q: Values, span: Span) -> Vector:
    parts: list[Vector] = []
    if split.cells is not None:
        read = histogram_stats.quantiles(split.cells, np.broadcast_to(q, split.cells.shape))
        for row, labels in enumerate(split.native.labels):
            if read.nan_result[row].any():
                run.notes.nan_quantile(name_of(labels), False, span)
            if read.nan_skewed[row].any():
                run.notes.nan_quantile(name_of(labels), True, span)
        parts.append(_nameless(split.native.labels, read.values, split.native.present))
    values, present = np.zeros((len(split.classic), len(q))), np.zeros((len(split.classic), len(q)), bool)
    for row, buckets in enumerate(split.classic):
        forced = False

        def read_classic(bounds: Values, counts: Values, times: Rows) -> Values:
            nonlocal forced
            found, fixed = bucket_quantiles(bounds, counts, q[times])
            forced = forced or bool(fixed.any())
            return found

        for found, times in each_pattern(buckets, split.values, split.floats, read_classic):
            values[row, times], present[row, times] = found, True
        if forced:
            run.notes.forced_monotonic(name_of(buckets.labels), span)
    parts.append(_nameless(tuple(buckets.labels for buckets in split.classic), values, present))
    return stacked(parts, len(q)).populated()


def _nameless(labels: tuple[Labels, ...], values: Values, present: Mask) -> Vector:
    return of_floats(labels, values, present, np.ones(len(labels), bool))


def _several_quantiles(run: Run, call: Call, frame: Frame) -> Vector:
    vector = run.vector(call.args[0], frame)
    label = call.args[1].value if isinstance(call.args[1], String) else ""
    wanted = [run.scalar(arg, frame) for arg in call.args[2:]]
    for q, arg in zip(wanted, call.args[2:], strict=True):
        _check_quantile(run, q, arg.span)
    split = _split(run, vector, call.args[0].span)
    parts = []
    for q in wanted:
        found = _quantiles(run, split, q, call.args[0].span)
        for value in np.unique(q).tolist():
            here = found.where(found.present & ((q == value) | (np.isnan(q) & np.isnan(value))))
            parts.append(here.renamed([with_labels(labels, {label: metrics_float(value)}) for labels in here.labels]))
    return _once(stacked(parts, len(frame)).populated(), frame)


def _fraction(run: Run, call: Call, frame: Frame) -> Vector:
    lower, upper = run.scalar(call.args[0], frame), run.scalar(call.args[1], frame)
    vector = run.vector(call.args[2], frame)
    split = _split(run, vector, call.args[2].span)
    parts: list[Vector] = []
    if split.cells is not None:
        shape = split.cells.shape
        read = histogram_stats.fractions(split.cells, np.broadcast_to(lower, shape), np.broadcast_to(upper, shape))
        for row, labels in enumerate(split.native.labels):
            if read.nan_skewed[row].any():
                run.notes.nan_fraction(name_of(labels), call.args[2].span)
        parts.append(_nameless(split.native.labels, read.values, split.native.present))
    values, present = np.zeros((len(split.classic), len(frame))), np.zeros((len(split.classic), len(frame)), bool)

    def read_classic(bounds: Values, counts: Values, times: Rows) -> Values:
        return bucket_fractions(bounds, counts, lower[times], upper[times])

    for row, buckets in enumerate(split.classic):
        for found, times in each_pattern(buckets, split.values, split.floats, read_classic):
            values[row, times], present[row, times] = found, True
    parts.append(_nameless(tuple(buckets.labels for buckets in split.classic), values, present))
    return _once(stacked(parts, len(frame)).populated(), frame)


HISTOGRAM_FUNCTIONS: dict[str, Callable[[Run, Call, Frame], Vector]] = {
    **dict.fromkeys(_EACH, _of_each),
    "histogram_fraction": _fraction,
    "histogram_quantile": _quantile,
    "histogram_quantiles": _several_quantiles,
}
