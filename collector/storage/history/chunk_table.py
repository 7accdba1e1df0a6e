"""Chunks in the database: read in their physical order by one scan or a few, written together with all that counts them."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from collector.storage.history.codec import DamagedChunkError, pack_times, seal_of, unpack_times
from collector.storage.history.settings import DAY, RAW, TIER_STEPS, WINDOW, window_of
from monitor.query.history import Millis

LAST, LEAST, GREATEST, SUM, COUNT, HISTOGRAM = 0, 1, 2, 3, 4, 8
"""Fields: a sample as it came or the last of a bucket, what else is known of a bucket, histograms."""
FIELDS_SQL = "0, 1, 2, 3, 4, 8"
MERGED = 4096
"""Parts below are merged chunks; from here on: the number of a fold times this, and a count within it."""
_FEW = 400
_WINDOWS = DAY // WINDOW
KEY_COLUMNS = "tier, field, span, bucket, part, times, first, last, samples"
_LIMITS = "SELECT " + ", ".join(
    f"(SELECT {end}(span) FROM chunks WHERE tier = {tier} AND field = {field})"
    for tier in range(len(TIER_STEPS))
    for field in (LAST, HISTOGRAM)
    for end in ("min", "max")
)
_COLUMNS = f"{KEY_COLUMNS}, seal, data"


TimesKey = tuple[int, int, int]


class ChunkRow(NamedTuple):
    """A row of the table. `times`: id of the times its series share; `first`, `last`: milliseconds; `seal`: a checksum over all
    before it.
    """

    tier: int
    field: int
    span: int
    bucket: int
    part: int
    times: int
    first: int
    last: int
    samples: int
    seal: int
    data: bytes

    @property
    def times_key(self) -> TimesKey:
        return self.tier, self.span, self.times


class NewChunk(NamedTuple):
    """A chunk that has no part number yet and whose times are not in the table yet."""

    tier: int
    field: int
    span: int
    bucket: int
    times: Millis
    samples: int
    data: bytes


class TimesCache:
    """Times by tier, span and id, decoded; the least recently used go beyond a number of bytes."""

    def __init__(self, max_bytes: int = 16 << 20) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[TimesKey, Millis] = OrderedDict()
        self._bytes = 0

    def get(self, key: TimesKey) -> Millis | None:
        with self._lock:
            times = self._known.get(key)
            if times is not None:
                self._known.move_to_end(key)
            return times

    def put(self, key: TimesKey, times: Millis) -> None:
        times.flags.writeable = False
        with self._lock:
            if key not in self._known:
                self._known[key] = times
                self._bytes += times.nbytes + 100
            while self._bytes > self._max_bytes and len(self._known) > 1:
                _, old = self._known.popitem(last=False)
                self._bytes -= old.nbytes + 100


def times_id(times: Millis) -> int:
    """63 bits of a hash of the times: what all series that share them refer to."""
    return int.from_bytes(hashlib.blake2b(times.tobytes(), digest_size=8).digest(), "little") >> 1


def are_times(times: Millis, number: int) -> bool:
    """Whether these are the times of that id: those of one hash are numbered on."""
    return (number - times_id(times)) & ((1 << 63) - 1) < 1000


def span_limits(connection: sqlite3.Connection) -> dict[int, tuple[int, int]]:
    """By tier, the first and the last span with chunks of samples."""
    row = connection.execute(_LIMITS).fetchone()
    found: dict[int, tuple[int, int]] = {}
    for tier in range(len(TIER_STEPS)):
        known = [span for span in row[4 * tier : 4 * tier + 4] if span is not None]
        if known:
            found[tier] = min(known), max(known)
    return found


def read_chunks(
    connection: sqlite3.Connection, tier: int, field: int, spans: Sequence[int], buckets: Sequence[int], start: int, end: int
) -> Iterator[ChunkRow]:
    """Chunks of those spans (one after the other) and buckets (rising) with samples in [start, end], by span, bucket and part.

    One scan where the buckets are dense; seeks where they are few among many.
    """
    if not spans or not buckets:
        return
    dense = len(buckets) > _FEW or buckets[-1] - buckets[0] < 4 * len(buckets)
    those = f"BETWEEN {buckets[0]} AND {buckets[-1]}" if dense else f"IN ({', '.join(map(str, buckets))})"
    wanted = set(buckets)
    for batch in range(0, len(spans), _FEW):
        # Spans by name: of a BETWEEN the rest of the key could not be sought.
        some = ", ".join(map(str, spans[batch : batch + _FEW]))
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM chunks WHERE tier = ? AND field = ? AND span IN ({some}) AND bucket {those} "
            "AND last >= ? AND first <= ? ORDER BY span, bucket, part",
            (tier, field, start, end),
        )
        yield from (ChunkRow._make(row) for row in rows if row[3] in wanted)


def times_of(connection: sqlite3.Connection, cache: TimesCache, wanted: Iterable[TimesKey]) -> dict[TimesKey, Millis]:
    """Times by (tier, span, id); damaged ones are left out."""
    found: dict[TimesKey, Millis] = {}
    for key in set(wanted):
        times = cache.get(key)
        if times is None:
            row = connection.execute("SELECT data FROM times WHERE tier = ? AND span = ? AND id = ?", key).fetchone()
            try:
                times = unpack_times(row[0]) if row else None
            except DamagedChunkError:
                times = None
            if times is not None and not are_times(times, key[2]):  # a damaged page may answer with those of another id
                times = None
            if times is not None:
                cache.put(key, times)
        if times is not None:
            found[key] = times
    return found


class ChunkWriter:
    """Writes inside a transaction of the caller, and keeps `spans` in step: call `finish` before the commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._times: dict[tuple[int, int, int], bytes] = {}
        self._changes: dict[tuple[int, int, int], list[int]] = {}

    def times(self, tier: int, span: int, times: Millis) -> int:
        """The id of these times in a span, written if they are new there."""
        number = times_id(times)
        packed = b""
        while True:
            key = tier, span, number
            known = self._times.get(key)
            if known is None:
                row = self._connection.execute("SELECT data FROM times WHERE tier = ? AND span = ? AND id = ?", key).fetchone()
                known = self._times[key] = row[0] if row else b""
            packed = packed or pack_times(times)
            if known == packed:
                return number
            if not known:
                self._connection.execute("INSERT INTO times VALUES (?, ?, ?, ?)", (*key, packed))
                self._change(tier, span, int(times[0]), 0, len(packed), 0, 0)
                self._times[key] = packed
                return number
            number = (number + 1) & ((1 << 63) - 1)  # two times of one hash

    def insert(self, chunks: Iterable[NewChunk], fold: int) -> None:
        """Number them and write them. `fold`: 0 for merged ones, all that their bucket has of the span or window."""
        added: list[ChunkRow] = []
        counts: dict[tuple[int, ...], int] = {}
        for chunk in chunks:
            first, last = int(chunk.times[0]), int(chunk.times[-1])
            begin = fold * MERGED
            if not fold and chunk.tier == RAW:
                begin = window_of(first) % _WINDOWS * (MERGED // _WINDOWS)
            key = *chunk[:4], begin
            number = counts[key] = counts.get(key, -1) + 1
            times = self.times(chunk.tier, chunk.span, chunk.times)
            columns = (*chunk[:4], begin + number, times, first, last, chunk.samples)
            added.append(ChunkRow(*columns, seal_of(*columns), chunk.data))
        self._connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", added)
        for row in added:
            self._change(row.tier, row.span, row.first, row.samples, len(row.data), 1, row.part >= MERGED)

    def delete(self, rows: Iterable[ChunkRow]) -> None:
        removed = list(rows)
        self._connection.executemany(
            "DELETE FROM chunks WHERE tier = ? AND field = ? AND span = ? AND bucket = ? AND part = ?",
            [row[:5] for row in removed],
        )
        for row in removed:
            self._change(row.tier, row.span, row.first, -row.samples, -len(row.data), -1, -(row.part >= MERGED))

    def drop_span(self, tier: int, span: int) -> tuple[int, int]:
        """Everything of a span; how many samples and bytes that were."""
        row = self._connection.execute(
            "SELECT total(samples), total(bytes) FROM spans WHERE tier = ? AND span = ?", (tier, span)
        ).fetchone()
        self._connection.execute(f"DELETE FROM chunks WHERE tier = ? AND field IN ({FIELDS_SQL}) AND span = ?", (tier, span))
        for table in ("times", "spans", "doomed"):
            self._connection.execute(f"DELETE FROM {table} WHERE tier = ? AND span = ?", (tier, span))
        return int(row[0]), int(row[1])

    def drop_unused_times(self, tier: int, span: int) -> None:
        """Times of a span that no chunk refers to."""
        unused = self._connection.execute(
            "SELECT id FROM times WHERE tier = ?1 AND span = ?2 AND id NOT IN "
            f"(SELECT times FROM chunks WHERE tier = ?1 AND field IN ({FIELDS_SQL}) AND span = ?2)",
            (tier, span),
        ).fetchall()
        for (number,) in unused:
            self._connection.execute("DELETE FROM times WHERE tier = ? AND span = ? AND id = ?", (tier, span, number))
            self._times.pop((tier, span, number), None)

    def finish(self) -> None:
        """Brings `spans` up to what was written and deleted."""
        for (tier, span, part), (samples, size, chunks, pending) in self._changes.items():
            self._connection.execute(
                "INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET samples = samples + excluded.samples, "
                "bytes = bytes + excluded.bytes, chunks = chunks + excluded.chunks, pending = pending + excluded.pending",
                (tier, span, part, samples, size, chunks, pending),
            )
            self._connection.execute(
                "DELETE FROM spans WHERE tier = ? AND span = ? AND part = ? AND chunks <= 0", (tier, span, part)
            )
        self._changes.clear()

    def _change(self, tier: int, span: int, first: int, samples: int, size: int, chunks: int, pending: int) -> None:
        part = window_of(first) if tier == RAW else 0
        change = self._changes.setdefault((tier, span, part), [0, 0, 0, 0])
        for place, amount in enumerate((samples, size, chunks, pending)):
            change[place] += amount


def marks(connection: sqlite3.Connection) -> dict[str, int]:
    """All numbers that the database keeps beside its chunks. Raises `sqlite3.DatabaseError` when one is damaged."""
    rows = connection.execute("SELECT name, value, seal FROM marks").fetchall()
    if any(seal != _mark_seal(name, value) for name, value, seal in rows):
        raise sqlite3.DatabaseError("a mark of the history is damaged")
    return {name: value for name, value, _ in rows}


def mark(connection: sqlite3.Connection, name: str) -> int | None:
    """One of them, None where it has none."""
    return marks(connection).get(name)


def set_mark(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (name, value, _mark_seal(name, value)))


def _mark_seal(name: str, value: int) -> int:
    return zlib.crc32(str(name).encode(), seal_of(value) & 0xFFFFFFFF)


def refs_of(bucket: int, slots: np.typing.NDArray[np.uint8]) -> np.typing.NDArray[np.int64]:
    """The refs of a chunk's series."""
    return bucket * 64 + slots.astype(np.int64)
