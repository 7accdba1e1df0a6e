"""Debian's Prometheus and VictoriaMetrics as the place where the history is kept: all that was written is there."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from collector.query import QueryService
from collector.query.remote import RemoteSource
from collector.storage.remote.both import Kept
from collector.storage.remote.queue import QueueBounds
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.evaluator import Evaluator
from monitor.query.history import Labels
from monitor.query.memory import MemoryHistory
from monitor.windows.bins import bins_of
from tests.peers import need
from tests.running import free_port

pytestmark = pytest.mark.peer

QUICK = RemoteSettings(batch_age=0.02, least_wait=0.05, longest_wait=0.2)
NOW = int(time.time()) * 1000 - 10_000
"""The stores take only samples of about now."""


class Store:
    """A store on a port of its own, which keeps its data over a restart."""

    def __init__(self, command: list[str], url: str, ready: str, write: str, flush: str = "") -> None:
        self.url, self.write_url = url, url + write
        self._command, self._ready, self._flush = command, url + ready, flush
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, f"{self._command[0]} ended"
            assert time.monotonic() < end, f"{self._command[0]} does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._ready, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, query: str, at: int = NOW) -> dict[Labels, float]:
        """The value of each series of an instant query."""
        if self._flush:  # what came in is not found before
            with urllib.request.urlopen(self.url + self._flush, timeout=30):
                pass
        asked = urllib.parse.urlencode({"query": query, "time": at / 1000, "nocache": 1})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=60) as answer:
            found: dict[str, Any] = msgspec.json.decode(answer.read())
        return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in found["data"]["result"]}

    def number(self, query: str) -> float:
        """The value of a query that gives one; 0 where it gives none."""
        return sum(self.ask(query).values())


def prometheus(folder: Path) -> Store:
    program, port = need("prometheus", "prometheus"), free_port()
    (folder / "config.yml").write_text("global: {}\n")
    command = [
        program,
        f"--config.file={folder}/config.yml",
        f"--storage.tsdb.path={folder}/data",
        "--web.enable-remote-write-receiver",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    return Store(command, f"http://127.0.0.1:{port}", "/-/ready", "/api/v1/write")


def victoria_metrics(folder: Path) -> Store:
    program, port = need("victoria-metrics", "victoria-metrics"), free_port()
    command = [
        program,
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-search.latencyOffset=0s",
        "-search.minStalenessInterval=5m",
        "-memory.allowedPercent=10",
    ]
    return Store(command, f"http://127.0.0.1:{port}", "/health", "/api/v1/write", "/internal/force_flush")


@pytest.fixture(params=[prometheus, victoria_metrics], ids=["prometheus", "victoria-metrics"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    make: Callable[[Path], Store] = request.param
    folder = tmp_path / "store"
    folder.mkdir()
    found = make(folder)
    found.start()
    try:
        yield found
    finally:
        found.stop()


@contextlib.asynccontextmanager
async def writing(folder: Path, store: Store, settings: RemoteSettings = QUICK, path: str = "") -> AsyncIterator[RemoteWriter]:
    url = store.url + path if path else store.write_url
    writer = RemoteWriter(folder, RemoteTarget(url, store.url), settings)
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        writer.close()


async def until(true: Callable[[], bool]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(120):
        while not true():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.02)


def loads(count: int) -> list[Labels]:
    return [(("__name__", "test.load"), ("host", f"h{n}")) for n in range(count)]


def write_seconds(sink: Kept, series: list[Labels], first: int, seconds: int) -> float:
    """One sample a second of each series, committed second by second; the sum of all."""
    refs = sink.intern(series, [int(Kind.GAUGE)] * len(series))
    total = 0.0
    for second in range(first, first + seconds):
        values = (np.arange(len(series)) % 7 + second % 11).astype(np.float64)
        sink.append(refs, np.full(len(refs), NOW - 300_000 + 1000 * second), values)
        assert sink.commit()
        total += float(values.sum())
    return total


async def test_everything_that_was_written_is_there(store: Store, tmp_path: Path) -> None:
    series = loads(100)
    async with writing(tmp_path / "queue", store) as writer:
        total = write_seconds(writer, series, 0, 200)
        await until(lambda: writer.idle)
        assert writer.figures()["remote_written_total"] == 20_000
        assert writer.notes() == []
    assert store.number("sum(count_over_time(test_load[10m]))") == 20_000
    assert store.number("sum(sum_over_time(test_load[10m]))") == total
    assert len(store.ask("last_over_time(test_load[10m])")) == 100


async def test_a_restart_of_the_store_loses_nothing(store: Store, tmp_path: Path) -> None:
    series = loads(20)
    async with writing(tmp_path / "queue", store) as writer:
        total = write_seconds(writer, series, 0, 50)
        await until(lambda: writer.idle)
        await asyncio.to_thread(store.stop)
        total += write_seconds(writer, series, 50, 50)
        await until(lambda: writer.figures()["remote_failures_total"] > 2)
        assert any("takes no samples" in note for note in writer.notes())
        await asyncio.to_thread(store.start)
        total += write_seconds(writer, series, 100, 50)
        await until(lambda: writer.idle)
        assert writer.notes() == []
        assert writer.figures()["remote_rejected_total"] == 0
    assert store.number("sum(count_over_time(test_load[10m]))") == 20 * 150
    assert store.number("sum(sum_over_time(test_load[10m]))") == total


async def test_a_restart_of_ours_while_the_store_is_away_loses_nothing(store: Store, tmp_path: Path) -> None:
    series = loads(20)
    store.stop()
    async with writing(tmp_path / "queue", store) as writer:
        total = write_seconds(writer, series, 0, 30)
        await until(lambda: writer.figures()["remote_failures_total"] > 0)
    store.start()
    async with writing(tmp_path / "queue", store) as writer:
        total += write_seconds(writer, series, 30, 30)
        await until(lambda: writer.idle)
    assert store.number("sum(sum_over_time(test_load[10m]))") == total


async def test_what_did_not_fit_into_the_queue_is_what_is_missing(store: Store, tmp_path: Path) -> None:
    store.stop()
    small = RemoteSettings(batch_age=0.02, least_wait=0.05, longest_wait=0.2, queue=QueueBounds(most=40_000, segment=8_000))
    async with writing(tmp_path / "queue", store, small) as writer:
        write_seconds(writer, loads(20), 0, 300)
        figures = writer.figures()
        assert 0 < figures["remote_dropped_total"] < 6000
        assert figures["remote_queue_bytes"] <= 40_000
        await asyncio.to_thread(store.start)
        await until(lambda: writer.idle)
        figures = writer.figures()
    assert store.number("sum(count_over_time(test_load[10m]))") == 6000 - figures["remote_dropped_total"]
    assert figures["remote_written_total"] + figures["remote_dropped_total"] == 6000


async def test_what_the_store_refuses_is_counted_told_and_not_repeated(store: Store, tmp_path: Path) -> None:
    async with writing(tmp_path / "queue", store, path="/api/v1/no/such/address") as writer:
        write_seconds(writer, loads(5), 0, 2)
        await until(lambda: writer.idle)
        figures = writer.figures()
        assert (figures["remote_rejected_total"], figures["remote_written_total"]) == (10, 0)
        assert figures["remote_failures_total"] == 0
        assert any("refused samples, 10 in all" in note and "status 4" in note for note in writer.notes())


async def test_samples_too_old_for_a_store_cost_only_themselves(store: Store, tmp_path: Path) -> None:
    async with writing(tmp_path / "queue", store) as writer:
        total = write_seconds(writer, loads(5), 0, 10)
        await until(lambda: writer.idle)
        ref = writer.intern(loads(1), [int(Kind.GAUGE)])
        writer.append(ref, np.array([NOW - 40 * 86_400_000]), np.array([1.0]))
        total += write_seconds(writer, loads(5), 10, 10)
        await until(lambda: writer.idle)
    assert store.number("sum(sum_over_time(test_load[10m]))") == total


async def test_distributions_are_classic_histograms_there(store: Store, tmp_path: Path) -> None:
    labels = (("__name__", "test.latency"), ("job", "api"))
    observed = np.random.default_rng(3).lognormal(0, 1, (120, 25))
    async with writing(tmp_path / "queue", store) as writer:
        ref = writer.intern([labels], [int(Kind.DISTRIBUTION)])
        for second, values in enumerate(observed):
            bins, counts = np.unique(bins_of(values), return_counts=True)
            time_ms, size = np.array([NOW - 120_000 + 1000 * second]), np.array([0, len(bins)])
            writer.append_histograms(ref, time_ms, size, bins, counts.astype(np.float64), np.array([values.sum()]))
            writer.commit()
        await until(lambda: writer.idle)
        assert writer.notes() == []
    assert store.number("last_over_time(test_latency_count[5m])") == observed.size
    assert store.number("last_over_time(test_latency_sum[5m])") == pytest.approx(observed.sum())
    for quantile in (0.5, 0.9, 0.99):
        found = store.number(f"histogram_quantile({quantile}, sum by (le) (rate(test_latency_bucket[1m])))")
        assert found == pytest.approx(float(np.quantile(observed[-60:], quantile)), rel=0.12)


# ---------------------------------------------------------------- asking


SINCE = NOW - 600_000
"""From here on samples are at hand too."""
GRID = NOW // 30_000 * 30_000
"""Times that queries are evaluated at; none is that of a sample."""


def kept_everywhere() -> dict[Labels, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Half an hour of gauges every ten seconds, one every minute, and counters that grow evenly."""
    often, seldom = GRID - 1_800_000 + 10_000 * np.arange(180) + 3001, GRID - 1_800_000 + 60_000 * np.arange(30) + 3001
    steps = np.arange(180, dtype=np.float64)
    made: dict[Labels, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
    for n in range(5):
        made[(("__name__", "test.depth"), ("host", f"h{n}"))] = often, (steps * (n + 3)) % 17
        made[(("__name__", "test.requests"), ("host", f"h{n}"))] = often, steps * 10 * (n + 1)
    made[(("__name__", "test.seldom"),)] = seldom, np.arange(30, dtype=np.float64)
    # A counter that stands still is said again once a minute only, after it was said every second.
    still = np.concatenate((seldom[0] + 1000 * np.arange(240), seldom[5:]))
    made[(("__name__", "test.still"),)] = still, np.full(len(still), 7.0)
    return made


@contextlib.asynccontextmanager
async def asking(store: Store, tmp_path: Path) -> AsyncIterator[tuple[QueryService, Evaluator]]:
    """A service whose older samples are in the store, and what one history with all of them says."""
    whole, recent = MemoryHistory(), MemoryHistory()
    async with writing(tmp_path / "queue", store) as writer:
        for labels, (times, values) in kept_everywhere().items():
            whole.append(labels, times, values)
            recent.append(labels, times[times >= SINCE], values[times >= SINCE])
            ref = writer.intern([labels], [int(Kind.GAUGE)])
            writer.append(np.repeat(ref, len(times)), times, values)
        writer.commit()
        await until(lambda: writer.idle)
    store.ask("up")
    source = RemoteSource(RemoteTarget(store.write_url, store.url), recent, lambda: SINCE)
    service = QueryService(None, source=source)
    try:
        yield service, Evaluator(whole)
    finally:
        service.close()
        await source.close_client()


SEAMLESS = (
    "test_depth",
    "test_seldom",
    "test_still",
    "sum(test_depth)",
    "avg by (host) (test_requests) / 10",
    "sum(rate(test_requests[5m]))",
    'max_over_time(test_depth{host=~"h[12]"}[2m])',
    "count_over_time(test_seldom[3m])",
    "test_requests - test_requests offset 4m",
    "sum_over_time(test_depth[20m])",
    "topk(2, test_requests)",
    f"test_seldom @ {(GRID - 1_200_000) / 1000:.0f}",
    '{"test.depth"} > 10',
    "vector(1)",
)


@pytest.mark.parametrize("query", SEAMLESS)
async def test_a_range_over_the_seam_is_what_one_history_says(store: Store, tmp_path: Path, query: str) -> None:
    async with asking(store, tmp_path) as (service, whole):
        span = (GRID - 1_440_000, GRID - 30_000, 30_000)
        found, expected = await service.range(query, *span), whole.range(query, *span)
        assert found.warnings == ()
        assert found.matrix is not None
        assert expected.matrix is not None
        names = [tuple((n, v.replace(".", "_") if n == "__name__" else v) for n, v in each) for each in expected.matrix.labels]
        assert list(found.matrix.labels) == names
        np.testing.assert_array_equal(found.matrix.times, expected.matrix.times)
        np.testing.assert_array_equal(found.matrix.present, expected.matrix.present)
        shown = expected.matrix.present
        np.testing.assert_allclose(found.matrix.values[shown], expected.matrix.values[shown], rtol=1e-9)


async def test_while_the_store_is_away_the_recent_part_is_shown(store: Store, tmp_path: Path) -> None:
    async with asking(store, tmp_path) as (service, whole):
        await asyncio.to_thread(store.stop)
        found = await service.range("sum(test_depth)", GRID - 1_440_000, GRID, 30_000)
        assert any("cannot be reached" in words for words in found.warnings)
        assert found.matrix is not None
        times = found.matrix.times[found.matrix.present[0]]
        assert times[0] >= SINCE
        assert times[-1] >= GRID - 30_000
        await asyncio.to_thread(store.start)
        again = await service.range("sum(test_depth)", GRID - 1_440_000, GRID - 30_000, 30_000)
        assert again.warnings == ()
        expected = whole.range("sum(test_depth)", GRID - 1_440_000, GRID - 30_000, 30_000)
        assert again.matrix is not None
        assert expected.matrix is not None
        np.testing.assert_array_equal(again.matrix.values, expected.matrix.values)


async def test_series_and_labels_of_both_are_found(store: Store, tmp_path: Path) -> None:
    async with asking(store, tmp_path) as (service, _):
        names = await service.label_values("__name__", [()], GRID - 3_600_000, GRID)
        assert {"test_depth", "test_requests", "test_seldom"} <= set(names)
        assert {"__name__", "host"} <= set(await service.label_names([()], GRID - 3_600_000, GRID))
        depth = [(Matcher("__name__", "=", "test_depth"),)]
        assert len(await service.series(depth, GRID - 3_600_000, GRID)) == 5
