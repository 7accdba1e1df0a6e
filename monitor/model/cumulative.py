"""From cumulative counters to increments, with reset detection."""

from __future__ import annotations

import numpy as np

from monitor.model.batch import Floats, Ids


class Cumulative:
    """Last raw value of each id of one key space; turns readings into increments.

    A reading below the last one is a reset: its whole value is the increment. The first reading of an id says nothing
    about when the counting began and gives no increment (NaN is never returned; the id is simply left out).
    """

    def __init__(self) -> None:
        self._last: Floats = np.empty(0, np.float64)

    def increments(self, ids: Ids, readings: Floats) -> tuple[Ids, Floats]:
        """Ids that have an increment and the increments, float64. `ids` must be unique within one call; readings finite."""
        if len(ids) == 0:
            return ids, readings
        top = int(ids.max()) + 1
        if top > len(self._last):
            grown = np.full(max(top, 2 * len(self._last)), np.nan)
            grown[: len(self._last)] = self._last
            self._last = grown
        before = self._last[ids]
        self._last[ids] = readings
        known = ~np.isnan(before)
        change = np.where(readings >= before, readings - before, readings)
        return ids[known], change[known]

    def forget(self, ids: Ids) -> None:
        """Start these ids anew (their target went away and may come back with another beginning)."""
        self._last[ids[ids < len(self._last)]] = np.nan
