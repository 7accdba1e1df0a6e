"""The recent past of one subscription in columns: one time axis for all its series, gaps kept as gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids

Scalar = TypeVar("Scalar", bound=np.generic)

GAP = 3.0
"""Intervals without a point after which the line is broken."""
MAX_CELLS = 16_000_000
"""Values one subscription may keep (128 MB); series beyond are not tracked, and counted."""


@dataclass(eq=False)
class Tracks:
    """Values of `fields` for tracked rows over at least the last `keep` seconds, one point a frame.

    Arrays that `track` gives are views: they hold until the next change and must not be written to.
    """

    fields: tuple[str, ...]
    keep: float
    interval: float = 1.0
    step: float = 0.0
    """Seconds between points of a long past: newer ones take each other's place until they are so far apart. 0: all are kept."""
    untracked: int = 0
    """Rows that found no place under `MAX_CELLS`."""

    def __post_init__(self) -> None:
        self.version = 0
        """Counts changes."""
        self._slots: dict[int, int] = {}
        self.joined: set[int] = set()
        """Rows that came when there were times already: their past is not there until history brings it."""
        self._free: list[int] = []
        self._length = 0
        self._times: Floats = np.empty(64)
        self._steps: Floats = np.empty(64)
        self._marks = np.zeros(64, np.bool_)
        self._values: list[npt.NDArray[np.float64]] = [np.empty((0, 64)) for _ in self.fields]
        self._rows: Ids = np.empty(0, np.int32)
        self._places = np.empty(0, np.intp)
        self._placed = np.empty(0, np.bool_)
        self._gaps: tuple[int, list[tuple[float, float]]] = (-1, [])

    # ------------------------------------------------------------ reading

    @property
    def times(self) -> Floats:
        """The shared time axis, float64[n], rising; gap markers included."""
        return self._times[: self._length]

    @property
    def last(self) -> float | None:
        """Time of the newest point; None before the first."""
        return float(self._times[self._length - 1]) if self._length else None

    def track(self, row: int, field: str) -> tuple[Floats, Floats]:
        """Times and values float64[n] of one series, NaN where it has none; empty when the row or field is not tracked."""
        slot = self._slots.get(row)
        if slot is None or field not in self.fields:
            return np.empty(0), np.empty(0)
        return self.times, self._values[self.fields.index(field)][slot, : self._length]

    def gaps(self) -> list[tuple[float, float]]:
        """Spans (last point before, first point after) in which there is no data for any row."""
        if self._gaps[0] != self.version:
            self._gaps = (self.version, self._find_gaps())
        return self._gaps[1]

    def _find_gaps(self) -> list[tuple[float, float]]:
        n = self._length
        filled = np.zeros(n, np.bool_)
        for values in self._values:
            filled |= np.isfinite(values[:, :n]).any(axis=0)
        times, steps = self._times[:n][filled], self._steps[:n][filled]
        if len(times) < 2:
            return []
        broken = np.flatnonzero(_broken(times, steps))
        return [(float(times[i]), float(times[i + 1])) for i in broken]

    # ------------------------------------------------------------ writing

    def append(self, time: float, rows: Ids, columns: tuple[Floats, ...]) -> None:
        """One frame. A time that is not newer than the last is left out."""
        last = self.last
        if last is not None and time <= last:
            return
        if last is not None and time - last > GAP * max(self.interval, float(self._steps[self._length - 1])):
            self._push(last + self.interval, mark=True)
        elif self._stands_in(time):
            self._length -= 1
        self._place(rows)
        at = self._push(time, mark=False)
        for values, column in zip(self._values, columns, strict=True):
            if self._placed.all():
                values[self._places, at] = column
            else:
                values[self._places[self._placed], at] = column[self._placed]
        self.version += 1

    def _stands_in(self, time: float) -> bool:
        """Whether a point at `time` may take the place of the last one: of a long past not every second is wanted."""
        n = self._length
        if self.step <= self.interval or n < 2 or self._marks[n - 1] or self._marks[n - 2]:
            return False
        return bool(time - self._times[n - 2] <= self.step)

    def merge(self, times: Floats, rows: Ids, columns: tuple[npt.NDArray[np.float64], ...], step: float) -> None:
        """History, columns [rows, times]: only what is not there yet is taken, the seams are kept, and gaps marked anew."""
        self._place(rows)
        self._fill_joined(times, rows, columns, step)
        wanted = self._missing(times)
        if not wanted.any():
            return
        held = np.flatnonzero(~self._marks[: self._length])
        all_times = np.concatenate([self._times[held], times[wanted]])
        all_steps = np.concatenate([self._steps[held], np.full(int(wanted.sum()), max(step, self.interval))])
        order = np.argsort(all_times, kind="stable")
        all_times, all_steps = all_times[order], all_steps[order]
        after = np.flatnonzero(_broken(all_times, all_steps))
        marked_times = np.insert(all_times, after + 1, all_times[after] + self.interval)
        new = [self._merged(i, held, columns[i][:, wanted], order, after) for i in range(len(self.fields))]
        self._replace(marked_times, np.insert(all_steps, after + 1, self.interval), new, after + 1 + np.arange(len(after)))

    def _fill_joined(self, times: Floats, rows: Ids, columns: tuple[npt.NDArray[np.float64], ...], step: float) -> None:
        """Gives rows that joined late their values at the times that are held already, from the nearest point of history."""
        late = [i for i, row in enumerate(rows.tolist()) if row in self.joined and row in self._slots]
        self.joined.difference_update(rows.tolist())
        held = self._times[: self._length]
        if not late or not len(times) or not len(held):
            return
        after = np.clip(np.searchsorted(times, held), 1, max(1, len(times) - 1))
        before_is_nearer = held - times[after - 1] <= times[np.minimum(after, len(times) - 1)] - held
        nearest = np.where(before_is_nearer, after - 1, np.minimum(after, len(times) - 1))
        fits = (np.abs(times[nearest] - held) <= step) & ~self._marks[: self._length]
        for i in late:
            slot = self._slots[int(rows[i])]
            for values, column in zip(self._values, columns, strict=True):
                line = values[slot, : self._length]
                empty = np.isnan(line) & fits
                line[empty] = column[i, nearest[empty]]
        self.version += 1

    def forget(self, row: int) -> None:
        """The row means another series from now on."""
        self.joined.discard(row)
        slot = self._slots.pop(row, None)
        if slot is not None:
            self._free.append(slot)
            for values in self._values:
                values[slot] = np.nan
            # Places go with the rows: a frame without any row must not write to the old ones.
            self._rows, self._places = np.empty(0, np.int32), np.empty(0, np.intp)
            self._placed = np.empty(0, np.bool_)
            self.version += 1

    def move(self, moved: dict[int, int]) -> None:
        """Rows have other numbers (old to new); what is not named is forgotten."""
        for row in [row for row in self._slots if row not in moved]:
            self.forget(row)
        self._slots = {moved[row]: slot for row, slot in self._slots.items()}
        self.joined = {moved[row] for row in self.joined if row in moved}
        self._rows = np.empty(0, np.int32)
        self.version += 1

    def _missing(self, times: Floats) -> npt.NDArray[np.bool_]:
        """Which times lie farther from every held point than half an interval, and within no stretch that is held densely."""
        held = self._times[: self._length][~self._marks[: self._length]]
        if not len(held):
            return np.ones(len(times), np.bool_)
        steps = self._steps[: self._length][~self._marks[: self._length]]
        after = np.searchsorted(held, times)
        left, right = np.clip(after - 1, 0, None), np.clip(after, None, len(held) - 1)
        close = np.minimum(np.abs(times - held[left]), np.abs(times - held[right])) <= 0.5 * self.interval
        inside = (after > 0) & (after < len(held)) & (held[right] - held[left] <= GAP * np.maximum(steps[left], steps[right]))
        missing: npt.NDArray[np.bool_] = ~(close | inside)
        return missing

    def _merged(
        self,
        index: int,
        held: npt.NDArray[np.intp],
        history: npt.NDArray[np.float64],
        order: npt.NDArray[np.intp],
        after: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.float64]:
        values = self._values[index]
        old = np.take(values, held, axis=1)
        new = np.full((len(values), history.shape[1]), np.nan)
        new[self._places[self._placed]] = history[self._placed]
        return np.insert(np.concatenate([old, new], axis=1)[:, order], after + 1, np.nan, axis=1)

    def _replace(self, times: Floats, steps: Floats, values: list[npt.NDArray[np.float64]], marks: npt.NDArray[np.intp]) -> None:
        old = int(np.searchsorted(times, times[-1] - self.keep)) if len(times) else 0
        self._length = len(times) - old
        capacity = max(64, self._length + self._length // 4)
        self._times, self._steps, self._marks = np.empty(capacity), np.empty(capacity), np.zeros(capacity, np.bool_)
        self._times[: self._length], self._steps[: self._length] = times[old:], steps[old:]
        self._marks[marks[marks >= old] - old] = True
        for i, column in enumerate(values):
            self._values[i] = np.full((len(column), capacity), np.nan)
            self._values[i][:, : self._length] = column[:, old:]
        self.version += 1

    def _push(self, time: float, mark: bool) -> int:
        if self._length == len(self._times):
            self._make_room(time)
        at = self._length
        self._times[at], self._steps[at], self._marks[at] = time, max(self.interval, self.step), mark
        for values in self._values:
            values[:, at] = np.nan
        self._length += 1
        return at

    @property
    def _full_capacity(self) -> int:
        """Room for all of `keep` and a quarter more."""
        return int(1.26 * self.keep / max(self.interval, self.step)) + 64

    def _make_room(self, now: float) -> None:
        """Drops what is older than `keep`; grows when less than a fifth of the room came free, so the copying stays rare."""
        old = int(np.searchsorted(self.times, now - self.keep))
        n, capacity, full = self._length - old, len(self._times), self._full_capacity
        if old * 5 < capacity:
            capacity = full if capacity < full < 2 * capacity else 2 * capacity
        self._times, self._steps = _moved(self._times, old, n, capacity), _moved(self._steps, old, n, capacity)
        self._marks = _moved(self._marks, old, n, capacity)
        for i, values in enumerate(self._values):
            grown = np.empty((len(values), capacity))
            grown[:, :n] = values[:, old : old + n]
            self._values[i] = grown
        self._length = n

    def _place(self, rows: Ids) -> None:
        """Finds the slot of each row, giving new rows one."""
        if rows is self._rows or np.array_equal(rows, self._rows):
            return
        self._recycle(rows)
        room = MAX_CELLS // (max(len(self._times), self._full_capacity) * max(1, len(self.fields)))
        wanted = [row for row in rows.tolist() if row not in self._slots]
        if self._length:
            self.joined.update(wanted)
        for row in wanted:
            if self._free:
                self._slots[row] = self._free.pop()
            elif len(self._slots) < room:
                self._slots[row] = len(self._slots)
        self._grow_slots(max(self._slots.values(), default=-1) + 1)
        self._rows = rows
        self._places = np.array([self._slots.get(row, -1) for row in rows.tolist()], np.intp)
        self._placed = self._places >= 0
        self.untracked = int((~self._placed).sum())

    def _recycle(self, rows: Ids) -> None:
        """Gives up the slots of rows that are not in the subscription any more and have no value left on the axis."""
        present = set(rows.tolist())
        for row in [row for row in self._slots if row not in present]:
            slot = self._slots[row]
            if not any(np.isfinite(values[slot, : self._length]).any() for values in self._values):
                self._free.append(self._slots.pop(row))

    def _grow_slots(self, slots: int) -> None:
        for i, values in enumerate(self._values):
            if slots > len(values):
                grown = np.full((max(slots, len(values) * 5 // 4), values.shape[1]), np.nan)
                grown[: len(values)] = values
                self._values[i] = grown


def _broken(times: Floats, steps: Floats) -> npt.NDArray[np.bool_]:
    """Where the spacing to the next point is over `GAP` steps of the coarser side; bool[n - 1]."""
    broken: npt.NDArray[np.bool_] = np.diff(times) > GAP * np.maximum(steps[:-1], steps[1:])
    return broken


def _moved(array: npt.NDArray[Scalar], start: int, n: int, capacity: int) -> npt.NDArray[Scalar]:
    moved = np.zeros(capacity, array.dtype)
    moved[:n] = array[start : start + n]
    return moved
