"""StatsD and DogStatsD datagrams in, batches of samples out; no socket, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from collector.receivers.statsd.columns import scan
from collector.receivers.statsd.dictionary import SEPARATOR, Dictionary
from collector.receivers.statsd.events import LEAD as EVENT
from collector.receivers.statsd.events import read_event
from collector.receivers.statsd.grammar import (
    MalformedLineError,
    escaped,
    member_hash,
    read_number,
    read_numbers,
)
from collector.receivers.statsd.service_checks import LEAD as SERVICE_CHECK
from collector.receivers.statsd.service_checks import NAME, CheckStates, read_service_check
from collector.receivers.statsd.slots import UNKNOWN
from monitor.alerting.model import Event
from monitor.model.batch import Batch, Floats
from monitor.model.series import Kind

Datagram = bytes | bytearray | memoryview

CHUNK = 96 << 10
"""Bytes scanned at once: with the columns made of them, what stays in a core's second-level cache."""
FEW = 1 << 12
"""Below so many bytes reading line by line costs less than the column operations."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one parser. The dictionary starts anew past `entries` spellings or `cache_bytes` bytes of them.

    `events`: of those that nobody took yet; more are dropped and counted. `checks`: service checks whose status is known.
    """

    entries: int = 200_000
    cache_bytes: int = 32 << 20
    line: int = 8192
    events: int = 500
    checks: int = 10_000
    shown: int = 10
    shown_length: int = 120


class Counters(msgspec.Struct):
    """What a parser has met since it started. `lines` counts all but empty ones; `resets` are dictionaries started anew."""

    lines: int = 0
    samples: int = 0
    malformed: int = 0
    events: int = 0
    service_checks: int = 0
    datagrams: int = 0
    bytes: int = 0
    resets: int = 0
    events_dropped: int = 0


class MalformedLine(NamedTuple):
    """One of the first lines that could not be read: why, and its beginning with control characters escaped."""

    reason: str
    line: str


class _Samples:
    """Samples read line by line: parallel lists of line number, slot, value, time and whether the value is a change."""

    def __init__(self) -> None:
        self.at: list[int] = []
        self.slots: list[int] = []
        self.values: list[float] = []
        self.times: list[float] = []
        self.relative: list[bool] = []

    def add(self, at: int, slot: int, value: float, time: float, relative: bool = False) -> None:
        self.at.append(at)
        self.slots.append(slot)
        self.values.append(value)
        self.times.append(time)
        self.relative.append(relative)


class StatsdParser:
    """Reads datagrams of one receiver. Not thread-safe; its counters may be read from any thread."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.counters = Counters()
        self.reasons: dict[str, int] = {}
        self.malformed: list[MalformedLine] = []
        self._dictionary = Dictionary()
        self._events: list[Event] = []
        self._checks = CheckStates(self.limits.checks)

    def take_events(self) -> list[Event]:
        """The events met since the last call, at most `limits.events`."""
        events, self._events = self._events, []
        return events

    def feed(self, datagrams: Sequence[Datagram], now: float) -> list[Batch]:
        """Samples of these datagrams that arrived at `now` (seconds since the epoch), in order; one batch a key space.

        Nothing in a datagram raises: what cannot be read is counted in `counters.malformed` and by reason in `reasons`,
        and never harms its neighbours. The datagrams' memory may be reused once this returns.
        """
        self.counters.datagrams += len(datagrams)
        batches: list[Batch] = []
        for raw in _chunks(datagrams):
            self.counters.bytes += len(raw) - 1
            batch = self._chunk(raw, now)
            if batch is not None:
                batches.append(batch)
            if len(self._dictionary) > self.limits.entries or self._dictionary.bytes > self.limits.cache_bytes:
                self._dictionary = Dictionary()
                self.counters.resets += 1
        return merged(batches)

    def _chunk(self, raw: bytes, now: float) -> Batch | None:
        # NUL marks the place of a value in the scanner, so text that brings its own is read line by line.
        if len(raw) < FEW or b"\0" in raw:
            samples = _Samples()
            for at, line in enumerate(raw.split(b"\n")):
                self._line(at, line, now, samples)
            return self._batch(None, samples, now)
        return self._columns(raw, now)

    def _columns(self, raw: bytes, now: float) -> Batch | None:
        lines = scan(raw, self.limits.line)
        dictionary = self._dictionary
        slots = dictionary.slots.get(np.fromiter(map(hash, lines.keys), np.int64, count=len(lines.keys)))
        chosen = slots[lines.plain]
        known = ~dictionary.by_hand[chosen]
        if known.all():
            at, values = lines.plain, lines.values
        else:
            at, values, chosen = lines.plain[known], lines.values[known], chosen[known]
        self.counters.lines += len(at)
        samples = _Samples()
        if len(at) < len(slots):
            rest = np.ones(len(slots), np.bool_)
            rest[at] = False
            numbers = np.flatnonzero(rest)
            places = zip(numbers.tolist(), lines.starts[numbers].tolist(), lines.ends[numbers].tolist(), strict=True)
            for number, start, end in places:
                self._line(number, raw[start:end], now, samples)
        return self._batch((at, chosen, values), samples, now)

    def _line(self, at: int, line: bytes, now: float, samples: _Samples) -> None:
        """Reads one line of any form."""
        line = line.rstrip(b"\r")
        if not line:
            return
        self.counters.lines += 1
        try:
            self._read(at, line, now, samples)
        except MalformedLineError as error:
            self._refuse(line, str(error))

    def _read(self, at: int, line: bytes, now: float, samples: _Samples) -> None:
        if len(line) > self.limits.line:
            raise MalformedLineError("line too long")
        head, bar, suffix = line.partition(b"|")
        name, colon, text = head.partition(b":")
        if not (name and text and bar):
            if self._is_other(at, line, now, samples):
                return
            raise MalformedLineError("no type" if not bar else "no name" if colon and not name else "no value")
        slot, time = self._dictionary.slot(name + SEPARATOR + suffix), now
        if slot == UNKNOWN:
            if self._is_other(at, line, now, samples):
                return
            slot, stamp = self._dictionary.learn(name, suffix)
            time = now if stamp is None else stamp
        kind = self._dictionary.kinds[slot]
        if kind is Kind.SET:
            samples.add(at, slot, member_hash(text), time)
        elif b":" in text:
            values = read_numbers(text)
            signed = [part[:1] in b"+-" for part in text.split(b":") if part]
            for value, relative in zip(values, signed, strict=True):
                samples.add(at, slot, value, time, relative and kind is Kind.GAUGE)
        else:
            samples.add(at, slot, read_number(text), time, kind is Kind.GAUGE and text[:1] in b"+-")

    def _is_other(self, at: int, line: bytes, now: float, samples: _Samples) -> bool:
        """Reads events and service checks of DogStatsD; false where the line is neither."""
        if line.startswith(EVENT):
            self._tell(read_event(line, now))
            self.counters.events += 1
            return True
        if line.startswith(SERVICE_CHECK):
            check = read_service_check(line)
            slot = self._dictionary.gauge(NAME, check.tags)
            self.counters.service_checks += 1
            if (changed := self._checks.changed(check, now)) is not None:
                self._tell(changed)
            samples.add(at, slot, check.status, now if check.timestamp is None else check.timestamp)
            return True
        return False

    def _tell(self, event: Event) -> None:
        if len(self._events) < self.limits.events:
            self._events.append(event)
        else:
            self.counters.events_dropped += 1

    def _refuse(self, line: bytes, reason: str) -> None:
        self.counters.malformed += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if len(self.malformed) < self.limits.shown:
            self.malformed.append(MalformedLine(reason, escaped(line, self.limits.shown_length)))

    def _batch(
        self,
        plain: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Floats] | None,
        samples: _Samples,
        now: float,
    ) -> Batch | None:
        """One batch of the plain lines' columns and the samples read by hand, in order of their lines."""
        relative: npt.NDArray[np.bool_] | None = None
        if plain is not None and not samples.at:
            _, slots, values = plain
            times = np.full(len(slots), now)
        else:
            slots = np.array(samples.slots, np.int32)
            values = np.array(samples.values, np.float64)
            times = np.array(samples.times, np.float64)
            changes = np.array(samples.relative, np.bool_)
            if plain is not None:
                at = np.concatenate((plain[0], np.array(samples.at, np.int64)))
                order = np.argsort(at, kind="stable")
                slots = np.concatenate((plain[1], slots))[order]
                values = np.concatenate((plain[2], values))[order]
                times = np.concatenate((np.full(len(plain[0]), now), times))[order]
                changes = np.concatenate((np.zeros(len(plain[0]), np.bool_), changes))[order]
            relative = changes if changes.any() else None
        if not len(slots):
            return None
        self.counters.samples += len(slots)
        dictionary = self._dictionary
        weights: Floats | None = None
        if dictionary.sampled:
            values = values * dictionary.factors[slots]
            weights = dictionary.weights[slots]
            weights = weights if (weights != 1.0).any() else None
        return Batch(dictionary.space, dictionary.ids[slots], values, times, weights, relative)


def merged(batches: list[Batch]) -> list[Batch]:
    """The same samples in as few batches as there are key spaces in a row."""
    out: list[Batch] = []
    begin = 0
    for end in range(1, len(batches) + 1):
        if end == len(batches) or batches[end].space is not batches[begin].space:
            out.append(_joined(batches[begin:end]))
            begin = end
    return out


def _joined(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    weights: Floats | None = None
    if any(batch.weights is not None for batch in batches):
        weights = np.concatenate([np.ones(len(b)) if b.weights is None else b.weights for b in batches])
    relative: npt.NDArray[np.bool_] | None = None
    if any(batch.relative is not None for batch in batches):
        relative = np.concatenate([np.zeros(len(b), np.bool_) if b.relative is None else b.relative for b in batches])
    return Batch(
        batches[0].space,
        np.concatenate([batch.ids for batch in batches]),
        np.concatenate([batch.values for batch in batches]),
        np.concatenate([batch.times for batch in batches]),
        weights,
        relative,
    )


def _chunks(datagrams: Sequence[Datagram]) -> Iterator[bytes]:
    """The datagrams' lines in buffers of about `CHUNK` bytes, each ended by a newline."""
    begin = size = 0
    for end, datagram in enumerate(datagrams):
        if size + len(datagram) > CHUNK and end > begin:
            yield b"\n".join([*datagrams[begin:end], b""])
            begin, size = end, 0
        size += len(datagram) + 1
    if begin < len(datagrams):
        yield b"\n".join([*datagrams[begin:], b""])
