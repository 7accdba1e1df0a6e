"""Rates of the collector's own counters, from one health message to the next."""

from __future__ import annotations

from collections import deque

from monitor.wire.messages import Health

WINDOW = 60.0


class Rates:
    """Keeps a minute of health messages."""

    def __init__(self) -> None:
        self._held: deque[Health] = deque(maxlen=120)

    def add(self, health: Health | None) -> None:
        """The newest health message; one seen before, or of an earlier time, begins anew or is left out."""
        if health is None or (self._held and health.time == self._held[-1].time):
            return
        if self._held and health.time < self._held[-1].time:
            self._held.clear()
        self._held.append(health)
        while len(self._held) > 2 and health.time - self._held[0].time > WINDOW:
            self._held.popleft()

    def get(self, *names: str) -> float | None:
        """Per second over the last minute of the first of these counters that is told; None before two messages."""
        found = self._grown(*names)
        return found[0] / found[1] if found is not None else None

    def grown(self, *names: str) -> float:
        """How much these counters grew within the last minute, together."""
        return sum(found[0] for name in names if (found := self._grown(name)) is not None)

    @property
    def recent_drops(self) -> float:
        """Points lost within the last minute."""
        return self.grown(*(n for n in self._held[-1].values if "dropped" in n)) if self._held else 0.0

    def _grown(self, *names: str) -> tuple[float, float] | None:
        last = self._held[-1] if self._held else None
        name = next((n for n in names if last is not None and n in last.values), None)
        first = next((h for h in self._held if name in h.values), None)
        if last is None or first is None or name is None or last.time <= first.time:
            return None
        return max(0.0, last.values[name] - first.values[name]), last.time - first.time
