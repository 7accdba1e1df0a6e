"""Deleting samples: hidden at once by a tombstone, then rewritten chunk by chunk until none has them.

A tombstone names the chunks that had samples of it when it was laid, so that what is written later into the same time lives. Of a
tier every bucket goes that a deleted sample may have been in; where raw samples are left, their windows are made tiers of anew.
"""

from __future__ import annotations

import sqlite3

import numpy as np

from collector.storage.history.chunk_table import FIELDS_SQL
from collector.storage.history.codec import GROUP, DamagedChunkError, opened, sealed, slots_of
from collector.storage.history.database import transaction
from collector.storage.history.loading import Tombstone
from collector.storage.history.pieces import Rows
from collector.storage.history.settings import TIER_STEPS, span_of

_HEAD_BYTES = 6 + GROUP
_FEW = 400


def lay_tombstone(connection: sqlite3.Connection, refs: Rows, start: int, end: int) -> int:
    """Hides the samples of sorted refs in [start, end], in one transaction; how many chunks hold some."""
    doomed: list[tuple[int, ...]] = []
    for tier, step in enumerate(TIER_STEPS):
        last = end if not step else -(-end // step) * step
        doomed += _chunks_with(connection, refs, tier, start, last)
    if not doomed:
        return 0
    with transaction(connection):
        cursor = connection.execute(
            "INSERT INTO tombstones (first, last, refs) VALUES (?, ?, ?)", (start, end, sealed(refs.tobytes(), start, end))
        )
        number = cursor.lastrowid or 0
        connection.executemany("INSERT INTO doomed VALUES (?, ?, ?, ?, ?, ?)", [(*key, number) for key in doomed])
    return len(doomed)


def _chunks_with(connection: sqlite3.Connection, refs: Rows, tier: int, start: int, end: int) -> list[tuple[int, ...]]:
    """Keys of the chunks of a tier that have any of the series in [start, end]."""
    found: list[tuple[int, ...]] = []
    buckets = np.unique(refs // GROUP).tolist()
    for begin in range(0, len(buckets), _FEW):
        some = ", ".join(map(str, buckets[begin : begin + _FEW]))
        rows = connection.execute(
            f"SELECT tier, field, span, bucket, part, substr(data, 1, {_HEAD_BYTES}) FROM chunks "
            f"WHERE tier = ? AND field IN ({FIELDS_SQL}) AND span BETWEEN ? AND ? "
            f"AND bucket IN ({some}) AND last >= ? AND first <= ?",
            (tier, max(span_of(tier, start), -(1 << 62)), span_of(tier, end), start, end),
        )
        found += [tuple(key) for *key, head in rows if np.isin(key[3] * GROUP + slots_of(head).astype(np.int64), refs).any()]
    return found


def doomed_buckets(connection: sqlite3.Connection) -> list[tuple[int, int, list[int]]]:
    """Tier, span and buckets of chunks that still hold deleted samples: raw ones first, which the tiers are made of."""
    found: dict[tuple[int, int], list[int]] = {}
    for tier, span, bucket in connection.execute("SELECT DISTINCT tier, span, bucket FROM doomed ORDER BY tier, span, bucket"):
        found.setdefault((tier, span), []).append(bucket)
    return [
        (tier, span, buckets[begin : begin + 16])
        for (tier, span), buckets in found.items()
        for begin in range(0, len(buckets), 16)
    ]


def end_tombstones(connection: sqlite3.Connection) -> Tombstone | None:
    """Takes away a tombstone that hides nothing any more; None when there is none."""
    row = connection.execute(
        "SELECT id, first, last, refs FROM tombstones WHERE id NOT IN (SELECT tombstone FROM doomed) LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    try:
        refs = np.frombuffer(opened(row[3], row[1], row[2]), np.int64)
    except DamagedChunkError:
        refs = np.empty(0, np.int64)
    with transaction(connection):
        connection.execute("DELETE FROM tombstones WHERE id = ?", (row[0],))
    return Tombstone(row[1], row[2], refs)


def without_samples(connection: sqlite3.Connection, refs: Rows) -> Rows:
    """Which of these series are in no chunk."""
    left = np.ones(len(refs), bool)
    buckets = np.unique(refs // GROUP).tolist()
    spans = connection.execute("SELECT DISTINCT tier, span FROM spans").fetchall()
    for begin in range(0, len(buckets), _FEW):
        some = ", ".join(map(str, buckets[begin : begin + _FEW]))
        for tier, span in spans:
            rows = connection.execute(
                f"SELECT bucket, substr(data, 1, {_HEAD_BYTES}) FROM chunks "
                f"WHERE tier = ? AND field IN ({FIELDS_SQL}) AND span = ? AND bucket IN ({some})",
                (tier, span),
            )
            for bucket, head in rows:
                left &= ~np.isin(refs, bucket * GROUP + slots_of(head).astype(np.int64))
    return refs[left]
