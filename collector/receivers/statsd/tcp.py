"""StatsD over TCP: lines, each ended by a newline, of many clients."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

from collector.receivers.statsd.listener import Listener
from collector.receivers.statsd.receiver import LONGEST_NAP, Sink
from collector.receivers.statsd.source import Source
from collector.receivers.statsd.stream import CONNECTIONS, StreamSource
from collector.receivers.statsd.udp import SocketAddress, explained, resolved

_BACKLOG = 128
_CLIENT_BUFFER = 256 << 10


class TcpListener(Listener):
    """Listens on `host`:`port`; port 0 lets the system choose. `::` hears IPv4 as well. A busy client is slowed by TCP itself.

    `connections`: how many clients at once. Options as of `Listener`: `clock`, `limits`, `interval`, `samples`, `events`.
    """

    def __init__(self, host: str, port: int, sink: Sink, *, connections: int = CONNECTIONS, **options: Any) -> None:
        super().__init__(sink, **options)
        self.address = SocketAddress(host.strip("[]"), port)
        self._connections = connections
        self._source: StreamSource | None = None

    def open(self) -> socket.socket:
        family, where = resolved(self.address, socket.SOCK_STREAM)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # elsewhere the option would let another program take the port over
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _CLIENT_BUFFER)
            sock.bind(where)
            sock.listen(_BACKLOG)
        except OSError as error:
            sock.close()
            raise OSError(error.errno, explained("TCP", self.address, error)) from None
        self.address = SocketAddress(*sock.getsockname()[:2])
        return sock

    def source(self, sock: socket.socket) -> tuple[Source, float]:
        self._source = StreamSource(sock, self.parser.limits.line, self._connections)
        return self._source, LONGEST_NAP

    @property
    def dropped(self) -> int:
        """Always 0: TCP loses nothing, it makes senders wait."""
        return 0

    @property
    def connected(self) -> int:
        """Clients at the moment."""
        return self._source.connected if self._source is not None else 0

    @property
    def refused(self) -> int:
        """Connections closed at once because there were too many."""
        return self._source.refused if self._source is not None else 0
