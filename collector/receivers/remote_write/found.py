"""What was read of one request."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from collector.receivers.remote_write.exemplars import WrittenExemplars
from monitor.model.batch import Floats, Ids
from monitor.query.histogram import Histogram
from monitor.query.history import Millis

NO_IDS: Ids = np.empty(0, np.int32)
NO_TIMES: Millis = np.empty(0, np.int64)
NO_VALUES: Floats = np.empty(0)


@dataclass(slots=True)
class Refused:
    """What of a request can never be taken: how much, and the first of it in words."""

    series: int = 0
    samples: int = 0
    first: str = ""

    def note(self, why: str, *, series: int = 0, samples: int = 0) -> None:
        self.series += series
        self.samples += samples
        self.first = self.first or why

    def sentence(self) -> str:
        """For the sender; "" when all was taken."""
        if not self.first:
            return ""
        parts = [f"{count} {what}" for count, what in ((self.series, "series"), (self.samples, "samples")) if count]
        return f"{' and '.join(parts) or 'a part'} refused, all else is kept; the first: {self.first}"


@dataclass(slots=True, eq=False)
class Found:
    """n floats in any order: `ids` int32[n], `times` int64[n] milliseconds, `values` float64[n] with the bits they came with;
    and histograms by id and time (milliseconds); and exemplars.
    """

    ids: Ids = field(default_factory=lambda: NO_IDS)
    times: Millis = field(default_factory=lambda: NO_TIMES)
    values: Floats = field(default_factory=lambda: NO_VALUES)
    histograms: list[tuple[int, int, Histogram]] = field(default_factory=list)
    refused: Refused = field(default_factory=Refused)
    exemplars: WrittenExemplars = field(default_factory=WrittenExemplars)
