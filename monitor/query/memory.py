"""A history in memory: for tests, and for hosts too small to keep any other.

One writer, any number of readers, without a lock: a series' samples are views that are replaced as a whole, and what a reader
holds is never written to again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.histogram import Histogram
from monitor.query.history import Block, Cells, Hints, Labels, Metadata, Millis, Selected, TooManySamplesError, Values
from monitor.query.memory_index import LabelIndex
from monitor.query.memory_samples import Columns, Samples, Span

DAY = 86_400_000
_LOOKS = 16
"""How often old samples are looked for while the age that is kept goes by."""


class Bounds(msgspec.Struct, frozen=True):
    """What a history in memory may hold. A histogram counts as a sample and one more for each of its buckets. `age` and `late` in
    milliseconds: how far behind the newest sample of all the oldest may be, and how far behind the newest of its series a sample
    may come in.
    """

    samples: int = 5_000_000
    series: int = 100_000
    age: int = 7 * DAY
    late: int = DAY


class Counters(msgspec.Struct):
    """What the bounds cost: samples given up for age or room, refused for coming too late, refused with a series too many; and
    samples that replaced one of the same time.
    """

    given_up: int = 0
    too_late: int = 0
    too_many_series: int = 0
    replaced: int = 0


class MemoryHistory:
    """Implements `History`. Samples of a series may come in any order within the bound; the last written of a time stays."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.counters = Counters()
        self.size = 0  # as the bounds count samples
        self.newest = 0
        self.complete_since = 0
        """From this time on no sample was given up, and none refused with a series too many."""
        self._looked_over = 0
        self._ids: dict[Labels, int] = {}
        self._series: dict[int, tuple[Labels, Samples]] = {}
        self._index = LabelIndex()
        self._next = 0
        self._metadata: dict[str, Metadata] = {}

    def append(self, labels: Labels, times: Millis, values: Values, starts: Millis | None = None) -> None:
        """Samples of one series: int64 [T] milliseconds in any order, float64 [T]. Staleness markers are kept as they are.
        `starts` int64 [T]: start timestamps, 0 where unknown.
        """
        self._append(labels, Columns(np.asarray(times, np.int64), np.asarray(values, np.float64), None, starts))

    def append_histograms(
        self, labels: Labels, times: Millis, histograms: Sequence[Histogram], starts: Millis | None = None
    ) -> None:
        """Histograms of one series; a staleness marker between them is a float sample, see `append`."""
        cells: Cells = np.empty(len(histograms), object)
        cells[:] = histograms
        self._append(labels, Columns(np.asarray(times, np.int64), np.zeros(len(cells)), cells, starts))

    def describe(self, name: str, known: Metadata) -> None:
        """Sets what is known of a metric."""
        self._metadata[name] = known

    def _append(self, labels: Labels, more: Columns) -> None:
        times = more.times
        if not len(times):
            return
        number = self._ids.get(labels)
        if number is None:
            if len(self._ids) >= self.bounds.series:
                self.counters.too_many_series += len(times)
                self.complete_since = max(self.complete_since, int(times.max()) + 1)
                return
            number, self._next = self._next, self._next + 1
            samples = Samples()
        else:
            samples = self._series[number][1]
        newest = max(int(times.max()), samples.last)
        kept = times >= max(newest - self.bounds.late, self.newest - self.bounds.age)
        if not kept.all():
            self.counters.too_late += int(len(kept) - kept.sum())
            more = more.picked(kept)
            if not len(more.times):
                return
        before, weight = len(samples), samples.weight
        samples = samples.merged(more)
        self.counters.replaced += before + len(more.times) - len(samples)
        self.size += samples.weight - weight
        self._series[number] = (labels, samples)
        if labels not in self._ids:
            self._index.add(number, labels)
            self._ids[labels] = number
        self.newest = max(self.newest, newest)
        if self.newest - self._looked_over > self.bounds.age // _LOOKS:
            self.expire()
        if self.size > self.bounds.samples:
            self._make_room()

    def expire(self) -> None:
        """Gives up samples beyond the age bound, which happens by itself as time goes on."""
        self._looked_over = self.newest
        self._give_up_before(self.newest - self.bounds.age)

    def _make_room(self) -> None:
        """Gives up the oldest tenth, so that this is not done for every sample."""
        columns = [samples.columns for _, samples in self._series.values()]
        times, weights = np.concatenate([c.times for c in columns]), np.concatenate([c.weights for c in columns])
        order = np.argsort(times, kind="stable")
        surplus = self.size - self.bounds.samples + self.bounds.samples // 10
        place = int(np.searchsorted(np.cumsum(weights[order]), surplus, "right"))
        time = int(times[order[min(place, len(order) - 1)]])
        self._give_up_before(time)
        if self.size > self.bounds.samples and time < self.newest:  # so many samples share that time
            self._give_up_before(time + 1)

    def _give_up_before(self, time: int) -> None:
        self.complete_since = max(self.complete_since, time)
        for number, (labels, samples) in list(self._series.items()):
            kept = samples.since(time)
            lost = len(samples) - len(kept)
            if not lost:
                continue
            self.size -= samples.weight - kept.weight
            self.counters.given_up += lost
            if len(kept):
                self._series[number] = (labels, kept)
            else:
                self._forget(number, labels)

    def _forget(self, number: int, labels: Labels) -> None:
        del self._ids[labels]
        self._index.remove(number, labels)
        del self._series[number]

    def delete(self, matchers: Sequence[Matcher], start: int, end: int) -> int:
        """Removes samples in [start, end] of the series that meet all matchers; how many they were."""
        removed = 0
        for number in self._index.find(matchers):
            labels, samples = self._series[number]
            kept = samples.without(start, end)
            removed += len(samples) - len(kept)
            self.size -= samples.weight - kept.weight
            if len(kept):
                self._series[number] = (labels, kept)
            else:
                self._forget(number, labels)
        return removed

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """See `History`. Raises `TooManySamplesError` past `hints.max_samples`."""
        groups: dict[object, list[tuple[Labels, Span]]] = {}
        read = 0
        for labels, samples in self._found(matchers):
            span = samples.span(start, end)
            if len(span.columns.times):
                read += len(span.columns.times)
                groups.setdefault(span.clock, []).append((labels, span))
        if read > hints.max_samples:
            raise TooManySamplesError(
                f"the query would read {read} samples, more than the {hints.max_samples} allowed; "
                "ask for a shorter time or fewer series"
            )
        return Selected(tuple(_block(group) for group in groups.values()))

    def _found(self, matchers: Sequence[Matcher]) -> Iterable[tuple[Labels, Samples]]:
        for number in sorted(self._index.find(matchers)):
            found = self._series.get(number)
            if found is not None:
                yield found

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """See `History`."""
        found = sorted(labels for labels, samples in self._found(matchers) if len(samples.span(start, end).columns.times))
        return found[:limit] if limit else found

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        found = sorted({name for labels in self.series(matchers, start, end) for name, _ in labels})
        return found[:limit] if limit else found

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        found = sorted({value for labels in self.series(matchers, start, end) for label, value in labels if label == name})
        return found[:limit] if limit else found

    def metadata(self) -> dict[str, Metadata]:
        """See `History`: of the metrics that have series."""
        present = self._index.values(NAME_TAG)
        return {name: known for name, known in list(self._metadata.items()) if name in present}


def _block(group: list[tuple[Labels, Span]]) -> Block:
    parts = [span.columns for _, span in group]
    times, values = parts[0].times, np.stack([part.values for part in parts])
    cells: Cells | None = None
    if any(part.cells is not None for part in parts):
        cells = np.empty(values.shape, object)
        for row, part in enumerate(parts):
            if part.cells is not None:
                cells[row] = part.cells
    starts: Millis | None = None
    if any(part.starts is not None for part in parts):
        starts = np.zeros(values.shape, np.int64)
        for row, part in enumerate(parts):
            if part.starts is not None:
                starts[row] = part.starts
    return Block(tuple(labels for labels, _ in group), times, values, None, cells, starts)
