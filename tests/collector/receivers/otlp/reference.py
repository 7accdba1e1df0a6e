"""Slow and plain: what `Sums` is to come to, one point after the other in exact order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

Point = tuple[int, float, float, float]
"""Series, value, time, start."""
Sample = tuple[int, float, float]
"""Series, value, time."""


@dataclass
class Series:
    last: float | None = None
    time: float = -math.inf
    start: float = 0.0


@dataclass
class Reference:
    since: float
    series: dict[int, Series] = field(default_factory=dict)

    def cumulative(self, points: Sequence[Point]) -> tuple[list[Sample], list[Sample]]:
        readings = [(number, value, time) for number, value, time, _ in points]
        increments = []
        for number, value, time, start in sorted(points, key=lambda point: (point[0], point[2])):
            one = self.series.setdefault(number, Series())
            if time <= one.time:
                continue
            anew = one.start < start < time and start >= one.time
            met = one.time > -math.inf
            if anew and (met or start >= self.since):
                if one.last is None or value >= one.last:
                    readings.append((number, 0.0, max(start, one.time + 0.001)))
                increments.append((number, value, time))
            elif one.last is not None:
                increments.append((number, value if value < one.last else value - one.last, time))
            self.series[number] = Series(value, time, start)
        return readings, increments

    def delta(self, points: Sequence[Point]) -> tuple[list[Sample], list[Sample]]:
        readings: list[Sample] = []
        for number in {point[0] for point in points}:
            mine = sorted((point for point in points if point[0] == number), key=lambda point: point[2])
            one = self.series.setdefault(number, Series())
            total, when, before = one.last or 0.0, one.time, one.time
            late = [point for point in mine if point[2] <= before]
            total += sum(point[1] for point in late)
            on_time = [point for point in mine if point[2] > before]
            if late and not on_time:
                readings.append((number, total, before + 0.001))
                when = before + 0.001
            for time in sorted({point[2] for point in on_time}):
                here = [point for point in on_time if point[2] == time]
                start = here[0][3]
                if 0 < start < time:
                    if start - when > 1.0:
                        readings.append((number, total, start))
                elif when == -math.inf:
                    readings.append((number, total, time - 1.0))
                total += sum(point[1] for point in here)
                readings.append((number, total, time))
                when = time
            self.series[number] = Series(total, when, mine[-1][3])
        return readings, [(number, value, time) for number, value, time, _ in points]
