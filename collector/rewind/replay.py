"""From samples that were kept to deltas, as the engine's ticks would have made them: columns all the way.

A sample stamped t milliseconds belongs to the second that ends at or after it. A running total becomes increments; its first
reading gives none. A set is shown as a gauge of its members' number, for its members are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from collector.rewind.kept import KeptSamples, KeptSeries, PastHistory
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind, SeriesInfo, SeriesKey
from monitor.model.table import grown
from monitor.windows.bins import middles_of
from monitor.windows.fold import Longs, empty_delta
from monitor.windows.frame import Delta

KIND_LABEL = "lightship_kind"
"""Label by which the history tells series apart that have the same name and tags, but are of two kinds."""
FIRST = ("host.", "lightship_")
"""Names that are shown before others when there are too many series: this machine and the collector itself."""
PASSING = "host.process."
PASSING_EXPIRY = 300.0
EXPIRY = 3600.0


class CanceledError(Exception):
    """Nobody wants this moment of the past any more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Aggregates of one kind, an entry a row and second."""

    rows: Ids
    seconds: Longs
    counts: Floats
    sums: Floats
    mins: Floats
    maxs: Floats
    lasts: Floats
    last_times: Floats


class Replay:
    """Reads a history from old to new. `limit`: most series it gives rows to; `left_out` counts those beyond."""

    def __init__(self, history: PastHistory, limit: int = 20_000) -> None:
        self._history = history
        self._limit = limit
        self.left_out = 0
        self._grain = 1
        self._refs: Longs = np.empty(0, np.int64)
        """Refs met, rising; `_rows` their rows, -1 for those left out."""
        self._rows: Ids = np.empty(0, np.int32)
        self._infos: list[SeriesInfo] = []
        self._noted = 0
        """How many of them stand in the columns below."""
        self._kinds: npt.NDArray[np.int8] = np.empty(0, np.int8)
        self._totals: Floats = np.empty(0)
        self._seen: Floats = np.empty(0)
        self._ended: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self._alive: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self._passing: npt.NDArray[np.bool_] = np.empty(0, np.bool_)

    def delta(self, start: int, end: int, step: int = 0, wanted: Callable[[], bool] = lambda: True, grain: int = 1) -> Delta:
        """What came in the seconds of [start, end), as one delta that closes them. `step`: seconds, 0 as finely as there is.

        `grain`: seconds that are one slot to whoever is told; what came in them is summed up. Raises `CanceledError` when it is
        no longer `wanted`.
        """
        self._grain = grain
        parts = []
        for part in self._history.read(start * 1000, end * 1000, step * 1000):
            if not wanted():
                raise CanceledError
            parts.append(part)
        refs = [np.unique(np.concatenate((part.refs, part.hist_refs))) for part in parts]
        self._meet(np.unique(np.concatenate(refs)) if refs else np.empty(0, np.int64))
        entries = [found for part in parts for found in self._of_part(part)]
        delta = _ordered(_joined(entries, float(end)), [self._bins(part) for part in parts])
        added = self._begin(delta)
        return replace(delta, added=added, gone=self._end(end))

    # ------------------------------------------------------------ series

    def _meet(self, refs: Longs) -> None:
        """Gives rows to series that are new, the host's own first."""
        new = refs[~_among(refs, self._refs)]
        if not len(new):
            return
        series = self._history.describe(new)
        order = sorted(range(len(new)), key=lambda i: (not _name(series[i]).startswith(FIRST), i))
        rows = np.full(len(new), -1, np.int32)
        for place in order[: max(0, self._limit - len(self._infos))]:
            rows[place] = self._add(series[place])
        self.left_out += int(np.count_nonzero(rows < 0))
        self._refs = np.concatenate((self._refs, new))
        self._rows = np.concatenate((self._rows, rows))
        by_ref = np.argsort(self._refs, kind="stable")
        self._refs, self._rows = self._refs[by_ref], self._rows[by_ref]
        self._reserve(len(self._infos))

    def _add(self, series: KeptSeries) -> int:
        name = _name(series)
        tags = tuple((label, value) for label, value in series.labels if label not in ("__name__", KIND_LABEL))
        kind = Kind.GAUGE if series.kind is Kind.SET else series.kind
        self._infos.append(SeriesInfo(len(self._infos), SeriesKey(name, tags), kind, series.unit))
        return len(self._infos) - 1

    def _reserve(self, size: int) -> None:
        if size > len(self._kinds):
            self._kinds = grown(self._kinds, size, -1)
            self._totals = grown(self._totals, size, np.nan)
            self._seen = grown(self._seen, size, -np.inf)
            self._ended = grown(self._ended, size, False)
            self._alive = grown(self._alive, size, False)
            self._passing = grown(self._passing, size, False)
        # Room comes in chunks: rows may have been given out that are new and had room before.
        for info in self._infos[self._noted :]:
            self._kinds[info.row] = info.kind
            self._passing[info.row] = info.key.name.startswith(PASSING)
        self._noted = len(self._infos)

    def _rows_of(self, refs: Longs) -> Ids:
        places = np.searchsorted(self._refs, refs)
        rows: Ids = self._rows[places] if len(self._refs) else np.empty(0, np.int32)
        return rows

    def _begin(self, delta: Delta) -> tuple[SeriesInfo, ...]:
        """Series that have something to say and no row in the engine."""
        rows = delta.rows
        # Of a row that occurs more than once the newest is assigned last and stays: entries are ordered by second.
        self._seen[rows] = delta.last_times
        self._ended[rows] = np.isnan(delta.lasts)
        new = np.unique(rows[~self._alive[rows]])
        self._alive[new] = True
        return tuple(self._infos[row] for row in new.tolist())

    def _end(self, now: int) -> Ids:
        """Rows that are given up: silent for an hour, or of a process that ended."""
        silent = now - self._seen
        gone = self._alive & ((silent > EXPIRY) | (self._ended & self._passing & (silent > PASSING_EXPIRY)))
        self._alive[gone] = False
        return np.flatnonzero(gone).astype(np.int32)

    # ------------------------------------------------------------ samples

    def _of_part(self, part: KeptSamples) -> list[_Entries]:
        rows = self._rows_of(part.refs)
        counters = np.zeros(len(rows), np.bool_)
        counters[rows >= 0] = self._kinds[rows[rows >= 0]] == Kind.COUNTER
        gauges = (rows >= 0) & ~counters
        found = [self._observed(part)]
        if gauges.any():
            low, high = (column[gauges] if column is not None else part.values[gauges] for column in (part.low, part.high))
            times, values = part.times[gauges], part.values[gauges]
            mine = rows[gauges]
            order = np.lexsort((times, mine))
            found.append(_aggregated(mine[order], times[order], values[order], low[order], high[order], self._grain))
        if counters.any():
            found.append(self._counted(rows[counters], part.times[counters], part.values[counters]))
        return found

    def _counted(self, rows: Ids, times: Longs, values: Floats) -> _Entries:
        order = np.lexsort((times, rows))
        rows, times, values = rows[order], times[order], values[order]
        told = ~np.isnan(values)
        row, total = rows[told], values[told]
        before = np.empty(len(row))
        first = np.ones(len(row), np.bool_)
        first[1:] = row[1:] != row[:-1]
        before[1:] = total[:-1]
        before[first] = self._totals[row[first]]
        increments = np.where(total >= before, total - before, total)
        self._totals[row] = total
        entries = np.full(len(rows), np.nan)
        entries[told] = np.where(np.isnan(before), np.nan, increments)
        # The first reading says nothing of when the counting began; the end of a series says only that.
        known = ~told
        known[told] = ~np.isnan(before)
        rows, times, entries = rows[known], times[known], entries[known]
        return _aggregated(rows, times, entries, entries, entries, self._grain)

    def _observed(self, part: KeptSamples) -> _Entries:
        rows = self._rows_of(part.hist_refs)
        sizes = np.diff(part.offsets)
        keep = (rows >= 0) & (sizes > 0)
        counts = _summed(part.counts, part.offsets)[keep]
        low = middles_of(part.bins[part.offsets[:-1][keep]])
        high = middles_of(part.bins[part.offsets[1:][keep] - 1])
        return _joined_up(rows[keep], part.hist_times[keep], counts, part.hist_sums[keep], low, high, self._grain)

    def _bins(self, part: KeptSamples) -> tuple[Ids, Longs, Ids, Floats]:
        sizes = np.diff(part.offsets)
        rows = np.repeat(self._rows_of(part.hist_refs), sizes)
        seconds = np.repeat(_slots(part.hist_times, self._grain), sizes)
        keep = rows >= 0
        return rows[keep], seconds[keep], part.bins[keep], part.counts[keep]


def _name(series: KeptSeries) -> str:
    return next((value for label, value in series.labels if label == "__name__"), "")


def _among(wanted: Longs, known: Longs) -> npt.NDArray[np.bool_]:
    """Which of `wanted` are in `known`; both rise."""
    places = np.searchsorted(known, wanted)
    found = places < len(known)
    found[found] = known[places[found]] == wanted[found]
    return found


def _summed(counts: Floats, offsets: Longs) -> Floats:
    up_to = np.concatenate(([0.0], np.cumsum(counts)))
    found: Floats = up_to[offsets[1:]] - up_to[offsets[:-1]]
    return found


def _slots(times: Longs, grain: int) -> Longs:
    """The slot of each stamp: the second that ends at or after it, or the first of so many."""
    seconds = -(-times // 1000) - 1
    return seconds - seconds % grain if grain > 1 else seconds


def _aggregated(rows: Ids, times: Longs, values: Floats, low: Floats, high: Floats, grain: int) -> _Entries:
    """An entry a row and slot, of samples in order of row and time; NaN counts as nothing but may be the last."""
    seconds = _slots(times, grain)
    if not len(rows):
        nothing = np.empty(0)
        return _Entries(rows, seconds, nothing, nothing, nothing, nothing, nothing, nothing)
    starts = _changes(rows, seconds)
    last = np.append(starts[1:], len(rows)) - 1
    told = ~np.isnan(values)
    return _Entries(
        rows[starts],
        seconds[starts],
        np.add.reduceat(told.astype(np.float64), starts),
        np.add.reduceat(np.where(told, values, 0.0), starts),
        np.minimum.reduceat(np.where(told, low, np.inf), starts),
        np.maximum.reduceat(np.where(told, high, -np.inf), starts),
        values[last],
        times[last] / 1000.0,
    )


def _joined_up(rows: Ids, times: Longs, counts: Floats, sums: Floats, low: Floats, high: Floats, grain: int) -> _Entries:
    """An entry a row and slot of observations that are sums already; the last value is the mean of the last of them."""
    order = np.lexsort((times, rows))
    rows, times, counts, sums, low, high = (column[order] for column in (rows, times, counts, sums, low, high))  # type: ignore[assignment]
    seconds = _slots(times, grain)
    starts = _changes(rows, seconds)
    if not len(starts):
        return _Entries(rows, seconds, counts, sums, low, high, counts, counts)
    last = np.append(starts[1:], len(rows)) - 1
    return _Entries(
        rows[starts],
        seconds[starts],
        np.add.reduceat(counts, starts),
        np.add.reduceat(sums, starts),
        np.minimum.reduceat(low, starts),
        np.maximum.reduceat(high, starts),
        sums[last] / counts[last],
        times[last] / 1000.0,
    )


def _changes(*keys: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Where any of the keys differs from the place before; the first place among them."""
    new = np.ones(len(keys[0]), np.bool_)
    new[1:] = False
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def _joined(entries: Sequence[_Entries], time: float) -> Delta:
    if not entries:
        return empty_delta(time)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(entry, name) for entry in entries]) for name in _Entries.__dataclass_fields__
    }
    order = np.lexsort((columns["rows"], columns["seconds"]))
    return replace(empty_delta(time), **{name: column[order] for name, column in columns.items()})


def _ordered(delta: Delta, bins: Sequence[tuple[Ids, Longs, Ids, Floats]]) -> Delta:
    """The delta with its histogram entries, by second, row and bin."""
    if not bins:
        return delta
    rows, seconds, numbers, counts = (np.concatenate([part[i] for part in bins]) for i in range(4))
    order = np.lexsort((numbers, rows, seconds))
    rows, seconds, numbers, counts = rows[order], seconds[order], numbers[order], counts[order]
    starts = _changes(rows, seconds, numbers)
    return replace(
        delta,
        hist_rows=rows[starts],
        hist_seconds=seconds[starts],
        hist_bins=numbers[starts],
        hist_counts=np.add.reduceat(counts, starts) if len(starts) else counts,
    )
