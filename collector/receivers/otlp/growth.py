"""How a histogram grew since the point before, by the rules of `sums`, for what is not one number but many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

from collector.receivers.otlp.sums import GAP, STEP

State = TypeVar("State")


@dataclass(slots=True, eq=False)
class Stream(Generic[State]):
    """What is known of one series: its last reading (or running total; None: none is known), when, and since when it counts."""

    last: State | None = None
    time: float = -math.inf
    start: float = 0.0
    call: int = 0
    """Of whoever wrote it last."""


@dataclass(slots=True, eq=False)
class Before(Generic[State]):
    """A stream as it was before a call."""

    stream: Stream[State]
    call: int
    last: State | None
    time: float
    start: float

    def restore(self) -> bool:
        """Bring it back; False where another call has built upon this one."""
        if self.stream.call != self.call:
            return False
        self.stream.last, self.stream.time, self.stream.start = self.last, self.time, self.start
        # Points before this one in the same call are undone next.
        return True


def put(stream: Stream[State], call: int, last: State | None, time: float, start: float) -> Before[State]:
    """Write a stream's state; what it was."""
    before = Before(stream, call, stream.last, stream.time, stream.start)
    stream.last, stream.time, stream.start, stream.call = last, time, start, call
    return before


def counts_anew(stream: Stream[State], time: float, start: float, since: float) -> bool:
    """Whether a cumulative point's start says that all it tells was counted after the stream's last point."""
    if not (start > stream.start and stream.time <= start < time):
        return False
    return stream.last is not None or stream.time > -math.inf or start >= since


def standing(stream: Stream[State], time: float, start: float) -> float | None:
    """When a delta stream's total stood before this point: where it begins, or goes on after a gap; else None."""
    if time <= stream.time:
        return None
    if 0 < start < time:
        return start if start - stream.time > GAP else None
    return time - GAP if stream.time == -math.inf else None


def placed(stream: Stream[State], time: float) -> float:
    """When a delta point is told: at its own time, or right behind the last where it is late."""
    return time if time > stream.time else stream.time + STEP
