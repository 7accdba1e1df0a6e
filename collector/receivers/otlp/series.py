"""From what OTLP calls a series, the bytes of its attributes below a resource and a metric, to the id that batches carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from collector.receivers.book import SeriesBook
from collector.receivers.descriptions import Descriptions
from collector.receivers.otlp.attributes import Attributes
from collector.receivers.otlp.histograms import ExponentialStream
from collector.receivers.otlp.layouts import Layout
from collector.receivers.otlp.limits import LONGEST_KEPT, MOST_KEPT, MOST_NEW_SERIES
from collector.receivers.otlp.names import SCOPE_NAME, SCOPE_VERSION, TagNames
from collector.receivers.otlp.resuming import LastTotals
from collector.receivers.otlp.sums import Sums
from monitor.model.batch import Ids
from monitor.model.series import Kind
from monitor.query.notes import go_float

NO_NAME, NO_ROOM = -1, -2
"""Instead of an id: the name is empty or too long; the request brings too many new series."""

Key = tuple[bytes, ...]
Tags = dict[str, str]
Find = Callable[[Any], int]
"""The id for a point's packed attributes."""


class Origin(NamedTuple):
    """A resource and a scope: the tags that all their points share, and a number that no other origin has."""

    number: int
    tags: Tags


class Place(NamedTuple):
    """An explicit histogram: a row of a layout."""

    layout: Layout
    row: int


class MetricSeries:
    """All series of one `OtlpReceiver`, and what is known of their last points.

    What is remembered is bounded: dictionaries of bytes begin anew when they are full, and the whole does when the book does.
    """

    descriptions: Descriptions | None = None
    """Takes what senders say of their metrics."""
    totals: LastTotals | None = None
    """Knows the running totals of before the start."""

    def __init__(self, attributes: Attributes, names: TagNames, limit: int, now: float) -> None:
        self._attributes, self._names = attributes, names
        self._limit = limit
        self.book = SeriesBook(limit=limit)
        self._numbers = 0
        self._begin(now)

    def _begin(self, now: float) -> None:
        self.since = now
        self.sums = Sums(now)
        if self.totals is not None:
            self.totals.begin()
        self._space = self.book.space
        self.explicit_places: dict[tuple[int, bytes, bool], Place] = {}
        """Where the histogram of a distribution's id, of these bounds and with or without a sum is."""
        self._layouts: dict[tuple[int, bool], Layout] = {}
        self._exponential: dict[int, ExponentialStream] = {}
        self._by_series: dict[int, list[Place]] = {}
        self._forget_bytes()

    def _forget_bytes(self) -> None:
        self._kept = 0
        self._origins: dict[tuple[Key, Key, str, str], Origin] = {}
        self._metrics: dict[tuple[int, str, str, Kind], dict[Key, int]] = {}

    def resume_totals(self, ids: Ids) -> None:
        """Running totals of series that are met for the first time go on from where the history has them."""
        if self.totals is not None and len(met := self.sums.unmet(ids)):
            self.sums.resume(met, self.totals.of([self.book.space.keys[number] for number in met.tolist()]))

    def make_room(self, now: float) -> None:
        """Before each request."""
        self.book.make_room()
        if self.book.space is not self._space:
            self._begin(now)
        if self._kept > 2 * self._limit:
            self._forget_bytes()
        self._new_from = len(self.book.space)

    def origin(self, resource: Any, scope: Any) -> Origin:
        """Of the packed attributes of a resource and a scope. Raises `UnreadableError`."""
        key = tuple(resource.attributes), tuple(scope.attributes), scope.name, scope.version
        found = self._origins.get(key)
        if found is None:
            if len(self._origins) >= MOST_KEPT:
                self._forget_bytes()
            of_scope = {SCOPE_NAME: scope.name, SCOPE_VERSION: scope.version, **self._attributes.mapped(scope.attributes)}
            both = {**of_scope, **self._attributes.mapped(resource.attributes)}
            self._numbers += 1
            found = Origin(self._numbers, self._names.of_resource({name: value for name, value in both.items() if value != ""}))
            if sum(map(len, (*key[0], *key[1]))) + len(key[2]) + len(key[3]) <= 16 * LONGEST_KEPT:
                self._origins[key] = found
        return found

    def finder(self, origin: Origin, name: str, unit: str, kind: Kind) -> Find:
        """Gives the ids of one metric's points, by their packed attributes. It raises `UnreadableError`."""
        place = origin.number, name, unit, kind
        known = self._metrics.get(place)
        if known is None:
            known = {}
            if len(name) <= LONGEST_KEPT:
                self._metrics[place] = known
                self._kept += 1
        get = known.get

        def find(packed: Any) -> int:
            key = tuple(packed)
            found = get(key)
            if found is None:
                found = self.id_of(name, self.tags(origin, packed), kind, unit)
                if found >= 0 and sum(map(len, key)) <= LONGEST_KEPT:
                    known[key] = found
                    self._kept += 1
            return found

        return find

    def tags(self, origin: Origin, packed: Any, extra: int = 0) -> Tags:
        """All tags of a point; there is room for `extra` more."""
        return self._names.of_point(origin.tags, [self._attributes.decoded(data)[:2] for data in packed], extra)

    def id_of(self, name: str, tags: Tags, kind: Kind, unit: str) -> int:
        """The id of a series, `NO_NAME` or `NO_ROOM`."""
        if len(self.book.space) - self._new_from >= MOST_NEW_SERIES:
            return NO_ROOM
        key = tuple(sorted(tags.items()))
        return self.book.id_of((name, key, kind), lambda: (name, key, kind, unit))

    def begin_explicit(self, series: int, bounds: bytes, has_sum: bool, classic: tuple[str, Tags, str]) -> Place | int:
        """Make it: `bounds` are float64, finite, and rise; `classic` are name, tags and unit of its counters. Or why not."""
        values = np.frombuffer(bounds, "<f8") + 0.0  # a bound of -0.0 is the same as one of 0.0
        same = series, values.tobytes(), has_sum
        place = self.explicit_places.get(same)
        if place is None:
            if len(self.explicit_places) >= 2 * self._limit:
                return NO_ROOM
            name, tags, unit = classic
            edges = (*map(go_float, values.tolist()), "+Inf")
            ids = [self.id_of(f"{name}_bucket", {**tags, "le": le}, Kind.COUNTER, "") for le in edges]
            ids.append(self.id_of(f"{name}_count", tags, Kind.COUNTER, ""))
            ids += [self.id_of(f"{name}_sum", tags, Kind.COUNTER, unit)] if has_sum else []
            if min(ids) < 0:
                return min(ids)
            size = len(edges)
            layout = self._layouts.get((size, has_sum))
            if layout is None:
                layout = self._layouts[size, has_sum] = Layout(size, has_sum)
            place = self.explicit_places[same] = Place(layout, layout.add(series, ids, values))
            self._by_series.setdefault(series, []).append(place)
        self.explicit_places[series, bounds, has_sum] = place
        return place

    def explicit_of(self, series: int) -> list[Place]:
        """All histograms of a distribution's id, one for each set of bounds it came with."""
        return self._by_series.get(series, [])

    def exponential(self, series: int) -> ExponentialStream:
        """The stream of a distribution's id."""
        stream = self._exponential.get(series)
        if stream is None:
            stream = self._exponential[series] = ExponentialStream(series=series)
        return stream
