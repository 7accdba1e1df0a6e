"""From samples to what a screen can show: at most two points a pixel column, nothing that matters lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ui.views.view import Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Segments to be drawn, float64[n, 4] of x1, y1, x2, y2 in pixels; `last` the newest finite point or None.

    `dense`: the segments are uprights; `calm`: they are short.
    """

    segments: Floats
    last: tuple[float, float] | None
    dense: bool = False
    calm: bool = True


LINE = 1.5
"""Pixels a level line is high at least."""
CALM = 6.0
"""Mean height of uprights, in pixels, up to which a dense line is still a line and not a band."""
EMPTY = Trace(np.empty((0, 4)), None)


def _sparse(xs: Floats, ys: Floats) -> Floats:
    """Neighbours joined; a NaN on either side leaves the gap open."""
    if len(xs) < 2:
        return np.empty((0, 4))
    segments = np.empty((len(xs) - 1, 4))
    segments[:, 0], segments[:, 1], segments[:, 2], segments[:, 3] = xs[:-1], ys[:-1], xs[1:], ys[1:]
    whole = ~np.isnan(segments).any(axis=1)
    return segments if whole.all() else segments[whole]


def _lone(xs: Floats, ys: Floats) -> Floats:
    """Points whose both neighbours are missing, as dots of a pixel: a single sample must not vanish."""
    known = ~np.isnan(ys)
    before, after = np.r_[False, known[:-1]], np.r_[known[1:], False]
    alone = known & ~before & ~after
    if not alone.any():
        return np.empty((0, 4))
    dots = np.empty((int(alone.sum()), 4))
    dots[:, 0], dots[:, 2] = xs[alone] - 0.5, xs[alone] + 0.5
    dots[:, 1] = dots[:, 3] = ys[alone]
    return dots


def _dense(starts: Ints, count: int, values: Floats, to_y: Callable[[Floats], Floats], left: float, step: float) -> Floats:
    """One upright a column of `step` pixels from its least to its greatest value, stretched to touch the column before it.

    `starts` int64[columns]: the first sample of each column; `values` float64[lines, count]. Returns float64[lines, filled, 4].
    """
    full = np.empty(len(starts), dtype=bool)
    np.greater(starts[1:], starts[:-1], out=full[:-1])
    full[-1] = count > starts[-1]
    filled = np.flatnonzero(full)
    segments = np.empty((len(values), len(filled), 4))
    if not len(filled):
        return segments
    at = starts[filled]
    # Upwards on the screen is downwards in numbers: the greatest value has the least y.
    low, high = to_y(np.fmax.reduceat(values, at, axis=1)), to_y(np.fmin.reduceat(values, at, axis=1))
    segments[:, :, 0] = segments[:, :, 2] = left + (filled + 0.5) * step
    # Uprights of neighbours that do not overlap would leave a hole in the line; the later one reaches back to the earlier.
    touching = (filled[1:] - filled[:-1]) == 1
    reach_low, reach_high = low.copy(), high.copy()
    np.copyto(reach_low[:, 1:], np.fmin(low[:, 1:], high[:, :-1]), where=touching)
    np.copyto(reach_high[:, 1:], np.fmax(high[:, 1:], low[:, :-1]), where=touching)
    # A level line must have the thickness of any other.
    thin = np.maximum(0.0, (LINE - (reach_high - reach_low)) / 2)
    segments[:, :, 1], segments[:, :, 3] = reach_low - thin, reach_high + thin
    # Reaching back must not draw a column that has nothing of its own.
    segments[np.isnan(low)] = np.nan
    return segments


def _upright(segments: Floats, last: tuple[float, float] | None) -> Trace:
    """The trace of a dense line, without the columns in which it has nothing."""
    known = ~np.isnan(segments[:, 1])
    kept = segments if known.all() else segments[known]
    calm = not len(kept) or float((kept[:, 3] - kept[:, 1]).mean()) < CALM
    return Trace(kept, last, True, calm)


def traces(
    times: Floats,
    lines: Sequence[Floats],
    x: tuple[float, float],
    y: tuple[float, float],
    box: tuple[float, float, float, float],
    ratio: float = 1.0,
) -> list[Trace]:
    """What to draw of lines that share their times, in pixels.

    `times` float64[n] ascending, seconds; `lines` float64[n] each, in the space of `y`, NaN where there is nothing; `x`, `y` the
    ranges shown; `box` left, top, width, height in pixels, of which each is `ratio` pixels of the device. Dense lines (more than
    two samples a column) become one upright a column between the column's least and greatest value, so that no peak is lost (M4
    without first and last: Jugel et al., VLDB 2014, whose two other points fall on the same column here). Values far outside are
    held near the edge, because Qt's rasteriser overflows.
    """
    left, top, width, height = box
    if not len(times) or width < 2 or height < 2 or x[1] <= x[0]:
        return [EMPTY] * len(lines)
    first, end = np.searchsorted(times, x)
    first, end = max(0, int(first) - 1), min(len(times), int(end) + 1)
    times, values = times[first:end], np.array([line[first:end] for line in lines])
    if not len(times):
        return [EMPTY] * len(lines)
    spread, second = (y[1] - y[0]) or 1.0, width / (x[1] - x[0])

    def to_y(data: Floats) -> Floats:
        placed: Floats = np.minimum(np.maximum(top + height - (data - y[0]) * (height / spread), top - height), top + 2 * height)
        return placed

    ends: list[tuple[float, float] | None] = []
    for line in values:
        known = len(line) - 1 if line[-1] == line[-1] else int(np.flatnonzero(np.r_[True, ~np.isnan(line)])[-1]) - 1
        at = (left + (float(times[known]) - x[0]) * second, float(to_y(line[known : known + 1])[0])) if known >= 0 else None
        ends.append(at)
    count = max(1, int(width * ratio))
    if len(times) <= 2 * count:
        xs, all_ys = left + (times - x[0]) * second, to_y(values)
        return [Trace(np.concatenate((_sparse(xs, ys), _lone(xs, ys))), at) for ys, at in zip(all_ys, ends, strict=True)]
    starts = np.searchsorted(times, x[0] + np.arange(count) * ((x[1] - x[0]) / count))
    uprights = _dense(starts, len(times), values, to_y, left, width / count)
    return [_upright(segments, at) for segments, at in zip(uprights, ends, strict=True)]


def trace(
    times: Floats,
    values: Floats,
    x: tuple[float, float],
    y: tuple[float, float],
    box: tuple[float, float, float, float],
    ratio: float = 1.0,
) -> Trace:
    """`traces` of one line."""
    return traces(times, (values,), x, y, box, ratio)[0]


def nearest(times: Floats, at: float) -> int:
    """Index of the sample nearest in time, -1 when there is none."""
    if not len(times):
        return -1
    right = int(np.searchsorted(times, at))
    if right == 0:
        return 0
    if right == len(times):
        return right - 1
    return right if times[right] - at < at - times[right - 1] else right - 1


def log_space(values: Floats) -> npt.NDArray[np.float64]:
    """log10 with nothing where a value is not positive."""
    out = np.full(len(values), np.nan)
    np.log10(values, out=out, where=values > 0)
    return out
