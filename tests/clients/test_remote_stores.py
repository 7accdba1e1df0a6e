"""Debian's Prometheus and VictoriaMetrics as the place where the history is kept: all that was written is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collector.storage.remote.both import Kept
from collector.storage.remote.queue import QueueBounds
from collector.storage.remote.settings import RemoteSettings
from monitor.model.series import Kind
from monitor.query.history import Labels
from monitor.windows.bins import bins_of
from tests.clients.stores import NOW, STORES, Store, started, until, writing

pytestmark = pytest.mark.peer


@pytest.fixture(params=STORES, ids=["prometheus", "victoria-metrics"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from started(request.param, tmp_path)


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
