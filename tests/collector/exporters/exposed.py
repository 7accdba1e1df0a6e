"""A page of `/metrics` over a small history, and what readers of its forms find in it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.exporters.exposition import Metric
from collector.exporters.metrics_page import MetricsPage
from collector.query import QueryService
from collector.storage.memory_sink import MemorySink
from monitor.model.series import Kind
from monitor.query.history import STALE, Labels
from monitor.windows.bins import bins_of

NOW = 1_700_000_000
OBSERVED = np.concatenate((np.random.default_rng(7).lognormal(-3, 1, 500), [0.0, 2.0]))
OWN = [Metric("lightship_series", "gauge", "Series that have a row now.", 4.0)]


def named(name: str, **tags: str) -> Labels:
    return tuple(sorted({"__name__": name, **tags}.items()))


def put(sink: MemorySink, labels: Labels, kind: Kind, value: float, at: float = NOW - 5) -> None:
    """One sample."""
    refs = sink.intern([labels], [int(kind)])
    sink.append(refs, np.array([round(at * 1000)]), np.array([value]))


def observe(sink: MemorySink, labels: Labels, values: np.ndarray[tuple[int], np.dtype[np.float64]], at: float = NOW - 5) -> None:
    """A second of a distribution."""
    refs = sink.intern([labels], [int(Kind.DISTRIBUTION)])
    bins, counts = np.unique(bins_of(values), return_counts=True)
    sink.append_histograms(
        refs, np.array([round(at * 1000)]), np.array([0, len(bins)]), bins, counts.astype(np.float64), np.array([values.sum()])
    )


def shop() -> MemorySink:
    """A little of everything."""
    sink = MemorySink()
    put(sink, named("shop.orders", region="eu"), Kind.COUNTER, 12)
    put(sink, named("shop.orders", region="us"), Kind.COUNTER, 30)
    put(sink, named("shop.depth", queue='odd "one"\n'), Kind.GAUGE, 4.5)
    put(sink, named("shop.gone"), Kind.GAUGE, 1, NOW - 20)
    put(sink, named("shop.gone"), Kind.GAUGE, STALE, NOW - 10)
    observe(sink, named("shop.latency", route="/"), OBSERVED)
    for le, count in (("0.1", 3.0), ("1", 5.0), ("+Inf", 6.0)):
        put(sink, named("job_seconds_bucket", le=le), Kind.COUNTER, count)
    put(sink, named("job_seconds_count"), Kind.COUNTER, 6)
    put(sink, named("job_seconds_sum"), Kind.COUNTER, 7.5)
    put(sink, named("gc_seconds", quantile="0.5"), Kind.GAUGE, 0.25)
    put(sink, named("gc_seconds_count"), Kind.COUNTER, 9)
    put(sink, named("gc_seconds_sum"), Kind.COUNTER, 3)
    return sink


@dataclass
class Page:
    url: str
    page: MetricsPage
    client: aiohttp.ClientSession

    async def get(self, *selectors: str, accept: str = "") -> tuple[int, str, bytes]:
        """Status, content type, body."""
        asked = [("match[]", selector) for selector in selectors]
        async with self.client.get(self.url, params=asked, headers={"Accept": accept}) as answer:
            return answer.status, answer.headers["Content-Type"], await answer.read()


@contextlib.asynccontextmanager
async def exposed(sink: MemorySink, always: Sequence[str] = (), most: int = 1000) -> AsyncIterator[Page]:
    """Served as long as the block lasts."""
    queries = QueryService(sink.history)
    page = MetricsPage(lambda: OWN, queries, always, most=most, clock=lambda: NOW)
    app = web.Application()
    app.router.add_get("/metrics", page.answer)
    try:
        async with TestServer(app) as server, aiohttp.ClientSession() as client:
            yield Page(str(server.make_url("/metrics")), page, client)
    finally:
        queries.close()
