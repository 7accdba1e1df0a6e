"""The thread that turns a source's bytes into batches and hands them on a few times a second."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable

from collector.receivers.statsd.parser import StatsdParser, merged
from collector.receivers.statsd.source import Source
from monitor.alerting.model import Event
from monitor.model.batch import Batch

Sink = Callable[[list[Batch]], None]
"""Takes batches, called from the receiver's thread: it hands them over (`loop.call_soon_threadsafe` or a bounded deque)
and returns at once. It must not wait for the event loop, which may be waiting in `stop`."""

EventSink = Callable[[list[Event]], None]
"""Takes DogStatsD's events under the same terms."""

INTERVAL = 0.1
SAMPLES = 50_000
LARGE_BUFFER = 8 << 20
LONGEST_NAP = 0.01
LAST_READS = 256
LAST_SECONDS = 0.5

log = logging.getLogger("lightship.statsd")


class Receiver:
    """Reads `source`, stamps with `clock`, parses, and gives `sink` all samples at most `interval` seconds after they came.

    Idle it sleeps in the kernel. Between reads that did not fill up it naps `nap` seconds, so that datagrams gather and a
    busy stream costs few wake-ups. What was read is handed on earlier once there are `samples` of it.
    Events go to `events` at once, or are only counted where that is None.
    """

    def __init__(
        self,
        source: Source,
        parser: StatsdParser,
        sink: Sink,
        clock: Callable[[], float],
        *,
        nap: float = 0.0,
        interval: float = INTERVAL,
        samples: int = SAMPLES,
        events: EventSink | None = None,
    ) -> None:
        self._source = source
        self._parser = parser
        self._sink = sink
        self._clock = clock
        self._nap = nap
        self._interval = interval
        self._samples = samples
        self._events = events
        self._pending: list[Batch] = []
        self._count = 0
        self._due = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="statsd", daemon=True)
        self.errors = 0
        """Failures of the socket, the parser or the sink; the thread goes on."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Reads what has already arrived, hands it on, ends the thread and closes the source. May be called twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._source.wake()
        self._thread.join()
        self._source.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wait = max(0.0, self._due - time.monotonic()) if self._pending else None
            if self._source.wait(wait) and not self._stopping.is_set() and self._read() < self._source.many:
                self._stopping.wait(self._nap)
            if self._pending and (self._count >= self._samples or time.monotonic() >= self._due):
                self._hand_on()
        end = time.monotonic() + LAST_SECONDS
        for _ in range(LAST_READS):
            if not self._read() or time.monotonic() > end:
                break
        self._hand_on()

    def _read(self) -> int:
        """How many pieces (datagrams, or what a connection had) were read."""
        try:
            pieces = self._source.read()
        except OSError as error:
            self.errors += 1
            log.warning("reading StatsD failed: %s", error)
            self._stopping.wait(self._interval)  # a lasting failure must not spin
            return 0
        if not pieces:
            return 0
        if not self._pending:
            self._due = time.monotonic() + self._interval
        try:
            for batch in self._parser.feed(pieces, self._clock()):
                self._pending.append(batch)
                self._count += len(batch)
        except Exception:
            # A mistake of ours in the parser must not leave the port deaf; what it met is lost and counted.
            self._fail("reading StatsD lines failed; they are lost")
        self._hand_on_events()
        return len(pieces)

    def _hand_on_events(self) -> None:
        events = self._parser.take_events()
        if not events or self._events is None:
            return
        try:
            self._events(events)
        except Exception:
            self._fail("handing on DogStatsD events failed; they are lost")

    def _hand_on(self) -> None:
        batches, self._pending, self._count = merged(self._pending), [], 0
        if not batches:
            return
        try:
            self._sink(batches)
        except Exception:
            self._fail("handing on StatsD samples failed; they are lost")

    def _fail(self, what: str) -> None:
        """Counted each time, logged with its place as often as 1, 10, 100 … failures."""
        self.errors += 1
        if str(self.errors).strip("0") == "1":
            log.exception("%s (%d so far)", what, self.errors)


def roomy(sock: socket.socket, wanted: int) -> int:
    """Asks for a receive buffer of `wanted` bytes, past the system's limit where we may; what the kernel counts as granted."""
    force = getattr(socket, "SO_RCVBUFFORCE", 33 if hasattr(socket, "SO_MARK") else None)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)
    if force is not None and sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < wanted:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, force, wanted)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def nap_for(granted: int) -> float:
    """Seconds a socket may be left alone: its buffer then still holds what some 300,000 datagrams a second bring."""
    return LONGEST_NAP * min(1.0, granted / LARGE_BUFFER)
