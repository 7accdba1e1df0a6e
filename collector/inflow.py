"""What came in and waits for the tick: a bounded queue of batches, filled from any thread.

Who cannot be told to come again (StatsD over UDP) is thinned as the queue fills, what is worth least first, and each sample that
is left stands for those left out: rates, sums and counts stay right on average instead of having a hole.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from monitor.model.batch import Batch
from monitor.model.series import Kind
from monitor.pipeline.thinning import latest, thin

MOST_SAMPLES = 4_000_000
"""That wait at once; some 100 MB."""
CALM, PRESSED = 0.5, 0.75
"""Shares of that: above the first observations are thinned, above the second counters too, and of gauges last readings stay."""
LEAST_KEPT = 1 / 16
QUEUE_LIMIT = 10_000
NOTED = 60
"""Ticks for which health tells of it."""


class Inflow:
    """Batches between two ticks. `shed`: samples that came when no more could wait, and are missing; `thinned`: samples that
    others stand for, or that a later reading replaced.
    """

    def __init__(self, most: int = MOST_SAMPLES, random: np.random.Generator | None = None) -> None:
        self._most = most
        self._random = random
        self._lock = threading.Lock()
        self._waiting: deque[tuple[bool, list[Batch]]] = deque()
        self._count = 0
        self.shed = self.thinned = 0
        self._told: deque[tuple[int, int]] = deque([(0, 0)], NOTED + 1)
        """`shed` and `thinned` at each of the last ticks."""

    def take(self, batches: Sequence[Batch]) -> None:
        """Where receivers that cannot say no put what they got. Never waits."""
        with self._lock:
            came = sum(map(len, batches))
            fill = (self._count + came / 2) / self._most
            left = [self._thinned(batch, fill) for batch in batches] if fill > CALM else list(batches)
            size = sum(map(len, left))
            if self._full(size):
                self.shed += came
                return
            self.thinned += came - size
            self._add(left, size, ready=False)

    def put(self, batches: Sequence[Batch], ready: bool = False) -> None:
        """Where the collector puts what it makes itself: little, and worth most when there is too much of all else. `ready`: it
        is not for the pipeline.
        """
        with self._lock:
            self._add(list(batches), sum(map(len, batches)), ready)

    def offer(self, batches: Sequence[Batch]) -> bool:
        """For receivers that answer: asked with nothing, whether more may wait. What was let in is then always taken, for its
        sender was told that it is kept; it went through the pipeline.
        """
        with self._lock:
            if not batches:
                return not self._full(1)
            self._add(list(batches), sum(map(len, batches)), ready=True)
            return True

    def messages(self) -> Iterator[tuple[bool, list[Batch]]]:
        """Takes out what waited when this was called, and whether it is ready; what comes meanwhile waits for the next tick."""
        with self._lock:
            self._told.append((self.shed, self.thinned))
            waiting, self._waiting, self._count = self._waiting, deque(), 0
        yield from waiting

    def figures(self) -> dict[str, float]:
        """Counters and gauges by name."""
        return {"points_thinned_backlog_total": float(self.thinned), "points_waiting": float(self._count)}

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        shed, thinned = self.shed - self._told[0][0], self.thinned - self._told[0][1]
        said = []
        if thinned:
            said.append(
                f"More comes in than ticks can take: {thinned:,} samples of the last minute were thinned out, timings before "
                "counters. "
                "Those left stand for them: rates and sums hold on average, least and greatest values may be missed. "
                "Send less, sample at the client, or thin it in [[pipeline]]."
            )
        if shed:
            said.append(f"{shed:,} samples of the last minute are missing: so much waited for a tick that no more could be held.")
        return said

    def _full(self, more: int) -> bool:
        return len(self._waiting) >= QUEUE_LIMIT or (self._count > 0 and self._count + more > self._most)

    def _add(self, batches: list[Batch], size: int, ready: bool) -> None:
        if batches:
            self._waiting.append((ready, batches))
            self._count += size

    def _dice(self) -> np.random.Generator:
        """Made when first thrown: numpy's dice are 2 MB."""
        if self._random is None:
            self._random = np.random.default_rng()
        return self._random

    def _thinned(self, batch: Batch, fill: float) -> Batch:
        batch = thin(batch, _share(fill, CALM), self._dice(), (Kind.DISTRIBUTION,))
        if fill > PRESSED:
            batch = latest(thin(batch, _share(fill, PRESSED), self._dice(), (Kind.COUNTER,)))
        return batch


def _share(fill: float, begin: float) -> float:
    """Of what comes, how much is kept: all up to `begin`, then less and less, down to `LEAST_KEPT` when all is full."""
    return float(LEAST_KEPT ** min(max((fill - begin) / (1.0 - begin), 0.0), 1.0))
