"""What one judgement or one command changed: all that must be stored, streamed and told."""

from __future__ import annotations

import msgspec

from monitor.alerting.incidents import Incident
from monitor.alerting.model import Alert, Event, Notification, Silence


class CommandError(ValueError):
    """A command that is refused; the message says what, why and what to do."""


class Outcome(msgspec.Struct, frozen=True):
    """Changes since the revision before; empty when nothing changed.

    Stream `alerts`, `silences` and `removed` (ids of alerts and silences that are forgotten). Store `stored` (the alerts of
    `alerts` that changed in more than their present value), `silences`, `removed`, `events` and `notifications` in one
    transaction, and with them `incidents` and `ended_incidents` (ids of those forgotten). `accepted`: ids a command took
    effect on.
    """

    revision: int
    alerts: tuple[Alert, ...] = ()
    stored: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    removed: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    notifications: tuple[Notification, ...] = ()
    accepted: tuple[str, ...] = ()
    incidents: tuple[Incident, ...] = ()
    ended_incidents: tuple[str, ...] = ()

    @property
    def lasting(self) -> bool:
        """Whether there is anything to store."""
        told = self.events or self.notifications or self.incidents or self.ended_incidents
        return bool(self.stored or self.silences or self.removed or told)


class Changes(msgspec.Struct, frozen=True):
    """What a client lacks; `since` 0: everything there is, because its revision is too old to be caught up with."""

    revision: int
    since: int
    alerts: tuple[Alert, ...]
    silences: tuple[Silence, ...]
    removed: tuple[str, ...]


class Draft:
    """An outcome in the making; of an alert or silence changed twice the last state counts."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.lasting: set[str] = set()
        self.silences: dict[str, Silence] = {}
        self.removed: list[str] = []
        self.events: list[Event] = []
        self.notifications: list[Notification] = []
        self.incidents: tuple[Incident, ...] = ()
        self.ended_incidents: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        told = self.events or self.notifications or self.incidents or self.ended_incidents
        return bool(self.alerts or self.silences or self.removed or told)

    def finish(self, revision: int, accepted: tuple[str, ...] = ()) -> Outcome:
        alerts = tuple(self.alerts.values())
        return Outcome(
            revision,
            alerts,
            tuple(alert for alert in alerts if alert.id in self.lasting),
            tuple(self.silences.values()),
            tuple(self.removed),
            tuple(self.events),
            tuple(self.notifications),
            accepted,
            self.incidents,
            self.ended_incidents,
        )
