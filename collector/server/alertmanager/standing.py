"""How alerts stand, as Alertmanager tells it: whose they are, what keeps them quiet; and silences, set and ended as there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from collector.alerts import AlertDesk
from collector.server.alertmanager.said import Said, Sayings
from monitor.alerting.model import Alert, Silence, State
from monitor.alerting.outcome import CommandError, Outcome
from monitor.alerting.routing import Route
from monitor.alerting.silences import silence_state
from monitor.model.matchers import Matcher

Pairs = tuple[tuple[str, str], ...]

NOBODY = "none"
"""The receiver of all alerts where there are no routes."""


class NoSilenceError(LookupError):
    """There is no silence of that id."""


class NotStoredError(Exception):
    """It holds, but could not be stored; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A receiver of an alert and the labels by which it is grouped there."""

    receiver: str
    group: Pairs


@dataclass(frozen=True, slots=True)
class NewSilence:
    """A silence as it was posted; `id`: that it changes, "" for a new one. Times are seconds since the epoch."""

    id: str
    matchers: tuple[Matcher, ...]
    starts: float
    ends: float
    comment: str
    who: str


class Standing:
    """`publish` is told what changed ("alerts", "events"); `clock`: seconds since the epoch."""

    def __init__(
        self,
        desk: AlertDesk,
        sayings: Sayings,
        publish: Callable[[set[str]], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._desk = desk
        self.sayings = sayings
        self._publish = publish
        self.clock = clock

    # ------------------------------------------------------------ alerts

    def firing(self) -> list[Alert]:
        """The alerts there are for an Alertmanager: those that fire."""
        self.sayings.refresh()
        return [alert for alert in self._desk.book.alerts.values() if alert.state is State.FIRING]

    def said(self, alert: Alert) -> Said:
        return self.sayings.of(alert)

    def places(self, alert: Alert) -> tuple[Place, ...]:
        """By the routes; where there are none, nobody's, grouped by name."""
        root = self._desk.routing.root
        labels = dict(alert.labels)
        if root is not None:
            found = (Place(route.receiver, route.group_of(labels)) for route in root.find(labels))
            return tuple(dict.fromkeys(found))
        name = labels.get("alertname", "")
        return (Place(NOBODY, (("alertname", name),) if name else ()),)

    def inhibited_by(self, alert: Alert) -> tuple[Alert, ...]:
        """The alerts because of which it is not told."""
        groups = self._desk.groups
        if groups is None or not groups.inhibitor.rules:
            return ()
        alerts = self._desk.book.alerts
        return tuple(alerts[name] for name in groups.inhibitor.holds_back(dict(alert.labels)) if name in alerts)

    def muted_by(self, alert: Alert, quiet: frozenset[str]) -> tuple[str, ...]:
        """Names of the times of quiet that hold now and that its routes keep."""
        root = self._desk.routing.root
        if root is None or not quiet:
            return ()
        return tuple(dict.fromkeys(name for route in root.find(dict(alert.labels)) for name in route.mute if name in quiet))

    def quiet_times(self) -> frozenset[str]:
        """Names of the time intervals that hold now."""
        return self._desk.routing.quiet_times(self.clock())

    def receivers(self) -> tuple[str, ...]:
        """Names of all that routes tell, in their order."""
        root = self._desk.routing.root
        return (NOBODY,) if root is None else tuple(dict.fromkeys(route.receiver for route in root.walk()))

    @property
    def root(self) -> Route:
        """The tree of routes; where there is none, one that tells nobody."""
        return self._desk.routing.root or Route("root", NOBODY, group_by=("alertname",))

    @property
    def desk(self) -> AlertDesk:
        return self._desk

    # ------------------------------------------------------------ silences

    @property
    def silences(self) -> Mapping[str, Silence]:
        return self._desk.book.silences

    def set_silence(self, wanted: NewSilence) -> str:
        """Make a silence, or change one; its id. As there, one whose matchers are changed, or that has ended, becomes a new one,
        and the old one ends. Raises `CommandError`, `NoSilenceError` or `NotStoredError`.
        """
        now, book = self.clock(), self._desk.book
        if not wanted.id:
            return self._add(wanted, now, None)
        before = book.silences.get(wanted.id)
        if before is None:
            raise NoSilenceError
        if _may_stay(before, wanted, now):
            self._settle(book.change_silence(before.id, wanted.starts, wanted.ends, wanted.comment, wanted.who, now), now)
            return before.id
        name = self._add(wanted, now, before)
        if silence_state(before, now) != "expired":
            self._settle(book.expire_silence(before.id, wanted.who, now), now)
        return name

    def expire_silence(self, name: str, who: str) -> None:
        """End a silence; nothing happens where it has ended. Raises `NoSilenceError` or `NotStoredError`."""
        now, book = self.clock(), self._desk.book
        silence = book.silences.get(name)
        if silence is None:
            raise NoSilenceError
        if silence_state(silence, now) != "expired":
            self._settle(book.expire_silence(name, who, now), now)

    def _add(self, wanted: NewSilence, now: float, before: Silence | None) -> str:
        """A new one; what the API has no word for, it has from the one that it takes the place of."""
        if not wanted.who.strip():
            raise CommandError("A silence needs somebody who makes it: give createdBy.")
        kept: dict[str, Any] = {}
        if before is not None:
            names = ("end_when_resolved", "schedule", "end_when_idle", "warn_before")
            kept = {name: getattr(before, name) for name in names}
        outcome = self._desk.book.add_silence(
            wanted.matchers, max(wanted.starts, now), wanted.ends, wanted.comment, wanted.who, now, **kept
        )
        self._settle(outcome, now)
        return outcome.accepted[0]

    def _settle(self, outcome: Outcome, now: float) -> None:
        self._publish(self._desk.settle(outcome, now))
        if self._desk.unsaved:
            raise NotStoredError(f"It holds for now, but could not be stored and would be lost: {self._desk.unsaved}")


def _may_stay(before: Silence, wanted: NewSilence, now: float) -> bool:
    """Whether a change keeps the silence the one it is. Source: Alertmanager, silence/silence.go (canUpdate)."""
    if set(before.matchers) != set(wanted.matchers):
        return False
    if before.active(now):
        return int(wanted.starts) == int(before.starts) and wanted.ends >= now
    return now < before.starts and wanted.starts >= now


def active_silences(alert: Alert, silences: Mapping[str, Silence]) -> Iterable[str]:
    """Ids of the silences that keep an alert quiet and are known."""
    return (name for name in alert.silenced_by if name in silences)
