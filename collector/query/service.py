"""Answers queries of everybody, over HTTP and stream alike: so many at once, so long at most, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from collector.query.job import Job, OverloadedError, QueryLimits, timed_out
from collector.query.local import LocalSource
from monitor.model.exemplar_table import Found
from monitor.model.matchers import Matcher
from monitor.query.ast import Expr
from monitor.query.format import pretty
from monitor.query.history import Answer, CanceledError, Hints, History, Labels, Metadata, QueryError, Selected, TimeoutQueryError
from monitor.query.parse import parse
from monitor.query.tree import selected

T = TypeVar("T")
FindExemplars = Callable[[Sequence[Sequence[Matcher]], float, float], Awaitable[list[Found]]]
"""Exemplars of series that meet any of the sets of matchers, between two times in seconds."""


class QuerySource(Protocol):
    """Where answers come from: samples at hand, or a remote store with the recent part at hand. Times are milliseconds.

    A `lookback` of 0 is the usual one, a `limit` of 0 none. All raise `QueryError` and what `job.check` raises.
    """

    async def instant(self, expr: str | Expr, time: int, job: Job, lookback: int) -> Answer: ...

    async def range(self, expr: str | Expr, start: int, end: int, step: int, job: Job, lookback: int) -> Answer: ...

    async def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints, job: Job) -> Selected: ...

    async def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[Labels]: ...

    async def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[str]: ...

    async def label_values(
        self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job
    ) -> list[str]: ...

    async def metadata(self, job: Job) -> dict[str, Metadata]: ...

    def close(self) -> None: ...


class QueryCounters(msgspec.Struct):
    """`queries` that were admitted; of them `failed`, `timed_out` and `canceled`; `refused` were not admitted. `samples` read.
    `running` now, waiting ones included. `seconds` in all, from admission to answer.
    """

    queries: int = 0
    failed: int = 0
    timed_out: int = 0
    canceled: int = 0
    refused: int = 0
    samples: int = 0
    running: int = 0
    seconds: float = 0.0


class QueryService:
    """Asynchronous and bounded: at most `workers` queries run, `waiting` wait, others are refused with `OverloadedError`."""

    def __init__(self, history: History | None, limits: QueryLimits | None = None, *, source: QuerySource | None = None) -> None:
        """Over a history at hand, or over another source."""
        self.limits = limits or QueryLimits()
        self.counters = QueryCounters()
        self.described: Callable[[dict[str, Metadata]], dict[str, Metadata]] = dict
        """Adds what senders said of metrics to what the history knows."""
        self.find_exemplars: FindExemplars | None = None
        """Who has exemplars; None: nobody."""
        if source is None:
            if history is None:
                raise ValueError("a query service needs a history or a source")
            source = LocalSource(history, self.limits)
        self._source = source

    def close(self) -> None:
        self._source.close()

    # ------------------------------------------------------------ queries

    async def instant(self, query: str | Expr, time: int, *, within: float | None = None, lookback: int = 0) -> Answer:
        """The value at one time (milliseconds). `within`: a timeout in seconds, which can only shorten the usual one.

        Raises `QueryError`.
        """
        answer = await self._admitted(within, lambda job: self._source.instant(query, time, job, lookback))
        self.counters.samples += answer.samples
        return answer

    async def range(
        self, query: str | Expr, start: int, end: int, step: int, *, within: float | None = None, lookback: int = 0
    ) -> Answer:
        """The values at start, start + step, … (milliseconds). Raises as `instant`."""
        answer = await self._admitted(within, lambda job: self._source.range(query, start, end, step, job, lookback))
        self.counters.samples += answer.samples
        return answer

    async def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints | None = None) -> Selected:
        """Raw samples in [start, end], for remote read."""
        asked = hints or Hints(func="series", max_samples=self.limits.max_samples)
        found = await self._admitted(None, lambda job: self._source.select(matchers, start, end, asked, job))
        self.counters.samples += sum(len(block.labels) * len(block.times) for block in found.blocks)
        return found

    # ------------------------------------------------------------ what there is

    async def series(self, sets: Sequence[Sequence[Matcher]], start: int, end: int, limit: int = 0) -> list[Labels]:
        """Series that meet any of the sets of matchers, sorted, each once. One more than the limit tells that there are more."""
        most = self._most(limit)
        return await self._union(sets, most, lambda matchers, job: self._source.series(matchers, start, end, most, job))

    async def label_names(self, sets: Sequence[Sequence[Matcher]], start: int, end: int, limit: int = 0) -> list[str]:
        """Label names of series that meet any of the sets (none: of all), sorted."""
        most = self._most(limit)
        return await self._union(
            sets or [()], most, lambda matchers, job: self._source.label_names(matchers, start, end, most, job)
        )

    async def label_values(self, name: str, sets: Sequence[Sequence[Matcher]], start: int, end: int, limit: int = 0) -> list[str]:
        """Values of a label, sorted."""
        most = self._most(limit)
        return await self._union(
            sets or [()], most, lambda matchers, job: self._source.label_values(name, matchers, start, end, most, job)
        )

    async def metadata(self) -> dict[str, Metadata]:
        """What is known of metrics, by name."""
        return self.described(await self._admitted(None, lambda job: self._source.metadata(job)))

    async def exemplars(self, query: str, start: int, end: int) -> list[Found]:
        """Exemplars between two times (milliseconds) of all series that a query's selectors select. Raises `ParseError`."""
        sets = selected(parse(query))
        find = self.find_exemplars
        if find is None or not sets:
            return []
        return await self._admitted(None, lambda job: find(sets, start / 1000, end / 1000))

    def format(self, query: str) -> str:
        """A query as it is usually laid out. Raises `ParseError`."""
        return pretty(parse(query))

    def _most(self, limit: int) -> int:
        return min(limit + 1, self.limits.max_series) if limit else self.limits.max_series

    async def _union(
        self, sets: Sequence[Sequence[Matcher]], most: int, ask: Callable[[Sequence[Matcher], Job], Awaitable[list[T]]]
    ) -> list[T]:
        async def gathered(job: Job) -> list[T]:
            if len(sets) == 1:
                return await ask(sets[0], job)
            found: set[T] = set()
            for matchers in sets:
                found.update(await ask(matchers, job))
            return sorted(found)[:most]  # type: ignore[type-var]  # labels and texts, which have an order

        return await self._admitted(None, gathered)

    # ------------------------------------------------------------ admission

    async def _admitted(self, within: float | None, work: Callable[[Job], Awaitable[T]]) -> T:
        counters = self.counters
        most = self.limits.workers + self.limits.waiting
        if counters.running >= most:
            counters.refused += 1
            raise OverloadedError(f"{counters.running} queries are running or waiting, the most there may be; try again later")
        job = Job(min(within, self.limits.timeout) if within is not None and within > 0 else self.limits.timeout)
        counters.queries += 1
        counters.running += 1
        task = asyncio.ensure_future(work(job))
        task.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(task), max(0.0, job.left))
        except TimeoutError:
            job.cancel()
            counters.timed_out += 1
            raise timed_out(job.timeout) from None
        except asyncio.CancelledError:
            job.cancel()
            counters.canceled += 1
            raise
        except TimeoutQueryError:
            counters.timed_out += 1
            raise
        except CanceledError:
            counters.canceled += 1
            raise
        except QueryError:
            counters.failed += 1
            raise
        except Exception:
            counters.failed += 1
            raise
        finally:
            counters.seconds += job.elapsed

    def _ended(self, task: asyncio.Future[Any]) -> None:
        """A query that nobody waits for any more takes its place until its thread has noticed."""
        self.counters.running -= 1
        if not task.cancelled():
            task.exception()
