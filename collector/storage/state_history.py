"""Alerts, silences and rules by time: each change is kept as a version, so that the last month can be told again."""

from __future__ import annotations

import math
import sqlite3
import zlib
from collections.abc import Iterable, Sequence

import msgspec

from monitor.alerting.model import Alert, Event, Rule, RuleFile, Silence

KEEP_VERSIONS = 30 * 86_400.0
MAX_VERSIONS = 100_000
MAX_RULE_VERSIONS = 1_000
SHOWN_EVENTS = 500
_ALERT, _SILENCE, _GONE = 0, 1, 2

VERSION_TABLES = (
    """CREATE TABLE versions (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, what INTEGER NOT NULL,
                              name TEXT NOT NULL, body BLOB NOT NULL)""",
    "CREATE INDEX versions_name ON versions (name, id)",
    "CREATE INDEX versions_at ON versions (at)",
    "CREATE INDEX events_at ON events (at)",
    "CREATE TABLE rule_versions (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, body BLOB NOT NULL)",
)
"""`body` is JSON, deflated; empty where something was forgotten (`what` 2)."""

_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert)
_silence = msgspec.json.Decoder(Silence)
_event = msgspec.json.Decoder(Event)
_rules = msgspec.json.Decoder(tuple[tuple[Rule, ...], tuple[RuleFile, ...]])


class Standing(msgspec.Struct, frozen=True):
    """Lists as they stood: alerts, silences, rules in force and their files, and the newest events up to then.

    `since`: from when on this is known at all; infinity: not yet.
    """

    alerts: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    rules: tuple[Rule, ...] = ()
    files: tuple[RuleFile, ...] = ()
    events: tuple[Event, ...] = ()
    since: float = math.inf


class Turns(msgspec.Struct, frozen=True):
    """What changed in a stretch of time, the last state of each; `rules` None where they stayed. `removed`: ids."""

    alerts: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    removed: tuple[str, ...] = ()
    rules: tuple[tuple[Rule, ...], tuple[RuleFile, ...]] | None = None
    events: tuple[Event, ...] = ()


def begin_history(to: sqlite3.Connection) -> None:
    """Schema 1 to 2: the tables, and the alerts and silences there are as their first versions."""
    for statement in VERSION_TABLES:
        to.execute(statement)
    saved = to.execute("SELECT value FROM meta WHERE key = 'saved_at'").fetchone()
    at = float(saved[0]) if saved else 0.0
    for what, table in ((_ALERT, "alerts"), (_SILENCE, "silences")):
        found = to.execute(f"SELECT id, body FROM {table} ORDER BY id").fetchall()
        _insert(to, at, [(what, name, body) for name, body in found])


def append_versions(
    to: sqlite3.Connection, at: float, alerts: Iterable[Alert], silences: Iterable[Silence], removed: Iterable[str]
) -> int:
    """What these are from `at` on; how many rows it took."""
    rows = [(_GONE, name, b"") for name in removed]
    rows += [(_ALERT, alert.id, _encode(alert)) for alert in alerts]
    rows += [(_SILENCE, silence.id, _encode(silence)) for silence in silences]
    _insert(to, at, rows)
    return len(rows)


def append_rules(to: sqlite3.Connection, at: float, rules: Sequence[Rule], files: Sequence[RuleFile]) -> bool:
    """The rules in force from `at` on; False when they are what they were."""
    body = zlib.compress(_encode((rules, files)), 1)
    last = to.execute("SELECT body FROM rule_versions ORDER BY id DESC LIMIT 1").fetchone()
    if last is not None and last[0] == body:
        return False
    to.execute("INSERT INTO rule_versions (at, body) VALUES (?, ?)", (at, body))
    return True


def standing(of: sqlite3.Connection, time: float) -> Standing:
    """Everything as it stood at `time`. What cannot be read is left out."""
    found = of.execute(
        "SELECT v.what, v.name, v.body FROM versions v "
        "JOIN (SELECT max(id) AS id FROM versions WHERE at <= ? GROUP BY name) last ON v.id = last.id ORDER BY v.id",
        (time,),
    ).fetchall()
    alerts, silences, _ = _decoded(found)
    rules, files = _rules_at(of, 0.0, time) or ((), ())
    since = of.execute("SELECT min(at) FROM rule_versions").fetchone()[0]  # every start remembers its rules
    return Standing(alerts, silences, rules, files, _events(of, 0.0, time), math.inf if since is None else float(since))


def turns(of: sqlite3.Connection, after: float, until: float) -> Turns:
    """What changed in (after, until]."""
    found = of.execute(
        "SELECT what, name, body FROM versions WHERE id IN "
        "(SELECT max(id) FROM versions WHERE at > ? AND at <= ? GROUP BY name) ORDER BY id",
        (after, until),
    ).fetchall()
    alerts, silences, removed = _decoded(found)
    return Turns(alerts, silences, removed, _rules_at(of, after, until), _events(of, after, until))


def trim_versions(to: sqlite3.Connection, now: float) -> tuple[int, int]:
    """Forget versions that no kept moment needs; how many went, and how many of them because there were too many.

    The newest version before the bound stays, for it is what stood there.
    """
    old = _drop_before(to, now - KEEP_VERSIONS)
    crowded = 0
    border = to.execute("SELECT at FROM versions ORDER BY id DESC LIMIT 1 OFFSET ?", (MAX_VERSIONS,)).fetchone()
    if border is not None:
        crowded = _drop_before(to, float(border[0]))
    bound = to.execute("SELECT max(id) FROM rule_versions WHERE at < ?", (now - KEEP_VERSIONS,)).fetchone()[0]
    old += to.execute("DELETE FROM rule_versions WHERE id < ?", (bound or 0,)).rowcount
    crowded += to.execute(
        "DELETE FROM rule_versions WHERE id <= (SELECT id FROM rule_versions ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (MAX_RULE_VERSIONS,),
    ).rowcount
    return old + crowded, crowded


def _drop_before(to: sqlite3.Connection, bound: float) -> int:
    gone = to.execute(
        "DELETE FROM versions WHERE at < ? AND id NOT IN (SELECT max(id) FROM versions WHERE at < ? GROUP BY name)",
        (bound, bound),
    ).rowcount
    return gone + to.execute("DELETE FROM versions WHERE at < ? AND what = ?", (bound, _GONE)).rowcount


def _insert(to: sqlite3.Connection, at: float, rows: Iterable[tuple[int, str, bytes]]) -> None:
    query = "INSERT INTO versions (at, what, name, body) VALUES (?, ?, ?, ?)"
    to.executemany(query, [(at, what, name, zlib.compress(body, 1) if body else b"") for what, name, body in rows])


def _decoded(rows: Iterable[tuple[int, str, bytes]]) -> tuple[tuple[Alert, ...], tuple[Silence, ...], tuple[str, ...]]:
    alerts, silences, removed = [], [], []
    for what, name, body in rows:
        try:
            if what == _ALERT:
                alerts.append(_alert.decode(zlib.decompress(body)))
            elif what == _SILENCE:
                silences.append(_silence.decode(zlib.decompress(body)))
            else:
                removed.append(name)
        except (msgspec.MsgspecError, zlib.error):
            continue
    return tuple(alerts), tuple(silences), tuple(removed)


def _rules_at(of: sqlite3.Connection, after: float, until: float) -> tuple[tuple[Rule, ...], tuple[RuleFile, ...]] | None:
    found = of.execute(
        "SELECT body FROM rule_versions WHERE at > ? AND at <= ? ORDER BY id DESC LIMIT 1", (after, until)
    ).fetchone()
    try:
        return _rules.decode(zlib.decompress(found[0])) if found is not None else None
    except (msgspec.MsgspecError, zlib.error):
        return None


def _events(of: sqlite3.Connection, after: float, until: float) -> tuple[Event, ...]:
    query = "SELECT id, body FROM events WHERE at > ? AND at <= ? ORDER BY id DESC LIMIT ?"
    events = []
    for number, body in reversed(of.execute(query, (after, until, SHOWN_EVENTS)).fetchall()):
        try:
            events.append(msgspec.structs.replace(_event.decode(body), id=number))
        except msgspec.MsgspecError:
            continue
    return tuple(events)
