"""Debian's promtool, unmodified, against our API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.collector.server.prometheus.serving import NOW, Served, served
from tests.peers import need
from tests.running import collector, until

pytestmark = pytest.mark.peer


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as one:
        yield one


async def promtool(*arguments: str) -> tuple[int | None, str, str]:
    program = need("promtool", "prometheus")
    process = await asyncio.create_subprocess_exec(
        program, "query", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, said = await process.communicate()
    return process.returncode, out.decode(), said.decode()


async def test_instant(api: Served) -> None:
    code, out, said = await promtool("instant", "--time", str(NOW), api.url, "sum by (code) (http_requests_total)")
    assert (code, said) == (0, "")
    assert out.splitlines() == [f'{{code="200"}} => 480 @[{NOW}]', f'{{code="500"}} => 60 @[{NOW}]']


async def test_instant_of_a_scalar_and_a_range(api: Served) -> None:
    assert (await promtool("instant", "--time", str(NOW), api.url, "1 / 3"))[1] == f"scalar: 0.3333333333333333 @[{NOW}]\n"
    code, out, _ = await promtool("instant", "--time", str(NOW), api.url, 'http_requests_total{code="500"}[30s]')
    assert code == 0
    assert out.splitlines()[1:] == [f"59.75 @[{NOW - 20}]", f"60 @[{NOW - 5}]"]


async def test_range(api: Served) -> None:
    code, out, said = await promtool(
        "range", f"--start={NOW - 30}", f"--end={NOW}", "--step=15s", api.url, 'rate(http_requests_total{code="200"}[1m])'
    )
    assert (code, said) == (0, "")
    assert out.splitlines() == [
        '{code="200", instance="a:80", job="api"} =>',
        *(f"0.13333333333333333 @[{at}]" for at in (NOW - 30, NOW - 15, NOW)),
    ]


async def test_series(api: Served) -> None:
    code, out, said = await promtool("series", "--match=http_requests_total", f"--start={NOW - 60}", f"--end={NOW}", api.url)
    assert (code, said) == (0, "")
    assert out.splitlines() == [
        '{__name__="http_requests_total", code="200", instance="a:80", job="api"}',
        '{__name__="http_requests_total", code="500", instance="a:80", job="api"}',
    ]


async def test_labels(api: Served) -> None:
    code, out, said = await promtool("labels", f"--start={NOW - 60}", f"--end={NOW}", api.url, "code")
    assert (code, said) == (0, "")
    assert out.splitlines() == ["200", "500"]


async def test_a_native_histogram_is_understood(api: Served) -> None:
    code, out, said = await promtool("instant", "--time", str(NOW), api.url, "latency_seconds")
    assert (code, said) == (0, "")
    assert "latency_seconds" in out


async def test_a_running_collector(tmp_path: Path) -> None:
    """The product itself: what a StatsD program sends is what promtool reads."""
    with collector(tmp_path / "collector", "host = false\n") as one:
        one.send("shop.depth:4|g|#service:web")
        until(lambda: one.get("shop.depth"), "the gauge is there")

        async def asked(query: str) -> str:
            return (await promtool("instant", one.url, query))[1]

        await when_async(lambda: asked("shop_depth"), lambda out: out.startswith('shop.depth{service="web"} => 4 @['))
        assert (await promtool("labels", one.url, "service"))[1] == "web\n"
        assert (await promtool("series", "--match=shop_depth", one.url))[1] == '{__name__="shop.depth", service="web"}\n'


async def when_async(ask: Callable[[], Awaitable[str]], holds: Callable[[str], bool]) -> None:
    end = time.monotonic() + 20
    while not holds(said := await ask()):
        assert time.monotonic() < end, said
        await asyncio.sleep(0.1)


async def test_errors_are_told_in_our_words(api: Served) -> None:
    code, _, said = await promtool("instant", api.url, "sum(")
    assert code == 1
    assert "bad_data" in said
    assert 'invalid parameter "query": 1:5: parse error' in said
    assert (await promtool("range", "--start=2", "--end=1", api.url, "up"))[0] == 1
