"""How much goes on: a day of twenty minutes with its noon and its evening."""

from __future__ import annotations

import math

DAY = 1200.0
"""Seconds of a day of the shop."""
OPENS_AT = 10.5
"""Hour of the shop's day at which the demonstration begins."""
USUAL = 20.0
"""Requests a second at the busiest hours."""
_PEAKS = ((12.5, 2.6, 1.0), (20.0, 2.2, 0.9))
"""Hour, breadth in hours, height."""
_NIGHT = 0.3


def hour(elapsed: float) -> float:
    """The hour of the shop's day, 0 to 24, so many seconds after its beginning."""
    return (OPENS_AT + elapsed / DAY * 24.0) % 24.0


def load(elapsed: float) -> float:
    """Traffic by that of the busiest hour: 0.3 at night, 1 at noon."""
    now = hour(elapsed)
    bells = (height * math.exp(-(_apart(now, peak) ** 2) / (2 * breadth**2)) for peak, breadth, height in _PEAKS)
    return _NIGHT + (1.0 - _NIGHT) * min(1.0, sum(bells))


def _apart(one: float, other: float) -> float:
    """Hours between two hours of a day, the shorter way round."""
    return min(abs(one - other), 24.0 - abs(one - other))
