"""One query as the service runs it: until when, and whether anybody still waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from monitor.query.history import CanceledError, QueryError, TimeoutQueryError


class QueryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`workers`: queries that run at once; `waiting`: how many more may wait for their turn. `timeout` in seconds.
    `max_samples`: what one query may read or hold. `max_points`: of one series in an answer (Prometheus: 11,000 steps).
    `max_series`: in one answer of series or labels.
    """

    workers: int = 2
    waiting: int = 64
    timeout: float = 120.0
    max_samples: int = 50_000_000
    max_points: int = 11_001
    max_series: int = 200_000
    lookback: int = 300_000


class OverloadedError(QueryError):
    """Too many queries wait already."""

    kind = "unavailable"


class Job:
    """A query's deadline. `check` may be called from any thread, `cancel` too."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout = timeout
        self.began = clock()
        self._clock = clock
        self._canceled = threading.Event()
        self._hooks: list[Callable[[], object]] = []

    def check(self) -> None:
        """Raises `CanceledError` when nobody waits any more, `TimeoutQueryError` when the time is up."""
        if self._canceled.is_set():
            raise CanceledError("query was canceled in query execution")
        if self.left <= 0:
            raise timed_out(self.timeout)

    def cancel(self) -> None:
        self._canceled.set()
        for hook in self._hooks:
            hook()

    def on_cancel(self, hook: Callable[[], object]) -> None:
        """`hook` is called when the job is cancelled, in the thread that does it."""
        self._hooks.append(hook)

    @property
    def left(self) -> float:
        """Seconds that remain."""
        return self.began + self.timeout - self._clock()

    @property
    def elapsed(self) -> float:
        return self._clock() - self.began


def timed_out(timeout: float) -> TimeoutQueryError:
    return TimeoutQueryError(
        f"query timed out in query execution after {timeout:g} s; shorten its range, select fewer series or raise the timeout"
    )
