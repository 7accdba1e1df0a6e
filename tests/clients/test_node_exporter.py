"""Debian's node exporter, scraped for real and compared with prometheus_client's reading of the same body."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector.receivers.prometheus import ScrapeCounters, ScrapeTarget
from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.limits import ExpositionLimits
from collector.receivers.prometheus.scraper import TargetScrape, make_session
from monitor.model.batch import Batch
from monitor.model.series import Kind
from tests.peers import need

PROGRAM = "prometheus-node-exporter"

pytestmark = pytest.mark.peer


@pytest.fixture
def exporter(unused_tcp_port: int) -> Iterator[str]:
    """The address of a running node exporter."""
    program = need(PROGRAM, PROGRAM)
    address = f"127.0.0.1:{unused_tcp_port}"
    process = subprocess.Popen([program, f"--web.listen-address={address}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        said = b""
        while b'msg="Listening on"' not in said and b"TLS is disabled" not in said:
            line = process.stderr.readline()
            assert line, f"{PROGRAM} ended: {said[-500:]!r}"
            said += line
        yield f"http://{address}/metrics"
    finally:
        process.kill()
        process.communicate()


def body_of(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


def test_every_value_is_the_one_prometheus_client_reads(exporter: str) -> None:
    body = body_of(exporter)
    parser = ExpositionParser(openmetrics=False)
    parser.parse(body_of(exporter))
    samples = parser.parse(body)
    ours = {
        (parser.series[series].name, parser.series[series].labels): value
        for series, value in zip(samples.ids.tolist(), samples.values.tolist(), strict=True)
    }
    theirs = {
        (sample.name, tuple(sorted(label for label in sample.labels.items() if label[1]))): float(sample.value)
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }

    # Their counters in text format get _total appended where the exporter left it out; ours keep the name as sent.
    def counted(name: str) -> str:
        return name.removesuffix("_total")

    ours_counted = {(counted(name), labels): value for (name, labels), value in ours.items()}
    theirs_counted = {(counted(name), labels): value for (name, labels), value in theirs.items()}
    assert len(ours) > 200
    assert ours_counted.keys() == theirs_counted.keys()
    keys = list(ours_counted)
    np.testing.assert_array_equal([ours_counted[key] for key in keys], [theirs_counted[key] for key in keys])


async def test_scraping_it_gives_gauges_and_increments(exporter: str) -> None:
    values: dict[str, float] = {}
    kinds: dict[str, Kind] = {}

    def sink(batches: Sequence[Batch]) -> None:
        for batch in batches:
            for series, value in zip(batch.ids.tolist(), batch.values.tolist(), strict=True):
                key = batch.space.keys[series]
                values[key.label()] = value
                kinds[key.name] = batch.space.kinds[series]

    target = ScrapeTarget(exporter, job="node")
    scrape = TargetScrape(target, sink, lambda: 1000.0, ScrapeCounters(), ExpositionLimits())
    async with make_session() as session:
        for _ in range(2):
            await scrape.scrape(session)
            assert scrape.health.up, scrape.health.error
    tags = f'instance="{target.instance}",job="node"'
    with contextlib.suppress(OSError):
        assert values[f"node_memory_MemTotal_bytes{{{tags}}}"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert kinds["node_cpu_seconds_total"] is Kind.COUNTER
    assert kinds["node_load1"] is Kind.GAUGE
    increments = [value for label, value in values.items() if label.startswith("node_cpu_seconds_total")]
    assert increments
    assert all(0.0 <= value < 60.0 for value in increments)
    assert scrape.health.series > 200
    await asyncio.sleep(0)
