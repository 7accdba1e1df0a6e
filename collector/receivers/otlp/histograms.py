"""The points of histograms: classic counters as they came, and distributions of what was observed since the point before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from collector.receivers.otlp.buckets import Buckets, binned, difference, explicit_bins, shares, zero_widened
from collector.receivers.otlp.growth import Before, Stream, counts_anew, placed, put, standing
from collector.receivers.otlp.sums import STEP, Samples
from monitor.model.batch import Floats, HistogramBatch, Ids
from monitor.model.series import KeySpace
from monitor.windows.bins import bins_of

_NO_BINS, _NO_COUNTS = np.empty(0, np.int32), np.empty(0)


class Point(NamedTuple):
    """What all histogram points have. `low`, `high`: its least and greatest observation, None where not told."""

    time: float
    start: float
    delta: bool
    sum: float
    low: float | None = None
    high: float | None = None


@dataclass(eq=False)
class ExplicitStream(Stream[Floats]):
    """One histogram with these bounds. Its state is float64: the count of each bucket, and the sum where it tells one.

    `ids` of its classic series: a bucket each, then count, then sum where there is one.
    """

    series: int = -1
    bounds: tuple[float, ...] = ()
    ids: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    has_sum: bool = True
    _bins: tuple[float | None, float | None, Ids] | None = None

    def classic(self, state: Floats) -> Floats:
        """The values of its classic series, in the order of `ids`."""
        size = len(self.bounds) + 1
        below = np.cumsum(state[:size])
        return np.concatenate((below, below[-1:], state[size:]))

    def binned(self, grown: Floats, point: Point) -> tuple[Ids, Floats]:
        """Bins and counts of what was observed; without any bound all are at their mean."""
        size = len(self.bounds) + 1
        if size == 1:
            mean = float(grown[1] / grown[0]) if self.has_sum and grown[0] else 0.0
            return bins_of(np.array([mean if np.isfinite(mean) else 0.0])), grown[:1]
        if self._bins is None or self._bins[:2] != (point.low, point.high):
            self._bins = point.low, point.high, explicit_bins(self.bounds, point.low, point.high)
        dealt = shares(grown[:size])
        filled = dealt > 0
        return self._bins[2][filled], dealt[filled]


@dataclass(eq=False)
class ExponentialStream(Stream[tuple[Buckets, float]]):
    """One exponential histogram; its state is its buckets and its sum."""

    series: int = -1


class _Told(NamedTuple):
    """One histogram of a `HistogramBatch` to be."""

    series: int
    time: float
    sum: float
    bins: Ids
    counts: Floats


class Histograms:
    """Takes the points of one request and gives what they come to. `since` and `call` as in `Sums`."""

    def __init__(self, since: float, call: int) -> None:
        self._since, self._call = since, call
        self._told: list[_Told] = []
        self._readings: list[tuple[Ids, Floats, float]] = []
        self._increments: list[tuple[Ids, Floats, float]] = []
        self._before: list[Callable[[], bool]] = []

    def explicit(self, stream: ExplicitStream, point: Point, state: Floats) -> None:
        """A point with the count of each bucket, and its sum behind them where there is one."""
        if point.delta:
            self._explicit_delta(stream, point, state)
            return
        reading = stream.ids, stream.classic(state), point.time
        if point.time <= stream.time:
            self._readings.append(reading)
            return
        size = len(stream.bounds) + 1
        whole = counts_anew(stream, point.time, point.start, self._since)
        fallen = stream.last is not None and bool((state[:size] < stream.last[:size]).any())
        if whole and not fallen:
            began = max(point.start, stream.time + STEP)
            self._readings.append((stream.ids, np.zeros(len(stream.ids)), began))
            self._empty(stream.series, began)
        self._readings.append(reading)
        grown = state if whole or fallen else None if stream.last is None else state - stream.last
        if grown is None:
            self._empty(stream.series, point.time)
        else:
            self._increments.append((stream.ids, stream.classic(grown), point.time))
            self._tell(stream.series, point.time, float(grown[size]) if stream.has_sum else 0.0, stream.binned(grown, point))
        self._keep(put(stream, self._call, state, point.time, point.start))

    def _explicit_delta(self, stream: ExplicitStream, point: Point, grown: Floats) -> None:
        total = np.zeros(len(grown)) if stream.last is None else stream.last
        stood = standing(stream, point.time, point.start)
        if stood is not None:
            self._readings.append((stream.ids, stream.classic(total), stood))
            self._empty(stream.series, stood)
        time = placed(stream, point.time)
        total = total + grown
        self._readings.append((stream.ids, stream.classic(total), time))
        self._increments.append((stream.ids, stream.classic(grown), point.time))
        size = len(stream.bounds) + 1
        self._tell(stream.series, time, float(grown[size]) if stream.has_sum else 0.0, stream.binned(grown, point))
        self._keep(put(stream, self._call, total, time, point.start))

    def exponential(self, stream: ExponentialStream, point: Point, buckets: Buckets, threshold: float) -> None:
        """A point with these buckets, whose zero bucket reaches to `threshold`."""
        if point.delta:
            stood = standing(stream, point.time, point.start)
            if stood is not None:
                self._empty(stream.series, stood)
            time = placed(stream, point.time)
            self._tell(stream.series, time, point.sum, binned(buckets))
            self._keep(put(stream, self._call, None, time, point.start))
            return
        if point.time <= stream.time:
            return
        last = stream.last
        change = None if last is None else difference(buckets, zero_widened(last[0], threshold))
        whole = counts_anew(stream, point.time, point.start, self._since)
        if whole:
            self._empty(stream.series, max(point.start, stream.time + STEP))
        if whole or (last is not None and change is None):
            self._tell(stream.series, point.time, point.sum, binned(buckets))
        elif last is not None and change is not None:
            self._tell(stream.series, point.time, point.sum - last[1], binned(change))
        else:
            self._empty(stream.series, point.time)
        self._keep(put(stream, self._call, (buckets, point.sum), point.time, point.start))

    def ended(self, stream: ExplicitStream | ExponentialStream) -> None:
        """It says nothing from here on; what it says next is a new beginning."""
        stream.last = None

    def _keep(self, before: Before[Floats] | Before[tuple[Buckets, float]]) -> None:
        self._before.append(before.restore)

    def _empty(self, series: int, time: float) -> None:
        """Nothing was observed: what growth is counted from."""
        self._told.append(_Told(series, time, 0.0, _NO_BINS, _NO_COUNTS))

    def _tell(self, series: int, time: float, summed: float, filled: tuple[Ids, Floats]) -> None:
        self._told.append(_Told(series, time, summed, *filled))

    def undo(self) -> int:
        """Take all of it back where nothing was built upon it; how many points something was built upon."""
        return sum(not restore() for restore in reversed(self._before))

    def readings(self) -> Samples:
        """Of the classic series, for the history."""
        return _samples(self._readings)

    def increments(self) -> Samples:
        """Of the classic series, for the windows."""
        return _samples(self._increments)

    def batch(self, space: KeySpace) -> HistogramBatch | None:
        """All distributions, in order of time; None where there are none."""
        told = sorted(self._told, key=lambda one: one.time)
        if not told:
            return None
        bins = np.concatenate([one.bins for one in told])
        counts = np.concatenate([one.counts for one in told])
        owners = np.repeat(np.arange(len(told)), [len(one.bins) for one in told])
        order = np.lexsort((bins, owners))
        bins, counts, owners = bins[order], counts[order], owners[order]
        heads = np.flatnonzero((np.diff(bins, prepend=np.int32(0)) != 0) | (np.diff(owners, prepend=-1) != 0))
        if len(heads):
            bins, counts, owners = bins[heads], np.add.reduceat(counts, heads), owners[heads]
        return HistogramBatch(
            space,
            np.array([one.series for one in told], np.int32),
            np.array([one.time for one in told]),
            np.searchsorted(owners, np.arange(len(told) + 1)).astype(np.int64),
            bins,
            counts,
            np.array([one.sum for one in told]),
        )


def _samples(parts: list[tuple[Ids, Floats, float]]) -> Samples:
    if not parts:
        return Samples(np.empty(0, np.int32), np.empty(0), np.empty(0))
    return Samples(
        np.concatenate([ids for ids, _, _ in parts]),
        np.concatenate([values for _, values, _ in parts]),
        np.repeat([time for _, _, time in parts], [len(ids) for ids, _, _ in parts]),
    )
