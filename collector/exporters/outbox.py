"""Messages on disk that are sent in order, each until it is taken or refused for good."""

from __future__ import annotations

import asyncio
import logging
import random as random_numbers
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import msgspec

from collector.exporters.exporter import Patience
from collector.storage.remote.queue import QueueBounds, SegmentQueue
from collector.storage.remote.request import Reply

_LOG = logging.getLogger(__name__)
_REFUSAL_SHOWN = 600.0
"""Seconds for which a refusal is told in the notes."""
_DISK_REST = 5.0
"""Seconds for which a disk that refused is left alone."""
Make = Callable[[], Iterable[tuple[bytes, int]]]
"""Gives messages and how many things are in each. Called in a thread."""


class Counters(msgspec.Struct):
    """Things: `sent`, `refused` for good, `dropped` before they were on the disk. `failures`: attempts that are repeated."""

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    requests: int = 0
    failures: int = 0
    bytes: int = 0


class Outbox:
    """`deliver` sends one message and says what came of it; it is given the same message again after "again". What is on the
    disk survives a kill and is sent at least once. At most `most_waiting` things wait in memory for the disk.
    """

    def __init__(
        self,
        folder: Path,
        bounds: QueueBounds,
        deliver: Callable[[bytes], Awaitable[Reply]],
        where: str,
        *,
        what: str = "items",
        patience: Patience | None = None,
        most_waiting: int = 200_000,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = random_numbers.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`where` and `what` are words for notes. Raises `OSError` when the folder cannot be had."""
        self._deliver, self._where, self._what = deliver, where, what
        self._patience = patience or Patience()
        self._most_waiting, self._clock, self._random, self._sleep = most_waiting, clock, random, sleep
        self._queue = SegmentQueue(folder, bounds, f"the queue to {where}")
        self._waiting: deque[tuple[Make, int]] = deque()
        self._held = 0
        self._writing, self._counting = threading.Lock(), threading.Lock()
        """Of what is written, which takes as long as the disk does; of how many things are in memory."""
        self._put = asyncio.Event()
        self._written = asyncio.Event()
        self._busy = False
        self._disk_failing = ""
        self.failing = ""
        """Why nothing gets through now, "" when all is well."""
        self._refusal = ("", -_REFUSAL_SHOWN)
        self.counters = Counters()

    def put(self, make: Make, items: int) -> bool:
        """Queues what `make` gives, about so many things. False, and they count as dropped, when too many wait for the disk.
        `make` is called in a thread, one after the other in this order, and again after the disk refused.
        """
        if self._held + items > self._most_waiting and self._waiting:
            self.counters.dropped += items
            return False
        with self._counting:
            self._held += items
        self._waiting.append((make, items))
        self._put.set()
        return True

    def commit(self) -> None:
        """Writes what is still in memory now, in any thread; where the disk refuses it stays there and is tried again."""
        self._write()

    async def run(self) -> None:
        """Writes and sends until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_all())
            group.create_task(self._send_all())

    @property
    def idle(self) -> bool:
        """Whether everything that was put has been handed over."""
        return not self._waiting and not self._busy and not self._queue.unsent

    def close(self) -> None:
        """Writes what is still in memory. The queue stays."""
        self._write()
        self._queue.close()

    # ------------------------------------------------------------ to the disk

    async def _write_all(self) -> None:
        while True:
            await self._put.wait()
            self._put.clear()
            await asyncio.to_thread(self._write)
            self._written.set()
            if self._disk_failing:
                await self._sleep(_DISK_REST)
                self._put.set()

    def _write(self) -> None:
        with self._writing:
            while self._waiting:
                make, items = self._waiting[0]
                try:
                    messages = list(make())
                except Exception:
                    # A mistake of ours in one batch must not end all exporting; that batch is lost.
                    _LOG.exception("what was to go to %s could not be put into words", self._where)
                    self.counters.dropped += items
                    messages = []
                try:
                    for payload, count in messages:
                        self._queue.append(payload, count)
                except OSError as error:
                    self._disk_failing = (
                        f"the queue to {self._where} cannot be written ({error.strerror}); {self._what} wait in memory"
                    )
                    return
                self._disk_failing = ""
                self._waiting.popleft()
                with self._counting:
                    self._held -= items

    # ------------------------------------------------------------ from there on

    async def _send_all(self) -> None:
        while True:
            taken = await asyncio.to_thread(self._queue.take)
            if taken is None:
                self._written.clear()
                if not self._queue.unread:
                    await self._written.wait()
                continue
            if taken.sent:
                continue
            self._busy = True
            try:
                await self._until_settled(taken.payload, taken.items)
                await asyncio.to_thread(self._queue.sent, taken.position)
            finally:
                self._busy = False

    async def _until_settled(self, payload: bytes, items: int) -> None:
        attempt = 0
        while True:
            reply = await self._once(payload)
            self.counters.requests += 1
            self.counters.bytes += len(payload)
            if reply.kind == "again":
                self.counters.failures += 1
                if not self.failing:
                    _LOG.warning("%s takes no %s: %s", self._where, self._what, reply.reason)
                self.failing = reply.reason
                await self._sleep(self._patience.after(attempt, self._random(), reply.wait))
                attempt += 1
                continue
            self._settled(reply, items)
            return

    async def _once(self, payload: bytes) -> Reply:
        try:
            return await self._deliver(payload)
        except Exception as error:
            _LOG.exception("sending to %s failed unexpectedly", self._where)
            return Reply("refused", 0, f"a mistake of ours: {type(error).__name__}")

    def _settled(self, reply: Reply, items: int) -> None:
        if self.failing:
            _LOG.info("%s takes %s again", self._where, self._what)
            self.failing = ""
        whole = max(0, items - reply.rejected) if reply.kind == "done" else 0
        sent = whole if reply.written is None else max(0, min(reply.written, items))
        self.counters.sent += sent
        if sent < items:
            self.counters.refused += items - sent
            if not self.refusal:
                _LOG.warning("%s refused %d %s: %s", self._where, items - sent, self._what, reply.reason)
            self._refusal = (reply.reason or "it did not say why", self._clock())

    # ------------------------------------------------------------ health

    @property
    def refusal(self) -> str:
        """What was said when something was refused in the last ten minutes."""
        reason, when = self._refusal
        return reason if 0 <= self._clock() - when < _REFUSAL_SHOWN else ""

    def figures(self) -> dict[str, float]:
        """See `collector.exporters.exporter.FIGURES`."""
        counters = self.counters
        return {
            "export_sent_total": counters.sent,
            "export_refused_total": counters.refused,
            "export_dropped_total": counters.dropped + self._queue.dropped,
            "export_requests_total": counters.requests,
            "export_failures_total": counters.failures,
            "export_bytes_total": counters.bytes,
            "export_queue_items": self._queue.unsent + self._held,
            "export_queue_bytes": self._queue.size,
            "export_failing": 1.0 if self.failing or self._disk_failing else 0.0,
        }

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        found = [self._disk_failing] if self._disk_failing else []
        if self.failing:
            found.append(f"{self._where} takes no {self._what} ({self.failing}); {self._queue.unsent} wait in the queue")
        if self.refusal:
            found.append(f"{self._where} refused {self.counters.refused} {self._what} in all; the last time: {self.refusal}")
        if dropped := self._queue.dropped + self.counters.dropped:
            found.append(f"{dropped} {self._what} for {self._where} were given up because its queue was full or damaged")
        return [*found, *self._queue.problems[-3:]]
