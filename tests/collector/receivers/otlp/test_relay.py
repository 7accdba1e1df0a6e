"""Bytes of accepted connections reach the server behind and come back, whole, in bounds and in no haste."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable

import pytest

from collector.receivers.otlp.relay import Relay

MEGABYTES = 24
CLOSED = (ConnectionResetError, asyncio.IncompleteReadError)


class Door:
    """A relay before a server that answers with the hash of what it read until the client's end of it, marked by a dot."""

    def __init__(self, most: int = 8) -> None:
        self.open = self.refused = self.answering = 0
        self.relay = Relay(self._connect, most, self._count)
        self.behind: asyncio.Server
        self.front: asyncio.Server
        self.reading = asyncio.Event()
        self.reading.set()
        self.unreachable = False
        self.buffered: list[asyncio.Transport] = []

    def _count(self, opened: int, refused: int) -> None:
        self.open += opened
        self.refused += refused

    async def _connect(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        if self.unreachable:
            raise OSError("nobody is there")
        transport, _ = await asyncio.get_running_loop().create_connection(protocol, *self.behind.sockets[0].getsockname()[:2])
        self.buffered.append(transport)

    async def start(self) -> None:
        self.behind = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.front = await asyncio.get_running_loop().create_server(self.relay.accepted, "127.0.0.1", 0)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.front.sockets[0].getsockname()[:2])

    async def stop(self) -> None:
        self.front.close()
        await self.relay.close()
        assert self.open == 0
        await until(lambda: self.answering == 0)
        self.behind.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answering += 1
        try:
            await self._read_and_answer(reader, writer)
        except ConnectionError:
            pass  # the client went
        finally:
            writer.close()
            self.answering -= 1

    async def _read_and_answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = hashlib.sha256()
        while True:
            await self.reading.wait()
            data = await reader.read(1 << 16)
            if not data:
                break
            found.update(data.rstrip(b"."))
            if data.endswith(b"."):
                writer.write(found.hexdigest().encode() * 1000)
                await writer.drain()
                break


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    one = Door()
    await one.start()
    yield one
    await one.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for is no event of asyncio's
            await asyncio.sleep(0.005)


async def test_what_is_sent_arrives_and_what_is_answered_before_the_end_comes_back(door: Door) -> None:
    data = bytes(range(256)) * (1 << 12) * MEGABYTES
    reader, writer = await door.connect()
    writer.write(data + b".")
    assert await reader.read() == hashlib.sha256(data).hexdigest().encode() * 1000
    writer.close()
    await until(lambda: door.open == 0)


async def test_a_server_that_does_not_read_makes_the_sender_wait_and_nothing_piles_up(door: Door) -> None:
    door.reading.clear()
    reader, writer = await door.connect()
    data = bytes(1 << 20)
    for _ in range(MEGABYTES):
        writer.write(data)
    await until(lambda: bool(door.buffered) and door.buffered[0].get_write_buffer_size() > 0)
    waiting = asyncio.create_task(writer.drain())
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    assert door.buffered[0].get_write_buffer_size() < 1 << 20
    door.reading.set()
    await waiting
    writer.write(b".")
    assert len(await reader.read()) == 64_000
    writer.close()


async def test_one_connection_more_than_may_be_is_closed_and_counted_and_the_others_go_on() -> None:
    door = Door(most=2)
    await door.start()
    held = [await door.connect() for _ in range(2)]
    await until(lambda: door.open == 2)
    reader, writer = await door.connect()
    with pytest.raises(CLOSED):
        await reader.readexactly(1)
    assert (door.open, door.refused) == (2, 1)
    held[0][1].write(b"x.")
    assert len(await held[0][0].read()) == 64_000
    for each in (*held, (reader, writer)):
        each[1].close()
    await until(lambda: door.open == 0)
    await door.stop()


async def test_a_client_that_leaves_at_once_leaves_nothing_behind(door: Door) -> None:
    for _ in range(20):
        _, writer = await door.connect()
        writer.transport.abort()
    await until(lambda: len(door.buffered) == 20 and all(each.is_closing() for each in door.buffered))
    await until(lambda: door.open == 0)


async def test_a_server_that_cannot_be_reached_closes_the_connection_and_may_be_reached_later(door: Door) -> None:
    door.unreachable = True
    reader, writer = await door.connect()
    with pytest.raises(CLOSED):
        await reader.readexactly(1)
    writer.close()
    door.unreachable = False
    reader, writer = await door.connect()
    writer.write(b"x.")
    assert len(await reader.read()) == 64_000
    writer.close()


async def test_closing_ends_what_is_open_and_what_is_still_connecting() -> None:
    door = Door()
    await door.start()
    reader, writer = await door.connect()
    await until(lambda: len(door.buffered) == 1)
    last, other = await door.connect()
    await until(lambda: door.open == 2)
    await door.stop()
    for stream in (reader, last):
        with pytest.raises(CLOSED):
            await stream.readexactly(1)
    for each in (writer, other):
        each.close()
    await until(lambda: door.open == 0)
