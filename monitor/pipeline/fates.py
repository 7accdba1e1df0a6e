"""What became of traces: the fates of the latest of them, so that a span that comes late shares that of its trace."""

from __future__ import annotations

import enum

import numpy as np
import numpy.typing as npt

from monitor.model.spans import Spans

Keys = npt.NDArray[np.uint64]
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Fate(enum.IntEnum):
    """Part of the format of the journal of held spans."""

    DROPPED = 0
    CHOSEN = 1
    """Kept for what it tells."""
    DRAWN = 2
    """Kept as one of a share."""


class Fates:
    """Keys of the traces that met one fate, the latest of them up to a bound."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rounds: list[Keys] = []
        self._sorted: Keys | None = np.empty(0, np.uint64)

    def add(self, keys: Keys) -> None:
        if not len(keys):
            return
        self._rounds.append(keys[-self._most :])
        while sum(map(len, self._rounds)) > self._most:
            self._rounds.pop(0)
        self._sorted = None

    def holds(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """bool[n]: which of the keys are among them."""
        if self._sorted is None:
            self._sorted = np.sort(np.concatenate(self._rounds)) if self._rounds else np.empty(0, np.uint64)
        if not len(self._sorted):
            return np.zeros(len(keys), np.bool_)
        places = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        found: npt.NDArray[np.bool_] = self._sorted[places] == keys
        return found


def keys_of(spans: Spans) -> Keys:
    """One number a trace id; two ids share one with a chance of 2**-64."""
    keys: Keys = spans.traces[:, 1] ^ (spans.traces[:, 0] * _MIX)
    return keys
