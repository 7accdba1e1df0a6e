"""Which source a rule's values come from; that of series by themselves."""

from __future__ import annotations

import numpy as np

from monitor.alerting.absence import AbsenceSource
from monitor.alerting.answers import AnswerSource
from monitor.alerting.composite import CompositeSource
from monitor.alerting.conditions import AbsenceCondition, CompositeCondition, Condition, PredictiveCondition, QueryCondition
from monitor.alerting.durations import rough_duration
from monitor.alerting.forecast import crossing
from monitor.alerting.judge import lines_of, read
from monitor.alerting.model import Rule
from monitor.alerting.named import GroupSource
from monitor.alerting.world import Instance, Source, World
from monitor.model.batch import Floats, Ids
from monitor.model.series import SeriesInfo


def source_of(rule: Rule) -> Source:
    """A new source for a rule; one rule's source is not for another."""
    condition = rule.condition
    if isinstance(condition, AbsenceCondition):
        return AbsenceSource()
    if isinstance(condition, CompositeCondition):
        return CompositeSource()
    if isinstance(condition, QueryCondition):
        return AnswerSource()
    return SeriesSource() if rule.group_by is None else GroupSource()


def same_source(one: Rule, other: Rule) -> bool:
    """Whether the alerts of a rule stay those of its edited form."""
    return (
        type(one.condition) is type(other.condition)
        and one.group_by == other.group_by
        and getattr(one.condition, "by", ()) == getattr(other.condition, "by", ())
    )


class SeriesSource:
    """Every series that the selector names, by itself. Rows are those of the engine's table."""

    def __init__(self) -> None:
        self._forecast: tuple[float, Condition, tuple[Ids, Floats]] | None = None

    def read(self, rule: Rule, world: World) -> tuple[Ids, Floats]:
        if not isinstance(rule.condition, PredictiveCondition):
            return read(rule, world.engine)
        # A forecast an hour ahead does not change within a moment, and costs more than a comparison.
        turn = world.now // min(10.0, max(1.0, rule.condition.horizon / 60))
        if self._forecast is None or self._forecast[:2] != (turn, rule.condition):
            self._forecast = (turn, rule.condition, read(rule, world.engine))
        return self._forecast[2]

    def info(self, row: int, world: World) -> SeriesInfo | None:
        return world.engine.table.info(row)

    def instance(self, row: int) -> Instance | None:
        return None

    def detail(self, row: int, rule: Rule, world: World) -> str:
        condition = rule.condition
        if not isinstance(condition, PredictiveCondition):
            return ""
        lines = lines_of(condition, world.engine, np.array([row], np.int32))
        ahead = crossing(lines, 0, condition.value)
        return (
            ""
            if ahead == np.inf
            else f"reaches {condition.value:g} in about {rough_duration(ahead)}"
            if ahead
            else "is there now"
        )
