"""What happened beside the numbers: deploys, changes and incidents that somebody told, marked on every chart."""

from __future__ import annotations

from monitor.alerting.model import HAPPENINGS, Event
from ui.client.mirror import Mirror
from ui.views.format import sanitise
from ui.views.view import Marker

MOST = 12
"""Markers on one chart: the newest."""


class Happened:
    """The events of a mirror that are no alert's."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._seen = -1
        self._events: list[Event] = []

    @property
    def newest(self) -> int:
        """Id of the newest of them; a chart drawn before it came lacks it."""
        events = self._mirror.events
        last = events[-1].id if events else 0
        if last != self._seen:
            self._seen = last
            self._events = [event for event in events if event.kind in HAPPENINGS and not event.alert]
        return self._events[-1].id if self._events else 0

    def within(self, start: float, end: float) -> tuple[Marker, ...]:
        """Markers of those between two times, oldest first."""
        inside = [event for event in self._events if start <= event.at <= end]
        return tuple(Marker(event.at, sanitise(event.text, 60)) for event in inside[-MOST:])
