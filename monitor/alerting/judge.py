"""One rule against all its series at once."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from monitor.alerting.fields import COUNTED, DEFAULT_FIELD, judged_field
from monitor.alerting.model import Comparison, Condition, Rule
from monitor.model.batch import Floats, Ids
from monitor.model.matchers import Selector
from monitor.model.series import Kind, SeriesInfo

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
    def table(self) -> Table: ...

    def column(self, field: str, window: float, rows: Ids) -> Floats:
        """The field of each row over the window, NaN where there is no data."""


def read(rule: Rule, engine: Engine) -> tuple[Ids, Floats]:
    """Rows the rule watches and the value judged for each; NaN: no data, not judged."""
    rows = engine.table.select(rule.selector)
    field, window = rule.condition.field, rule.condition.window
    if len(rows) == 0:
        return rows, np.empty(0)
    if field != DEFAULT_FIELD and field not in COUNTED:
        return rows, engine.column(field, window, rows)
    kinds = engine.table.kinds[rows]
    values = np.full(len(rows), np.nan)
    for kind in Kind:
        here = kinds == kind
        if not here.any():
            continue
        column = engine.column(judged_field(field, kind), window, rows[here])
        # A counter that was not raised says "none", not "unknown": only so does an error count recover, or a "too few" fire.
        values[here] = np.nan_to_num(column, nan=0.0) if kind is Kind.COUNTER else column
    return rows, values


def met(condition: Condition, values: Floats) -> npt.NDArray[np.bool_]:
    """Where the condition holds; never where there is no data."""
    with np.errstate(invalid="ignore"):
        result: npt.NDArray[np.bool_] = COMPARE[condition.operator](values, condition.value) & ~np.isnan(values)
    return result


def holds(condition: Condition, value: float, firing: bool) -> bool:
    """Whether one value keeps the condition up; once firing, the recovery value takes the threshold's place."""
    limit = condition.recovery if firing and condition.recovery is not None else condition.value
    return bool(COMPARE[condition.operator](value, limit))
