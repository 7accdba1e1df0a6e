"""A slow, obvious StatsD reader: what the fast one must agree with, one line at a time, with regular expressions."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
KINDS = {"c": "COUNTER", "g": "GAUGE", "ms": "DISTRIBUTION", "h": "DISTRIBUTION", "d": "DISTRIBUTION", "s": "SET"}


@dataclass(frozen=True)
class Sample:
    name: str
    tags: tuple[tuple[str, str], ...]
    kind: str
    value: float
    time: float
    weight: float = 1.0
    relative: bool = False


class RefusedError(Exception):
    """The line cannot be read."""


def read(datagram: bytes, now: float) -> tuple[list[Sample], list[str]]:
    """Samples and reasons of refusal of one datagram."""
    samples: list[Sample] = []
    reasons: list[str] = []
    for raw in datagram.split(b"\n"):
        line = raw.rstrip(b"\r")
        if not line:
            continue
        try:
            samples += read_line(line, now)
        except RefusedError as refusal:
            reasons.append(str(refusal))
    return samples, reasons


def read_line(line: bytes, now: float) -> list[Sample]:
    if len(line) > 8192:
        raise RefusedError("line too long")
    if line.startswith(b"_e{"):
        return read_event(line)
    if line.startswith(b"_sc|"):
        return read_check(line, now)
    if b"|" not in line:
        raise RefusedError("no type")
    head, suffix = line.split(b"|", 1)
    if b":" not in head:
        raise RefusedError("no value")
    name, text = head.split(b":", 1)
    if not name:
        raise RefusedError("no name")
    if not text:
        raise RefusedError("no value")
    fields = suffix.split(b"|")
    letter = fields[0].decode("latin-1")
    if letter not in KINDS:
        raise RefusedError("unknown type")
    kind, rate, tags, time = KINDS[letter], 1.0, b"", now
    for field in fields[1:]:
        if field.startswith(b"@"):
            rate = read_rate(field[1:])
        if field.startswith(b"#"):
            tags = field[1:]
        if field.startswith(b"T"):
            stamp = read_stamp(field[1:])
            time = stamp if letter in "cg" else now
    identity = (shown(name), read_tags(shown(name), tags), kind)
    if kind == "SET":
        digest = hashlib.blake2b(text, digest_size=8).digest()
        return [Sample(*identity, float(int.from_bytes(digest, "little") >> 11), time)]
    parts = [part for part in text.decode("latin-1").split(":") if part]
    if not parts:
        raise RefusedError("bad value")
    samples = []
    for part in parts:
        value = read_number(part)
        if kind == "COUNTER":
            samples.append(Sample(*identity, value * (1.0 / rate), time))
        elif kind == "GAUGE":
            samples.append(Sample(*identity, value, time, relative=part[0] in "+-"))
        else:
            samples.append(Sample(*identity, value, time, weight=1.0 / rate))
    return samples


def read_event(line: bytes) -> list[Sample]:
    header = re.match(rb"_e\{([0-9]{1,5}),([0-9]{1,5})\}:", line)
    if not header or header[1].strip(b"0") == b"":
        raise RefusedError("bad event")
    title, text = int(header[1]), int(header[2])
    if not re.fullmatch(rb"(?s).{%d}\|.{%d}(\|.*)?" % (title, text), line[header.end() :]):
        raise RefusedError("bad event")
    return []


def read_check(line: bytes, now: float) -> list[Sample]:
    fields = line.split(b"|m:")[0].split(b"|")
    if len(fields) < 3 or not fields[1] or fields[2] not in (b"0", b"1", b"2", b"3"):
        raise RefusedError("bad service check")
    host, tags, time = b"", b"", now
    for field in fields[3:]:
        if field.startswith(b"#"):
            tags = field[1:]
        elif field.startswith(b"h:"):
            host = field[2:]
        elif field.startswith(b"d:"):
            time = read_stamp(field[2:])
    told = read_tags("datadog.service_check", b"host:" + host + b"," + tags)
    name = shown(fields[1])
    told = tuple(sorted({**dict(told), "check": name}.items()))
    if len(told) > 32 or len(name) > 256:
        raise RefusedError("name or tags too long")
    return [Sample("datadog.service_check", told, "GAUGE", float(fields[2]), time)]


def read_number(text: str) -> float:
    if len(text) > 64 or not NUMBER.fullmatch(text) or abs(float(text)) >= 1e300:
        raise RefusedError("bad value")
    return float(text)


def read_rate(text: bytes) -> float:
    try:
        rate = read_number(text.decode("latin-1"))
    except RefusedError:
        raise RefusedError("bad rate") from None
    if not 1e-6 <= rate <= 1:
        raise RefusedError("bad rate")
    return rate


def read_stamp(text: bytes) -> float:
    if not re.fullmatch(rb"[0-9]{1,12}", text) or int(text) == 0:
        raise RefusedError("bad timestamp")
    return float(int(text))


def read_tags(name: str, text: bytes) -> tuple[tuple[str, str], ...]:
    tags = {}
    for part in text.split(b","):
        if b":" not in part and part:
            tags[shown(part)] = "true"
        elif part:
            key, value = part.split(b":", 1)
            if key and value:
                tags[shown(key)] = shown(value)
    bounds = [len(name) <= 256, len(tags) <= 32, *(len(k) <= 128 and len(v) <= 256 for k, v in tags.items())]
    if not all(bounds):
        raise RefusedError("name or tags too long")
    return tuple(sorted(tags.items()))


def shown(text: bytes) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text.decode("utf-8", "replace"))
