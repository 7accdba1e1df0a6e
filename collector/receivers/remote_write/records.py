"""Samples as Prometheus writes them, read from their places in a message: `12 10 09 value 10 time`, or `12 07 10 time` for 0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from collector.receivers.remote_write.found import Found
from monitor.query.history import Millis

WIDE, ZERO = 18, 9
"""Bytes of a sample with its tag and length; its time is of 6 bytes from 1971 to 2109."""


class OddRecordError(Exception):
    """A sample is laid out in another way: the message is to be read field by field."""


class Records:
    """Places of samples in a message, those of one series together."""

    def __init__(self) -> None:
        self.wide: list[int] = []
        self.zero: list[int] = []
        self._numbers: list[int] = []
        self._wide_ends: list[int] = []
        self._zero_ends: list[int] = []

    def settle(self, numbers: list[int], wide_ends: list[int], zero_ends: list[int]) -> None:
        """Whose the samples up to each of those places of the lists are, series by series; -1: nobody's."""
        self._numbers, self._wide_ends, self._zero_ends = numbers, wide_ends, zero_ends

    def __len__(self) -> int:
        return len(self.wide) + len(self.zero)

    def take(self, data: bytes) -> Found:
        """All of them. Raises `OddRecordError`."""
        whole = np.frombuffer(data, np.uint8)
        numbers = np.array(self._numbers, np.int32)
        wide = whole[np.array(self.wide, np.int64)[:, np.newaxis] + np.arange(WIDE)]
        zero = whole[np.array(self.zero, np.int64)[:, np.newaxis] + np.arange(ZERO)]
        owners = [np.repeat(numbers, _sizes(ends)) for ends in (self._wide_ends, self._zero_ends)]
        values = np.concatenate((np.ascontiguousarray(wide[:, 3:11]).view("<f8").reshape(-1), np.zeros(len(zero))))
        ids, times = np.concatenate(owners), np.concatenate((_times(wide[:, WIDE - 6 :]), _times(zero[:, ZERO - 6 :])))
        kept = ids >= 0
        if not kept.all():
            ids, times, values = ids[kept], times[kept], values[kept]
        return Found(ids, times, values)


def _sizes(ends: list[int]) -> npt.NDArray[np.int64]:
    edges = np.array([0, *ends], np.int64)
    return edges[1:] - edges[:-1]


def _times(stamps: npt.NDArray[np.uint8]) -> Millis:
    """Varints of 6 bytes each, uint8 [n, 6]."""
    if not bool((stamps[:, :5] >= 0x80).all()) or not bool((stamps[:, 5] < 0x80).all()):
        raise OddRecordError
    times: Millis = (stamps & 0x7F).astype(np.int64) @ (np.int64(1) << 7 * np.arange(6, dtype=np.int64))
    return times
