"""Keeps one WebSocket to a collector: finds it, connects, and after a loss tries again with growing, jittered pauses."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from monitor.wire.codec import MAX_FROM_SERVER, MSGPACK, Codec, DecodeError, EncodeError
from monitor.wire.messages import Message, Request
from ui.client.mirror import Link, LinkChanged

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 10.0
STABLE = 5.0
"""Seconds a connection must have held for the pauses to begin anew."""
MAX_OUTBOX = 1_000
DISCOVERY = "/-/lightship"
DISCOVERY_BYTES = 65_536

Item = Message | LinkChanged


class Connector:
    """`sink` gets every message and every change of the link, in order, in the loop's thread."""

    def __init__(self, url: str, sink: Callable[[Item], None], clock: Callable[[], float] = time.time) -> None:
        self.url = url if "://" in url else f"http://{url}"
        self._sink = sink
        self._clock = clock
        self._codec = Codec(MSGPACK)
        self._outbox: asyncio.Queue[Request] = asyncio.Queue(MAX_OUTBOX)
        self._number = 0
        self._failures = 0
        self._lost_since = clock()
        self._at_once = asyncio.Event()

    async def run(self) -> None:
        """Connects and reconnects until it is cancelled."""
        self._tell("connecting")
        while True:
            held_from = self._clock()
            try:
                reason = await self._connection()
            except Exception as error:
                # Whatever stands in the way (name, network, handshake, answer) is a reason to tell and to try again.
                reason = reason_of(error)
            if self._clock() - held_from >= STABLE:
                self._failures = 0
            self._failures += 1
            self._tell("lost", reason)
            await self._pause()

    def send(self, request: Request, number: int) -> None:
        """Queues a request for connection `number` (of its link); one that has ended takes nothing any more."""
        if number == self._number:
            with contextlib.suppress(asyncio.QueueFull):
                self._outbox.put_nowait(request)

    def retry(self) -> None:
        """Ends the pause before the next try."""
        self._at_once.set()

    async def _pause(self) -> None:
        """None before the first new try, then doubling up to `LONGEST_PAUSE`, each between half and all of it."""
        if self._failures > 1:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(16, self._failures - 2))
            self._at_once.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause * random.uniform(0.5, 1.0)):
                    await self._at_once.wait()

    async def _connection(self) -> str:
        """One connection from its beginning to its end; says why it ended."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed

        url = await self._stream_url()
        async with connect(
            url,
            subprotocols=[MSGPACK],  # type: ignore[list-item]  # a NewType of str
            compression=None,
            max_size=MAX_FROM_SERVER,
            max_queue=64,
            open_timeout=5,
            ping_interval=10,
            ping_timeout=10,
            close_timeout=1,
            proxy=None if _is_loopback(url) else True,
            user_agent_header=None,
        ) as websocket:
            self._number += 1
            self._outbox = asyncio.Queue(MAX_OUTBOX)
            self._tell("connected")
            writer = asyncio.create_task(self._write(websocket))
            try:
                return await self._read(websocket)
            except ConnectionClosed as closed:
                return closed_reason(closed.rcvd.code if closed.rcvd else None, closed.rcvd.reason if closed.rcvd else "")
            finally:
                writer.cancel()

    async def _read(self, websocket: ClientConnection) -> str:
        async for data in websocket:
            try:
                self._sink(self._codec.decode(data))
            except DecodeError as error:
                await websocket.close(1007, "a message could not be read")
                return f"it sent what cannot be read: {error}"
            except OverflowError as error:
                await websocket.close(1013, "too slow")
                return str(error)
        return closed_reason(websocket.close_code, websocket.close_reason or "")

    async def _write(self, websocket: ClientConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        outbox = self._outbox
        with contextlib.suppress(ConnectionClosed):
            while True:
                request = await outbox.get()
                with contextlib.suppress(EncodeError):
                    await websocket.send(self._codec.encode(request))

    def _tell(self, state: Any, reason: str = "") -> None:
        now = self._clock()
        if state != "lost" or self._failures == 1:
            self._lost_since = now
        self._sink(LinkChanged(Link(state, self._lost_since, reason, self._failures, self.url, self._number)))

    async def _stream_url(self) -> str:
        """Where the stream is: the URL itself, or what the collector's HTTP side says."""
        parts = urlsplit(self.url)
        if parts.scheme in ("ws", "wss"):
            return self.url
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"{self.url} is neither ws://host:port nor http://host:port")
        return stream_of(await asyncio.to_thread(_discover, self.url), parts.hostname or "")


def stream_of(answer: bytes, host: str) -> str:
    """The stream's URL in an answer of `/-/lightship`. Raises `ValueError` when there is none."""
    import msgspec

    try:
        found = msgspec.json.decode(answer)
    except msgspec.DecodeError:
        raise ValueError("what answers there is not a Lightship collector") from None
    url = found.get("stream") if isinstance(found, dict) else None
    if not isinstance(url, str) or urlsplit(url).scheme not in ("ws", "wss"):
        raise ValueError("what answers there is not a Lightship collector")
    parts = urlsplit(url)
    if parts.hostname in ("0.0.0.0", "::", None):
        named = f"[{host}]" if ":" in host else host
        parts = parts._replace(netloc=f"{named}:{parts.port}" if parts.port else named)
    return urlunsplit(parts)


def _discover(url: str) -> bytes:
    from urllib.request import ProxyHandler, build_opener

    opener = build_opener(ProxyHandler({})) if _is_loopback(url) else build_opener()
    with opener.open(url.rstrip("/") + DISCOVERY, timeout=5) as answer:
        body: bytes = answer.read(DISCOVERY_BYTES)
    return body


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def reason_of(error: Exception) -> str:
    """Why a try failed, for people."""
    if isinstance(error, TimeoutError):
        return "no answer within 5 s"
    inner = getattr(error, "reason", None)
    if isinstance(inner, OSError):
        error = inner
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "nothing listens there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error)[:200] or type(error).__name__


def closed_reason(code: int | None, reason: str) -> str:
    """Why a connection ended, for people."""
    if reason:
        return reason
    return {None: "the connection broke", 1000: "the collector said goodbye", 1001: "the collector is stopping"}.get(
        code, "the connection broke" if code == 1006 else f"the collector closed the connection ({code})"
    )
