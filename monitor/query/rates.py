"""rate, increase and delta, extrapolated to the window's ends, and irate and idelta between the last two samples.

Source: Prometheus, promql/functions.go (extrapolatedRate, instantValue).
"""

from __future__ import annotations

import numpy as np

from monitor.query.cells import there
from monitor.query.exact_sums import window_sums
from monitor.query.extended_rates import extended
from monitor.query.histogram import Hint
from monitor.query.histogram_math import divide, empty_cells, hinted, scale, subtract
from monitor.query.histogram_rate import increase, is_reset
from monitor.query.histogram_stats import counts as histogram_counts
from monitor.query.history import Cells, Mask, Millis, Values
from monitor.query.labelsets import name_of
from monitor.query.notes import ADDITION, SUBTRACTION
from monitor.query.ranges import Bounds, Ranged, Ranges, Windows, filled
from monitor.query.start_times import began_inside, from_zero, in_windows, overlapping, start_resets, with_start_resets

_THRESHOLD = 1.1


def rate(ranges: Ranges) -> Ranged:
    return _extrapolated(ranges, counter=True, per_second=True)


def increased(ranges: Ranges) -> Ranged:
    return _extrapolated(ranges, counter=True, per_second=False)


def delta(ranges: Ranges) -> Ranged:
    return _extrapolated(ranges, counter=False, per_second=False)


def irate(ranges: Ranges) -> Ranged:
    return _last_two(ranges, counter=True)


def idelta(ranges: Ranges) -> Ranged:
    return _last_two(ranges, counter=False)


def _extrapolated(ranges: Ranges, counter: bool, per_second: bool) -> Ranged:
    floats, histograms = ranges.floats.counts > 0, ranges.histograms.counts > 0
    mixed = floats & histograms
    if mixed.any():
        for labels in ranges.labels:
            ranges.notes.mixed_samples(name_of(labels), ranges.span)
    if ranges.mode:
        return extended(ranges, counter, per_second, ~mixed)
    found = filled(ranges.shape)
    present = np.broadcast_to((ranges.floats.counts >= 2) & ~mixed, ranges.shape)
    if floats.any():
        found, began = _float_rates(ranges, counter)
        present = present | (began & ~mixed)
    cells = None
    if histograms.any():
        wanted = (ranges.histograms.counts >= 1) & ~mixed
        cells, some = _histogram_rates(ranges, counter, wanted, ranges.range / 1000 if per_second else 1.0)
        present = present | some
    if per_second:
        found = found / (ranges.range / 1000)
    return Ranged(found, present, cells)


def _float_rates(ranges: Ranges, counter: bool) -> tuple[Values, Mask]:
    """The rates, and where one sample is enough for one: its counter began inside the window."""
    windows = ranges.floats
    first = windows.first
    begun = began_inside(ranges, windows) if counter else None
    with np.errstate(all="ignore"):
        gained = windows.last - first
        if counter:
            gained += lost_to_resets(windows.values, windows.lows, windows.highs, _start_resets(ranges, windows))
        positive = (gained > 0) & (first >= 0)
        to_zero = np.where(positive, first / gained, np.inf)
        if begun is not None:
            gained += np.where(begun != 0, first, 0.0)
        found: Values = gained * _factors(ranges, windows, to_zero if counter else None, begun)
    return found, np.zeros(ranges.shape, bool) if begun is None else begun != 0


def _start_resets(ranges: Ranges, windows: Windows) -> Mask | None:
    """Resets that start timestamps tell, bool [R, T]; that some contradict the samples before them is noted."""
    if windows.since is None:
        return None
    odd = in_windows(overlapping(windows.times, windows.since), windows)
    for row in np.flatnonzero(odd).tolist():
        ranges.notes.overlapping_starts(name_of(ranges.labels[row]), ranges.span)
    return start_resets(windows.times, windows.since)


def lost_to_resets(values: Values, lows: Bounds, highs: Bounds, told: Mask | None = None) -> Values:
    """What counters stood at before each reset within the windows: float64 [R, N]. `told`: resets that are known, bool [R, T]."""
    found = np.zeros((len(values), len(lows)))
    fell = values[:, 1:] < values[:, :-1]
    if told is not None:
        fell = fell | told[:, 1:]
    rows = np.flatnonzero(fell.any(axis=1))
    if len(rows):
        before = np.zeros((len(rows), values.shape[1]))
        before[:, 1:] = np.where(fell[rows], values[rows, :-1], 0.0)
        found[rows] = window_sums(before, lows + 1, highs)
    return found


def _factors(ranges: Ranges, windows: Windows, to_zero: Values | None, begun: Millis | None = None) -> Values:
    """By how much the gain between first and last sample is extended: to the window's end where the samples come near it, else by
    half their distance; of a counter not beyond where it would have been zero (`to_zero`: in sampled intervals before the first),
    and not at all before where it began (`begun`, milliseconds, 0 where unknown).
    """
    first, last = windows.time(windows.lows), windows.time(windows.highs - 1)
    sampled: Values = (last - first) / 1000
    average = np.where(windows.counts > 1, sampled / np.maximum(windows.counts - 1, 1), 0.0)
    near = average * _THRESHOLD
    to_start, to_end = (first - ranges.starts) / 1000, (ranges.ends - last) / 1000
    before: Values = np.where(to_start >= near, average / 2, to_start)
    after = np.where(to_end >= near, average / 2, to_end)
    if to_zero is not None:
        before = np.minimum(before, np.where(np.isnan(to_zero), np.inf, sampled * to_zero))
    if begun is not None:
        before, sampled = np.where(begun != 0, 0.0, before), np.where(begun != 0, (last - begun) / 1000, sampled)
    factors: Values = (sampled + before + after) / sampled
    return factors


def _histogram_rates(ranges: Ranges, counter: bool, wanted: Mask, seconds: float) -> tuple[Cells, Mask]:
    """What the wanted windows gained, divided by so many seconds, and where that is something."""
    windows, notes, span = ranges.histograms, ranges.notes, ranges.span
    cells = empty_cells(ranges.shape)
    lows = np.where(wanted, windows.lows, 0)
    highs = np.where(wanted, windows.highs, 0)
    begun = began_inside(ranges, windows) if counter else None
    told = _start_resets(ranges, windows) if counter else None
    for row, labels in enumerate(ranges.labels):  # a series' histograms are one matrix: a handful of operations each
        held = ranges.cells[row] if told is None else with_start_resets(ranges.cells[row], told[row])
        gained = increase(held, lows, highs, counter)
        name = name_of(labels)
        if gained.mixed.any():
            notes.mixed_buckets(name, span)
        if gained.gauges.any():
            notes.not_a_counter(name, span)
        if gained.counters.any():
            notes.not_a_gauge(name, span)
        if gained.subtracted.any():
            notes.reconciled_bounds(SUBTRACTION, span)
        if gained.added.any():
            notes.reconciled_bounds(ADDITION, span)
        with np.errstate(all="ignore"):
            counts = histogram_counts(gained.cells)
            to_zero = np.where((counts > 0) & (gained.first >= 0), gained.first / counts, np.inf)
            since = None if begun is None else begun[row : row + 1]
            factors = _factors(ranges, windows, to_zero[np.newaxis] if counter else None, since).reshape(-1)
        grown = gained.cells
        if begun is not None:
            grown = from_zero(grown, held[np.minimum(lows, len(held) - 1)], (begun[row] != 0) & wanted & ~gained.mixed)
        cells[row] = scale(grown, np.where(np.isfinite(factors), factors, 1.0) / seconds)
    return cells, there(cells)


def _last_two(ranges: Ranges, counter: bool) -> Ranged:
    windows = ranges.all
    enough = windows.counts >= 2
    last, before = windows.highs - 1, windows.highs - 2
    kinds = ranges.samples.histogram
    seconds = (windows.time(last) - windows.time(before)) / 1000
    if not kinds.any():
        present = np.broadcast_to(enough, ranges.shape)
        return Ranged(_float_steps(windows, last, seconds, counter), present)
    limit = len(kinds) - 1
    new, old = kinds[np.clip(last, 0, limit)], kinds[np.clip(before, 0, limit)]
    if (enough & (new != old)).any():
        for labels in ranges.labels:
            ranges.notes.mixed_samples(name_of(labels), ranges.span)
    found = _float_steps(windows, last, seconds, counter)
    cells, some = _histogram_steps(ranges, enough & new & old, seconds, counter)
    return Ranged(found, some | np.broadcast_to(enough & ~new & ~old, ranges.shape), cells)


def _float_steps(windows: Windows, last: Bounds, seconds: Values, counter: bool) -> Values:
    new, old = windows.column(last), windows.column(last - 1)
    with np.errstate(all="ignore"):
        if not counter:
            return new - old
        fell = new < old
        if windows.since is not None:
            fell |= start_resets(windows.times, windows.since)[:, np.clip(last, 0, len(windows.times) - 1)]
        found: Values = np.where(fell, new, new - old) / seconds
    return found


def _histogram_steps(ranges: Ranges, wanted: Mask, seconds: Values, counter: bool) -> tuple[Cells, Mask]:
    cells, windows = empty_cells(ranges.shape), ranges.all
    picked = np.flatnonzero(wanted)
    if ranges.samples.cells is None or not len(picked):
        return cells, np.zeros(ranges.shape, bool)
    last = windows.highs[picked] - 1
    told = start_resets(windows.times, windows.since) if counter and windows.since is not None else None
    for row, labels in enumerate(ranges.labels):
        new, old = ranges.samples.cells[row, last], ranges.samples.cells[row, last - 1]
        name = name_of(labels)
        gauges = np.array([a.hint == Hint.GAUGE and b.hint == Hint.GAUGE for a, b in zip(new, old, strict=True)])
        any_gauge = any(a.hint == Hint.GAUGE or b.hint == Hint.GAUGE for a, b in zip(new, old, strict=True))
        if counter and any_gauge:
            ranges.notes.not_a_counter(name, ranges.span)
        if not counter and not gauges.all():
            ranges.notes.not_a_gauge(name, ranges.span)
        step = subtract(new, old)
        reset = np.array([counter and is_reset(b, a) for a, b in zip(new, old, strict=True)], bool)
        if told is not None:
            reset |= told[row, last]
        if (step.mixed & ~reset).any():
            ranges.notes.mixed_buckets(name, ranges.span)
        if (step.reconciled & ~reset).any():
            ranges.notes.reconciled_bounds(SUBTRACTION, ranges.span)
        grown = hinted(np.where(reset, new, step.cells), Hint.GAUGE)
        cells[row, picked] = divide(grown, seconds[picked]) if counter else grown
    return cells, there(cells)
