"""Coarser tiers: what is kept of the samples in a bucket of 10 s, a minute or an hour.

Buckets are left-open, right-closed and stamped with their end: what is stamped t is what an instant query at t sees. Of a gauge
the last, the least, the greatest, the sum and the count are kept; a bucket without a number has staleness markers there. Of a
counter the last is kept, and as they came the samples on both sides of each reset and the first one of a window (the reset may
lie between windows), so that increase and rate lose nothing. Where a marker ends a bucket, the last number before it is kept as
it came. Of a histogram that counts since the one before the sum is kept, of others what is kept of a counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from collector.storage.history.chunk_table import COUNT, GREATEST, LAST, LEAST, SUM
from collector.storage.history.histograms import HistogramColumns
from collector.storage.history.pieces import Rows
from monitor.query.history import STALE, Mask, Millis, Values, stale_at

EAGER = 8
"""A tier is written at once only where it has at least this many times fewer samples than came in."""
FIELDS = (LAST, LEAST, GREATEST, SUM, COUNT)


@dataclass(frozen=True, slots=True, eq=False)
class TierPanel:
    """A field of series that share their times: `rows` int64[S] of the panel it is made of, `times` int64[T], `values` [S, T]."""

    field: int
    rows: Rows
    times: Millis
    values: Values


def buckets_of(times: Millis, step: int) -> tuple[Rows, Millis]:
    """Where each bucket begins in rising times, and the ends of the buckets."""
    ends = -(-times // step) * step
    begins = np.flatnonzero(np.append(True, np.diff(ends) != 0))
    return begins, ends[begins]


def eager(times: Millis, step: int) -> bool:
    """Whether a tier of this step is written with the samples and not only when they expire."""
    return len(times) >= EAGER * len(buckets_of(times, step)[0])


def downsample(times: Millis, values: Values, step: int, counters: Mask, whole: bool = False) -> Iterator[TierPanel]:
    """What a tier keeps of float64[S, T]. `counters` bool[S]. Fields that equal the last one (or a count of one) are left out
    unless `whole`: where they are read, the last one stands for them.
    """
    begins, ends = buckets_of(times, step)
    closing = np.append(begins[1:], len(times)) - 1
    last = _bits(values, closing)
    nans: Mask = np.any(np.isnan(values), axis=1)
    falls: Mask = np.any(values[:, 1:] < values[:, :-1], axis=1)
    plain: Mask = ~(nans | (counters & falls))
    yield from _last_panels(times, values, ends, closing, last, counters, plain)
    gauges = np.flatnonzero(~counters)
    if len(gauges):
        yield from _aggregates(values[gauges], gauges, begins, ends, last[gauges], nans[gauges], whole)


def _last_panels(
    times: Millis, values: Values, ends: Millis, closing: Rows, last: Values, counters: Mask, plain: Mask
) -> Iterator[TierPanel]:
    gauges = np.flatnonzero(plain & ~counters)
    if len(gauges):
        yield TierPanel(LAST, gauges, ends, _bits(last, gauges, 0))
    steady = np.flatnonzero(plain & counters)
    if len(steady):
        extra = times[0] < ends[0] and closing[0] > 0
        yield TierPanel(
            LAST,
            steady,
            np.append(times[:1], ends) if extra else ends,
            np.concatenate((values[steady, :1], last[steady]), axis=1) if extra else last[steady],
        )
    for row in np.flatnonzero(~plain).tolist():  # series with resets or markers, each with times of its own
        kept = extra_samples(times, values[row], ends, closing, bool(counters[row]))
        stamps = np.concatenate((times[kept], ends))
        order = np.argsort(stamps, kind="stable")
        both = np.concatenate((values[row].view(np.uint64)[kept], last[row].view(np.uint64)))
        yield TierPanel(LAST, np.array([row]), stamps[order], both[order].view(np.float64)[np.newaxis])


def extra_samples(times: Millis, values: Values, ends: Millis, closing: Rows, counter: bool) -> Rows:
    """Positions of the samples of one series that are kept beside the last of each bucket."""
    real = np.flatnonzero(~stale_at(values))
    marked = closing[stale_at(values[closing])]
    before = real[np.searchsorted(real, marked) - 1] if len(real) else real
    kept = before[before < marked] if len(real) else real
    if counter and len(real):
        falls = np.flatnonzero(values[real[1:]] < values[real[:-1]])
        kept = np.concatenate((kept, real[:1], real[falls], real[falls + 1]))
    kept = np.unique(kept)
    # What stands at a bucket's end already, or closes its bucket, is there as its last.
    return kept[~np.isin(times[kept], ends) & ~np.isin(kept, closing)]


def _aggregates(
    values: Values, rows: Rows, begins: Rows, ends: Millis, last: Values, nans: Mask, whole: bool
) -> Iterator[TierPanel]:
    marked = stale_at(values) if nans.any() else None
    if marked is None or not marked.any():
        counts = np.broadcast_to(np.diff(np.append(begins, values.shape[1])).astype(np.float64), last.shape)
        found = {
            LEAST: np.fmin.reduceat(values, begins, axis=1),
            GREATEST: np.fmax.reduceat(values, begins, axis=1),
            SUM: np.add.reduceat(values, begins, axis=1),
            COUNT: counts,
        }
    else:
        counts = np.add.reduceat(~marked, begins, axis=1, dtype=np.float64)
        nothing = counts == 0
        unmarked = np.where(marked, np.nan, values)
        found = {
            LEAST: np.fmin.reduceat(unmarked, begins, axis=1),
            GREATEST: np.fmax.reduceat(unmarked, begins, axis=1),
            SUM: np.add.reduceat(np.where(marked, 0.0, values), begins, axis=1),
            COUNT: counts,
        }
        for field, column in found.items():
            found[field] = column = np.array(column)
            column[nothing] = STALE
    for field, column in found.items():
        same = np.ones(1) if field == COUNT else last
        needed = np.flatnonzero((column != same).any(axis=1) | whole | nans)
        if len(needed):
            yield TierPanel(field, rows[needed], ends, _bits(np.ascontiguousarray(column), needed, 0))


def downsample_histograms(
    times: Millis, numbers: Values, columns: HistogramColumns, step: int
) -> Iterator[tuple[Rows, Millis, HistogramColumns]]:
    """What a tier keeps of histograms: rows, times and the histograms, row after row. `numbers` float64[S, T] count `columns`,
    which stand row after row.
    """
    begins, ends = buckets_of(times, step)
    closing = np.append(begins[1:], len(times)) - 1
    series = np.arange(len(numbers))
    if columns.layout.delta:
        bucket = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(times))))
        groups = (series[:, np.newaxis] * len(begins) + bucket).ravel()
        yield series, ends, columns.summed(groups, len(series) * len(begins))
        return
    totals = columns.totals().reshape(numbers.shape)
    places = np.arange(numbers.size).reshape(numbers.shape)
    for row in series.tolist():
        kept = extra_samples(times, totals[row], ends, closing, not columns.layout.gauge)
        stamps = np.concatenate((times[kept], ends))
        order = np.argsort(stamps, kind="stable")
        yield np.array([row]), stamps[order], columns.take(places[row][np.concatenate((kept, closing))[order]])


def _bits(values: Values, index: Rows, axis: int = 1) -> Values:
    picked: Values = np.ascontiguousarray(np.take(values.view(np.uint64), index, axis=axis)).view(np.float64)
    return picked
