"""From readings to batches: what is new to a series goes to the windows too, what is older to the history alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Batch, Floats, Ids
from monitor.model.series import KeySpace, Kind
from monitor.query.history import stale_at


@dataclass(slots=True)
class _Before:
    """How the series of one request stood before it."""

    ids: Ids
    times: Floats
    readings: Floats
    newest: Floats


class Readings:
    """Time and reading each series of one key space said last."""

    def __init__(self, space: KeySpace) -> None:
        self.space = space
        self._times: Floats = np.empty(0)
        self._readings: Floats = np.empty(0)
        self._counts: npt.NDArray[np.bool_] = np.empty(0, np.bool_)

    def take(self, ids: Ids, times: Floats, values: Floats) -> tuple[list[Batch], int, Callable[[], None]]:
        """Batches of n samples in any order; how many of them are not newer than what their series said last; and what makes
        all as it was, for when nobody took the batches. `times` in seconds.

        A counter's increment is the difference to the reading before it, the whole reading where it fell; the first reading
        and the first after a staleness marker give none.
        """
        self._grow()
        order = np.lexsort((times, ids))
        ids, times, values = ids[order], times[order], values[order]
        newer = times > self._times[ids]
        newer[1:] &= (ids[1:] != ids[:-1]) | (times[1:] > times[:-1])
        counts, stale = self._counts[ids], stale_at(values)
        told = newer & (~counts | stale)
        batches = [
            self._batch(ids, times, values, ~told, windowed=False),
            self._increments(ids, times, values, newer & counts & (stale | np.isfinite(values))),
            self._batch(ids, times, values, told),
        ]
        undo = self._learn(ids[newer], times[newer], values[newer])
        return [batch for batch in batches if len(batch)], int(np.count_nonzero(~newer)), undo

    def _batch(self, ids: Ids, times: Floats, values: Floats, which: npt.NDArray[np.bool_], *, windowed: bool = True) -> Batch:
        return Batch(self.space, ids[which], values[which], times[which], raw=True, windowed=windowed)

    def _increments(self, ids: Ids, times: Floats, values: Floats, which: npt.NDArray[np.bool_]) -> Batch:
        ids, times, values = ids[which], times[which], values[which]
        before = self._readings[ids]
        within = np.flatnonzero(ids[1:] == ids[:-1]) + 1
        before[within] = values[within - 1]
        known = ~np.isnan(before) & ~np.isnan(values)
        ids, times, values, before = ids[known], times[known], values[known], before[known]
        return Batch(self.space, ids, np.where(values >= before, values - before, values), times)

    def _learn(self, ids: Ids, times: Floats, values: Floats) -> Callable[[], None]:
        last = np.append(ids[1:] != ids[:-1], True)[: len(ids)]
        touched, newest = ids[last], times[last]
        before = _Before(touched, self._times[touched], self._readings[touched], newest)
        self._times[touched] = newest
        counted = self._counts[ids] & (stale_at(values) | np.isfinite(values))
        # In order, so that of a series' readings the newest stays.
        self._readings[ids[counted]] = values[counted]
        return lambda: self._undo(before)

    def _undo(self, before: _Before) -> None:
        same = self._times[before.ids] == before.newest  # what came meanwhile stays
        ids = before.ids[same]
        self._times[ids], self._readings[ids] = before.times[same], before.readings[same]

    def _grow(self) -> None:
        known, size = len(self._counts), len(self.space)
        if known == size:
            return
        kinds = self.space.kinds[known:size]
        self._counts = np.append(self._counts, np.array([kind is Kind.COUNTER for kind in kinds], np.bool_))
        if size > len(self._times):
            room = max(size, len(self._times) + len(self._times) // 2)
            self._times = np.append(self._times, np.full(room - len(self._times), -np.inf))
            self._readings = np.append(self._readings, np.full(room - len(self._readings), np.nan))
