"""Incidents as the console lists them: asked for when alerts change, heading their alerts, the probable cause first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.alerting.incidents import MAX_INCIDENTS, Incident
from monitor.alerting.model import Alert
from monitor.wire import messages as m
from ui.views.alertask import FRESH, Question
from ui.views.alertbook import gravest_first, shape_of_alert, where
from ui.views.chart import shape_of
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.strips import merged_strip
from ui.views.view import AlertRow, Value

LEAST = 2
"""Alerts of an incident that are shown, from which on it has a line of its own."""
MAX_FOLDED = 1_000
MAX_STRIPS = 100
"""Alerts whose last day is put together for an incident's line."""


class Incidents:
    """What the collector last said of incidents; one that was merged or is over heads nothing.

    While somebody reads the list, an alert does not change its incident under their eyes.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._question = Question(ctx)
        self._told: tuple[Incident, ...] = ()
        self._shown: tuple[Incident, ...] = ()
        self._of: dict[str, Incident] = {}
        self._version: tuple[int, object] = (-1, None)
        self._folded: dict[str, None] = {}
        self._members: dict[str, list[Alert]] = {}
        self.revision = 0
        """Rises when the list is to be arranged anew."""

    # ------------------------------------------------------------ the collector

    def ask(self) -> None:
        """Ask for them where alerts have begun, ended or been taken since."""
        book = self._ctx.book
        if self._version[0] != book.revision:
            groups = [book.group(name) for name in ("Firing", "Pending", "Silenced")]
            alerts = [alert for group in groups for alert in group]
            newest = max((alert.since for alert in alerts), default=0.0)
            taken = sum(alert.ack is not None for alert in alerts)
            self._version = book.revision, (*map(len, groups), newest, taken)
        version = (self._version[1], self._ctx.present() // FRESH)
        self._question.put("incidents", version, m.GetIncidents(0), self._take)

    def _take(self, result: object) -> None:
        told = result.get("incidents") if isinstance(result, dict) else None
        try:
            found = msgspec.convert(told[:MAX_INCIDENTS] if isinstance(told, list) else (), tuple[Incident, ...])
        except msgspec.ValidationError:
            found = ()
        self._told = tuple(one for one in found if one.state != "resolved" and not one.merged_into)

    def refresh(self) -> None:
        """Take over what was told last, unless somebody reads what was told before."""
        if not self._shown or self._ctx.settled():
            self.settle()

    def settle(self) -> None:
        """Take over what was told last."""
        if self._shown is not self._told:
            self._shown = self._told
            self.revision += 1
            self._of = {name: one for one in self._shown for name in one.alerts}
            ids = {one.id for one in self._shown}
            self._folded = {name: None for name in self._folded if name in ids}

    # ------------------------------------------------------------ the list

    def arrange(self, alerts: Sequence[Alert]) -> list[Alert | Incident]:
        """These alerts in their order, those of an incident under its line at the top; a folded one is its line alone."""
        together: dict[str, list[Alert]] = {}
        for alert in alerts if self._of and not self._ctx.rewound else ():
            incident = self._of.get(alert.id)
            if incident is not None:
                together.setdefault(incident.id, []).append(alert)
        heads = self._members = {name: members for name, members in together.items() if len(members) >= LEAST}
        if not heads:
            return list(alerts)
        rows: list[Alert | Incident] = []
        for name, members in heads.items():
            incident = self._of[members[0].id]
            rows.append(incident)
            if name not in self._folded:
                rows += sorted(members, key=lambda alert: alert.id != incident.cause)
        rows += (alert for alert in alerts if (one := self._of.get(alert.id)) is None or one.id not in heads)
        return rows

    def members(self, incident: Incident) -> list[Alert]:
        """Its alerts among those arranged last."""
        return self._members.get(incident.id, [])

    def first(self, incident: Incident) -> Alert | None:
        """Its probable cause, or the gravest of its alerts where that is not shown."""
        members = self.members(incident)
        found = next((alert for alert in members if alert.id == incident.cause), None)
        return found if found is not None else min(members, key=gravest_first, default=None)

    def of(self, alert: str) -> Incident | None:
        """The incident whose line is above this alert."""
        incident = self._of.get(alert)
        return incident if incident is not None and incident.id in self._members else None

    def fold(self, incident: str) -> None:
        """Fold it, or unfold it."""
        self.revision += 1
        if incident in self._folded:
            del self._folded[incident]
        elif len(self._folded) < MAX_FOLDED:
            self._folded[incident] = None

    def unfold(self, alert: str) -> None:
        """Make sure that this alert is seen."""
        incident = self._of.get(alert)
        if incident is not None:
            self._folded.pop(incident.id, None)
            self.revision += 1

    def row(self, incident: Incident, marks: set[str]) -> AlertRow:
        """Its line: how many alerts, what probably caused them, and since when."""
        ctx, present = self._ctx, self._ctx.present()
        members, first = self.members(incident), self.first(incident)
        worst = min(members, key=gravest_first, default=None)
        cause = ctx.book.title(first) if first is not None else sanitise(incident.cause_rule, 120)
        taken = {alert.ack.who if alert.ack is not None else "" for alert in members}
        sign = "[+]" if incident.id in self._folded else "[-]"
        count = plural(len(members), "alert")
        since = ctx.words.moment(incident.begun, present)
        return AlertRow(
            id=incident.id,
            shape=shape_of_alert(worst) if worst is not None else shape_of(incident.severity),
            severity=shape_of(worst.severity if worst is not None else incident.severity),
            state=incident.state,
            name=f"{sign} {count}: {cause}",
            where=where(first) if first is not None else "",
            value=Value("", ""),
            limit="",
            age=ctx.words.age(incident.begun, present),
            acked_by=sanitise(min(taken), 40) if taken and "" not in taken else "",
            strip=merged_strip(members[:MAX_STRIPS], present),
            marked=bool(members) and all(alert.id in marks for alert in members),
            detail=f"Incident since {since}; the probable cause comes first.",
            incident=True,
        )
