"""HTTP requests on their way: a thread for each kind of data, a short queue, and patience while nobody answers."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MOST_WAITING = 8
"""Requests of one courier; of more the oldest is left out and counted."""
PATIENCE = 5.0
"""Seconds for which an answer is waited for."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0
MOST_READ = 1 << 16
AGAIN = frozenset({429, 502, 503, 504})
"""Statuses that ask to come again."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One request."""

    path: str
    body: bytes
    content_type: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


class Courier:
    """Delivers parcels to the first of `addresses` (http://host:port) that answers, in their order, from `start()` to `stop()`.

    `delivered`, `lost` (no room), `refused` (the answer said that it is of no use) count parcels; `said` is the last refusal.
    """

    def __init__(self, name: str, addresses: Sequence[str]) -> None:
        self._addresses = list(dict.fromkeys(addresses))
        self._at = 0
        self._connection: http.client.HTTPConnection | None = None
        self._waiting: deque[Parcel] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"demo {name}", daemon=True)
        self.delivered = self.lost = self.refused = 0
        self.said = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What waits is given up; ends within `PATIENCE` at the latest."""
        self._stopping.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(PATIENCE + 1.0)

    def send(self, parcel: Parcel) -> None:
        """Never blocks."""
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(parcel)
            self._changed.notify()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while (parcel := self._next()) is not None:
            if self._deliver(parcel):
                pause = FIRST_PAUSE
                continue
            with self._changed:
                if len(self._waiting) < MOST_WAITING:
                    self._waiting.appendleft(parcel)
                else:
                    self.lost += 1
            self._at = (self._at + 1) % len(self._addresses)
            self._stopping.wait(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
        self._hang_up()

    def _next(self) -> Parcel | None:
        """None: it is to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping.is_set())
            return None if self._stopping.is_set() else self._waiting.popleft()

    def _deliver(self, parcel: Parcel) -> bool:
        """Whether the parcel is done with."""
        try:
            status, answer = self._exchange(parcel)
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return False
        if status in AGAIN:
            return False
        if status >= 400:
            self.refused += 1
            self.said = f"{parcel.path}: {status} {answer[:200].decode('utf-8', 'replace')}"
        else:
            self.delivered += 1
        return True

    def _exchange(self, parcel: Parcel) -> tuple[int, bytes]:
        if self._connection is None:
            where = urlsplit(self._addresses[self._at])
            self._connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port or 80, timeout=PATIENCE)
        headers = {"Content-Type": parcel.content_type, **parcel.headers}
        self._connection.request(parcel.method, parcel.path, parcel.body, headers)
        answer = self._connection.getresponse()
        said = answer.read(MOST_READ)
        if answer.will_close or not answer.isclosed():
            self._hang_up()
        return answer.status, said

    def _hang_up(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None


def ask(address: str, path: str, patience: float = 1.0) -> bytes:
    """The body of a GET, b"" where nobody answers with one."""
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port or 80, timeout=patience)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read(MOST_READ) if answer.status == 200 else b""
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
