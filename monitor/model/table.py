"""Series by row number: interning, finding, selecting, giving up; and the way from a receiver's ids to rows."""

from __future__ import annotations

import heapq
import weakref
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Ids
from monitor.model.matchers import NAME_TAG, Selector, promql_name
from monitor.model.series import KeySpace, Kind, SeriesInfo, SeriesKey

OVERFLOW_NAME = "lightship.overflow"
CHUNK = 256
MAX_SELECTIONS = 20_000
MAX_SELECTED = 4_000_000
"""Bounds of the selections that are remembered: how many, and rows in all of them."""
FREE = -1

Scalar = TypeVar("Scalar", bound=np.generic)
_Identity = tuple[SeriesKey, Kind]


class SeriesTable:
    """Live series and their rows.

    A row keeps its number until the series is given up; free numbers are reused, lowest first. A name and tags may live
    twice when two kinds of samples are sent under them (StatsD programs do): a series is its key and its kind.
    `limit` bounds the live series; what comes beyond is interned as `lightship.overflow{kind=…}`, one row a kind.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self.revision = 0
        self.limit = limit
        self.kinds: npt.NDArray[np.int8] = np.full(CHUNK, FREE, np.int8)
        """Kind number of each row, -1 where the row is free; as long as `capacity`."""
        self.passing: npt.NDArray[np.bool_] = np.zeros(CHUNK, np.bool_)
        """Whether the row's receiver called its series passing; as long as `capacity`."""
        self.raw: npt.NDArray[np.bool_] = np.zeros(CHUNK, np.bool_)
        """Whether the row's receiver gives its samples to the history itself; as long as `capacity`."""
        self._infos: list[SeriesInfo | None] = []
        self._rows: dict[_Identity, int] = {}
        self._free: list[int] = []
        self._overflow: dict[Kind, int] = {}
        self._names: dict[str, set[int]] = {}
        # Twice the limit, so that whatever one tick adds is told as a change and not as the whole table.
        self._log: deque[int] = deque(maxlen=2 * limit + 16)
        self._selections: dict[Selector, Ids] = {}
        self._selected_at = 0
        self._selected = 0
        """Rows in all selections that are remembered."""
        self._live: Ids | None = None
        self._spaces: weakref.WeakSet[KeySpace] = weakref.WeakSet()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def capacity(self) -> int:
        """Length of arrays that have one entry a row; grows by chunks, never shrinks."""
        return len(self.kinds)

    @property
    def overflow_rows(self) -> tuple[int, ...]:
        """Rows of the overflow series that are live."""
        return tuple(self._overflow.values())

    def info(self, row: int) -> SeriesInfo | None:
        """The series of a row; None when the row is free."""
        return self._infos[row] if 0 <= row < len(self._infos) else None

    def find(self, key: SeriesKey, kind: Kind | None = None) -> int | None:
        """The row of a series, or None; without `kind` the first kind under this key, gauges first."""
        for candidate in Kind if kind is None else (kind,):
            row = self._rows.get((key, candidate))
            if row is not None:
                return row
        return None

    def live(self) -> Ids:
        """Rows of all live series, ascending."""
        if self._live is None:
            self._live = np.flatnonzero(self.kinds != FREE).astype(np.int32)
            self._live.flags.writeable = False
        return self._live

    def select(self, selector: Selector) -> Ids:
        """Rows of the series that meet the selector, ascending. Remembered until the table changes. Do not write to it."""
        if self._selected_at != self.revision:
            self._forget_selections()
        rows = self._selections.get(selector)
        if rows is None:
            rows = self._search(selector)
            rows.flags.writeable = False
            if len(self._selections) >= MAX_SELECTIONS or self._selected + len(rows) > MAX_SELECTED:
                self._forget_selections()
            self._selections[selector] = rows
            self._selected += len(rows)
        return rows

    def _forget_selections(self) -> None:
        self._selections.clear()
        self._selected_at, self._selected = self.revision, 0

    def _search(self, selector: Selector) -> Ids:
        named = next((m.value for m in selector.matchers if m.name == NAME_TAG and m.op == "="), None)
        candidates: Iterable[int] = self.live().tolist() if named is None else sorted(self._names.get(named, ()))
        infos = self._infos
        return np.array([row for row in candidates if (info := infos[row]) and selector.matches(info.key)], np.int32)

    def added_since(self, revision: int) -> tuple[tuple[SeriesInfo, ...], tuple[int, ...]]:
        """Series that got a row after `revision` and rows given up and still free, by row.

        The whole table and every free row when that is too long ago, or a revision of another table; for 0 no row.
        """
        if not 0 < revision <= self.revision or self.revision - revision > len(self._log):
            free = [row for row, info in enumerate(self._infos) if info is None] if revision else []
            return tuple(info for info in self._infos if info is not None), tuple(free)
        changed = sorted(set(islice(reversed(self._log), self.revision - revision)))
        added = tuple(info for row in changed if (info := self._infos[row]) is not None)
        return added, tuple(row for row in changed if self._infos[row] is None)

    def intern(self, key: SeriesKey, kind: Kind, unit: str = "") -> int:
        """The row of a series, new if need be; the overflow row of its kind when the table is full."""
        row = self._rows.get((key, kind))
        if row is not None:
            return row
        overflow = overflow_key(kind)
        if key != overflow and len(self._rows) - len(self._overflow) < self.limit:
            return self._add(key, kind, unit)
        if kind not in self._overflow:
            self._overflow[kind] = self._add(overflow, kind, "")
        return self._overflow[kind]

    def _add(self, key: SeriesKey, kind: Kind, unit: str) -> int:
        row = heapq.heappop(self._free) if self._free else len(self._infos)
        if row == len(self._infos):
            self._infos.append(None)
        if row >= self.capacity:
            self.kinds = grown(self.kinds, row + 1, FREE)
            self.passing = lengthened(self.passing, len(self.kinds), False)
            self.raw = lengthened(self.raw, len(self.kinds), False)
        self._infos[row] = SeriesInfo(row, key, kind, unit)
        self._rows[key, kind] = row
        self.kinds[row] = kind
        for name in {key.name, promql_name(key.name)}:
            self._names.setdefault(name, set()).add(row)
        self._changed(row)
        return row

    def give_up(self, rows: Ids) -> None:
        """Frees rows. Ids that meant them, and ids sent to overflow for want of room, are resolved anew when next seen."""
        gone = np.zeros(self.capacity, np.bool_)
        gone[list(self._overflow.values())] = True
        for row in rows.tolist():
            info = self._infos[row]
            if info is not None:
                gone[row] = True
                self._remove(info)
        for space in self._spaces:
            known = space.rows
            known[(known >= 0) & gone[known]] = -1

    def _remove(self, info: SeriesInfo) -> None:
        row = info.row
        self._infos[row] = None
        del self._rows[info.key, info.kind]
        if self._overflow.get(info.kind) == row:
            del self._overflow[info.kind]
        self.kinds[row] = FREE
        self.passing[row] = False
        self.raw[row] = False
        for name in {info.key.name, promql_name(info.key.name)}:
            self._names[name].discard(row)
            if not self._names[name]:
                del self._names[name]
        heapq.heappush(self._free, row)
        self._changed(row)

    def _changed(self, row: int) -> None:
        self.revision += 1
        self._log.append(row)
        self._live = None

    def resolve(self, space: KeySpace, ids: Ids) -> Ids:
        """Rows of a receiver's ids (all within the space), interning the series met for the first time.

        A space speaks to one table: one that another table resolved before is resolved anew.
        """
        if space not in self._spaces:
            self._spaces.add(space)
            space.rows = np.empty(0, np.int32)
        size = len(space)
        if len(space.rows) < size:
            space.rows = grown(space.rows, size, -1)
        rows: Ids = space.rows[ids]
        if len(rows) and int(rows.min()) < 0:
            for number in np.unique(ids[rows < 0]).tolist():
                row = self.intern(space.keys[number], space.kinds[number], space.units[number])
                self.passing[row] = space.passing[number]
                self.raw[row] = space.raw
                space.rows[number] = row
            rows = space.rows[ids]
        return rows


_OVERFLOW_KEYS = {kind: SeriesKey(OVERFLOW_NAME, (("kind", kind.name.lower()),)) for kind in Kind}


def overflow_key(kind: Kind) -> SeriesKey:
    """The series that samples of this kind go to when the table is full."""
    return _OVERFLOW_KEYS[kind]


def grown(column: npt.NDArray[Scalar], size: int, fill: float) -> npt.NDArray[Scalar]:
    """The column made at least `size` long, in chunks and by at least a quarter; new entries are `fill`."""
    length = max(size, len(column) + len(column) // 4)
    return lengthened(column, -(-length // CHUNK) * CHUNK, fill)


def lengthened(column: npt.NDArray[Scalar], size: int, fill: float) -> npt.NDArray[Scalar]:
    """The column made exactly `size` long (it is no longer now); new entries are `fill`."""
    longer = np.full(size, fill, column.dtype)
    longer[: len(column)] = column
    return longer
