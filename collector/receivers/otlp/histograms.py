"""The points of exponential histograms: distributions of what was observed since the point before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from collector.receivers.otlp.buckets import Buckets, difference, zero_widened
from collector.receivers.otlp.drawn import Drawn, drawn_buckets
from collector.receivers.otlp.growth import Before, Stream, counts_anew, placed, put, standing
from collector.receivers.otlp.sums import STEP

_NOTHING = Buckets(0, np.empty(0, np.int64), np.empty(0))


class Point(NamedTuple):
    """What all histogram points have."""

    time: float
    start: float
    delta: bool
    sum: float


@dataclass(eq=False)
class ExponentialStream(Stream[tuple[Buckets, float]]):
    """One exponential histogram; its state is its buckets and its sum."""

    series: int = -1


class _Told(NamedTuple):
    """What one histogram observed, at one time."""

    series: int
    time: float
    sum: float
    buckets: Buckets


class Histograms:
    """Takes the points of one request and gives what they come to. `since` and `call` as in `Sums`."""

    def __init__(self, since: float, call: int) -> None:
        self._since, self._call = since, call
        self._told: list[_Told] = []
        self._before: list[Callable[[], bool]] = []

    def exponential(self, stream: ExponentialStream, point: Point, buckets: Buckets, threshold: float) -> None:
        """A point with these buckets, whose zero bucket reaches to `threshold`."""
        if point.delta:
            stood = standing(stream, point.time, point.start)
            if stood is not None:
                self._empty(stream.series, stood)
            time = placed(stream, point.time)
            self._tell(stream.series, time, point.sum, buckets)
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
            self._tell(stream.series, point.time, point.sum, buckets)
        elif last is not None and change is not None:
            self._tell(stream.series, point.time, point.sum - last[1], change)
        else:
            self._empty(stream.series, point.time)
        self._keep(put(stream, self._call, (buckets, point.sum), point.time, point.start))

    def ended(self, stream: ExponentialStream) -> None:
        """It says nothing from here on; what it says next is a new beginning."""
        stream.last = None

    def _keep(self, before: Before[tuple[Buckets, float]]) -> None:
        self._before.append(before.restore)

    def _empty(self, series: int, time: float) -> None:
        """Nothing was observed: what growth is counted from."""
        self._told.append(_Told(series, time, 0.0, _NOTHING))

    def _tell(self, series: int, time: float, summed: float, buckets: Buckets) -> None:
        self._told.append(_Told(series, time, summed, buckets))

    def undo(self) -> int:
        """Take all of it back where nothing was built upon it; how many points something was built upon."""
        return sum(not restore() for restore in reversed(self._before))

    def drawn(self) -> Drawn:
        """All distributions, as they came."""
        told = self._told
        return drawn_buckets(
            [one.series for one in told], [one.time for one in told], [one.sum for one in told], [one.buckets for one in told]
        )
