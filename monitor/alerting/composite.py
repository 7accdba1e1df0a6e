"""Composite conditions: what an expression over other rules says, for all or for each value of some labels."""

from __future__ import annotations

import numpy as np

from monitor.alerting.conditions import CompositeCondition
from monitor.alerting.model import Alert, Rule, State
from monitor.alerting.named import NamedRows, ascending
from monitor.alerting.truth import Truth, read_expression
from monitor.alerting.world import Pairs, World
from monitor.model.batch import Floats, Ids
from monitor.model.series import SeriesKey


class CompositeSource(NamedRows):
    """1 where the expression over other rules holds, 0 where it does not, NaN where nobody can say."""

    def read(self, rule: Rule, world: World) -> tuple[Ids, Floats]:
        condition = rule.condition
        assert isinstance(condition, CompositeCondition)
        node = read_expression(condition.expression)
        names = tuple(dict.fromkeys(node.rules()))
        states = {name: _states(name, condition.by, world) for name in names}
        groups = {group for known in states.values() if known is not None for group in known} or (
            {()} if not condition.by else set()
        )
        values: dict[int, float] = {}
        for group in sorted(groups):
            truth = node.judge(lambda name, group=group: _truth(states[name], group, name, world))  # type: ignore[misc]  # bound at once
            row = self.row_of(SeriesKey("", group))
            if row is not None:
                values[row] = np.nan if truth is None else float(truth)
        self.forget(set(self.known()) - set(values))
        return ascending(values)

    def detail(self, row: int, rule: Rule, world: World) -> str:
        condition = rule.condition
        assert isinstance(condition, CompositeCondition)
        info = self._infos.get(row)
        group = info.key.tags if info else ()
        told = []
        for name in dict.fromkeys(read_expression(condition.expression).rules()):
            truth = _truth(_states(name, condition.by, world), group, name, world)
            told.append(f"{name} {'is not known' if truth is None else 'fires' if truth else 'does not fire'}")
        return ", ".join(told)


_States = dict[Pairs, list[Alert]]


def _states(name: str, by: tuple[str, ...], world: World) -> _States | None:
    """A rule's active alerts by the values of these labels; None when the rule is not in force."""
    alerts = world.alerts_of(name)
    if alerts is None:
        return None
    groups: _States = {}
    for alert in alerts:
        labels = dict(alert.labels)
        groups.setdefault(tuple(sorted((label, labels[label]) for label in by if label in labels)), []).append(alert)
    return groups


def _truth(states: _States | None, group: Pairs, name: str, world: World) -> Truth:
    if states is None or world.failing(name):
        return None
    firing = [alert for alert in states.get(group, ()) if alert.state is State.FIRING]
    if not firing:
        return False
    return None if all(alert.no_data for alert in firing) else True
