"""The ledger under the book: alerts and silences, their revisions, and what has been forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.incidents import Incident, Incidents
from monitor.alerting.model import Alert, Event, Silence, State
from monitor.alerting.outcome import Changes, Draft, Outcome
from monitor.alerting.silences import Silences, in_force, preview
from monitor.model.matchers import Matcher

OUTAGE_TOLERATED = 3600.0
Pairs = tuple[tuple[str, str], ...]
_REMOVED_REMEMBERED = 10_000


class Ledger:
    """Keeps; decides nothing. Every change goes through a `Draft`, which `_finish` turns into an `Outcome`."""

    def __init__(self) -> None:
        self.revision = 0
        self._alerts: dict[str, Alert] = {}
        self._silences = Silences()
        self._owed: set[str] = set()
        self._expiring: set[str] = set()
        self._tentative: set[str] = set()
        self._flapping: set[str] = set()
        self._silenced: set[str] = set()
        self._restless: set[str] = set()
        self.incidents = Incidents()
        self._orphans: dict[str, list[Alert]] = {}
        self._removed: deque[tuple[int, str]] = deque()
        self._removed_from = 0
        self._restored_at = float("-inf")

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """Pending, firing and lately resolved alerts by id."""
        return self._alerts

    @property
    def silences(self) -> Mapping[str, Silence]:
        """Silences by id: pending, active, and those expired less than five days ago."""
        return self._silences.by_id

    def preview(self, matchers: tuple[Matcher, ...]) -> tuple[Alert, ...]:
        """Active alerts that a silence with these matchers would keep quiet. Raises `CommandError`."""
        return preview(matchers, self._alerts.values())

    def changes_since(self, revision: int) -> Changes:
        """What changed after this revision; everything when it is 0, from another life or too long ago."""
        since = revision if self._removed_from <= revision <= self.revision else 0
        removed = (name for number, name in self._removed if number > since) if since else ()
        return Changes(
            self.revision,
            since,
            tuple(alert for alert in self._alerts.values() if alert.revision > since or not since),
            tuple(silence for silence in self.silences.values() if silence.revision > since or not since),
            tuple(name for name in dict.fromkeys(removed) if name not in self._alerts and name not in self.silences),
        )

    def restore(
        self,
        alerts: Iterable[Alert],
        silences: Iterable[Silence],
        revision: int,
        now: float,
        down_for: float = 0.0,
        incidents: Iterable[Incident] = (),
    ) -> None:
        """Take up the state of the run before, once, before the first judgement.

        `down_for`: seconds nobody judged; over an hour, pending alerts wait for their `for` anew. Silences that ended
        meanwhile end at the first judgement. Alerts whose series is not there yet wait ten minutes for it with `no_data`.
        """
        self._alerts = {alert.id: alert for alert in alerts}
        for alert in list(self._alerts.values()):
            if alert.state is State.PENDING and down_for > OUTAGE_TOLERATED:
                self._alerts[alert.id] = replace(alert, active_at=now)
            self._index(self._alerts[alert.id])
            if alert.state in life.ACTIVE:
                self._orphans.setdefault(alert.rule_id, []).append(self._alerts[alert.id])
        silences = tuple(silences)
        used = {name for alert in self._alerts.values() for name in alert.silenced_by}
        self._silences = Silences(silences, (s for s in silences if s.id in used or in_force(s, now - down_for)))
        held = [*(a.revision for a in self._alerts.values()), *(s.revision for s in silences)]
        self.revision = self._removed_from = max([revision, *held])
        self._restored_at = now
        self.incidents.restore(incidents, self._alerts)
        self._restless = set(self._alerts)

    def _put(self, alert: Alert, draft: Draft, lasting: bool = True) -> Alert:
        alert = replace(alert, revision=self.revision + 1)
        self._alerts[alert.id] = alert
        draft.alerts[alert.id] = alert
        if lasting:
            draft.lasting.add(alert.id)
            self._restless.add(alert.id)
        self._index(alert)
        return alert

    def _drop(self, alert_id: str, draft: Draft) -> None:
        del self._alerts[alert_id]
        draft.alerts.pop(alert_id, None)
        for ids in (self._owed, self._expiring, self._tentative, self._flapping, self._silenced):
            ids.discard(alert_id)
        draft.removed.append(alert_id)

    def _index(self, alert: Alert) -> None:
        _member(self._owed, alert.id, alert.owed != "no")
        _member(self._expiring, alert.id, alert.ack is not None and alert.ack.expires is not None)
        _member(self._tentative, alert.id, alert.ack is not None and alert.ack.until == "change")
        _member(self._flapping, alert.id, alert.flapping is not None)
        _member(self._silenced, alert.id, bool(alert.silenced_by))

    def _event(
        self, draft: Draft, at: float, kind: str, text: str, alert: Alert | None = None, who: str = "", tags: Pairs = ()
    ) -> None:
        if alert is None:
            draft.events.append(Event(at, kind, text, who, tags=tags))
        else:
            draft.events.append(Event(at, kind, text, who, alert.id, alert.rule_id, alert.severity))

    def _finish(self, draft: Draft, accepted: tuple[str, ...] = ()) -> Outcome:
        if not draft:
            return Outcome(self.revision, accepted=accepted)
        self.revision += 1
        for name, silence in draft.silences.items():
            draft.silences[name] = self._silences.by_id[name] = replace(silence, revision=self.revision)
        for name in draft.removed:
            if len(self._removed) >= _REMOVED_REMEMBERED:
                self._removed_from = self._removed.popleft()[0]
            self._removed.append((self.revision, name))
        return draft.finish(self.revision, accepted)


def _member(ids: set[str], name: str, wanted: bool) -> None:
    if wanted:
        ids.add(name)
    else:
        ids.discard(name)
