"""The alert desk: rules judged each tick, what changed stored before anybody hears of it, and notifications handed out."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from collector.actions.dispatch import Dispatcher
from collector.actions.log import LogAction
from collector.rules.store import RuleStore
from collector.storage.state import StateStore
from collector.storage.state_schema import StateError
from monitor.alerting.book import AlertBook
from monitor.alerting.durations import duration_words
from monitor.alerting.model import Event, State
from monitor.alerting.outcome import Outcome
from monitor.engine import Engine

log = logging.getLogger(__name__)

RECENT_EVENTS = 500
UNSAVED_LIMIT = 1_000
MARK_SECONDS = 60.0
"""How often the store is told that rules are being judged, so that a restart knows how long nobody did."""


class AlertDesk:
    """Owns the book. Whatever it changes is on disk before it is streamed; when the disk refuses, it is kept and tried again."""

    def __init__(self, engine: Engine, rules: RuleStore, state: StateStore, data: Path, now: float) -> None:
        self.book = AlertBook()
        self._engine = engine
        self._rules = rules
        self._state = state
        self._dispatcher = Dispatcher(state, {"log": LogAction(data / "alerts.log")})
        self._unsaved: deque[tuple[Outcome, float]] = deque(maxlen=UNSAVED_LIMIT)
        self._trouble = ""
        self._marked_at = now
        self._rules_revision = -1
        saved = state.load()
        judged_at = float(state.meta("judged_at") or saved.saved_at)
        self.book.restore(saved.alerts, saved.silences, saved.revision, now, max(0.0, now - judged_at) if judged_at else 0.0)
        self._events: deque[Event] = deque(state.events_since(0, RECENT_EVENTS), maxlen=RECENT_EVENTS)
        self.remember(rules.load(now), now)

    def judge(self, now: float) -> set[str]:
        """One tick: take up changed rule files, judge, tell. Returns what changed: "alerts", "rules", "events"."""
        before = self._events[-1].id if self._events else 0
        changed: set[str] = set()
        self.remember(self._rules.poll(now), now)
        if self._rules.revision != self._rules_revision:
            self._remember_rules(now)
            changed.add("rules")
        self._save_again()
        changed |= self.settle(self.book.judge(now, self._rules.rules, self._engine), now)
        self._hand_out(now)
        if (self._events[-1].id if self._events else 0) != before:
            changed.add("events")
        return changed

    def _remember_rules(self, now: float) -> None:
        try:
            self._state.remember_rules(self._rules.rules, self._rules.files, now)
        except StateError as error:
            self._complain(error)
        self._rules_revision = self._rules.revision

    def settle(self, outcome: Outcome, now: float) -> set[str]:
        """Store an outcome; what its stream is to be told of."""
        if outcome.lasting:
            self._unsaved.append((outcome, now))
            self._save_again()
        changed = {"alerts"} if outcome.alerts or outcome.silences or outcome.removed else set()
        return changed | {"events"} if outcome.events else changed

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

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return {
            "rules": len(self._rules.rules),
            "alerts_firing": sum(alert.state is State.FIRING for alert in self.book.alerts.values()),
            "notifications_total": self._dispatcher.told,
            "notifications_failed_total": self._dispatcher.failed,
            "notifications_dropped_total": self._state.dropped_notifications,
            "state_versions_dropped_total": self._state.dropped_versions,
        }

    def notes(self) -> list[str]:
        """What is wrong with rules or state, in sentences."""
        notes = [str(problem) for file in self._rules.files for problem in file.problems[:1]]
        return [note for note in (*notes, self._rules.notice, self._state.notice, self._trouble) if note]

    def _save_again(self) -> None:
        while self._unsaved:
            outcome, at = self._unsaved[0]
            try:
                self._events.extend(self._state.save(outcome, at))
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
