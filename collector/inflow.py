"""What came in and waits for the tick: a bounded queue of batches, filled from any thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from monitor.model.batch import Batch

QUEUE_LIMIT = 10_000


class Inflow:
    """Batches between two ticks. `shed`: samples that came when no more could wait."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bool, list[Batch]]] = deque()
        self.shed = 0

    def take(self, batches: Sequence[Batch], ready: bool = False) -> None:
        """Where receivers that cannot say no put what they got. Never waits."""
        if not self.offer(batches, ready):
            self.shed += sum(map(len, batches))

    def offer(self, batches: Sequence[Batch], ready: bool = True) -> bool:
        """The same for receivers that can: False when no more may wait, and nothing was taken. `ready`: it went through the
        pipeline."""
        if len(self._waiting) >= QUEUE_LIMIT:
            return False
        if batches:
            self._waiting.append((ready, list(batches)))
        return True

    def messages(self) -> Iterator[tuple[bool, list[Batch]]]:
        """Takes out what waited when this was called; what comes meanwhile waits for the next tick."""
        for _ in range(len(self._waiting)):
            yield self._waiting.popleft()
