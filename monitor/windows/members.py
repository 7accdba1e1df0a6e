"""Which members a set had when, for its history: a bounded log of slots, seconds at first and tens of seconds later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.windows.frame import Delta
from monitor.windows.rings import FINE, TEN, floor_to

LIMIT = 1_000_000
"""Members remembered over all slots, 12 bytes each; the oldest slots are given up beyond it, and history begins later."""

Longs = npt.NDArray[np.int64]
_Members = tuple[Ids, Floats]


class MemberLog:
    """Rows and hashes of the members of each slot. `since`: nothing before this second is complete any more."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.since = 0
        self._limit = limit
        self._size = 0
        self._slots: dict[int, list[_Members]] = {}
        self._fine_from = 0

    def apply(self, delta: Delta, oldest: int) -> None:
        """Takes in a delta's members and drops slots before `oldest`."""
        edges = np.flatnonzero(np.diff(delta.set_seconds)) + 1
        for run in np.split(np.arange(len(delta.set_seconds)), edges):
            if len(run):
                second = int(delta.set_seconds[run[0]])
                slot = second if second >= self._fine_from else floor_to(second, TEN)
                self._put(slot, (delta.set_rows[run], delta.set_hashes[run]))
        self._coarsen(floor_to(int(delta.time) - FINE, TEN))
        for slot in [slot for slot in self._slots if slot < oldest]:
            self._take(slot)
        while self._size > self._limit and self._slots:
            slot = min(self._slots)
            self._take(slot)
            self.since = slot + (1 if slot >= self._fine_from else TEN)

    def _put(self, slot: int, members: _Members) -> None:
        if slot >= self.since:
            self._slots.setdefault(slot, []).append(members)
            self._size += len(members[0])

    def _take(self, slot: int) -> list[_Members]:
        parts = self._slots.pop(slot)
        self._size -= sum(len(rows) for rows, _ in parts)
        return parts

    def _coarsen(self, fine_from: int) -> None:
        if fine_from <= self._fine_from:
            return
        due: dict[int, list[_Members]] = {}
        for slot in sorted(slot for slot in self._slots if self._fine_from <= slot < fine_from):
            due.setdefault(floor_to(slot, TEN), []).extend(self._take(slot))
        self._fine_from = fine_from
        for slot, parts in due.items():
            rows, hashes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            order = np.lexsort((hashes, rows))
            rows, hashes = rows[order], hashes[order]
            new = np.ones(len(rows), np.bool_)
            new[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
            self._put(slot, (rows[new].astype(np.int32), hashes[new]))

    def scrub(self, rows: Ids) -> None:
        """Forgets these rows."""
        for slot in list(self._slots):
            kept = [(r[keep], h[keep]) for r, h in self._take(slot) if (keep := ~np.isin(r, rows)).any()]
            for members in kept:
                self._put(slot, members)

    def unique(self, row: int, starts: Longs, ends: Longs) -> Floats:
        """Different members of a row over each [start, end), both ascending; NaN where the log no longer reaches back."""
        slots, hashes = self._of_row(row, int(starts[0]), int(ends[-1]))
        found = np.zeros(len(starts) + 1)
        if len(slots):
            order = np.lexsort((slots, hashes))
            slots, hashes = slots[order], hashes[order]
            # An occurrence is counted by the windows that hold it, up to those that hold the member's next one.
            first = np.searchsorted(ends, slots, side="right")
            last = np.searchsorted(starts, slots, side="right")
            same = hashes[1:] == hashes[:-1]
            last[:-1][same] = np.minimum(last[:-1][same], first[1:][same])
            real = last > first
            np.add.at(found, first[real], 1.0)
            np.add.at(found, last[real], -1.0)
        counts: Floats = np.cumsum(found)[:-1]
        counts[starts < self.since] = np.nan
        return counts

    def _of_row(self, row: int, start: int, end: int) -> tuple[Longs, Floats]:
        slots: list[Longs] = [np.empty(0, np.int64)]
        hashes: list[Floats] = [np.empty(0)]
        for slot, parts in self._slots.items():
            if start <= slot < end:
                for rows, members in parts:
                    mine = members[rows == row]
                    slots.append(np.full(len(mine), slot, np.int64))
                    hashes.append(mine)
        return np.concatenate(slots), np.concatenate(hashes)
