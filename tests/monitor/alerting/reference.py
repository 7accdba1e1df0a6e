"""The life of one alert written down as slowly and plainly as possible, to check the book against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Slow:
    """One rule `value > 10` (until `recovery`) on one series; `step` says what is told: "", "firing" or "resolved"."""

    wait: float = 0.0
    cooldown: float = 0.0
    recovery: float = 10.0
    state: str = "inactive"
    begun: float = 0.0
    fired: float = 0.0
    told_at: float | None = None
    told_this: bool = False
    owed: str = ""
    acked_until: float | None = None
    silences: tuple[tuple[float, float], ...] = ()
    was_silenced: bool = False

    def silenced(self, now: float) -> bool:
        return any(start <= now < end for start, end in self.silences)

    def step(self, now: float, value: float | None) -> str:
        """`value` None: no data."""
        silenced = self.silenced(now)
        if self.state == "firing" and self.was_silenced and not silenced:
            self.owed = "at once"
        if self.acked_until is not None and now >= self.acked_until:
            self.acked_until = None
            if self.state == "firing":
                self.owed = "at once"
        limit = self.recovery if self.state == "firing" else 10.0
        told = ""
        if value is None:
            if self.state == "pending":
                self._over()
        elif value > limit:
            if self.state == "inactive":
                self.state, self.begun = "pending", now
            if self.state == "pending" and now - self.begun >= self.wait:
                self.state, self.fired, self.told_this, self.owed = "firing", now, False, "after cooldown"
        elif self.state != "inactive":
            if self.state == "firing" and self.told_this:
                told = "resolved"
            self._over()
        active = self.state in ("pending", "firing")
        self.was_silenced = silenced and active
        if self.state == "firing" and self.owed and self.acked_until is None and not silenced:
            cooling = self.told_at is not None and now - self.told_at < self.cooldown
            if self.owed == "at once" or not cooling:
                self.told_at, self.told_this, self.owed = now, True, ""
                told = "firing"
        return told

    def _over(self) -> None:
        self.state, self.owed, self.acked_until = "inactive", "", None
