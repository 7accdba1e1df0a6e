"""The API over a history in memory, served on a free port, for tests and real clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
import numpy as np
from aiohttp import web

from collector.query import QueryLimits, QueryService
from collector.server.prometheus import (
    ActiveAlert,
    DroppedTarget,
    PrometheusApi,
    RuleGroupView,
    RuleView,
    Runtime,
    TargetView,
    TsdbFigures,
)
from monitor.query.histogram import Buckets, Histogram
from monitor.query.history import Labels, Metadata
from monitor.query.memory import Bounds, MemoryHistory

NOW = 1_700_000_000
"""Seconds; the newest sample is 5 s older."""
FOREVER = 1 << 60


def labels(name: str, **tags: str) -> Labels:
    return tuple(sorted((("__name__", name), *tags.items())))


def sample_history() -> MemoryHistory:
    """An hour every 15 s of two counters and a gauge with a dotted name, and one native histogram."""
    history = MemoryHistory(Bounds(age=FOREVER, late=FOREVER))
    times = np.arange(NOW - 3605, NOW, 15, dtype=np.int64) * 1000
    for code, slope in (("200", 2.0), ("500", 0.25)):
        series = labels("http_requests_total", job="api", instance="a:80", code=code)
        history.append(series, times, np.arange(len(times), dtype=np.float64) * slope)
    history.append(labels("queue.depth", job="api", instance="a:80"), times, np.sin(times / 300_000.0))
    drawn = Histogram.of(
        0, 12.0, 20.5, zero_count=2.0, positive=Buckets(np.array([1, 2, 4], np.int32), np.array([3.0, 4.0, 3.0]))
    )
    history.append_histograms(labels("latency_seconds", job="api"), times[-4:], [drawn] * 4)
    history.describe("http_requests_total", Metadata("counter", "Requests answered.", ""))
    history.describe("queue.depth", Metadata("gauge", "", ""))
    return history


ALERT = ActiveAlert(
    labels={"alertname": "Errors", "severity": "page", "code": "500"},
    annotations={"summary": "too many"},
    state="firing",
    active_at=NOW - 60.0,
    value=0.25,
)


@dataclass
class FakeInfo:
    """`ApiInfo` of a small collector."""

    version: str = "0.1.0"
    groups: list[RuleGroupView] = field(default_factory=list)

    def __post_init__(self) -> None:
        alerting = RuleView(
            name="Errors",
            query='rate(http_requests_total{code="500"}[5m]) > 0',
            labels={"severity": "page"},
            annotations={"summary": "too many"},
            state="firing",
            duration=60.0,
            alerts=[ALERT],
            last_evaluation=NOW - 1.5,
            evaluation_time=0.002,
        )
        recording = RuleView(name="job:requests:rate5m", query="sum by (job) (rate(http_requests_total[5m]))", record=True)
        self.groups += [
            RuleGroupView(name="api", file="api.yml", rules=[alerting, recording], interval=15.0, last_evaluation=NOW - 1.5),
            RuleGroupView(name="more", file="api.yml", rules=[recording]),
        ]

    def runtime(self) -> Runtime:
        return Runtime(started=NOW - 7200.0, host="here", threads=4, cpus=2, retention="7d")

    def flags(self) -> Mapping[str, str]:
        return {"interval": "1s"}

    def config(self) -> str:
        return "interval: 1s\n"

    def tsdb(self) -> TsdbFigures:
        return TsdbFigures(series=4, first=1, last=2, series_by_metric=[("http_requests_total", 2), ("latency_seconds", 1)])

    def rule_groups(self) -> Sequence[RuleGroupView]:
        return self.groups

    def alerts(self) -> Sequence[ActiveAlert]:
        return [ALERT]

    def targets(self) -> Sequence[TargetView]:
        return [
            TargetView(
                pool="api",
                url="http://a:80/metrics",
                labels={"job": "api", "instance": "a:80"},
                discovered={"__address__": "a:80"},
                health="up",
                last_scrape=NOW - 5.0,
                last_duration=0.01,
            )
        ]

    def dropped_targets(self) -> Sequence[DroppedTarget]:
        return [DroppedTarget({"__address__": "b:80", "job": "api"})]

    def alertmanagers(self) -> Sequence[str]:
        return ["http://am:9093/api/v2/alerts"]


@dataclass
class Served:
    url: str
    service: QueryService
    session: aiohttp.ClientSession

    async def ask(self, path: str, **parameters: Any) -> dict[str, Any]:
        """A GET; the envelope, which has to be JSON."""
        async with self.session.get(f"{self.url}/api/v1/{path}", params=pairs(parameters)) as answer:
            return dict(msgspec.json.decode(await answer.read()), code=answer.status)

    async def post(self, path: str, **parameters: Any) -> dict[str, Any]:
        async with self.session.post(f"{self.url}/api/v1/{path}", data=pairs(parameters)) as answer:
            return dict(msgspec.json.decode(await answer.read()), code=answer.status)


def pairs(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """`match=[…]` stands for `match[]`, a list gives its field several times."""
    found: list[tuple[str, str]] = []
    for name, value in parameters.items():
        written = name if not isinstance(value, list) else f"{name}[]"
        found += [(written, str(each)) for each in (value if isinstance(value, list) else [value])]
    return found


@asynccontextmanager
async def served(
    history: Any = None, limits: QueryLimits | None = None, clock: float = NOW, service: QueryService | None = None
) -> AsyncIterator[Served]:
    """An API that believes it is `clock`."""
    query = service or QueryService(history if history is not None else sample_history(), limits)
    app = web.Application(client_max_size=1 << 20)
    app.add_routes(PrometheusApi(query, FakeInfo(), clock=lambda: clock).routes())
    app.router.add_get("/-/ready", _well)
    app.router.add_get("/-/healthy", _well)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as session:
            yield Served(f"http://127.0.0.1:{runner.addresses[0][1]}", query, session)
    finally:
        await runner.cleanup()
        query.close()


async def _well(request: web.Request) -> web.Response:
    return web.Response(text="ready\n")


async def when(holds: Callable[[], bool]) -> None:
    """Waits until it does; fails when it never does."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)  # what it waits for sets no event
