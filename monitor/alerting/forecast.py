"""A straight line through the recent past, how sure it is of the future, and when it crosses a limit."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats

Matrix = npt.NDArray[np.float64]
MIN_POINTS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Least squares of some series at once, each over its own points; all float64[n], NaN where there are too few points.

    The line is level + slope * (t - 0), t in seconds from the end of the past. `spread` is the standard deviation of what is
    left over, `middle` and `sway` the mean and the sum of squared distances of the times, `points` how many there were.
    """

    level: Floats
    slope: Floats
    spread: Floats
    middle: Floats
    sway: Floats
    points: Floats

    def at(self, ahead: float) -> Floats:
        """The line, `ahead` seconds after the end of the past."""
        return self.level + self.slope * ahead

    def margin(self, ahead: float, confidence: float) -> Floats:
        """How far from the line a value then may lie, one-sided: with this confidence it is not further to that side."""
        with np.errstate(invalid="ignore", divide="ignore"):
            error = self.spread * np.sqrt(1 + 1 / self.points + (ahead - self.middle) ** 2 / self.sway)
        return _student(confidence, self.points - 2) * error


def fit(times: Floats, values: Matrix) -> Lines:
    """Lines through float64[n, t] values (NaN: no point) at float64[t] times in seconds, 0 the end of the past."""
    there = ~np.isnan(values)
    points = there.sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shifted = np.where(there, times, 0.0)
        middle = shifted.sum(axis=1) / points
        mean = np.where(there, values, 0.0).sum(axis=1) / points
        away = np.where(there, times - middle[:, None], 0.0)
        sway = (away**2).sum(axis=1)
        slope = (away * np.where(there, values - mean[:, None], 0.0)).sum(axis=1) / sway
        level = mean - slope * middle
        left = np.where(there, values - (level[:, None] + slope[:, None] * times), 0.0)
        spread = np.sqrt((left**2).sum(axis=1) / (points - 2))
    few = (points < MIN_POINTS) | ~(sway > 0)
    slope, level, spread = (np.where(few, np.nan, each) for each in (slope, level, spread))
    return Lines(level, slope, spread, middle, sway, points)


def crossing(lines: Lines, row: int, limit: float) -> float:
    """Seconds until the line of a row reaches the limit: 0 when it has crossed it already, infinite when it never will."""
    level, slope = float(lines.level[row]), float(lines.slope[row])
    if slope == 0 or np.isnan(slope):
        return np.inf
    seconds = (limit - level) / slope
    return max(0.0, seconds)


def _student(confidence: float, freedom: Floats) -> Floats:
    """Quantiles of Student's t by the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5), within 1 % from 5 degrees on."""
    z = NormalDist().inv_cdf(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (z**3 + z) / 4 / freedom
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96 / freedom**2
        third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / freedom**3
    result: Floats = z + first + second + third
    return result
