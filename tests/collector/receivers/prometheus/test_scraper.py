"""The scraper against real HTTP servers on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import itertools
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.receivers.prometheus import ExpositionLimits, ScrapeCounters, Scraper, ScrapeTarget
from collector.receivers.prometheus.scrape import TargetScrape
from collector.receivers.prometheus.scraper import make_session
from monitor.model.batch import Batch

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]

OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers: takes a handler for every path, gives the address of /metrics."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler: Handler) -> str:
            app = web.Application()
            app.router.add_get("/{path:.*}", handler)
            server = await stack.enter_async_context(TestServer(app))
            return str(server.make_url("/metrics"))

        yield start


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with make_session() as session:
        yield session


class Taken:
    """A sink that remembers values by name."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def __call__(self, batches: Sequence[Batch]) -> None:
        for batch in (batch for batch in batches if batch.windowed):
            for series, value in zip(batch.ids.tolist(), batch.values.tolist(), strict=True):
                self.values[batch.space.keys[series].name] = value


def scrape_of(
    url: str, taken: Taken | None = None, *, timeout: float = 10.0, limits: ExpositionLimits | None = None
) -> TargetScrape:
    target = ScrapeTarget(url, job="test", timeout=timeout)
    return TargetScrape(target, taken or Taken(), lambda: 1000.0, ScrapeCounters(), limits or ExpositionLimits())


def says(text: str, **headers: str) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4"} | headers)

    return handle


async def test_an_answer_becomes_series_and_health(serve: Serve, session: aiohttp.ClientSession) -> None:
    taken = Taken()
    scrape = scrape_of(await serve(says("a 1\nb 2\n")), taken)
    assert scrape.health.last_scrape is None
    await scrape.scrape(session)
    assert (taken.values["a"], taken.values["up"], taken.values["scrape_samples_scraped"]) == (1.0, 1.0, 2.0)
    health = scrape.health
    assert (health.up, health.error, health.samples, health.series, health.last_scrape) == (True, "", 2, 2, 1000.0)
    assert health.job == "test"
    assert health.instance == urlsplit(health.url).netloc


async def test_openmetrics_is_preferred_and_read_strictly(serve: Serve, session: aiohttp.ClientSession) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.headers["Accept"])
        return web.Response(body=b'# TYPE a counter\na_total 1 # {id="x"} 1\n# EOF\n', headers=OPENMETRICS)

    scrape = scrape_of(await serve(handle))
    await scrape.scrape(session)
    assert scrape.health.up
    assert asked[0].startswith("application/openmetrics-text;version=1.0.0")


async def test_a_target_whose_openmetrics_is_refused_is_asked_for_text(serve: Serve, session: aiohttp.ClientSession) -> None:
    async def handle(request: web.Request) -> web.Response:
        if "openmetrics" in request.headers["Accept"]:
            return web.Response(body=b"a 1\n", headers=OPENMETRICS)
        return web.Response(text="a 1\n")

    scrape = scrape_of(await serve(handle))
    await scrape.scrape(session)
    assert not scrape.health.up
    assert "# EOF" in scrape.health.error
    await scrape.scrape(session)
    assert scrape.health.up


async def test_compressed_answers_are_read_and_bombs_are_not(serve: Serve, session: aiohttp.ClientSession) -> None:
    bodies = [gzip.compress(b"a 1\n"), gzip.compress(b"#" * 50_000_000), b"not gzip"]

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=bodies.pop(0), headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})

    scrape = scrape_of(await serve(handle), limits=ExpositionLimits(body_bytes=1_000_000))
    await scrape.scrape(session)
    assert scrape.health.up
    await scrape.scrape(session)
    assert "more than 1000000 bytes after decompression" in scrape.health.error
    await scrape.scrape(session)
    assert "broken compressed data" in scrape.health.error


async def test_a_body_without_end_is_cut_at_the_limit(serve: Serve, session: aiohttp.ClientSession) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"a 1\n" * 10_000)
        return response

    scrape = scrape_of(await serve(handle), limits=ExpositionLimits(body_bytes=1_000_000))
    await scrape.scrape(session)
    assert scrape.health.error == "answers with more than 1000000 bytes"


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (says("<html>", **{"Content-Type": "text/html"}), "web page"),
        (says("{}", **{"Content-Type": "application/json"}), "application/json"),
        (says("a b c d\n"), "not a value"),
    ],
)
async def test_what_is_no_exposition_fails_with_a_sentence(
    serve: Serve, session: aiohttp.ClientSession, handler: Handler, error: str
) -> None:
    scrape = scrape_of(await serve(handler))
    await scrape.scrape(session)
    assert not scrape.health.up
    assert error in scrape.health.error


async def test_an_error_status_is_named(serve: Serve, session: aiohttp.ClientSession) -> None:
    async def handle(_request: web.Request) -> web.Response:
        raise web.HTTPServiceUnavailable

    scrape = scrape_of(await serve(handle))
    await scrape.scrape(session)
    assert scrape.health.error == "answers with status 503 Service Unavailable"


async def test_a_target_that_hangs_ends_at_the_timeout_and_its_series_go_stale(
    serve: Serve, session: aiohttp.ClientSession
) -> None:
    hang = False
    release = asyncio.Event()

    async def handle(_request: web.Request) -> web.Response:
        if hang:
            await release.wait()
        return web.Response(text="a 1\n")

    taken = Taken()
    scrape = scrape_of(await serve(handle), taken, timeout=0.2)
    await scrape.scrape(session)
    assert scrape.health.up
    hang = True
    await scrape.scrape(session)
    release.set()
    assert scrape.health.error == "no complete answer within 0.2 s"
    assert math.isnan(taken.values["a"])
    assert taken.values["up"] == 0.0


async def test_nobody_listening_is_an_error_of_the_target(session: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    scrape = scrape_of(f"http://127.0.0.1:{unused_tcp_port}/metrics")
    await scrape.scrape(session)
    assert not scrape.health.up
    assert scrape.health.error


async def test_credentials_are_sent_but_never_shown_and_never_leave_their_host(
    serve: Serve, session: aiohttp.ClientSession
) -> None:
    seen: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="a 1\n")

    other = await serve(elsewhere)

    async def handle(request: web.Request) -> web.Response:
        assert request.headers.get("Authorization") == "Basic " + base64.b64encode(b"me:secret").decode()
        match request.path:
            case "/metrics":
                raise web.HTTPFound("/moved")
            case "/moved":
                return web.Response(text="a 1\n")
            case _:
                raise web.HTTPFound(other)

    url = (await serve(handle)).replace("http://", "http://me:secret@")
    scrape = scrape_of(url)
    await scrape.scrape(session)
    assert scrape.health.up, scrape.health.error
    away = scrape_of(url.replace("/metrics", "/away"))
    await away.scrape(session)
    assert "credentials are not sent to another host" in away.health.error
    assert seen == []
    assert "secret" not in repr((scrape.health, away.health))


async def test_without_credentials_a_redirect_is_followed_but_not_in_circles(
    serve: Serve, session: aiohttp.ClientSession
) -> None:
    other = await serve(says("a 1\n"))

    async def handle(request: web.Request) -> web.Response:
        targets = {"/metrics": other, "/circle": "/circle", "/file": "file:///etc/passwd", "/broken": "http://[/"}
        return web.Response(status=302, headers={"Location": targets[request.path]})

    url = await serve(handle)
    errors = []
    for path in ("/metrics", "/circle", "/file", "/broken"):
        scrape = scrape_of(url.replace("/metrics", path))
        await scrape.scrape(session)
        errors.append(scrape.health.error)
    no_address = "redirects to something that is no HTTP address"
    assert errors == ["", "redirects more than 5 times", no_address, no_address]


async def test_run_scrapes_every_target_again_and_again_and_one_never_twice_at_once(serve: Serve) -> None:
    running: dict[str, int] = {}
    most_at_once: list[int] = []
    count = 0
    enough = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        nonlocal count
        running[request.path] = running.get(request.path, 0) + 1
        most_at_once.append(running[request.path])
        await asyncio.sleep(0)
        running[request.path] -= 1
        count += 1
        if count >= 12:
            enough.set()
        return web.Response(text="a 1\n")

    url = await serve(handle)
    targets = [ScrapeTarget(url.replace("metrics", name), interval=0.1) for name in ("one", "two", "three")]
    loop = asyncio.get_running_loop()
    scraper = Scraper(targets, Taken(), loop.time)
    task = asyncio.create_task(scraper.run())
    await asyncio.wait_for(enough.wait(), 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert scraper.counters.scrapes > 0
    assert max(most_at_once) == 1
    assert set(running) == {"/one", "/two", "/three"}
    assert [health.job for health in scraper.health()] == ["127.0.0.1"] * 3


async def test_a_mistake_in_the_sink_does_not_end_the_scrapes(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    calls = 0
    again = asyncio.Event()

    def sink(_batches: Sequence[Batch]) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            again.set()
        raise RuntimeError("full")

    scraper = Scraper([ScrapeTarget(await serve(says("a 1\n")), interval=0.1)], sink, asyncio.get_running_loop().time)
    with caplog.at_level(logging.CRITICAL):
        task = asyncio.create_task(scraper.run())
        await asyncio.wait_for(again.wait(), 30)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert calls > 1


def test_a_clock_set_back_does_not_stop_the_scrapes() -> None:
    from collector.receivers.prometheus.scraper import _next_due

    for now in (0.0, 7.3, 1e9 + 0.1, -5.0):
        due = _next_due(now, 15.0, 4.2)
        assert now < due <= now + 15.0
        assert (due - 4.2) % 15.0 == pytest.approx(0.0, abs=1e-5) or (due - 4.2) % 15.0 == pytest.approx(15.0, abs=1e-5)


def test_targets_are_spread_over_their_interval() -> None:
    offsets = sorted(ScrapeTarget(f"http://host{number}:9100/metrics").offset for number in range(200))
    assert offsets[0] >= 0.0
    assert offsets[-1] < 15.0
    assert max(later - earlier for earlier, later in itertools.pairwise(offsets)) < 1.5


@pytest.mark.parametrize("url", ["", "localhost:9100", "ftp://host/", "http://", "http:///metrics"])
def test_an_address_that_cannot_be_scraped_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="no address to scrape"):
        ScrapeTarget(url)


def test_the_tags_of_a_target() -> None:
    assert ScrapeTarget("http://u:p@host/metrics").tags == {"job": "host", "instance": "host:80"}
    assert ScrapeTarget("https://[::1]/m", job="j", labels={"env": "x"}).tags == {"job": "j", "instance": "[::1]:443", "env": "x"}
