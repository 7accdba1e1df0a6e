"""Credentials and TLS of a scrape, against real servers; secrets stay where they are."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.receivers.prometheus import ExpositionLimits, ScrapeCounters, ScrapeJob
from collector.receivers.prometheus.scrape import TargetScrape
from collector.receivers.prometheus.scraper import make_session
from tests.collector.receivers.prometheus.certificates import Certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with make_session() as session:
        yield session


def scrape_of(job: ScrapeJob) -> TargetScrape:
    (target,), _ = job.scraped(job.static())
    return TargetScrape(target, lambda _: None, lambda: 1000.0, ScrapeCounters(), ExpositionLimits())


async def served(handler_headers: list[str | None]) -> TestServer:
    """A target that remembers who asked."""

    async def handle(request: web.Request) -> web.Response:
        handler_headers.append(request.headers.get("Authorization"))
        return web.Response(text="a 1\n")

    app = web.Application()
    app.router.add_get("/metrics", handle)
    server = TestServer(app)
    await server.start_server()
    return server


async def test_tokens_and_passwords_are_sent_and_their_files_read_again(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    seen: list[str | None] = []
    server = await served(seen)
    url = str(server.make_url("/metrics"))
    secret = tmp_path / "secret"
    secret.write_text("one\n")
    by_file = scrape_of(ScrapeJob(url=url, bearer_token_file=str(secret)))
    await by_file.scrape(session)
    secret.write_text("two\n")
    await by_file.scrape(session)
    await scrape_of(ScrapeJob(url=url, bearer_token="plain")).scrape(session)
    await scrape_of(ScrapeJob(url=url, user="me", password_file=str(secret))).scrape(session)
    await scrape_of(ScrapeJob(url=url)).scrape(session)
    assert seen == ["Bearer one", "Bearer two", "Bearer plain", "Basic bWU6dHdv", None]
    await server.close()


async def test_a_secret_that_cannot_be_used_is_an_error_that_does_not_show_it(
    session: aiohttp.ClientSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush\r\nX-Evil: 1")
    scrape = scrape_of(ScrapeJob(url="http://127.0.0.1:1/metrics", bearer_token_file=str(secret)))
    with caplog.at_level(logging.DEBUG):
        await scrape.scrape(session)
    assert "holds no token" in scrape.health.error
    missing = scrape_of(ScrapeJob(url="http://127.0.0.1:1/metrics", bearer_token_file=str(tmp_path / "none")))
    await missing.scrape(session)
    assert "cannot be read: No such file" in missing.health.error
    assert "hush" not in repr((scrape.health, missing.health)) + caplog.text


async def test_a_token_does_not_follow_a_redirect_to_another_host(session: aiohttp.ClientSession) -> None:
    seen: list[str | None] = []
    other = await served(seen)

    async def away(_request: web.Request) -> web.Response:
        raise web.HTTPFound(str(other.make_url("/metrics")))

    app = web.Application()
    app.router.add_get("/metrics", away)
    server = TestServer(app)
    await server.start_server()
    scrape = scrape_of(ScrapeJob(url=str(server.make_url("/metrics")), bearer_token="hush"))
    await scrape.scrape(session)
    assert "credentials are not sent to another host" in scrape.health.error
    assert seen == []
    await server.close()
    await other.close()


@pytest.mark.peer
@pytest.mark.parametrize("wants_client", [False, True], ids=["server", "both sides"])
async def test_tls_trusts_what_the_job_names(
    session: aiohttp.ClientSession, certificates: Certificates, wants_client: bool
) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(text="a 1\n")

    app = web.Application()
    app.router.add_get("/metrics", handle)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=certificates.server_context(wants_client=wants_client))
    url = str(server.make_url("/metrics"))
    ca = certificates.file("ca.pem")
    mine = {"cert_file": certificates.file("client.pem"), "key_file": certificates.file("client.key")} if wants_client else {}
    good = scrape_of(ScrapeJob(url=url, ca_file=ca, server_name="web.test", **mine))  # type: ignore[arg-type]  # only texts
    await good.scrape(session)
    assert good.health.up, good.health.error
    blind = scrape_of(ScrapeJob(url=url, insecure_skip_verify=True, **mine))  # type: ignore[arg-type]  # only texts
    await blind.scrape(session)
    assert blind.health.up, blind.health.error
    errors = []
    for job in (
        ScrapeJob(url=url, server_name="web.test"),
        ScrapeJob(url=url, ca_file=ca),
        ScrapeJob(url=url, ca_file=ca, server_name="other.test"),
    ):
        scrape = scrape_of(job)
        await scrape.scrape(session)
        errors.append(scrape.health.error)
    assert all("ertificate" in error or "CERTIFICATE" in error for error in errors), errors
    if wants_client:
        nobody = scrape_of(ScrapeJob(url=url, ca_file=ca, server_name="web.test"))
        await nobody.scrape(session)
        assert not nobody.health.up
    await server.close()


async def test_a_certificate_that_cannot_be_read_is_an_error_of_the_target(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        scrape = scrape_of(ScrapeJob(url="https://127.0.0.1:1/metrics", ca_file=str(tmp_path / name)))
        await scrape.scrape(session)
        assert name in scrape.health.error
        assert "cannot be used" in scrape.health.error
