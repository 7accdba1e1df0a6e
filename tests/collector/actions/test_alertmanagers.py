"""Alerts reach every Alertmanager that is there, whatever the others do; what does not get through is tried again."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.actions import alertmanagers as module
from collector.actions.alertmanagers import Alertmanagers
from collector.actions.outgoing import Outgoing
from collector.receivers.prometheus.access import Access
from tests.collector.server.stage import until

NOW = 1_700_000_000.0


class Peer:
    """An Alertmanager that answers as it is told to."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.held = asyncio.Event()
        self.held.set()

    @property
    def names(self) -> list[str]:
        return [alert["labels"]["alertname"] for body in self.bodies for alert in body]

    async def answer(self, request: web.Request) -> web.Response:
        await self.held.wait()
        body = json.loads(await request.read())
        self.headers.append(dict(request.headers))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.bodies.append(body)
        return web.Response(status=status, text='"bad"' if status != 200 else "")

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/am/api/v2/alerts", self.answer)
        async with TestServer(app) as server:
            yield str(server.make_url("/am/"))


def alert(name: str, ended: float | None = None) -> Outgoing:
    return Outgoing(name, (("alertname", name),), (("summary", "s"),), NOW - 5, ended, "http://us/q")


@contextlib.asynccontextmanager
async def sending(*urls: str, access: Access | None = None) -> AsyncIterator[Alertmanagers]:
    async def sleep(_: float) -> None:
        await asyncio.sleep(0.01)

    one = Alertmanagers(urls, access or Access(), 1.0, "me", lambda: NOW, sleep)
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_alert_is_posted_as_prometheus_posts_it() -> None:
    peer = Peer()
    async with peer.serving() as url, sending(url) as one:
        one.put([alert("a"), alert("b", NOW - 1)])
        await until(lambda: peer.names == ["a", "b"])
    assert peer.bodies[0] == [
        {
            "labels": {"alertname": "a"},
            "annotations": {"summary": "s"},
            "startsAt": "2023-11-14T22:13:15.000Z",
            "endsAt": "2023-11-14T22:17:20.000Z",  # four times the resend delay ahead
            "generatorURL": "http://us/q",
        },
        {
            "labels": {"alertname": "b"},
            "annotations": {"summary": "s"},
            "startsAt": "2023-11-14T22:13:15.000Z",
            "endsAt": "2023-11-14T22:13:19.000Z",
            "generatorURL": "http://us/q",
        },
    ]
    assert peer.headers[0]["X-Lightship-Instance"] == "me"


async def test_one_that_fails_is_tried_again_and_told_in_a_note() -> None:
    peer = Peer()
    peer.statuses = [500, 503, 429]
    peer.held.clear()
    async with peer.serving() as url, sending(url) as one:
        one.put([alert("a")])
        peer.held.set()
        await until(lambda: peer.names == ["a"])
        await until(lambda: one.figures()["alertmanager_alerts_sent_total"] == 1)
        assert one.figures()["alertmanager_send_failures_total"] == 3
        assert one.notes() == []


async def test_a_dead_one_delays_no_other_and_is_named_without_its_password() -> None:
    peer = Peer()
    async with peer.serving() as url, sending("http://mira:secret@127.0.0.1:9", url) as one:
        one.put([alert("a")])
        await until(lambda: peer.names == ["a"] and one.figures()["alertmanagers_down"] == 1)
        (note,) = one.notes()
        assert note.startswith("The Alertmanager at http://127.0.0.1:9 takes no alerts (1 wait): ")
        assert "secret" not in note + repr(one.urls)


async def test_only_the_newest_state_of_what_waits_is_sent() -> None:
    peer = Peer()
    peer.statuses = [500] * 3
    async with peer.serving() as url, sending(url) as one:
        one.put([alert("a")])
        one.put([alert("a", NOW - 1)])
        await until(lambda: len(peer.bodies) == 1)
    assert [body["endsAt"] for body in peer.bodies[0]] == ["2023-11-14T22:13:19.000Z"]


async def test_what_is_refused_for_good_is_counted_told_and_left() -> None:
    peer = Peer()
    peer.statuses = [400]
    async with peer.serving() as url, sending(url) as one:
        one.put([alert("a")])
        await until(lambda: one.figures()["alertmanager_alerts_dropped_total"] == 1)
        one.put([alert("b")])
        await until(lambda: peer.names == ["b"])
        assert "refused alerts: it answers with status 400" in one.notes()[0]


async def test_the_oldest_of_too_many_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_QUEUE", 3)
    one = Alertmanagers(["http://127.0.0.1:9"], Access(), 1.0)
    one.put([alert(str(number)) for number in range(5)])
    assert one.figures()["alertmanager_queue"] == 3
    assert one.figures()["alertmanager_alerts_dropped_total"] == 2


async def test_a_batch_has_at_most_64() -> None:
    peer = Peer()
    async with peer.serving() as url, sending(url) as one:
        one.put([alert(str(number)) for number in range(150)])
        await until(lambda: len(peer.names) == 150)
    assert max(map(len, peer.bodies)) == 64


async def test_who_posts_stands_in_the_address_or_in_the_settings() -> None:
    peer = Peer()
    async with peer.serving() as url, sending(url, access=Access(bearer_token="t")) as one:
        one.put([alert("a")])
        await until(lambda: peer.names == ["a"])
    async with peer.serving() as url, sending(url.replace("http://", "http://mira:pw@"), access=Access(bearer_token="t")) as one:
        one.put([alert("b")])
        await until(lambda: peer.names == ["a", "b"])
    assert [headers["Authorization"] for headers in peer.headers] == ["Bearer t", "Basic bWlyYTpwdw=="]
