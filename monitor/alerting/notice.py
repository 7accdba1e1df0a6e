"""What a receiver is asked to tell: one notice for one group of alerts."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.alerting.model import Alert

Pairs = tuple[tuple[str, str], ...]
Reason = Literal["first", "grown", "changed", "repeat", "resolved", "test"]


class Noticed(msgspec.Struct, frozen=True):
    """One alert within a notice, with its words filled in. `ended` None: it still fires."""

    alert: Alert
    summary: str
    description: str = ""
    runbook_url: str = ""
    ended: float | None = None


class Notice(msgspec.Struct, frozen=True):
    """`receiver` is to be told of a group. A receiver may see the same `key` twice after a kill, never for two different notices.

    `group`: the labels the alerts have in common by which they were grouped. `alerts`: all that fire, then those that ended since
    the last notice. `reason`: why just now. `at`: seconds since the epoch. `truncated`: alerts left out for their number.
    """

    key: str
    receiver: str
    group: Pairs
    alerts: tuple[Noticed, ...]
    at: float
    reason: Reason = "first"
    truncated: int = 0

    @property
    def firing(self) -> tuple[Noticed, ...]:
        return tuple(noticed for noticed in self.alerts if noticed.ended is None)

    @property
    def resolved(self) -> tuple[Noticed, ...]:
        return tuple(noticed for noticed in self.alerts if noticed.ended is not None)

    @property
    def status(self) -> Literal["firing", "resolved"]:
        """Firing while any alert of it does."""
        return "firing" if self.firing else "resolved"
