"""PromQL functions worked out sample by sample, plainly, with exact fractions: what the column-wise evaluator is held against."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

Points = list[tuple[int, float]]
"""Time in milliseconds and value, by time."""

LOOKBACK = 300_000


def window(points: Points, start: int, end: int) -> Points:
    """Left-open, right-closed."""
    return [(time, value) for time, value in points if start < time <= end]


def last_before(points: Sequence[tuple[int, float | None]], time: int) -> float | None:
    """What an instant selector sees; None is a staleness marker."""
    seen = [(at, value) for at, value in points if time - LOOKBACK < at <= time]
    return seen[-1][1] if seen else None


def exact_sum(values: Sequence[float]) -> float:
    if all(math.isfinite(value) for value in values):
        total = sum(map(Fraction, values), Fraction(0))
        return float(total)
    return sum(value for value in values if not math.isfinite(value))


def exact_mean(values: Sequence[float]) -> float:
    if all(math.isfinite(value) for value in values):
        return float(sum(map(Fraction, values), Fraction(0)) / len(values))
    return exact_sum(values)


def exact_variance(values: Sequence[float]) -> float:
    if not all(math.isfinite(value) for value in values):
        return math.nan
    mean = sum(map(Fraction, values), Fraction(0)) / len(values)
    return float(sum(((Fraction(value) - mean) ** 2 for value in values), Fraction(0)) / len(values))


def quantile(q: float, values: Sequence[float]) -> float:
    if not values or math.isnan(q):
        return math.nan
    if not 0 <= q <= 1:
        return -math.inf if q < 0 else math.inf
    ordered = sorted((v for v in values if not math.isnan(v)), key=float)
    ordered = [math.nan] * (len(values) - len(ordered)) + ordered
    rank = q * (len(values) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(values) - 1)
    weight = rank - low
    return ordered[low] * (1 - weight) + ordered[high] * weight


def extrapolated(points: Points, start: int, end: int, counter: bool, per_second: bool) -> float | None:
    """rate, increase and delta (promql/functions.go, extrapolatedRate)."""
    if len(points) < 2:
        return None
    values = [value for _, value in points]
    gained = exact_sum([values[-1], -values[0]])
    if counter:
        gained = exact_sum([gained, *(a for a, b in pairwise(values) if b < a)])
    to_start, to_end = (points[0][0] - start) / 1000, (end - points[-1][0]) / 1000
    sampled = (points[-1][0] - points[0][0]) / 1000
    average = sampled / (len(points) - 1)
    if to_start >= average * 1.1:
        to_start = average / 2
    if counter and gained > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (values[0] / gained))
    if to_end >= average * 1.1:
        to_end = average / 2
    factor = (sampled + to_start + to_end) / sampled
    return gained * factor / ((end - start) / 1000 if per_second else 1)


def last_two(points: Points, counter: bool) -> float | None:
    if len(points) < 2:
        return None
    (before, old), (time, new) = points[-2:]
    if not counter:
        return new - old
    return (new if new < old else new - old) / ((time - before) / 1000)


def anchored(points: Points, everything: Points, start: int, counter: bool) -> float | None:
    """increase and delta of an anchored range."""
    if not points:
        return None
    before = [point for point in everything if start - LOOKBACK < point[0] <= start]
    values = [value for _, value in before[-1:] + points]
    gained = [values[-1], -values[0]]
    if counter:
        gained += [a for a, b in pairwise(values) if b < a]
    return exact_sum(gained)


def changes(values: Sequence[float]) -> float:
    pairs = pairwise(values)
    return float(sum(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairs))


def resets(values: Sequence[float]) -> float:
    return float(sum(b < a for a, b in pairwise(values)))


def smoothed(values: Sequence[float], sf: float, tf: float) -> float | None:
    if len(values) < 2:
        return None
    before, now, slope = 0.0, values[0], values[1] - values[0]
    for place, value in enumerate(values[1:]):
        if place:
            slope = tf * (now - before) + (1 - tf) * slope
        before, now = now, sf * value + (1 - sf) * (now + slope)
    return now


def regression(points: Points, origin: int) -> tuple[float, float]:
    """Slope per second, and value at the origin."""
    xs = [Fraction(time - origin, 1000) for time, _ in points]
    ys = [Fraction(value) for _, value in points]
    x_mean, y_mean = sum(xs, Fraction(0)) / len(xs), sum(ys, Fraction(0)) / len(ys)
    over = sum(((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)), Fraction(0))
    slope = over / sum(((x - x_mean) ** 2 for x in xs), Fraction(0))
    return float(slope), float(y_mean - slope * x_mean)


def _ignoring_nan(best: Callable[[Sequence[float]], float]) -> Callable[[Sequence[float]], float]:
    return lambda values: best([v for v in values if not math.isnan(v)] or [math.nan])


def time_of_best(points: Points, best: Callable[[Sequence[float]], float]) -> float:
    known = [(time, value) for time, value in points if not math.isnan(value)] or points
    extreme = best([value for _, value in known])
    return [time for time, value in known if value == extreme or math.isnan(extreme)][-1] / 1000


highest, lowest = _ignoring_nan(max), _ignoring_nan(min)

OVER_TIME: dict[str, Callable[[Points], float]] = {
    "avg_over_time": lambda points: exact_mean([value for _, value in points]),
    "changes": lambda points: changes([value for _, value in points]),
    "count_over_time": lambda points: float(len(points)),
    "first_over_time": lambda points: points[0][1],
    "last_over_time": lambda points: points[-1][1],
    "max_over_time": lambda points: highest([value for _, value in points]),
    "min_over_time": lambda points: lowest([value for _, value in points]),
    "present_over_time": lambda points: 1.0,
    "resets": lambda points: resets([value for _, value in points]),
    "stddev_over_time": lambda points: math.sqrt(exact_variance([value for _, value in points])),
    "stdvar_over_time": lambda points: exact_variance([value for _, value in points]),
    "sum_over_time": lambda points: exact_sum([value for _, value in points]),
    "ts_of_first_over_time": lambda points: points[0][0] / 1000,
    "ts_of_last_over_time": lambda points: points[-1][0] / 1000,
    "ts_of_max_over_time": lambda points: time_of_best(points, max),
    "ts_of_min_over_time": lambda points: time_of_best(points, min),
}
