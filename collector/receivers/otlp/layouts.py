"""What is known of explicit histograms: those of one number of buckets lie in one matrix, a row each, whatever their bounds are.

A row of state is the count of each bucket (of the last reading, or the running total) and, where there is one, the sum behind
them. Its classic series are a bucket each, then count, then sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.table import lengthened
from monitor.windows.spread import PLACES, explicit_bins

Rows = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)


class Bounds:
    """Finite, rising bounds, float64[size - 1]; `bins` int32[size, PLACES]; `lows`, `highs` float64[size], the ends infinite."""

    def __init__(self, bounds: Floats) -> None:
        self.values = bounds
        self.bins: Ids = explicit_bins(bounds) if len(bounds) else np.zeros((1, PLACES), np.int32)
        self.lows: Floats = np.concatenate(([-np.inf], bounds))
        self.highs: Floats = np.concatenate((bounds, [np.inf]))


class Layout:
    """All histograms of `size` buckets that tell a sum, or all that tell none."""

    def __init__(self, size: int, has_sum: bool) -> None:
        self.size, self.has_sum = size, has_sum
        self.packed_size = 8 * size
        """Bytes of a point's counts."""
        self.rows = 0
        width = size + has_sum
        self.last: Floats = np.empty((0, width))
        self.known: Bools = np.empty(0, np.bool_)
        """False: nothing is known of its last reading, or it is told that it ended."""
        self.time: Floats = np.empty(0)
        self.start: Floats = np.empty(0)
        self.call: Rows = np.empty(0, np.int64)
        """Of whoever wrote it last."""
        self.series: Ids = np.empty(0, np.int32)
        self.ids: Ids = np.empty((0, width + 1), np.int32)
        self._mark: Rows = np.empty(0, np.int64)
        self.shape: Ids = np.empty(0, np.int32)
        """Of each row the number of its bounds."""
        self._bounds: list[Bounds] = []
        self._numbers: dict[bytes, int] = {}
        self._stacked: tuple[Ids, Floats, Floats] | None = None

    def add(self, series: int, ids: list[int], bounds: Floats) -> int:
        """A row for a new histogram: the id of its distribution, and those of its classic series."""
        key = bounds.tobytes()
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._bounds)
            self._bounds.append(Bounds(bounds))
            self._stacked = None
        row = self.rows
        if row == len(self.time):
            self._grow(max(4, 2 * row))
        self.series[row], self.ids[row], self.shape[row] = series, ids, number
        self.rows += 1
        return row

    def bounds_of(self, row: int) -> Floats:
        """Of one histogram."""
        found: Floats = self._bounds[self.shape[row]].values
        return found

    def stacked(self) -> tuple[Ids, Floats, Floats]:
        """`bins`, `lows` and `highs` of all its `Bounds`, one after the other."""
        if self._stacked is None:
            self._stacked = (
                np.stack([each.bins for each in self._bounds]),
                np.stack([each.lows for each in self._bounds]),
                np.stack([each.highs for each in self._bounds]),
            )
        return self._stacked

    def unique(self, rows: Rows) -> bool:
        """Whether none of them comes twice."""
        places = np.arange(len(rows))
        self._mark[rows] = places
        return bool((self._mark[rows] == places).all())

    def put(self, rows: Rows, call: int, last: Floats, known: Bools, times: Floats, starts: Floats) -> Callable[[], int]:
        """Keep these (rows unique). What was before comes back when the way back is called, which tells for how many not:
        another call has built upon them.
        """
        columns = self.last, self.known, self.time, self.start
        before = [column[rows] for column in columns]
        self.last[rows], self.known[rows], self.time[rows], self.start[rows] = last, known, times, starts
        self.call[rows] = call

        def undo() -> int:
            mine = self.call[rows] == call
            for column, held in zip((self.last, self.known, self.time, self.start), before, strict=True):
                column[rows[mine]] = held[mine]
            return len(rows) - int(np.count_nonzero(mine))

        return undo

    def classic(self, state: Floats) -> Floats:
        """[n, size + 1 or 2]: the values of the classic series of n states."""
        made = np.empty((len(state), self.ids.shape[1]))
        np.cumsum(state[:, : self.size], axis=1, out=made[:, : self.size])
        made[:, self.size] = made[:, self.size - 1]
        made[:, self.size + 1 :] = state[:, self.size :]
        return made

    def _grow(self, size: int) -> None:
        self.last, self.ids = _taller(self.last, size), _taller(self.ids, size)
        self.known = lengthened(self.known, size, False)
        self.time = lengthened(self.time, size, -np.inf)
        self.start = lengthened(self.start, size, 0.0)
        self.call = lengthened(self.call, size, 0)
        self.series = lengthened(self.series, size, -1)
        self._mark = lengthened(self._mark, size, 0)
        self.shape = lengthened(self.shape, size, 0)


def _taller(matrix: npt.NDArray[Scalar], rows: int) -> npt.NDArray[Scalar]:
    made = np.zeros((rows, matrix.shape[1]), matrix.dtype)
    made[: len(matrix)] = matrix
    return made
