"""Spread and trend over windows: variance, and the straight line of least squares.

Windows that overlap share running sums of values, squares and products, each kept in two floats (Dekker, "A floating-point
technique for extending the available precision", 1971), so that nothing is lost where large sums cancel. Windows that are few,
short, or doubtful even so are worked out sample by sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.query.exact_sums import Bounds, two_sum, window_sum_parts
from monitor.query.history import Mask, Millis, Values
from monitor.query.ranges import Windows, filled

_SPLITTER = 2.0**27 + 1
_ENOUGH = 1e-11


def variances(windows: Windows) -> Values:
    """Population variances, float64 [R, N]; NaN where a window has an infinite value or NaN."""
    if windows.counts.sum() <= 2 * len(windows.times):
        return _variances_apart(windows)
    values, odd = _finite(windows)
    spread, doubt = _spread(windows, values - values[:, :1])
    trusted = _constant(windows) | (doubt <= _ENOUGH * spread)
    spread = np.where(_constant(windows), 0.0, np.maximum(spread, 0.0))
    found = spread / np.square(windows.counts.astype(np.float64))
    (found,) = _settled(windows, trusted | odd, lambda some, _: (_variances_apart(some),), found)
    return np.where(odd, np.nan, found)


def regressions(windows: Windows, origin: Millis | None) -> tuple[Values, Values]:
    """Slope per second and value at the origin (milliseconds, int64 [N]; None: each window's first sample), float64 [R, N] each,
    for windows of two samples and more. NaN as in `variances`.
    """
    zero = windows.time(windows.lows) if origin is None else origin
    if windows.counts.sum() <= 2 * len(windows.times):
        return _regressions_apart(windows, zero)
    values, odd = _finite(windows)
    count = windows.counts.astype(np.float64)
    off, elapsed = values - values[:, :1], windows.times - windows.times[0]
    sums, products = _sums(windows, off), _products(windows, off, elapsed.astype(np.float64))
    x_sum, x_spread = _elapsed_sums(windows, elapsed)
    together = _less(_times(products, count), _times(sums, x_sum))
    doubt = products.doubt * count + sums.doubt * np.abs(x_sum)
    trusted = doubt <= _ENOUGH * np.abs(together)
    if not trusted.all():
        spread, _ = _spread(windows, off)
        trusted |= doubt <= _ENOUGH * np.sqrt(np.maximum(spread, 0.0) * x_spread)
    rise = together / x_spread * 1000
    mean = values[:, :1] + (sums.high + sums.low) / count
    level = mean - rise * ((x_sum / count + (windows.times[0] - zero)) / 1000)
    constant, first = _constant(windows), windows.first
    rise, level = np.where(constant, 0.0, rise), np.where(constant, first, level)
    settled = trusted | constant | odd | (windows.counts < 2)
    rise, level = _settled(windows, settled, lambda some, at: _regressions_apart(some, zero[at]), rise, level)
    return np.where(odd, np.nan, rise), np.where(odd, np.nan, level)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums over windows in two floats, [R, N] each, and how far they may be off, [R, 1]."""

    high: Values
    low: Values
    doubt: Values


def _sums(windows: Windows, values: Values) -> _Sums:
    return _Sums(*window_sum_parts(values, windows.lows, windows.highs))


def _products(windows: Windows, left: Values, right: Values) -> _Sums:
    product, error = _two_product(left, np.broadcast_to(right, left.shape))
    whole, rest = _sums(windows, product), _sums(windows, error)
    high, lost = two_sum(whole.high, rest.high)
    return _Sums(high, whole.low + rest.low + lost, whole.doubt + rest.doubt)


def _spread(windows: Windows, off: Values) -> tuple[Values, Values]:
    """Count squared times the variance, and how far it may be off."""
    first, second = _sums(windows, off), _products(windows, off, off)
    count = windows.counts.astype(np.float64)
    square, error = _two_product(first.high, first.high)
    squared = _Sums(square, error + 2 * first.high * first.low, first.doubt)
    doubt = second.doubt * count + 2 * first.doubt * np.abs(first.high)
    return _less(_times(second, count), squared), doubt


def _times(sums: _Sums, factor: Values) -> _Sums:
    high, low = _two_product(sums.high, np.broadcast_to(factor, sums.high.shape))
    return _Sums(high, low + sums.low * factor, sums.doubt)


def _less(left: _Sums, right: _Sums) -> Values:
    difference, error = two_sum(left.high, -right.high)
    return difference + (error + (left.low - right.low))


def _two_product(left: Values, right: Values) -> tuple[Values, Values]:
    """The rounded products and their rounding errors."""
    product = left * right
    (a, b), (c, d) = _halves(left), _halves(right)
    error: Values = ((a * c - product) + a * d + b * c) + b * d
    return product, error


def _halves(values: Values) -> tuple[Values, Values]:
    spread = values * _SPLITTER
    high: Values = spread - (spread - values)
    return high, values - high


def _finite(windows: Windows) -> tuple[Values, Mask]:
    """The values with 0 for what is infinite or NaN, and the windows that have such, bool [R, N]."""
    odd = ~np.isfinite(windows.values)
    if not odd.any():
        return windows.values, np.zeros((len(odd), len(windows.lows)), bool)
    return np.where(odd, 0.0, windows.values), _before(odd, windows.highs) > _before(odd, windows.lows)


def _constant(windows: Windows) -> Mask:
    """Windows of one value only, bool [R, N]."""
    differs = np.zeros(windows.values.shape, bool)
    differs[:, 1:] = windows.values[:, 1:] != windows.values[:, :-1]
    lows = np.minimum(windows.lows + 1, windows.highs)
    found: Mask = _before(differs, windows.highs) == _before(differs, lows)
    return found


def _before(flags: Mask, columns: Bounds) -> Bounds:
    """How many flags there are before each column."""
    counts = np.zeros((len(flags), flags.shape[1] + 1), np.int32)
    np.cumsum(flags, axis=1, out=counts[:, 1:])
    found: Bounds = counts[:, columns]
    return found


def _elapsed_sums(windows: Windows, elapsed: Millis) -> tuple[Values, Values]:
    """Of the times their sum, and count times the sum of squares less the square of the sum: whole numbers, so exactly."""
    once = np.array([0, *elapsed.tolist()], object)
    sums, squares = np.cumsum(once), np.cumsum(once * once)
    total = sums[windows.highs] - sums[windows.lows]
    spread = (squares[windows.highs] - squares[windows.lows]) * windows.counts.astype(object) - total * total
    return total.astype(np.float64), spread.astype(np.float64)


def _settled(
    windows: Windows, trusted: Mask, apart: Callable[[Windows, Bounds], tuple[Values, ...]], *found: Values
) -> tuple[Values, ...]:
    """What was found, with doubtful windows worked out sample by sample."""
    for row in np.flatnonzero(~trusted.all(axis=1)).tolist():
        at = np.flatnonzero(~trusted[row])
        some = Windows(windows.times, windows.values[row : row + 1], windows.lows[at], windows.highs[at], windows.check)
        for whole, part in zip(found, apart(some, at), strict=True):
            whole[row, at] = part[0]
    return found


def _variances_apart(windows: Windows) -> Values:
    found = filled((len(windows.values), len(windows.lows)))
    for rows, picked, laid, _ in windows.laid_out():
        off = laid - laid.mean(axis=-1, keepdims=True)
        # The mean is rounded: what it is off by is taken out again.
        found[rows, picked] = np.mean(off * off, axis=-1) - np.mean(off, axis=-1) ** 2
    return np.maximum(found, 0.0)


def _regressions_apart(windows: Windows, zero: Millis) -> tuple[Values, Values]:
    shape = (len(windows.values), len(windows.lows))
    rise, level = filled(shape), filled(shape)
    for rows, picked, laid, times in windows.laid_out(least=2):
        seconds = (times - zero[picked, np.newaxis]) / 1000
        x_mean, y_mean = seconds.mean(axis=-1), laid.mean(axis=-1)
        x_off, y_off = seconds - x_mean[:, np.newaxis], laid - y_mean[..., np.newaxis]
        slopes = (x_off * y_off).sum(axis=-1) / (x_off * x_off).sum(axis=-1)
        constant, endless = (laid == laid[..., :1]).all(axis=-1), np.isinf(laid[..., 0])
        rise[rows, picked] = np.where(constant, np.where(endless, np.nan, 0.0), slopes)
        level[rows, picked] = np.where(constant, np.where(endless, np.nan, laid[..., 0]), y_mean - slopes * x_mean)
    return rise, level
