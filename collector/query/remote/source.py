"""Answers from a remote store, the recent part from the samples at hand, without a seam between the two.

A range query is split by its times: those whose samples are all at hand are evaluated here, the older ones there. So no point is
answered twice and none depends on samples that are still on their way. What is at hand has the names that the store knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote

import numpy as np

from collector.query.job import Job, QueryLimits
from collector.query.local import LocalSource
from collector.query.remote.answers import answer_of, matrix_of
from collector.query.remote.classic import classic_form
from collector.query.remote.client import RemoteClient, RemoteUnavailableError, cancelled_with, seconds
from collector.query.remote.named import named_as_here
from collector.query.remote.respell import respelled
from collector.query.remote.seam import joined_matrices, joined_selections
from collector.query.remote.spelled import SpelledHistory
from collector.storage.remote.names import old_label
from collector.storage.remote.settings import Names
from collector.storage.remote.target import RemoteTarget
from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.ast import Expr, Selector
from monitor.query.format import show_matcher, to_text
from monitor.query.history import Answer, Hints, History, Labels, Metadata, Millis, QueryError, Selected, TimeoutQueryError
from monitor.query.parse import parse
from monitor.query.reach import Reach, reach, selectors_of
from monitor.query.resolve import Bounds, resolved

T = TypeVar("T")
_USUAL_LOOKBACK = 300_000
_EXTREMES = 1 << 50
"""Milliseconds: a time beyond it means always, and is not sent."""


class RemoteSource:
    """Implements `QuerySource`. `since` gives the time, in milliseconds, from which the history at hand has everything that this
    collector took in; a time in the future when it has nothing. `names` as the writer sends them. `classic`: whether
    the store has distributions as classic buckets.
    """

    def __init__(
        self,
        target: RemoteTarget,
        history: History,
        since: Callable[[], int],
        limits: QueryLimits | None = None,
        *,
        names: Names = "underscores",
        classic: Callable[[], bool] = lambda: False,
    ) -> None:
        self._limits = limits or QueryLimits()
        self._plain = names == "as_sent"
        self._history = history if self._plain else SpelledHistory(history)
        self._local = LocalSource(self._history, self._limits)
        self._since = since
        self._classic = classic
        self.client = RemoteClient(target)

    # ------------------------------------------------------------ queries

    async def instant(self, expr: str | Expr, time: int, job: Job, lookback: int) -> Answer:
        """See `QuerySource`."""
        cancelled_with(job)
        tree = self._tree(expr, Bounds(time, time, 0))
        since = self._since()
        looks = reach(tree, lookback or self._limits.lookback)
        if looks.covered(time, since) and await self._at_hand(tree, since, job):
            return await self._local.instant(expr if self._plain else tree, time, job, lookback)
        text = to_text(await self._as_there(tree, job))
        fields = [("query", text), ("time", seconds(time)), *self._common(job, lookback)]
        body = await self.client.post("query", fields, job)
        answer = await asyncio.to_thread(answer_of, body, np.array([time], np.int64))
        return named_as_here(answer, tree)

    async def range(self, expr: str | Expr, start: int, end: int, step: int, job: Job, lookback: int) -> Answer:
        """See `QuerySource`."""
        cancelled_with(job)
        tree = self._tree(expr, Bounds(start, end, step))
        since = self._since()
        times: Millis = np.arange(start, end + 1, step, dtype=np.int64)
        seam = _seam(times, reach(tree, lookback or self._limits.lookback), since)
        if seam < len(times) and not await self._at_hand(tree, since, job):
            seam = len(times)
        if seam == 0:
            return await self._local.range(expr if self._plain else tree, start, end, step, job, lookback)
        there = self._remote_range(tree, times[:seam], step, job, lookback)
        if seam == len(times):
            return await there
        here = self._local.range(tree, int(times[seam]), end, step, job, lookback)
        older, newer = await asyncio.gather(there, here, return_exceptions=True)
        if isinstance(newer, BaseException):
            raise newer
        if isinstance(older, RemoteUnavailableError | TimeoutQueryError):
            gap = f"only what this collector has at hand is shown, from {_moment(int(times[seam]))} on: {older}"
            return replace(newer, matrix=joined_matrices(None, newer.matrix, times), warnings=(gap, *newer.warnings))
        if isinstance(older, BaseException):
            raise older
        return _joined(older, newer, times)

    async def _remote_range(self, tree: Expr, times: Millis, step: int, job: Job, lookback: int) -> Answer:
        fields = [
            ("query", to_text(await self._as_there(tree, job))),
            ("start", seconds(int(times[0]))),
            ("end", seconds(int(times[-1]))),
            ("step", seconds(step)),
            *self._common(job, lookback),
        ]
        body = await self.client.post("query_range", fields, job)
        return named_as_here(await asyncio.to_thread(matrix_of, body, times), tree)

    async def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints, job: Job) -> Selected:
        """See `QuerySource`: the older samples from the store, those since the history at hand begins from there."""
        cancelled_with(job)
        since = self._since()
        if start >= since:
            return await self._local.select(matchers, start, end, hints, job)
        last = min(end, since - 1)
        # All series have to be asked for by a pattern: PromQL has no selector of everything.
        selector = Selector(tuple(matchers) or (Matcher(NAME_TAG, "=~", ".+"),), range=last - start + 1)
        text = to_text(selector if self._plain else respelled(selector))
        body = await self.client.post("query", [("query", text), ("time", seconds(last)), *self._common(job, 0)], job)
        older = await asyncio.to_thread(answer_of, body, np.array([last], np.int64))
        newer = Selected(()) if end < since else await self._local.select(matchers, since, end, hints, job)
        return await asyncio.to_thread(joined_selections, older.raw, newer)

    # ------------------------------------------------------------ what there is

    async def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[Labels]:
        """See `QuerySource`."""
        fields = self._span(start, end, limit, (matchers,))
        there = self.client.series(fields, job)
        return await self._union(there, self._local.series(matchers, start, end, limit, job), start, limit, job)

    async def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[str]:
        """See `QuerySource`."""
        there = self.client.texts("POST", "labels", self._span(start, end, limit, (matchers,)), job)
        return await self._union(there, self._local.label_names(matchers, start, end, limit, job), start, limit, job)

    async def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int, job: Job) -> list[str]:
        """See `QuerySource`."""
        # What stands in an address is quoted, or a name could lead elsewhere.
        spelled = quote(name, safe="") if self._plain else old_label(name)
        there = self.client.texts("GET", f"label/{spelled}/values", self._span(start, end, limit, (matchers,)), job)
        return await self._union(there, self._local.label_values(name, matchers, start, end, limit, job), start, limit, job)

    async def metadata(self, job: Job) -> dict[str, Metadata]:
        """See `QuerySource`: of the store what is not known here."""
        here = await self._local.metadata(job)
        try:
            return {**await self.client.metadata(job), **here}
        except QueryError:
            return here

    def figures(self) -> dict[str, float]:
        """For health."""
        return {"remote_queries_total": self.client.requests, "remote_query_failures_total": self.client.failures}

    def notes(self) -> list[str]:
        """What is wrong, in a sentence."""
        client = self.client
        return [f"{client.where} does not answer queries ({client.failing})"] if client.failing else []

    def close(self) -> None:
        self._local.close()

    async def close_client(self) -> None:
        """To be awaited after `close`, on the loop that queries ran on."""
        await self.client.close()

    async def _union(self, there: Awaitable[list[T]], here: Awaitable[list[T]], start: int, limit: int, job: Job) -> list[T]:
        """What either has. The history at hand alone answers when the store cannot be reached and it goes back far enough."""
        cancelled_with(job)
        remote, local = await asyncio.gather(there, here, return_exceptions=True)
        if isinstance(local, BaseException):
            raise local
        if isinstance(remote, RemoteUnavailableError) and start >= self._since():
            return local
        if isinstance(remote, BaseException):
            raise remote
        found = sorted({*remote, *local})  # type: ignore[type-var]  # labels and texts, which have an order
        return found[:limit] if limit else found

    # ------------------------------------------------------------ helpers

    def _tree(self, expr: str | Expr, bounds: Bounds) -> Expr:
        tree = resolved(parse(expr) if isinstance(expr, str) else expr, bounds)
        return tree if self._plain else respelled(tree)

    async def _as_there(self, tree: Expr, job: Job) -> Expr:
        """The expression for the series that the store has."""
        if not self._classic():
            return tree
        known = await self._local.metadata(job)
        return classic_form(tree, lambda name: name in known and known[name].type == "histogram")

    async def _at_hand(self, tree: Expr, since: int, job: Job) -> bool:
        """Whether every selector finds series here. One that does not may find some there: classic buckets of a distribution,
        series that have ended, names of other collectors.
        """
        for selector in selectors_of(tree):
            if not await self._local.series(selector.matchers, since, _EXTREMES, 1, job):
                return False
        return True

    def _common(self, job: Job, lookback: int) -> list[tuple[str, str]]:
        # VictoriaMetrics moves the times of a range to multiples of its step unless it is told not to use its cache.
        # It also looks no further back than it is told.
        back = lookback or self._limits.lookback
        told = [("timeout", f"{max(1, round(job.left * 1000))}ms"), ("nocache", "1"), ("max_lookback", f"{back}ms")]
        return told if back == _USUAL_LOOKBACK else [*told, ("lookback_delta", f"{back}ms")]

    def _span(self, start: int, end: int, limit: int, sets: Sequence[Sequence[Matcher]]) -> list[tuple[str, str]]:
        fields = [(name, seconds(time)) for name, time in (("start", start), ("end", end)) if abs(time) < _EXTREMES]
        for matchers in sets:
            if matchers:
                selector = Selector(tuple(matchers))
                shown = selector if self._plain else respelled(selector)
                assert isinstance(shown, Selector)
                fields.append(("match[]", "{" + ",".join(show_matcher(each) for each in shown.matchers) + "}"))
        return [*fields, ("limit", str(limit))] if limit else fields


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(" ", "seconds")


def _seam(times: Millis, looks: Reach, since: int) -> int:
    """Place of the first time that is evaluated here, their number when none is."""
    if not looks.covered(int(times[-1]), since):
        return len(times)
    return int(np.searchsorted(times, since + looks.back))


def _joined(older: Answer, newer: Answer, times: Millis) -> Answer:
    return Answer(
        "matrix",
        joined_matrices(older.matrix, newer.matrix, times),
        warnings=tuple(dict.fromkeys((*older.warnings, *newer.warnings))),
        infos=tuple(dict.fromkeys((*older.infos, *newer.infos))),
        resolution=max(older.resolution, newer.resolution),
        samples=older.samples + newer.samples,
    )
