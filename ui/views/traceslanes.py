"""Levels of a flame: callers above whom they call, spans of the same time beside each other never on top of each other."""

from __future__ import annotations

import bisect

import numpy as np
import numpy.typing as npt

from ui.views.view import Floats

MOST_TRIED = 256
"""Levels below its caller at which a free place is looked for."""


def lanes_of(starts: Floats, ends: Floats, parents: list[int]) -> npt.NDArray[np.int64]:
    """int64[n]: the level of each span, below its parent's and free at its time; spans in the order of their tree.

    Of more than `MOST_TRIED` spans at once under one caller the rest share the last level tried.
    """
    count = len(parents)
    lanes = np.zeros(count, np.int64)
    busy: list[list[tuple[float, float]]] = []
    begin, end = starts.tolist(), ends.tolist()
    for place in range(count):
        level = int(lanes[parents[place]]) + 1 if parents[place] >= 0 else 0
        last = level + MOST_TRIED - 1
        while level < last and level < len(busy) and _taken(busy[level], begin[place], end[place]):
            level += 1
        while len(busy) <= level:
            busy.append([])
        _occupy(busy[level], begin[place], end[place])
        lanes[place] = level
    return lanes


def _taken(busy: list[tuple[float, float]], start: float, end: float) -> bool:
    at = bisect.bisect_left(busy, (start, start))
    return (at > 0 and busy[at - 1][1] > start) or (at < len(busy) and busy[at][0] < end)


def _occupy(busy: list[tuple[float, float]], start: float, end: float) -> None:
    bisect.insort(busy, (start, end))
