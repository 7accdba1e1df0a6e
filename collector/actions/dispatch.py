"""From the outbox to the actions: every notification is handed over at least once, and what cannot be is said."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

from collector.storage.state import Queued, StateStore
from monitor.alerting.model import Event, Notification

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 20
FIRST_WAIT = 5.0
LONGEST_WAIT = 3600.0


class Action(Protocol):
    """A way to tell somebody."""

    def tell(self, notification: Notification, number: int) -> None:
        """Tell it; `number` is the same when it is told again. Raises `OSError` when that is not possible now."""


class Dispatcher:
    """Reads the store's outbox. An action that fails is tried again after 5 s, 10 s, 20 s … up to an hour, 20 times."""

    def __init__(self, store: StateStore, actions: Mapping[str, Action]) -> None:
        self._store = store
        self._actions = actions
        self.told = 0
        self.failed = 0
        """Attempts that failed, unknown actions among them."""

    def run(self, now: float, limit: int = 100) -> tuple[Event, ...]:
        """Hand over what is due; the events, already stored, say what was told and what was given up."""
        done: list[int] = []
        events: list[Event] = []
        for queued in self._store.pending(now, limit):
            action = self._actions.get(queued.action)
            if action is None:
                self.failed += 1
                done.append(queued.id)
                events.append(_unknown(queued, tuple(self._actions), now))
                continue
            try:
                action.tell(queued.notification, queued.id)
            except OSError as error:
                self.failed += 1
                self._put_off(queued, error.strerror or str(error), now, done, events)
            except Exception as error:
                # A mistake in one action must keep neither the others nor the alerts from being told.
                log.exception("the action %s failed", queued.action)
                self.failed += 1
                self._put_off(queued, f"{type(error).__name__}: {error}", now, done, events)
            else:
                self.told += 1
                done.append(queued.id)
                events.append(_event(queued, now, "notified", f"{queued.action}: {queued.notification.text}"))
        return self._store.settle(done, events)

    def _put_off(self, queued: Queued, reason: str, now: float, done: list[int], events: list[Event]) -> None:
        if queued.attempts + 1 >= MAX_ATTEMPTS:
            done.append(queued.id)
            text = f"{queued.action} could not tell of it in {MAX_ATTEMPTS} attempts and gave up: {reason}"
            events.append(_event(queued, now, "note", text))
            return
        if queued.attempts == 0:
            events.append(_event(queued, now, "note", f"{queued.action} could not tell of it and will try again: {reason}"))
        self._store.postpone(queued.id, now + min(LONGEST_WAIT, FIRST_WAIT * 2**queued.attempts), reason)


def _unknown(queued: Queued, known: tuple[str, ...], now: float) -> Event:
    rule = queued.notification.rule
    where = f"{rule.file}, line {rule.line}" if rule.file else rule.id
    text = (
        f'Nobody was told: the action "{queued.action}" of {where} is unknown. Known are: {", ".join(sorted(known)) or "none"}.'
    )
    return _event(queued, now, "note", text)


def _event(queued: Queued, now: float, kind: str, text: str) -> Event:
    alert = queued.notification.alert
    return Event(now, kind, text, "", alert.id, alert.rule_id, alert.severity)
