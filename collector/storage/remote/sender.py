"""Sends what is in the queue, one request at a time and in order, for as long as it takes.

A receiver that is slow or away makes the queue longer and the requests fuller; what it refuses for good is counted and left.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from collector.storage.remote.batch import Batch, Batches, Part
from collector.storage.remote.dialect import Dialect, RemoteWrite
from collector.storage.remote.queue import SegmentQueue
from collector.storage.remote.request import Reply, Version
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget, shown

if TYPE_CHECKING:
    import aiohttp

_LOG = logging.getLogger(__name__)
_REFUSAL_SHOWN = 600.0
"""Seconds for which a refusal is told in the notes."""


class SendCounters(msgspec.Struct):
    """`written`: samples that the receiver took; `rejected`: refused for good; `failures`: attempts that are repeated."""

    written: int = 0
    rejected: int = 0
    requests: int = 0
    failures: int = 0
    bytes: int = 0


class Sender:
    """`changed` is set when something is in the queue. `sleep` waits, `random` gives numbers in [0, 1)."""

    def __init__(
        self,
        queue: SegmentQueue,
        target: RemoteTarget,
        settings: RemoteSettings,
        clock: Callable[[], float],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        dialect: Dialect | None = None,
    ) -> None:
        self._dialect = dialect or RemoteWrite()
        self._queue, self._target, self._settings = queue, target, settings
        self._clock, self._random, self._sleep = clock, random, sleep
        self._batches = Batches(queue, settings.names)
        self.changed = asyncio.Event()
        self.counters = SendCounters()
        self.version: Version = "2.0"
        self.spoken: Version = "2.0"
        """The version of the last request that was taken."""
        self._changed_version = 0.0
        self.failing = ""
        """Why nothing gets through now, "" when all is well."""
        self._refusal = ("", -_REFUSAL_SHOWN)
        self._busy = False

    @property
    def idle(self) -> bool:
        """Whether all that was ever queued is with the receiver."""
        return not self._busy and not self._queue.unsent

    @property
    def refusal(self) -> str:
        """What the receiver said when it refused samples in the last ten minutes."""
        reason, when = self._refusal
        return reason if 0 <= self._clock() - when < _REFUSAL_SHOWN else ""

    @property
    def damaged(self) -> int:
        return self._batches.damaged

    async def run(self) -> None:
        """Until cancelled. Whatever is not sent by then is in the queue."""
        async with client_session() as session, contextlib.aclosing(self._dialect):
            while True:
                await self._something_due()
                self._busy = True
                try:
                    batch = await asyncio.to_thread(self._batches.take, self._settings.batch_samples)
                    if batch is not None:
                        await self._deliver(session, batch)
                except Exception as error:
                    # A mistake of ours in one batch must not end all sending; that batch is lost.
                    _LOG.exception("sending to %s failed unexpectedly", shown(self._target.write_url))
                    self.failing = f"a mistake of ours: {type(error).__name__}"
                    await self._sleep(self._settings.longest_wait)
                finally:
                    self._busy = False

    async def _something_due(self) -> None:
        """Returns when there is enough for a request, or something has waited long enough."""
        if self._batches.holds:
            return
        while not self._queue.unread:
            self.changed.clear()
            if not self._queue.unread:
                await self.changed.wait()
        if self._queue.unread < self._settings.batch_samples:
            await self._sleep(self._settings.batch_age)

    async def _deliver(self, session: aiohttp.ClientSession, batch: Batch) -> None:
        for part in batch.parts:
            await self._deliver_part(session, part)
        await asyncio.to_thread(self._queue.sent, batch.position)

    async def _deliver_part(self, session: aiohttp.ClientSession, part: Part) -> None:
        if self.version == "1.0" and not 0 <= self._clock() - self._changed_version < self._settings.again_with_2_0:
            self.version = "2.0"
        body, samples = await asyncio.to_thread(self._encoded, part)
        attempt = 0
        while True:
            version = self.version
            patience, now = self._settings.patience, self._clock()
            reply = await self._dialect.send(session, self._target, body, version, patience=patience, now=now)
            self.counters.requests += 1
            self.counters.bytes += len(body)
            if reply.kind == "older":
                self.version, self._changed_version = "1.0", self._clock()
                _LOG.info("%s speaks remote write 1.0 only (%s)", shown(self._target.write_url), reply.reason)
                body, samples = await asyncio.to_thread(self._encoded, part)
                continue
            if reply.kind != "again":
                if reply.kind == "done":
                    self.spoken = version
                self._settled(reply, samples)
                return
            self._failed(reply)
            await self._sleep(self._wait(reply, attempt))
            attempt += 1

    def _encoded(self, part: Part) -> tuple[bytes, int]:
        return self._dialect.encoded(self._batches, part, self.version)

    def _settled(self, reply: Reply, samples: int) -> None:
        if self.failing:
            _LOG.info("%s takes samples again", shown(self._target.write_url))
            self.failing = ""
        whole = max(0, samples - reply.rejected) if reply.kind == "done" else 0
        written = whole if reply.written is None else min(reply.written, samples)
        self.counters.written += written
        if written < samples:
            self.counters.rejected += samples - written
            if not self.refusal:
                _LOG.warning("%s refused %d samples: %s", shown(self._target.write_url), samples - written, reply.reason)
            self._refusal = (reply.reason or "it did not say why", self._clock())

    def _failed(self, reply: Reply) -> None:
        self.counters.failures += 1
        if not self.failing:
            _LOG.warning("%s takes no samples: %s", shown(self._target.write_url), reply.reason)
        self.failing = reply.reason

    def _wait(self, reply: Reply, attempt: int) -> float:
        """What the receiver asks for, or longer each time; never all of us at once."""
        longest = min(self._settings.longest_wait, self._settings.least_wait * 2.0 ** min(attempt, 30))
        jittered = longest * (0.5 + self._random() / 2)
        return jittered if reply.wait is None else reply.wait + jittered


def client_session() -> aiohttp.ClientSession:
    """Keeps no cookies and reads no proxy or password from the environment."""
    import aiohttp

    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=2))
