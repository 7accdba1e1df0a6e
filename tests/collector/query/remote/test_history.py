"""A remote store read like any history, from threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from collector.query.remote import RemoteHistory, RemoteSource
from collector.query.remote.client import RemoteUnavailableError
from collector.storage.remote.target import RemoteTarget
from monitor.model.matchers import Matcher
from monitor.query.evaluator import Evaluator
from monitor.query.history import Hints, Labels, TooManySamplesError
from tests.collector.server.prometheus.serving import served
from tests.differential.data import LENGTH, START, Series, history_of, labels
from tests.running import free_port

SINCE = (START + LENGTH // 2) * 1000
END = (START + LENGTH) * 1000
SENT: Labels = (("__name__", "queue.depth"), ("http.route", "/a"))
TIMES = np.arange(START, START + LENGTH, 15, dtype=np.int64) * 1000 + 1
VALUES = np.arange(len(TIMES), dtype=np.float64)
NAMED = (Matcher("__name__", "=", "queue.depth"),)


@asynccontextmanager
async def remote(url: str = "") -> AsyncIterator[RemoteHistory]:
    """The whole of a gauge at the store, its second half at hand."""
    known: Series = {labels("queue_depth", http_route="/a"): (TIMES, VALUES)}
    own = history_of({SENT: (TIMES[TIMES >= SINCE], VALUES[TIMES >= SINCE])})
    async with served(history_of(known), clock=END / 1000) as store:
        where = url or store.url
        source = RemoteSource(RemoteTarget(where, where), own, lambda: SINCE)
        try:
            yield RemoteHistory(source, own, asyncio.get_running_loop())
        finally:
            source.close()
            await source.close_client()


async def test_samples_come_from_both_under_the_name_they_were_sent_with() -> None:
    async with remote() as history:
        found = await asyncio.to_thread(history.select, NAMED, START * 1000, END, Hints())
        (block,) = found.blocks
        assert block.labels == (SENT,)
        np.testing.assert_array_equal(block.times, TIMES)
        np.testing.assert_array_equal(block.values[0], VALUES)
        assert await asyncio.to_thread(history.series, NAMED, START * 1000, END) == [SENT]
        assert "http_route" in await asyncio.to_thread(history.label_names, NAMED, START * 1000, END)
        assert await asyncio.to_thread(history.label_values, "http_route", NAMED, START * 1000, END) == ["/a"]


async def test_an_evaluator_reads_it_as_any_history() -> None:
    async with remote() as history:
        ask = Evaluator(history).range
        answer = await asyncio.to_thread(ask, "max_over_time(queue_depth[1m])", START * 1000 + 60_000, END, 60_000)
        assert answer.matrix is not None
        assert answer.matrix.present.all()
        assert answer.matrix.values[0, -1] == VALUES[-1]


async def test_on_the_loop_it_does_not_wait_for_itself() -> None:
    async with remote() as history:
        found = history.select(NAMED, START * 1000, END, Hints())
        assert found.blocks[0].times[0] >= SINCE
        assert found.warnings == ("only what this collector has at hand was read",)
        assert history.series(NAMED, 0, END) == [SENT]
        assert history.label_values("__name__", (), 0, END) == ["queue.depth"]
        assert history.label_names((), 0, END) == ["__name__", "http.route"]


async def test_bounds_hold_and_a_store_that_is_away_is_named() -> None:
    async with remote() as history:
        with pytest.raises(TooManySamplesError):
            await asyncio.to_thread(history.select, NAMED, START * 1000, END, Hints(max_samples=10))
    async with remote(f"http://127.0.0.1:{free_port()}") as history:
        with pytest.raises(RemoteUnavailableError):
            await asyncio.to_thread(history.select, NAMED, START * 1000, END, Hints())
        recent = await asyncio.to_thread(history.select, NAMED, SINCE, END, Hints())
        assert len(recent.blocks) == 1
