"""Running histograms of distributions: added by the second, taken away when out of the window, asked for any quantile.

Counts lie in blocks of 16 neighbouring bins; a row has blocks only where its values fall. Each window that is asked for has its
own cells. Counts are multiples of 1/1024 (see `fold`), so adding and taking away is exact and what is left of an empty window
is zero. Finding a quantile walks block totals first and then the one block it lies in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.table import lengthened
from monitor.windows.bins import BIN_BITS, middles_of
from monitor.windows.counts import BLOCK, BLOCK_BITS, Counts, between, lean, merged, ranks_of, without
from monitor.windows.frame import Delta
from monitor.windows.rings import FINE, KEPT, TEN, floor_to, runs

MAX_WINDOWS = 8
_KEY_BITS = BIN_BITS - BLOCK_BITS
_KEY_BIAS = 1 << (_KEY_BITS - 1)
_SWEEP_EVERY = 600

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Running sums over a window's blocks in order of row and bin, for the ranks of all rows that have something.

    `amounts` and `up_to` are one a block: its count, and that of it and all before it. `before` is what lies before a row's.
    """

    rows: Ids
    sizes: Floats
    before: Floats
    amounts: Floats
    up_to: Floats


class _Window:
    """Counts of [start, now) by cell, and their sums by block."""

    __slots__ = ("blocks", "cells", "start", "sums", "version")

    def __init__(self, start: int, blocks: int) -> None:
        self.start = start
        self.cells: Floats = np.zeros(blocks * BLOCK)
        self.blocks: Floats = np.zeros(blocks)
        self.sums: _Sums | None = None
        self.version = -1

    def change(self, counts: Counts, add: bool) -> None:
        act = np.add if add else np.subtract
        act.at(self.cells, counts.cells, counts.weights)
        act.at(self.blocks, counts.cells >> BLOCK_BITS, counts.weights)


class Histograms:
    """Histograms of all rows. Windows come to be when first asked for; `MAX_WINDOWS` are kept, the longest unasked goes."""

    def __init__(self) -> None:
        self.now: int | None = None
        self.seconds: dict[int, list[Counts]] = {}
        self.tens: dict[int, list[Counts]] = {}
        self._keys: Longs = np.empty(0, np.int64)
        self._slots: Ids = np.empty(0, np.int32)
        self._owners: Ids = np.empty(0, np.int32)
        """Row that owns each block slot, -1 where free."""
        self._firsts: Ids = np.empty(0, np.int32)
        self._mentions: Ids = np.empty(0, np.int32)
        self._free: list[int] = []
        self._windows: dict[int, _Window] = {}
        self._version = 0
        self._swept = 0

    # ------------------------------------------------------------------ what comes in

    def apply(self, delta: Delta) -> None:
        """Takes in a delta's histogram entries (ordered by second) and closes everything before `delta.time`."""
        for second, run in runs(delta.hist_seconds, delta.hist_rows, delta.hist_bins):
            self._advance(second)
            cells = self._cells(delta.hist_rows[run], delta.hist_bins[run])
            self._add(second, lean(cells, delta.hist_counts[run]))
        self._advance(int(delta.time))
        self._version += 1
        if (self.now or 0) - self._swept >= _SWEEP_EVERY:
            self._sweep()

    def _add(self, second: int, counts: list[Counts]) -> None:
        now = self.now or 0
        if second >= floor_to(now - FINE, TEN):
            self._keep(self.seconds, second, counts)
        if floor_to(second, TEN) < floor_to(now, TEN):
            self._keep(self.tens, floor_to(second, TEN), counts)
        for window in self._windows.values():
            if second >= window.start:
                for some in counts:
                    window.change(some, add=True)

    def _keep(self, slots: dict[int, list[Counts]], slot: int, counts: list[Counts]) -> None:
        slots.setdefault(slot, []).extend(counts)
        for some in counts:
            np.add.at(self._mentions, some.cells >> BLOCK_BITS, 1)

    def _advance(self, time: int) -> None:
        """Moves the end of closed time: folds finished tens, takes what is too old out of the windows."""
        if self.now is None:
            self.now = time
        if time <= self.now:
            return
        ten = floor_to(self.now, TEN)
        if time >= ten + TEN:
            finished = merged(counts for second in range(ten, ten + TEN) for counts in self.seconds.get(second, ()))
            if finished:
                self._keep(self.tens, ten, finished)
        self.now = time
        for length, window in self._windows.items():
            self._shift(window, length)
        self._drop(self.seconds, floor_to(time - FINE, TEN))
        self._drop(self.tens, floor_to(time - KEPT, TEN))

    def _shift(self, window: _Window, length: int) -> None:
        start = self._start_of(length)
        slots = self.seconds if length <= FINE else self.tens
        for slot in between(slots, window.start, start, 1 if length <= FINE else TEN):
            for counts in slots[slot]:
                window.change(counts, add=False)
        window.start = start

    def _start_of(self, length: int) -> int:
        start = (self.now or 0) - length
        return start if length <= FINE else floor_to(start, TEN)

    def _drop(self, slots: dict[int, list[Counts]], bound: int) -> None:
        for slot in [slot for slot in slots if slot < bound]:
            for counts in slots.pop(slot):
                np.subtract.at(self._mentions, counts.cells >> BLOCK_BITS, 1)

    # ------------------------------------------------------------------ blocks

    def _cells(self, rows: Ids, bins: Ids) -> Ids:
        """Where each (row, bin) is counted; gives out blocks that are new."""
        keys = (rows.astype(np.int64) << _KEY_BITS) + (bins >> BLOCK_BITS) + _KEY_BIAS
        places = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), np.bool_)
        inside = places < len(self._keys)
        known[inside] = self._keys[places[inside]] == keys[inside]
        if not known.all():
            self._give_out(np.unique(keys[~known]))
            places = np.searchsorted(self._keys, keys)
        return (self._slots[places] << BLOCK_BITS) + (bins & (BLOCK - 1))

    def _give_out(self, keys: Longs) -> None:
        lacking = len(keys) - len(self._free)
        if lacking > 0:
            self._grow(len(self._owners) + max(lacking, len(self._owners) // 4, 64))
        slots = np.array([self._free.pop() for _ in range(len(keys))], np.int32)
        self._owners[slots] = keys >> _KEY_BITS
        places = np.searchsorted(self._keys, keys)
        self._keys = np.insert(self._keys, places, keys)
        self._slots = np.insert(self._slots, places, slots)
        self._index()

    def _grow(self, size: int) -> None:
        before = len(self._owners)
        self._owners = lengthened(self._owners, size, -1)
        self._mentions = lengthened(self._mentions, size, 0)
        for window in self._windows.values():
            window.cells = lengthened(window.cells, size * BLOCK, 0.0)
            window.blocks = lengthened(window.blocks, size, 0.0)
        self._free.extend(range(size - 1, before - 1, -1))

    def _index(self) -> None:
        """Remembers where each row's blocks begin."""
        rows = self._keys >> _KEY_BITS
        self._firsts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1]))).astype(np.int32) if len(rows) else (
            np.empty(0, np.int32))  # fmt: skip

    def _sweep(self) -> None:
        """Takes back blocks that nothing kept speaks of."""
        self._swept = self.now or 0
        idle = self._mentions[self._slots] == 0
        if not idle.any():
            return
        slots = self._slots[idle]
        self._owners[slots] = -1
        for window in self._windows.values():
            window.cells.reshape(-1, BLOCK)[slots] = 0.0
            window.blocks[slots] = 0.0
        self._free.extend(slots[::-1].tolist())
        self._version += 1
        self._keys, self._slots = self._keys[~idle], self._slots[~idle]
        self._index()

    def scrub(self, rows: Ids, newest: int) -> None:
        """Forgets all of these rows; none of them has data at or after second `newest`."""
        gone = np.isin(self._owners, rows)
        if not gone.any():
            return
        for slots in (self.seconds, self.tens):
            for slot in [slot for slot in slots if slot <= newest]:
                slots[slot] = [without(counts, gone) for counts in slots[slot]]
        for window in self._windows.values():
            window.cells.reshape(-1, BLOCK)[gone] = 0.0
            window.blocks[gone] = 0.0
        self._mentions[gone] = 0
        self._sweep()

    # ------------------------------------------------------------------ what is asked

    def quantiles(self, length: int, fractions: list[float], capacity: int) -> npt.NDArray[np.float64]:
        """float64[len(fractions), capacity]: nearest-rank quantiles over the window, NaN where a row has no values.

        The smallest bin that at least `fraction` of the observations lie in or below; its middle stands for it.
        """
        found = np.full((len(fractions), capacity), np.nan)
        if not len(self._keys):
            return found
        window = self._window(length)
        sums = self._sums(window)
        for number, fraction in enumerate(fractions):
            ranks = sums.before + ranks_of(fraction, sums.sizes)
            places = np.searchsorted(sums.up_to, ranks)
            rest = ranks - (sums.up_to[places] - sums.amounts[places])
            counts = np.take(window.cells.reshape(-1, BLOCK), self._slots[places], axis=0)
            blocks = (self._keys[places] & ((1 << _KEY_BITS) - 1)) - _KEY_BIAS
            found[number, sums.rows] = middles_of(((blocks << BLOCK_BITS) + _offsets(counts, rest)).astype(np.int32))
        return found

    def _sums(self, window: _Window) -> _Sums:
        if window.sums is None or window.version != self._version:
            amounts = window.blocks[self._slots]
            up_to = np.cumsum(amounts)
            before = up_to[self._firsts] - amounts[self._firsts]
            sizes = up_to[np.append(self._firsts[1:], len(self._keys)) - 1] - before
            full = np.flatnonzero(sizes > 0)
            rows = (self._keys[self._firsts[full]] >> _KEY_BITS).astype(np.int32)
            window.sums = _Sums(rows, sizes[full], before[full], amounts, up_to)
            window.version = self._version
        return window.sums

    def _window(self, length: int) -> _Window:
        window = self._windows.pop(length, None)
        if window is None:
            window = self._summed(length)
        self._windows[length] = window
        if len(self._windows) > MAX_WINDOWS:
            del self._windows[next(iter(self._windows))]
        return window

    def _summed(self, length: int) -> _Window:
        now, start = self.now or 0, self._start_of(length)
        window = _Window(start, len(self._owners))
        if length <= FINE:
            spans = [(self.seconds, start, now, 1)]
        else:
            spans = [(self.tens, start, now, TEN), (self.seconds, floor_to(now, TEN), now, 1)]
        for slots, begin, end, step in spans:
            for slot in between(slots, begin, end, step):
                for counts in slots[slot]:
                    window.change(counts, add=True)
        return window

    def entries(self, places: Ids, starts: Longs) -> tuple[Ids, Ids, Ids, Floats]:
        """What is kept of some rows: place of the row, place of the slot in `starts`, bin and count of each entry.

        `places` int32[capacity] is each wanted row's place, -1 for the others. Slots from `now` less five minutes on, at a whole
        ten, are seconds, earlier ones tens.
        """
        fine_from = floor_to((self.now or 0) - FINE, TEN)
        keys = np.zeros(len(self._owners), np.int64)
        keys[self._slots] = self._keys
        mine = np.where(self._owners >= 0, places[self._owners], -1)
        found: list[tuple[Ids, Ids, Ids, Floats]] = []
        for number, start in enumerate(starts.tolist()):
            for counts in (self.seconds if start >= fine_from else self.tens).get(start, ()):
                owners = mine[counts.cells >> BLOCK_BITS]
                hit = np.flatnonzero(owners >= 0)
                cells = counts.cells[hit]
                blocks = (keys[cells >> BLOCK_BITS] & ((1 << _KEY_BITS) - 1)) - _KEY_BIAS
                bins = ((blocks << BLOCK_BITS) + (cells & (BLOCK - 1))).astype(np.int32)
                weights = np.ones(len(hit)) if counts.counts is None else counts.counts[hit]
                found.append((owners[hit].astype(np.int32), np.full(len(hit), number, np.int32), bins, weights))
        if not found:
            nothing = np.empty(0, np.int32)
            return nothing, nothing, nothing, np.empty(0)
        owners, slots, bins, weights = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return owners, slots, bins, weights


def _offsets(counts: npt.NDArray[np.float64], rest: Floats) -> Longs:
    """The cell of each block (one a line of `counts`) in which the rest of the rank is reached."""
    columns = counts.T
    reached = columns[0].copy()
    offsets: Longs = (reached < rest).astype(np.int64)
    for column in columns[1 : BLOCK - 1]:
        reached += column
        offsets += reached < rest
    return offsets
