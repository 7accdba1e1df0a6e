"""The source of answers that has the samples at hand: the evaluator in a few threads over a history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from collector.query.job import Job, QueryLimits
from monitor.model.matchers import Matcher
from monitor.query.ast import Expr
from monitor.query.context import Limits
from monitor.query.evaluator import Evaluator
from monitor.query.history import Answer, Hints, History, Labels, Metadata, Selected

T = TypeVar("T")


class LocalSource:
    """Implements `QuerySource`. The threads end with `close`."""

    def __init__(self, history: History, limits: QueryLimits) -> None:
        self.history = history
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="query")

    async def instant(self, expr: str | Expr, time: int, job: Job, lookback: int) -> Answer:
        """See `QuerySource`. Notes have their places in the expression when it comes as text."""
        evaluator = self._evaluator(lookback)
        return await self._run(job, lambda: evaluator.instant(expr, time, job.check))

    async def range(self, expr: str | Expr, start: int, end: int, step: int, job: Job, lookback: int) -> Answer:
        evaluator = self._evaluator(lookback)
        return await self._run(job, lambda: evaluator.range(expr, start, end, step, job.check))

    async def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints, job: Job) -> Selected:
        return await self._run(job, lambda: self.history.select(matchers, start, end, hints))

    async def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[Labels]:
        return await self._run(job, lambda: self.history.series(matchers, start, end, limit))

    async def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[str]:
        return await self._run(job, lambda: self.history.label_names(matchers, start, end, limit))

    async def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[str]:
        return await self._run(job, lambda: self.history.label_values(name, matchers, start, end, limit))

    async def metadata(self, job: Job) -> dict[str, Metadata]:
        return await self._run(job, self.history.metadata)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _evaluator(self, lookback: int) -> Evaluator:
        limits = self._limits
        return Evaluator(self.history, Limits(limits.max_samples, limits.max_points, lookback or limits.lookback))

    async def _run(self, job: Job, work: Callable[[], T]) -> T:
        """In a thread. When its waiter is cancelled the thread ends at its next check, and keeps its place until then."""

        def checked() -> T:
            job.check()
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._pool, checked)
