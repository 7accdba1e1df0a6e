"""A receiver's own dictionary: what it calls a series, and the id that its batches carry."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from monitor.model.batch import Floats, Ids
from monitor.model.cumulative import Cumulative
from monitor.model.series import KeySpace, Kind, TooLongError, series_key

Described = tuple[str, Iterable[tuple[str, str]], Kind, str]
"""Name, tags, kind and unit of a series."""


class SeriesBook:
    """Ids of one key space. When it holds `limit` series it begins anew, so that a sender of ever new ones cannot fill memory."""

    def __init__(self, raw: bool = True, limit: int = 200_000) -> None:
        self._raw, self._limit = raw, limit
        self.too_long = 0
        """Series that were left out because a name or tag is over its bound."""
        self.begun = 0
        """How often it began anew."""
        self._begin()

    def _begin(self) -> None:
        self.space = KeySpace(self._raw)
        self.cumulative = Cumulative()
        """Readings of this space's counters, for their increments."""
        self._ids: dict[Hashable, int] = {}

    def make_room(self) -> None:
        """To be called before a message is read: ids given out for one message are of one space."""
        if len(self._ids) >= self._limit:
            self.begun += 1
            self._begin()

    def id_of(self, key: Hashable, describe: Callable[[], Described]) -> int:
        """The id of what the receiver calls `key`; -1 where the series cannot be had."""
        known = self._ids.get(key)
        if known is None:
            name, tags, kind, unit = describe()
            try:
                known = self.space.add(series_key(name, tags), kind, unit)
            except TooLongError:
                known = -1
                self.too_long += 1
            self._ids[key] = known
        return known

    def increments(self, ids: Ids, readings: Floats) -> tuple[Ids, Floats]:
        """As `Cumulative.increments`."""
        return self.cumulative.increments(ids, readings)
