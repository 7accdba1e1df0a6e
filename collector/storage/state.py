"""The state store: alerts, silences, events and unsent notifications, one transaction an outcome."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from collector.storage import state_history
from collector.storage import state_telling as telling
from collector.storage.state_history import Standing, Turns
from collector.storage.state_incidents import read_incidents, write_incidents
from collector.storage.state_schema import StateError, open_state, transaction
from collector.storage.state_telling import Waiting
from monitor.alerting.incidents import Incident
from monitor.alerting.model import Alert, Event, Notification, Rule, RuleFile, Silence
from monitor.alerting.outcome import Outcome
from monitor.alerting.routing.state import GroupState, Step

__all__ = ["Queued", "SavedState", "StateError", "StateStore", "Waiting"]

MAX_EVENTS = 50_000
KEEP_EVENTS = 30 * 86_400.0
MAX_OUTBOX = 10_000
_TRIM_EVERY = 500

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert)
_silence = msgspec.json.Decoder(Silence)
_event = msgspec.json.Decoder(Event)
_notification = msgspec.json.Decoder(Notification)


class SavedState(msgspec.Struct, frozen=True):
    """What the run before left. `saved_at`: time of the last save, 0 in a new store; `skipped`: rows that could not be read."""

    alerts: tuple[Alert, ...]
    silences: tuple[Silence, ...]
    revision: int
    saved_at: float
    skipped: int = 0


class Queued(msgspec.Struct, frozen=True):
    """A notification one action has yet to tell. `id` never repeats; an action may see it twice after a kill."""

    id: int
    action: str
    notification: Notification
    attempts: int
    error: str = ""


class StateStore:
    """Everything a restart must bring back. A call that returned is on the disk; one cut short left no trace.

    Calls may come from any thread, one at a time (a lock sees to it). A save costs one write to the log and one fsync,
    about a millisecond on an SSD and ten on a bad day: fine on the event loop at one tick a second.
    Raises `StateError` when the disk refuses; the same outcome may then be saved again.
    """

    def __init__(self, path: Path) -> None:
        self._connection, self.notice = open_state(path)
        self._lock = threading.Lock()
        self._since_trim = 0
        self.dropped_notifications = 0
        """Unsent notifications given up because more than 10,000 were waiting."""
        self.dropped_versions = 0
        """Changes of alerts and rules that can no longer be told because there were too many since."""

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def load(self) -> SavedState:
        """Alerts, silences and the revision as last saved."""
        skipped: list[str] = []
        alerts = self._decoded("SELECT id, body FROM alerts ORDER BY id", _alert, skipped)
        silences = self._decoded("SELECT id, body FROM silences ORDER BY id", _silence, skipped)
        return SavedState(
            tuple(alerts), tuple(silences), int(self.meta("revision") or 0), float(self.meta("saved_at") or 0), len(skipped)
        )

    def save(self, outcome: Outcome, at: float, step: Step | None = None) -> tuple[Event, ...]:
        """Write all that lasts of an outcome and of what groups made of it, in one transaction; its events with their ids.

        Nothing lasting: no write.
        """
        if not outcome.lasting and not step:
            return ()
        removed = [(name,) for name in outcome.removed]
        alerts = [(a.id, a.rule_id, a.state, _encode(a)) for a in outcome.stored]
        silences = [(s.id, s.ends, _encode(s)) for s in outcome.silences]
        told = [(n.at, action, _encode(n), n.at) for n in outcome.notifications for action in n.rule.actions]

        def write(to: sqlite3.Connection) -> tuple[Event, ...]:
            to.executemany("DELETE FROM alerts WHERE id = ?", removed)
            to.executemany("DELETE FROM silences WHERE id = ?", removed)
            to.executemany("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?)", alerts)
            to.executemany("INSERT OR REPLACE INTO silences VALUES (?, ?, ?)", silences)
            to.executemany("INSERT INTO outbox (at, action, body, due) VALUES (?, ?, ?, ?)", told)
            state_history.append_versions(to, at, outcome.stored, outcome.silences, outcome.removed)
            write_incidents(to, outcome.incidents, outcome.ended_incidents)
            if step is not None:
                telling.write_step(to, step)
            events = _insert_events(to, outcome.events)
            self._set_meta(to, revision=outcome.revision, saved_at=at)
            return events

        events = self._write(write)
        self._trim_now_and_then(len(events) + len(told) + len(alerts) + len(silences) + len(removed), at)
        return events

    def remember_rules(self, rules: Sequence[Rule], files: Sequence[RuleFile], at: float) -> None:
        """These are the rules in force from `at` on."""
        self._write(lambda to: state_history.append_rules(to, at, rules, files))

    def as_of(self, time: float) -> Standing:
        """Alerts, silences, rules and the newest events as they stood then; nothing where that is longer ago than is kept."""
        return self._look(lambda of: state_history.standing(of, time))

    def turns(self, after: float, until: float) -> Turns:
        """What of these changed in (after, until]."""
        return self._look(lambda of: state_history.turns(of, after, until))

    def append_events(self, events: Sequence[Event], at: float) -> tuple[Event, ...]:
        """Write events of their own; they come back with their ids."""
        if not events:
            return ()
        written = self._write(lambda to: _insert_events(to, events))
        self._trim_now_and_then(len(written), at)
        return written

    def events_since(self, after: int, limit: int = 1000) -> tuple[Event, ...]:
        """Events with an id above `after`, oldest first; the newest `limit` of them."""
        return self._events("SELECT id, body FROM events WHERE id > ? ORDER BY id DESC LIMIT ?", (after, limit))

    def events_of(self, alert: str, limit: int = 200) -> tuple[Event, ...]:
        """The newest events of one alert, oldest first."""
        return self._events("SELECT id, body FROM events WHERE alert = ? ORDER BY id DESC LIMIT ?", (alert, limit))

    def pending(self, now: float, limit: int = 100) -> tuple[Queued, ...]:
        """Notifications not told yet whose next attempt is due, oldest first."""
        rows = self._read("SELECT id, action, body, attempts, error FROM outbox WHERE due <= ? ORDER BY id LIMIT ?", (now, limit))
        queued = []
        for number, action, body, attempts, error in rows:
            try:
                queued.append(Queued(number, action, _notification.decode(body), attempts, error))
            except msgspec.MsgspecError:
                self.settle([number])
                self.dropped_notifications += 1
        return tuple(queued)

    def outbox_size(self) -> int:
        """How many notifications wait to be told."""
        return int(self._read("SELECT count(*) FROM outbox", ())[0][0])

    def settle(self, done: Iterable[int], events: Sequence[Event] = ()) -> tuple[Event, ...]:
        """These notifications were told (or given up), as the events say; all in one transaction."""
        numbers = [(number,) for number in done]

        def write(to: sqlite3.Connection) -> tuple[Event, ...]:
            to.executemany("DELETE FROM outbox WHERE id = ?", numbers)
            return _insert_events(to, events)

        return self._write(write) if numbers or events else ()

    def postpone(self, number: int, due: float, error: str) -> None:
        """An attempt failed; try again when `due`."""
        self._write(
            lambda to: to.execute(
                "UPDATE outbox SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?", (due, error[:500], number)
            )
        )

    # ------------------------------------------------------------ groups and their notices

    def groups(self) -> tuple[GroupState, ...]:
        """All groups as last saved."""
        return self._look(telling.read_groups)

    def incidents(self) -> tuple[Incident, ...]:
        """All incidents as last saved."""
        return self._look(read_incidents)

    def due_notices(self, now: float, limit: int = 100) -> tuple[Waiting, ...]:
        """The oldest notice that waits for each receiver, where it is due."""
        found, broken = self._look(lambda of: telling.due_notices(of, now, limit))
        if broken:
            self._write(lambda to: telling.settle_notices(to, broken))
            self.dropped_notifications += len(broken)
        return found

    def settle_notice(self, number: int, events: Sequence[Event] = ()) -> tuple[Event, ...]:
        """It was told (or given up), as the events say."""

        def write(to: sqlite3.Connection) -> tuple[Event, ...]:
            telling.settle_notices(to, [number])
            return _insert_events(to, events)

        return self._write(write)

    def postpone_notice(self, number: int, due: float, error: str, events: Sequence[Event] = ()) -> tuple[Event, ...]:
        """An attempt failed; try again when `due`."""

        def write(to: sqlite3.Connection) -> tuple[Event, ...]:
            telling.postpone_notice(to, number, due, error)
            return _insert_events(to, events)

        return self._write(write)

    def waiting_notices(self) -> Sequence[tuple[str, int, str]]:
        """Receiver, how many notices wait for it, and why the oldest does."""
        return self._look(telling.waiting_by_receiver)

    def meta(self, key: str) -> str | None:
        """A remembered text."""
        rows = self._read("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set_meta(self, **values: object) -> None:
        """Remember texts (numbers as their text)."""
        self._write(lambda to: self._set_meta(to, **values))

    def trim(self, now: float) -> int:
        """Forget events over 30 days or 50,000, versions that are old or too many, unsent notifications over 10,000.

        Returns how many rows went.
        """

        def write(to: sqlite3.Connection) -> tuple[int, int, int, int]:
            events = to.execute("DELETE FROM events WHERE at < ?", (now - KEEP_EVENTS,)).rowcount
            events += to.execute(
                "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)", (MAX_EVENTS,)
            ).rowcount
            unsent = to.execute(
                "DELETE FROM outbox WHERE id <= (SELECT id FROM outbox ORDER BY id DESC LIMIT 1 OFFSET ?)", (MAX_OUTBOX,)
            ).rowcount
            unsent += telling.trim_notices(to)
            return events, unsent, *state_history.trim_versions(to, now)

        events, unsent, versions, crowded = self._write(write)
        self.dropped_notifications += unsent
        self.dropped_versions += crowded
        return events + unsent + versions

    # ------------------------------------------------------------ the connection

    def _trim_now_and_then(self, added: int, now: float) -> None:
        self._since_trim += added
        if self._since_trim >= _TRIM_EVERY:
            self._since_trim = 0
            self.trim(now)

    def _events(self, query: str, values: tuple[object, ...]) -> tuple[Event, ...]:
        events = []
        for number, body in reversed(self._read(query, values)):
            try:
                events.append(msgspec.structs.replace(_event.decode(body), id=number))
            except msgspec.MsgspecError:
                continue
        return tuple(events)

    def _decoded(self, query: str, decoder: msgspec.json.Decoder[T], skipped: list[str]) -> list[T]:
        found = []
        for name, body in self._read(query, ()):
            try:
                found.append(decoder.decode(body))
            except msgspec.MsgspecError:
                skipped.append(name)
        return found

    @staticmethod
    def _set_meta(to: sqlite3.Connection, **values: object) -> None:
        to.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, str(value)) for key, value in values.items()])

    def _read(self, query: str, values: tuple[object, ...]) -> list[Any]:
        return self._look(lambda of: of.execute(query, values).fetchall())

    def _look(self, look: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return look(self._connection)
            except sqlite3.Error as error:
                raise StateError(f"The state cannot be read: {error}. Check the disk of the data directory.") from error

    def _write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                with transaction(self._connection):
                    return write(self._connection)
            except sqlite3.Error as error:
                raise StateError(f"The state cannot be saved: {error}. Check space and mode of the data directory.") from error


def _insert_events(to: sqlite3.Connection, events: Iterable[Event]) -> tuple[Event, ...]:
    query = "INSERT INTO events (at, kind, alert, rule, body) VALUES (?, ?, ?, ?, ?)"
    written = []
    for event in events:
        number = to.execute(query, (event.at, event.kind, event.alert, event.rule, _encode(event))).lastrowid
        written.append(msgspec.structs.replace(event, id=number or 0))
    return tuple(written)
