"""A table from 64-bit hashes to slots that is asked for thousands at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

UNKNOWN = 0
SPACIOUS = 4
"""Places for each entry: so few neighbours collide that one or two looks find nearly everything."""


class Slots:
    """Open addressing in two columns that stay in a core's cache, where a dictionary of long keys misses it at each line.

    Keys are Python's hashes of byte strings, SipHash keyed anew in each process: that two of n spellings share one has
    a chance of n² / 2^65, a billionth at 200,000, and nobody outside can bring it about.
    """

    def __init__(self) -> None:
        self._hashes = np.zeros(4096, np.int64)
        self._slots = np.full(4096, UNKNOWN, np.int32)
        self._used = 0

    def put(self, key: int, slot: int) -> None:
        """Leads the hash `key` to `slot` (not `UNKNOWN`)."""
        if (self._used + 1) * SPACIOUS > len(self._slots):
            self._grow()
        mask = len(self._slots) - 1
        place = key & mask
        while self._slots[place] != UNKNOWN and self._hashes[place] != key:
            place = (place + 1) & mask
        self._used += int(self._slots[place] == UNKNOWN)
        self._hashes[place] = key
        self._slots[place] = slot

    def get(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Slots of n hashes, int32[n], `UNKNOWN` where there is none."""
        mask = len(self._slots) - 1
        places = keys & mask
        slots: npt.NDArray[np.int32] = self._slots[places]
        astray = np.flatnonzero((self._hashes[places] != keys) & (slots != UNKNOWN))
        while len(astray):
            places[astray] = (places[astray] + 1) & mask
            slots[astray] = self._slots[places[astray]]
            astray = astray[(self._hashes[places[astray]] != keys[astray]) & (slots[astray] != UNKNOWN)]
        return slots

    def _grow(self) -> None:
        used = np.flatnonzero(self._slots != UNKNOWN)
        hashes, slots = self._hashes[used].tolist(), self._slots[used].tolist()
        self._hashes = np.zeros(2 * len(self._hashes), np.int64)
        self._slots = np.full(len(self._hashes), UNKNOWN, np.int32)
        self._used = 0
        for key, slot in zip(hashes, slots, strict=True):
            self.put(key, slot)
