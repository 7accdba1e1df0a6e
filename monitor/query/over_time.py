"""The `_over_time` functions, `changes` and `resets`: one number for each window of each series.

Source: Prometheus, promql/functions.go.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from monitor.query.cells import only, there
from monitor.query.exact_sums import window_sums
from monitor.query.extended_rates import anchor
from monitor.query.histogram_rate import changes as histogram_changes
from monitor.query.histogram_rate import resets as histogram_resets
from monitor.query.history import Cells, Mask, Values
from monitor.query.labelsets import name_of
from monitor.query.moments import regressions
from monitor.query.moments import variances as variances_of
from monitor.query.over_time_histograms import histogram_means, histogram_totals
from monitor.query.quantiles import quantiles_of
from monitor.query.ranges import Bounds, Ranged, Ranges, Windows, filled
from monitor.query.start_times import start_resets


def _floats_only(ranges: Ranges, found: Values) -> Ranged:
    """A value where a window has floats; that there were histograms too is noted."""
    windows = ranges.floats
    if ((windows.counts > 0) & (ranges.histograms.counts > 0)).any():
        for labels in ranges.labels:
            ranges.notes.ignored_in_range(name_of(labels), ranges.span)
    return Ranged(found, np.broadcast_to(windows.counts > 0, ranges.shape))


def summed(ranges: Ranges) -> Ranged:
    return _floats_or_histograms(ranges, _sums, histogram_totals)


def averaged(ranges: Ranges) -> Ranged:
    return _floats_or_histograms(ranges, means, histogram_means)


def _floats_or_histograms(
    ranges: Ranges, of_floats: Callable[[Windows], Values], of_histograms: Callable[[Ranges, Mask], Cells]
) -> Ranged:
    floats, histograms = ranges.floats.counts > 0, ranges.histograms.counts > 0
    mixed = floats & histograms
    if mixed.any():
        for labels in ranges.labels:
            ranges.notes.mixed_samples(name_of(labels), ranges.span)
    found = of_floats(ranges.floats) if floats.any() else filled(ranges.shape)
    present = np.broadcast_to(floats & ~mixed, ranges.shape)
    if not histograms.any():
        return Ranged(found, present)
    cells = of_histograms(ranges, histograms & ~mixed)
    return Ranged(found, present | there(cells), cells)


def _sums(windows: Windows) -> Values:
    return window_sums(windows.values, windows.lows, windows.highs)


def means(windows: Windows) -> Values:
    """float64 [R, N]; where the sum is too large for a float the mean is worked out value by value."""
    with np.errstate(all="ignore"):
        sums = _sums(windows)
        found: Values = sums / windows.counts
        for row, window in np.argwhere(~np.isfinite(sums) & (windows.counts > 0)).tolist():
            inside = windows.values[row, windows.lows[window] : windows.highs[window]]
            if np.isfinite(inside).all():
                found[row, window] = incremental_mean(inside)
        return found


def incremental_mean(values: Values) -> float:
    """The mean of values whose sum overflows."""
    largest = float(np.abs(values).max())
    return math.fsum((values / largest).tolist()) / len(values) * largest


def counted(ranges: Ranges) -> Ranged:
    counts = ranges.all.counts
    return Ranged(np.broadcast_to(counts.astype(np.float64), ranges.shape), np.broadcast_to(counts > 0, ranges.shape))


def any_sample(ranges: Ranges) -> Ranged:
    """1 where a window has any sample: of present_over_time, and of absent_over_time, which turns it round."""
    return Ranged(np.ones(ranges.shape), np.broadcast_to(ranges.all.counts > 0, ranges.shape))


def first(ranges: Ranges) -> Ranged:
    return _sample(ranges, ranges.all.lows)


def last(ranges: Ranges) -> Ranged:
    return _sample(ranges, ranges.all.highs - 1)


def _sample(ranges: Ranges, columns: Bounds) -> Ranged:
    windows, cells = ranges.all, ranges.samples.cells
    present = np.broadcast_to(windows.counts > 0, ranges.shape)
    if cells is not None:
        cells = only(present, cells[:, np.clip(columns, 0, len(windows.times) - 1)])
    return Ranged(windows.column(columns), present, cells)


def first_time(ranges: Ranges) -> Ranged:
    return _times(ranges, ranges.all.lows)


def last_time(ranges: Ranges) -> Ranged:
    return _times(ranges, ranges.all.highs - 1)


def _times(ranges: Ranges, columns: Bounds) -> Ranged:
    seconds = ranges.all.time(columns) / 1000
    return Ranged(np.broadcast_to(seconds, ranges.shape), np.broadcast_to(ranges.all.counts > 0, ranges.shape))


def highest(ranges: Ranges) -> Ranged:
    return _floats_only(ranges, _extrema(ranges.floats, np.fmax))


def lowest(ranges: Ranges) -> Ranged:
    return _floats_only(ranges, _extrema(ranges.floats, np.fmin))


def _extrema(windows: Windows, extreme: Callable[..., Values]) -> Values:
    """Extrema over runs of 1, 2, 4 … samples; a window is two runs that overlap. NaN counts only where there is nothing else."""
    found = filled((len(windows.values), len(windows.lows)))
    lengths, runs, run = windows.counts, windows.values, 1
    while runs.shape[1]:
        fitting = np.flatnonzero((lengths >= run) & (lengths < 2 * run))
        if len(fitting):
            found[:, fitting] = extreme(runs[:, windows.lows[fitting]], runs[:, windows.highs[fitting] - run])
        if not (lengths >= 2 * run).any():
            break
        runs = extreme(runs[:, :-run], runs[:, run:])
        run *= 2
    return found


def highest_time(ranges: Ranges) -> Ranged:
    return _floats_only(ranges, _extreme_times(ranges.floats, np.fmax))


def lowest_time(ranges: Ranges) -> Ranged:
    return _floats_only(ranges, _extreme_times(ranges.floats, np.fmin))


def _extreme_times(windows: Windows, extreme: np.ufunc) -> Values:
    """When the extreme was, the last time of equals; seconds. NaN counts only where there is nothing else."""
    found = filled((len(windows.values), len(windows.lows)))
    for rows, picked, laid, times in windows.laid_out():
        best = extreme.reduce(laid, axis=-1)[..., np.newaxis]
        at_best = (laid == best) | np.isnan(best)
        place = laid.shape[-1] - 1 - at_best[..., ::-1].argmax(axis=-1)
        found[rows, picked] = np.take_along_axis(times[np.newaxis], place[..., np.newaxis], axis=-1)[..., 0] / 1000
    return found


def variances(ranges: Ranges) -> Ranged:
    return _floats_only(ranges, variances_of(ranges.floats))


def deviations(ranges: Ranges) -> Ranged:
    return _floats_only(ranges, np.sqrt(variances_of(ranges.floats)))


def quantile(ranges: Ranges, q: Values) -> Ranged:
    windows = ranges.floats
    found = filled(ranges.shape)
    for rows, picked, laid, _ in windows.laid_out():
        found[rows, picked] = quantiles_of(laid, q[picked])
    for wrong in q[(windows.counts > 0) & ~((q >= 0) & (q <= 1))].tolist():
        ranges.notes.bad_quantile(wrong, ranges.span)
    return _floats_only(ranges, found)


def median_deviation(ranges: Ranges) -> Ranged:
    found = filled(ranges.shape)
    with np.errstate(all="ignore"):
        for rows, picked, laid, _ in ranges.floats.laid_out():
            half = np.full(len(picked), 0.5)
            middle = quantiles_of(laid, half)[..., np.newaxis]
            found[rows, picked] = quantiles_of(np.abs(laid - middle), half)
    return _floats_only(ranges, found)


def changes(ranges: Ranges) -> Ranged:
    values = ranges.samples.values
    with np.errstate(invalid="ignore"):
        both_nan = np.isnan(values[:, 1:]) & np.isnan(values[:, :-1])
        differs = (values[:, 1:] != values[:, :-1]) & ~both_nan
    return _steps(ranges, differs, histogram_changes)


def resets(ranges: Ranges) -> Ranged:
    values, samples = ranges.samples.values, ranges.samples
    fell = values[:, 1:] < values[:, :-1]
    told = start_resets(samples.times, samples.since)[:, 1:] if samples.since is not None else None
    return _steps(ranges, fell if told is None else fell | told, histogram_resets, told)


def _steps(ranges: Ranges, steps: Mask, of_histograms: Callable[[Cells], Mask], told: Mask | None = None) -> Ranged:
    """How many steps between neighbours each window has, those from a float to a histogram and back among them. `told`: steps
    that are known whatever the histograms are, bool [R, T - 1].
    """
    windows, kinds, cells = ranges.all, ranges.samples.histogram, ranges.samples.cells
    if cells is not None:
        steps = np.where(kinds[1:] | kinds[:-1], kinds[1:] != kinds[:-1], steps)
        for row in range(len(steps)):
            flags = of_histograms(cells[row, kinds])
            own = np.zeros(len(kinds), bool)
            own[kinds] = flags
            steps[row] |= own[1:] & kinds[1:] & kinds[:-1]
        steps = steps if told is None else steps | told
    lows = windows.lows
    if ranges.mode == "anchored":
        lows = anchor(windows.times, windows, ranges.starts, ranges.lookback)
    running = np.zeros((len(steps), len(windows.times) + 1), np.int64)
    np.cumsum(steps, axis=1, out=running[:, 1 : steps.shape[1] + 1])
    final = np.maximum(windows.highs - 1, lows)
    limit = len(windows.times) - 1
    found = running[:, np.clip(final, 0, limit)] - running[:, np.clip(lows, 0, limit)]
    return Ranged(found.astype(np.float64), np.broadcast_to(windows.counts > 0, ranges.shape))


def smoothed(ranges: Ranges, smoothing: Values, trend: Values) -> Ranged:
    """Double exponential smoothing; factors float64 [N], between 0 and 1 (checked by the caller)."""
    windows = ranges.floats
    found = filled(ranges.shape)
    for rows, picked, laid, _ in windows.laid_out(least=2):
        sf, tf = smoothing[picked], trend[picked]
        before, now = np.zeros(laid.shape[:2]), laid[..., 0]
        slope = laid[..., 1] - laid[..., 0]
        for place in range(1, laid.shape[-1]):  # each value builds on the one before it
            if place > 1:
                slope = tf * (now - before) + (1 - tf) * slope
            before, now = now, sf * laid[..., place] + (1 - sf) * (now + slope)
        found[rows, picked] = now
    return needing_two(ranges, found)


def needing_two(ranges: Ranges, found: Values) -> Ranged:
    """A value where a window has two floats; a lone one beside histograms is noted."""
    _floats_only(ranges, found)
    return Ranged(found, np.broadcast_to(ranges.floats.counts >= 2, ranges.shape))


def slope(ranges: Ranges) -> Ranged:
    return needing_two(ranges, regressions(ranges.floats, None)[0])


def predicted(ranges: Ranges, ahead: Values) -> Ranged:
    rise, level = regressions(ranges.floats, ranges.at)
    return needing_two(ranges, rise * ahead + level)
