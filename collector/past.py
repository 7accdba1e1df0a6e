"""Everything that outlives the windows: what is recorded, and what answers from it."""

from __future__ import annotations

import asyncio
import errno
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from collector.admission import GroupCommit
from collector.archive import HistoryArchive
from collector.histories import Keeper, OpenHistory, open_history
from collector.query import QueryLimits, QueryService
from collector.rewind.kept import PastHistory
from collector.rewind.selected import SelectedPast
from collector.storage.history.replaying import StoredPast
from collector.storage.history.store import HistoryStore
from collector.storage.interning import keys_of
from collector.storage.recorder import Recorder
from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind
from monitor.query.context import Limits
from monitor.query.groupstate import Sample
from monitor.query.history import Labels
from monitor.settings.load import Settings
from monitor.windows.frame import Frame

if TYPE_CHECKING:
    from collector.remote import RemoteKept

OLDEST_EVERY = 30.0
"""Seconds after which the oldest sample is looked for again."""
MAX_RULE_SERIES = 100_000


class Past:
    """`queries` answers PromQL, `archive` fields over time, `kept` rewinding; `history` is what all of them read.

    `write` and everything that reads may be called from any thread, the rest from one.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        engine: Engine,
        seam: Callable[[], float],
        opened: OpenHistory | None = None,
        exported: Callable[[Keeper], Keeper] = lambda sink: sink,
    ) -> None:
        """Opens or begins the history of the settings, if it is not `opened`. `seam` as of `monitor.wire.source.Archive`.
        `exported` gives the sink that writes to a history's and to exports.
        """
        limits = QueryLimits(
            timeout=settings["query_timeout"],
            max_samples=settings["query_samples"],
            waiting=settings["query_concurrency"],
            lookback=round(settings["query_lookback"] * 1000),
        )
        self._opened = opened or open_history(settings, folder)
        self._remote = _remotely(self._opened, settings, folder, limits) if settings["history"] == "remote" else None
        if self._remote is not None:
            self._opened = self._remote.opened
        self.history = self._opened.history
        self._sink = exported(self._opened.sink)
        self.recorder = Recorder(engine, self._sink)
        self._oldest = (-math.inf, math.inf)
        self._rules = _RuleSeries()
        self._disk = ThreadPoolExecutor(1, "lightship-commit")
        self._committing: Future[bool] | None = None
        self.committed = GroupCommit(self._sink.commit, lambda: " ".join(self._opened.notes()[:1]), self._disk)
        source = self._remote.source if self._remote is not None else None
        self.queries = QueryService(None if source else self.history, limits, source=source)
        bounds = Limits(limits.max_samples, limits.max_points, limits.lookback)
        self.archive = HistoryArchive(self.history, bounds, self.since, seam)
        self.kept: PastHistory = SelectedPast(self.history, self._opened.described, self.since)
        if isinstance(self.history, HistoryStore):  # which gives columns as they are kept, in half the time
            self.kept = StoredPast(self.history)

    def record(self, frame: Frame) -> None:
        """One tick, and every raw batch taken since the last. Queries see it at once; it is on its way to the disk."""
        self.recorder.record(frame)
        # In a thread: a slow disk is waited for by nobody, and a commit takes along all that came meanwhile.
        if self._committing is None or self._committing.done():
            self._committing = self._disk.submit(self._sink.commit)

    def write(self, samples: Sequence[Sample], at: int) -> list[Batch]:
        """What rules made, at a time in milliseconds. Queries see it at once; the batches are for the windows."""
        batch = self._rules.batch(samples, at)
        self.recorder.take(batch)
        return [batch]

    def since(self) -> float:
        """Time of the oldest sample kept, seconds; infinity while there is none."""
        looked, found = self._oldest
        now = time.monotonic()
        if now - looked > OLDEST_EVERY or found == math.inf:
            self._oldest = (now, self._opened.oldest())
        return self._oldest[1]

    def figures(self) -> dict[str, float]:
        """For health: of the history and of the queries."""
        queries, recorder = self.queries.counters, self.recorder
        told = self._opened.figures()
        return told | {
            "history_samples_total": recorder.samples,
            "history_unplaced_total": told.get("history_unplaced_total", 0.0) + recorder.unplaced,
            "queries_total": queries.queries,
            "queries_failed_total": queries.failed + queries.timed_out,
            "queries_refused_total": queries.refused,
            "queries_running": queries.running,
            "query_seconds_total": queries.seconds,
            "query_samples_total": queries.samples,
        }

    def notes(self) -> list[str]:
        """What is wrong with the history, in sentences."""
        return self._opened.notes()

    async def send(self) -> None:
        """Sends to the remote store, where there is one, until cancelled."""
        if self._remote is not None:
            await self._remote.send()

    async def close_client(self) -> None:
        """Ends connections to the remote store; after `close`."""
        if self._remote is not None:
            await self._remote.close_client()

    def close(self) -> None:
        self.queries.close()
        self._disk.shutdown(wait=True, cancel_futures=True)
        self._opened.close()


def _remotely(near: OpenHistory, settings: Settings, folder: Path, limits: QueryLimits) -> RemoteKept:
    """The history kept in another store. Raises `OSError` with a sentence."""
    from collector.remote import keep_remotely
    from collector.storage.remote.queue import QueueBounds
    from collector.storage.remote.settings import RemoteSettings
    from collector.storage.remote.target import RemoteTarget

    if not (settings["remote_write"] and settings["remote_query"]):
        near.close()
        raise OSError(errno.EINVAL, 'history = "remote" needs remote_write and remote_query; see docs/remote.md')
    try:
        target = RemoteTarget(
            settings["remote_write"],
            settings["remote_query"],
            dict(settings["remote_headers"]),
            settings["remote_token"],
            settings["remote_user"],
            settings["remote_password"],
        )
    except ValueError as error:
        near.close()
        raise OSError(errno.EINVAL, str(error)) from None
    chosen = RemoteSettings(queue=QueueBounds(most=settings["remote_queue"]), names=settings["remote_names"])
    recent, loop = settings["remote_recent"], asyncio.get_running_loop()
    # How far back the store goes nobody tells: as far as is asked for.
    return keep_remotely(
        near, folder / "remote", target, recent=recent, loop=loop, limits=limits, settings=chosen,
        oldest=lambda: time.time() - settings["history_1h"],
    )  # fmt: skip


class _RuleSeries:
    """The series that rules write, in a space of their own."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._space = KeySpace(raw=True)
        self._ids: dict[Labels, int] = {}

    def batch(self, samples: Sequence[Sample], at: int) -> Batch:
        if len(self._ids) > MAX_RULE_SERIES:
            self._begin()
        for labels, _ in samples:
            if labels not in self._ids:
                self._ids[labels] = self._space.add(keys_of([labels])[0], Kind.GAUGE)
        ids = np.array([self._ids[labels] for labels, _ in samples], np.int32)
        values = np.array([value for _, value in samples])
        return Batch(self._space, ids, values, np.full(len(ids), at / 1000), raw=True)
