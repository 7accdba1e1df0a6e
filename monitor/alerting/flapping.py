"""Flapping: an alert that turns again and again, and when it has settled.

Source of the weights: Nagios Core, "Detection and Handling of State Flapping" (a recent change weighs 1.2, the oldest 0.8). There
it is a share of the last 21 checks; rules here are judged each second, so it is a sum over a stretch of time.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

NEWEST, OLDEST = 1.2, 0.8


class FlapLimits(msgspec.Struct, frozen=True):
    """Turns (beginnings and ends of firings) over `window` seconds: an alert flaps at `high` of them, and settles below `low`."""

    window: float = 1800.0
    high: float = 6.0
    low: float = 2.0


class Flapping(msgspec.Struct, frozen=True):
    """An alert flaps `since` then (seconds since the epoch). `told`: somebody was told that it does.

    `owes_end`: somebody was told of a firing whose end was not told because of this.
    """

    since: float
    told: bool = False
    owes_end: bool = False


def weighted_turns(firings: Iterable[tuple[float, float | None]], window: float, now: float) -> float:
    """How often it has turned within the last `window` seconds, a turn just now weighing 1.2 and the oldest 0.8.

    `firings`: starts and ends (None: not over), seconds.
    """
    weight = 0.0
    for moment in (moment for span in firings for moment in span):
        if moment is not None and 0 <= now - moment < window:
            weight += NEWEST - (NEWEST - OLDEST) * (now - moment) / window
    return weight


def flaps(limits: FlapLimits, firings: Iterable[tuple[float, float | None]], now: float, before: bool) -> bool:
    """Whether an alert flaps now; `before`: whether it did."""
    weight = weighted_turns(firings, limits.window, now)
    return weight >= (limits.low if before else limits.high)
