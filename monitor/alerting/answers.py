"""Conditions whose values are told, not read: the answers to PromQL expressions."""

from __future__ import annotations

from monitor.alerting.model import Rule
from monitor.alerting.named import NamedRows, ascending
from monitor.alerting.world import Answered, Instance, NotYetError, World
from monitor.model.batch import Floats, Ids
from monitor.model.series import SeriesKey


class AnswerSource(NamedRows):
    """The series of the last answer to the rule's expression."""

    def __init__(self) -> None:
        super().__init__()
        self._instances: dict[int, Instance] = {}
        self._read: Answered | None = None

    def read(self, rule: Rule, world: World) -> tuple[Ids, Floats]:
        answered = world.answers.get(rule.id)
        if answered is None:
            raise NotYetError
        if answered.error:
            raise ValueError(answered.error)
        if answered is not self._read:
            self._read = answered
            placed = {self.row_of(_identity(instance)): instance for instance in answered.instances}
            self._instances = {row: instance for row, instance in placed.items() if row is not None}
            self.forget(set(self.known()) - set(self._instances))
        return ascending({row: instance.value for row, instance in self._instances.items()})

    def instance(self, row: int) -> Instance | None:
        return self._instances.get(row)


def _identity(instance: Instance) -> SeriesKey:
    """Decided instances are told apart by the alert's labels, of which the rule's own may differ by the value."""
    return SeriesKey("", instance.labels) if instance.labels else instance.series
