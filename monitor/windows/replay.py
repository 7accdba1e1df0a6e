"""From the rows of journalled deltas to the rows of a table that began anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Ids
from monitor.model.table import SeriesTable, grown
from monitor.windows.frame import Delta

_ENTRIES = ("rows", "seconds", "counts", "sums", "mins", "maxs", "lasts", "last_times")
_BINS = ("hist_rows", "hist_seconds", "hist_bins", "hist_counts")
_MEMBERS = ("set_rows", "set_seconds", "set_hashes")


class RowMap:
    """Row of today for each row of the journal, -1 where unknown."""

    def __init__(self, table: SeriesTable) -> None:
        self._table = table
        self._rows: Ids = np.empty(0, np.int32)

    def mapped(self, delta: Delta) -> tuple[Delta, int]:
        """The delta in today's rows, its new series interned; and how many entries had an unknown row."""
        for info in delta.added:
            if info.row >= len(self._rows):
                self._rows = grown(self._rows, info.row + 1, -1)
            self._rows[info.row] = self._table.intern(info.key, info.kind, info.unit)
        gone, known_gone = self._today(delta.gone)
        changes: dict[str, Any] = {"gone": np.sort(gone[known_gone])}
        moved, lost = False, 0
        for names in (_ENTRIES, _BINS, _MEMBERS):
            before = getattr(delta, names[0])
            rows, keep = self._today(before)
            moved |= not np.array_equal(rows, before)
            changes[names[0]] = rows[keep]
            if not keep.all():
                lost += int(np.count_nonzero(~keep))
                changes |= {name: getattr(delta, name)[keep] for name in names[1:]}
        self._rows[delta.gone[known_gone]] = -1
        mapped = replace(delta, **changes)
        return _ordered(mapped) if moved else mapped, lost

    def _today(self, rows: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
        inside = (rows >= 0) & (rows < len(self._rows))
        if inside.all():
            today = self._rows[rows]
        else:
            today = np.full(len(rows), -1, np.int32)
            today[inside] = self._rows[rows[inside]]
        return today, today >= 0


def _ordered(delta: Delta) -> Delta:
    """Entries by second and row again, which the mapping may have changed."""
    by_row = np.lexsort((delta.rows, delta.seconds))
    by_bin = np.lexsort((delta.hist_bins, delta.hist_rows, delta.hist_seconds))
    by_member = np.lexsort((delta.set_hashes, delta.set_rows, delta.set_seconds))
    orders = ((_ENTRIES, by_row), (_BINS, by_bin), (_MEMBERS, by_member))
    changes: dict[str, Any] = {name: getattr(delta, name)[order] for names, order in orders for name in names}
    return replace(delta, **changes)
