"""What is said of an alert to an Alertmanager and to its clients: annotations, when it began, and where it can be looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from collector.api_info import promql
from collector.rules.groups import GroupState
from collector.rules.received import ReceivedAlerts
from monitor.alerting.model import Alert, Rule
from monitor.alerting.wording import description, reading, summary

Pairs = tuple[tuple[str, str], ...]

_MOST_URL = 2000


@dataclass(frozen=True, slots=True)
class Said:
    """`starts`, `updated`, `ends`: seconds since the epoch, None: not known better than by the alert itself. `relayed`: another
    Lightship posted it, and it goes to no further Alertmanager.
    """

    annotations: Pairs
    starts: float
    updated: float | None = None
    ends: float | None = None
    generator: str = ""
    relayed: bool = False


class Rules(Protocol):
    """Rules in force; a new tuple when any changed."""

    @property
    def rules(self) -> tuple[Rule, ...]: ...


class Sayings:
    """Looks things up where they are kept: of received alerts what was posted, of a Prometheus rule's its annotations, of others
    the words of their rule.
    """

    def __init__(
        self, rules: Iterable[Rules], received: ReceivedAlerts, groups: Callable[[], Iterable[GroupState]], url: Callable[[], str]
    ) -> None:
        """`groups`: Prometheus rules as they stand; `url`: the address of the HTTP side, by which a client finds the alert."""
        self._sources = tuple(rules)
        self._received = received
        self._groups = groups
        self._url = url
        self._seen: tuple[tuple[Rule, ...], ...] = ()
        self._rules: dict[str, Rule] = {}
        self._annotations: Mapping[Pairs, Pairs] | None = None

    def refresh(self) -> None:
        """Take up what rules and their alerts say by now; to be called before a number of alerts is asked for."""
        seen = tuple(source.rules for source in self._sources)
        if len(seen) != len(self._seen) or any(new is not old for new, old in zip(seen, self._seen, strict=True)):
            self._seen = seen
            self._rules = {rule.id: rule for rules in seen for rule in rules}
        self._annotations = None

    def of(self, alert: Alert) -> Said:
        """What is said of one alert."""
        began = alert.fired_at if alert.fired_at is not None else alert.since
        posted = self._received.of(alert)
        if posted is not None:
            return Said(posted.annotations, posted.starts, posted.updated, posted.ends, posted.generator, posted.relayed)
        rule = self._rules.get(alert.rule_id)
        annotations = self._of_groups().get(alert.labels) or _words(rule, alert)
        return Said(annotations, began, generator=self._generator(rule, alert))

    def _of_groups(self) -> Mapping[Pairs, Pairs]:
        """Annotations of the alerts of Prometheus rules, by their labels."""
        if self._annotations is None:
            self._annotations = {
                tuple(sorted(alert.labels)): tuple(alert.annotations)
                for group in self._groups()
                for state in group.rules
                for alert in state.alerts.values()
            }
        return self._annotations

    def _generator(self, rule: Rule | None, alert: Alert) -> str:
        """Where the expression can be asked, as Prometheus links to its own."""
        if rule is None:
            return ""
        asked = f"{self._url()}/api/v1/query?query={quote(promql(rule, alert.kind), safe='')}"
        return asked if len(asked) <= _MOST_URL else self._url()


def _words(rule: Rule | None, alert: Alert) -> Pairs:
    if rule is None:
        return (("summary", f"{alert.rule_id}: {reading(alert)}"),)
    said = {"description": description(rule, alert), "runbook_url": rule.runbook_url, "summary": summary(rule, alert)}
    return tuple((name, text) for name, text in said.items() if text)
