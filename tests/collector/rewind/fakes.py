"""A history in memory that takes what the recorder writes and gives it back as rewinding reads it; and lists that stood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from collector.rewind.kept import KeptSamples, KeptSeries
from collector.storage.state_history import Standing, Turns
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind
from monitor.query.history import Labels
from monitor.windows.fold import Longs


class MemoryKept:
    """Both sides: `collector.storage.recorder.Sink` and `collector.rewind.kept.PastHistory`. Keeps everything as it came."""

    def __init__(self) -> None:
        self.series: list[KeptSeries] = []
        self.reads: list[tuple[int, int, int]] = []
        self._refs: dict[Labels, int] = {}
        self.generation = 0
        self._samples: list[tuple[int, int, float]] = []
        self._observed: list[tuple[int, int, float, Ids, Floats]] = []

    # ------------------------------------------------------------ written

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        refs = []
        for i, each in enumerate(labels):
            if each not in self._refs:
                # Numbers with gaps, as a store's may have.
                self._refs[each] = 3 * len(self.series) + 5
                self.series.append(KeptSeries(each, Kind(kinds[i]), units[i] if units else ""))
            refs.append(self._refs[each])
        return np.array(refs, np.int64)

    def kinds(self, refs: Longs) -> npt.NDArray[np.int8]:
        return np.array([self._of(ref).kind for ref in refs.tolist()], np.int8)

    def append(self, refs: Longs, times: Longs, values: Floats) -> None:
        self._samples.extend(zip(refs.tolist(), times.tolist(), values.tolist(), strict=True))

    def append_histograms(self, refs: Longs, times: Longs, offsets: Longs, bins: Ids, counts: Floats, sums: Floats) -> None:
        for i in range(len(refs)):
            cells = slice(int(offsets[i]), int(offsets[i + 1]))
            self._observed.append((int(refs[i]), int(times[i]), float(sums[i]), bins[cells], counts[cells]))

    # ------------------------------------------------------------ read

    def since(self) -> float:
        times = [time for _, time, _ in self._samples] + [seen[1] for seen in self._observed]
        return min(times, default=float("inf")) / 1000

    def living(self, start: int) -> int:
        return len(self.series)

    def describe(self, refs: Longs) -> list[KeptSeries]:
        return [self._of(ref) for ref in refs.tolist()]

    def read(self, start: int, end: int, step: int) -> Iterable[KeptSamples]:
        self.reads.append((start, end, step))
        found = sorted((s for s in self._samples if start < s[1] <= end), key=lambda s: s[0])
        seen = [s for s in self._observed if start < s[1] <= end]
        sizes = [len(s[3]) for s in seen]
        yield KeptSamples(
            np.array([s[0] for s in found], np.int64),
            np.array([s[1] for s in found], np.int64),
            np.array([s[2] for s in found], np.float64),
            None,
            None,
            np.array([s[0] for s in seen], np.int64),
            np.array([s[1] for s in seen], np.int64),
            np.array([s[2] for s in seen], np.float64),
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            np.concatenate([np.empty(0, np.int32), *(s[3] for s in seen)]),
            np.concatenate([np.empty(0), *(s[4] for s in seen)]),
        )

    def _of(self, ref: int) -> KeptSeries:
        return self.series[(ref - 5) // 3]


class NoRecord:
    """Nothing was ever decided or done."""

    def as_of(self, time: float) -> Standing:
        return Standing(since=0.0)

    def turns(self, after: float, until: float) -> Turns:
        return Turns()
