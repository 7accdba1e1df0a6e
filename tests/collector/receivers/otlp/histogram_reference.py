"""Slow and plain: what the points of explicit histograms are to come to, one after the other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from monitor.query.notes import go_float
from monitor.windows.bins import bins_of
from monitor.windows.spread import explicit_bins, shares

Classic = dict[str, list[tuple[float, float]]]
"""Times and values by what a classic series is called: histogram, and its bucket, "count" or "sum"."""
Drawn = dict[tuple[str, float], tuple[float, dict[int, float]]]
"""Sum, and counts by bin, by histogram and time."""


@dataclass(frozen=True)
class Point:
    name: str
    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float | None
    time: float
    start: float = 0.0
    delta: bool = False
    low: float | None = None
    high: float | None = None
    ended: bool = False

    @property
    def stream(self) -> tuple[str, tuple[float, ...], bool]:
        return self.name, self.bounds, self.sum is not None


@dataclass
class Stream:
    last: tuple[list[float], float] | None = None
    time: float = -math.inf
    start: float = 0.0


@dataclass
class Reference:
    since: float
    streams: dict[tuple[str, tuple[float, ...], bool], Stream] = field(default_factory=dict)

    def take(self, points: Sequence[Point]) -> tuple[Classic, Classic, Drawn]:
        """One request: readings, increments and distributions."""
        self.readings: Classic = defaultdict(list)
        self.increments: Classic = defaultdict(list)
        self.drawn: Drawn = {}
        for point in sorted(points, key=lambda point: point.time):
            if point.ended:
                for (name, _, _), stream in self.streams.items():
                    if name == point.name:
                        stream.last = None
            elif point.delta:
                self._delta(self.streams.setdefault(point.stream, Stream()), point)
            else:
                self._cumulative(self.streams.setdefault(point.stream, Stream()), point)
        return self.readings, self.increments, self.drawn

    def _cumulative(self, stream: Stream, point: Point) -> None:
        counts, total = [float(count) for count in point.counts], point.sum or 0.0
        if point.time <= stream.time:
            self._tell(self.readings, point, counts, total, point.time)
            return
        anew = stream.start < point.start < point.time and point.start >= stream.time
        whole = anew and (stream.last is not None or stream.time > -math.inf or point.start >= self.since)
        fallen = stream.last is not None and any(now < before for now, before in zip(counts, stream.last[0], strict=True))
        if whole and not fallen:
            began = max(point.start, stream.time + 0.001)
            self._tell(self.readings, point, [0.0] * len(counts), 0.0, began)
            self._draw(point, [0.0] * len(counts), 0.0, began)
        self._tell(self.readings, point, counts, total, point.time)
        if whole or fallen:
            self._grew(point, counts, total, point.time)
        elif stream.last is not None:
            grown = [now - before for now, before in zip(counts, stream.last[0], strict=True)]
            self._grew(point, grown, total - stream.last[1], point.time)
        else:
            self._draw(point, [0.0] * len(counts), 0.0, point.time)
        stream.last, stream.time, stream.start = (counts, total), point.time, point.start

    def _delta(self, stream: Stream, point: Point) -> None:
        before, summed = stream.last or ([0.0] * len(point.counts), 0.0)
        late = point.time <= stream.time
        stood = None
        if not late and 0 < point.start < point.time:
            stood = point.start if point.start - stream.time > 1.0 else None
        elif not late and stream.time == -math.inf:
            stood = point.time - 1.0
        if stood is not None:
            self._tell(self.readings, point, before, summed, stood)
            self._draw(point, [0.0] * len(point.counts), 0.0, stood)
        time = stream.time + 0.001 if late else point.time
        total = [was + count for was, count in zip(before, point.counts, strict=True)], summed + (point.sum or 0.0)
        self._tell(self.readings, point, *total, time)
        self._grew(point, [float(count) for count in point.counts], point.sum or 0.0, time)
        stream.last, stream.time, stream.start = total, time, point.start

    def _grew(self, point: Point, grown: list[float], total: float, placed: float) -> None:
        self._tell(self.increments, point, grown, total, point.time)
        self._draw(point, grown, total, placed)

    def _tell(self, into: Classic, point: Point, counts: list[float], total: float, time: float) -> None:
        below = 0.0
        for edge, count in zip((*point.bounds, math.inf), counts, strict=True):
            below += count
            into[f"{point.name} {go_float(edge)}"].append((time, below))
        into[f"{point.name} count"].append((time, below))
        if point.sum is not None:
            into[f"{point.name} sum"].append((time, total))

    def _draw(self, point: Point, grown: list[float], total: float, time: float) -> None:
        bins: dict[int, float] = defaultdict(float)
        if point.bounds:
            places = explicit_bins(point.bounds, point.low, point.high)
            for bucket, count in enumerate(grown):
                for place, share in zip(places[bucket].tolist(), shares(np.array([count]))[0].tolist(), strict=True):
                    bins[place] += share
        elif grown[0]:
            bins[int(bins_of(np.array([total / grown[0] if point.sum is not None else 0.0]))[0])] += grown[0]
        filled = {place: count for place, count in sorted(bins.items()) if count}
        assert (point.name, time) not in self.drawn or not filled or not self.drawn[point.name, time][1]
        self.drawn[point.name, time] = (total if point.sum is not None else 0.0, filled)
