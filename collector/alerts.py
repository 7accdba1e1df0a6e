"""The alert desk: rules judged each tick, what changed stored before anybody hears of it, and notifications handed out."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from collector.actions.dispatch import Dispatcher
from collector.actions.log import LogAction
from collector.actions.receivers import Receivers
from collector.actions.teller import Teller
from collector.rules.store import RuleStore
from collector.storage.state import MAX_EVENTS, StateStore
from collector.storage.state_schema import StateError
from monitor.alerting.book import AlertBook
from monitor.alerting.durations import duration_words
from monitor.alerting.incidents import Incident
from monitor.alerting.model import Alert, Event, Rule, State, WhyStep
from monitor.alerting.noise import RuleNoise, noise
from monitor.alerting.notice import Noticed
from monitor.alerting.outcome import CommandError, Outcome
from monitor.alerting.routing import Groups, Step
from monitor.alerting.routing.reader import Routing
from monitor.alerting.why_routed import Routed, explain
from monitor.alerting.wording import description, flapping_words, reading, summary
from monitor.alerting.world import Answered
from monitor.engine import Engine
from monitor.model.matchers import NAME_TAG, Matcher, Selector
from monitor.topology.span_metrics import EDGE_CALLS

log = logging.getLogger(__name__)

RECENT_EVENTS = 500
UNSAVED_LIMIT = 1_000
MARK_SECONDS = 60.0
"""How often the store is told that rules are being judged, so that a restart knows how long nobody did."""

CALLS_SECONDS = 30.0
"""How often it is looked at which services call which."""
MAX_CALLS = 10_000
_CALLS = Selector((Matcher(NAME_TAG, "=", EDGE_CALLS),))


class AlertDesk:
    """Owns the book. Whatever it changes is on disk before it is streamed; when the disk refuses, it is kept and tried again."""

    def __init__(
        self,
        engine: Engine,
        rules: RuleStore,
        state: StateStore,
        data: Path,
        now: float,
        routing: Routing | None = None,
        receivers: Receivers | None = None,
    ) -> None:
        """`routing` says who is told of groups of alerts, `receivers` how; without, only rules' own actions are run."""
        self.book = AlertBook()
        self.routing = routing or Routing()
        receivers = receivers or Receivers()
        self.teller = Teller(state, receivers.by_name, receivers.per_minute, self._extend)
        self.groups = _groups(self.routing)
        if (groups := self.groups) is not None:
            self.book.groups_of = lambda alert: groups.keys_of(dict(alert.labels))
        self._in_force: dict[str, Rule] = {}
        self._engine = engine
        self._rules = rules
        self._state = state
        self._dispatcher = Dispatcher(state, {"log": LogAction(data / "alerts.log")})
        self._unsaved: deque[tuple[Outcome, float, Step | None]] = deque(maxlen=UNSAVED_LIMIT)
        self._trouble = ""
        self._calls_at = -CALLS_SECONDS
        self._marked_at = now
        self._rules_revision = -1
        saved = state.load()
        judged_at = float(state.meta("judged_at") or saved.saved_at)
        down_for = max(0.0, now - judged_at) if judged_at else 0.0
        self.book.restore(saved.alerts, saved.silences, saved.revision, now, down_for, state.incidents())
        if self.groups is not None:
            self.groups.restore(state.groups(), self.book.alerts, now)
        self._events: deque[Event] = deque(state.events_since(0, RECENT_EVENTS), maxlen=RECENT_EVENTS)
        self._newest = self._events[-1].id if self._events else 0
        self.remember(rules.load(now), now)

    def judge(self, now: float, foreign: Sequence[Rule] = (), answers: Mapping[str, Answered] = MappingProxyType({})) -> set[str]:
        """One tick: take up changed rule files, judge, tell. Returns what changed: "alerts", "rules", "events".

        `foreign`: rules of Prometheus files; `answers`: what expressions gave last, by the rule's id.
        """
        changed: set[str] = set()
        self.remember(self._rules.poll(now), now)
        if self._rules.revision != self._rules_revision:
            self._remember_rules(now)
            changed.add("rules")
        self._save_again()
        rules = (*self._rules.rules, *foreign)
        self._in_force = {rule.id: rule for rule in rules}
        self._look_at_calls(now)
        outcome = self.book.judge(now, rules, self._engine, answers)
        changed |= self.settle(outcome, now, self._step(outcome, now))
        self._hand_out(now)
        newest = self._events[-1].id if self._events else 0
        if newest != self._newest:  # also those that came between the ticks
            self._newest = newest
            changed.add("events")
        return changed

    def _look_at_calls(self, now: float) -> None:
        """Which services call which, as the spans say: incidents are made of it."""
        if 0 <= now - self._calls_at < CALLS_SECONDS:
            return
        self._calls_at = now
        calls: dict[str, set[str]] = {}
        table = self._engine.table
        for row in table.select(_CALLS)[:MAX_CALLS].tolist():
            info = table.info(row)
            tags = dict(info.key.tags) if info is not None else {}
            if tags.get("client") and tags.get("server"):
                calls.setdefault(tags["client"], set()).add(tags["server"])
        self.book.calls = calls

    def _remember_rules(self, now: float) -> None:
        try:
            self._state.remember_rules(self._rules.rules, self._rules.files, now)
        except StateError as error:
            self._complain(error)
        self._rules_revision = self._rules.revision

    def _step(self, outcome: Outcome, now: float) -> Step | None:
        """Who is to be told of groups after this judgement."""
        if self.groups is None:
            return None
        self.groups.take(outcome.alerts, outcome.removed, now)
        return self.groups.step(now, self.book.alerts, self._words, self.routing.quiet_times(now))

    def _words(self, alert: Alert, ended: float | None) -> Noticed:
        rule = self._in_force.get(alert.rule_id)
        if rule is None:
            return Noticed(alert, f"{alert.rule_id}: {reading(alert)}", ended=ended)
        return Noticed(alert, summary(rule, alert) + flapping_words(alert), description(rule, alert), rule.runbook_url, ended)

    def settle(self, outcome: Outcome, now: float, step: Step | None = None) -> set[str]:
        """Store an outcome, and with it what groups made of it; what its stream is to be told of."""
        if step is None and self.groups is not None:
            self.groups.take(outcome.alerts, outcome.removed, now)  # a command: who is told, the next judgement says
        if outcome.lasting or step:
            self._unsaved.append((outcome, now, step))
            self._save_again()
            if step is not None and step.notices:
                self.teller.wake()
        changed = {"alerts"} if outcome.alerts or outcome.silences or outcome.removed else set()
        return changed | {"events"} if outcome.events else changed

    def _extend(self, events: Iterable[Event]) -> None:
        """Events that are stored already."""
        self._events.extend(events)

    @property
    def unsaved(self) -> str:
        """Why the last changes are not on disk, "" when they are."""
        return self._trouble

    def remember(self, events: Iterable[Event], now: float) -> None:
        """Store events and keep them for clients."""
        try:
            self._events.extend(self._state.append_events(tuple(events), now))
        except StateError as error:
            self._complain(error)

    def events_since(self, event: int) -> list[Event]:
        """Events with a higher id, oldest first."""
        return [known for known in self._events if known.id > event]

    def note_start(self, now: float, restored: float, why: str = "") -> None:
        """Write down that the collector began, `why` if nobody started it, and how much of the last hour it got back."""
        events = [Event(now, "collector_started", f"{why} Everything began anew." if why else "The collector started.")]
        if restored:
            events.append(
                Event(now, "collector_restored", f"The last {duration_words(round(restored))} were restored from the journal.")
            )
        self.remember(events, now)

    def why(self, name: str, now: float) -> tuple[WhyStep, ...]:
        """Why somebody was, or was not, told of an alert (by id). Raises `CommandError` when there is none."""
        alert = self.book.alerts.get(name)
        if alert is None:
            raise CommandError("That alert is not known any more; see 'lightship alerts'.")
        waiting = {receiver: error for receiver, _, error in self._state.waiting_notices()} if self.groups is not None else {}
        routed = (
            Routed(self.groups, self.routing.quiet_times(now), self.book.alerts, waiting) if self.groups is not None else None
        )
        return explain(alert, self._in_force.get(alert.rule_id), self.book.silences, now, routed)

    def incidents(self) -> list[Incident]:
        """Those that go on, the newest first, then those that ended lately."""
        every = self.book.incidents.by_id.values()
        return sorted(every, key=lambda one: (one.state == "resolved", -(one.resolved_at or one.begun), one.id))

    def noise(self, now: float, seconds: float) -> tuple[RuleNoise, ...]:
        """How noisy each rule was lately; reads all events that are kept, so call it from another thread."""
        return noise(self._state.events_since(0, MAX_EVENTS), dict(self._in_force), now - seconds, now)

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return {
            "rules": len(self._rules.rules),
            "alerts_firing": sum(alert.state is State.FIRING for alert in self.book.alerts.values()),
            "notifications_total": self._dispatcher.told,
            "notifications_failed_total": self._dispatcher.failed,
            "notifications_dropped_total": self._state.dropped_notifications,
            "state_versions_dropped_total": self._state.dropped_versions,
            "incidents_open": sum(one.state != "resolved" for one in self.book.incidents.by_id.values()),
            "alert_groups": len(self.groups) if self.groups is not None else 0,
            **self.teller.figures(),
        }

    def notes(self) -> list[str]:
        """What is wrong with rules or state, in sentences."""
        notes = [str(problem) for file in self._rules.files for problem in file.problems[:1]]
        notes += self.teller.notes()
        return [note for note in (*notes, self._rules.notice, self._state.notice, self._trouble) if note]

    def _save_again(self) -> None:
        while self._unsaved:
            outcome, at, step = self._unsaved[0]
            try:
                self._events.extend(self._state.save(outcome, at, step))
            except StateError as error:
                self._complain(error)
                return
            self._unsaved.popleft()
        self._trouble = ""

    def _hand_out(self, now: float) -> None:
        try:
            self._events.extend(self._dispatcher.run(now))
            if now - self._marked_at >= MARK_SECONDS:
                self._marked_at = now
                self._state.set_meta(judged_at=now)
        except StateError as error:
            self._complain(error)

    def _complain(self, error: StateError) -> None:
        if str(error) != self._trouble:
            log.error("%s", error)
        self._trouble = str(error)


def _groups(routing: Routing) -> Groups | None:
    if routing.root is None:
        return None
    return Groups(routing.root, routing.inhibitions, lambda receiver: receiver not in routing.silent_ends)
