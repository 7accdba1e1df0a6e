"""What the alert book is told besides the windows: answers to PromQL conditions, and the alerts of Prometheus rule files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from collector.rules.asked import Asked, GroupAlerts
from collector.rules.groups import GroupRunner, GroupState, Instant, Write
from collector.rules.store import RuleStore
from monitor.alerting.model import Rule
from monitor.alerting.world import Answered
from monitor.query.history import History
from monitor.query.rulegroups import RuleGroup


class Told:
    """Judges and asks beside the ticks; `look` takes over what has come."""

    def __init__(self, instant: Instant, write: Write, history: History | None) -> None:
        """As `GroupRunner`'s."""
        self.groups = GroupRunner(instant, write, history)
        self.asked = Asked(instant)
        self._alerts = GroupAlerts()
        self._groups: tuple[RuleGroup, ...] = ()
        self._rules: tuple[Rule, ...] = ()
        self._states: list[GroupState] = []
        self._revision = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The alerting rules of Prometheus files, as rules."""
        return self._alerts.rules

    @property
    def answers(self) -> Mapping[str, Answered]:
        """By the rule's id."""
        return {**self.asked.answers, **self._alerts.answers}

    def look(self, rules: RuleStore) -> bool:
        """Take up rules that changed, and what was judged; whether clients are to be told of rules anew."""
        if rules.groups is not self._groups:
            self._groups = rules.groups
            self.groups.load(self._groups)
        if rules.rules is not self._rules:
            self.asked.load(rules.rules)
        if rules.rules is not self._rules or self.groups.groups is not self._states:
            self._rules, self._states = rules.rules, self.groups.groups
            self._alerts.load(self._states, (rule.id for rule in self._rules))
        self._alerts.look()
        changed = self.groups.revision != self._revision
        self._revision = self.groups.revision
        return changed

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self.groups.run(), self.asked.run())

    def figures(self) -> dict[str, float]:
        """For health."""
        return self.groups.figures() | self.asked.figures()

    def notes(self) -> list[str]:
        """One sentence a rule that fails."""
        return self.groups.notes()
