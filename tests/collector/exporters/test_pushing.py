"""Pushing to a Pushgateway again and again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.exporters.exporter import Patience
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
