"""What a rule may watch for. Every condition compares a judged value with a limit; the types differ in what they judge."""

from __future__ import annotations

from typing import Literal

import msgspec

Comparison = Literal["gt", "gte", "lt", "lte", "eq", "ne"]
SYMBOL: dict[Comparison, str] = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "eq": "=", "ne": "≠"}
Aggregate = Literal["sum", "mean", "min", "max", "count"]


class Condition(msgspec.Struct, frozen=True, tag_field="type", tag="threshold"):
    """`field` of the series over `window` seconds, compared with `value`.

    `field` "value" is what `monitor.alerting.fields.judged_field` says for the series' kind (a counter's sum, a gauge's last).
    `recovery`: once firing, it ends only past this value.
    """

    operator: Comparison
    value: float
    window: float
    field: str
    recovery: float | None = None


class RateCondition(Condition, frozen=True, tag="rate"):
    """How far the field has moved from what it was `against` seconds ago; `unit` says in what the change is told.

    Percent of the earlier value's magnitude; from 0 to anything else is infinitely many.
    """

    against: float = 300.0
    unit: Literal["percent", "absolute"] = "percent"


class AbsenceCondition(Condition, frozen=True, tag="absence"):
    """Nothing came for longer than `window`: of a series that was there, or of any that the selector names.

    `operator` is gt, `value` the window, `field` age. `keep`: how long a series that is gone stays expected, in seconds.
    """

    keep: float = 86_400.0


class PredictiveCondition(Condition, frozen=True, tag="predictive"):
    """The forecast of the field crosses `value` within `horizon` seconds, by the bound of `confidence` that is nearer to now.

    `window` is what the forecast is made from. The judged value is that bound of the forecast at the horizon.
    """

    horizon: float = 3600.0
    confidence: float = 0.95


class CompositeCondition(Condition, frozen=True, tag="composite"):
    """An expression over other rules, like `slow and (errors or not healthy)`; judged for each value of the labels `by`.

    The judged value is 1 where it holds and 0 where it does not; `operator` is gte, `value` 1.
    """

    expression: str = ""
    by: tuple[str, ...] = ()


class QueryCondition(Condition, frozen=True, tag="promql"):
    """A PromQL expression, asked every `every` seconds: each series it gives is an alert, as in a Prometheus rule.

    The judged value is the series'; what is compared stands in the expression.
    """

    expression: str = ""
    every: float = 15.0


class ScoreCondition(Condition, frozen=True, tag="anomaly"):
    """A detector's score of the field, compared with `value`: how unusual the series is now."""

    detector: str = ""


class ChangeCondition(ScoreCondition, frozen=True, tag="change"):
    """A detector's score of the field, compared with `value`: whether the series has changed its ways."""


AnyCondition = (
    Condition
    | RateCondition
    | AbsenceCondition
    | PredictiveCondition
    | CompositeCondition
    | QueryCondition
    | ScoreCondition
    | ChangeCondition
)

BY_ROW = (RateCondition, AbsenceCondition, PredictiveCondition, ScoreCondition, ChangeCondition)
"""Types that judge each series by itself, besides the threshold."""
