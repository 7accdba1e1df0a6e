"""From records of the queue to the series of requests: in order of time, each time once, late samples apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collector.protobuf.columns import SeriesColumns
from collector.protobuf.write import encode_write_v1, encode_write_v2
from collector.storage.remote.distributions import Distributions, Grown, classic_labels
from collector.storage.remote.names import old_labels
from collector.storage.remote.packing import Columns, Floats, Longs, QueuedSeries, joined, unpack
from collector.storage.remote.queue import Position, SegmentQueue
from collector.storage.remote.request import Version
from collector.storage.remote.settings import Names
from monitor.model.matchers import NAME_TAG
from monitor.model.series import Kind
from monitor.model.table import lengthened
from monitor.query.history import Cells, Labels, Metadata

_MOST_DISTRIBUTIONS = 500
_TYPES = {int(Kind.COUNTER): "counter", int(Kind.DISTRIBUTION): "histogram"}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What goes in one request: samples in order of ref and time, and distributions."""

    refs: Longs
    times: Longs
    values: Floats
    grown: Sequence[Grown] = ()

    def __len__(self) -> int:
        return len(self.refs) + sum(len(grown.times) for grown in self.grown)


@dataclass(frozen=True, slots=True)
class Batch:
    """`position`: where the queue has been read to when all parts are with the receiver."""

    parts: Sequence[Part]
    position: Position


class Batches:
    """Reads the queue. Knows the series by their refs, and how far each has been sent."""

    def __init__(self, queue: SegmentQueue, names: Names) -> None:
        self._queue = queue
        self._names = names
        self._epoch: int | None = None
        self._series: dict[int, QueuedSeries] = {}
        self._last = np.empty(0, np.int64)
        self._known = np.empty(0, np.bool_)
        self._distributions = Distributions()
        self._held: tuple[int, Sequence[QueuedSeries], Columns, Position] | None = None
        self.damaged = 0
        """Records that could not be read."""

    @property
    def holds(self) -> bool:
        """Whether samples were read from the queue that no batch has had yet."""
        return self._held is not None

    def take(self, most: int) -> Batch | None:
        """The next samples, a few more than `most` at the utmost; None when there are none."""
        parts: list[Columns] = []
        count, position = 0, None
        while count < most and (record := self._next()) is not None:
            epoch, series, columns, after = record
            if epoch != self._epoch:
                if parts:  # refs mean other series from here on
                    self._held = record
                    break
                self._begin(epoch)
            self._learn(series)
            position = after
            if len(columns):
                parts.append(columns)
                count += len(columns)
        if position is None or not parts:
            return None
        return Batch(_bounded(self._parts(joined(parts)), most), position)

    def _next(self) -> tuple[int, Sequence[QueuedSeries], Columns, Position] | None:
        if self._held is not None:
            held, self._held = self._held, None
            return held
        while (taken := self._queue.take()) is not None:
            try:
                epoch, series, columns = unpack(taken.payload)
            except ValueError:
                self.damaged += 1
                continue
            return epoch, series, Columns() if taken.sent else columns, taken.position
        return None

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._series.clear()
        self._distributions.clear()
        self._last, self._known = np.empty(0, np.int64), np.empty(0, np.bool_)

    def _learn(self, series: Sequence[QueuedSeries]) -> None:
        for each in series:
            self._series[each.ref] = each if self._names == "as_sent" else _renamed(each)
        if series:
            most = max(each.ref for each in series) + 1
            if most > len(self._known):
                self._known = lengthened(self._known, most, False)
                self._last = lengthened(self._last, most, np.iinfo(np.int64).min)
            self._known[[each.ref for each in series]] = True

    def _parts(self, columns: Columns) -> list[Part]:
        """What is in order first: some receivers refuse a whole request for one late sample."""
        there = columns.refs < len(self._known)
        there[there] = self._known[columns.refs[there]]
        refs, times, values = columns.refs[there], columns.times[there], columns.values[there]
        order = np.lexsort((times, refs))
        refs, times, values = refs[order], times[order], values[order]
        newest = np.ones(len(refs), np.bool_)
        newest[:-1] = (refs[1:] != refs[:-1]) | (times[1:] != times[:-1])
        refs, times, values = refs[newest], times[newest], values[newest]
        late = times <= self._last[refs]
        last = np.ones(len(refs), np.bool_)
        last[:-1] = refs[1:] != refs[:-1]
        ahead = last & ~late
        self._last[refs[ahead]] = times[ahead]
        grown = [each for each in self._distributions.grown(columns) if len(each.times) and each.ref in self._series]
        parts = [Part(refs[~late], times[~late], values[~late], grown), Part(refs[late], times[late], values[late])]
        return [part for part in parts if len(part)]

    def encoded(self, part: Part, version: Version) -> tuple[bytes, int]:
        """The request, not yet compressed, and how many samples are in it."""
        if version == "2.0":
            columns = self._with_native(part)
            return encode_write_v2(columns), len(columns.times)
        columns = self._with_classic(part)
        return encode_write_v1(columns), len(columns.times)

    @property
    def epoch(self) -> int:
        """Of the refs: in another epoch they mean other series."""
        return self._epoch or 0

    def series(self, ref: int) -> QueuedSeries:
        """What a ref of a part means."""
        return self._series[ref]

    def drawn(self, grown: Grown) -> Cells:
        """A distribution's running totals at its times, object of `Histogram`."""
        return self._distributions.native(grown)

    def _floats(self, part: Part) -> tuple[list[Labels], list[int]]:
        starts = np.flatnonzero(np.diff(part.refs, prepend=np.int64(-1))) if len(part.refs) else np.empty(0, np.int64)
        return [self._series[ref].labels for ref in part.refs[starts].tolist()], starts.tolist()

    def _with_native(self, part: Part) -> SeriesColumns:
        labels, offsets = self._floats(part)
        metadata = {name: known for ref in np.unique(part.refs).tolist() for name, known in self._described(ref)}
        times, cells = [part.times], [np.full(len(part.refs), None, object)]
        count = len(part.refs)
        for grown in part.grown:
            labels.append(self._series[grown.ref].labels)
            offsets.append(count)
            times.append(grown.times)
            cells.append(self._distributions.native(grown))
            count += len(grown.times)
            metadata.update(self._described(grown.ref))
        values = np.zeros(count)
        values[: len(part.values)] = part.values
        drawn: Cells | None = np.concatenate(cells) if part.grown else None
        return SeriesColumns(tuple(labels), np.array([*offsets, count]), np.concatenate(times), values, drawn, metadata=metadata)

    def _with_classic(self, part: Part) -> SeriesColumns:
        labels, offsets = self._floats(part)
        times, values = [part.times], [part.values]
        count = len(part.refs)
        for grown in part.grown:
            named = self._series[grown.ref].labels
            for suffix, le, at, numbers in self._distributions.classic(grown):
                labels.append(classic_labels(named, suffix, le))
                offsets.append(count)
                times.append(at)
                values.append(numbers)
                count += len(at)
        return SeriesColumns(tuple(labels), np.array([*offsets, count]), np.concatenate(times), np.concatenate(values))

    def _described(self, ref: int) -> list[tuple[str, Metadata]]:
        series = self._series[ref]
        name = next((value for label, value in series.labels if label == NAME_TAG), "")
        return [(name, Metadata(_TYPES.get(series.kind, "gauge"), "", series.unit))] if name else []


def _bounded(parts: Sequence[Part], most: int) -> list[Part]:
    """The same in parts of at most so many samples, and of few distributions, each of which is hundreds of numbers."""
    found = []
    for part in parts:
        if len(part.refs) <= most and len(part.grown) <= _MOST_DISTRIBUTIONS:
            found.append(part)
            continue
        for begin in range(0, len(part.refs), most):
            rows = slice(begin, begin + most)
            found.append(Part(part.refs[rows], part.times[rows], part.values[rows]))
        none = slice(0)
        found += [
            Part(part.refs[none], part.times[none], part.values[none], part.grown[begin : begin + _MOST_DISTRIBUTIONS])
            for begin in range(0, len(part.grown), _MOST_DISTRIBUTIONS)
        ]
    return found


def _renamed(series: QueuedSeries) -> QueuedSeries:
    return QueuedSeries(series.ref, old_labels(series.labels), series.kind, series.unit)
