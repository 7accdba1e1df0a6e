"""Other people's stores behind ours: Debian's Prometheus and VictoriaMetrics take our remote write and answer our queries, and
Debian's Prometheus reads us by remote read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from collector.query import QueryService
from collector.query.remote import RemoteSource
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.evaluator import Evaluator
from monitor.query.history import Answer, Labels
from monitor.query.memory import MemoryHistory
from tests.collector.server.prometheus.serving import NOW, served
from tests.differential.data import Series, history_of, labels
from tests.differential.peer import Peer, prometheus, running
from tests.peers import need
from tests.running import free_port

pytestmark = pytest.mark.peer

STEP = 15_000
RECENT = 600_000
"""Milliseconds that are at hand."""
QUERIES = (
    "queue_depth",
    'queue_depth{http_route="/b"}',
    "sum(queue_depth)",
    "max by (http_route) (max_over_time(queue_depth[2m]))",
    "count_over_time(requests_total[5m])",
    "requests_total > 100",
)
"""Those that VictoriaMetrics means the same by: its rate and increase do not extrapolate."""
PROMETHEUS_QUERIES = (
    *QUERIES,
    "rate(requests_total[2m])",
    "sum(increase(requests_total[5m])) / 5",
    "queue_depth offset 3m",
    "avg_over_time(sum(queue_depth)[5m7ms:30s])",
    "absent(nothing)",
)


@pytest.fixture
def store() -> Iterator[Peer]:
    with prometheus() as peer:
        yield peer


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[str]:
    program = need("victoria-metrics", "victoria-metrics")
    port = free_port()
    command = [
        program,
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={tmp_path}/victoria",
        "-retentionPeriod=100y",
        "-loggerLevel=ERROR",
        "-search.latencyOffset=0s",
    ]
    with running(command, f"http://127.0.0.1:{port}", "/health") as url:
        yield url


def shop(end: int) -> Series:
    """Forty minutes every 5 s up to `end` (ms), under the names a StatsD program sends."""
    times = np.arange(end - 2_400_000, end, 5000, dtype=np.int64) + 7
    found: Series = {}
    for route in ("/a", "/b"):
        depth = np.round(10 + 5 * np.sin(times / 200_000 + len(found)), 3)
        found[(("__name__", "queue.depth"), ("http.route", route))] = times, depth
        found[(("__name__", "requests.total"), ("http.route", route))] = times, np.cumsum(np.ones(len(times)))
    return found


def spelled(series: Series) -> Series:
    """As stores know them."""
    return {
        labels(dict(name)["__name__"].replace(".", "_"), http_route=dict(name)["http.route"]): samples
        for name, samples in series.items()
    }


@asynccontextmanager
async def writer(folder: Path, target: RemoteTarget) -> AsyncIterator[RemoteWriter]:
    """One that sends."""
    one = RemoteWriter(folder, target, RemoteSettings(batch_age=0.01, batch_samples=500))
    sending = asyncio.ensure_future(one.run())
    try:
        yield one
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        one.close()


def write(one: RemoteWriter, series: Series) -> None:
    """Second by second, as they would come."""
    names: list[Labels] = list(series)
    refs = one.intern(names, [int(Kind.GAUGE if "queue" in dict(name)["__name__"] else Kind.COUNTER) for name in names])
    times = next(iter(series.values()))[0]
    for place in range(0, len(times), 100):
        part = slice(place, place + 100)
        for ref, name in zip(refs.tolist(), names, strict=True):
            at, values = series[name][0][part], series[name][1][part]
            one.append(np.full(len(at), ref), at, values)
        assert one.commit()


async def when(holds: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + 30
    while not await holds():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.05)


def points(answer: Answer) -> dict[Labels, list[tuple[int, float]]]:
    assert answer.matrix is not None
    matrix = answer.matrix
    return {
        name: list(zip(matrix.times[there].tolist(), np.round(matrix.values[row][there], 9).tolist(), strict=True))
        for row, (name, there) in enumerate(zip(matrix.labels, matrix.present, strict=True))
    }


async def check(url: str, series: Series, end: int, queries: tuple[str, ...]) -> None:
    """Ranges over all that was written, the last ten minutes of it at hand, against one history that has everything."""
    since = end - RECENT
    own = {name: (times[times >= since], values[times >= since]) for name, (times, values) in series.items()}
    source = RemoteSource(RemoteTarget(url, url), history_of(own), lambda: since)
    service = QueryService(None, source=source)
    whole = Evaluator(history_of(spelled(series)))
    begin = end - 2_100_000
    try:
        for query in queries:
            found = points(await service.range(query, begin, end, STEP))
            assert found == points(whole.range(query, begin, end, STEP)), query
        assert await service.label_values("http_route", [], begin, end) == ["/a", "/b"]
        assert set(await service.label_values("__name__", [], begin, end)) >= {"queue_depth", "requests_total"}
        known = await service.series([(Matcher("__name__", "=", "queue_depth"),)], begin, end)
        assert known == sorted(name for name in spelled(series) if dict(name)["__name__"] == "queue_depth")
    finally:
        service.close()
        await source.close_client()


async def test_prometheus_takes_what_we_write_and_answers_what_we_ask(store: Peer, tmp_path: Path) -> None:
    end = int(time.time()) // 15 * 15_000
    series = shop(end)
    async with writer(tmp_path / "queue", RemoteTarget(f"{store.url}/api/v1/write", store.url)) as one:
        write(one, series)
        await when(lambda: asyncio.sleep(0, one.idle))
        figures = one.figures()
    assert figures["remote_written_total"] == sum(len(times) for times, _ in series.values()), one.notes()
    assert figures["remote_rejected_total"] == 0
    assert one.sender.version == "1.0", "2.42 takes 2.0's content for nothing and says that all is well"
    await check(store.url, series, end, PROMETHEUS_QUERIES)


async def test_victoria_metrics_takes_what_we_write_and_answers_what_we_ask(victoria: str, tmp_path: Path) -> None:
    end = int(time.time()) // 15 * 15_000
    series = shop(end)
    async with writer(tmp_path / "queue", RemoteTarget(f"{victoria}/api/v1/write", victoria)) as one:
        write(one, series)
        await when(lambda: asyncio.sleep(0, one.idle))
        figures = one.figures()
    assert figures["remote_written_total"] == sum(len(times) for times, _ in series.values()), one.notes()
    assert figures["remote_rejected_total"] == 0

    source = RemoteSource(RemoteTarget(victoria, victoria), MemoryHistory(), lambda: 1 << 60)
    service = QueryService(None, source=source)

    async def seen() -> bool:
        """VictoriaMetrics shows what it took after a second or two."""
        found = points(await service.instant("count(last_over_time(queue_depth[1m]))", end))
        return found == {(): [(end, 2.0)]}

    await when(seen)
    service.close()
    await source.close_client()
    await check(victoria, series, end, QUERIES)


async def test_prometheus_reads_us_by_remote_read() -> None:
    """It evaluates over our samples. Of native histograms it reads none before 2.43."""
    async with served() as ours:
        config = f"remote_read: [{{url: '{ours.url}/api/v1/read', read_recent: true}}]\n"
        with prometheus(config) as peer:

            async def asked(query: str) -> dict[str, float]:
                found = await asyncio.to_thread(peer.ask, "query", query=query, time=NOW)
                assert found["status"] == "success", found
                assert not found.get("warnings"), found
                return {each["metric"].get("code", ""): round(float(each["value"][1]), 12) for each in found["data"]["result"]}

            assert await asked("http_requests_total") == {"200": 480, "500": 60}
            assert await asked("rate(http_requests_total[1m])") == {"200": 0.133333333333, "500": 0.016666666667}
            assert await asked('sum(http_requests_total{code=~"5.."})') == {"": 60}
            assert await asked("count(nothing)") == {}
