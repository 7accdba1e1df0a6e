"""Export to a StatsD or DogStatsD server, over UDP, TCP or a Unix datagram socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np

from collector.exporters.exporter import Patience, TakesNothing
from collector.exporters.outbox import Outbox
from collector.exporters.statsd_lines import Head, Protocol, batches_of, datagrams, head_of, lines_of
from collector.storage.remote.queue import QueueBounds
from collector.storage.remote.request import Reply
from monitor.model.matchers import Selector
from monitor.model.series import SeriesInfo
from monitor.model.table import SeriesTable, lengthened
from monitor.windows.frame import Delta, Frame

_UDP_BYTES, _LOCAL_BYTES = 1432, 8192
"""Of a datagram: what fits into an Ethernet frame, and what agents read from a socket of their own."""
_TOGETHER = 50
"""Datagrams of one message in the queue: what is sent again at most after a kill."""


class StatsdExporter(TakesNothing):
    """Implements `Exporter`. `table` gives the series table that frames speak of."""

    def __init__(
        self,
        name: str,
        folder: Path,
        url: str,
        selector: Selector,
        tags: Mapping[str, str],
        bounds: QueueBounds,
        table: Callable[[], SeriesTable],
        *,
        protocol: Protocol = "dogstatsd",
        patience: Patience | None = None,
    ) -> None:
        """`url`: `udp://host:port`, `tcp://host:port` or `unix:///path`. Raises `ValueError` for another, `OSError` when the
        queue cannot be opened.
        """
        self.name = name
        self._way = _Way(url)
        self._selector, self._tags, self._table, self._protocol = selector, dict(tags), table, protocol
        self._heads: dict[int, Head] = {}
        """By row, as of the tick that is being written; only the thread that writes knows them."""
        self._told = np.zeros(0, np.bool_)
        """Rows whose series that thread was told."""
        self._outbox = Outbox(folder, bounds, self._deliver, url, what="lines", patience=patience)
        self._delivered: tuple[bytes, int] = (b"", 0)
        """The message that is being sent, and how many of its datagrams have gone."""

    def take(self, frame: Frame) -> None:
        """See `Exporter`."""
        delta, table = frame.delta, self._table()
        if table.capacity > len(self._told):
            self._told = lengthened(self._told, table.capacity, False)
        self._told[[info.row for info in delta.added]] = False
        rows = np.unique(np.concatenate((delta.rows, delta.hist_rows, delta.set_rows)))
        if not len(rows):
            return
        new = rows[~self._told[rows]]
        # Looked up now, as a row may mean another series by the time it is written.
        infos = [(row, table.info(row)) for row in new.tolist()]
        taken = self._outbox.put(lambda: self._messages(self._written(delta, infos)), len(rows))
        self._told[new] = taken
        self._told[delta.gone] = False

    def _written(self, delta: Delta, infos: Sequence[tuple[int, SeriesInfo | None]]) -> list[bytes]:
        for row, info in infos:
            self._heads.pop(row, None)
            if info is not None and self._selector.matches(info.key):
                self._heads[row] = head_of(info, self._tags, self._protocol)
        return datagrams(lines_of(delta, self._heads), self._way.most)

    @staticmethod
    def _messages(found: list[bytes]) -> Iterator[tuple[bytes, int]]:
        for some in batches_of(found, _TOGETHER):
            yield msgspec.msgpack.encode(some), sum(datagram.count(b"\n") + 1 for datagram in some)

    async def _deliver(self, message: bytes) -> Reply:
        before, gone = self._delivered
        if before != message:
            gone = 0
        try:
            found = msgspec.msgpack.decode(message, type=list[bytes])
        except msgspec.DecodeError:
            return Reply("refused", 0, "the queue held no lines")
        try:
            for datagram in found[gone:]:
                await self._way.send(datagram)
                gone += 1
        except (OSError, TimeoutError) as error:
            self._delivered = (message, gone)
            self._way.close()
            return Reply("again", None, error.strerror or str(error) if isinstance(error, OSError) else "it takes nothing")
        self._delivered = (b"", 0)
        return Reply("done")

    @property
    def idle(self) -> bool:
        """Whether everything has been sent."""
        return self._outbox.idle

    async def run(self) -> None:
        """See `Exporter`."""
        try:
            await self._outbox.run()
        finally:
            self._way.close()

    def close(self) -> None:
        """See `Exporter`."""
        self._outbox.close()

    def figures(self) -> dict[str, float]:
        """See `Exporter`."""
        return self._outbox.figures()

    def notes(self) -> list[str]:
        """See `Exporter`."""
        return self._outbox.notes()


class _Way:
    """The socket, made anew after a failure."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._scheme, self._path = parts.scheme, parts.path
        if parts.scheme == "unix" and parts.path:
            self.most = _LOCAL_BYTES
        elif parts.scheme in ("udp", "tcp") and parts.hostname:
            self.most = _UDP_BYTES
        else:
            raise ValueError(f"{url[:200]!r} is no address of a StatsD server; write udp://host:8125, tcp:// or unix:///path")
        self._host, self._port = parts.hostname or "", parts.port or 8125
        self._socket: socket.socket | None = None

    async def send(self, data: bytes) -> None:
        """Sends one datagram, or its lines over TCP. Raises `OSError`, `TimeoutError`."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            if self._socket is None:
                self._socket = await self._connected(loop)
            await loop.sock_sendall(self._socket, data + b"\n" if self._scheme == "tcp" else data)

    async def _connected(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        if self._scheme == "unix":
            made, address = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), os.fsencode(self._path)
        else:
            kind = socket.SOCK_STREAM if self._scheme == "tcp" else socket.SOCK_DGRAM
            family, kind, number, _, found = (await loop.getaddrinfo(self._host, self._port, type=kind))[0]
            made, address = socket.socket(family, kind, number), found  # type: ignore[assignment]  # of either family
        made.setblocking(False)
        try:
            if self._scheme == "unix":
                made.connect(address)
            else:
                await loop.sock_connect(made, address)
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None
