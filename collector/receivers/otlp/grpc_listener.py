"""Listens where OTLP over gRPC is spoken. The library that speaks it is not in memory until somebody connects.

An idle collector saves 11 MB by it. The library then listens on a socket that only this process can reach, and bytes are relayed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from collector.receivers.otlp.limits import MOST_CONNECTIONS
from collector.receivers.otlp.receiver import OtlpReceiver
from collector.receivers.otlp.relay import Relay

if TYPE_CHECKING:
    from collector.receivers.otlp.grpc_server import GrpcServer

log = logging.getLogger("lightship.otlp")


class OtlpGrpc:
    """Listens for OTLP over gRPC. `port` 0 takes any; it tells the one that was got."""

    def __init__(self, receiver: OtlpReceiver, host: str, port: int) -> None:
        self._receiver = receiver
        self.host, self.port = host, port
        self._listening: asyncio.Server | None = None
        self._relay = Relay(self._connect, MOST_CONNECTIONS, self._count)
        self._starting = asyncio.Lock()
        self._server: GrpcServer | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def start(self) -> None:
        """Raises `OSError` when the address is taken."""
        self._listening = await asyncio.get_running_loop().create_server(self._relay.accepted, self.host, self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._server is not None:
            await self._server.stop()
            self._server = None
        await self._relay.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _count(self, opened: int, refused: int) -> None:
        self._receiver.counters.connections += opened
        self._receiver.counters.connections_refused += refused

    async def _connect(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        async with self._starting:  # whoever connects meanwhile waits
            if self._server is None:
                self._server = await self._started()
        loop = asyncio.get_running_loop()
        path, port = self._server.path, self._server.port
        if path:
            await loop.create_unix_connection(protocol, path)
        else:
            await loop.create_connection(protocol, "127.0.0.1", port)

    async def _started(self) -> GrpcServer:
        """In a folder that nobody else may look into; where the system has no such sockets, on this host's own address."""
        make = await asyncio.to_thread(_server_class)
        with contextlib.suppress(OSError):
            if hasattr(asyncio.get_running_loop(), "create_unix_connection"):
                self._folder = self._folder or tempfile.TemporaryDirectory(prefix="lightship-", ignore_cleanup_errors=True)
                server = make(self._receiver, path=str(Path(self._folder.name) / "otlp"))
                await server.start()
                return server
        server = make(self._receiver)
        await server.start()
        return server


def _server_class() -> type[GrpcServer]:
    from collector.receivers.otlp.grpc_server import GrpcServer

    return GrpcServer
