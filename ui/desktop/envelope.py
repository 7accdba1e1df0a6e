"""From samples to what a screen can show: at most two points a pixel column, nothing that matters lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ui.views.view import Floats


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


def _dense(xs: Floats, ys: Floats, columns: int, left: float, step: float) -> Floats:
    """One upright a column of `step` pixels from its least to its greatest value, stretched to touch the column before it."""
    starts = np.searchsorted(xs, left + np.arange(columns) * step)
    filled = np.flatnonzero(np.diff(np.r_[starts, len(xs)]) > 0)
    if not len(filled):
        return np.empty((0, 4))
    at = starts[filled]
    low, high = np.fmin.reduceat(ys, at), np.fmax.reduceat(ys, at)
    segments = np.empty((len(filled), 4))
    segments[:, 0] = segments[:, 2] = left + (filled + 0.5) * step
    # Uprights of neighbours that do not overlap would leave a hole in the line; the later one reaches back to the earlier.
    touching = np.diff(filled) == 1
    reach_low, reach_high = low.copy(), high.copy()
    np.copyto(reach_low[1:], np.fmin(low[1:], high[:-1]), where=touching & ~np.isnan(low[1:]))
    np.copyto(reach_high[1:], np.fmax(high[1:], low[:-1]), where=touching & ~np.isnan(low[1:]))
    # A level line must have the thickness of any other.
    thin = np.maximum(0.0, (LINE - (reach_high - reach_low)) / 2)
    segments[:, 1], segments[:, 3] = reach_low - thin, reach_high + thin
    return segments[~np.isnan(low)]


def trace(
    times: Floats,
    values: Floats,
    x: tuple[float, float],
    y: tuple[float, float],
    box: tuple[float, float, float, float],
    ratio: float = 1.0,
) -> Trace:
    """What to draw of a line, in pixels.

    `times` float64[n] ascending, seconds; `values` float64[n] in the space of `y`, NaN where there is nothing; `x`, `y` the
    ranges shown; `box` left, top, width, height in pixels, of
    which each is `ratio` pixels of the device. Dense lines (more than two samples a column) become one upright a
    column between the column's least and greatest value, so that no peak is lost (M4 without first and last: Jugel et al.,
    VLDB 2014, whose two other points fall on the same column here). Values far outside are held near the edge, because Qt's
    rasteriser overflows.
    """
    left, top, width, height = box
    if not len(times) or width < 2 or height < 2 or x[1] <= x[0]:
        return EMPTY
    first, end = np.searchsorted(times, x)
    first, end = max(0, int(first) - 1), min(len(times), int(end) + 1)
    times, values = times[first:end], values[first:end]
    if not len(times):
        return EMPTY
    xs = left + (times - x[0]) * (width / (x[1] - x[0]))
    spread = (y[1] - y[0]) or 1.0
    ys = np.clip(top + height - (values - y[0]) * (height / spread), top - height, top + 2 * height)
    columns = int(width * ratio)
    dense = len(xs) > 2 * columns
    segments = _dense(xs, ys, columns, left, 1.0 / ratio) if dense else np.concatenate((_sparse(xs, ys), _lone(xs, ys)))
    known = np.flatnonzero(~np.isnan(ys))
    last = (float(xs[known[-1]]), float(ys[known[-1]])) if len(known) else None
    calm = not dense or not len(segments) or float(np.abs(segments[:, 3] - segments[:, 1]).mean()) < CALM
    return Trace(segments, last, dense, calm)


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
