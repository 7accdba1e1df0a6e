"""From the rows of journalled deltas to the rows of a table that began anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Ids
from monitor.model.table import SeriesTable, grown
from monitor.windows.frame import Delta


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
        rows, keep = self._today(delta.rows)
        hist_rows, keep_hist = self._today(delta.hist_rows)
        set_rows, keep_set = self._today(delta.set_rows)
        gone, known_gone = self._today(delta.gone)
        lost = sum(int(np.count_nonzero(~kept)) for kept in (keep, keep_hist, keep_set))
        mapped = replace(
            delta,
            gone=np.sort(gone[known_gone]),
            rows=rows[keep],
            seconds=delta.seconds[keep],
            counts=delta.counts[keep],
            sums=delta.sums[keep],
            mins=delta.mins[keep],
            maxs=delta.maxs[keep],
            lasts=delta.lasts[keep],
            last_times=delta.last_times[keep],
            hist_rows=hist_rows[keep_hist],
            hist_seconds=delta.hist_seconds[keep_hist],
            hist_bins=delta.hist_bins[keep_hist],
            hist_counts=delta.hist_counts[keep_hist],
            set_rows=set_rows[keep_set],
            set_seconds=delta.set_seconds[keep_set],
            set_hashes=delta.set_hashes[keep_set],
        )
        self._rows[delta.gone[known_gone]] = -1
        same = np.array_equal(rows, delta.rows) and np.array_equal(hist_rows, delta.hist_rows)
        return mapped if same and np.array_equal(set_rows, delta.set_rows) else _ordered(mapped), lost

    def _today(self, rows: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
        inside = (rows >= 0) & (rows < len(self._rows))
        today = np.full(len(rows), -1, np.int32)
        today[inside] = self._rows[rows[inside]]
        return today, today >= 0


def _ordered(delta: Delta) -> Delta:
    """Entries by second and row again, which the mapping may have changed."""
    by_row = np.lexsort((delta.rows, delta.seconds))
    by_bin = np.lexsort((delta.hist_bins, delta.hist_rows, delta.hist_seconds))
    by_member = np.lexsort((delta.set_hashes, delta.set_rows, delta.set_seconds))
    columns = ("rows", "seconds", "counts", "sums", "mins", "maxs", "lasts", "last_times")
    hist = ("hist_rows", "hist_seconds", "hist_bins", "hist_counts")
    members = ("set_rows", "set_seconds", "set_hashes")
    return replace(
        delta,
        **{name: getattr(delta, name)[order] for names, order in ((columns, by_row), (hist, by_bin), (members, by_member))
           for name in names},
    )  # fmt: skip
