"""What a receiver's thread reads from: one datagram socket here, the connections of a stream socket in `stream`."""

from __future__ import annotations

import selectors
import socket
from typing import Protocol

from collector.receivers.statsd.datagrams import MANY, datagram_reader


class Source(Protocol):
    """Waits and reads in the receiver's thread; only `wake` may be called from another."""

    many: int
    """So many pieces at once mean that there is more."""

    def wait(self, seconds: float | None) -> bool:
        """Sleeps until there is something to read (true), `wake` is called, or the time is over (None: there is no end)."""

    def read(self) -> list[memoryview]:
        """Whole lines, as they are there; none if there are none. Valid until the next call. Raises `OSError`."""

    def wake(self) -> None: ...

    def close(self) -> None:
        """Gives up what the source made itself, not the socket it was given."""


class Waker:
    """Ends another thread's wait in a selector."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._near, self._far = socket.socketpair()
        self.descriptor = self._far.fileno()
        selector.register(self._far, selectors.EVENT_READ)

    def wake(self) -> None:
        self._near.send(b"\0")

    def close(self) -> None:
        self._near.close()
        self._far.close()


class DatagramSource:
    """One bound datagram socket."""

    many = MANY

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._reader = datagram_reader(sock)
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._waker = Waker(self._selector)

    def wait(self, seconds: float | None) -> bool:
        return any(key.fd != self._waker.descriptor for key, _ in self._selector.select(seconds))

    def read(self) -> list[memoryview]:
        return self._reader.read()

    def wake(self) -> None:
        self._waker.wake()

    def close(self) -> None:
        self._selector.close()
        self._waker.close()
