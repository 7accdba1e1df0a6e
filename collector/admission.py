"""The way in for receivers that answer: into the history and the windows at once, answered when it is on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from collector.pipeline import Pipeline
from collector.receivers.accept import NotAcceptedError
from collector.storage.recorder import Recorder
from monitor.alerting.model import Event
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from monitor.windows.bins import middles_of

WAITING = 2_000
"""Requests that wait for a commit at once; further senders are asked to come again."""


class GroupCommit:
    """One commit for all who wait for it: whoever comes while one is running shares the next."""

    def __init__(self, commit: Callable[[], bool], failing: Callable[[], str], disk: Executor) -> None:
        """`commit` runs on `disk`; `failing` says why it did not succeed."""
        self._commit, self._failing, self._disk = commit, failing, disk
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self.waiting = 0
        self.commits = 0

    async def wait(self) -> None:
        """Returns when all that was taken before is on the disk. Raises `NotAcceptedError`."""
        self.waiting += 1
        try:
            if self._next is None:
                self._next = asyncio.create_task(self._after(self._running), name="group commit")
            await asyncio.shield(self._next)
        finally:
            self.waiting -= 1

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        self.commits += 1
        if not await asyncio.get_running_loop().run_in_executor(self._disk, self._commit):
            raise NotAcceptedError(f"the collector cannot keep it safely now: {self._failing() or 'its disk refuses'}")


class TraceIntake:
    """Where spans and logs go: what keeps them, and once they are safe what counts spans, those too that sampling leaves out."""

    def __init__(
        self,
        committed: GroupCommit,
        spans: Callable[[Spans], None],
        logs: Callable[[Logs], None],
        count: Callable[[Spans], None],
    ) -> None:
        self.committed, self.take_spans, self.take_logs, self.count_spans = committed, spans, logs, count


class Admission:
    """`collector.receivers.accept.Accept`. All of it in the loop's thread."""

    def __init__(
        self,
        recorder: Recorder,
        windows: Callable[[Sequence[Batch]], bool],
        committed: GroupCommit,
        traces: TraceIntake | None,
        remember: Callable[[Sequence[Event]], None],
        pipeline: Pipeline | None = None,
    ) -> None:
        """`windows` takes batches for the next tick, False when too many wait; `remember` keeps events and streams them."""
        self._recorder, self._windows, self._committed = recorder, windows, committed
        self._traces, self._remember = traces, remember
        self._pipeline = pipeline
        self.refused = 0

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        self._room(self._committed)
        if not self._windows([]):
            self._refuse("more waits for the windows than may", 1.0)
        if self._pipeline is not None:
            batches = self._pipeline.batches(batches)
        for batch in batches:
            if isinstance(batch, HistogramBatch):
                self._recorder.take_histograms(batch)
            else:
                self._recorder.take(batch)
        await self._committed.wait()
        # Only now: what was not kept comes again, and the windows would count it twice. The history knows a sample again.
        self._windows([_windowed(each) for each in batches if len(each) and (isinstance(each, HistogramBatch) or each.windowed)])

    async def spans(self, spans: Spans) -> None:
        if self._traces is not None and len(spans):
            self._room(self._traces.committed)
            spans = self._pipeline.spans(spans) if self._pipeline is not None else spans
            self._traces.take_spans(spans)
            await self._traces.committed.wait()
            # Only now: what was not kept comes again, and would be counted twice.
            self._traces.count_spans(spans)

    async def logs(self, logs: Logs) -> None:
        if self._traces is not None and len(logs):
            self._room(self._traces.committed)
            self._traces.take_logs(self._pipeline.logs(logs) if self._pipeline is not None else logs)
            await self._traces.committed.wait()

    def events(self, events: Sequence[Event]) -> None:
        self._remember(events)

    def figures(self) -> dict[str, float]:
        """For health."""
        return {"admission_waiting": self._committed.waiting, "admission_refused_total": self.refused}

    def _room(self, commit: GroupCommit) -> None:
        if commit.waiting >= WAITING:
            self._refuse(f"{WAITING} requests wait for the disk already", 1.0)

    def _refuse(self, why: str, retry_after: float) -> None:
        self.refused += 1
        raise NotAcceptedError(why, retry_after)


def _windowed(batch: Batch | HistogramBatch) -> Batch:
    """What the windows are told, in the next tick; the history has been told itself."""
    if isinstance(batch, Batch):
        return replace(batch, raw=False)
    sizes = np.diff(batch.offsets)
    ids, times = np.repeat(batch.ids, sizes), np.repeat(batch.times, sizes)
    return Batch(batch.space, ids, middles_of(batch.bins), times, batch.counts)
