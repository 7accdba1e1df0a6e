"""How samples of the queue are spoken to who takes them: remote write here, others beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cramjam

from collector.storage.remote.batch import Batches, Part
from collector.storage.remote.request import Reply, Version, send
from collector.storage.remote.target import RemoteTarget

if TYPE_CHECKING:
    import aiohttp


class Dialect(Protocol):
    """`encoded` is called in a thread, the rest in the loop's."""

    def encoded(self, batches: Batches, part: Part, version: Version) -> tuple[bytes, int]:
        """The request, compressed, and how many samples are in it."""

    async def send(
        self, session: aiohttp.ClientSession, target: RemoteTarget, body: bytes, version: Version, *, patience: float, now: float
    ) -> Reply:
        """Sends it once; what the network does is in the reply. Only remote write says "older"."""

    async def aclose(self) -> None:
        """Nothing is sent any more."""


class RemoteWrite:
    """Prometheus remote write, 2.0 and 1.0."""

    def encoded(self, batches: Batches, part: Part, version: Version) -> tuple[bytes, int]:
        """See `Dialect`."""
        body, samples = batches.encoded(part, version)
        return bytes(cramjam.snappy.compress_raw(body)), samples

    async def send(
        self, session: aiohttp.ClientSession, target: RemoteTarget, body: bytes, version: Version, *, patience: float, now: float
    ) -> Reply:
        """See `Dialect`."""
        return await send(session, target, body, version, patience=patience, now=now)

    async def aclose(self) -> None:
        """See `Dialect`."""
