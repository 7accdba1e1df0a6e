"""A remote store as a `History`, for those who read samples in threads of their own: fields over time, rules, rewinding."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from collector.query.job import Job, QueryLimits
from collector.query.remote.source import RemoteSource
from collector.storage.remote.names import old_labels
from monitor.model.matchers import Matcher
from monitor.query.history import Hints, History, Labels, Metadata, Selected, TooManySamplesError

T = TypeVar("T")
_END = 1 << 53


class RemoteHistory:
    """Implements `History` over a `RemoteSource` whose requests run on `loop`; `at_hand` is the history behind that source.

    Series that are known here come under the names they were sent with. Calls on the loop itself cannot wait for it, so they get
    what is at hand and a warning.
    """

    def __init__(
        self, source: RemoteSource, at_hand: History, loop: asyncio.AbstractEventLoop, limits: QueryLimits | None = None
    ) -> None:
        self._source, self._at_hand, self._loop = source, at_hand, loop
        self._limits = limits or QueryLimits()

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """See `History`. The store's samples are those it would give PromQL: staleness markers are not among them."""
        if self._on_loop():
            found = self._at_hand.select(matchers, start, end, hints)
            return replace(found, warnings=(*found.warnings, "only what this collector has at hand was read"))
        found = self._wait(lambda job: self._source.select(matchers, start, end, hints, job))
        read = sum(len(block.labels) * len(block.times) for block in found.blocks)
        if read > hints.max_samples:
            raise TooManySamplesError(f"This would read {read} samples (limit {hints.max_samples}). Shorten the range.")
        sent = self._sent(matchers)
        blocks = tuple(replace(block, labels=tuple(sent.get(each, each) for each in block.labels)) for block in found.blocks)
        return replace(found, blocks=blocks)

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """See `History`."""
        if self._on_loop():
            return self._at_hand.series(matchers, start, end, limit)
        sent = self._sent(matchers)
        found = self._wait(lambda job: self._source.series(matchers, start, end, limit, job))
        return sorted(sent.get(each, each) for each in found)

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        if self._on_loop():
            return self._at_hand.label_names(matchers, start, end, limit)
        return self._wait(lambda job: self._source.label_names(matchers, start, end, limit, job))

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        if self._on_loop():
            return self._at_hand.label_values(name, matchers, start, end, limit)
        return self._wait(lambda job: self._source.label_values(name, matchers, start, end, limit, job))

    def metadata(self) -> dict[str, Metadata]:
        """See `History`: of what is at hand, under the names it was sent with."""
        return self._at_hand.metadata()

    def _sent(self, matchers: Sequence[Matcher]) -> dict[Labels, Labels]:
        """By its labels at the store, each series that is known here."""
        return {old_labels(each): each for each in self._at_hand.series(matchers, 0, _END)}

    def _on_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def _wait(self, work: Callable[[Job], Awaitable[T]]) -> T:
        """Raises `QueryError`."""
        job = Job(self._limits.timeout)

        async def run() -> T:
            return await work(job)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()
