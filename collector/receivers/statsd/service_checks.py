"""Service checks of DogStatsD: `_sc|name|status|d:1656581400|h:web1|#tag:value|m:message`.

They become readings of one gauge, `datadog.service_check`, with the check's name in the tag `check`: a name of its own
could be that of a metric, and one rule over `datadog.service_check` judges them all. When a check's status changes, its message
becomes an event, so that one sees why.
"""

from __future__ import annotations

from typing import NamedTuple

from collector.receivers.statsd.events import MAX_TEXT, MAX_TITLE, MAX_WORD, MAX_WORDS, shown
from collector.receivers.statsd.grammar import MalformedLineError, read_timestamp
from monitor.alerting.model import Event

LEAD = b"_sc|"
NAME = b"datadog.service_check"
_STATUSES = {b"0": 0.0, b"1": 1.0, b"2": 2.0, b"3": 3.0}
_WORDS = {0.0: ("ok again", "info"), 1.0: ("warning", "warning"), 2.0: ("critical", "critical"), 3.0: ("unknown", "warning")}
"""What a status is called, and how bad its event is."""


class ServiceCheck(NamedTuple):
    """`status` is 0 OK, 1 warning, 2 critical, 3 unknown; `tags` as of a metric's line, the last the check's name; `timestamp`
    None where none came; `message` as it was sent.
    """

    status: float
    tags: list[bytes]
    timestamp: float | None
    message: bytes = b""


def read_service_check(line: bytes) -> ServiceCheck:
    """Raises `MalformedLineError` without a name, with a status other than 0 to 3, or with a bad timestamp.

    The message may hold bars and is the last of the fields: all that follows is its.
    """
    head, _, message = line.partition(b"|m:")
    fields = head.split(b"|")
    if len(fields) < 3 or not fields[1]:
        raise MalformedLineError("bad service check")
    status = _STATUSES.get(fields[2])
    if status is None:
        raise MalformedLineError("bad service check")
    tags: list[bytes] = []
    host, timestamp = b"", None
    for field in fields[3:]:
        lead = field[:2]
        if field[:1] == b"#":
            tags = field[1:].split(b",")
        elif lead == b"h:":
            host = field[2:]
        elif lead == b"d:":
            timestamp = read_timestamp(field[2:])
    # What comes last wins: the check's name always, a tag "host" over the field.
    return ServiceCheck(status, [b"host:" + host, *tags, b"check:" + fields[1]], timestamp, message)


class CheckStates:
    """The last status of each check by its tags. `most`: beyond that, those that said nothing longest are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: dict[frozenset[bytes], float] = {}

    def __len__(self) -> int:
        return len(self._last)

    def changed(self, check: ServiceCheck, now: float) -> Event | None:
        """The event where the status is another than before, or is not OK the first time; it is never later than `now`."""
        key = frozenset(check.tags)
        before = self._last.pop(key, 0.0)
        self._last[key] = check.status  # to the end: it said something last
        if len(self._last) > self._most:
            del self._last[next(iter(self._last))]
        return _event(check, now) if check.status != before else None


def _event(check: ServiceCheck, now: float) -> Event:
    called, severity = _WORDS[check.status]
    *tags, name = check.tags
    message = shown(check.message.replace(rb"m\:", b"m:"), MAX_TEXT)  # clients write it so within a message
    said = f"{shown(name.removeprefix(b'check:'), MAX_TITLE)} is {called}{f': {message}' if message else ''}"
    words = [shown(tag, MAX_WORD) for tag in tags[: MAX_WORDS + 1] if tag not in (b"", b"host:")]
    at = now if check.timestamp is None else min(check.timestamp, now)
    return Event(at, "event", " ".join([said, *words]), severity=severity)
