"""The history in a remote store, put together: what is recorded goes there and to a history at hand, queries come from both."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from collector.histories import OpenHistory
from collector.query import QueryLimits
from collector.query.remote import RemoteHistory, RemoteSource
from collector.storage.remote.both import BothSinks
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter

_LOOK = 30.0
"""Seconds after which the oldest sample at hand is looked for again."""
_NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class RemoteKept:
    """`opened`: what records and what reads samples, as of any history. `source`: what a `QueryService` asks. `send` sends what
    is recorded until it is cancelled. After `opened.close()`, await `close_client` on the loop.
    """

    opened: OpenHistory
    source: RemoteSource
    send: Callable[[], Awaitable[None]]
    close_client: Callable[[], Awaitable[None]]


def keep_remotely(
    near: OpenHistory,
    folder: Path,
    target: RemoteTarget,
    *,
    recent: float,
    loop: asyncio.AbstractEventLoop,
    limits: QueryLimits | None = None,
    settings: RemoteSettings | None = None,
    oldest: Callable[[], float] = lambda: 0.0,
    clock: Callable[[], float] = time.time,
) -> RemoteKept:
    """`near` keeps more than the last `recent` seconds, an hour more at least, for it gives up the oldest when it likes; they are
    answered from it, with 0 nothing is. The queue is in `folder`. Requests run on `loop`. `oldest`: since when the store has
    samples (s). Raises `OSError` when the queue cannot be opened.
    """
    chosen = settings or RemoteSettings()
    writer = RemoteWriter(folder, target, chosen, clock=clock)
    since = _Since(near.oldest, recent, clock)
    source = RemoteSource(target, near.history, since, limits, names=chosen.names, classic=lambda: writer.sender.spoken == "1.0")

    def figures() -> dict[str, float]:
        asked = {"remote_queries_total": source.client.requests, "remote_query_failures_total": source.client.failures}
        return near.figures() | writer.figures() | asked

    def notes() -> list[str]:
        failing = source.client.failing
        told = [f"the remote store does not answer queries ({failing}); only what is at hand is shown"] if failing else []
        return [*near.notes(), *writer.notes(), *told]

    def close() -> None:
        source.close()
        writer.close()
        near.close()

    opened = OpenHistory(
        BothSinks(near.sink, writer),
        RemoteHistory(source, near.history, loop, limits),
        near.described,
        oldest,
        figures,
        notes,
        close,
    )
    return RemoteKept(opened, source, writer.run, source.close_client)


class _Since:
    """From which time (ms) everything that was recorded is at hand. Looking for the oldest sample costs, so seldom."""

    def __init__(self, oldest: Callable[[], float], recent: float, clock: Callable[[], float]) -> None:
        self._oldest, self._recent, self._clock = oldest, recent, clock
        self._known, self._looked = math.inf, -math.inf

    def __call__(self) -> int:
        now = self._clock()
        if self._recent <= 0:
            return _NEVER
        if self._known == math.inf or not 0 <= now - self._looked < _LOOK:
            self._known, self._looked = self._oldest(), now
        if self._known == math.inf:
            return _NEVER
        return math.ceil(max(self._known, now - self._recent) * 1000)
