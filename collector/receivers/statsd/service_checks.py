"""Service checks of DogStatsD: `_sc|name|status|d:1656581400|h:web1|#tag:value|m:message`.

They become readings of one gauge, `datadog.service_check`, with the check's name in the tag `check`: a name of its own
could be that of a metric, and one rule over `datadog.service_check` judges them all.
"""

from __future__ import annotations

from typing import NamedTuple

from collector.receivers.statsd.grammar import MalformedLineError, read_timestamp

LEAD = b"_sc|"
NAME = b"datadog.service_check"
_STATUSES = {b"0": 0.0, b"1": 1.0, b"2": 2.0, b"3": 3.0}


class ServiceCheck(NamedTuple):
    """`status` is 0 OK, 1 warning, 2 critical, 3 unknown; `tags` as of a metric's line; `timestamp` None where none came."""

    status: float
    tags: list[bytes]
    timestamp: float | None


def read_service_check(line: bytes) -> ServiceCheck:
    """Raises `MalformedLineError` without a name, with a status other than 0 to 3, or with a bad timestamp.

    The message may hold bars and is the last of the fields that matter: it is not read, and neither is what follows it.
    """
    fields = line.partition(b"|m:")[0].split(b"|")
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
    return ServiceCheck(status, [b"host:" + host, *tags, b"check:" + fields[1]], timestamp)
