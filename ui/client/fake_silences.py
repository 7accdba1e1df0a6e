"""Alerts and silences of the in-memory collector: who is kept quiet, how silences begin, change and end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from monitor.alerting.model import Alert, Event, Silence, State
from monitor.alerting.silencing import GUARD_LEAST, GUARD_MOST
from monitor.model.matchers import Matcher, Selector
from monitor.wire import messages as m

MAX_EVENTS = 2_000


class CommandError(ValueError):
    """A command that is not carried out; the text is what its sender reads."""


class FakeSilences:
    """Alerts with the silences that hold for them, and the events that tell of both."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.alerts: dict[str, Alert] = {}
        self.silences: dict[str, Silence] = {}
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.revision = 0
        self._clock = clock
        self._removed: dict[str, int] = {}
        self._event = 0
        self._silence = 0

    def put(self, alert: Alert) -> Alert:
        """Sets an alert as it is, with its silences worked out."""
        self.revision += 1
        silenced = tuple(s.id for s in self._active() if _matches(s, alert))
        alert = msgspec.structs.replace(alert, revision=self.revision, silenced_by=silenced)
        self.alerts[alert.id] = alert
        self._removed.pop(alert.id, None)
        return alert

    def log(self, kind: str, text: str, who: str = "", alert: Alert | None = None, at: float | None = None) -> Event:
        """An event with the next id."""
        self._event += 1
        severity = alert.severity if alert else ""
        ids = (alert.id, alert.rule_id) if alert else ("", "")
        event = Event(self._clock() if at is None else at, kind, text, who, *ids, severity, self._event)
        self.events.append(event)
        return event

    def _alert(self, alert: str) -> Alert:
        if alert not in self.alerts:
            raise CommandError(f"there is no alert {alert[:40]}; it may have been resolved and forgotten")
        return self.alerts[alert]

    def _active(self) -> list[Silence]:
        now = self._clock()
        return [silence for silence in self.silences.values() if silence.active(now)]

    def _silence_all(self, request: m.AddSilence) -> dict[str, Any]:
        if not request.starts < request.ends:
            raise CommandError("a silence must end after it starts")
        if not request.matchers:
            raise CommandError("a silence needs at least one matcher; without one it would silence everything")
        if request.guard:
            self._check_guard(request.matchers)
        silence = self.silence(request)
        matched = [alert.id for alert in self.alerts.values() if silence.id in alert.silenced_by]
        self.log("silenced", f"{request.who} silenced {len(matched)} alerts: {request.comment}", request.who)
        return {"silence": silence.id, "matched": matched}

    def silence(self, request: m.AddSilence) -> Silence:
        """The silence is in force; alerts that it matches say so."""
        self._silence += 1
        self.revision += 1
        silence = Silence(
            f"s{self._silence}",
            request.matchers,
            request.starts,
            request.ends,
            request.comment,
            request.who,
            self._clock(),
            request.end_when_resolved,
            revision=self.revision,
        )
        self.silences[silence.id] = silence
        self.judge_silences()
        return silence

    def _edit(self, request: m.EditSilence) -> dict[str, Any]:
        held = self.silences.get(request.silence)
        if held is None:
            raise CommandError(f"there is no silence {request.silence[:40]}")
        now = self._clock()
        over = bool(held.expired_by) or held.ends <= now
        matchers = held.matchers if request.matchers is None else request.matchers
        comment = held.comment if request.comment is None else request.comment
        ends = request.ends if request.ends is not None else held.ends if not over else now + 3600.0
        if not over and set(matchers) == set(held.matchers):
            self.revision += 1
            self.silences[held.id] = msgspec.structs.replace(held, ends=ends, comment=comment, revision=self.revision)
            self.log("silenced", f"{request.who} changed the silence: {comment}", request.who)
            return {"silence": held.id}
        made = m.AddSilence(0, matchers, now, ends, comment, request.who, held.end_when_resolved, guard=request.guard)
        result = self._silence_all(made)
        if not over:
            self._expire(m.ExpireSilence(0, held.id, request.who))
        return result

    def _check_guard(self, matchers: tuple[Matcher, ...]) -> None:
        firing = [alert for alert in self.alerts.values() if alert.state is State.FIRING]
        hit = sum(Selector(matchers).matches_tags(dict(alert.labels)) for alert in firing)
        if hit > GUARD_MOST or (hit >= GUARD_LEAST and 2 * hit > len(firing)):
            raise CommandError(
                f"This would silence {hit:,} of {len(firing):,} firing alerts. Narrow the matchers, or confirm that you mean it."
            )

    def _expire(self, request: m.ExpireSilence) -> dict[str, Any]:
        held = self.silences.get(request.silence)
        if held is None:
            raise CommandError(f"there is no silence {request.silence[:40]}")
        self.revision += 1
        self.silences[held.id] = msgspec.structs.replace(
            held, ends=min(held.ends, self._clock()), expired_by=request.who, revision=self.revision
        )
        self.judge_silences()
        self.log("unsilenced", f"{request.who} ended the silence: {held.comment}", request.who)
        return {"expired": held.id}

    def judge_silences(self) -> None:
        """Alerts whose silences began or ended are told anew."""
        for alert in list(self.alerts.values()):
            if alert.silenced_by != tuple(s.id for s in self._active() if _matches(s, alert)):
                self.put(alert)


def _matches(silence: Silence, alert: Alert) -> bool:
    return Selector(silence.matchers).matches_tags(dict(alert.labels))
