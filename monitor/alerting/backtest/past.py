"""The values that a rule's condition judges, read from a history: a matrix a stretch of time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitor.alerting.fields import COUNTED, DEFAULT_FIELD, judged_field
from monitor.model.matchers import NAME_TAG, Matcher, Selector
from monitor.model.series import Kind, SeriesKey
from monitor.query.ast import Call, Expr
from monitor.query.ast import Selector as Select
from monitor.query.evaluator import Evaluator
from monitor.query.fields import factor_of, field_expr
from monitor.query.history import History, Labels, Metadata

__all__ = ["IDLE", "MAX_SERIES", "Past", "Stretch"]

IDLE = 3600.0
"""Seconds without a sample after which the windows know a series no more (the engine's own default)."""
MAX_SERIES = 10_000
_KIND_LABEL = "lightship_kind"
_KINDS = {"counter": Kind.COUNTER, "histogram": Kind.DISTRIBUTION, "gaugehistogram": Kind.DISTRIBUTION}
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """float64[t] times in seconds, and float64[n, t] values by place; NaN: no data."""

    times: npt.NDArray[np.float64]
    values: Matrix


@dataclass
class Past:
    """What a selector selects in a history, in places that stay. Raises `QueryError` as the evaluator does.

    `check` is called between operations and ends the reading by raising.
    """

    history: History
    evaluator: Evaluator
    selector: Selector
    start: float
    end: float
    check: Callable[[], None] = lambda: None
    keys: list[SeriesKey] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    resolution: float = 0.0
    """Seconds between what was kept, where that is coarser than what came in."""

    def __post_init__(self) -> None:
        known = self.history.metadata()
        found = self.history.series(self.selector.matchers, round(self.start * 1000), round(self.end * 1000), MAX_SERIES + 1)
        if len(found) > MAX_SERIES:
            found = found[:MAX_SERIES]
            self.notes.append(f"The selector names more than {MAX_SERIES:,} series; the first {MAX_SERIES:,} were judged.")
        self._places: dict[tuple[str, Kind], dict[Labels, int]] = {}
        for labels in found:
            pairs = dict(labels)
            name, said = pairs.pop(NAME_TAG, ""), pairs.pop(_KIND_LABEL, "")
            kind = Kind[said.upper()] if said.upper() in Kind.__members__ else _KINDS.get(_type(known, name), Kind.GAUGE)
            bare = tuple(sorted(pairs.items()))
            self._places.setdefault((name, kind), {})[bare] = len(self.keys)
            self.keys.append(SeriesKey(name, bare))
            self.kinds.append(kind)

    def stretch(self, name: str, window: float, first: float, last: float, step: float) -> Stretch:
        """The judged field over the window at first, first + step, … last."""
        times = np.arange(first, last + step / 2, step)
        values = np.full((len(self.keys), len(times)), np.nan)
        for (metric, kind), places in self._places.items():
            field_ = judged_field(name, kind)
            # The windows know a gauge's last value until the series is forgotten.
            over = max(window, IDLE) if field_ == "last" else window
            expression = field_expr(kind, field_, self._matchers(metric), round(over * 1000))
            if expression is None:
                raise ValueError(f"the history cannot say {field_!r} of a {kind.name.lower()}; judge another field")
            self._read(values, times, expression, places, factor_of(field_))
            if kind is Kind.COUNTER and (name in COUNTED or name == DEFAULT_FIELD):
                self._count_nothing_as_none(values, times, metric, places)
        return Stretch(times, values)

    def counted(self, window: float, first: float, last: float, step: float) -> Stretch:
        """How many samples came within the window; NaN where none did."""
        times = np.arange(first, last + step / 2, step)
        values = np.full((len(self.keys), len(times)), np.nan)
        for (metric, _), places in self._places.items():
            over = Select(self._matchers(metric), range=round(window * 1000))
            self._read(values, times, Call("count_over_time", (over,)), places, 1.0)
        return Stretch(times, values)

    def _count_nothing_as_none(
        self, values: Matrix, times: npt.NDArray[np.float64], metric: str, places: dict[Labels, int]
    ) -> None:
        there = np.full_like(values, np.nan)
        over = Select(self._matchers(metric), range=round(IDLE * 1000))
        self._read(there, times, Call("last_over_time", (over,)), places, 1.0)
        rows = list(places.values())
        values[rows] = np.where(np.isnan(values[rows]) & ~np.isnan(there[rows]), 0.0, values[rows])

    def _matchers(self, metric: str) -> tuple[Matcher, ...]:
        rest = tuple(matcher for matcher in self.selector.matchers if matcher.name != NAME_TAG)
        return (Matcher(NAME_TAG, "=", metric), *rest)

    def _read(
        self, values: Matrix, times: npt.NDArray[np.float64], expression: Expr, places: dict[Labels, int], factor: float
    ) -> None:
        step = round((times[1] - times[0]) * 1000) if len(times) > 1 else 1000
        answer = self.evaluator.range(expression, round(times[0] * 1000), round(times[-1] * 1000), step, self.check)
        self.resolution = max(self.resolution, answer.resolution / 1000)
        if answer.matrix is None:
            return
        at = np.searchsorted(times, answer.matrix.times / 1000 - 0.0005)
        for row, labels in enumerate(answer.matrix.labels):
            place = places.get(tuple(pair for pair in labels if pair[0] not in (NAME_TAG, _KIND_LABEL)))
            if place is not None:
                values[place, at] = np.where(answer.matrix.present[row], answer.matrix.values[row] * factor, np.nan)


def _type(known: Mapping[str, Metadata], name: str) -> str:
    return known[name].type if name in known else ""


def gone_in(values: Matrix, times: npt.NDArray[np.float64], seen: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """bool[n, t]: nothing is known for longer than the windows remember. `seen` float64[n], when each was last, is updated."""
    at = np.where(np.isnan(values), -math.inf, times)
    at[:, :1] = np.maximum(at[:, :1], seen[:, None])
    latest = np.maximum.accumulate(at, axis=1)
    seen[:] = latest[:, -1]
    gone: npt.NDArray[np.bool_] = times - latest > IDLE
    return gone
