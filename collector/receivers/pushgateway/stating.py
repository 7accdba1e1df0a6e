"""From groups to batches: what they say at a time, and that they say nothing any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from collector.receivers.book import Described, SeriesBook
from collector.receivers.pushgateway.families import InconsistentError, Series
from collector.receivers.pushgateway.groups import Group
from collector.receivers.pushgateway.native import observed
from collector.receivers.remote_write.readings import Readings
from monitor.model.batch import Batch, HistogramBatch, Ids
from monitor.model.series import KeySpace, Kind
from monitor.query.history import STALE, Labels

Undo = Callable[[], None]


class Statements:
    """Ids of the series of all groups, and their last readings. `limit`: series remembered, before the dictionary begins anew."""

    def __init__(self, limit: int) -> None:
        self.book = SeriesBook(raw=True, limit=limit)
        self._readings = Readings(self.book.space)
        self._ids: dict[Labels, tuple[KeySpace, Group, Ids]] = {}

    def make_room(self) -> None:
        """To be called before a series is named that may be new."""
        self.book.make_room()
        if self._readings.space is not self.book.space:
            self._readings, self._ids = Readings(self.book.space), {}

    def named(self, group: Group) -> None:
        """Gives its series ids. Raises `InconsistentError` for one that is over its bounds."""
        self._of_group(group)

    def of(self, groups: Iterable[Group], now: float) -> tuple[list[Batch], Undo]:
        """What these groups, which have names, say at `now`."""
        told = [(self._of_group(group), group) for group in groups]
        ids = np.concatenate([each for each, _ in told]) if told else np.empty(0, np.int32)
        values = np.array([one.value for _, group in told for one in group.series()], np.float64)
        return self._take(ids, values, now)

    def observed(self, before: Group | None, after: Group, now: float) -> list[HistogramBatch]:
        """What the native histograms of a group, which has names, counted since the push before."""
        last = {(one.name, one.labels): one.native for one in before.series()} if before is not None else {}
        told = [
            (number, last.get((one.name, one.labels)), one.native)
            for number, one in zip(self._of_group(after).tolist(), after.series(), strict=True)
            if one.native is not None
        ]
        made = observed(self.book.space, now, told) if told else None
        return [made] if made is not None else []

    def ended(self, before: Group, after: Group | None, now: float) -> tuple[list[Batch], Undo]:
        """The series that a group had and has no more say nothing from `now` on."""
        kept = set(self._of_group(after).tolist()) if after is not None else set[int]()
        ids = np.array([number for number in self._of_group(before).tolist() if number not in kept], np.int32)
        if after is None:
            self._ids.pop(before.labels, None)
        return self._take(ids, np.full(len(ids), STALE), now)

    def _take(self, ids: Ids, values: np.ndarray[tuple[int], np.dtype[np.float64]], now: float) -> tuple[list[Batch], Undo]:
        kinds = self.book.space.kinds
        drawn = np.array([kinds[number] is Kind.DISTRIBUTION for number in ids.tolist()], np.bool_)
        ids, values = ids[~drawn], values[~drawn]  # native histograms are told when they are pushed
        batches, _, undo = self._readings.take(ids, np.full(len(ids), now), values)
        return batches, undo

    def _of_group(self, group: Group) -> Ids:
        known = self._ids.get(group.labels)
        if known is not None and known[0] is self.book.space and known[1] is group:
            return known[2]
        ids = np.array([self._id_of(series) for series in group.series()], np.int32)
        self._ids[group.labels] = self.book.space, group, ids
        return ids

    def _id_of(self, series: Series) -> int:
        found = self.book.id_of((series.name, series.labels, series.kind), partial(_described, series))
        if found < 0:
            raise InconsistentError(f"the series {series.name[:100]!r}: its name, a label or their number is over the bound")
        return found


def _described(series: Series) -> Described:
    return series.name, series.labels, series.kind, series.unit
