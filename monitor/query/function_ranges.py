"""Functions of range selectors and subqueries: the samples gathered, the windows laid, the function of each group of series.

Source: Prometheus, promql/engine.go (eval of calls with a matrix argument).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.model.matchers import promql_name
from monitor.query import over_time, rates
from monitor.query.ast import Call, Expr, Selector, Subquery
from monitor.query.cells import only
from monitor.query.context import Frame, Run
from monitor.query.histogram import Hint
from monitor.query.histogram_math import hinted
from monitor.query.history import Cells, Labels, Mask, Millis, QueryError, Selected, Values
from monitor.query.labelsets import name_of, of
from monitor.query.ranges import Ranged, Ranges, blocks_of, samples_of
from monitor.query.selectors import in_order, select_range
from monitor.query.vectors import Vector, empty, of_floats, single

_PLAIN: dict[str, Callable[[Ranges], Ranged]] = {
    "absent_over_time": over_time.any_sample,
    "avg_over_time": over_time.averaged,
    "changes": over_time.changes,
    "count_over_time": over_time.counted,
    "delta": rates.delta,
    "deriv": over_time.slope,
    "first_over_time": over_time.first,
    "idelta": rates.idelta,
    "increase": rates.increased,
    "irate": rates.irate,
    "last_over_time": over_time.last,
    "mad_over_time": over_time.median_deviation,
    "max_over_time": over_time.highest,
    "min_over_time": over_time.lowest,
    "present_over_time": over_time.any_sample,
    "rate": rates.rate,
    "resets": over_time.resets,
    "stddev_over_time": over_time.deviations,
    "stdvar_over_time": over_time.variances,
    "sum_over_time": over_time.summed,
    "ts_of_first_over_time": over_time.first_time,
    "ts_of_last_over_time": over_time.last_time,
    "ts_of_max_over_time": over_time.highest_time,
    "ts_of_min_over_time": over_time.lowest_time,
}
_WITH_SCALARS: dict[str, Callable[..., Ranged]] = {
    "double_exponential_smoothing": over_time.smoothed,
    "holt_winters": over_time.smoothed,
    "predict_linear": over_time.predicted,
    "quantile_over_time": over_time.quantile,
}
RANGE_FUNCTIONS = frozenset((*_PLAIN, *_WITH_SCALARS))
_SAFE = {"anchored": ("changes", "delta", "increase", "rate", "resets"), "smoothed": ("delta", "increase", "rate")}
_KEEP_NAME = frozenset(("first_over_time", "last_over_time"))
_COUNTER_ENDINGS = ("_total", "_sum", "_count", "_bucket")
_COUNTER_TYPES = frozenset(("counter", "histogram"))


def over_range(run: Run, call: Call, frame: Frame) -> Vector:
    """A function of a range at the times of a frame."""
    arg, scalars = _split(run, call, frame)
    mode = arg.mode if isinstance(arg, Selector) else ""
    if mode and call.func not in _SAFE[mode]:
        allowed = ", ".join(_SAFE[mode])
        raise QueryError(f"{mode} modifier can only be used with: {allowed} - not with {call.func}")
    ends = range_ends(arg, frame)
    millis, span, lookback = arg.range or 0, call.args[0].span, run.limits.lookback
    selected, flags = selected_range(run, arg, frame, ends, call.func)
    shape = (sum(len(block.labels) for block in selected.blocks), len(frame))
    run.bound(shape[0] * shape[1])
    ends = np.broadcast_to(ends, len(frame)) if len(ends) < len(frame) else ends
    found = _Gathered(shape)
    dropped: list[bool] = []
    row = 0
    for block in selected.blocks:
        for samples in (part for whole in samples_of(block, row) for part in whole.parts(len(frame))):
            run.check()
            ranges = Ranges(samples, ends - millis, ends, frame.times, millis, run.notes, span, run.check, mode, lookback)
            function = _PLAIN.get(call.func)
            result = function(ranges) if function else _WITH_SCALARS[call.func](ranges, *scalars)
            found.put(samples.rows, result)
        row += len(block.labels)
        dropped += flags or [False] * len(block.labels)
    labels = tuple(series for block in selected.blocks for series in block.labels)
    nameless = np.ones(shape[0], bool) if call.func not in _KEEP_NAME else np.array(dropped, bool)
    vector = in_order(Vector(labels, found.values, found.present, found.cells, nameless).populated())
    if call.func in ("rate", "increase"):
        _note_no_counters(run, vector, arg)
    if call.func == "absent_over_time":
        return absent(arg, vector, frame)
    return vector


_STEP_COST = 10
"""What a step of a subquery counts for among samples: each part of the expression has values and masks at it."""


class _Gathered:
    """Results of groups of series, in the places of their series."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.values: Values = np.zeros(shape)
        self.present = np.zeros(shape, bool)
        self.cells: Cells | None = None

    def put(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]], result: Ranged) -> None:
        if len(rows) == len(self.values) and result.values.shape == self.values.shape and result.cells is None:
            self.values, self.present = result.values, np.broadcast_to(result.present, self.present.shape)
            return
        self.values[rows] = result.values
        self.present[rows] = result.present
        if result.cells is not None:
            if self.cells is None:
                self.cells = np.full(self.values.shape, None)
            self.cells[rows] = result.cells


def _split(run: Run, call: Call, frame: Frame) -> tuple[Selector | Subquery, list[Values]]:
    place = next(place for place, arg in enumerate(call.args) if _is_range(arg))
    arg = call.args[place]
    if not isinstance(arg, Selector | Subquery):
        raise QueryError(f"{call.func} takes a range")
    scalars = [run.scalar(other, frame) for number, other in enumerate(call.args) if number != place]
    if call.func in ("double_exponential_smoothing", "holt_winters"):
        for factor, what in zip(scalars, (("smoothing", "sf"), ("trend", "tf")), strict=True):
            wrong = factor[(factor <= 0) | (factor >= 1)]
            if len(wrong):
                shown = f"{what[0]} factor. Expected: 0 < {what[1]} < 1, got: {wrong[0]:.6f}"
                raise QueryError(f"invalid {shown}")
    return arg, scalars


def _is_range(expr: Expr) -> bool:
    return isinstance(expr, Subquery) or (isinstance(expr, Selector) and expr.is_range)


def range_ends(arg: Selector | Subquery, frame: Frame) -> Millis:
    """Where the windows end: int64 [N], or [1] where `@` fixes it."""
    if arg.at is not None and arg.at.time is not None:
        return np.array([arg.at.time - arg.offset], np.int64)
    return frame.times - arg.offset


def selected_range(run: Run, arg: Selector | Subquery, frame: Frame, ends: Millis, func: str) -> tuple[Selected, list[bool]]:
    """The samples of the windows; of a subquery also which series are to lose their names."""
    starts = ends - (arg.range or 0)
    if isinstance(arg, Selector):
        return select_range(run, arg, starts, ends, frame.step, func), []
    vector = subquery_vector(run, arg, int(starts[0]), int(ends[-1]))
    if vector is None:
        return Selected(()), []
    times, found = vector
    if not found.labels:
        return Selected(()), []
    cells = found.cells
    if cells is not None:
        cells = _without_reset_hints(only(found.present, cells))
    return Selected((blocks_of(found.labels, times, found.values, found.present, cells),)), found.nameless.tolist()


def subquery_vector(run: Run, arg: Subquery, start: int, end: int) -> tuple[Millis, Vector] | None:
    """A subquery's inner expression at all multiples of its step in (start, end]; None where there are none."""
    step = arg.step or run.limits.subquery_step
    first = (start // step + 1) * step
    if first > end:
        return None
    run.bound(_STEP_COST * ((end - first) // step + 1))
    times = np.arange(first, end + 1, step, dtype=np.int64)
    found = run.evaluate(arg.expr, Frame(times, step))
    if isinstance(found, np.ndarray):
        found = single(found)
    if isinstance(found, str):
        raise QueryError("a subquery takes an instant vector")
    return times, found


def _without_reset_hints(cells: Cells) -> Cells:
    """Between the steps of a subquery samples may be left out or seen twice: what is said of resets no longer holds."""
    hints = np.array([cell is not None and cell.hint in (Hint.RESET, Hint.NO_RESET) for cell in cells.reshape(-1)], bool)
    if not hints.any():
        return cells
    flat = cells.reshape(-1).copy()
    flat[hints] = hinted(flat[hints], Hint.UNKNOWN)
    return flat.reshape(cells.shape)


def _note_no_counters(run: Run, vector: Vector, arg: Selector | Subquery) -> None:
    some: Mask = np.any(vector.floats(), axis=1)
    names = {name_of(labels) for labels, counts in zip(vector.labels, some.tolist(), strict=True) if counts} - {""}
    doubtful = sorted(name for name in names if not promql_name(name).endswith(_COUNTER_ENDINGS))
    known = run.history.metadata() if doubtful else {}
    for name in doubtful:
        if name not in known or known[name].type not in _COUNTER_TYPES:
            run.notes.maybe_no_counter(name, arg.span)


def absent(arg: Expr, vector: Vector, frame: Frame) -> Vector:
    """1 where no series has a sample, with the labels that the selector's `=` matchers fix."""
    present: Mask = ~np.any(vector.present, axis=0)
    if not present.any():
        return empty(len(frame))
    labels = absent_labels(arg)
    return of_floats((labels,), np.ones((1, len(frame))), present[np.newaxis], np.ones(1, bool))


def absent_labels(arg: Expr) -> Labels:
    if not isinstance(arg, Selector):
        return ()
    found: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in arg.matchers:
        if matcher.name == "__name__":
            continue
        if matcher.op == "=" and matcher.name not in seen:
            found[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            found.pop(matcher.name, None)
    return of(found)
