"""Hands the bytes of accepted connections on to another server, no faster than each side takes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("lightship.otlp")

Connect = Callable[[Callable[[], asyncio.Protocol]], Awaitable[object]]
"""Connects a protocol, made by what it is given, to the server behind. Raises `OSError`."""


class Relay:
    """`accepted` makes the protocol of an accepted connection. At most `most` are open at once; one more is closed at once.

    `count` is told how many more are open and how many more were closed for that.
    """

    def __init__(self, connect: Connect, most: int, count: Callable[[int, int], None]) -> None:
        self._connect, self._most, self._count = connect, most, count
        self._open: set[_Side] = set()
        self._connecting: set[asyncio.Task[None]] = set()

    def accepted(self) -> asyncio.Protocol:
        """For `create_server`."""
        return _Accepted(self)

    def opened(self, outer: _Side, transport: asyncio.Transport) -> None:
        """A connection was accepted: connect it."""
        if len(self._open) >= self._most:
            self._count(0, 1)
            transport.abort()
            return
        self._open.add(outer)
        self._count(1, 0)
        transport.pause_reading()
        task = asyncio.create_task(self._joined(outer), name="relaying a connection")
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def closed(self, outer: _Side) -> None:
        """An accepted connection is no more."""
        if outer in self._open:
            self._open.remove(outer)
            self._count(-1, 0)

    async def _joined(self, outer: _Side) -> None:
        inner = _Side()
        try:
            await self._connect(lambda: inner)
        except Exception as error:
            log.warning("a connection is closed, for what is to answer it cannot be reached: %s", error)
        if inner.transport is None or outer.transport is None or outer.transport.is_closing():
            outer.abort()
            inner.abort()
            return
        inner.other, outer.other = outer, inner
        outer.transport.resume_reading()

    async def close(self) -> None:
        """Close all connections, at once."""
        sides = [*self._open]
        for outer in sides:
            outer.abort()
        await asyncio.gather(*self._connecting)  # what they find is closed again, and so is the other side
        sides += [outer.other for outer in sides if outer.other is not None]
        for each in sides:
            each.abort()
        await asyncio.gather(*(each.gone.wait() for each in sides))


class _Side(asyncio.Protocol):
    """One of the two connections; what it reads goes to `other`."""

    def __init__(self) -> None:
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set()
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()  # what was written to it before is sent

    def abort(self) -> None:
        """Close it at once."""
        if self.transport is not None:
            self.transport.abort()


class _Accepted(_Side):
    """The side that came from outside."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self._relay = relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self._relay.opened(self, self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._relay.closed(self)
