"""What rewinding reads, taken from any history's `select`: blocks made into columns, running sums into what was observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.rewind.kept import KeptSamples, KeptSeries
from monitor.model.batch import Floats, Ids
from monitor.query.histogram import Stack
from monitor.query.histogram_stacks import stacks_of
from monitor.query.history import Block, Cells, Hints, History, Labels, stale_at
from monitor.windows.bins import SCALE, ZERO_INDEX
from monitor.windows.fold import Longs

MAX_SAMPLES = 100_000_000
FAR = 1 << 53
"""A time after all others, in milliseconds."""
Describe = Callable[[Sequence[Labels]], Sequence[KeptSeries]]


class SelectedPast:
    """`collector.rewind.kept.PastHistory` over a `History`. `describe`: kind and unit by labels; `since`: time of its oldest."""

    def __init__(self, history: History, describe: Describe, since: Callable[[], float]) -> None:
        self._history = history
        self._describe = describe
        self._since = since
        self._refs: dict[Labels, int] = {}
        self._labels: list[Labels] = []

    def since(self) -> float:
        """Time of the oldest sample kept, seconds; infinity while there is none."""
        return self._since()

    def living(self, start: int) -> int:
        """About how many series have samples after `start`, milliseconds."""
        return len(self._history.series((), start, FAR))

    def describe(self, refs: Longs) -> Sequence[KeptSeries]:
        """The series of these refs, in order."""
        return self._describe([self._labels[ref] for ref in refs.tolist()])

    def read(self, start: int, end: int, step: int) -> Iterable[KeptSamples]:
        """Everything stamped within (start, end], milliseconds; from a coarser tier where `step` allows one."""
        first = -(-(start + 1) // step) * step if step else start + 1
        hints = Hints(step=step, lookback=max(step, 1), first=first, max_samples=MAX_SAMPLES)
        gathered = _Gathered()
        for block in self._history.select((), start + 1, end, hints).blocks:
            gathered.add(np.array([self._ref(labels) for labels in block.labels], np.int64), block)
        yield gathered.samples()

    def _ref(self, labels: Labels) -> int:
        ref = self._refs.get(labels)
        if ref is None:
            ref = self._refs[labels] = len(self._labels)
            self._labels.append(labels)
        return ref


@dataclass
class _Gathered:
    """Parts of the columns, a part a block or a series of histograms."""

    refs: list[Longs] = field(default_factory=lambda: [np.empty(0, np.int64)])
    times: list[Longs] = field(default_factory=lambda: [np.empty(0, np.int64)])
    values: list[Floats] = field(default_factory=lambda: [np.empty(0)])
    hist_refs: list[Longs] = field(default_factory=lambda: [np.empty(0, np.int64)])
    hist_times: list[Longs] = field(default_factory=lambda: [np.empty(0, np.int64)])
    hist_sums: list[Floats] = field(default_factory=lambda: [np.empty(0)])
    sizes: list[Longs] = field(default_factory=lambda: [np.empty(0, np.int64)])
    bins: list[Ids] = field(default_factory=lambda: [np.empty(0, np.int32)])
    counts: list[Floats] = field(default_factory=lambda: [np.empty(0)])

    def add(self, refs: Longs, block: Block) -> None:
        there = np.ones(block.values.shape, np.bool_) if block.present is None else block.present
        if block.histograms is not None:
            there = there & (block.histograms == np.full((), None, object))
            for place, ref in enumerate(refs.tolist()):
                self._observed(ref, block.times, block.histograms[place])
        rows, columns = np.nonzero(there)
        if len(rows):
            values = block.values[rows, columns]
            self.refs.append(refs[rows])
            self.times.append(block.times[columns])
            self.values.append(np.where(stale_at(values), np.nan, values))

    def _observed(self, ref: int, times: Longs, cells: Cells) -> None:
        """One series: what each running sum has more than the one before."""
        for places, stack in stacks_of(cells):
            if stack.layout.schema != SCALE:
                continue  # of another resolution: the windows have no bins for it
            grown = np.diff(stack.counts, axis=0, prepend=np.zeros((1, stack.layout.width)))
            which, columns = np.nonzero(grown > 0)
            self.hist_refs.append(np.full(len(places), ref, np.int64))
            self.hist_times.append(times[places])
            self.hist_sums.append(np.diff(stack.sum, prepend=0.0))
            self.sizes.append(np.bincount(which, minlength=len(places)).astype(np.int64))
            self.bins.append(_bins_of(stack)[columns])
            self.counts.append(grown[which, columns])

    def samples(self) -> KeptSamples:
        sizes = np.concatenate(self.sizes)
        return KeptSamples(
            np.concatenate(self.refs),
            np.concatenate(self.times),
            np.concatenate(self.values),
            None,
            None,
            np.concatenate(self.hist_refs),
            np.concatenate(self.hist_times),
            np.concatenate(self.hist_sums),
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            np.concatenate(self.bins),
            np.concatenate(self.counts),
        )


def _bins_of(stack: Stack) -> Ids:
    """The product's bin of each of a stack's columns (see `monitor.windows.bins`)."""
    layout = stack.layout
    below = -(layout.negative[::-1].astype(np.int64) + ZERO_INDEX - 1)
    above = layout.positive.astype(np.int64) + ZERO_INDEX - 1
    return np.concatenate((below, [0], above)).astype(np.int32)
