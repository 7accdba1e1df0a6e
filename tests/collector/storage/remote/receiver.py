"""A receiver of remote write that does as a test tells it, and writers to it whose time passes only when the test lets it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from collector.decompress import decompress
from collector.protobuf.columns import SeriesColumns
from collector.protobuf.write import decode_write_v1, decode_write_v2
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter
from monitor.model.series import Kind
from monitor.query.history import Labels
from tests.collector.waits import Waits as Waits

Answer = Callable[[web.Request, SeriesColumns], web.Response]
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
GAUGE, DISTRIBUTION = int(Kind.GAUGE), int(Kind.DISTRIBUTION)


def takes_all(request: web.Request, columns: SeriesColumns) -> web.Response:
    """A receiver of 2.0 and 1.0."""
    if request.headers["Content-Type"] != V2:
        return web.Response(status=204)
    drawn = 0 if columns.histograms is None else sum(cell is not None for cell in columns.histograms)
    counted = {"Samples": len(columns.times) - drawn, "Histograms": drawn, "Exemplars": 0}
    return web.Response(status=204, headers={f"X-Prometheus-Remote-Write-{what}-Written": str(n) for what, n in counted.items()})


def knows_1_0_only(request: web.Request, columns: SeriesColumns) -> web.Response:
    """A receiver of before 2.0 that looks at the content type."""
    return web.Response(status=415 if request.headers["Content-Type"] == V2 else 204)


@dataclass
class Receiver:
    """`answers` are used up one a request; afterwards it takes everything."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    always: Answer = takes_all
    requests: list[tuple[dict[str, str], SeriesColumns]] = field(default_factory=list)
    """Headers and content of those it answered with a status below 300."""
    attempts: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = decompress(await request.read(), "snappy", 1 << 26)
        columns = (decode_write_v2 if request.headers["Content-Type"] == V2 else decode_write_v1)(body)
        self.attempts += 1
        response = (self.answers.pop(0) if self.answers else self.always)(request, columns)
        if response.status < 300:
            self.requests.append((dict(request.headers), columns))
        return response

    def samples(self) -> dict[Labels, list[tuple[int, float]]]:
        """Floats it has taken, in the order they came."""
        found: dict[Labels, list[tuple[int, float]]] = {}
        for _, columns in self.requests:
            for place, labels in enumerate(columns.labels):
                rows = slice(int(columns.offsets[place]), int(columns.offsets[place + 1]))
                drawn = columns.histograms is not None and any(cell is not None for cell in columns.histograms[rows])
                if not drawn:
                    pairs = zip(columns.times[rows].tolist(), columns.values[rows].tolist(), strict=True)
                    found.setdefault(labels, []).extend(pairs)
        return found


@contextlib.asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Listening at `receiver.url`."""
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/write", receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/write"))
        yield receiver


def target_of(url: str, **more: object) -> RemoteTarget:
    return RemoteTarget(url, url, **more)  # type: ignore[arg-type]  # the test's own words


def writer_to(
    folder: Path, url: str, waits: Waits, settings: RemoteSettings | None = None, target: RemoteTarget | None = None
) -> RemoteWriter:
    writer = RemoteWriter(folder, target or target_of(url), settings, clock=waits.clock, random=lambda: 0.0)
    writer.sender._sleep = waits.sleep
    return writer


@contextlib.asynccontextmanager
async def sending(writer: RemoteWriter) -> AsyncIterator[None]:
    """While the writer sends."""
    task = asyncio.create_task(writer.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        writer.close()


async def until(true: Callable[[], bool]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(15):
        while not true():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.005)


async def sent(writer: RemoteWriter) -> None:
    """Everything committed is with the receiver."""
    async with sending(writer):
        await until(lambda: writer.idle)


def named(name: str, **tags: str) -> Labels:
    return tuple(sorted({"__name__": name, **tags}.items()))


def put(writer: RemoteWriter, labels: Labels, samples: list[tuple[int, float]], kind: int = GAUGE) -> None:
    """Samples of one series, committed."""
    ref = writer.intern([labels], [kind])
    times, values = np.array([t for t, _ in samples], np.int64), np.array([v for _, v in samples])
    writer.append(np.repeat(ref, len(samples)), times, values)
    assert writer.commit()


def observe(writer: RemoteWriter, labels: Labels, time: int, filled: dict[int, float], total: float) -> None:
    """One second of a distribution, committed."""
    ref = writer.intern([labels], [DISTRIBUTION])
    bins, counts = np.array(sorted(filled), np.int32), np.array([filled[each] for each in sorted(filled)], np.float64)
    writer.append_histograms(ref, np.array([time]), np.array([0, len(bins)]), bins, counts, np.array([total]))
    assert writer.commit()


def numbered(count: int) -> Iterator[Labels]:
    return (named("load", host=f"h{n}") for n in range(count))
