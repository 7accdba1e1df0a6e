"""From the points of sums to what the history and the windows take: readings, and what was counted since the reading before.

OpenTelemetry, metrics data model, "Sums", "Resets and Gaps" and "Temporality". All arrays of one call are of equal length, a
point each, in order of arrival: `ids` int32, `values` float64 (finite), `times` and `starts` float64 seconds (a start of 0: not
told). Points of one series may come in any order and many in one call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.table import lengthened

Places = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Undo = Callable[[], int]
"""Takes a call back, where nothing was built upon it since; tells for how many series something was."""
STEP = 0.001
"""Seconds: as fine as the history keeps times."""
GAP = 1.0
"""Seconds of silence after which a total is told again where it goes on; and how long before a first point without a start."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """ids int32[n], values and times float64[n]."""

    ids: Ids
    values: Floats
    times: Floats

    @classmethod
    def joined(cls, *parts: Samples) -> Samples:
        return cls(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.times for part in parts]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """`readings` for the history, with zeros where counting began; `increments` for the windows; and the way back."""

    readings: Samples
    increments: Samples
    undo: Undo


class Sums:
    """What is known of each series of one key space: its last reading (or running total), when, and since when it counts.

    `since`: a series that began to count later, and is met for the first time, counts whole.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._calls = 0
        self._last: Floats = np.empty(0)
        self._time: Floats = np.empty(0)
        self._start: Floats = np.empty(0)
        self._call: Places = np.empty(0, np.int64)

    def cumulative(self, ids: Ids, values: Floats, times: Floats, starts: Floats) -> Counted:
        """Readings of counters that only rise.

        A reading below the last one is a reset, and so is one whose counting began at or after the last: what it tells was
        counted since. Readings that are no newer than the last are kept but count nothing.
        """
        readings = Samples(ids, values, times)
        self._grow(ids)
        order = np.lexsort((times, ids))
        first = _firsts(ids[order])
        newer = np.where(first, True, np.diff(times[order], prepend=-np.inf) > 0)
        order = order[newer & (times[order] > self._time[ids[order]])]
        ids, values, times, starts = ids[order], values[order], times[order], starts[order]
        first = _firsts(ids)
        before = np.where(first, self._last[ids], _shifted(values))
        when = np.where(first, self._time[ids], _shifted(times))
        began = np.where(first, self._start[ids], _shifted(starts))
        known = ~np.isnan(before)
        anew = (starts > began) & (starts >= when) & (starts < times)
        whole = anew & (known | np.isfinite(when) | (starts >= self._since))
        fallen = known & (values < before)
        told = known | whole
        increments = np.where(fallen | whole, values, values - before)
        # Where the value does not show that counting began anew, a zero does.
        zero = whole & ~fallen
        zeros = Samples(ids[zero], np.zeros(np.count_nonzero(zero)), np.maximum(starts, when + STEP)[zero])
        last = _lasts(ids)
        undo = self._put(ids[last], values[last], times[last], starts[last])
        return Counted(Samples.joined(zeros, readings), Samples(ids[told], increments[told], times[told]), undo)

    def delta(self, ids: Ids, values: Floats, times: Floats, starts: Floats) -> Counted:
        """What was counted since the point before: readings are the running totals, which begin at 0.

        The total also stands where a series begins and where it goes on after a gap. What comes late cannot raise totals of the
        past: it is in the next total, or in one right behind the last.
        """
        increments = Samples(ids, values, times)
        self._grow(ids)
        order = np.lexsort((times, ids))
        ids, values, times, starts = ids[order], values[order], times[order], starts[order]
        first, last = _firsts(ids), _lasts(ids)
        totals = np.nan_to_num(self._last[ids], nan=0.0) + _summed(values, first, last)
        when = self._time[ids]
        late = times <= when
        # Points of one series and time are one reading: the first of them tells what stood before, the last what stands then.
        run_first = (first | (np.diff(times, prepend=-np.inf) > 0)) & ~late
        run_last = np.append(run_first[1:] | first[1:], True)[: len(ids)] & ~late
        behind = last & late
        after_late = np.append(True, late[:-1])[: len(ids)]
        earlier = np.where(first | after_late, when, _shifted(times))
        begun = np.where((starts > 0) & (starts < times), starts, np.where(np.isneginf(earlier), times - GAP, np.inf))
        standing = run_first & np.isfinite(begun) & (begun - earlier > GAP)
        readings = Samples.joined(
            Samples(ids[standing], (totals - values)[standing], begun[standing]),
            Samples(ids[run_last], totals[run_last], times[run_last]),
            Samples(ids[behind], totals[behind], when[behind] + STEP),
        )
        undo = self._put(ids[last], totals[last], np.where(late, when + STEP, times)[last], starts[last])
        return Counted(readings, increments, undo)

    def unmet(self, ids: Ids) -> Ids:
        """Those of which nothing was told yet, each once."""
        self._grow(ids)
        found: Ids = np.unique(ids[np.isneginf(self._time[ids]) & np.isnan(self._last[ids])])
        return found

    def resume(self, ids: Ids, totals: Floats) -> None:
        """What was counted of these (ids unique) before all that is known here; NaN: nobody knows."""
        self._last[ids] = totals

    def forget(self, ids: Ids) -> None:
        """These series say nothing from here on; what they say next is a new beginning."""
        self._grow(ids)
        self._last[ids] = np.nan

    def _grow(self, ids: Ids) -> None:
        top = int(ids.max(initial=-1)) + 1
        if top > len(self._last):
            size = max(top, 2 * len(self._last))
            self._last = lengthened(self._last, size, np.nan)
            self._time = lengthened(self._time, size, -np.inf)
            self._start = lengthened(self._start, size, 0.0)
            self._call = lengthened(self._call, size, 0)

    def _put(self, ids: Ids, values: Floats, times: Floats, starts: Floats) -> Undo:
        """Keep these (ids unique); what was before comes back when it is undone."""
        self._calls += 1
        call = self._calls
        before = self._last[ids], self._time[ids], self._start[ids]
        self._last[ids], self._time[ids], self._start[ids], self._call[ids] = values, times, starts, call

        def undo() -> int:
            mine = self._call[ids] == call
            for column, held in zip((self._last, self._time, self._start), before, strict=True):
                column[ids[mine]] = held[mine]
            return len(ids) - int(np.count_nonzero(mine))

        return undo


def _firsts(ids: Ids) -> Bools:
    """Where the points of each series begin; `ids` are sorted."""
    first = np.ones(len(ids), np.bool_)
    first[1:] = ids[1:] != ids[:-1]
    return first


def _lasts(ids: Ids) -> Bools:
    last = np.ones(len(ids), np.bool_)
    last[:-1] = ids[1:] != ids[:-1]
    return last


def _summed(values: Floats, first: Bools, last: Bools) -> Floats:
    """Running sums within each series, each by itself: one of large numbers takes no digits from its neighbours."""
    sums = values.copy()
    heads, ends = np.flatnonzero(first), np.flatnonzero(last) + 1
    several = ends - heads > 1
    for head, end in zip(heads[several].tolist(), ends[several].tolist(), strict=True):
        sums[head:end] = np.cumsum(values[head:end])
    return sums


def _shifted(column: Floats) -> Floats:
    """Each place's predecessor; the first is no one's."""
    shifted = np.empty_like(column)
    shifted[1:] = column[:-1]
    shifted[:1] = np.nan
    return shifted
