"""Giving samples up: what a coarser tier lacks is made of them first, then a span goes as a whole."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from collector.storage.history.chunk_table import (
    COUNT,
    GREATEST,
    HISTOGRAM,
    LAST,
    LEAST,
    SUM,
    ChunkWriter,
    NewChunk,
    mark,
    read_chunks,
    set_mark,
)
from collector.storage.history.codec import GROUP
from collector.storage.history.database import transaction
from collector.storage.history.histograms import HistogramPool
from collector.storage.history.merging import Merger, by_window, histogram_panels
from collector.storage.history.packing import float_chunk, histogram_chunks
from collector.storage.history.pieces import Panel
from collector.storage.history.series_index import SeriesIndex, counters_among
from collector.storage.history.settings import HOURLY, RAW, TIER_SPANS, TIER_STEPS, WINDOW, span_end, span_of
from collector.storage.history.tiers import FIELDS, buckets_of, downsample, downsample_histograms
from monitor.query.history import STALE, Millis, Values, stale_at

_AT_ONCE = 16
Windows = npt.NDArray[np.int64]
Series = dict[int, tuple[Millis, Values]]


class Expirer:
    """Ends spans of tiers."""

    def __init__(self, connection: sqlite3.Connection, merger: Merger, index: SeriesIndex) -> None:
        self._connection, self._merger, self._index = connection, merger, index

    def oldest(self, tier: int) -> int | None:
        """The first span of a tier, None where it has none."""
        row = self._connection.execute("SELECT min(span) FROM spans WHERE tier = ?", (tier,)).fetchone()
        return None if row[0] is None else int(row[0])

    def crowded_out(self, closed: int) -> Iterator[int] | None:
        """Ends the oldest span of the tier with most bytes, of one that lasts still the oldest window that ended by `closed`; of
        the next tier where that has none. None when all there is is being written now. Only an hour a value is left of it.
        """
        rows = self._connection.execute("SELECT tier, min(span) FROM spans GROUP BY tier ORDER BY sum(bytes) DESC").fetchall()
        for tier, span in rows:
            if span_end(tier, span) <= closed:
                return self.end_span(tier, span, HOURLY)
            if tier == RAW:
                window = self._connection.execute("SELECT min(part) FROM spans WHERE tier = 0 AND span = ?", (span,)).fetchone()[
                    0
                ]
                if (window + 1) * WINDOW <= closed:
                    return self._end_window(span, window)
        return None

    def _end_window(self, day: int, window: int) -> Iterator[int]:
        """Gives up a window of a day that is not over."""
        for _ in self._merger.merge_window(window):
            yield 0
        start, end = window * WINDOW + 1, (window + 1) * WINDOW
        rows = [
            row
            for field in (LAST, HISTOGRAM)
            for row in read_chunks(self._connection, RAW, field, [day], self._buckets(RAW, day), start, end)
            if row.last <= end
        ]
        for batch in _batches(sorted({row.bucket for row in rows})):
            self._add([chunk for bucket in batch for chunk in self._coarser_raw(HOURLY, day, bucket, start, end)])
            yield 0
        with transaction(self._connection):
            writer = ChunkWriter(self._connection)
            writer.delete(rows)
            writer.drop_unused_times(RAW, day)
            writer.finish()
            self._raise_floor(RAW, end)
        yield sum(row.samples for row in rows)

    def end_span(self, tier: int, span: int, into: int = RAW) -> Iterator[int]:
        """Gives a span up; yields 0 between its steps and at last how many samples went. `into`: the tier that is made of what
        is in no coarser one yet; by default the next.
        """
        windows = self._connection.execute(
            "SELECT part FROM spans WHERE tier = ? AND span = ? AND pending > 0 ORDER BY part", (tier, span)
        ).fetchall()
        for (window,) in windows:
            for _ in self._merger.merge_window(window) if tier == RAW else self._merger.merge_span(tier, span):
                yield 0
        if tier != HOURLY:
            for buckets in _batches(self._buckets(tier, span)):
                self._add([chunk for bucket in buckets for chunk in self._coarser(tier, into or tier + 1, span, bucket)])
                yield 0
        with transaction(self._connection):
            samples, _ = ChunkWriter(self._connection).drop_span(tier, span)
            self._raise_floor(tier, span_end(tier, span))
            if tier == RAW:
                self._connection.execute("DELETE FROM days WHERE day = ?", (span,))
        yield samples

    def _add(self, chunks: Sequence[NewChunk]) -> None:
        with transaction(self._connection):
            folds = (mark(self._connection, "folds") or 0) + 1
            writer = ChunkWriter(self._connection)
            writer.insert(chunks, folds)
            writer.finish()
            set_mark(self._connection, "folds", folds)

    def _raise_floor(self, tier: int, end: int) -> None:
        floor = mark(self._connection, f"floor_{tier}")
        set_mark(self._connection, f"floor_{tier}", end if floor is None else max(end, floor))

    def _buckets(self, tier: int, span: int) -> list[int]:
        rows = self._connection.execute(
            f"SELECT DISTINCT bucket FROM chunks WHERE tier = ? AND field IN ({LAST}, {HISTOGRAM}) AND span = ? ORDER BY bucket",
            (tier, span),
        )
        return [row[0] for row in rows]

    def _coarser(self, tier: int, into: int, span: int, bucket: int) -> Iterator[NewChunk]:
        """What a coarser tier lacks of a bucket."""
        start, end = span_end(tier, span - 1) + 1, span_end(tier, span)
        if tier == RAW:
            yield from self._coarser_raw(into, span, bucket, start, end)
            return
        floats = [_by_slot(self._panels(tier, field, span, bucket, start, end)[0]) for field in FIELDS]
        there = _windows(self._panels_between(into, LAST, bucket, start, end))
        counters = counters_among(self._index, bucket * GROUP + np.arange(GROUP))
        for slot in floats[0]:
            lacking = {
                field: some
                for field, series in zip(FIELDS, floats, strict=True)
                if slot in series and len((some := _outside(*series[slot], there.get(slot)))[0])
            }
            if LAST in lacking:
                ref = np.array([bucket * GROUP + slot])
                yield from _float_tier(into, ref, lacking, bool(counters[slot]))
        yield from self._coarser_histograms(tier, into, span, bucket)

    def _coarser_raw(self, into: int, day: int, bucket: int, start: int, end: int) -> Iterator[NewChunk]:
        for field in (LAST, HISTOGRAM):
            _, panels, pool = self._merger.panels(RAW, field, day, bucket, start, end)
            for panel in panels:
                for _, part in by_window(panel):
                    yield from self._merger.coarser(field, bucket, part, pool, lacking=into)

    def _coarser_histograms(self, tier: int, into: int, span: int, bucket: int) -> Iterator[NewChunk]:
        start, end = span_end(tier, span - 1) + 1, span_end(tier, span)
        panels, pool = self._panels(tier, HISTOGRAM, span, bucket, start, end)
        there = _windows(self._panels_between(into, HISTOGRAM, bucket, start, end))
        for panel in panels:
            for at, slot in enumerate(panel.rows.tolist()):
                times, numbers = _outside(panel.times, panel.values[at], there.get(slot))
                if not len(times):
                    continue
                for part, histograms in histogram_panels(Panel(panel.rows[at : at + 1], times, numbers[np.newaxis]), pool):
                    for _, stamps, columns in downsample_histograms(part.times, part.values, histograms, TIER_STEPS[into]):
                        ref = np.array([bucket * GROUP + slot])
                        yield from histogram_chunks(into, span_of(into, int(stamps[-1])), ref, stamps, columns)

    def _panels(self, tier: int, field: int, span: int, bucket: int, start: int, end: int) -> tuple[list[Panel], HistogramPool]:
        _, panels, pool = self._merger.panels(tier, field, span, bucket, start, end)
        return panels, pool

    def _panels_between(self, tier: int, field: int, bucket: int, start: int, end: int) -> list[Panel]:
        return [
            panel
            for span in range(span_of(tier, start), span_of(tier, end) + 1)
            for panel in self._panels(tier, field, span, bucket, start, end)[0]
        ]


def _batches(buckets: Sequence[int]) -> Iterator[Sequence[int]]:
    for begin in range(0, len(buckets), _AT_ONCE):
        yield buckets[begin : begin + _AT_ONCE]


def _by_slot(panels: Sequence[Panel]) -> Series:
    return {slot: (panel.times, panel.values[at]) for panel in panels for at, slot in enumerate(panel.rows.tolist())}


def _windows(panels: Sequence[Panel]) -> dict[int, Windows]:
    """By slot, the windows in which there is something."""
    found: dict[int, Windows] = {}
    for panel in panels:
        windows = np.unique((panel.times - 1) // WINDOW)
        for slot in panel.rows.tolist():
            found[slot] = np.union1d(found[slot], windows) if slot in found else windows
    return found


def _outside(times: Millis, values: Values, windows: Windows | None) -> tuple[Millis, Values]:
    """Samples that are in none of those windows."""
    if windows is None:
        return times, values
    kept = ~np.isin((times - 1) // WINDOW, windows)
    return times[kept], values.view(np.uint64)[kept].view(np.float64)


def _float_tier(tier: int, ref: npt.NDArray[np.int64], fields: Series, counter: bool) -> Iterator[NewChunk]:
    """The next tier of one series out of the fields of a finer one; fields that are not there equal the last (a count: 1)."""
    step = TIER_STEPS[tier]
    last_times, last = fields[LAST]
    for begin, behind in _spans(tier, last_times):
        times, values = last_times[begin:behind], last[np.newaxis, begin:behind]
        for made in downsample(times, values, step, np.array([counter])):
            if made.field == LAST:
                yield float_chunk(tier, LAST, span_of(tier, int(times[-1])), ref, made.times, made.values)
    if counter:
        return
    for field, gather in ((LEAST, np.fmin), (GREATEST, np.fmax), (SUM, np.add), (COUNT, np.add)):
        field_times, column = fields.get(field) or (last_times, np.ones(len(last)) if field == COUNT else last)
        for begin, behind in _spans(tier, field_times):
            begins, ends = buckets_of(field_times[begin:behind], step)
            part = column[begin:behind]
            marked = stale_at(part)
            nothing = np.add.reduceat(~marked, begins, dtype=np.int64) == 0
            filled = np.where(marked, 0.0 if gather is np.add else np.nan, part)
            gathered = gather.reduceat(filled, begins)
            gathered[nothing] = STALE
            yield float_chunk(tier, field, span_of(tier, int(ends[-1])), ref, ends, gathered[np.newaxis])


def _spans(tier: int, times: Millis) -> list[tuple[int, int]]:
    """Where times pass from one span of a tier to the next."""
    bounds = [0, *(np.flatnonzero(np.diff((times - 1) // TIER_SPANS[tier])) + 1).tolist(), len(times)]
    return list(itertools.pairwise(bounds))
