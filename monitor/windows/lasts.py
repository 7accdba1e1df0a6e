"""What each row said last, and when."""

from __future__ import annotations

import numpy as np

from monitor.model.batch import Floats, Ids
from monitor.model.table import lengthened
from monitor.windows.frame import Delta


class Lasts:
    """`values` is NaN after a staleness marker and where nothing was said; `times` seconds, -inf where nothing was said.

    `seen` is the time that counts for expiry: of the last sample, or of the row's beginning when that is later.
    """

    def __init__(self, capacity: int) -> None:
        self.values: Floats = np.full(capacity, np.nan)
        self.times: Floats = np.full(capacity, -np.inf)
        self.seen: Floats = np.full(capacity, -np.inf)

    def begin(self, rows: Ids, now: float, capacity: int) -> None:
        """Rows given out at `now`."""
        if capacity > len(self.values):
            self.values = lengthened(self.values, capacity, np.nan)
            self.times = lengthened(self.times, capacity, -np.inf)
            self.seen = lengthened(self.seen, capacity, -np.inf)
        self.values[rows] = np.nan
        self.times[rows] = -np.inf
        self.seen[rows] = now

    def apply(self, delta: Delta) -> None:
        """Takes in a delta's last values; of equal times the one applied last stays."""
        newer = delta.last_times >= self.times[delta.rows]
        rows, times = delta.rows[newer], delta.last_times[newer]
        # Entries are ordered by second, so of a row that occurs more than once the newest is assigned last and stays.
        self.values[rows] = delta.lasts[newer]
        self.times[rows] = times
        np.maximum.at(self.seen, rows, times)

    def end(self, rows: Ids) -> None:
        """Rows given up."""
        self.values[rows] = np.nan
        self.times[rows] = -np.inf
        self.seen[rows] = -np.inf
