"""The stream to 1,000 clients at 10 Hz with 16 KiB frames: CPU a message and latency, beside plain `websockets` in one run.

`python -m tests.benchmarks.stream [clients]`; prints one JSON line last. The clients live in a process of their own that
only counts bytes and reads the time out of each frame.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from collector.server.stream import StreamServer
from monitor.alerting.model import Alert, Event, Silence
from monitor.model.batch import Floats, Ids
from monitor.model.matchers import Selector
from monitor.model.series import Kind, SeriesInfo, series_key
from monitor.windows.frame import History
from monitor.wire import messages as m
from monitor.wire.codec import MSGPACK, Codec
from tests.benchmarks.report import report

ROWS = 2_048
HERTZ = 10.0
SECONDS = 4.0
WARM_UP = 1.0
BAR_MS = 20.0
AIM_MS = 13.0
BAR_P99_MS = 100.0
_TIME = b"\xa4time\xcb"


class Columns:
    """An engine of `ROWS` gauges whose columns are there already, so that the stream alone is measured."""

    revision = 1

    def __init__(self) -> None:
        self.table = self
        self._rows = np.arange(ROWS, dtype=np.int32)
        self._values = np.random.default_rng(1).normal(50.0, 10.0, ROWS)

    def select(self, selector: Selector) -> Ids:
        return self._rows

    def info(self, row: int) -> SeriesInfo:
        return SeriesInfo(row, series_key(f"bench.{row}"), Kind.GAUGE)

    def added_since(self, revision: int) -> tuple[Iterable[SeriesInfo], Iterable[int]]:
        return [self.info(row) for row in range(ROWS)], ()

    def column(self, field: str, window: float, rows: Ids) -> Floats:
        return self._values + 0.0

    def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
        return History(rows, np.empty(0), np.empty((len(rows), 0)), step, field, window)


class Silent:
    """A backend with columns and nothing else."""

    def __init__(self) -> None:
        self.engine = Columns()
        self.archive = None

    def hello(self) -> m.Hello:
        return m.Hello("bench", "bench", "boot", time.time(), 1 / HERTZ, (60.0,), 3600.0)

    def alerts_since(self, revision: int) -> tuple[int, Iterable[Alert], Iterable[Silence], Iterable[str]]:
        return 0, (), (), ()

    def rules(self) -> m.Rules:
        return m.Rules(0, (), ())

    def events_since(self, event: int) -> Iterable[Event]:
        return ()

    def health(self) -> m.Health:
        return m.Health(time.time(), {})

    async def command(self, request: m.Request, who: str) -> Any:
        return None


class Tick:
    """One tick, as the service publishes it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.time = time.time()


def count(port: int, clients: int, subscribe: bool, pipe: Connection) -> None:
    """The process of all clients: connects, then counts whole frames and their ages until told to stop."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    poll = select.epoll()
    sockets = {}
    for _ in range(clients):
        connected = _connect(port, subscribe)
        sockets[connected.fileno()] = connected
        poll.register(connected.fileno(), select.EPOLLIN)
    pipe.send("ready")
    poll.register(pipe.fileno(), select.EPOLLIN)
    left = dict.fromkeys(sockets, 0)
    ages: list[float] = []
    counting = False
    while True:
        for number, _ in poll.poll():
            if number != pipe.fileno():
                _read(sockets[number], left, ages if counting else None)
            elif pipe.recv() == "count":
                counting = True
            else:
                pipe.send(ages)
                return


def _connect(port: int, subscribe: bool) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", port))
    connected.sendall(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: " + MSGPACK.encode() + b"\r\n\r\n"
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += connected.recv(1)  # to the byte, so that the first frame starts a read
    if subscribe:
        payload = Codec().encode(m.Subscribe(1, "{}", ("value",)))
        connected.sendall(struct.pack("!BB4x", 0x82, 0x80 | len(payload)) + payload)  # the mask of zeros is a mask
    connected.setblocking(False)
    return connected


def _read(connected: socket.socket, left: dict[int, int], ages: list[float] | None) -> None:
    number = connected.fileno()
    data = connected.recv(1 << 18)
    at = left[number]
    while at < len(data):
        size, header = data[at + 1], 2
        if size == 126:
            size, header = int.from_bytes(data[at + 2 : at + 4]), 4
        stamp = data.find(_TIME, at, at + 64)
        if stamp > 0 and size > 8 * ROWS and ages is not None:
            (sent,) = struct.unpack_from(">d", data, stamp + len(_TIME))
            ages.append(time.time() - sent)
        at += header + size
    left[number] = at - len(data)


async def _measure(port: int, clients: int, subscribe: bool, publish: Callable[[int], None]) -> dict[str, float]:
    """CPU milliseconds of this process for 1,000 messages, and how old they were on arrival."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=count, args=(port, clients, subscribe, theirs), daemon=True)
    process.start()
    try:
        await asyncio.to_thread(ours.recv)
        spent = await _ticks(ours, publish)
        ours.send("stop")
        ages = np.array(await asyncio.to_thread(ours.recv))
    finally:
        process.join(5)
        process.kill()
    p50, p99 = (float(np.quantile(ages, q)) * 1e3 for q in (0.5, 0.99)) if len(ages) else (np.nan, np.nan)
    return {
        "messages": len(ages),
        "delivered": round(len(ages) / (clients * HERTZ * SECONDS), 3),
        "cpu_ms_per_1k": round(spent / max(1, len(ages)) * 1e6, 2),
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
    }


async def _ticks(ours: Connection, publish: Callable[[int], None]) -> float:
    """Publishes at `HERTZ`; the CPU seconds spent after the warm-up."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    spent = 0.0
    for number in range(round((WARM_UP + SECONDS) * HERTZ)):
        if number == round(WARM_UP * HERTZ):
            ours.send("count")
            spent = -time.process_time()
        publish(number)
        await asyncio.sleep(begin + (number + 1) / HERTZ - loop.time())
    return spent + time.process_time()


async def lightship(clients: int) -> dict[str, float]:
    server = StreamServer("127.0.0.1", 0, Silent())
    await server.start()
    try:
        return await _measure(server.port, clients, True, lambda number: server.publish_tick(Tick(number)))
    finally:
        await server.close()


async def plain_websockets(clients: int) -> dict[str, float]:
    """The library's own broadcast of a message of the same size."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    connections: set[ServerConnection] = set()

    async def hold(connection: ServerConnection) -> None:
        connections.add(connection)
        await connection.wait_closed()
        connections.discard(connection)

    codec, column = Codec(), np.ones(ROWS).view(m.F64)
    server = await serve(hold, "127.0.0.1", 0, compression=None, ping_interval=None, subprotocols=[MSGPACK], backlog=1024)  # type: ignore[list-item]
    try:
        port = next(iter(server.sockets)).getsockname()[1]
        return await _measure(
            port, clients, False, lambda number: broadcast(connections, codec.encode(m.Frame(1, time.time(), (column,))))
        )
    finally:
        server.close()
        await server.wait_closed()


def main() -> None:
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    ours = asyncio.run(lightship(clients))
    peer = asyncio.run(plain_websockets(clients))
    result = {
        "clients": clients,
        "hertz": HERTZ,
        "frame_bytes": 8 * ROWS,
        **ours,
        "peer_websockets": peer,
        "cpus": os.cpu_count(),
    }
    report("stream", result, {"cpu_ms_per_1k": (BAR_MS, AIM_MS), "p99_ms": (BAR_P99_MS, None)})


if __name__ == "__main__":
    main()
