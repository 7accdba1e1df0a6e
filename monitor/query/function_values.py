"""Functions of single samples: mathematics, rounding, dates. Histograms among the samples are left out.

Source: Prometheus, promql/functions.go.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.query.ast import Call
from monitor.query.context import Frame, Run
from monitor.query.history import Values
from monitor.query.vectors import Vector, empty, of_floats, single


def of_each(vector: Vector, function: Callable[[Values], Values]) -> Vector:
    """The function of every float; the name is dropped."""
    with np.errstate(all="ignore"):
        values = function(vector.values)
    return of_floats(vector.labels, values, vector.floats(), np.ones(len(vector.labels), bool)).populated()


def _sign(values: Values) -> Values:
    found: Values = np.where(values < 0, -1.0, np.where(values > 0, 1.0, values))
    return found


_EACH: dict[str, Callable[[Values], Values]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": lambda values: values * 180 / np.pi,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": lambda values: values * np.pi / 180,
    "sgn": _sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def _each(run: Run, call: Call, frame: Frame) -> Vector:
    return of_each(run.vector(call.args[0], frame), _EACH[call.func])


def _clamp(run: Run, call: Call, frame: Frame) -> Vector:
    vector = run.vector(call.args[0], frame)
    bounds = [run.scalar(arg, frame) for arg in call.args[1:]]
    low: Values = bounds[0] if call.func != "clamp_max" else np.full(len(frame), -np.inf)
    high: Values = bounds[-1] if call.func != "clamp_min" else np.full(len(frame), np.inf)
    possible = ~(high < low)
    clamped = of_each(vector, lambda values: np.maximum(low, np.minimum(high, values)))
    return clamped.where(clamped.present & possible).populated()


def _round(run: Run, call: Call, frame: Frame) -> Vector:
    vector = run.vector(call.args[0], frame)
    nearest = run.scalar(call.args[1], frame) if len(call.args) > 1 else np.ones(1)
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest  # dividing by the inverse loses less than multiplying
    return of_each(vector, lambda values: np.floor(values * inverse + 0.5) / inverse)


def _timestamp(run: Run, call: Call, frame: Frame) -> Vector:
    vector = run.vector(call.args[0], frame)
    seconds = np.broadcast_to(frame.times / 1000, vector.shape)
    return of_floats(vector.labels, seconds, vector.present, np.ones(len(vector.labels), bool))


def _vector(run: Run, call: Call, frame: Frame) -> Vector:
    return single(run.scalar(call.args[0], frame))


def _start_timestamp(run: Run, call: Call, frame: Frame) -> Vector:
    """Of a selector the evaluator knows them; of what was worked out nothing is known."""
    run.vector(call.args[0], frame)
    return empty(len(frame))


def _dates(run: Run, call: Call, frame: Frame) -> Vector:
    function = _DATES[call.func]
    if not call.args:
        return single(function(np.floor(frame.times / 1000)))
    return of_each(run.vector(call.args[0], frame), function)


def _days(seconds: Values) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.floor_divide(_whole(seconds), 86_400)


def _whole(seconds: Values) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Whole seconds, cut off towards zero; what no calendar has becomes the epoch's ends."""
    known = np.where(np.isnan(seconds), 0.0, np.clip(seconds, -6e13, 6e13))
    found: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = np.trunc(known).astype(np.int64)
    return found


def _months(seconds: Values) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Months since January 1970."""
    return _days(seconds).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _first_day(months: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


_DATES: dict[str, Callable[[Values], Values]] = {
    "minute": lambda s: (_whole(s) // 60 % 60).astype(np.float64),
    "hour": lambda s: (_whole(s) // 3600 % 24).astype(np.float64),
    "day_of_week": lambda s: ((_days(s) + 4) % 7).astype(np.float64),
    "day_of_month": lambda s: (_days(s) - _first_day(_months(s)) + 1).astype(np.float64),
    "day_of_year": lambda s: (_days(s) - _first_day(_months(s) // 12 * 12) + 1).astype(np.float64),
    "days_in_month": lambda s: (_first_day(_months(s) + 1) - _first_day(_months(s))).astype(np.float64),
    "month": lambda s: (_months(s) % 12 + 1).astype(np.float64),
    "year": lambda s: (_months(s) // 12 + 1970).astype(np.float64),
}

VALUE_FUNCTIONS: dict[str, Callable[[Run, Call, Frame], Vector]] = {
    **dict.fromkeys(_EACH, _each),
    **dict.fromkeys(_DATES, _dates),
    **dict.fromkeys(("clamp", "clamp_max", "clamp_min"), _clamp),
    "round": _round,
    "start_timestamp": _start_timestamp,
    "timestamp": _timestamp,
    "vector": _vector,
}


def _scalar(run: Run, call: Call, frame: Frame) -> Values:
    vector = run.vector(call.args[0], frame)
    floats = vector.floats()
    alone = floats.sum(axis=0) == 1
    found: Values = np.where(alone, np.where(floats, vector.values, 0.0).sum(axis=0), np.nan)
    return found


def _smaller(run: Run, call: Call, frame: Frame) -> Values:
    return np.minimum(run.scalar(call.args[0], frame), run.scalar(call.args[1], frame))


def _larger(run: Run, call: Call, frame: Frame) -> Values:
    return np.maximum(run.scalar(call.args[0], frame), run.scalar(call.args[1], frame))


SCALAR_FUNCTIONS: dict[str, Callable[[Run, Call, Frame], Values]] = {
    "max_of": _larger,
    "min_of": _smaller,
    "pi": lambda run, call, frame: np.full(len(frame), np.pi),
    "scalar": _scalar,
    "time": lambda run, call, frame: frame.times / 1000,
}
