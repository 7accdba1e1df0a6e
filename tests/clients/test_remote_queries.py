"""Queries whose older part Debian's Prometheus and VictoriaMetrics answer, and messages that Prometheus and we read alike."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import cramjam
import numpy as np
import pytest

from collector.decompress import decompress
from collector.protobuf.columns import SeriesColumns
from collector.protobuf.read import ReadQuery, ReadRequest, decode_read_response, encode_read_request
from collector.query import QueryService
from collector.query.remote import RemoteSource
from collector.storage.memory_sink import MemorySink
from collector.storage.remote.both import BothSinks
from collector.storage.remote.names import old_labels
from collector.storage.remote.target import RemoteTarget
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.evaluator import Evaluator
from monitor.query.histogram import Layout, Stack
from monitor.query.history import STALE, Labels
from monitor.query.memory import MemoryHistory
from monitor.windows.bins import bins_of
from tests.clients.stores import NOW, STORES, Store, started, until, writing
from tests.differential.peer import prometheus as peer_prometheus

pytestmark = pytest.mark.peer

SINCE = NOW - 600_000
"""From here on samples are at hand too."""
GRID = NOW // 30_000 * 30_000
"""Times that queries are evaluated at; none is that of a sample."""


@pytest.fixture(params=STORES, ids=["prometheus", "victoria-metrics"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from started(request.param, tmp_path)


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


async def test_quantiles_go_over_the_seam_though_the_store_has_classic_buckets(store: Store, tmp_path: Path) -> None:
    near, begin, seconds = MemorySink(), GRID - 1_200_000, 1200
    observed = np.random.default_rng(5).lognormal(0, 1, (seconds, 20))
    labels = (("__name__", "test.latency"), ("job", "api"))
    async with writing(tmp_path / "queue", store) as writer:
        both = BothSinks(near, writer)
        ref = both.intern([labels], [int(Kind.DISTRIBUTION)])
        for second, values in enumerate(observed):
            bins, counts = np.unique(bins_of(values), return_counts=True)
            time, size = np.array([begin + 1000 * second + 1]), np.array([0, len(bins)])
            both.append_histograms(ref, time, size, bins, counts.astype(np.float64), np.array([values.sum()]))
            both.commit()
        await until(lambda: writer.idle)
        store.ask("up")
        assert writer.sender.spoken == "1.0"
        target = RemoteTarget(store.write_url, store.url)
        source = RemoteSource(target, near.history, lambda: SINCE, classic=lambda: True)
        service = QueryService(None, source=source)
        span = (begin + 300_000, begin + 1_170_000, 30_000)
        for quantile in (0.5, 0.9):
            query = f"histogram_quantile({quantile}, sum by (job) (rate(test_latency[2m])))"
            found = (await service.range(query, *span)).matrix
            assert found is not None
            assert found.labels == ((("job", "api"),),)
            assert found.present.all()
            for at, value in zip(found.times.tolist(), found.values[0].tolist(), strict=True):
                last = (at - begin) // 1000
                expected = float(np.quantile(observed[last - 120 : last], quantile))
                assert value == pytest.approx(expected, rel=0.12)
        mean = (await service.range("histogram_avg(rate(test_latency[2m]))", *span)).matrix
        assert mean is not None
        assert mean.present.all()
        assert source.client.requests == 3
        service.close()
        await source.close_client()


@pytest.mark.parametrize("matchers", [(), (Matcher("__name__", "=", "test_depth"), Matcher("host", "=", "h1"))])
async def test_raw_samples_are_read_from_both_and_each_once(store: Store, tmp_path: Path, matchers: tuple[Matcher, ...]) -> None:
    async with asking(store, tmp_path) as (service, _):
        first, last = GRID - 1_500_000, GRID - 30_000
        found = await service.select(matchers, first, last)
        read = {labels: (block.times, block.values[row]) for block in found.blocks for row, labels in enumerate(block.labels)}
        kept = kept_everywhere()
        wanted = [labels for labels in kept if not matchers or labels == (("__name__", "test.depth"), ("host", "h1"))]
        assert len(read) >= len(wanted)
        for labels in wanted:
            times, values = kept[labels]
            inside = (times >= first) & (times <= last)
            at, numbers = read[old_labels(labels)]
            assert at.tolist() == times[inside].tolist()
            assert numbers.tolist() == values[inside].tolist()


async def test_series_and_labels_of_both_are_found(store: Store, tmp_path: Path) -> None:
    async with asking(store, tmp_path) as (service, _):
        names = await service.label_values("__name__", [()], GRID - 3_600_000, GRID)
        assert {"test_depth", "test_requests", "test_seldom"} <= set(names)
        assert {"__name__", "host"} <= set(await service.label_names([()], GRID - 3_600_000, GRID))
        depth = [(Matcher("__name__", "=", "test_depth"),)]
        assert len(await service.series(depth, GRID - 3_600_000, GRID)) == 5


def drawn_columns(seed: int, whole: bool) -> SeriesColumns:
    """A series of growing native histograms with buckets of either sign and a zero bucket."""
    random, count = np.random.default_rng(seed), 20
    growth = random.integers(0, 5, (count, 9)) if whole else random.random((count, 9)) * 5
    totals = np.cumsum(growth.astype(np.float64), axis=0)
    layout = Layout(2, 0.001, np.array([-3, 4], np.int32), np.array([-7, -6, 0, 1, 2, 30], np.int32))
    stack = Stack(layout, totals, totals.sum(axis=1), totals @ np.arange(9.0), np.zeros(count, np.int8))
    labels = (("__name__", "drawn"), ("kind", "whole" if whole else "parts"))
    times = GRID - 600_000 + 15_000 * np.arange(count) + 1
    return SeriesColumns((labels,), np.array([0, count]), times, np.zeros(count), stack.cells())


def test_prometheus_reads_our_native_histograms() -> None:
    written = [drawn_columns(1, whole=True), drawn_columns(2, whole=False)]
    history = MemoryHistory()
    for columns in written:
        assert columns.histograms is not None
        history.append_histograms(columns.labels[0], columns.times, list(columns.histograms))
    evaluator = Evaluator(history)
    with peer_prometheus("", "--enable-feature=native-histograms") as peer:
        peer.write(written)
        # One series at a time: this Prometheus mixes integer and float histograms up where a query reads both.
        for kind, function in itertools.product(("whole", "parts"), ("count", "sum")):
            for inner in (f'drawn{{kind="{kind}"}}', f'rate(drawn{{kind="{kind}"}}[2m])'):
                query = f"histogram_{function}({inner})"
                answer = peer.ask("query", query=query, time=(GRID - 400_000) / 1000)
                expected = evaluator.instant(query, GRID - 400_000).matrix
                assert expected is not None
                found = [float(each["value"][1]) for each in answer["data"]["result"]]
                assert found == pytest.approx(expected.values[:, 0].tolist()), query


def test_we_read_what_prometheus_answers_to_remote_read() -> None:
    labels = (("__name__", "asked"), ("host", "h1"))
    times = GRID - 600_000 + 1000 * np.arange(300)
    values = np.where(np.arange(300) % 50 == 49, STALE, np.arange(300.0))
    written = SeriesColumns((labels,), np.array([0, 300]), times, values)
    with peer_prometheus() as peer:
        peer.write([written])
        chosen = (Matcher("__name__", "=", "asked"), Matcher("host", "=~", "h.*"))
        request = encode_read_request(ReadRequest((ReadQuery(GRID - 900_000, GRID, chosen),)))
        body = bytes(cramjam.snappy.compress_raw(request))
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Read-Version": "0.1.0",
        }
        asked = urllib.request.Request(f"{peer.url}/api/v1/read", data=body, headers=headers)
        with urllib.request.urlopen(asked, timeout=30) as reply:
            (read,) = decode_read_response(decompress(reply.read(), "snappy", 1 << 20))
    assert read.labels == (labels,)
    assert read.times.tolist() == times.tolist()
    assert read.values.tobytes() == values.tobytes()
