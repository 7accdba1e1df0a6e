"""The time of each series' newest sample: what tells late samples from those that are too old, kept over restarts."""

from __future__ import annotations

import sqlite3
import threading

import numpy as np
import numpy.typing as npt

from collector.storage.history.codec import DamagedChunkError, compress, decompress_into, opened, sealed
from collector.storage.history.columns import Refs
from monitor.query.history import Mask, Millis

NEVER = -(1 << 62)
ENDED = 1 << 62
"""Of a series that left the registry: every sample of its dead ref is too old."""
_BLOCK = 4096


class Newest:
    """One int64 a ref, in blocks of 4,096 on disk. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: npt.NDArray[np.int64] = np.full(_BLOCK, NEVER, np.int64)
        self._changed: Mask = np.zeros(1, bool)

    def load(self, connection: sqlite3.Connection) -> int:
        """Reads what `save` wrote; how many blocks were damaged (their series take samples of any age until they get some)."""
        damaged = 0
        with self._lock:
            for block, data in connection.execute("SELECT block, data FROM newest ORDER BY block DESC"):
                self._grow((block + 1) * _BLOCK)
                times = np.empty(_BLOCK, np.int64)
                try:
                    decompress_into(opened(data, block), times)
                except DamagedChunkError:
                    damaged += 1
                else:
                    here = self._times[block * _BLOCK : (block + 1) * _BLOCK]
                    np.maximum(here, times, out=here)
        return damaged

    def save(self, connection: sqlite3.Connection) -> list[int]:
        """Writes the blocks that changed, in the caller's transaction; give them to `not_saved` if that fails."""
        with self._lock:
            blocks: list[int] = np.flatnonzero(self._changed).tolist()
            copies = [self._times[block * _BLOCK : (block + 1) * _BLOCK].copy() for block in blocks]
            self._changed[blocks] = False
        for block, times in zip(blocks, copies, strict=True):
            data = sealed(compress(times, quick=True), block)
            connection.execute("INSERT OR REPLACE INTO newest VALUES (?, ?)", (block, data))
        return blocks

    def take(self, refs: Refs, times: Millis, window: int) -> tuple[Mask, int]:
        """Which of a batch are not too old (more than `window` ms before the newest their series had before the batch), and how
        many of those are late. The newest move on.
        """
        with self._lock:
            self._grow(int(refs.max()) + 1)
            before = self._times[refs]
            taken: Mask = times >= before - window
            late = int((taken & (times < before)).sum())
            if not taken.all():
                refs, times = refs[taken], times[taken]
            np.maximum.at(self._times, refs, times)
            self._changed[refs // _BLOCK] = True
        return taken, late

    def not_saved(self, blocks: list[int]) -> None:
        with self._lock:
            self._changed[blocks] = True

    def of(self, refs: npt.NDArray[np.int64]) -> Millis:
        """Of each ref; `NEVER` where it has none."""
        with self._lock:
            if len(refs):
                self._grow(int(refs.max()) + 1)
            return self._times[refs]

    def forget(self, refs: npt.NDArray[np.int64]) -> None:
        """These series are gone."""
        with self._lock:
            self._grow(int(refs.max(initial=0)) + 1)
            self._times[refs] = ENDED
            self._changed[refs // _BLOCK] = True

    def highest(self) -> int:
        """The highest ref that has a time, -1 when none has."""
        return int(np.flatnonzero(self._times > NEVER).max(initial=-1))

    def before(self, time: int) -> npt.NDArray[np.int64]:
        """Refs whose newest sample is of that time or earlier."""
        with self._lock:
            return np.flatnonzero((self._times <= time) & (self._times > NEVER))

    def _grow(self, size: int) -> None:
        if size > len(self._times):
            blocks = max(-(-size // _BLOCK), len(self._times) * 5 // 4 // _BLOCK)
            times = np.full(blocks * _BLOCK, NEVER, np.int64)
            times[: len(self._times)] = self._times
            self._times = times
            self._changed = np.append(self._changed, np.zeros(blocks - len(self._changed), bool))
