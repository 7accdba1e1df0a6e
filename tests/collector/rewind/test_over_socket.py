"""The past over a real socket, beside a connection that stays live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from collector.rewind.server import Rewinds
from collector.rewind.source import Kept
from collector.server.stream import StreamServer
from tests.collector.rewind.test_server import PRESENT, THEN, Record, history
from tests.collector.server.stage import FakeBackend, Tick
from ui.client.connection import Connection
from ui.client.mirror import Mirror
from ui.client.past import PastMirror


async def until(condition: Callable[[], bool], beat: Callable[[], object] = lambda: None) -> None:
    async with asyncio.timeout(20):
        while not condition():
            beat()
            await asyncio.sleep(0.01)


async def test_one_line_looks_back_while_the_other_stays_live() -> None:
    backend = FakeBackend(now=float(PRESENT))
    backend.gauge("stage.0", lambda times: times % 1000)
    rewinds = Rewinds(Kept(history(), Record(), None, backend.hello), clock=lambda: float(PRESENT))
    server = StreamServer("127.0.0.1", 0, backend, rewinds=rewinds)
    await server.start()
    number = 0

    def tick() -> None:
        nonlocal number
        backend.advance(1)
        number += 1
        server.publish_tick(Tick(number, backend.now))

    live, past = Mirror(), PastMirror(float(THEN), 60.0)
    url = f"ws://127.0.0.1:{server.port}"
    async with Connection(url, live), Connection(url, past):
        now = live.subscribe("stage.0", ("last",))
        await until(lambda: past.generation == 1)
        then = past.subscribe("room.warmth", ("last",), backfill=60.0, track=True)
        await until(lambda: then.frames > 2 and now.frames > 2, tick)
        assert past.time >= THEN
        assert live.time > PRESENT
        assert [info.key.name for info in past.series.values()] == ["room.warmth"]
        assert then.value(int(then.rows[0]), "last") == then.time
        assert len(then.track(int(then.rows[0]), "last")[0]) > 3
        assert server.figures()["rewind_clients"] == 1
    await until(lambda: not rewinds.all)
    await server.close()


async def test_a_collector_without_history_says_so() -> None:
    backend = FakeBackend(now=float(PRESENT))
    server = StreamServer("127.0.0.1", 0, backend)
    await server.start()
    past = PastMirror(float(THEN))
    async with Connection(f"ws://127.0.0.1:{server.port}", past):
        await until(lambda: bool(past.error))
    assert past.error == "this collector keeps no history; it cannot show the past"
    await server.close()
