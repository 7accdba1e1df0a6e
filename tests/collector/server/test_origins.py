"""Which senders are let in: programs always, web pages where they are of this host or listed."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from collector.receivers.events import EventReceiver
from collector.receivers.otlp import OtlpHttp, OtlpReceiver
from collector.receivers.pushgateway import PushReceiver
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.server.origins import Origins
from tests.collector.receivers.remote_write.recording import Recording, serving

STRANGE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://rebound.example:7070", "Host": "rebound.example:7070", "Sec-Fetch-Site": "same-origin"},
    {"Host": "rebound.example:7070", "Sec-Fetch-Site": "same-origin"},
]
SENDERS: list[dict[str, str]] = [
    {},
    {"Host": "monitoring.internal"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://listed.example", "Sec-Fetch-Site": "cross-site"},
]
WRITES = [
    ("POST", "/metrics/job/a"),
    ("PUT", "/metrics/job@base64/YQ"),
    ("DELETE", "/metrics/job/a"),
    ("POST", "/api/v1/write"),
    ("POST", "/api/v1/events"),
    ("POST", "/v1/metrics"),
    ("POST", "/v1/traces"),
]


def routes(origins: Origins) -> list[web.RouteDef]:
    accept = Recording()
    push = PushReceiver(accept, lambda: 1.0)
    parts = (push, RemoteWriteReceiver(accept), EventReceiver(accept), OtlpReceiver(accept))
    return origins.guarded([route for part in parts for route in part.routes()])


async def statuses(url: str, headers: dict[str, str]) -> list[int]:
    found = []
    async with aiohttp.ClientSession() as session:
        for method, path in WRITES:
            async with session.request(method, url + path, headers=headers) as answer:
                found.append(answer.status)
    return found


@pytest.mark.parametrize("headers", STRANGE, ids=str)
async def test_a_page_of_a_strange_origin_can_write_nothing(headers: dict[str, str]) -> None:
    origins = Origins(["https://listed.example"])
    async with serving(routes(origins)) as url:
        assert await statuses(url, headers) == [403] * len(WRITES)
    assert origins.refused == len(WRITES)


@pytest.mark.parametrize("headers", SENDERS, ids=str)
async def test_programs_and_listed_pages_go_on(headers: dict[str, str]) -> None:
    async with serving(routes(Origins(["https://listed.example"]))) as url:
        found = await statuses(url, headers)
    assert 403 not in found
    assert found[:3] == [200, 200, 202]


async def test_the_port_of_otlp_is_guarded_too() -> None:
    server = OtlpHttp(OtlpReceiver(Recording()), "127.0.0.1", 0)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{server.port}/v1/metrics"
            async with session.post(url, headers={"Origin": "https://evil.example"}) as answer:
                assert (answer.status, "list the origin" in await answer.text()) == (403, True)
    finally:
        await server.stop()
