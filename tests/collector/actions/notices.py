"""Notices for tests of receivers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor.alerting.model import Alert, Severity, State
from monitor.alerting.notice import Notice, Noticed, Reason

NOW = 1_792_506_096.0
HOSTILE = (
    "a\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script> <!channel> @everyone *b* _i_ [x](javascript:1)"
    ' \x1b[2J\u202e\x00 &"'
)


def noticed(
    summary: str = "checkout is slow",
    ended: float | None = None,
    severity: Severity = "critical",
    runbook: str = "https://wiki.example.com/slow",
    more: Mapping[str, str] = MappingProxyType({}),
    **labels: str,
) -> Noticed:
    told = {"alertname": "slow", "severity": severity, "service": "cart", **labels, **more}
    state = State.FIRING if ended is None else State.RESOLVED
    alert = Alert("id1", "slow", tuple(sorted(told.items())), severity, state, NOW, 93.5, 90.0, fired_at=NOW - 60)
    return Noticed(alert, summary, "More of it.", runbook, ended)


def notice(
    *alerts: Noticed, key: str = "shop:abc:1792506096000", receiver: str = "oncall", reason: Reason = "first", truncated: int = 0
) -> Notice:
    told = alerts or (noticed(),)
    return Notice(key, receiver, (("service", "cart"),), told, NOW, reason, truncated)
