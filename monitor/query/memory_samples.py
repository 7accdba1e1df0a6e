"""The samples of one series in memory: columns that grow at their end without being copied each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from monitor.query.histogram_stacks import restacked
from monitor.query.history import Cells, Mask, Millis, Values

_FIRST_ROOM = 32


class Columns(NamedTuple):
    """What is told of T times: `times` int64, `values` float64, `cells` object (histograms or None), None where there is none at
    all, `starts` int64 (start timestamps, 0 where unknown), None where all are unknown.
    """

    times: Millis
    values: Values
    cells: Cells | None = None
    starts: Millis | None = None

    @property
    def weights(self) -> Millis:
        """How many samples each counts as, int64 [T]: a histogram as many as it has buckets."""
        weights = np.ones(len(self.times), np.int64)
        if self.cells is not None:
            weights += [0 if cell is None else cell.layout.width for cell in self.cells]
        return weights

    @property
    def weight(self) -> int:
        return len(self.times) if self.cells is None else int(self.weights.sum())

    def picked(self, kept: Mask | Millis | slice) -> Columns:
        """Some of them, as numpy indexes."""
        cells = None if self.cells is None else self.cells[kept]
        return Columns(self.times[kept], self.values[kept], cells, None if self.starts is None else self.starts[kept])

    def followed_by(self, more: Columns) -> Columns:
        """These and then others."""
        cells: Cells | None = None
        if self.cells is not None or more.cells is not None:
            nothing = np.full(max(len(self.times), len(more.times)), None, object)
            parts = [nothing[: len(c.times)] if c.cells is None else c.cells for c in (self, more)]
            cells = np.concatenate(parts)
        starts: Millis | None = None
        if self.starts is not None or more.starts is not None:
            unknown = np.zeros(max(len(self.times), len(more.times)), np.int64)
            starts = np.concatenate([unknown[: len(c.times)] if c.starts is None else c.starts for c in (self, more)])
        times, values = np.concatenate((self.times, more.times)), np.concatenate((self.values, more.values))
        return Columns(times, values, cells, starts)


class Span(NamedTuple):
    """Samples in a span. `clock` is equal for spans with the same times."""

    columns: Columns
    clock: object


class _Room(NamedTuple):
    """Columns with free places at their end; `used` belongs to whoever appended last."""

    columns: Columns
    used: list[int]

    @staticmethod
    def of(size: int, held: Columns, more: Columns) -> _Room:
        """Room for so many that holds what is there already, with the columns that `more` needs. Histograms that came one by one
        are brought into one matrix whenever they move.
        """
        with_cells, with_starts = (any(getattr(c, name) is not None for c in (held, more)) for name in ("cells", "starts"))
        room = Columns(
            np.empty(size, np.int64),
            np.empty(size),
            np.empty(size, object) if with_cells else None,
            np.zeros(size, np.int64) if with_starts else None,
        )
        _write(room, 0, held if held.cells is None else held._replace(cells=restacked(held.cells)))
        return _Room(room, [len(held.times)])

    def takes(self, place: int, more: Columns) -> bool:
        """Whether these may be written from that place on."""
        columns = self.columns
        kinds = (more.cells is None or columns.cells is not None) and (more.starts is None or columns.starts is not None)
        return kinds and self.used[0] == place and place + len(more.times) <= len(columns.times)


def _write(room: Columns, place: int, more: Columns) -> None:
    """Places that nothing was written to say None and 0 already."""
    held = slice(place, place + len(more.times))
    room.times[held] = more.times
    room.values[held] = more.values
    if room.cells is not None and more.cells is not None:
        room.cells[held] = more.cells
    if room.starts is not None and more.starts is not None:
        room.starts[held] = more.starts


@dataclass(slots=True)
class Samples:
    """Times strictly rising. Never changed: a change gives another one that shares the arrays where it only appends."""

    columns: Columns = field(default_factory=lambda: Columns(np.zeros(0, np.int64), np.zeros(0)))
    weight: int = 0
    _room: _Room | None = None
    _start: int = 0
    _clock: tuple[int, int, object] = (0, 0, None)

    def __len__(self) -> int:
        return len(self.columns.times)

    @property
    def times(self) -> Millis:
        return self.columns.times

    @property
    def last(self) -> int:
        """Time of the newest sample; far in the past when there is none."""
        return int(self.times[-1]) if len(self) else -(1 << 62)

    def merged(self, more: Columns) -> Samples:
        """With more samples in any order. Of several at one time the last given stays, and it replaces what was there."""
        times = more.times
        if len(times) > 1 and not (np.diff(times) > 0).all():
            order = np.argsort(times, kind="stable")
            more = more.picked(order[np.append(np.diff(times[order]) > 0, True)])
        if not len(self) or more.times[0] > self.last:
            return self._extended(more)
        whole = self.columns.picked(~np.isin(self.times, more.times)).followed_by(more)
        return Samples(whole.picked(np.argsort(whole.times, kind="stable")), whole.weight)

    def _extended(self, more: Columns) -> Samples:
        old, new = len(self), len(self) + len(more.times)
        room, start = self._room, self._start
        if room is None or not room.takes(start + old, more):
            room, start = _Room.of(max(_FIRST_ROOM, new + new // 2), self.columns, more), 0
        _write(room.columns, start + old, more)
        room.used[0] = start + new
        return Samples(room.columns.picked(slice(start, start + new)), self.weight + more.weight, room, start)

    def since(self, time: int) -> Samples:
        """Samples at that time and later; the arrays are let go of when most of them would be unused."""
        first = int(np.searchsorted(self.times, time))
        if first == 0:
            return self
        weight = self.weight - self.columns.picked(slice(0, first)).weight
        if self._room is not None and self._start + first > len(self._room.columns.times) // 2:
            return Samples(self.columns.picked(np.arange(first, len(self))), weight)
        return Samples(self.columns.picked(slice(first, None)), weight, self._room, self._start + first)

    def without(self, start: int, end: int) -> Samples:
        """Samples outside [start, end]."""
        outside = (self.times < start) | (self.times > end)
        kept = self.columns.picked(outside)
        return self if outside.all() else Samples(kept, kept.weight)

    def span(self, start: int, end: int) -> Span:
        """Samples in [start, end], as views."""
        first = int(np.searchsorted(self.times, start))
        past = int(np.searchsorted(self.times, end, "right"))
        if self._clock[:2] != (first, past):
            # Dashboards ask for the same span of many series again and again: what tells their times apart is kept.
            times = self.times[first:past]
            ends = (int(times[0]), int(times[-1])) if len(times) else ()
            self._clock = (first, past, (len(times), *ends, hash(times.tobytes())))
        columns = self.columns.picked(slice(first, past))
        if columns.cells is not None and not (columns.cells != None).any():  # noqa: E711  # elementwise
            columns = columns._replace(cells=None)
        return Span(columns, self._clock[2])
