"""The words of a StatsD or DogStatsD line: type, rate, tags, timestamp, numbers, set members.

Sources: etsy/statsd docs/metric_types.md; Datadog's DogStatsD datagram format v1.0 to v1.6.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from monitor.model.series import Kind

TYPES: dict[bytes, tuple[Kind, str]] = {
    b"c": (Kind.COUNTER, ""),
    b"g": (Kind.GAUGE, ""),
    b"ms": (Kind.DISTRIBUTION, "ms"),
    b"h": (Kind.DISTRIBUTION, ""),
    b"d": (Kind.DISTRIBUTION, ""),
    b"s": (Kind.SET, ""),
}

LARGEST = 1e300
SMALLEST_RATE = 1e-6
MAX_NUMBER = 64
MAX_TIMESTAMP_DIGITS = 12
FLAG = "true"
"""Value of a tag sent without one (`|#canary`), so that it can be matched."""

_NUMERIC = b"0123456789.+-eE"


class MalformedLineError(ValueError):
    """A line that cannot be read; the message is one of a fixed few reasons, so counting by reason stays bounded."""


class Suffix(NamedTuple):
    """What follows a line's value. `rate` is 1.0 where none was given; `timestamp` None likewise; `tags` as they came."""

    kind: Kind
    unit: str
    rate: float
    tags: list[bytes]
    timestamp: float | None


def read_suffix(fields: list[bytes]) -> Suffix:
    """Reads `TYPE[|@rate][|#tags][|T<unix>]…` split at the bars; optional fields in any order, unknown ones ignored.

    Raises `MalformedLineError` on an unknown type, a rate outside (0, 1] or a timestamp that is not a positive integer.
    """
    known = TYPES.get(fields[0])
    if known is None:
        raise MalformedLineError("unknown type")
    kind, unit = known
    rate, tags, timestamp = 1.0, b"", None
    for field in fields[1:]:
        lead = field[:1]
        if lead == b"@":
            rate = read_rate(field[1:])
        elif lead == b"#":
            tags = field[1:]
        elif lead == b"T":
            timestamp = read_timestamp(field[1:])
    if kind not in (Kind.COUNTER, Kind.GAUGE):
        timestamp = None
    return Suffix(kind, unit, rate, tags.split(b","), timestamp)


def read_number(text: bytes) -> float:
    """A finite decimal number; Python's spellings beyond that (`1_0`, ` 1`, `inf`, `nan`) are malformed."""
    if len(text) > MAX_NUMBER or text.translate(None, _NUMERIC):
        raise MalformedLineError("bad value")
    try:
        value = float(text)
    except ValueError:
        raise MalformedLineError("bad value") from None
    if not -LARGEST < value < LARGEST:
        raise MalformedLineError("bad value")
    return value


def read_numbers(text: bytes) -> list[float]:
    """The values of a packed line (`1:2:3`); empty ones are skipped, as the DogStatsD format says."""
    values = [read_number(part) for part in text.split(b":") if part]
    if not values:
        raise MalformedLineError("bad value")
    return values


def read_rate(text: bytes) -> float:
    """A sample rate in (0, 1]."""
    try:
        rate = read_number(text)
    except MalformedLineError:
        rate = 0.0
    if not SMALLEST_RATE <= rate <= 1.0:
        raise MalformedLineError("bad rate")
    return rate


def read_timestamp(text: bytes) -> float:
    """Seconds since the epoch, a positive integer."""
    if not text.isdigit() or len(text) > MAX_TIMESTAMP_DIGITS or int(text) < 1:
        raise MalformedLineError("bad timestamp")
    return float(int(text))


def read_tag(text: bytes) -> tuple[str, str] | None:
    """One tag, or None where it says nothing: without a name, or with an empty value (which would equal an absent tag)."""
    name, colon, value = text.partition(b":")
    if not name or (colon and not value):
        return None
    return clean(name), clean(value) if colon else FLAG


def clean(text: bytes) -> str:
    """Text fit for screens and logs: invalid UTF-8 and everything unprintable (controls, bidi marks) become U+FFFD."""
    return printable(text.decode("utf-8", "replace"))


def printable(text: str) -> str:
    """The same text with U+FFFD for every character that is not printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def member_hash(member: bytes) -> float:
    """A set member as an integer of 53 bits, exact in a float64 and the same in every process (BLAKE2b)."""
    digest = hashlib.blake2b(member, digest_size=8).digest()
    return float(int.from_bytes(digest, "little") >> 11)


def escaped(line: bytes, limit: int) -> str:
    """The beginning of a line as one safe line of text, at most `limit` characters."""
    text = line[:limit].decode("utf-8", "backslashreplace")
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
    return shown[:limit]
