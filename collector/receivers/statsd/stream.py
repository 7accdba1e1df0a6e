"""The connections of a stream socket that speak StatsD in lines, read in turn so that none keeps the others waiting."""

from __future__ import annotations

import selectors
import socket
import time

from collector.receivers.statsd.source import Waker

PIECE = 64 << 10
"""At most so many bytes of one connection in one turn."""
MANY_PIECES = 16
CONNECTIONS = 256
SILENT = 60.0
"""Seconds after which a connection that said nothing makes room for a new one."""
_GIVEN_UP = b"\n"


class _Connection:
    def __init__(self, sock: socket.socket, heard: float) -> None:
        self.socket = sock
        self.heard = heard
        self.rest = b""
        """The beginning of a line whose end has not come."""
        self.skipping = False
        """Inside a line that is too long."""


class StreamSource:
    """The clients of one listening socket. A line is over at its newline, or where the client closes in good order.

    At most `connections` at once: for another, one that was silent for a minute is closed, else the new one is (`refused`).
    Of a line longer than `longest` bytes only the beginning goes on, so that it is refused and counted as any such line.
    """

    many = MANY_PIECES

    def __init__(self, listening: socket.socket, longest: int, connections: int = CONNECTIONS) -> None:
        listening.setblocking(False)
        self._listening = listening
        self._longest = longest
        self._most = connections
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ)
        self._waker = Waker(self._selector)
        self._clients: dict[int, _Connection] = {}
        self._ready: list[int] = []
        self._piece = bytearray(PIECE)
        self.accepted = 0
        self.refused = 0

    @property
    def connected(self) -> int:
        return len(self._clients)

    def wait(self, seconds: float | None) -> bool:
        self._ready = [key.fd for key, _ in self._selector.select(seconds) if key.fd != self._waker.descriptor]
        return bool(self._ready)

    def read(self) -> list[memoryview]:
        """One turn: a piece of each client that has said something."""
        if not self._ready:
            self.wait(0.0)
        ready, self._ready = self._ready, []
        found: list[memoryview] = []
        knocked = False
        for descriptor in ready:
            client = self._clients.get(descriptor)
            if client is not None:
                lines = self._hear(client)
                if lines:
                    found.append(memoryview(lines))
            else:
                knocked = True
        if knocked:
            try:
                self._welcome()
            except OSError:
                if not found:  # what was heard must not be lost over it, and the next turn meets it again
                    raise
        return found

    def wake(self) -> None:
        self._waker.wake()

    def close(self) -> None:
        for client in list(self._clients.values()):
            self._part(client)
        self._selector.close()
        self._waker.close()

    def _welcome(self) -> None:
        """Raises `OSError` where the process has no more descriptors: the receiver counts it and waits."""
        while True:
            try:
                sock, _ = self._listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            now = time.monotonic()
            if len(self._clients) >= self._most and not self._make_room(now):
                self.refused += 1
                sock.close()
                continue
            sock.setblocking(False)
            self._clients[sock.fileno()] = _Connection(sock, now)
            self._selector.register(sock, selectors.EVENT_READ)
            self.accepted += 1

    def _make_room(self, now: float) -> bool:
        silent = min(self._clients.values(), key=lambda client: client.heard)
        if now - silent.heard < SILENT:
            return False
        self._part(silent)
        return True

    def _part(self, client: _Connection) -> None:
        self._selector.unregister(client.socket)
        del self._clients[client.socket.fileno()]
        client.socket.close()

    def _hear(self, client: _Connection) -> bytes:
        """The whole lines that one client's next piece ends, b"" where it ends none."""
        try:
            length = client.socket.recv_into(self._piece)
        except BlockingIOError:
            return b""
        except OSError:  # broken off: what it began may have been meant to go on
            self._part(client)
            return b""
        if not length:
            self._part(client)
            return client.rest
        client.heard = time.monotonic()
        return self._whole_lines(client, bytes(memoryview(self._piece)[:length]))

    def _whole_lines(self, client: _Connection, piece: bytes) -> bytes:
        if client.skipping:
            _, newline, piece = piece.partition(b"\n")
            if not newline:
                return b""
            client.skipping = False
        text = client.rest + piece
        end = text.rfind(b"\n") + 1
        lines, client.rest = text[:end], text[end:]
        if len(client.rest) > self._longest:
            lines += client.rest[: self._longest + 1] + _GIVEN_UP
            client.rest, client.skipping = b"", True
        return lines
