"""Sample messages of remote read and write, a column at a time: `{double value = 1; int64 timestamp = 2;}` and, in remote write
2.0, `int64 start_timestamp = 3`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from collector.protobuf.wire import Budget, Bytes, Longs, ProtobufError, as_double, as_signed, fields, varint_matrix
from monitor.query.history import Millis, Values

_VALUE, _TIME, _START = 0x09, 0x10, 0x18
"""Tags of the fields of a sample."""
_FIXED = 12
"""Bytes before a sample's time: its own tag and length, the value with its tag, the tag of the time."""
_LOOK = 64
"""Samples looked at first when a run of equal ones is followed."""


def sample_records(times: Millis, values: Values, starts: Millis | None = None, field: int = 2) -> tuple[bytes, Longs]:
    """n samples as fields `field` of their series, and where each begins, int64 [n + 1]: those of one series are a slice."""
    stamps, sizes = varint_matrix(np.asarray(times, np.int64))
    alike = not len(sizes) or bool((sizes == sizes[0]).all())
    width = _FIXED + (int(sizes[0]) if alike and len(sizes) else 10)
    records = np.empty((len(times), width), np.uint8)
    records[:, 0] = field << 3 | 2
    records[:, 1] = _FIXED - 2 + sizes
    records[:, 2] = _VALUE
    records[:, 3:11] = np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(-1, 8)
    records[:, 11] = _TIME
    records[:, _FIXED:] = stamps[:, : width - _FIXED]
    lengths = _FIXED + sizes
    if starts is not None and np.any(starts):
        return _with_starts(records, lengths, np.asarray(starts, np.int64))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    if alike:
        return records.tobytes(), offsets
    return records[np.arange(width) < lengths[:, np.newaxis]].tobytes(), offsets


def _with_starts(records: Bytes, lengths: Longs, starts: Millis) -> tuple[bytes, Longs]:
    """The same with a start timestamp behind those samples that have one."""
    more, sizes = varint_matrix(starts)
    told = starts != 0
    whole = np.concatenate((records, np.full((len(records), 1), _START, np.uint8), more), axis=1)
    width = records.shape[1]
    kept = np.zeros(whole.shape, np.bool_)
    kept[:, :width] = np.arange(width) < lengths[:, np.newaxis]
    kept[:, width:] = (np.arange(11) < 1 + sizes[:, np.newaxis]) & told[:, np.newaxis]
    whole[:, 1] += np.where(told, 1 + sizes, 0).astype(np.uint8)
    return whole[kept].tobytes(), np.concatenate(([0], np.cumsum(kept.sum(axis=1))))


class SampleColumns:
    """Samples gathered from many series of one message, at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = 0
        self._times: list[npt.NDArray[np.int64]] = []
        self._values: list[npt.NDArray[np.float64]] = []
        self._starts: list[npt.NDArray[np.int64]] = []
        self._single: list[tuple[int, float, int]] = []
        """Samples that came one by one and are not yet in the columns."""

    def add(self, time: int, value: float, start: int) -> None:
        """One sample. Raises `ProtobufError` past the bound."""
        self._counted(1)
        self._single.append((time, value, start))

    def take(self, data: memoryview, whole: Bytes, at: int, end: int, tag: int, budget: Budget) -> int:
        """The sample whose body is data[at:end], or a run of samples laid out like it; where the run ends.

        `whole` is `data` as an array. Most messages have such runs, which are read without an object a sample.
        """
        size = end - at + 2
        if size >= _FIXED + 1 and len(data) - end >= 3 * size and at >= 2:
            run = _run(whole, at - 2, size, tag)
            if run > 1:
                self._take_run(whole[at - 2 : at - 2 + run * size].reshape(run, size))
                budget.spend(run)
                return at - 2 + run * size
        self.one(data[at:end], budget)
        return end

    def one(self, body: memoryview, budget: Budget) -> None:
        """The sample of this body."""
        time, value, start = 0, 0.0, 0
        for number, kind, found, _ in fields(body, budget):
            if number == 1:
                value = as_double(found, kind)
            elif number == 2:
                time = as_signed(found, kind)
            elif number == 3:
                start = as_signed(found, kind)
        self.add(time, value, start)

    def _take_run(self, records: Bytes) -> None:
        self._counted(len(records))
        self._settle()
        times = np.zeros(len(records), np.uint64)
        for place in range(_FIXED, records.shape[1]):  # at most ten
            times |= (records[:, place] & 0x7F).astype(np.uint64) << np.uint64(7 * (place - _FIXED))
        self._times.append(times.view(np.int64))
        self._values.append(np.ascontiguousarray(records[:, 3:11]).view("<f8").reshape(-1).astype(np.float64))
        self._starts.append(np.zeros(len(records), np.int64))

    def _counted(self, more: int) -> None:
        self.count += more
        if self.count > self._most:
            raise ProtobufError(f"the message has more than {self._most} samples; send it in parts")

    def _settle(self) -> None:
        if self._single:
            times, values, starts = zip(*self._single, strict=True)
            self._times.append(np.array(times, np.int64))
            self._values.append(np.array(values, np.float64))
            self._starts.append(np.array(starts, np.int64))
            self._single.clear()

    def columns(self) -> tuple[Millis, Values, Millis]:
        """Times, values and start timestamps of all samples, in the order they came."""
        self._settle()
        if not self._times:
            return np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)
        return np.concatenate(self._times), np.concatenate(self._values), np.concatenate(self._starts)


def _run(whole: Bytes, at: int, size: int, tag: int) -> int:
    """How many records like the first stand from `at` on. Looks further only as far as it found some, so that no message makes
    this look at the same bytes again and again.
    """
    if size > _FIXED + 10:
        return 0
    run, look = 0, _LOOK
    while True:
        count = min(look, (len(whole) - at) // size - run)
        if count <= 0:
            return run
        records = whole[at + run * size : at + (run + count) * size].reshape(count, size)
        good = (
            (records[:, 0] == tag)
            & (records[:, 1] == size - 2)
            & (records[:, 2] == _VALUE)
            & (records[:, 11] == _TIME)
            & (records[:, -1] < 0x80)
            & (records[:, _FIXED:-1] >= 0x80).all(axis=1)
        )
        if not good.all():
            return run + int(good.argmin())
        run, look = run + count, 2 * look
