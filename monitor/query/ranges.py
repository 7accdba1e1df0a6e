"""Range vectors at many times at once: series that share their samples' times, and for each evaluation the window it sees.

A window is left-open and right-closed. Series with holes or staleness markers are gathered with those that have the same ones, so
that within a group no sample is missing and a window is a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from monitor.query.ast import Span
from monitor.query.cells import only, there
from monitor.query.history import Block, Cells, Labels, Mask, Millis, Values, stale_at
from monitor.query.notes import Notes

Bounds = npt.NDArray[np.int64]
_PART = 1 << 17
"""How many samples or results of a group of series are worked on at a time."""
CHUNK = 1 << 18
"""How many samples are laid out window by window at a time, where that cannot be avoided."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """R series that have samples at the same T times. `histogram` bool [T] tells where those are histograms (for all R alike);
    `values` float64 [R, T], `cells` object [R, T] or None without histograms. `rows` int64 [R]: their places among all series.
    `since` int64 [R, T]: start timestamps, 0 where unknown; None where all are.
    """

    rows: Bounds
    labels: tuple[Labels, ...]
    times: Millis
    values: Values
    histogram: Mask
    cells: Cells | None = None
    since: Millis | None = None

    def parts(self, evaluations: int) -> Iterator[Samples]:
        """The series a few at a time: what is worked out of them at so many evaluations stays in the cache."""
        tall = max(1, _PART // max(1, evaluations, len(self.times)))
        if len(self.labels) <= tall:
            yield self
            return
        for first in range(0, len(self.labels), tall):
            some = slice(first, first + tall)
            cells = self.cells[some] if self.cells is not None else None
            since = self.since[some] if self.since is not None else None
            yield Samples(self.rows[some], self.labels[some], self.times, self.values[some], self.histogram, cells, since)


def samples_of(block: Block, first_row: int = 0) -> Iterator[Samples]:
    """A block as groups without holes; staleness markers are no samples."""
    rows, times = block.values.shape
    histogram: Mask = np.zeros((rows, times), bool)
    if block.histograms is not None:
        histogram = there(block.histograms)
    present = ~stale_at(block.values) | histogram
    if block.present is not None:
        present &= block.present
        histogram &= block.present
    everything = np.arange(rows)
    if block.histograms is None and present.all():
        kinds = np.zeros(times, bool)
        yield Samples(everything + first_row, block.labels, block.times, block.values, kinds, None, block.starts)
        return
    patterns = np.packbits(np.concatenate((present, histogram), axis=1), axis=1)
    groups: dict[bytes, list[int]] = {}
    for row in everything.tolist():
        groups.setdefault(patterns[row].tobytes(), []).append(row)
    for members in groups.values():
        kept, kinds = present[members[0]], histogram[members[0]]
        if kept.any():
            picked = np.array(members, np.int64)
            area = np.ix_(picked, kept)
            cells = block.histograms[area] if block.histograms is not None and kinds.any() else None
            labels = tuple(block.labels[row] for row in members)
            since = block.starts[area] if block.starts is not None else None
            yield Samples(picked + first_row, labels, block.times[kept], block.values[area], kinds[kept], cells, since)


@dataclass(frozen=True, eq=False)
class Ranges:
    """A group's windows at N evaluations: (`starts`, `ends`] in milliseconds; `at`: the evaluations' times; `lookback` reaches
    beyond the window where `mode` is anchored or smoothed. `span`: of the first argument, for notes; `check`: see `Run`.
    """

    samples: Samples
    starts: Millis
    ends: Millis
    at: Millis
    range: int
    notes: Notes
    span: Span
    check: Callable[[], None]
    mode: Literal["", "anchored", "smoothed"] = ""
    lookback: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.samples.labels), len(self.at)

    @property
    def labels(self) -> tuple[Labels, ...]:
        return self.samples.labels

    @cached_property
    def all(self) -> Windows:
        """Windows over all samples, whatever they are; the float of a histogram means nothing."""
        return self._windows(slice(None))

    @cached_property
    def floats(self) -> Windows:
        kinds = self.samples.histogram
        return self._windows(~kinds) if kinds.any() else self.all

    @cached_property
    def histograms(self) -> Windows:
        return self._windows(self.samples.histogram)

    @cached_property
    def cells(self) -> Cells:
        """The histograms, object [R, H], at the times of `histograms`."""
        found = self.samples.cells
        if found is None:
            return np.full((len(self.samples.labels), 0), None)
        return found[:, self.samples.histogram]

    def _windows(self, kept: Mask | slice) -> Windows:
        times = self.samples.times[kept]
        if not len(times):
            nothing = np.zeros(len(self.at), np.int64)
            return Windows(times, self.samples.values[:, kept], nothing, nothing, self.check)
        lows = np.searchsorted(times, self.starts, "right")
        highs = np.searchsorted(times, self.ends, "right")
        since = self.samples.since[:, kept] if self.samples.since is not None else None
        return Windows(times, self.samples.values[:, kept], lows, np.maximum(highs, lows), self.check, since)


@dataclass(frozen=True, eq=False)
class Windows:
    """Window n of the R rows holds columns `lows[n]` to `highs[n] - 1`. `since`: see `Samples`."""

    times: Millis
    values: Values
    lows: Bounds
    highs: Bounds
    check: Callable[[], None]
    since: Millis | None = None

    @cached_property
    def counts(self) -> Bounds:
        return self.highs - self.lows

    def column(self, columns: Bounds) -> Values:
        """float64 [R, N]; columns beyond the samples give any value."""
        if not len(self.times):
            return np.zeros((len(self.values), len(columns)))
        return self.values[:, np.clip(columns, 0, len(self.times) - 1)]

    def time(self, columns: Bounds) -> Millis:
        """int64 [N]."""
        if not len(self.times):
            return np.zeros(len(columns), np.int64)
        return self.times[np.clip(columns, 0, len(self.times) - 1)]

    @property
    def first(self) -> Values:
        return self.column(self.lows)

    @property
    def last(self) -> Values:
        return self.column(self.highs - 1)

    def laid_out(self, least: int = 1) -> Iterator[tuple[slice, Bounds, Values, Millis]]:
        """Windows of at least so many samples side by side: rows, window numbers int64 [n], values float64 [r, n, L] and times
        int64 [n, L], a chunk at a time. All windows of a chunk have L samples.
        """
        for length in np.unique(self.counts[self.counts >= least]).tolist():
            windows = np.flatnonzero(self.counts == length)
            laid, times = sliding_window_view(self.values, length, axis=1), sliding_window_view(self.times, length)
            wide = max(1, CHUNK // length)
            for begin in range(0, len(windows), wide):
                picked = windows[begin : begin + wide]
                columns = self.lows[picked]
                tall = max(1, CHUNK // (len(picked) * length))
                for row in range(0, len(self.values), tall):
                    rows = slice(row, row + tall)
                    self.check()
                    yield rows, picked, laid[rows, columns], times[columns]


@dataclass(frozen=True, slots=True, eq=False)
class Ranged:
    """What a function makes of a group's windows: `values` float64 [R, N], `present` bool [N] or [R, N], `cells` or None."""

    values: Any
    present: Mask
    cells: Cells | None = None


def filled(shape: tuple[int, int]) -> Values:
    return np.full(shape, np.nan)


def blocks_of(labels: Sequence[Labels], times: Millis, values: Values, present: Mask, cells: Cells | None) -> Block:
    """An evaluated vector as samples, for the functions round a subquery."""
    if cells is not None:
        cells = only(present, cells)
    return Block(tuple(labels), times, values, None if present.all() else present, cells)
