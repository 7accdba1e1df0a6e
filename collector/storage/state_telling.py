"""Groups of alerts and the notices that wait to be told: their tables in the state database, and what is done with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from monitor.alerting.notice import Notice, Pairs
from monitor.alerting.routing.state import GroupState, Step

MAX_NOTICES = 10_000
_encode = msgspec.json.Encoder().encode
_group = msgspec.json.Decoder(GroupState)
_notice = msgspec.json.Decoder(Notice)


class Waiting(msgspec.Struct, frozen=True):
    """A notice its receiver has yet to be told of. `id` rises and never repeats; `due`: when it is tried next."""

    id: int
    notice: Notice
    attempts: int
    due: float
    error: str = ""


def begin_telling(to: sqlite3.Connection) -> None:
    """The tables, in a database that has none yet."""
    to.execute(
        "CREATE TABLE groups (route TEXT NOT NULL, labels TEXT NOT NULL, body BLOB NOT NULL, "
        "PRIMARY KEY (route, labels)) WITHOUT ROWID"
    )
    to.execute(
        "CREATE TABLE notices (id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, key TEXT NOT NULL UNIQUE, "
        "body BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, error TEXT NOT NULL DEFAULT '')"
    )


def write_step(to: sqlite3.Connection, step: Step) -> None:
    """What a judgement of groups brought, within the transaction of the alerts it follows from."""
    to.executemany("DELETE FROM groups WHERE route = ? AND labels = ?", [(key.route, _text(key.labels)) for key in step.removed])
    rows = [(state.route, _text(state.labels), _encode(state)) for state in step.states]
    to.executemany("INSERT OR REPLACE INTO groups VALUES (?, ?, ?)", rows)
    notices = [(notice.receiver, notice.key, _encode(notice), notice.at) for notice in step.notices]
    to.executemany("INSERT OR IGNORE INTO notices (receiver, key, body, due) VALUES (?, ?, ?, ?)", notices)


def read_groups(of: sqlite3.Connection) -> tuple[GroupState, ...]:
    """All groups; one that cannot be read is left out, and its alerts are told as a new group's."""
    found = []
    for (body,) in of.execute("SELECT body FROM groups ORDER BY route, labels"):
        try:
            found.append(_group.decode(body))
        except msgspec.MsgspecError:
            continue
    return tuple(found)


def due_notices(of: sqlite3.Connection, now: float, limit: int) -> tuple[tuple[Waiting, ...], tuple[int, ...]]:
    """The oldest notice of each receiver, if it is due: one receiver is told in order. Second: ids that cannot be read."""
    rows = of.execute(
        "SELECT id, body, attempts, due, error FROM notices WHERE id IN (SELECT min(id) FROM notices GROUP BY receiver) "
        "AND due <= ? ORDER BY id LIMIT ?",
        (now, limit),
    ).fetchall()
    found, broken = [], []
    for number, body, attempts, due, error in rows:
        try:
            found.append(Waiting(number, _notice.decode(body), attempts, due, error))
        except msgspec.MsgspecError:
            broken.append(number)
    return tuple(found), tuple(broken)


def settle_notices(to: sqlite3.Connection, done: Iterable[int]) -> None:
    """These were told, or given up."""
    to.executemany("DELETE FROM notices WHERE id = ?", [(number,) for number in done])


def postpone_notice(to: sqlite3.Connection, number: int, due: float, error: str) -> None:
    """An attempt failed; try again when `due`."""
    to.execute("UPDATE notices SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?", (due, error[:500], number))


def trim_notices(to: sqlite3.Connection) -> int:
    """Forget the oldest beyond the bound; how many went."""
    query = "DELETE FROM notices WHERE id <= (SELECT id FROM notices ORDER BY id DESC LIMIT 1 OFFSET ?)"
    return to.execute(query, (MAX_NOTICES,)).rowcount


def waiting_by_receiver(of: sqlite3.Connection) -> Sequence[tuple[str, int, str]]:
    """Receiver, how many notices wait for it, and why the oldest does ("" where it was not tried)."""
    query = (
        "SELECT receiver, count(*), (SELECT error FROM notices b WHERE b.receiver = a.receiver ORDER BY id LIMIT 1) "
        "FROM notices a GROUP BY receiver ORDER BY receiver"
    )
    return [(str(receiver), int(count), str(error)) for receiver, count, error in of.execute(query)]


def _text(labels: Pairs) -> str:
    return msgspec.json.encode(labels).decode()
