"""What the listeners have in common: start, stop, counters."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from collector.receivers.statsd.parser import Counters, Limits, MalformedLine, StatsdParser
from collector.receivers.statsd.receiver import INTERVAL, SAMPLES, EventSink, Receiver, Sink, nap_for, roomy
from collector.receivers.statsd.source import DatagramSource, Source

RECEIVE_BUFFER = 8 << 20
_SO_MEMINFO = 55
_DROPS = 8  # index of SK_MEMINFO_DROPS in linux/sock_diag.h
_WORDS = 9


class Listener:
    """A socket with a receiver thread and a parser of its own. Subclasses open the socket.

    `events` takes DogStatsD's events, called from the thread as the sink is; without it they are only counted.
    """

    naps = True

    def __init__(
        self,
        sink: Sink,
        *,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
        interval: float = INTERVAL,
        samples: int = SAMPLES,
        receive_buffer: int = RECEIVE_BUFFER,
        events: EventSink | None = None,
    ) -> None:
        self.parser = StatsdParser(limits)
        self._sink = sink
        self._clock = clock
        self._interval = interval
        self._samples = samples
        self._receive_buffer = receive_buffer
        self._events = events
        self._socket: socket.socket | None = None
        self._receiver: Receiver | None = None
        self._dropped = 0

    def open(self) -> socket.socket:
        """A bound socket. Raises `OSError` with a sentence for the user."""
        raise NotImplementedError

    def source(self, sock: socket.socket) -> tuple[Source, float]:
        """What the thread reads from, and the seconds it may nap between reads."""
        granted = roomy(sock, self._receive_buffer)
        return DatagramSource(sock), nap_for(granted) if self.naps else 0.0

    def close(self, sock: socket.socket) -> None:
        """Gives the socket up."""
        sock.close()

    def start(self) -> None:
        """Binds and begins to receive. Raises `OSError` with a sentence for the user when the address cannot be had."""
        if self._socket is not None:
            raise RuntimeError("this listener has been started")
        sock = self.open()
        try:
            source, nap = self.source(sock)
            self._receiver = Receiver(
                source,
                self.parser,
                self._sink,
                self._clock,
                nap=nap,
                interval=self._interval,
                samples=self._samples,
                events=self._events,
            )
        except BaseException:
            self.close(sock)
            raise
        self._socket = sock
        self._receiver.start()

    def stop(self) -> None:
        """Hands on what has arrived, ends the thread and closes the socket. Returns at once if not started."""
        sock, receiver = self._socket, self._receiver
        if sock is None or receiver is None:
            return
        receiver.stop()
        self._dropped = self.dropped
        self._socket = None
        self.close(sock)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def counters(self) -> Counters:
        return self.parser.counters

    @property
    def malformed(self) -> list[MalformedLine]:
        """The first malformed lines as (reason, line)."""
        return list(self.parser.malformed)

    @property
    def errors(self) -> int:
        """Failures of socket or sink that were survived."""
        return self._receiver.errors if self._receiver is not None else 0

    @property
    def dropped(self) -> int:
        """Datagrams the kernel threw away because the receive buffer was full (Linux; elsewhere 0)."""
        if self._socket is not None and sys.platform == "linux":
            raw = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * _WORDS)
            if len(raw) == 4 * _WORDS:
                return int(struct.unpack(f"{_WORDS}I", raw)[_DROPS])
        return self._dropped
