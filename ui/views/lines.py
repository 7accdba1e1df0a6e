"""Lines made ready to be drawn: holes found, points thinned without losing an extreme."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ui.views.units import PLAIN, Unit
from ui.views.view import Floats

GAP_INTERVALS = 3.0
Span = tuple[float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """A series to draw. `times` float64[n] seconds, rising; `values` float64[n] raw, NaN where there is none."""

    name: str
    times: Floats
    values: Floats
    unit: Unit = PLAIN
    colour: str = "series-1"
    dash: int = 0
    full_name: str = ""


def finite(times: Floats, values: Floats, start: float, end: float) -> tuple[Floats, Floats]:
    """The points with a value within [start, end]."""
    first, last = int(times.searchsorted(start, "left")), int(times.searchsorted(end, "right"))
    times, values = times[first:last], values[first:last]
    known = np.isfinite(values)
    return (times, values) if known.all() else (times[known], values[known])


def usual_interval(times: Floats, floor: float) -> float:
    """The usual distance of points: their median, not below `floor`."""
    if len(times) < 3:
        return floor
    steps = times[1:] - times[:-1]
    middle = len(steps) // 2
    return max(floor, float(np.partition(steps, middle)[middle]))


def pace_now(times: Floats, floor: float) -> float:
    """The usual distance of the newest points, not below `floor`."""
    return usual_interval(times[-8:], floor)


def holes(times: Floats, values: Floats, interval: float, factor: float = GAP_INTERVALS) -> list[Span]:
    """Spans (last point before, first point after) longer than `factor` intervals that the track says are without data.

    Points that merely lie far apart are no hole: the past may be kept more coarsely than the present. What is missing is
    NaN, as the mirror marks it.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2 or len(known) == known[-1] - known[0] + 1:
        return []
    held = times[known]
    after = np.flatnonzero((np.diff(known) > 1) & (np.diff(held) > factor * interval * 1.01))
    return [(float(held[i]), float(held[i + 1])) for i in after[:256]]


def common(spans: list[list[Span]]) -> list[Span]:
    """Where all of the lists of spans overlap: the holes that every line has."""
    if not spans:
        return []
    shared = spans[0]
    for other in spans[1:]:
        shared = [(max(a, c), min(b, d)) for a, b in shared for c, d in other if min(b, d) > max(a, c)]
    return shared


def thin(times: Floats, values: Floats, points: int, span: float) -> tuple[Floats, Floats]:
    """At most about `points` points that keep the least and the greatest value of each bucket, in their order.

    Buckets are cut at multiples of their length in absolute time, so that a line keeps its shape while it moves on.
    """
    n = len(times)
    if n <= points or n < 4:
        return times, values
    starts, grid = _buckets(times, span / max(1, points // 2))
    if grid is None:
        return _thin_reduced(times, values, starts)
    block = values[grid]
    row = np.arange(len(starts))
    low, high = block.argmin(1), block.argmax(1)
    first, second = np.minimum(low, high), np.maximum(low, high)
    index = np.stack((grid[row, first], grid[row, second]), 1).ravel()
    index = np.append(index[np.concatenate(([True], index[1:] != index[:-1]))], n - 1)
    if index[-2:].tolist() == [n - 1, n - 1]:
        index = index[:-1]
    return times[index], values[index]


Places = npt.NDArray[np.intp]
_last_buckets: list[tuple[Floats, float, Places, Places | None]] = []
"""The newest answers of `_buckets`: the lines of a chart share their times, so one answer serves them all."""


def _buckets(times: Floats, width: float) -> tuple[Places, Places | None]:
    """Where each bucket starts, and its points' places as a table (None where the points lie too unevenly for one)."""
    for held, held_width, starts, grid in _last_buckets:
        if held_width == width and len(held) == len(times) and held[0] == times[0] and np.array_equal(held, times):
            return starts, grid
    n = len(times)
    bucket = np.floor(times / width)
    starts = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    counts = np.diff(np.append(starts, n))
    longest = int(counts.max())
    even = longest * len(starts) <= 4 * n
    grid = starts[:, None] + np.minimum(np.arange(longest)[None, :], (counts - 1)[:, None]) if even else None
    _last_buckets.insert(0, (times.copy(), width, starts, grid))
    del _last_buckets[2:]
    return starts, grid


def _thin_reduced(times: Floats, values: Floats, starts: Places) -> tuple[Floats, Floats]:
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    ends = np.append(starts[1:], len(times)) - 1
    moments = np.stack((times[starts], times[ends]), 1).ravel()
    return moments, np.stack((low, high), 1).ravel()


def broken_at(times: Floats, values: Floats, spans: list[Span]) -> tuple[Floats, Floats]:
    """The line with a NaN in the middle of each hole, so that it is not bridged."""
    if not spans:
        return times, values
    middles = np.array([(a + b) / 2 for a, b in spans])
    at = times.searchsorted(middles)
    return np.insert(times, at, middles), np.insert(values, at, np.nan)


def nearest(times: Floats, values: Floats, at: float, tolerance: float) -> float:
    """The value nearest to `at` within `tolerance` seconds; NaN when there is none."""
    if not len(times):
        return float("nan")
    i = int(times.searchsorted(at))
    best, far = float("nan"), tolerance
    for j in (i - 1, i):
        if 0 <= j < len(times) and abs(float(times[j]) - at) <= far and np.isfinite(values[j]):
            best, far = float(values[j]), abs(float(times[j]) - at)
    return best


def level(times: Floats, values: Floats, at: float, width: float) -> float:
    """The median within `width` seconds round `at`: the level then, not a single point. NaN when nothing is there."""
    first, last = int(times.searchsorted(at - width / 2)), int(times.searchsorted(at + width / 2, "right"))
    part = values[first:last]
    part = part[np.isfinite(part)]
    if not len(part):
        return float("nan")
    middle = len(part) // 2
    return float(np.partition(part, middle)[middle])


def spark(times: Floats, values: Floats, start: float, end: float, points: int = 60) -> Floats:
    """At most `points` means over equal parts of [start, end], NaN where nothing is known.

    Parts are cut at round times, so that a spark moves on once a part and does not shimmer in between.
    """
    if not len(times) or end <= start:
        return np.full(points, np.nan)
    width = (end - start) / points
    first = math.ceil(end / width - 1e-6) - points
    times, values = finite(times, values, first * width, end)
    place = np.minimum(np.maximum((times / width - first).astype(np.intp), 0), points - 1)
    counts = np.bincount(place, minlength=points)
    totals = np.bincount(place, weights=values, minlength=points)
    with np.errstate(invalid="ignore"):
        means: Floats = totals / counts
    return means
