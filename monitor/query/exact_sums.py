"""Sums that keep what rounding takes away: columns over many rows, and windows over one row.

Every addition's rounding error is worked out exactly and summed up beside the sum (Knuth's TwoSum; Ogita, Rump and Oishi,
"Accurate sum and dot product", 2005), so large numbers that cancel leave the small ones intact. Prometheus compensates too
(Neumaier), and the two agree to the last digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.query.history import Mask, Values

Bounds = npt.NDArray[np.int64]
_TRUSTED = 1e-13
_FEW_COLUMNS = 128
_EXACT = 2.0**53
"""Whole numbers below are added without rounding."""


def two_sum(left: Values, right: Values) -> tuple[Values, Values]:
    """The rounded sums, and what rounding took: left + right is exactly their sum. NaN where a sum is infinite."""
    total = left + right
    part = total - left
    error: Values = (left - (total - part)) + (right - part)
    return total, error


def compensated(total: Values, lost: Values) -> Values:
    """The sum with what was lost; an infinite or NaN sum stays as it is."""
    found: Values = np.where(np.isfinite(total), total + lost, total)
    return found


def group_sums(values: Values, groups: Bounds, count: int) -> Values:
    """Sums over the rows of each group: float64 [S, N], int64 [S] of group numbers below `count`, gives float64 [count, N]."""
    with np.errstate(invalid="ignore", over="ignore"):
        if values.shape[1] >= _FEW_COLUMNS:
            return _sums_by_row(values, groups, count)
        return _sums_by_halves(values, groups, count)


def _sums_by_row(values: Values, groups: Bounds, count: int) -> Values:
    """A row at a time, in place: its columns stay in the cache."""
    size = values.shape[1]
    total, lost = np.zeros((count, size)), np.zeros((count, size))
    after, part, rest = np.empty(size), np.empty(size), np.empty(size)
    for row, group in zip(values, groups.tolist(), strict=True):
        before = total[group]
        np.add(before, row, out=after)
        np.subtract(after, before, out=part)
        np.subtract(after, part, out=rest)
        np.subtract(before, rest, out=rest)
        np.subtract(row, part, out=part)
        np.add(rest, part, out=rest)
        lost[group] += rest
        total[group] = after
    return compensated(total, lost)


def _sums_by_halves(values: Values, groups: Bounds, count: int) -> Values:
    """Pairs of neighbours become one, until a group has a single row: few operations for many rows and few columns."""
    order = np.argsort(groups, kind="stable")
    rows, total = groups[order], values[order]
    lost = np.zeros((count, values.shape[1]))
    while True:
        starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])) if len(rows) else np.zeros(0, np.int64)
        if len(starts) == len(rows):
            break
        within = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
        even = within % 2 == 0
        paired = even & np.append(rows[1:] == rows[:-1], False)
        first = np.flatnonzero(paired)
        sums, errors = two_sum(total[first], total[first + 1])
        np.add.at(lost, rows[first], errors)
        total[first] = sums
        rows, total = rows[even], total[even]
    found = np.zeros((count, values.shape[1]))
    found[rows] = total
    return compensated(found, lost)


def window_sums(values: Values, lows: Bounds, highs: Bounds) -> Values:
    """Sums over windows of each row: float64 [R, T], window n holds columns `lows[n]` to `highs[n] - 1`; gives float64 [R, N].

    Differences of running sums where those are exact enough, else sample by sample.
    """
    lows, highs = np.minimum(lows, values.shape[1]), np.minimum(highs, values.shape[1])
    lengths = np.maximum(highs - lows, 0)
    if not values.size or not lengths.any():
        return np.zeros((len(values), len(lows)))
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", over="ignore"):
        if not finite.all():
            sums = window_sums(np.where(finite, values, 0.0), lows, highs)
            return sums + _endless(values, lows, lows + lengths)
        if lengths.sum() <= 2 * values.shape[1]:
            return _direct(values, lows, lengths)
        sums, trusted = _differences(values, lows, lows + lengths)
        for row in np.flatnonzero(~trusted.all(axis=1)).tolist():
            doubtful = np.flatnonzero(~trusted[row])
            sums[row, doubtful] = _direct(values[row : row + 1], lows[doubtful], lengths[doubtful])[0]
        return sums


def _endless(values: Values, lows: Bounds, highs: Bounds) -> Values:
    """What windows with infinite or NaN values come to, 0 for those without."""
    found = np.zeros((len(values), len(lows)))
    for special in (np.inf, -np.inf, np.nan):
        seen = np.zeros((len(values), values.shape[1] + 1), np.int64)
        np.cumsum(np.isnan(values) if np.isnan(special) else values == special, axis=1, out=seen[:, 1:])
        found += np.where(seen[:, highs] > seen[:, lows], special, 0.0)
    return found


def _direct(values: Values, lows: Bounds, lengths: Bounds) -> Values:
    total, lost = np.zeros((len(values), len(lows))), np.zeros((len(values), len(lows)))
    for place in range(int(lengths.max())):
        within = place < lengths
        more = np.where(within, values[:, np.where(within, lows + place, 0)], 0.0)
        total, error = two_sum(total, more)
        lost += error
    return compensated(total, lost)


def _differences(values: Values, lows: Bounds, highs: Bounds) -> tuple[Values, Mask]:
    running = _running(values)
    if max(-running.min(), running.max()) < _EXACT and (values == np.rint(values)).all():
        return running[:, highs] - running[:, lows], np.ones((len(values), len(lows)), bool)
    high, low, doubt = _parts(values, running, lows, highs)
    sums = high + low
    trusted = doubt <= np.abs(sums) * _TRUSTED
    if not trusted.all():
        populated = np.zeros(running.shape, np.int64)
        np.cumsum(values != 0, axis=1, out=populated[:, 1:])
        trusted |= (populated[:, highs] == populated[:, lows]) & np.isfinite(sums)
    return sums, trusted


def window_sum_parts(values: Values, lows: Bounds, highs: Bounds) -> tuple[Values, Values, Values]:
    """As `window_sums`, in two floats each, [R, N], and how far they may be off, [R, 1]; the values must be finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        return _parts(values, _running(values), lows, highs)


def _running(values: Values) -> Values:
    running = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=running[:, 1:])
    return running


def _parts(values: Values, running: Values, lows: Bounds, highs: Bounds) -> tuple[Values, Values, Values]:
    lost = np.zeros(running.shape)
    part = running[:, 1:] - running[:, :-1]
    np.cumsum((running[:, :-1] - (running[:, 1:] - part)) + (values - part), axis=1, out=lost[:, 1:])
    difference, error = two_sum(running[:, highs], -running[:, lows])
    reach = np.abs(running).max(axis=1, keepdims=True) + np.abs(values).max(axis=1, keepdims=True)
    return difference, error + (lost[:, highs] - lost[:, lows]), reach * (values.shape[1] * 2.0**-104)
