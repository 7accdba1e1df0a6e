"""Alerts in one line, and a stage on which groups are told of them second by second."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from monitor.alerting.fingerprint import fingerprint
from monitor.alerting.model import Acknowledgement, Alert, Severity, State
from monitor.alerting.notice import Notice, Noticed
from monitor.alerting.routing import Groups, GroupState, Inhibition, Route, Timing
from monitor.model.matchers import parse_matchers

TIMING = Timing(group_wait=30, group_interval=300, repeat_interval=3600)


def route(name: str = "all", where: str = "", **more: object) -> Route:
    fields: dict[str, object] = {"receiver": name, "matchers": parse_matchers(where) if where else (), "timing": TIMING} | more
    return Route(name, **fields)  # type: ignore[arg-type]


def inhibition(source: str, target: str, *equal: str) -> Inhibition:
    return Inhibition(parse_matchers(source), parse_matchers(target), equal)


def alert_of(labels: dict[str, str], state: State = State.FIRING, at: float = 0.0, severity: Severity = "warning") -> Alert:
    told = tuple(sorted(({"severity": severity} | labels).items()))
    fixed = tuple(pair for pair in told if pair[0] != "severity")
    return Alert(fingerprint(fixed), labels.get("alertname", "r"), told, severity, state, at, 1.0, 0.0, fired_at=at)


def say(alert: Alert, ended: float | None) -> Noticed:
    return Noticed(alert, dict(alert.labels).get("alertname", ""), ended=ended)


class Stage:
    """Alerts by their labels (`service=a`), changed at a time; `until` runs the clock and gives the notices."""

    def __init__(self, root: Route, *inhibitions: Inhibition, silent_ends: Iterable[str] = ()) -> None:
        self.root, self.inhibitions, self.silent_ends = root, inhibitions, frozenset(silent_ends)
        self.alerts: dict[str, Alert] = {}
        self.kept: dict[tuple[object, ...], GroupState] = {}
        self.now = 0.0
        self.quiet_times: tuple[str, ...] = ()
        self.groups = self._new()

    def _new(self) -> Groups:
        return Groups(self.root, self.inhibitions, lambda receiver: receiver not in self.silent_ends)

    def restart(self) -> None:
        """As after kill -9: all that is left is what was stored."""
        self.groups = self._new()
        self.groups.restore(self.kept.values(), self.alerts, self.now)

    def _put(self, alert: Alert) -> str:
        self.alerts[alert.id] = alert
        self.groups.take([alert], (), self.now)
        return alert.id

    def fire(self, severity: Severity = "warning", **labels: str) -> str:
        alert = alert_of(labels, at=self.now, severity=severity)
        before = self.alerts.get(alert.id)
        if before is not None and before.state is State.FIRING:
            alert = replace(alert, fired_at=before.fired_at, ack=before.ack, silenced_by=before.silenced_by)
        return self._put(alert)

    def end(self, name: str) -> None:
        self._put(replace(self.alerts[name], state=State.RESOLVED, resolved_at=self.now, ack=None, silenced_by=()))

    def acknowledge(self, name: str) -> None:
        self._put(replace(self.alerts[name], ack=Acknowledgement("ada", self.now)))

    def release(self, name: str) -> None:
        self._put(replace(self.alerts[name], ack=None, silenced_by=()))

    def silence(self, name: str) -> None:
        self._put(replace(self.alerts[name], silenced_by=("s1",)))

    def forget(self, name: str) -> None:
        del self.alerts[name]
        self.groups.take((), [name], self.now)

    def until(self, then: float) -> list[Notice]:
        """All that is told up to and at `then`, looked at every ten seconds."""
        told: list[Notice] = []
        while self.now <= then:
            told += self.step()
            self.now += 10
        self.now = then
        return told

    def step(self) -> list[Notice]:
        step = self.groups.step(self.now, self.alerts, say, self.quiet_times)
        for key in step.removed:
            self.kept.pop(tuple(key), None)
        for state in step.states:
            self.kept[state.route, state.labels] = state
        return list(step.notices)


def names(notice: Notice) -> tuple[list[str], list[str]]:
    """Services that fire and that ended, as a notice says it."""
    services = [[dict(noticed.alert.labels).get("service", "") for noticed in part] for part in (notice.firing, notice.resolved)]
    return services[0], services[1]
