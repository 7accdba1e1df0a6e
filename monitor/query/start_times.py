"""Start timestamps: since when a counter has counted what a sample says. They tell a reset that the values hide, and that a
counter began at zero inside a window.

Source: Prometheus, promql/functions.go (isStartTimestampReset, checkStartTimeOverlap, extrapolatedRate).
"""

from __future__ import annotations

import numpy as np

from monitor.query.cells import there
from monitor.query.histogram import Hint
from monitor.query.histogram_math import add, hinted
from monitor.query.history import Cells, Mask, Millis
from monitor.query.ranges import Ranges, Windows


def start_resets(times: Millis, since: Millis) -> Mask:
    """Where a sample began to count after the one before it was taken: bool [R, T], False for the first. A start at the moment of
    the sample before is one of a delta, but only if that had a start of its own: else nobody knows when the counter began.
    """
    reset = np.zeros(since.shape, bool)
    before, old, new = times[:-1], since[:, :-1], since[:, 1:]
    known = (new != 0) & (new < times[1:])
    delta = (new == before) & (old != 0) & (old < before)
    reset[:, 1:] = known & ((new > before) | delta)
    return reset


def overlapping(times: Millis, since: Millis) -> Mask:
    """Where a sample claims to count since before the one before it, and not since that one's start: bool [R, T]."""
    found = np.zeros(since.shape, bool)
    found[:, 1:] = (since[:, 1:] != 0) & (since[:, 1:] < times[:-1]) & (since[:, 1:] != since[:, :-1])
    return found


def in_windows(flags: Mask, windows: Windows) -> Mask:
    """Rows with a flag at any but the first sample of any window: bool [R]."""
    running = np.zeros((len(flags), flags.shape[1] + 1), np.int64)
    np.cumsum(flags, axis=1, out=running[:, 1:])
    lows = np.minimum(windows.lows + 1, windows.highs)
    found: Mask = np.any(running[:, windows.highs] > running[:, lows], axis=1)
    return found


def began_inside(ranges: Ranges, windows: Windows) -> Millis | None:
    """When the counter of each window's first sample began, where that is inside the window: int64 [R, N], 0 elsewhere; None
    where no start is known.
    """
    if windows.since is None or not len(windows.times):
        return None
    columns = np.clip(windows.lows, 0, len(windows.times) - 1)
    since = windows.since[:, columns]
    inside = (since > ranges.starts) & (since < windows.times[columns]) & (windows.counts > 0)
    return np.where(inside & (since != 0), since, 0)


def with_start_resets(cells: Cells, resets: Mask) -> Cells:
    """One series' histograms, object [T], that begin anew where `resets` says so."""
    if not resets.any():
        return cells
    found = cells.copy()
    found[resets] = hinted(cells[resets], Hint.RESET)
    return found


def from_zero(gained: Cells, firsts: Cells, began: Mask) -> Cells:
    """Gains of windows, object [N], with the first histogram itself where the counter began inside the window."""
    grown = add(gained, firsts).cells
    return np.where(began, np.where(there(gained), grown, firsts), gained)
