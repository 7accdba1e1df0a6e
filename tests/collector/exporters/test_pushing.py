"""Pushing to a Pushgateway: again and again by the collector, and once by a job that ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.exporters.exporter import Patience
from collector.exporters.push_once import PushError, exposition, group_url, push_once
from collector.exporters.pushgateway import PushgatewayExporter
from collector.query import QueryService
from collector.storage.remote.target import RemoteTarget
from monitor.engine import Engine
from tests.collector.exporters.exposed import NOW, shop
from tests.collector.waits import running, until

QUICK = Patience(answer=5.0, least=0.01, longest=0.02)


@dataclass
class Gateway:
    """Takes pushes after it has used up its statuses."""

    statuses: list[int] = field(default_factory=list)
    pushes: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path, body."""
    url: str = ""


@contextlib.asynccontextmanager
async def gateway(*statuses: int) -> AsyncIterator[Gateway]:
    one = Gateway(list(statuses))

    async def handle(request: web.Request) -> web.Response:
        if one.statuses:
            return web.Response(status=one.statuses.pop(0), text="not now")
        one.pushes.append((request.method, request.raw_path, await request.text()))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    async with TestServer(app) as server:
        one.url = str(server.make_url(""))
        yield one


async def test_the_newest_values_are_pushed_and_replace_what_was_there() -> None:
    queries, engine = QueryService(shop().history), Engine()
    async with gateway(503, 503) as one:
        target = RemoteTarget(one.url, one.url)
        pushing = PushgatewayExporter(
            "push", target, '{__name__=~"shop.*"}', {"instance": "a/b"}, queries, patience=QUICK, clock=lambda: NOW
        )
        async with running(pushing.run()):
            pushing.take(engine.tick(NOW))
            pushing.take(engine.tick(NOW + 1))
            await until(lambda: len(one.pushes) == 1)
            pushing.take(engine.tick(NOW + 16))
            await until(lambda: len(one.pushes) == 2)
        assert pushing.figures()["export_failures_total"] == 2
        assert pushing.notes() == []
    queries.close()
    method, path, body = one.pushes[0]
    assert (method, path) == ("PUT", "/metrics/job/lightship/instance@base64/YS9i")
    assert "# TYPE shop_orders_total counter" in body
    assert 'shop_orders_total{region="us"} 30' in body


async def test_a_push_that_is_refused_is_told_and_not_repeated() -> None:
    queries = QueryService(shop().history)
    async with gateway(400) as one:
        pushing = PushgatewayExporter(
            "push", RemoteTarget(one.url, one.url), "shop_depth", {}, queries, patience=QUICK, clock=lambda: NOW
        )
        async with running(pushing.run()):
            pushing.take(Engine().tick(NOW))
            await until(lambda: pushing.figures()["export_refused_total"] == 1)
        assert "refused the last push: status 400: not now" in pushing.notes()[0]
    queries.close()


async def test_a_job_pushes_once_and_tries_again_while_the_gateway_is_away() -> None:
    async with gateway(503) as one:
        body = exposition(["backup_bytes=1024", 'backup_files_total{kind="new"}=7'])
        await asyncio.to_thread(push_once, one.url, body, job="backup", grouping={"instance": "db 1"}, patience=QUICK)
    assert one.pushes == [
        (
            "PUT",
            "/metrics/job/backup/instance/db%201",
            '# TYPE backup_bytes gauge\nbackup_bytes 1024\n# TYPE backup_files_total counter\nbackup_files_total{kind="new"} 7\n',
        )
    ]


@pytest.mark.parametrize(("statuses", "said"), [([400], "refused it .status 400"), ([503] * 4, "in 4 attempts .status 503")])
async def test_what_was_not_pushed_is_an_error_that_says_why(statuses: list[int], said: str) -> None:
    async with gateway(*statuses) as one:
        with pytest.raises(PushError, match=said):
            await asyncio.to_thread(push_once, one.url, b"a 1\n", job="x", patience=QUICK)


@pytest.mark.parametrize("pair", ["backup", "=1", "a=b", "a b=1", "1a=2", "a=1_000"])
def test_what_is_no_pair_is_refused_with_a_sentence(pair: str) -> None:
    with pytest.raises(PushError, match=r"no name=value|no number"):
        exposition([pair])


def test_groups_that_cannot_be_are_refused() -> None:
    assert group_url("http://g:9091/", "j", {"a": ""}) == "http://g:9091/metrics/job/j/a@base64/="
    for job, grouping in (("", {}), ("j", {"a-b": "c"})):
        with pytest.raises(PushError, match="cannot name a group"):
            group_url("http://g:9091", job, grouping)
    with pytest.raises(PushError, match="no address"):
        push_once("ftp://nowhere", b"", job="x")
