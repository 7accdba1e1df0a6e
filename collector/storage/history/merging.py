"""Background work on chunks: fresh samples become chunks, small chunks become large ones, and coarser tiers are made of them.

Each step is one transaction, or several of which every prefix is a valid state: a kill at any moment loses and doubles nothing.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.storage.history.chunk_table import (
    FIELDS_SQL,
    HISTOGRAM,
    LAST,
    MERGED,
    ChunkRow,
    ChunkWriter,
    NewChunk,
    TimesCache,
    mark,
    read_chunks,
    set_mark,
)
from collector.storage.history.codec import GROUP, Stay
from collector.storage.history.columns import sorted_columns
from collector.storage.history.database import transaction
from collector.storage.history.head import Run
from collector.storage.history.histograms import HistogramColumns, HistogramPool, joined
from collector.storage.history.loading import Loader, tombstones
from collector.storage.history.newest import Newest
from collector.storage.history.packing import float_chunk, histogram_chunks, pack_run
from collector.storage.history.pieces import Panel
from collector.storage.history.series_index import SeriesIndex, counters_among
from collector.storage.history.settings import DAY, RAW, TIER_STEPS, WINDOW, span_of, window_of
from collector.storage.history.tiers import FIELDS, downsample, downsample_histograms, eager

_AT_ONCE = 16
"""Buckets a transaction of merging."""
_FIELDS = (*FIELDS, HISTOGRAM)
_EVER = (-(1 << 62), 1 << 62)
"""No chunk begins before or ends after."""
_LONGEST = 8192
"""Samples of a series that are still decoded at once for an hour of them."""


@dataclass
class MergeCounters:
    """What background work has done since the start."""

    folds: int = 0
    folded_samples: int = 0
    duplicate_samples: int = 0
    merged_chunks: int = 0
    damaged_chunks: int = 0
    problems: list[str] = field(default_factory=list)


def fold(connection: sqlite3.Connection, runs: Sequence[Run], newest: Newest, counters: MergeCounters) -> int:
    """Writes all samples of the runs as chunks, and that they are there, in one transaction; the journal number reached."""
    number = max(run.number for run in runs)
    chunks: list[NewChunk] = []
    replaced = sum(run.replaced for run in runs)
    for kind in dict.fromkeys(None if run.histograms is None else run.histograms.layout for run in runs):
        same = [run for run in runs if (None if run.histograms is None else run.histograms.layout) == kind]
        histograms = None
        parts = [run.columns for run in same]
        if kind is not None:
            histograms = joined([run.histograms for run in same if run.histograms is not None])
            bases = np.cumsum([0] + [len(run.histograms) for run in same if run.histograms is not None])
            parts = [part.with_values(part.values + base) for part, base in zip(parts, bases[:-1], strict=True)]
        columns, again = sorted_columns(parts)
        replaced += again
        chunks += pack_run(columns, histograms)
    blocks: list[int] = []
    try:
        with transaction(connection):
            folds = (mark(connection, "folds") or 0) + 1
            writer = ChunkWriter(connection)
            writer.insert(chunks, folds)
            writer.finish()
            blocks = newest.save(connection)
            set_mark(connection, "folds", folds)
            set_mark(connection, "folded", number)
    except BaseException:
        newest.not_saved(blocks)
        raise
    counters.folds += 1
    counters.folded_samples += sum(chunk.samples for chunk in chunks)
    counters.duplicate_samples += replaced
    return number


def unmerged_buckets(connection: sqlite3.Connection, tier: int, span: int, start: int, end: int) -> list[int]:
    """Buckets of a span with parts in [start, end] that are not merged yet."""
    rows = connection.execute(
        f"SELECT DISTINCT bucket FROM chunks WHERE tier = ? AND field IN ({FIELDS_SQL}) AND span = ? AND part >= ? "
        "AND first BETWEEN ? AND ? ORDER BY bucket",
        (tier, span, MERGED, start, end),
    )
    return [row[0] for row in rows]


class Merger:
    """Merges the chunks of a span (of raw samples: of a window) bucket by bucket. `index` tells counters from gauges."""

    def __init__(
        self, connection: sqlite3.Connection, times_cache: TimesCache, index: SeriesIndex, counters: MergeCounters
    ) -> None:
        self._connection, self._times_cache, self._index, self._counters = connection, times_cache, index, counters

    def merge_window(self, window: int) -> Iterator[None]:
        """Merges what is raw in a window, some buckets at a time; yields where others may have their turn."""
        start, end = window * WINDOW + 1, (window + 1) * WINDOW
        return self._merge_all(RAW, span_of(RAW, end), start, end)

    def merge_span(self, tier: int, span: int) -> Iterator[None]:
        """Merges everything of a tier in a span."""
        return self._merge_all(tier, span, *_EVER)

    def merge_day(self, day: int) -> Iterator[None]:
        """Makes one chunk of the windows of a day wherever its series are not too long for that."""
        rows = self._connection.execute(
            "SELECT bucket FROM chunks WHERE tier = 0 AND field = 0 AND span = ? GROUP BY bucket "
            "HAVING count(*) > 1 AND max(samples) * 6 <= ? ORDER BY bucket",
            (day, GROUP * _LONGEST),
        )
        buckets = [row[0] for row in rows]
        for begin in range(0, len(buckets), _AT_ONCE):
            self.merge(RAW, day, buckets[begin : begin + _AT_ONCE], *_EVER)
            yield
        with transaction(self._connection):
            self._finish(RAW, day)
            self._connection.execute("INSERT OR IGNORE INTO days VALUES (?)", (day,))

    def _merge_all(self, tier: int, span: int, start: int, end: int) -> Iterator[None]:
        buckets = unmerged_buckets(self._connection, tier, span, start, end)
        for begin in range(0, len(buckets), _AT_ONCE):
            self.merge(tier, span, buckets[begin : begin + _AT_ONCE], start, end)
            yield
        with transaction(self._connection):
            self._finish(tier, span)

    def most_parts(self, tier: int, span: int) -> int:
        """How many unmerged parts the bucket with most has."""
        row = self._connection.execute(
            "SELECT max(parts) FROM (SELECT count(*) AS parts FROM chunks "
            f"WHERE tier = ? AND field IN ({FIELDS_SQL}) AND span = ? AND part >= ? GROUP BY field, bucket)",
            (tier, span, MERGED),
        ).fetchone()
        return int(row[0] or 0)

    def rewrite(self, tier: int, span: int, buckets: Sequence[int]) -> None:
        """Merges all that some buckets have of a span, without what is deleted."""
        self.merge(tier, span, buckets, *_EVER)

    def _finish(self, tier: int, span: int) -> None:
        writer = ChunkWriter(self._connection)
        writer.drop_unused_times(tier, span)
        writer.finish()

    def merge(self, tier: int, span: int, buckets: Sequence[int], start: int, end: int) -> None:
        """Makes of all parts of these buckets in [start, end] one chunk a group of equal times; and of raw samples that were not
        merged before the tiers that are made at once.
        """
        removed: list[ChunkRow] = []
        merged: list[NewChunk] = []
        coarser: list[NewChunk] = []
        for bucket in buckets:
            for column in _FIELDS if tier else (LAST, HISTOGRAM):
                rows, panels, pool = self.panels(tier, column, span, bucket, start, end)
                if not rows:
                    continue
                removed += rows
                self._counters.duplicate_samples += sum(panel.replaced for panel in panels)
                fresh = {window_of(row.first) for row in rows if row.part >= MERGED or row[:5] in self._doomed}
                again = any(row.part < MERGED for row in rows)
                for panel in panels:
                    merged += self._chunks(tier, column, span, bucket, panel, pool)
                    for window, part in by_window(panel) if tier == RAW else ():
                        if window in fresh:
                            coarser += self.coarser(column, bucket, part, pool, whole=again)
        with transaction(self._connection):
            folds = (mark(self._connection, "folds") or 0) + 1
            writer = ChunkWriter(self._connection)
            writer.delete(removed)
            writer.insert(merged, 0)
            writer.insert(coarser, folds)
            writer.finish()
            set_mark(self._connection, "folds", folds)
            self._connection.executemany(
                "DELETE FROM doomed WHERE tier = ? AND field = ? AND span = ? AND bucket = ? AND part = ?",
                [row[:5] for row in removed],
            )
        self._counters.merged_chunks += len(merged)

    def panels(
        self, tier: int, field: int, span: int, bucket: int, start: int, end: int
    ) -> tuple[list[ChunkRow], list[Panel], HistogramPool]:
        """The chunks of a bucket's field in a span with samples in [start, end], and all they hold (rows: six bits of refs)."""
        rows = list(read_chunks(self._connection, tier, field, [span], [bucket], start, end))
        if rows and (rows[0].first < start or max(row.last for row in rows) > end):  # a merged day has a late sample
            rows = list(read_chunks(self._connection, tier, field, [span], [bucket], *_EVER))
        pool = HistogramPool()
        self._doomed = tombstones(self._connection)
        loader = Loader(bucket * GROUP + np.arange(GROUP), self._times_cache, pool, self._doomed)
        panels = loader.assembled(loader.pieces(self._connection, rows)) if rows else []
        self._counters.damaged_chunks += loader.damaged
        self._counters.problems += loader.problems
        return rows, panels, pool

    def coarser(
        self, field: int, bucket: int, panel: Panel, pool: HistogramPool, whole: bool = False, lacking: int = RAW
    ) -> Iterator[NewChunk]:
        """Tiers of a raw panel: those that are made at once; or the tier `lacking`, where it is not one of those."""
        for tier in (lacking,) if lacking else range(1, len(TIER_STEPS)):
            if eager(panel.times, TIER_STEPS[tier]) == (lacking == RAW):
                yield from self._downsampled(tier, field, bucket, panel, pool, whole)

    def _downsampled(
        self, tier: int, field: int, bucket: int, panel: Panel, pool: HistogramPool, whole: bool
    ) -> Iterator[NewChunk]:
        step = TIER_STEPS[tier]
        if field == HISTOGRAM:
            for part, histograms in histogram_panels(panel, pool):
                for rows, times, columns in downsample_histograms(part.times, part.values, histograms, step):
                    refs = bucket * GROUP + part.rows[rows]
                    yield from histogram_chunks(tier, span_of(tier, int(times[-1])), refs, times, columns)
            return
        refs = bucket * GROUP + panel.rows
        for made in downsample(panel.times, panel.values, step, counters_among(self._index, refs), whole):
            span = span_of(tier, int(made.times[-1]))
            yield float_chunk(tier, made.field, span, refs[made.rows], made.times, made.values)

    def _chunks(self, tier: int, field: int, span: int, bucket: int, panel: Panel, pool: HistogramPool) -> Iterator[NewChunk]:
        if field != HISTOGRAM:
            in_a_day = len(panel.times) * (DAY // WINDOW) <= _LONGEST and window_of(panel.times[0]) == window_of(panel.times[-1])
            stay = Stay.HOURS if tier == RAW and in_a_day else Stay.LASTING
            yield float_chunk(tier, field, span, bucket * GROUP + panel.rows, panel.times, panel.values, stay)
            return
        for part, histograms in histogram_panels(panel, pool):
            yield from histogram_chunks(tier, span, bucket * GROUP + part.rows, part.times, histograms)


def by_window(panel: Panel) -> Iterator[tuple[int, Panel]]:
    """A raw panel cut into windows."""
    windows = (panel.times - 1) // WINDOW
    bounds = [0, *(np.flatnonzero(np.diff(windows)) + 1).tolist(), len(windows)]
    for begin, behind in itertools.pairwise(bounds):
        yield int(windows[begin]), Panel(panel.rows, panel.times[begin:behind], panel.values[:, begin:behind])


def histogram_panels(panel: Panel, pool: HistogramPool) -> Iterator[tuple[Panel, HistogramColumns]]:
    """A panel of numbers and the histograms they stand for, numbered anew from 0 row after row; of mixed layouts in parts."""
    found = pool.by_layout(panel.values.ravel())
    if len(found) == 1:
        yield (
            Panel(panel.rows, panel.times, np.arange(panel.values.size, dtype=np.float64).reshape(panel.values.shape)),
            found[0][1],
        )
        return
    for places, columns in found:
        rows, positions = np.divmod(places, len(panel.times))
        for row in np.unique(rows).tolist():
            here = np.flatnonzero(rows == row)
            numbers = np.arange(len(here), dtype=np.float64)[np.newaxis]
            yield Panel(panel.rows[row : row + 1], panel.times[positions[here]], numbers), columns.take(here)
