"""What one judgement or one command changed: all that must be stored, streamed and told."""

from __future__ import annotations

import msgspec

from monitor.alerting.model import Alert, Event, Notification, Silence


class CommandError(ValueError):
    """A command that is refused; the message says what, why and what to do."""


class Outcome(msgspec.Struct, frozen=True):
    """Changes since the revision before; empty when nothing changed.

    Stream `alerts`, `silences` and `removed` (ids of alerts and silences that are forgotten). Store `stored` (the alerts of
    `alerts` that changed in more than their present value), `silences`, `removed`, `events` and `notifications` in one
    transaction. `accepted`: ids a command took effect on.
    """

    revision: int
    alerts: tuple[Alert, ...] = ()
    stored: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    removed: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    notifications: tuple[Notification, ...] = ()
    accepted: tuple[str, ...] = ()

    @property
    def lasting(self) -> bool:
        """Whether there is anything to store."""
        return bool(self.stored or self.silences or self.removed or self.events or self.notifications)


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

    def __bool__(self) -> bool:
        return bool(self.alerts or self.silences or self.removed or self.events or self.notifications)

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
        )
