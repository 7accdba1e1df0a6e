"""Trying out who is told: a test notice by the way of all notices, and where an alert with some labels would go."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from monitor.alerting.model import Alert, State
from monitor.alerting.notice import Notice, Noticed, Pairs
from monitor.alerting.outcome import CommandError, Outcome
from monitor.alerting.routing.state import Step

if TYPE_CHECKING:
    from collector.alerts import AlertDesk

PATIENCE = 30.0
"""Seconds after which a test that waits behind other notices is told to whoever asked for it."""
MAX_LABELS = 100


def trial_notice(receiver: str, who: str, now: float) -> Notice:
    """A notice of an alert that does not exist, and says so."""
    labels = (("alertname", "test"), ("severity", "info"))
    text = f"This is a test by {who}. Nothing is wrong."
    alert = Alert("", "test", labels, "info", State.FIRING, now, 1.0, 0.0, active_at=now, fired_at=now)
    key = f"test:{secrets.token_hex(8)}:{round(now * 1000)}"
    return Notice(key, receiver, (("alertname", "test"),), (Noticed(alert, text),), now, "test")


async def tell_test(desk: AlertDesk, receiver: str, who: str, now: float, patience: float = PATIENCE) -> dict[str, Any]:
    """Stores a test notice and waits for how it ends. Raises `CommandError` when there is no such receiver."""
    known = desk.teller.standings
    if receiver not in desk.teller.names:
        there_are = f"Known are {', '.join(desk.teller.names)}." if desk.teller.names else "The settings have no [[receiver]]."
        raise CommandError(f"There is no receiver {receiver[:64]!r}. {there_are}")
    notice = trial_notice(receiver, who, now)
    outcome = desk.teller.outcome(notice.key, patience)
    desk.settle(Outcome(desk.book.revision), now, Step((notice,)))
    if desk.unsaved:
        outcome.close()
        raise CommandError(f"The test cannot be stored, and so nobody was told: {desk.unsaved}")
    ended = await outcome
    if ended is None:
        why = known[receiver].trouble if receiver in known else ""
        text = f"{receiver} has not been told after {patience:g} s; what came before waits{f': {why}' if why else '.'}"
        return {"told": False, "text": text}
    if not ended.told:
        return {"told": False, "text": f"{receiver} could not be told: {ended.text}"}
    return {"told": True, "text": f"{receiver} was told.{f' But {ended.text}.' if ended.text else ''}"}


def preview(desk: AlertDesk, labels: Pairs, now: float) -> dict[str, Any]:
    """Who would be told of an alert with these labels. Raises `CommandError` when there are no routes."""
    groups, routing = desk.groups, desk.routing
    if groups is None or routing.root is None:
        raise CommandError("No alert is routed: the settings have no [[route]]. Rules name their actions themselves.")
    if not labels or len(labels) > MAX_LABELS:
        raise CommandError(f"An alert has 1 to {MAX_LABELS} labels, as in severity=critical.")
    named, quiet = dict(labels), routing.quiet_times(now)
    routes = []
    for route in routing.root.find(named):
        out_of_hours = [] if not route.active or any(name in quiet for name in route.active) else list(route.active)
        routes.append(
            {
                "route": route.name,
                "receiver": route.receiver,
                "group": dict(route.group_of(named)),
                "group_wait": route.timing.group_wait,
                "group_interval": route.timing.group_interval,
                "repeat_interval": route.timing.repeat_interval,
                "ends": route.receiver not in routing.silent_ends,
                "quiet": [name for name in route.mute if name in quiet] + out_of_hours,
            }
        )
    silences = [
        {"id": silence.id, "who": silence.created_by, "comment": silence.comment}
        for silence in desk.book.silences.values()
        if silence.active(now) and all(matcher.test(named.get(matcher.name, "")) for matcher in silence.matchers)
    ]
    return {"routes": routes, "silenced_by": silences, "inhibited_by": _inhibiting(desk, named)}


def _inhibiting(desk: AlertDesk, labels: dict[str, str]) -> list[dict[str, str]]:
    if desk.groups is None:
        return []
    alerts = desk.book.alerts
    held_by = desk.groups.inhibitor.holds_back(labels)
    return [{"alert": name, "rule": alerts[name].rule_id if name in alerts else ""} for name in held_by]
