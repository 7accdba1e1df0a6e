"""The samples of one series in memory: columns that grow at their end without being copied each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from monitor.query.history import Cells, Mask, Millis, Values

_FIRST_ROOM = 32


class Span(NamedTuple):
    """Samples in a span. `clock` is equal for spans with the same times."""

    times: Millis
    values: Values
    cells: Cells | None
    clock: object


class _Room(NamedTuple):
    """Arrays with free places at their end; `used` belongs to whoever appended last."""

    times: Millis
    values: Values
    cells: Cells | None
    used: list[int]


@dataclass(slots=True)
class Samples:
    """Times int64 strictly rising, values float64, histograms object or None. Never changed: a change gives another one that
    shares the arrays where it only appends.
    """

    times: Millis = field(default_factory=lambda: np.zeros(0, np.int64))
    values: Values = field(default_factory=lambda: np.zeros(0))
    cells: Cells | None = None
    _room: _Room | None = None
    _start: int = 0
    _clock: tuple[int, int, object] = (0, 0, None)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def last(self) -> int:
        """Time of the newest sample; far in the past when there is none."""
        return int(self.times[-1]) if len(self.times) else -(1 << 62)

    def merged(self, times: Millis, values: Values, cells: Cells | None) -> Samples:
        """With more samples in any order. Of several at one time the last given stays, and it replaces what was there."""
        if len(times) > 1 and not (np.diff(times) > 0).all():
            order = np.argsort(times, kind="stable")
            order = order[np.append(np.diff(times[order]) > 0, True)]
            times, values, cells = times[order], values[order], _picked(cells, order)
        if not len(self) or times[0] > self.last:
            return self._extended(times, values, cells)
        stays = ~np.isin(self.times, times)
        whole = np.concatenate((self.times[stays], times))
        order = np.argsort(whole, kind="stable")
        joined = _joined(_picked(self.cells, stays), int(stays.sum()), cells, len(times))
        return Samples(whole[order], np.concatenate((self.values[stays], values))[order], _picked(joined, order))

    def _extended(self, times: Millis, values: Values, cells: Cells | None) -> Samples:
        old, new = len(self), len(self) + len(times)
        room, start = self._room, self._start
        free = room is not None and room.used[0] == start + old and start + new <= len(room.times)
        if room is None or not free or (cells is not None and room.cells is None):
            room, start = self._moved(max(_FIRST_ROOM, new + new // 2), with_cells=cells is not None), 0
        room.times[start + old : start + new] = times
        room.values[start + old : start + new] = values
        if room.cells is not None and cells is not None:
            room.cells[start + old : start + new] = cells
        room.used[0] = start + new
        held = slice(start, start + new)
        return Samples(room.times[held], room.values[held], _picked(room.cells, held), room, start)

    def _moved(self, size: int, with_cells: bool) -> _Room:
        room = _Room(
            np.empty(size, np.int64),
            np.empty(size),
            np.empty(size, object) if with_cells or self.cells is not None else None,
            [len(self)],
        )
        room.times[: len(self)] = self.times
        room.values[: len(self)] = self.values
        if room.cells is not None and self.cells is not None:
            room.cells[: len(self)] = self.cells
        return room

    def since(self, time: int) -> Samples:
        """Samples at that time and later; the arrays are let go of when most of them would be unused."""
        first = int(np.searchsorted(self.times, time))
        if first == 0:
            return self
        kept = slice(first, None)
        if self._room is not None and self._start + first > len(self._room.times) // 2:
            return Samples(self.times[kept].copy(), self.values[kept].copy(), _copied(_picked(self.cells, kept)))
        return Samples(self.times[kept], self.values[kept], _picked(self.cells, kept), self._room, self._start + first)

    def without(self, start: int, end: int) -> Samples:
        """Samples outside [start, end]."""
        outside = (self.times < start) | (self.times > end)
        return self if outside.all() else Samples(self.times[outside], self.values[outside], _picked(self.cells, outside))

    def span(self, start: int, end: int) -> Span:
        """Samples in [start, end], as views."""
        first = int(np.searchsorted(self.times, start))
        past = int(np.searchsorted(self.times, end, "right"))
        if self._clock[:2] != (first, past):
            # Dashboards ask for the same span of many series again and again: what tells their times apart is kept.
            times = self.times[first:past]
            ends = (int(times[0]), int(times[-1])) if len(times) else ()
            self._clock = (first, past, (len(times), *ends, hash(times.tobytes())))
        held = slice(first, past)
        cells = _picked(self.cells, held)
        if cells is not None and not (cells != None).any():  # noqa: E711  # elementwise
            cells = None
        return Span(self.times[held], self.values[held], cells, self._clock[2])


def _picked(cells: Cells | None, kept: Mask | Millis | slice) -> Cells | None:
    return None if cells is None else cells[kept]


def _copied(cells: Cells | None) -> Cells | None:
    return None if cells is None else cells.copy()


def _joined(left: Cells | None, left_size: int, right: Cells | None, right_size: int) -> Cells | None:
    if left is None and right is None:
        return None
    nothing = np.full(max(left_size, right_size), None, object)
    return np.concatenate((nothing[:left_size] if left is None else left, nothing[:right_size] if right is None else right))
