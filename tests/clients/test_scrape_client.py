"""prometheus_client's own expositions, scraped for real in the formats it writes, and a node exporter as a job of its own."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from wsgiref.simple_server import WSGIServer

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary, start_http_server

from collector.receivers.prometheus import ExpositionLimits, ScrapeCounters, ScrapeJob
from collector.receivers.prometheus.scrape import TargetScrape
from collector.receivers.prometheus.scraper import make_session
from monitor.model.batch import Batch, HistogramBatch
from tests.peers import need


class Kept:
    """Remembers what the history gets, by the label of the series, and the histograms."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.histograms: list[HistogramBatch] = []

    def __call__(self, batches: Sequence[Batch]) -> None:
        for batch in (batch for batch in batches if batch.raw):
            for series, value in zip(batch.ids.tolist(), batch.values.tolist(), strict=True):
                self.values[batch.space.keys[series].label()] = value

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        self.histograms += [batch for batch in batches if isinstance(batch, HistogramBatch)]


class Served:
    """A registry with one metric of each kind, and the address that serves it."""

    def __init__(self, server: WSGIServer, registry: CollectorRegistry) -> None:
        self.address = f"127.0.0.1:{server.server_port}"
        self.requests = Counter("requests", "Requests.", ["path"], registry=registry)
        self.latency = Histogram("latency_seconds", "Time.", buckets=(0.1, 0.5, 2.5), registry=registry)
        Gauge("depth", "Depth.", registry=registry).set(3)
        Gauge("my.gauge", "With dots.", ["a label"], registry=registry).labels("ü").set(4)
        Summary("rpc", "Calls.", registry=registry).observe(2.5)
        Info("build", "Build.", registry=registry).info({"version": "1"})
        Enum("phase", "Phase.", states=["on", "off"], registry=registry).state("off")
        self.requests.labels('/a"b').inc(5, {"trace_id": "x # y"})
        self.latency.observe(0.3, {"trace_id": "abc"})


@pytest.fixture
def served() -> Iterator[Served]:
    registry = CollectorRegistry()
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield Served(server, registry)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with make_session() as session:
        yield session


def scrape_of(job: ScrapeJob, kept: Kept) -> TargetScrape:
    (target,), _ = job.scraped(job.static())
    return TargetScrape(target, kept, lambda: 1000.0, ScrapeCounters(), ExpositionLimits(), kept)  # type: ignore[arg-type]


@pytest.mark.parametrize("openmetrics", [True, False], ids=["openmetrics", "text"])
async def test_every_kind_of_metric_arrives(served: Served, session: aiohttp.ClientSession, openmetrics: bool) -> None:
    kept = Kept()
    scrape = scrape_of(ScrapeJob(targets=(served.address,), job="j", honor_labels=True), kept)
    scrape._ask_openmetrics = openmetrics
    await scrape.scrape(session)
    assert scrape.health.up, scrape.health.error
    tags = f'instance="{served.address}",job="j"'
    expected = {
        f'requests_total{{{tags},path="/a"b"}}': 5.0,
        f'latency_seconds_bucket{{{tags},le="0.5"}}': 1.0,
        f"latency_seconds_sum{{{tags}}}": 0.3,
        f"depth{{{tags}}}": 3.0,
        f'my.gauge{{a label="ü",{tags}}}': 4.0,
        f"rpc_count{{{tags}}}": 1.0,
        f'build_info{{{tags},version="1"}}': 1.0,
        f'phase{{{tags},phase="off"}}': 1.0,
    }
    assert {label: kept.values.get(label) for label in expected} == expected, sorted(kept.values)


async def test_its_histograms_become_distributions(served: Served, session: aiohttp.ClientSession) -> None:
    kept = Kept()
    scrape = scrape_of(ScrapeJob(targets=(served.address,), job="j", histograms=True), kept)
    await scrape.scrape(session)
    for value in (0.05, 1.0, 1.5):
        served.latency.observe(value)
    await scrape.scrape(session)
    (batch,) = kept.histograms
    assert batch.space.keys[batch.ids[0]].name == "latency_seconds"
    assert batch.counts.sum() == pytest.approx(3.0)
    assert batch.sums.tolist() == pytest.approx([2.55])


@pytest.fixture
def exporter(unused_tcp_port: int) -> Iterator[str]:
    """host:port of a node exporter that was started."""
    program = need("prometheus-node-exporter", "prometheus-node-exporter")
    address = f"127.0.0.1:{unused_tcp_port}"
    process = subprocess.Popen([program, f"--web.listen-address={address}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield address
    process.kill()
    process.wait()


@pytest.mark.peer
async def test_a_node_exporters_metrics_are_relabelled(session: aiohttp.ClientSession, exporter: str) -> None:
    kept = Kept()
    job = ScrapeJob(
        targets=(exporter,),
        job="node",
        relabel=[{"source_labels": ["__address__"], "regex": "(.*):.*", "target_label": "instance"}],
        metric_relabel=[
            {"source_labels": ["__name__"], "regex": "node_(load|cpu).*", "action": "keep"},
            {"source_labels": ["mode"], "regex": "(idle)?", "action": "keep"},
        ],
    )
    scrape = scrape_of(job, kept)
    async with asyncio.timeout(30):
        while not scrape.health.up:  # it may not listen yet
            await asyncio.sleep(0.05)
            await scrape.scrape(session)
    labels = [label for label in kept.values if not label.startswith(("up", "scrape_"))]
    assert 'node_load1{instance="127.0.0.1",job="node"}' in labels
    assert all(label.startswith(("node_load", "node_cpu")) for label in labels)
    assert not any('mode="user"' in label for label in labels)
    kept_by_us = 'scrape_samples_post_metric_relabeling{instance="127.0.0.1",job="node"}'
    assert kept.values[kept_by_us] == len(labels)
    assert kept.values['up{instance="127.0.0.1",job="node"}'] == 1.0
