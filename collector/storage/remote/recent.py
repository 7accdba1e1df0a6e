"""The recent part of a remote history, at hand: what the last minutes brought, and since when it is all of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from collector.storage.memory_sink import MemorySink
from monitor.query.memory import Bounds

NEVER = 1 << 60
"""A time that no query asks about: nothing is at hand."""
_LONGER = 60_000


class RecentSink(MemorySink):
    """A `MemorySink` that keeps `seconds` of what comes in, less when that is more than `samples`."""

    def __init__(
        self, seconds: float, *, samples: int = 20_000_000, series: int = 1_000_000, clock: Callable[[], float] = time.time
    ) -> None:
        self._age = round(seconds * 1000)
        # A little longer, as time goes on while a query reads.
        kept = self._age + _LONGER
        super().__init__(Bounds(samples=samples, series=series, age=kept, late=kept))
        self._began = round(clock() * 1000)

    def since(self) -> int:
        """The time, in milliseconds, from which everything that came in is here; `NEVER` where nothing is to be."""
        if not self._age:
            return NEVER
        return max(self._began, self.history.newest - self._age, self.history.complete_since)
