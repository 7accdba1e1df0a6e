"""One rule against all its series at once."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from monitor.alerting.conditions import Comparison, Condition, PredictiveCondition, RateCondition, ScoreCondition
from monitor.alerting.fields import COUNTED, DEFAULT_FIELD, judged_field
from monitor.alerting.forecast import Lines, fit
from monitor.alerting.model import Rule
from monitor.model.batch import Floats, Ids
from monitor.model.matchers import Selector
from monitor.model.series import Kind, SeriesInfo
from monitor.windows.frame import History

FINE_SECONDS = 300.0
"""How far back the windows are exact to the second; beyond, to ten."""
FORECAST_POINTS = 120

COMPARE: dict[Comparison, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
}


class Table(Protocol):
    """What alerting asks of the series table."""

    @property
    def kinds(self) -> npt.NDArray[np.int8]:
        """Kind number of each row."""

    def select(self, selector: Selector) -> Ids:
        """Rows of the live series that the selector names."""

    def info(self, row: int) -> SeriesInfo | None:
        """The series of a row; None when the row is free."""


class Engine(Protocol):
    """What alerting asks of the engine."""

    @property
    def now(self) -> float:
        """End of the last closed second."""

    @property
    def table(self) -> Table: ...

    def column(self, field: str, window: float, rows: Ids) -> Floats:
        """The field of each row over the window, NaN where there is no data."""

    def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
        """The field as its window was at each step end in (start, end]."""


def read(rule: Rule, engine: Engine) -> tuple[Ids, Floats]:
    """Rows the rule watches and the value judged for each; NaN: no data, not judged. Raises `ValueError` where it cannot be."""
    rows = engine.table.select(rule.selector)
    condition = rule.condition
    if isinstance(condition, ScoreCondition):
        raise ValueError(f"no detector {condition.detector!r} runs in this collector")
    if len(rows) == 0:
        return rows, np.empty(0)
    if isinstance(condition, RateCondition):
        return rows, _changes(condition, engine, rows)
    if isinstance(condition, PredictiveCondition):
        return rows, _forecasts(condition, engine, rows)
    return rows, _by_kind(condition.field, engine, rows, lambda field, some: engine.column(field, condition.window, some))


def _by_kind(field: str, engine: Engine, rows: Ids, ask: Callable[[str, Ids], Floats]) -> Floats:
    """The field of each row; one that means something else for each kind is asked for kind by kind."""
    if field != DEFAULT_FIELD and field not in COUNTED:
        return ask(field, rows)
    kinds = engine.table.kinds[rows]
    values = np.full(len(rows), np.nan)
    for kind in Kind:
        here = kinds == kind
        if not here.any():
            continue
        column = ask(judged_field(field, kind), rows[here])
        # A counter that was not raised says "none", not "unknown": only so does an error count recover, or a "too few" fire.
        values[here] = np.nan_to_num(column, nan=0.0) if kind is Kind.COUNTER else column
    return values


def _changes(condition: RateCondition, engine: Engine, rows: Ids) -> Floats:
    """How much the field is more now than it was."""
    window, then = condition.window, engine.now - condition.against
    step = 1.0 if condition.against + window < FINE_SECONDS else 10.0

    def before(field: str, some: Ids) -> Floats:
        values = engine.history(some, field, window, then - step, then, step).values
        return values[:, -1] if values.shape[1] else np.full(len(some), np.nan)

    now = _by_kind(condition.field, engine, rows, lambda field, some: engine.column(field, window, some))
    earlier = _by_kind(condition.field, engine, rows, before)
    change = now - earlier
    if condition.unit == "absolute":
        return change
    with np.errstate(divide="ignore", invalid="ignore"):
        percent: Floats = np.where(change == 0, 0.0, 100.0 * change / np.abs(earlier))
    return np.where(np.isnan(change), np.nan, percent)


def lines_of(condition: PredictiveCondition, engine: Engine, rows: Ids) -> Lines:
    """What the recent past of these rows says of their future."""
    step = max(1.0, condition.window / FORECAST_POINTS)
    kinds = engine.table.kinds[rows]
    values, times = np.empty((len(rows), 0)), np.empty(0)
    for kind in Kind:
        here = kinds == kind
        if here.any():
            field = judged_field(condition.field, kind)
            past = engine.history(rows[here], field, 0.0, engine.now - condition.window, engine.now, step)
            if not len(times):
                values, times = np.full((len(rows), len(past.times)), np.nan), past.times
            values[here] = past.values
    return fit(times - engine.now, values)


def _forecasts(condition: PredictiveCondition, engine: Engine, rows: Ids) -> Floats:
    """The forecast at the horizon, on the safe side: where it crosses, it does so with the confidence asked for."""
    lines = lines_of(condition, engine, rows)
    margin = lines.margin(condition.horizon, condition.confidence)
    rising = condition.operator in ("gt", "gte")
    return lines.at(condition.horizon) - margin if rising else lines.at(condition.horizon) + margin


def met(condition: Condition, values: Floats) -> npt.NDArray[np.bool_]:
    """Where the condition holds; never where there is no data."""
    with np.errstate(invalid="ignore"):
        result: npt.NDArray[np.bool_] = COMPARE[condition.operator](values, condition.value) & ~np.isnan(values)
    return result


def holds(condition: Condition, value: float, firing: bool) -> bool:
    """Whether one value keeps the condition up; once firing, the recovery value takes the threshold's place."""
    limit = condition.recovery if firing and condition.recovery is not None else condition.value
    return bool(COMPARE[condition.operator](value, limit))
