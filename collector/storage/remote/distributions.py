"""Distributions as receivers take them: running totals of native histograms, or classic buckets where those are not known.

What was observed in each second is added up here from the start of the process on; a restart is the counter reset it looks like.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from collector.storage.remote.packing import Bins, Columns, Floats, Longs
from monitor.model.matchers import NAME_TAG
from monitor.query.histogram import NO_BOUNDS, Histogram, Layout, Stack, bounds_of
from monitor.query.histogram_layout import reduced
from monitor.query.history import STALE, Cells, Labels
from monitor.query.notes import go_float
from monitor.windows.bins import SCALE, ZERO_INDEX

MOST_BUCKETS = 160
"""Of a native histogram: Mimir's limit unless told otherwise, and what OpenTelemetry's histograms have."""
CLASSIC_SCHEMA = 2
"""The finest that classic buckets are made in: four to a doubling, so each bound is 1.19 of the one before."""
MOST_BOUNDS = 64
"""Classic buckets of one distribution, each a series of its own: sixteen doublings in the finest schema."""
_COARSEST = -4


@dataclass(slots=True)
class _Running:
    """Totals of one distribution. `schema`: as fine as its native histograms still are; a coarser one stays."""

    bins: Bins = field(default_factory=lambda: np.empty(0, np.int32))
    counts: Floats = field(default_factory=lambda: np.empty(0))
    sum: float = 0.0
    time: int | None = None
    schema: int = SCALE
    classic: int = CLASSIC_SCHEMA
    told: frozenset[str] = frozenset()
    """Bounds that classic buckets were sent for."""


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """One distribution's running totals in a batch: `times` int64 [k]; `stack` [k + 1], row 0 what they were at `before`, the
    time of the last that was sent (None: none was).
    """

    ref: int
    times: Longs
    stack: Stack
    before: int | None


class Distributions:
    """The running totals of all distributions, by ref."""

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}

    def clear(self) -> None:
        """Refs mean other series from here on."""
        self._running.clear()

    def grown(self, columns: Columns) -> Iterator[Grown]:
        """Adds a batch's increments. What comes late for its series is in the totals of the next time that is sent."""
        order = np.lexsort((columns.drawn_times, columns.drawn_refs))
        refs = columns.drawn_refs[order]
        if not len(refs):
            return
        starts = np.flatnonzero(np.diff(refs, prepend=np.int64(-1)))
        # A step a distribution: each has buckets of its own.
        for begin, end in itertools.pairwise([*starts.tolist(), len(refs)]):
            yield self._add(int(refs[begin]), columns, order[begin:end])

    def _add(self, ref: int, columns: Columns, picked: Longs) -> Grown:
        running = self._running.setdefault(ref, _Running())
        sizes = np.diff(columns.offsets)[picked]
        at = np.repeat(columns.offsets[picked], sizes) + _within(sizes)
        stamps = columns.drawn_times[picked]
        times = np.unique(stamps if running.time is None else stamps[stamps > running.time])
        # What is late goes with the first time there is; without any it waits in the totals.
        rows = np.searchsorted(times, stamps) + 1
        bins = np.union1d(running.bins, columns.bins[at]).astype(np.int32)
        counts = np.zeros((len(times) + 2, len(bins)))
        counts[0, np.searchsorted(bins, running.bins)] = running.counts
        np.add.at(counts, (np.repeat(rows, sizes), np.searchsorted(bins, columns.bins[at])), columns.counts[at])
        sums = np.zeros(len(times) + 2)
        sums[0] = running.sum
        np.add.at(sums, rows, columns.sums[picked])
        counts, sums = np.cumsum(counts, axis=0), np.cumsum(sums)
        before = running.time
        running.bins, running.counts, running.sum = bins, counts[-1], float(sums[-1])
        if len(times):
            running.time = int(times[-1])
        return Grown(ref, times, _stack(bins, counts[: len(times) + 1], sums[: len(times) + 1]), before)

    def native(self, grown: Grown) -> Cells:
        """Its histograms at `grown.times`, in at most `MOST_BUCKETS` buckets. Once coarser, a series stays so: finer buckets
        would look like a counter reset.
        """
        running = self._running[grown.ref]
        stack = reduced(grown.stack, running.schema)
        while stack.layout.width - 1 > MOST_BUCKETS and running.schema > _COARSEST:
            running.schema -= 1
            stack = reduced(stack, running.schema)
        return stack.take(slice(1, None)).cells()

    def classic(self, grown: Grown) -> Iterator[tuple[str, str, Longs, Floats]]:
        """Its classic series: what is put behind the name, the `le` ("" for none), times and values. A bucket that counts for
        the first time begins with what lay below it before, so that its rate is right from there on.
        """
        running = self._running[grown.ref]
        stack = reduced(grown.stack, running.classic)
        while len(bounds := _upper_bounds(stack.layout)) > MOST_BOUNDS and running.classic > _COARSEST:
            running.classic -= 1
            stack = reduced(stack, running.classic)
        below = np.concatenate((np.zeros((len(stack), 1)), np.cumsum(stack.counts, axis=1)), axis=1)
        told = set()
        for bound in bounds.tolist():
            le = go_float(bound)
            told.add(le)
            values = below[:, np.searchsorted(_tops(stack.layout), bound, "right")]
            new = le not in running.told and grown.before is not None
            times = np.append(np.int64(grown.before or 0), grown.times) if new else grown.times
            yield "_bucket", le, times, values if new else values[1:]
        for le in sorted(running.told - told):
            yield "_bucket", le, grown.times[:1], np.full(len(grown.times[:1]), STALE)
        if len(grown.times):
            running.told = frozenset(told)
        yield "_bucket", "+Inf", grown.times, stack.count[1:]
        yield "_count", "", grown.times, stack.count[1:]
        yield "_sum", "", grown.times, stack.sum[1:]


def classic_buckets(histogram: Histogram) -> Iterator[tuple[float, float]]:
    """Upper bounds and what lies at or below them: at most `MOST_BOUNDS` of an exponential histogram, the last is infinity."""
    stack = histogram.alone()
    layout = stack.layout
    if layout.custom:
        counts = np.zeros(len(layout.custom_values) + 1)
        counts[layout.positive] = stack.counts[0, layout.zero + 1 :]
        yield from zip(layout.custom_values.tolist(), np.cumsum(counts)[:-1].tolist(), strict=True)
    else:
        schema = min(CLASSIC_SCHEMA, layout.schema)
        stack = reduced(stack, schema)
        while len(bounds := _upper_bounds(stack.layout)) > MOST_BOUNDS and schema > _COARSEST:
            schema -= 1
            stack = reduced(stack, schema)
        below = np.concatenate(([0.0], np.cumsum(stack.counts[0])))
        at = np.searchsorted(_tops(stack.layout), bounds, "right")
        finite = np.isfinite(bounds)
        yield from zip(bounds[finite].tolist(), below[at[finite]].tolist(), strict=True)
    yield np.inf, histogram.count


def _within(sizes: Longs) -> Longs:
    """0, 1, … in each of the groups of these sizes."""
    whole = int(sizes.sum())
    return np.arange(whole) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _stack(bins: Bins, counts: Floats, sums: Floats) -> Stack:
    """`bins` rise, as the columns of a layout do: negative buckets from the largest on, the zero bucket, positive ones."""
    below, above = bins < 0, bins > 0
    negative = (-bins[below] - ZERO_INDEX + 1).astype(np.int32)[::-1]
    layout = Layout(SCALE, 0.0, negative, (bins[above] - ZERO_INDEX + 1).astype(np.int32))
    columns = np.concatenate((counts[:, below], counts[:, bins == 0].sum(axis=1, keepdims=True), counts[:, above]), axis=1)
    return Stack(layout, columns, counts.sum(axis=1), sums, np.zeros(len(counts), np.int8))


def _tops(layout: Layout) -> Floats:
    """Upper bound of each column."""
    positive = bounds_of(layout.positive, layout.schema, NO_BOUNDS)[1]
    negative = -bounds_of(layout.negative[::-1], layout.schema, NO_BOUNDS)[0]
    return np.concatenate((negative, [0.0], positive))


def _upper_bounds(layout: Layout) -> Floats:
    """Where populated buckets begin and end: classic buckets at all of these, so that nothing is interpolated between them."""
    positive = bounds_of(layout.positive, layout.schema, NO_BOUNDS)
    negative = bounds_of(layout.negative, layout.schema, NO_BOUNDS)
    found: Floats = np.unique(np.concatenate((*positive, -negative[0], -negative[1], [0.0])))
    return found + 0.0  # no negative zero


def classic_labels(labels: Labels, suffix: str, le: str) -> Labels:
    """The labels of one of its classic series."""
    renamed = [(name, value + suffix if name == NAME_TAG else value) for name, value in labels if name != "le"]
    return tuple(sorted((*renamed, ("le", le)))) if le else tuple(renamed)
