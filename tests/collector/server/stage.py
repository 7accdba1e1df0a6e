"""A stream server over an in-memory collector, for tests; as a program it serves one until it is killed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from collector.server.backend import CommandError
from collector.server.stream import StreamLimits, StreamServer
from monitor.model.batch import Floats, Ids
from monitor.wire.messages import Request
from ui.client.fake import FakeCollector
from ui.client.fake_alerts import CommandError as Refused
from ui.client.fake_engine import FakeEngine


class WideEngine(FakeEngine):
    """Answers for many rows at once: every value is the time."""

    def column(self, field: str, window: float, rows: Ids) -> Floats:
        return np.full(len(rows), self.now)


class FakeBackend(FakeCollector):
    """The in-memory collector as a service behind a real server."""

    async def command(self, request: Request, who: str) -> Any:
        if type(request).__name__ == "AddNote" and getattr(request, "text", "") == "fail":
            raise RuntimeError("told to")
        try:
            return self.book.command(request)
        except Refused as error:
            raise CommandError(str(error)) from None

    def set_boot(self, boot: str) -> None:
        self._hello = msgspec.structs.replace(self._hello, boot=boot)


@dataclass
class Tick:
    number: int
    time: float


class Stage:
    """A served collector with a few series; `tick` lets a second pass and publishes it."""

    def __init__(self, limits: StreamLimits | None = None, rows: int = 3, now: float = 1_000_000.0, port: int = 0) -> None:
        self.backend = FakeBackend(now=now)
        if rows > 10:
            self.backend.engine = WideEngine(now)
        for row in range(rows):
            self.backend.gauge(f"stage.{row}", lambda times: times % 1000)
        self.server = StreamServer("127.0.0.1", port, self.backend, limits=limits, allowed_origins=("https://allowed.example",))
        self.number = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    def tick(self) -> None:
        self.backend.advance(1)
        self.number += 1
        self.server.publish_tick(Tick(self.number, self.backend.now))

    async def __aenter__(self) -> Stage:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Returns as soon as the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for happens elsewhere and tells nobody
            await asyncio.sleep(0.005)


async def serve(port: int, boot: str) -> None:
    """A collector whose time is the clock's, ten ticks a second, until it is killed."""
    stage = Stage(now=np.floor(time.time()) - 100.0, port=port)
    stage.backend.set_boot(boot)
    stage.backend.book.log("collector_started", f"boot {boot}")
    await stage.server.start()
    print(stage.server.port, flush=True)
    while True:
        stage.tick()
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
