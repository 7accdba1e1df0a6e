"""Exports to programs of others: Debian's Prometheus, VictoriaMetrics and Pushgateway have what was sent."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collector.exporters.build import Exports, exporters_of
from collector.exporters.exporter import Patience, bounds_of
from collector.exporters.otlp import OtlpExporter
from collector.exporters.pushgateway import PushgatewayExporter
from collector.exporters.samples import SampleExporter
from collector.query import QueryService
from collector.storage.memory_sink import MemorySink
from collector.storage.remote.target import RemoteTarget
from monitor.engine import Engine
from monitor.model.matchers import parse_selector
from monitor.model.series import Kind
from monitor.windows.bins import bins_of
from tests.clients.stores import NOW, STORES, Store, started, until, victoria_metrics
from tests.collector.exporters.exposed import exposed, named, put, shop
from tests.collector.waits import running
from tests.peers import need
from tests.running import free_port
from tests.running import until as until_true
from ui.command import exits
from ui.command.main import main

pytestmark = pytest.mark.peer
QUICK = Patience(answer=10.0, least=0.05, longest=0.2)


@pytest.fixture(params=STORES, ids=["prometheus", "victoria-metrics"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from started(request.param, tmp_path)


def seconds(exporter: SampleExporter | OtlpExporter, name: str, first: int, count: int) -> float:
    """Twenty series a second; the sum of all."""
    sink = exporter.sink
    assert sink is not None
    refs = sink.intern([named(name, host=f"h{n}") for n in range(20)], [int(Kind.GAUGE)] * 20)
    total = 0.0
    for second in range(first, first + count):
        values = (np.arange(20) % 7 + second % 11).astype(np.float64)
        sink.append(refs, np.full(20, NOW - 300_000 + 1000 * second), values)
        assert sink.commit()
        total += float(values.sum())
    return total


async def test_remote_write_sums_are_what_was_sent_though_the_store_was_away(store: Store, tmp_path: Path) -> None:
    target = RemoteTarget(store.write_url, store.url)
    one = SampleExporter(
        "write", tmp_path / "q", target, parse_selector('{__name__=~"test.*"}'), {"env": "prod"}, bounds_of(1 << 24),
        patience=QUICK, age=0.02,
    )  # fmt: skip
    async with running(one.run()):
        total = seconds(one, "test.load", 0, 30)
        await until(lambda: one.idle)
        await asyncio.to_thread(store.stop)
        total += seconds(one, "test.load", 30, 30)
        await until(lambda: one.figures()["export_failures_total"] > 1)
        await asyncio.to_thread(store.start)
        total += seconds(one, "test.load", 60, 30)
        await until(lambda: one.idle)
    assert one.notes() == []
    one.close()
    assert store.number('sum(sum_over_time(test_load{env="prod"}[10m]))') == total
    assert store.number('sum(count_over_time(test_load{env="prod"}[10m]))') == 20 * 90


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[Store]:
    yield from started(victoria_metrics, tmp_path)


@pytest.mark.parametrize(
    ("feature", "count"),
    [([], "shop_latency_count"), (["--enable-feature=native-histograms"], "histogram_count(shop_latency)")],
    ids=["text", "protobuf"],
)
async def test_prometheus_scrapes_everything_that_is_collected(tmp_path: Path, feature: list[str], count: str) -> None:
    program, port = need("prometheus", "prometheus"), free_port()
    async with exposed(shop(), always=['{__name__=~".+"}']) as page:
        host = re.sub(r"^http://|/metrics$", "", page.url)
        (tmp_path / "config.yml").write_text(
            "scrape_configs: [{job_name: shop, scrape_interval: 1s, scrape_timeout: 1s, "
            f"static_configs: [{{targets: ['{host}']}}]}}]\n"
        )
        command = [
            program,
            f"--config.file={tmp_path}/config.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            *feature,
        ]
        scraping = Store(command, f"http://127.0.0.1:{port}", "/-/ready", "")
        await asyncio.to_thread(scraping.start)

        def now(query: str) -> float:
            return sum(scraping.ask(query, int(time.time() * 1000)).values())

        try:
            await asyncio.to_thread(until_true, lambda: now(count), count)
            assert await asyncio.to_thread(now, count) == 502
            assert await asyncio.to_thread(now, "shop_orders_total") == 42
            assert await asyncio.to_thread(now, "up") == 1
        finally:
            await asyncio.to_thread(scraping.stop)


@pytest.fixture
def pushgateway(tmp_path: Path) -> Iterator[str]:
    program, port = need("prometheus-pushgateway", "prometheus-pushgateway"), free_port()
    process = subprocess.Popen(
        [program, "--persistence.file=", f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until_true(lambda: fetched(f"{url}/-/ready"), "the Pushgateway answers")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def fetched(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_a_job_pushes_replaces_and_deletes_at_a_pushgateway(
    pushgateway: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    group = ("backup", "--grouping", "db=a/b", "--to", pushgateway)
    assert main(["push", *group, "backup_bytes=1024", "backup_files_total=7"]) == exits.OK
    assert 'backup_bytes{db="a/b",instance="",job="backup"} 1024' in fetched(f"{pushgateway}/metrics")
    text = tmp_path / "metrics"
    text.write_text("# TYPE backup_seconds gauge\n# UNIT backup_seconds seconds\nbackup_seconds 3\n# EOF\n")
    assert main(["push", *group, "--replace", str(text)]) == exits.OK
    there = fetched(f"{pushgateway}/metrics")
    assert 'backup_seconds{db="a/b",instance="",job="backup"} 3' in there
    assert "backup_bytes" not in there
    text.write_text("not an exposition at all {\n")
    assert main(["push", *group, str(text)]) == exits.REFUSED
    assert "refused the push (status 400" in capsys.readouterr().err
    assert main(["push", *group, "--delete"]) == exits.OK
    assert "backup_" not in fetched(f"{pushgateway}/metrics")


async def test_the_newest_values_are_at_the_pushgateway(pushgateway: str) -> None:
    sink = MemorySink()
    now = time.time()
    put(sink, named("shop.orders", region="eu"), Kind.COUNTER, 12, now)
    queries = QueryService(sink.history)
    pushing = PushgatewayExporter("push", RemoteTarget(pushgateway, pushgateway), '{__name__=~".+"}', {"job": "shop"}, queries)
    async with running(pushing.run()):
        pushing.take(Engine().tick(now))
        await until(lambda: pushing.figures()["export_sent_total"] == 1)
    queries.close()
    told = await asyncio.to_thread(fetched, f"{pushgateway}/metrics")
    assert 'shop_orders_total{instance="",job="shop",region="eu"} 12' in told


async def test_distributions_arrive_through_exports_of_the_settings(store: Store, tmp_path: Path) -> None:
    engine, queries = Engine(), QueryService(MemorySink().history)
    tables = [{"kind": "remote_write", "url": store.write_url}]
    (one,) = exporters_of(tables, tmp_path / "exports", lambda: engine.table, lambda: queries)
    assert isinstance(one, SampleExporter)
    values = np.random.default_rng(3).lognormal(0, 1, 500)
    bins, counts = np.unique(bins_of(values), return_counts=True)
    sink = Exports([one]).recorded(MemorySink())
    ref = sink.intern([named("test.latency")], [int(Kind.DISTRIBUTION)])
    size = np.array([0, len(bins)])
    sink.append_histograms(ref, np.array([NOW - 5000]), size, bins, counts.astype(np.float64), np.array([values.sum()]))
    assert sink.commit()
    one.writer.sender._sleep = lambda seconds: asyncio.sleep(min(seconds, 0.05))
    async with running(one.run()):
        await until(lambda: one.idle)
    one.close()
    queries.close()
    assert store.number("last_over_time(test_latency_count[5m])") == 500
