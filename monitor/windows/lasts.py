"""What each row said last, and when."""

from __future__ import annotations

import numpy as np

from monitor.model.batch import Floats, Ids
from monitor.model.table import lengthened
from monitor.windows.frame import Delta


class Lasts:
    """`values` is NaN after a staleness marker and where nothing was said; `times` seconds, -inf where nothing was said."""

    def __init__(self, capacity: int) -> None:
        self.values: Floats = np.full(capacity, np.nan)
        self.times: Floats = np.full(capacity, -np.inf)
        self._begun: Floats = np.full(capacity, -np.inf)

    @property
    def seen(self) -> Floats:
        """The time that counts for expiry: of the last sample, or of the beginning of the row when that is later."""
        return np.maximum(self._begun, self.times)

    def begin(self, rows: Ids, now: float, capacity: int) -> None:
        """Rows given out at `now`."""
        if capacity > len(self.values):
            self.values = lengthened(self.values, capacity, np.nan)
            self.times = lengthened(self.times, capacity, -np.inf)
            self._begun = lengthened(self._begun, capacity, -np.inf)
        self.values[rows] = np.nan
        self.times[rows] = -np.inf
        self._begun[rows] = now

    def apply(self, delta: Delta) -> None:
        """Takes in a delta's last values; of equal times the one applied last stays."""
        rows, lasts, times = delta.rows, delta.lasts, delta.last_times
        newer = times >= self.times[rows]
        if not newer.all():
            rows, lasts, times = rows[newer], lasts[newer], times[newer]
        # Entries are ordered by second, so of a row that occurs more than once the newest is assigned last and stays.
        self.values[rows] = lasts
        self.times[rows] = times

    def end(self, rows: Ids) -> None:
        """Rows given up."""
        self.values[rows] = np.nan
        self.times[rows] = -np.inf
        self._begun[rows] = -np.inf
