"""The life of one alert: every transition as a function from an alert to the next."""

from __future__ import annotations

import math
from itertools import pairwise

from msgspec.structs import replace

from monitor.alerting.conditions import QueryCondition
from monitor.alerting.fingerprint import Labels, alert_labels
from monitor.alerting.judge import holds
from monitor.alerting.model import SEVERITIES, Acknowledgement, Alert, Firing, Rule, Severity, State
from monitor.alerting.watch import Seen
from monitor.model.series import SeriesInfo

ACTIVE = (State.PENDING, State.FIRING)
KEEP_FIRINGS = 86_400.0
MAX_FIRINGS = 240


def begin(rule: Rule, seen: Seen, series: SeriesInfo, before: Alert | None, now: float) -> Alert:
    """The alert as pending; `before` is its last, resolved state, whose firings and notifications it goes on from."""
    told = seen.instance
    labels = told.labels if told is not None and told.labels else alert_labels(rule, series.key)
    fresh = Alert(
        id=seen.alert,
        rule_id=rule.id,
        labels=labels,
        severity=severity_of(labels, rule),
        state=State.PENDING,
        since=now,
        value=known(seen.value),
        threshold=rule.condition.value,
        operator=rule.condition.operator,
        active_at=told.active_at if told is not None and told.active_at is not None else now,
        series=series.key,
        kind=series.kind,
        detail=told.summary if told is not None and told.summary else seen.detail,
    )
    if before is None:
        return fresh
    return replace(
        fresh,
        fired_at=before.fired_at,
        resolved_at=before.resolved_at,
        last_notified=before.last_notified,
        notified_count=before.notified_count,
        suppressed_count=before.suppressed_count,
        firings=before.firings,
        flapping=before.flapping,
        ack=before.ack,
        assigned=before.assigned,
    )


_SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(("critical", "page", "error", "crit", "fatal", "emergency", "high", "disaster"), "critical"),
    **dict.fromkeys(("info", "none", "low", "notice", "information", "debug"), "info"),
}


def severity_of(labels: Labels, rule: Rule) -> Severity:
    """The rule's, or what the label `severity` means where it was written by another system."""
    said = dict(labels).get("severity", "").lower()
    return rule.severity if said == rule.severity or not said else _SEVERITIES.get(said, "warning")


def fire(alert: Alert, rule: Rule, value: float, now: float) -> Alert:
    """It fires; somebody is owed a notification unless the rule has no action. NaN: because there are no data."""
    span = Firing(now, None, alert.severity)
    return replace(
        alert,
        state=State.FIRING,
        since=now,
        fired_at=now,
        resolved_at=None,
        value=known(value),
        firings=_bounded((*alert.firings, span)),
        owed="after_cooldown" if rule.actions else "no",
        no_data=math.isnan(value) and rule.no_data == "alert",
    )


def resolve(alert: Alert, value: float | None, now: float) -> Alert:
    """It fired and is over. Acknowledgement and silences are of no more account."""
    return replace(
        alert,
        state=State.RESOLVED,
        since=now,
        resolved_at=now,
        value=value,
        ack=None,
        assigned="",
        silenced_by=(),
        owed="no",
        no_data=False,
        active_at=None,
        kept_since=None,
        firings=_closed(alert.firings, now),
    )


def calm(alert: Alert) -> Alert | None:
    """A pending alert whose condition does not hold any more: back to resolved, or None when it never fired lately."""
    if alert.resolved_at is None:
        return None
    if alert.flapping is not None:
        return replace(alert, state=State.RESOLVED, since=alert.resolved_at, active_at=None, no_data=False)
    return replace(
        alert,
        state=State.RESOLVED,
        since=alert.resolved_at,
        active_at=None,
        silenced_by=(),
        ack=None,
        assigned="",
        no_data=False,
    )


def lose_data(alert: Alert) -> Alert:
    """Firing, and nobody can say whether still."""
    return replace(alert, no_data=True, value=None)


def follow(alert: Alert, rule: Rule, now: float) -> Alert:
    """The alert under an edited rule: labels, severity and threshold are the rule's; the id stays."""
    if alert.series is None or isinstance(rule.condition, QueryCondition):
        return alert  # its labels are those of the answer
    firings = alert.firings
    if alert.severity != rule.severity and alert.state is State.FIRING:
        firings = _bounded((*_closed(firings, now), Firing(now, None, rule.severity)))
    return replace(
        alert,
        labels=alert_labels(rule, alert.series),
        severity=rule.severity,
        threshold=rule.condition.value,
        operator=rule.condition.operator,
        firings=firings,
    )


def holds_on(alert: Alert, rule: Rule, value: float) -> bool:
    """Whether this value keeps the alert up (its recovery value counts once it fires)."""
    return holds(rule.condition, value, alert.state is State.FIRING)


def is_due(alert: Alert, rule: Rule, now: float) -> bool:
    """Whether a pending alert has held for the rule's `for`: now - active_at >= for, as Prometheus has it."""
    return alert.active_at is not None and now - alert.active_at >= rule.for_seconds


def escalated(before: Severity, after: Severity) -> bool:
    """Whether the second severity is the worse one."""
    return SEVERITIES.index(after) < SEVERITIES.index(before)


def stands(alert: Alert) -> bool:
    """Whether groups count it as firing: one that flaps does until it has settled, whichever way it has just turned."""
    return alert.state is State.FIRING or alert.flapping is not None


def worsened(alert: Alert, ack: Acknowledgement) -> bool:
    """Whether its value is half as far again beyond the threshold as when acknowledged, and at least a tenth of the threshold."""
    if alert.value is None or ack.value is None or alert.operator in ("eq", "ne") or not math.isfinite(alert.threshold):
        return False
    sign = 1.0 if alert.operator in ("gt", "gte") else -1.0
    before, beyond = sign * (ack.value - alert.threshold), sign * (alert.value - alert.threshold)
    return beyond - max(before, 0.0) > max(0.5 * before, 0.1 * abs(alert.threshold))


def was_told(alert: Alert) -> bool:
    """Whether somebody was told of the present (or last) firing."""
    return alert.fired_at is not None and alert.last_notified is not None and alert.last_notified >= alert.fired_at


def held_back(alert: Alert, rule: Rule, now: float) -> str:
    """What keeps the notification that is owed back now: "acknowledged", "silenced", "flapping", "cooldown", or ""."""
    if alert.ack is not None:
        return "acknowledged"
    if alert.silenced_by:
        return "silenced"
    if alert.flapping is not None:
        return "flapping"
    return "cooldown" if alert.owed != "at_once" and cooldown_left(alert, rule, now) > 0 else ""


def cooldown_left(alert: Alert, rule: Rule, now: float) -> float:
    """Seconds until the alert may be told of again; 0 when it may now, or when the clock was set back."""
    if alert.last_notified is None or now < alert.last_notified:
        return 0.0
    return max(0.0, alert.last_notified + rule.cooldown - now)


def trimmed(alert: Alert, now: float) -> Alert:
    """Without firings that ended more than 24 h ago; the same object when there is none."""
    kept = tuple(span for span in alert.firings if span.end is None or span.end > now - KEEP_FIRINGS)
    return alert if len(kept) == len(alert.firings) else replace(alert, firings=kept)


def known(value: float) -> float | None:
    """A value as an alert carries it: None for NaN."""
    return None if math.isnan(value) else value


def _closed(firings: tuple[Firing, ...], now: float) -> tuple[Firing, ...]:
    if not firings or firings[-1].end is not None:
        return firings
    return (*firings[:-1], replace(firings[-1], end=now))


def _bounded(firings: tuple[Firing, ...]) -> tuple[Firing, ...]:
    """At most `MAX_FIRINGS` spans: the two with the smallest gap between them become one."""
    if len(firings) <= MAX_FIRINGS:
        return firings
    gaps = [(later.start - (earlier.end or later.start), at) for at, (earlier, later) in enumerate(pairwise(firings))]
    at = min(gaps[:-1])[1]
    first, second = firings[at], firings[at + 1]
    worse = second.severity if escalated(first.severity, second.severity) else first.severity
    return (*firings[:at], Firing(first.start, second.end, worse), *firings[at + 2 :])
