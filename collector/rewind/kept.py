"""What rewinding needs of the history and of the state: samples by series with their kinds, and lists as they stood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.state_history import Standing, Turns
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind
from monitor.query.history import Labels

Longs = npt.NDArray[np.int64]


class KeptSeries(msgspec.Struct, frozen=True):
    """One series of the history: its labels with `__name__`, and the kind and unit it was interned with first."""

    labels: Labels
    kind: Kind
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class KeptSamples:
    """Samples in columns. Times are int64 milliseconds; what happened in (a, b] is stamped within (a, b].

    n readings: `refs` int64[n], `times`, `values` float64[n]: of gauges and sets what they read, of counters the running total
    (a lower one is a reset); NaN ends the series. A coarser tier gives the last reading of each of its slots, stamped with its
    end, and may give `low` and `high`, the least and greatest of it (else None).
    h observations of distributions: `hist_refs` int64[h], `hist_times` int64[h], `hist_sums` float64[h]: what came since the
    one before, in `bins` int32 and `counts` float64 of `monitor.windows.bins`, those of observation i, with rising bins, in
    [offsets[i], offsets[i + 1]); `offsets` int64[h + 1].
    Of one series times rise; the order of series is free.
    """

    refs: Longs
    times: Longs
    values: Floats
    low: Floats | None
    high: Floats | None
    hist_refs: Longs
    hist_times: Longs
    hist_sums: Floats
    offsets: Longs
    bins: Ids
    counts: Floats

    def within(self, start: int, end: int) -> KeptSamples:
        """What of it is stamped within (start, end]."""
        some = (self.times > start) & (self.times <= end)
        mine = (self.hist_times > start) & (self.hist_times <= end)
        sizes = np.diff(self.offsets)
        cells = np.repeat(mine, sizes)
        return KeptSamples(
            self.refs[some],
            self.times[some],
            self.values[some],
            None if self.low is None else self.low[some],
            None if self.high is None else self.high[some],
            self.hist_refs[mine],
            self.hist_times[mine],
            self.hist_sums[mine],
            np.concatenate(([0], np.cumsum(sizes[mine]))),
            self.bins[cells],
            self.counts[cells],
        )


class PastHistory(Protocol):
    """The history as rewinding reads it, from worker threads only; several may read at once."""

    def since(self) -> float:
        """Time of the oldest sample kept, seconds; infinity while there is none."""

    def living(self, start: int) -> int:
        """About how many series have samples after `start`, milliseconds."""

    def describe(self, refs: Longs) -> Sequence[KeptSeries]:
        """The series of these refs, in order."""

    def read(self, start: int, end: int, step: int) -> Iterable[KeptSamples]:
        """Everything stamped within (start, end], milliseconds, in as many parts as it likes, those of a series from old to new.

        `step` 0: as finely as it is kept. Above 0: from the coarsest tier that is no coarser than so many milliseconds; where
        that tier lacks a stretch (too fresh, or too old) from whatever has it.
        """


class Record(Protocol):
    """What was decided and done, by time. `collector.storage.state.StateStore` is one."""

    def as_of(self, time: float) -> Standing:
        """Lists as they stood at this moment."""

    def turns(self, after: float, until: float) -> Turns:
        """What changed in (after, until]."""
