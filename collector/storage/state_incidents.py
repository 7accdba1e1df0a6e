"""Incidents: their table in the state database, and what is done with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from monitor.alerting.incidents import Incident

_encode = msgspec.json.Encoder().encode
_incident = msgspec.json.Decoder(Incident)


def begin_incidents(to: sqlite3.Connection) -> None:
    """Schema 3 to 4: the table."""
    to.execute("CREATE TABLE incidents (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID")


def write_incidents(to: sqlite3.Connection, changed: Iterable[Incident], forgotten: Iterable[str]) -> None:
    """Within the transaction of the alerts they follow from."""
    to.executemany("DELETE FROM incidents WHERE id = ?", [(name,) for name in forgotten])
    to.executemany("INSERT OR REPLACE INTO incidents VALUES (?, ?)", [(one.id, _encode(one)) for one in changed])


def read_incidents(of: sqlite3.Connection) -> tuple[Incident, ...]:
    """All incidents; one that cannot be read is left out, and its alerts begin another."""
    found = []
    for (body,) in of.execute("SELECT body FROM incidents ORDER BY id"):
        try:
            found.append(_incident.decode(body))
        except msgspec.MsgspecError:
            continue
    return tuple(found)
