"""The last hour by seconds, tens of seconds and minutes, and the totals of any window over it.

Nothing is ever subtracted: a window is the sum of whole slots, so no rounding gathers and an infinite reading or a huge one
leaves no trace once it is out. What makes that cheap is that a window changes little from tick to tick: its body of whole tens
is summed once in ten seconds (whole minutes in one step), its far edge is kept as suffix sums, the running ten is shared by all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.table import lengthened
from monitor.windows.frame import Delta
from monitor.windows.totals import Part, Totals, parts_of

FINE = 300
"""Seconds that are kept by the second; a window up to this long is exact to the second."""
SPAN = 3600
"""The longest window, in seconds."""
KEPT = SPAN + FINE
"""Seconds that are kept by tens: so windows up to five minutes are whole an hour ago as well."""
TEN = 10
MINUTE = 60
MAX_WINDOWS = 16

Slots = dict[int, list[Part]]
Slot = TypeVar("Slot")


def floor_to(time: int, step: int) -> int:
    return time - time % step


class _Window:
    """What is remembered of one window between ticks: totals of its whole tens, and suffixes of the ten it begins in."""

    __slots__ = ("body", "edges", "end", "middle", "total", "version")

    def __init__(self, middle: int, end: int, body: Totals) -> None:
        self.middle = middle
        self.end = end
        self.body = body
        self.edges: list[Totals] = []
        self.total = body
        self.version = -1


class Rings:
    """Slots of one second for five minutes and of ten seconds for an hour. `now`: end of the last closed second, or None."""

    def __init__(self, capacity: int) -> None:
        self.now: int | None = None
        self.first = 0
        """First second that was ever told."""
        self.version = 0
        self.carried: Floats = np.full(capacity, np.nan)
        """Last values of the rows before the oldest slot."""
        self.seconds: Slots = {}
        self.tens: Slots = {}
        self._minutes: dict[int, Totals] = {}
        self._capacity = capacity
        self._ten = Totals(capacity)
        self._ten_lasts: Floats = np.full(capacity, np.nan)
        self._ten_times: Floats = np.full(capacity, -np.inf)
        """When each row said its last in the running ten, -inf where it said nothing."""
        self._ten_empty = True
        self._minute = Totals(capacity)
        self._windows: dict[int, _Window] = {}
        self._kinds: npt.NDArray[np.int8] = np.empty(0, np.int8)

    def start_of(self, window: int) -> int:
        """First second of a window that ends now: to the second up to five minutes, at a whole ten beyond."""
        start = (self.now or 0) - window
        return start if window <= FINE else floor_to(start, TEN)

    # ------------------------------------------------------------------ what comes in

    def apply(self, delta: Delta, kinds: npt.NDArray[np.int8], newest: bool = False) -> None:
        """Takes in the entries of a delta (ordered by second) and closes everything before `delta.time`.

        `newest`: they are the last that their rows say, though their ten may be closed already.
        """
        self._reserve(len(kinds))
        self._kinds = kinds
        for second, run in runs(delta.seconds, delta.rows):
            self._advance(second)
            parts = _parts(delta, run, kinds)
            if self._whole_ten(second, run.stop, delta):
                self._keep_ten(second, parts)
            else:
                self._add(second, parts, delta, run)
                if newest and second < floor_to(self.now or 0, TEN):
                    _to_front(self.tens[floor_to(second, TEN)], len(parts))
        self._advance(int(delta.time))
        self._drop_old()
        self.version += 1

    def _reserve(self, capacity: int) -> None:
        if capacity <= self._capacity:
            return
        self._capacity = capacity
        self._ten.grow(capacity)
        self._minute.grow(capacity)
        self._ten_lasts = lengthened(self._ten_lasts, capacity, np.nan)
        self._ten_times = lengthened(self._ten_times, capacity, -np.inf)
        self.carried = lengthened(self.carried, capacity, np.nan)
        for window in self._windows.values():
            for totals in (window.body, *window.edges):
                totals.grow(capacity)

    def _advance(self, time: int) -> None:
        """Moves the end of closed time to `time`, finishing the tens and minutes that end by then."""
        if self.now is None:
            self.now = self.first = time
        if time <= self.now:
            return
        ten = floor_to(self.now, TEN)
        if time >= ten + TEN:
            self._finish_ten(ten)
            minute = floor_to(self.now, MINUTE)
            if time >= minute + MINUTE:
                self._minutes[minute] = self._minute
                self._minute = Totals(self._capacity)
        self.now = time

    def _finish_ten(self, ten: int) -> None:
        if not self._ten_empty:
            rows = np.flatnonzero(self._ten_times > -np.inf).astype(np.int32)
            totals, kinds = self._ten, self._kinds[rows]
            self.tens[ten] = parts_of(
                rows, kinds, totals.counts[rows], totals.sums[rows], totals.mins[rows], totals.maxs[rows], self._ten_lasts[rows]
            )
            self._minute.merge(totals)
            totals.clear(rows)
            self._ten_times[rows] = -np.inf
            self._ten_lasts[rows] = np.nan
            self._ten_empty = True

    def _whole_ten(self, second: int, end: int, delta: Delta) -> bool:
        """Whether the entries up to `end` are all that the running ten will hold, as in a journal's older part."""
        ten = floor_to(second, TEN)
        more = end < len(delta.seconds) and int(delta.seconds[end]) < ten + TEN
        return self._ten_empty and not more and ten == floor_to(self.now or 0, TEN) and delta.time >= ten + TEN

    def _keep_ten(self, second: int, parts: list[Part]) -> None:
        """What `_add` and `_finish_ten` come to for a ten of one run."""
        self.seconds.setdefault(second, []).extend(parts)
        self.tens[floor_to(second, TEN)] = parts
        for part in parts:
            self._minute.add(part)

    def _add(self, second: int, parts: list[Part], delta: Delta, run: slice) -> None:
        """Adds parts to every sum that spans this second."""
        now = self.now or 0
        if second >= floor_to(now - FINE, TEN):
            self.seconds.setdefault(second, []).extend(parts)
        ten, minute = floor_to(second, TEN), floor_to(second, MINUTE)
        if ten == floor_to(now, TEN):
            self._ten_empty = False
            for part in parts:
                self._ten.add(part)
            self._keep_lasts(delta.rows[run], delta.lasts[run], delta.last_times[run])
            return
        self.tens.setdefault(ten, []).extend(parts)
        holder = self._minute if minute == floor_to(now, MINUTE) else self._minutes.setdefault(minute, Totals(self._capacity))
        holder.grow(self._capacity)
        sums = [holder, *self._late_sums(second)]
        for part in parts:
            for totals in sums:
                totals.add(part)

    def _late_sums(self, second: int) -> Iterable[Totals]:
        for window in self._windows.values():
            if window.middle <= second < window.end:
                yield window.body
            elif window.edges and window.middle - TEN < second < window.middle:
                yield from window.edges[: second - (window.middle - TEN)]

    def _keep_lasts(self, rows: Ids, lasts: Floats, times: Floats) -> None:
        """The latest value is the ten's last; of equal times the one that came last."""
        later = self._ten_times[rows] <= times
        self._ten_times[rows[later]] = times[later]
        self._ten_lasts[rows[later]] = lasts[later]

    def _drop_old(self) -> None:
        now = self.now or 0
        _drop_before(self.seconds, floor_to(now - FINE, TEN))
        for parts in _drop_before(self.tens, floor_to(now - KEPT, TEN)):
            for part in reversed(parts):
                self.carried[part.rows] = part.told("lasts")
        _drop_before(self._minutes, floor_to(now - SPAN, MINUTE))

    def scrub(self, rows: Ids, newest: int) -> None:
        """Forgets all of these rows; none of them has data at or after second `newest`."""
        gone = np.zeros(self._capacity, np.bool_)
        gone[rows] = True
        for slots in (self.seconds, self.tens):
            for slot in [slot for slot in slots if slot <= newest]:
                kept = [part for part in (part.without(gone) for part in slots[slot]) if part is not None]
                if kept:
                    slots[slot] = kept
                else:
                    del slots[slot]
        self._ten_times[rows] = -np.inf
        self._ten_lasts[rows] = np.nan
        self.carried[rows] = np.nan
        for totals in self._all_totals():
            totals.clear(rows)
        self.version += 1

    def _all_totals(self) -> Iterable[Totals]:
        yield from (self._ten, self._minute, *self._minutes.values())
        for window in self._windows.values():
            yield window.body
            yield from window.edges

    # ------------------------------------------------------------------ what is asked

    def total(self, window: int) -> Totals:
        """Totals over [start_of(window), now), of the table's capacity; do not write to them."""
        now = self.now or 0
        start = self.start_of(window)
        middle, end = -floor_to(-start, TEN), floor_to(now, TEN)
        if middle > end:
            return self._of_seconds(start, now)
        known = self._windows.pop(window, None)
        if known is None or (known.middle, known.end) != (middle, end):
            known = _Window(middle, end, self._of_tens(middle, end))
            if window <= FINE:
                known.edges = self._suffixes(middle)
        self._windows[window] = known
        if len(self._windows) > MAX_WINDOWS:
            del self._windows[next(iter(self._windows))]
        if known.version != self.version:
            known.total = known.body.copy()
            known.total.merge(self._ten)
            if start < middle:
                known.total.merge(known.edges[start - (middle - TEN) - 1])
            known.version = self.version
        return known.total

    def _of_seconds(self, start: int, end: int) -> Totals:
        totals = Totals(self._capacity)
        for second in range(start, end):
            for part in self.seconds.get(second, ()):
                totals.add(part)
        return totals

    def _of_tens(self, start: int, end: int) -> Totals:
        totals = Totals(self._capacity)
        now = floor_to(self.now or 0, MINUTE)
        ten = start
        while ten < end:
            if ten % MINUTE == 0 and ten + MINUTE <= end and ten < now:
                if ten in self._minutes:
                    totals.merge(self._minutes[ten])
                ten += MINUTE
                continue
            for part in self.tens.get(ten, ()):
                totals.add(part)
            ten += TEN
        return totals

    def _suffixes(self, end: int) -> list[Totals]:
        """Totals over [end - 9, end), [end - 8, end), … [end - 1, end)."""
        totals = Totals(self._capacity)
        suffixes = []
        for second in range(end - 1, end - TEN, -1):
            for part in self.seconds.get(second, ()):
                totals.add(part)
            suffixes.append(totals.copy())
        return suffixes[::-1]


def _to_front(parts: list[Part], count: int) -> None:
    """Of parts that speak of one row the first tells its last value."""
    parts[:] = parts[-count:] + parts[:-count]


def _drop_before(slots: dict[int, Slot], bound: int) -> list[Slot]:
    return [slots.pop(slot) for slot in sorted(slot for slot in slots if slot < bound)]


def runs(seconds: npt.NDArray[np.int64], *keys: npt.NDArray[np.int32]) -> Iterator[tuple[int, slice]]:
    """Stretches of entries of one second in which the keys ascend, so that each occurs once; with their second."""
    if not len(seconds):
        return
    code = keys[0].astype(np.int64)
    for key in keys[1:]:
        code = (code << 32) + key
    borders = np.flatnonzero((np.diff(seconds) != 0) | (np.diff(code) <= 0)) + 1
    edges = [0, *borders.tolist(), len(seconds)]
    for begin, end in pairwise(edges):
        yield int(seconds[begin]), slice(begin, end)


def _parts(delta: Delta, run: slice, kinds: npt.NDArray[np.int8]) -> list[Part]:
    rows = delta.rows[run]
    return parts_of(rows, kinds[rows], delta.counts[run], delta.sums[run], delta.mins[run], delta.maxs[run], delta.lasts[run])
