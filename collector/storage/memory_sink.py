"""The history in memory as the recorder writes it: refs for series, running histograms for distributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from collector.rewind.kept import KeptSeries
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind
from monitor.query.histogram import Hint, from_bins
from monitor.query.history import Labels, Metadata
from monitor.query.memory import Bounds, MemoryHistory
from monitor.windows.fold import Longs

TYPES = {Kind.COUNTER: "counter", Kind.DISTRIBUTION: "histogram"}
"""What Prometheus calls the kinds; the others are gauges."""


class MemorySink:
    """`collector.storage.recorder.Sink`. `history` is what queries read; it is gone with the process."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.history = MemoryHistory(bounds)
        self._refs: dict[Labels, int] = {}
        self._series: list[KeptSeries] = []
        self.generation = 0
        self._running: dict[int, tuple[dict[int, float], float]] = {}

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        """Refs of these series, int64, new ones given out."""
        for place, each in enumerate(labels):
            if each not in self._refs:
                self._refs[each] = len(self._series)
                kind, unit = Kind(kinds[place]), units[place] if units else ""
                self._series.append(KeptSeries(each, kind, unit))
                self.history.describe(dict(each).get("__name__", ""), Metadata(TYPES.get(kind, "gauge"), "", unit))
        return np.array([self._refs[each] for each in labels], np.int64)

    def kinds(self, refs: Longs) -> npt.NDArray[np.int8]:
        """The kind each ref was interned with first."""
        return np.array([self._series[ref].kind for ref in refs.tolist()], np.int8)

    def described(self, labels: Sequence[Labels]) -> list[KeptSeries]:
        """Kind and unit of these series."""
        return [self._series[self._refs[each]] if each in self._refs else KeptSeries(each, Kind.GAUGE) for each in labels]

    def append(self, refs: Longs, times: Longs, values: Floats) -> None:
        """Samples in any order."""
        order = np.argsort(refs, kind="stable")
        refs, times, values = refs[order], times[order], values[order]
        starts = np.flatnonzero(np.diff(refs, prepend=-1))
        # A look-up and an append a series: this history is for hosts that have few.
        for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(refs)], strict=True):
            self.history.append(self._series[int(refs[begin])].labels, times[begin:end], values[begin:end])

    def append_histograms(self, refs: Longs, times: Longs, offsets: Longs, bins: Ids, counts: Floats, sums: Floats) -> None:
        """What was observed since the last is added to what was before; in order of time for each series."""
        for place in np.argsort(times, kind="stable").tolist():
            ref, part = int(refs[place]), slice(int(offsets[place]), int(offsets[place + 1]))
            filled, total = self._running.get(ref, ({}, 0.0))
            for number, count in zip(bins[part].tolist(), counts[part].tolist(), strict=True):
                filled[number] = filled.get(number, 0.0) + count
            total += float(sums[place])
            self._running[ref] = (filled, total)
            held = np.fromiter(filled.values(), np.float64, len(filled))
            histogram = from_bins(np.fromiter(filled.keys(), np.int32, len(filled)), held, float(held.sum()), total, Hint.UNKNOWN)
            self.history.append_histograms(self._series[ref].labels, times[place : place + 1], [histogram])

    def commit(self) -> bool:
        """Nothing here is ever on a disk."""
        return True
