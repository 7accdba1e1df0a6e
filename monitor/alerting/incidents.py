"""Incidents: alerts that belong together by labels, time and calls between services, as one thing with a probable cause."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from monitor.alerting.causes import Calls, probable_cause, service_of
from monitor.alerting.fingerprint import fingerprint
from monitor.alerting.model import SEVERITIES, Alert, Severity, State

RELATED = ("service", "service_name", "host", "instance", "pod", "database")
"""Labels whose equal values relate two alerts."""
NEAR = 600.0
"""Seconds within which alerts of services that call each other are one incident."""
REOPEN = 300.0
"""Seconds after its end within which a related alert opens an incident again."""
KEEP_RESOLVED = 86_400.0
MAX_INCIDENTS = 1_000
MAX_ALERTS = 1_000
_Key = tuple[str, str]


class Incident(msgspec.Struct, frozen=True):
    """Alerts that belong together. `alerts`: ids in the order in which they began; `left_out`: more that are not listed.

    `cause`: id of the alert that is probably the cause. `labels`: what all have in common. `joined_at`: when the last one came.
    `acknowledged`: every alert of it that fires is. `merged_into`: another incident that has taken its alerts over.
    Times are seconds since the epoch.
    """

    id: str
    state: Literal["open", "acknowledged", "resolved"]
    begun: float
    joined_at: float
    alerts: tuple[str, ...]
    cause: str
    cause_rule: str
    severity: Severity
    labels: tuple[tuple[str, str], ...]
    resolved_at: float | None = None
    left_out: int = 0
    merged_into: str = ""


class Incidents:
    """A pure state machine: `step` is told what changed at a tick and gives the incidents that changed by it."""

    def __init__(self) -> None:
        self.by_id: dict[str, Incident] = {}
        self.refused = 0
        """Alerts that are in no incident because there are too many incidents."""
        self._of: dict[str, str] = {}
        self._keys: dict[_Key, str] = {}

    def restore(self, incidents: Iterable[Incident], alerts: Mapping[str, Alert]) -> None:
        """Take up the run before, once."""
        for incident in sorted(incidents, key=lambda one: one.begun):
            self.by_id[incident.id] = incident
            for name in incident.alerts if not incident.merged_into else ():
                self._of[name] = incident.id
                if name in alerts:
                    self._point(alerts[name], incident.id)

    def step(
        self, now: float, changed: Iterable[Alert], alerts: Mapping[str, Alert], calls: Calls
    ) -> tuple[tuple[Incident, ...], tuple[str, ...]]:
        """The incidents that changed, and the ids of those that are forgotten. `changed`: alerts as they are now.

        `calls`: which services each service calls.
        """
        touched: dict[str, None] = {}
        before = dict(self.by_id)
        for alert in sorted(changed, key=lambda one: (one.fired_at or 0.0, one.id)):
            known = self.by_id.get(self._of.get(alert.id, ""))
            if alert.state is State.FIRING and (known is None or known.state == "resolved"):
                self._join(now, alert, calls, touched)
            elif known is not None:
                touched[known.id] = None
        for name in touched:
            self._look(now, name, alerts, calls)
        differ = tuple(self.by_id[name] for name in touched if self.by_id[name] != before.get(name))
        return differ, self._forget(now, touched)

    def of_alert(self, alert: str) -> Incident | None:
        """The incident an alert (by id) is or was in last."""
        return self.by_id.get(self._of.get(alert, ""))

    def _join(self, now: float, alert: Alert, calls: Calls, touched: dict[str, None]) -> None:
        found = self._related(now, alert, calls)
        if not found:
            open_ones = sum(one.state != "resolved" for one in self.by_id.values()) if len(self.by_id) >= MAX_INCIDENTS else 0
            if open_ones >= MAX_INCIDENTS:
                self.refused += 1
                return
            name = f"incident-{fingerprint([('alert', alert.id), ('at', repr(now))])}"
            began = alert.fired_at if alert.fired_at is not None else now
            self.by_id[name] = Incident(name, "open", began, now, (), alert.id, alert.rule_id, alert.severity, alert.labels)
        else:
            name = found[0].id
            for other in found[1:]:
                self._merge(now, name, other, touched)
        incident = self.by_id[name]
        shared = tuple(pair for pair in incident.labels if pair in alert.labels)
        incident = replace(incident, labels=shared, joined_at=now)
        if self._of.get(alert.id) != name:
            self._of[alert.id] = name
            if len(incident.alerts) < MAX_ALERTS:
                incident = replace(incident, alerts=(*incident.alerts, alert.id))
            else:
                incident = replace(incident, left_out=incident.left_out + 1)
        self.by_id[name] = incident
        self._point(alert, name)
        touched[name] = None

    def _related(self, now: float, alert: Alert, calls: Calls) -> list[Incident]:
        """Incidents it belongs to, the oldest first: of equal labels while they go on (or just ended), of calls lately begun."""
        found: dict[str, Incident] = {}
        for key in _keys(alert):
            incident = self.by_id.get(self._keys.get(key, ""))
            if incident is not None and (incident.resolved_at is None or 0 <= now - incident.resolved_at < REOPEN):
                found[incident.id] = incident
        service = service_of(alert)
        callers = (caller for caller, called in calls.items() if service in called) if service else ()
        for neighbour in {*calls.get(service, ()), *callers} if service else ():
            incident = self.by_id.get(self._keys.get(("service", neighbour), ""))
            if incident is not None and incident.resolved_at is None and 0 <= now - incident.joined_at < NEAR:
                found[incident.id] = incident
        return sorted(found.values(), key=lambda one: (one.begun, one.id))

    def _merge(self, now: float, into: str, other: Incident, touched: dict[str, None]) -> None:
        whole = self.by_id[into]
        shared = tuple(pair for pair in whole.labels if pair in other.labels)
        self.by_id[into] = self._with(replace(whole, labels=shared), other.alerts)
        self._keys.update({key: into for key, name in self._keys.items() if name == other.id})
        self.by_id[other.id] = replace(other, state="resolved", resolved_at=now, merged_into=into)
        touched[other.id] = None

    def _with(self, incident: Incident, more: Iterable[str]) -> Incident:
        names = tuple(dict.fromkeys((*incident.alerts, *more)))
        for name in names:
            self._of[name] = incident.id
        return replace(incident, alerts=names[:MAX_ALERTS], left_out=incident.left_out + max(0, len(names) - MAX_ALERTS))

    def _point(self, alert: Alert, incident: str) -> None:
        for key in _keys(alert):
            self._keys[key] = incident

    def _look(self, now: float, name: str, alerts: Mapping[str, Alert], calls: Calls) -> None:
        """How an incident stands: its state, cause and severity."""
        incident = self.by_id[name]
        if incident.merged_into:
            return
        members = [alerts[one] for one in incident.alerts if one in alerts]
        firing = [one for one in members if one.state is State.FIRING]
        if not firing:
            ended = incident.resolved_at if incident.resolved_at is not None else now
            self.by_id[name] = replace(incident, state="resolved", resolved_at=ended)
            return
        cause = probable_cause(firing, calls)
        self.by_id[name] = replace(
            incident,
            state="acknowledged" if all(one.ack is not None for one in firing) else "open",
            resolved_at=None,
            cause=cause.id,
            cause_rule=cause.rule_id,
            severity=min((one.severity for one in firing), key=SEVERITIES.index),
        )

    def _forget(self, now: float, kept: Collection[str]) -> tuple[str, ...]:
        over = sorted((one for one in self.by_id.values() if one.resolved_at is not None), key=lambda one: one.resolved_at or 0.0)
        crowd = len(self.by_id) - MAX_INCIDENTS
        gone = [one.id for at, one in enumerate(over) if at < crowd or (one.resolved_at or 0.0) + KEEP_RESOLVED <= now]
        gone = [name for name in gone if name not in kept]
        for name in gone:
            for alert in self.by_id.pop(name).alerts:
                if self._of.get(alert) == name:
                    del self._of[alert]
        if gone:
            self._keys = {key: name for key, name in self._keys.items() if name in self.by_id}
        return tuple(gone)


def _keys(alert: Alert) -> list[_Key]:
    """What relates it to others; where no label does, its rule."""
    labels = dict(alert.labels)
    found = [("service" if name == "service_name" else name, labels[name]) for name in RELATED if labels.get(name)]
    return found or [("rule", alert.rule_id)]
