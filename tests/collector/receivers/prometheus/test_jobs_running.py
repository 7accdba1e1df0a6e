"""Jobs that run: targets found in files and over HTTP, histograms handed on, limits told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.receivers.accept import NotAcceptedError
from collector.receivers.prometheus import ScrapeJob, Scraper
from monitor.alerting.model import Event
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from tests.collector.receivers.prometheus.protobufs import HISTOGRAM, family, histogram, metric, native


class Peer:
    """A target and a discovery in one server."""

    def __init__(self) -> None:
        self.found: Any = []
        self.status = 200
        self.asked = 0
        self.wanted: str | None = None
        """What a question for targets is authorized by."""
        self.body: Callable[[], tuple[bytes, str]] = lambda: (b"a 1\n", "text/plain")
        self.accepts: list[str] = []

    async def metrics(self, request: web.Request) -> web.Response:
        self.accepts.append(request.headers["Accept"])
        body, kind = self.body()
        return web.Response(body=body, headers={"Content-Type": kind})

    async def discovery(self, request: web.Request) -> web.Response:
        self.asked += 1
        assert request.headers.get("Authorization") == self.wanted
        assert request.headers["X-Prometheus-Refresh-Interval-Seconds"] == "0.05"
        return web.Response(status=self.status, text=json.dumps(self.found), content_type="application/json")


class Kept:
    """Takes everything, and remembers the last value of each series by its label."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.histograms: list[HistogramBatch] = []
        self.full = False

    def __call__(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            for series, value in zip(batch.ids.tolist(), batch.values.tolist(), strict=True):
                self.values[batch.space.keys[series].label()] = value

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        if self.full:
            raise NotAcceptedError("full")
        self.histograms += [batch for batch in batches if isinstance(batch, HistogramBatch)]

    async def spans(self, spans: Spans) -> None: ...

    async def logs(self, logs: Logs) -> None: ...

    def events(self, events: Sequence[Event]) -> None: ...


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, str]]:
    """The peer and its host:port."""
    peer = Peer()
    app = web.Application()
    app.router.add_get("/metrics", peer.metrics)
    app.router.add_get("/sd", peer.discovery)
    async with TestServer(app) as server:
        yield peer, f"{server.host}:{server.port}"


@contextlib.asynccontextmanager
async def running(kept: Kept, job: ScrapeJob) -> AsyncIterator[Scraper]:
    scraper = Scraper([job], kept, asyncio.get_running_loop().time, accept=kept)
    task = asyncio.create_task(scraper.run())
    try:
        yield scraper
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_a_file_that_changed_brings_and_takes_targets(peer: tuple[Peer, str], tmp_path: Path) -> None:
    _, address = peer
    file = tmp_path / "targets.json"

    def write(*zones: str) -> None:
        file.with_suffix(".new").write_text(json.dumps([{"targets": [address], "labels": {"zone": zone}} for zone in zones]))
        os.replace(file.with_suffix(".new"), file)

    write("a")
    kept = Kept()
    job = ScrapeJob(file_sd=(f"{tmp_path}/*.json",), sd_refresh=0.05, interval=0.05, job="j")

    def series(zone: str) -> str:
        return f'a{{instance="{address}",job="j",zone="{zone}"}}'

    async with running(kept, job) as scraper:
        await until(lambda: series("a") in kept.values)
        write("b")
        await until(lambda: series("b") in kept.values and math.isnan(kept.values[series("a")]))
        up = f'up{{instance="{address}",job="j",zone="a"}}'
        assert math.isnan(kept.values[up]), "what is no target is neither up nor down"
        assert [target.labels["zone"] for target in scraper.health()] == ["b"]
        assert scraper.health()[0].discovered["__meta_filepath"] == str(file)


async def test_targets_told_over_http_stay_while_it_fails(peer: tuple[Peer, str]) -> None:
    server, address = peer
    server.found = [{"targets": [address], "labels": {"__meta_zone": "z"}}]
    kept = Kept()
    job = ScrapeJob(
        http_sd=(f"http://{address}/sd",),
        sd_refresh=0.05,
        interval=0.05,
        job="j",
        bearer_token="for the targets alone",
        relabel=[{"source_labels": ["__meta_zone"], "target_label": "zone"}],
    )
    async with running(kept, job) as scraper:
        await until(lambda: f'a{{instance="{address}",job="j",zone="z"}}' in kept.values)
        server.status = 503
        asked = server.asked
        await until(lambda: server.asked > asked + 1 and scraper.notes())
        assert scraper.notes() == [f"targets from http://{address}/sd: answers with status 503"]
        assert len(scraper.health()) == 1
        server.status, server.found = 200, []
        await until(lambda: not scraper.health())
        assert scraper.notes() == []


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"sd_user": "me", "sd_password": "s3cret"}, "Basic bWU6czNjcmV0"),
        ({"sd_bearer_token_file": "token"}, "Bearer for-the-inventory"),
    ],
)
async def test_discovery_has_credentials_of_its_own(
    peer: tuple[Peer, str], tmp_path: Path, keys: dict[str, str], wanted: str
) -> None:
    server, address = peer
    server.found, server.wanted = [{"targets": [address]}], wanted
    (tmp_path / "token").write_text("for-the-inventory\n")
    keys = {key: str(tmp_path / value) if key.endswith("_file") else value for key, value in keys.items()}
    job = ScrapeJob(http_sd=(f"http://{address}/sd",), sd_refresh=0.05, interval=0.05, job="j", bearer_token="other", **keys)  # type: ignore[arg-type]
    assert "s3cret" not in repr(job)
    async with running(Kept(), job) as scraper:
        await until(lambda: scraper.health() and scraper.health()[0].up)
        assert scraper.notes() == []


async def test_a_job_over_its_target_limit_is_down_as_a_whole_and_comes_back(peer: tuple[Peer, str]) -> None:
    server, address = peer
    server.found = [{"targets": [address], "labels": {"zone": zone}} for zone in "abc"]
    kept = Kept()
    job = ScrapeJob(http_sd=(f"http://{address}/sd",), sd_refresh=0.05, interval=0.05, job="j", target_limit=2)
    async with running(kept, job) as scraper:
        await until(lambda: scraper.counters.failed >= 3)
        assert scraper.notes() == ["j has 3 targets after relabelling; target_limit is 2, so none is scraped"]
        assert server.accepts == []
        assert kept.values[f'up{{instance="{address}",job="j",zone="a"}}'] == 0.0
        server.found = server.found[:2]
        await until(lambda: all(target.up for target in scraper.health()))
        assert len(scraper.health()) == 2
        assert scraper.notes() == []


def test_credentials_of_discovery_that_contradict_are_refused() -> None:
    with pytest.raises(ValueError, match="http_sd: set a user or a bearer token"):
        ScrapeJob(http_sd=("http://x/sd",), sd_user="a", sd_bearer_token="b")


async def test_native_histograms_are_asked_for_and_handed_on(peer: tuple[Peer, str]) -> None:
    server, address = peer
    count = 0

    def body() -> tuple[bytes, str]:
        nonlocal count
        count += 1
        part = native(3, 0, [(1, 1)], [count])
        kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        return family("h", HISTOGRAM, metric(HISTOGRAM, histogram(count, 1.0 * count, {}, part))), kind

    server.body = body
    kept = Kept()
    async with running(kept, ScrapeJob(targets=(address,), interval=0.05, native_histograms=True)) as scraper:
        await until(lambda: len(kept.histograms) >= 2)
        assert all(batch.counts.sum() == pytest.approx(1.0) for batch in kept.histograms)
        assert server.accepts[0].startswith("application/vnd.google.protobuf;")
        assert kept.histograms[0].space.raw
        kept.full = True
        await until(lambda: scraper.counters.histograms_lost)
        assert scraper.health()[0].up


async def test_a_scrape_over_its_sample_limit_is_down_with_a_reason(peer: tuple[Peer, str]) -> None:
    server, address = peer
    server.body = lambda: (b"a 1\nb 1\nc 1\n", "text/plain")
    kept = Kept()
    async with running(kept, ScrapeJob(targets=(address,), interval=0.05, sample_limit=2, job="j")) as scraper:
        await until(lambda: scraper.counters.failed)
        assert scraper.health()[0].error == "3 samples after relabelling; sample_limit is 2"
        assert scraper.notes() == [f"http://{address}/metrics of j is not taken: 3 samples after relabelling; sample_limit is 2"]
        tags = f'{{instance="{address}",job="j"}}'
        assert (kept.values[f"up{tags}"], kept.values[f"scrape_samples_scraped{tags}"]) == (0.0, 3.0)
        assert scraper.figures()["scrapes_failed_total"] == scraper.counters.failed


async def test_a_body_over_the_jobs_limit_is_refused(peer: tuple[Peer, str]) -> None:
    server, address = peer
    server.body = lambda: (b"a 1\n" * 100, "text/plain")
    async with running(Kept(), ScrapeJob(targets=(address,), interval=0.05, body_size_limit=100)) as scraper:
        await until(lambda: scraper.counters.failed)
        assert scraper.health()[0].error == "answers with more than 100 bytes"
