"""Reads the points of explicit histograms into columns, one for each layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from collector.receivers.otlp.columns import BAD_NAME, NO_RECORDED_VALUE, TOO_MANY_SERIES
from collector.receivers.otlp.counters import LeftOut
from collector.receivers.otlp.exemplars import PointExemplars
from collector.receivers.otlp.explicit import Points, Told
from collector.receivers.otlp.layouts import Layout
from collector.receivers.otlp.limits import MOST_BUCKETS
from collector.receivers.otlp.schema import histogram_numbers
from collector.receivers.otlp.series import NO_ROOM, Find, MetricSeries, Place, Tags

_NAN = float("nan")


class OfMetric(NamedTuple):
    """What the points of one metric share. `classic`: name, tags and unit of a point's counters, of its packed attributes."""

    find: Find
    classic: Callable[[Any], tuple[str, Tags, str]]
    ended: Callable[[Any, int], None]
    """Called with a point that only says that the histogram of this id says nothing from there on."""
    delta: bool


class ExplicitPoints:
    """All of one request."""

    def __init__(self, series: MetricSeries, left_out: LeftOut, exemplars: PointExemplars | None) -> None:
        self._series, self._left_out, self._exemplars = series, left_out, exemplars
        self._points: dict[Layout, Points] = {}

    def all(self) -> list[Points]:
        """Those of each layout."""
        return list(self._points.values())

    def of(self, layout: Layout) -> Points:
        """Those of one layout."""
        found = self._points.get(layout)
        if found is None:
            found = self._points[layout] = Points(layout)
        return found

    def take(self, points: Any, told: OfMetric) -> None:
        """Those of one metric. Raises `UnreadableError`."""
        find, delta, exemplars, known = told.find, told.delta, self._exemplars, self._series.explicit_places
        current: Layout | None = None
        put: Callable[[Told], None] | None = None
        for point in points:
            distribution = find(point.attributes)
            if distribution < 0:
                self._left_out.add(TOO_MANY_SERIES if distribution == NO_ROOM else BAD_NAME)
                continue
            if point.flags & NO_RECORDED_VALUE:
                told.ended(point, distribution)
                continue
            has_sum = point.HasField("sum")
            all_bounds, all_buckets = point.explicit_bounds, point.bucket_counts
            place, buckets = None, b""
            if len(all_bounds) == 1 and len(all_buckets) == 1:  # as nearly all are sent
                place, buckets = known.get((distribution, all_bounds[0], has_sum)), all_buckets[0]
            if place is None or len(buckets) != place[0].packed_size:
                place, buckets = self._met(point, distribution, has_sum, told)
                if place is None:
                    continue
            layout, row = place
            if put is None or layout is not current:
                current, put = layout, self.of(layout).put
            low, high = point.min, point.max
            put(
                (
                    row,
                    buckets,
                    point.count,
                    point.sum,
                    point.time_unix_nano,
                    point.start_time_unix_nano,
                    low if low or point.HasField("min") else _NAN,
                    high if high or point.HasField("max") else _NAN,
                    delta,
                )
            )
            if exemplars is not None and point.exemplars:
                exemplars.of_histogram(layout.ids[row], tuple(layout.bounds_of(row).tolist()), point.exemplars)

    def _met(self, point: Any, distribution: int, has_sum: bool, told: OfMetric) -> tuple[Place | None, bytes]:
        """A histogram that comes for the first time or in another form: its place and its buckets. None where it is left out."""
        bounds, buckets = histogram_numbers(point)
        if not bounds and len(buckets) < 16:
            buckets = point.count.to_bytes(8, "little")
        why = wrong(bounds, buckets)
        if not why:
            found: Place | int | None = self._series.explicit_places.get((distribution, bounds, has_sum))
            if found is None:
                found = self._series.begin_explicit(distribution, bounds, has_sum, told.classic(point.attributes))
            if isinstance(found, Place):
                return found, buckets
            why = TOO_MANY_SERIES if found == NO_ROOM else BAD_NAME
        self._left_out.add(why)
        return None, b""


def wrong(bounds: bytes, buckets: bytes) -> str:
    """Why these bounds and buckets cannot be taken; "" when they can."""
    if len(buckets) != len(bounds) + 8:
        return "a histogram needs one bucket more than it has bounds"
    if len(buckets) > 8 * MOST_BUCKETS:
        return f"a histogram of more than {MOST_BUCKETS} buckets"
    values = np.frombuffer(bounds, "<f8")
    if not np.isfinite(values).all() or (values[1:] <= values[:-1]).any():
        return "a histogram whose bounds do not rise"
    return ""
