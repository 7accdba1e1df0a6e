"""Native histograms, which count since their beginning, to what was observed since the one before, in the product's own bins.

Of a schema from 6 up this is exact: its buckets are whole parts of the bins (scale 6). A bucket of a coarser schema or of custom
bounds (schema -53) is spread over the bins within it (`monitor.windows.spread`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.receivers.remote_write.found import Refused
from monitor.model.batch import Floats, HistogramBatch, Ids
from monitor.model.series import KeySpace
from monitor.query.histogram import Hint, Histogram, Layout, Stack
from monitor.query.histogram_math import cell, subtract
from monitor.query.histogram_rate import is_reset
from monitor.query.history import stale_at
from monitor.windows.bins import middles_of
from monitor.windows.spread import PLACES, explicit_bins, most_bins, shares, spread

MOST_BUCKETS = 4_000_000
"""Remembered of all series; those that said nothing longest are forgotten first."""
MOST_BINS = 2_000_000
"""Of one request."""


@dataclass(slots=True)
class HistogramCounters:
    """What became of histograms: those that were `taken`, `unordered` ones that were not newer than the last, gauges."""

    taken: int = 0
    unordered: int = 0
    gauges: int = 0
    forgotten: int = 0


class HistogramReadings:
    """The last histogram of each series of one key space."""

    def __init__(self, space: KeySpace, counters: HistogramCounters) -> None:
        self.space = space
        self._counters = counters
        self._last: dict[int, tuple[int, Histogram | None]] = {}
        self._buckets = 0

    def take(
        self, found: Sequence[tuple[int, int, Histogram]], refused: Refused
    ) -> tuple[list[HistogramBatch], int, Callable[[], None]]:
        """Of ids, times (milliseconds) and histograms: a batch (or none), how many were taken, and what makes all as it was."""
        before: dict[int, tuple[int, Histogram | None] | None] = {}
        bins: list[tuple[Ids, Floats]] = []
        rows: list[tuple[int, float, float]] = []
        taken = made = 0
        for number, time, histogram in sorted(found, key=lambda one: one[:2]):  # a histogram is an object already
            last = self._last.get(number)
            if last is not None and time <= last[0]:
                self._counters.unordered += 1
                continue
            if histogram.hint is Hint.GAUGE:
                self._counters.gauges += 1
                refused.note(f"{self.space.keys[number].label()[:300]}: gauge histograms are not supported", samples=1)
                continue
            before.setdefault(number, last)
            is_marker = bool(stale_at(np.array([histogram.sum]))[0])
            self._remember(number, time, None if is_marker else histogram)
            taken += 1
            if is_marker or last is None or last[1] is None:
                continue
            counts, total = increase(last[1], histogram)
            made += _width(counts)
            if made > MOST_BINS:
                refused.note(f"the histograms of the request fill more than {MOST_BINS} bins; send it in parts", samples=1)
                continue
            bins.append(in_bins(counts))
            rows.append((number, time / 1000.0, total if np.isfinite(total) else float(middles_of(bins[-1][0]) @ bins[-1][1])))
        self._counters.taken += taken
        self._forget_longest()
        return ([self._batch(rows, bins)] if rows else []), taken, lambda: self._undo(before)

    def _batch(self, rows: list[tuple[int, float, float]], bins: list[tuple[Ids, Floats]]) -> HistogramBatch:
        numbers, times, sums = zip(*rows, strict=True)
        offsets = np.cumsum([0] + [len(each) for each, _ in bins], dtype=np.int64)
        return HistogramBatch(
            self.space,
            np.array(numbers, np.int32),
            np.array(times, np.float64),
            offsets,
            np.concatenate([each for each, _ in bins]),
            np.concatenate([counts for _, counts in bins]),
            np.array(sums, np.float64),
        )

    def _remember(self, number: int, time: int, histogram: Histogram | None) -> None:
        old = self._last.pop(number, None)  # to the end: it said something last
        self._buckets += _size(histogram) - (_size(old[1]) if old is not None else 0)
        self._last[number] = time, histogram

    def _forget_longest(self) -> None:
        while self._buckets > MOST_BUCKETS and self._last:
            _, histogram = self._last.pop(next(iter(self._last)))
            self._buckets -= _size(histogram)
            self._counters.forgotten += 1

    def _undo(self, before: dict[int, tuple[int, Histogram | None] | None]) -> None:
        for number, last in before.items():
            old = self._last.pop(number, None)
            self._buckets -= _size(old[1]) if old is not None else 0
            if last is not None:
                self._remember(number, *last)


def _size(histogram: Histogram | None) -> int:
    return 1 + (histogram.layout.width if histogram is not None else 0)


def increase(before: Histogram, after: Histogram) -> tuple[Stack, float]:
    """What was observed between the two, one row, and its sum: all of `after` where counting began anew."""
    if after.layout.same(before.layout):
        counts = after.counts - before.counts
        if after.hint is not Hint.RESET and after.count >= before.count and bool((counts >= 0).all()):
            return _row(after.layout, counts), after.sum - before.sum
        return _row(after.layout, after.counts), after.sum
    difference = None if is_reset(before, after) else subtract(cell(after), cell(before)).cells[0]
    if difference is None:
        return _row(after.layout, after.counts), after.sum
    return _row(difference.layout, np.maximum(difference.counts, 0.0)), difference.sum


def _row(layout: Layout, counts: Floats) -> Stack:
    nothing = np.zeros(1)
    return Stack(
        layout, np.where(np.isfinite(counts), np.maximum(counts, 0.0), 0.0)[np.newaxis], nothing, nothing, np.zeros(1, np.int8)
    )


def _width(stack: Stack) -> int:
    """How many bins `in_bins` fills at most."""
    return int(np.count_nonzero(stack.counts)) * (PLACES if stack.layout.custom else most_bins(stack.layout.schema))


def in_bins(stack: Stack) -> tuple[Ids, Floats]:
    """One row in bins, int32 rising, and their counts above 0."""
    if stack.layout.custom:
        bounds = np.nan_to_num(stack.layout.custom_values)
        dealt = shares(np.delete(stack.counts[0], stack.layout.zero))
        return _gathered(explicit_bins(bounds)[stack.layout.positive].ravel(), dealt.ravel())
    layout, counts = stack.layout, stack.counts[0]
    sides = np.concatenate((layout.negative[::-1], layout.positive)).astype(np.int64)
    aside = np.delete(counts, layout.zero)
    found = spread(sides - 1, np.full(len(sides), layout.schema, np.int64), aside)
    bins = np.where(found.bucket < layout.zero, -found.bins, found.bins)
    return _gathered(np.append(bins, 0), np.append(found.counts, counts[layout.zero]))


def _gathered(bins: npt.NDArray[np.int64] | Ids, counts: Floats) -> tuple[Ids, Floats]:
    kept = counts > 0
    found, places = np.unique(bins[kept].astype(np.int32), return_inverse=True)
    return found, np.bincount(places, counts[kept], len(found)).astype(np.float64)
