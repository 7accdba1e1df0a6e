"""The number points of one request as columns, and what is wrong with some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from collector.receivers.otlp.counters import LeftOut
from collector.receivers.otlp.series import NO_ROOM, Find
from monitor.model.batch import Floats, Ids
from monitor.model.series import MAX_NAME

NO_RECORDED_VALUE = 1
"""Flag of a point: its series says nothing from there on."""
_ABSENT = object()


class NumberColumns:
    """Grows by points; `taken` gives arrays."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.values: list[float] = []
        self.times: list[int] = []
        self.starts: list[int] = []
        self.ended: list[bool] = []

    def add(self, points: Iterable[Any], find: Find, left_out: LeftOut) -> None:
        """Gauge or sum points. Raises `UnreadableError`."""
        ids, values, times, starts, ended = self.ids, self.values, self.times, self.starts, self.ended
        for point in points:
            value = point.as_double or point.as_int
            flags = point.flags
            if not value and not flags & NO_RECORDED_VALUE and point.WhichOneof("value") is None:
                left_out.add("a point without a value")
                continue
            ids.append(find(point.attributes))
            values.append(value)
            times.append(point.time_unix_nano)
            starts.append(point.start_time_unix_nano)
            ended.append(flags & NO_RECORDED_VALUE)

    def put(self, series: int, value: float, time: int, start: int, ended: bool) -> None:
        """One of our own making."""
        self.ids.append(series)
        self.values.append(value)
        self.times.append(time)
        self.starts.append(start)
        self.ended.append(ended)

    def taken(self, now: float, left_out: LeftOut, counted: bool, rising: bool) -> Taken:
        """`counted`: values are finite; `rising`: and none is negative. What is not so, and has no id, is left out."""
        ids = np.array(self.ids, np.int32)
        values = np.array(self.values, np.float64)
        times, starts = seconds(self.times, now), seconds(self.starts, 0.0)
        ended = np.array(self.ended, np.bool_)
        good = usable(ids, left_out)
        if counted:
            odd = good & ~ended & ~np.isfinite(values)
            negative = good & ~ended & (values < 0) if rising else np.zeros(len(ids), np.bool_)
            for which, why in ((odd, "a sum that is not a finite number"), (negative & ~odd, "a monotonic sum below 0")):
                if which.any():
                    left_out.add(why, int(np.count_nonzero(which)))
                    good &= ~which
        if not good.all():
            ids, values, times, starts, ended = ids[good], values[good], times[good], starts[good], ended[good]
        return Taken(ids, values, times, starts, ended)


class Taken:
    """Points that are sound, and the ends of series among them."""

    def __init__(self, ids: Ids, values: Floats, times: Floats, starts: Floats, ended: npt.NDArray[np.bool_]) -> None:
        self.ended_ids, self.ended_times = ids[ended], times[ended]
        if len(self.ended_ids):
            ids, values, times, starts = ids[~ended], values[~ended], times[~ended], starts[~ended]
        self.ids, self.values, self.times, self.starts = ids, values, times, starts


def usable(ids: Ids, left_out: LeftOut) -> npt.NDArray[np.bool_]:
    """Which ids are ids; others are left out with their reasons."""
    good = ids >= 0
    if not good.all():
        no_room = int(np.count_nonzero(ids == NO_ROOM))
        no_name = len(ids) - int(np.count_nonzero(good)) - no_room
        for count, why in ((no_room, TOO_MANY_SERIES), (no_name, BAD_NAME)):
            if count:
                left_out.add(why, count)
    return good


TOO_MANY_SERIES = "too many new series in one request"
BAD_NAME = f"a metric's name is not of 1 to {MAX_NAME} characters"


def seconds(nanoseconds: Sequence[int], absent: float) -> Floats:
    """Seconds since the epoch; `absent` where it is 0."""
    times: Floats = np.array(nanoseconds, np.uint64) / 1e9
    return np.where(times == 0, absent, times)
