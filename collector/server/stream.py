"""The WebSocket server: lets clients in, hands their requests on, and sends each tick to all of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.http11 import Request as HandshakeRequest
from websockets.http11 import Response
from websockets.typing import Subprotocol

from collector.rewind.server import Rewinds
from collector.server.backend import Backend, CommandError
from collector.server.origins import Origins
from collector.server.stream_client import StreamClient
from collector.server.websocket_frame import framed
from monitor.wire.codec import JSON, MAX_FROM_CLIENT, SUBPROTOCOLS, DecodeError
from monitor.wire.messages import Asked, Message, Request, Resume, TryReceiver
from monitor.wire.past import Work
from monitor.wire.session import Session
from monitor.wire.shared import Limits, Shared

log = logging.getLogger(__name__)

UNSENT = 128 * 1024
"""Bytes the kernel may hold unsent for one client, so that what it gets is never old (TCP_NOTSENT_LOWAT)."""
MAX_QUESTIONS = 16
"""Of one client, answered at once: beside each other and its other requests."""
_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bounds of the server; those of one client are in `client`. `pending`: bytes that may wait for one client."""

    clients: int = 2_000
    pending: int = 48 << 20
    ping_seconds: float = 20.0
    client: Limits = field(default_factory=Limits)


class Tick(Protocol):
    """What is needed of an engine's frame."""

    @property
    def time(self) -> float: ...

    @property
    def number(self) -> int: ...


class StreamServer:
    """Serves `lightship.v1` and `lightship.v1+json`. All methods belong to the loop that `start` ran in."""

    def __init__(
        self,
        host: str,
        port: int,
        backend: Backend,
        *,
        limits: StreamLimits | None = None,
        allowed_origins: Sequence[str] = (),
        rewinds: Rewinds | None = None,
    ) -> None:
        self.host = host
        self.port = port
        """The port asked for; after `start` the one that was got."""
        self.limits = limits or StreamLimits()
        self.clients: set[StreamClient] = set()
        self._backend = backend
        self._origins = Origins(allowed_origins)
        self._rewinds = rewinds
        if rewinds is not None:
            rewinds.wrap, rewinds.client_limits = framed, self.limits.client
        self._shared = Shared(backend, self.limits.client, framed)
        self._server: Server | None = None
        self._long_answers = asyncio.Lock()
        self._refused = 0
        self._skipped = 0
        self._messages = 0
        self._bytes = 0
        self._malformed = 0

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Begins to listen. Raises `OSError` when the address cannot be had."""
        self._server = await serve(
            self._serve,
            self.host,
            self.port,
            process_request=self._admit,
            select_subprotocol=_choose,  # without one it is JSON, for scripts
            compression=None,
            max_size=MAX_FROM_CLIENT,
            max_queue=16,
            open_timeout=5,
            ping_interval=self.limits.ping_seconds,
            ping_timeout=self.limits.ping_seconds,
            close_timeout=2,
            server_header=None,
            backlog=1024,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Sends everybody away with 1001 and stops listening."""
        if self._server is None:
            return
        if self._rewinds is not None:
            await self._rewinds.close()
        endings = [client.end(1001, "the collector is stopping") for client in self.clients]
        if endings:
            await asyncio.wait(endings)
        self._server.close()
        await self._server.wait_closed()
        self._server = None

    def figures(self) -> dict[str, float]:
        """Figures for `collector.health`, by their names there."""
        return {
            "stream_clients": float(len(self.clients)),
            "stream_messages_total": float(self._messages + sum(client.messages for client in self.clients)),
            "stream_bytes_total": float(self._bytes + sum(client.bytes for client in self.clients)),
            "stream_skipped_frames_total": float(self._skipped),
            "stream_refused_clients_total": float(self._refused),
            "stream_malformed_total": float(self._malformed),
        } | (self._rewinds.figures() if self._rewinds is not None else {})

    # ------------------------------------------------------------ what happened, for everybody

    def publish_tick(self, frame: Tick) -> None:
        """Sends the engine's tick: to each client the frames it asked for, unless it is slow."""
        self._shared.begin(frame.number, frame.time)
        for client in self._live():
            try:
                self._skipped += client.tick()
            except Exception:
                log.exception("stream: the tick could not be sent to %r; the client is let go", client.session.client)
                client.end(1011, "the collector could not make your frames; see its log")

    def publish_alerts(self) -> None:
        """Alerts or silences changed."""
        for client in self._live():
            client.send(client.session.alerts())

    def publish_rules(self) -> None:
        """Rules or their files changed."""
        for client in self._live():
            client.send(client.session.rules())

    def publish_events(self) -> None:
        """Something happened that is worth remembering."""
        for client in self._live():
            client.send(client.session.events())

    def _live(self) -> list[StreamClient]:
        """Clients that look at the present; those that look at the past are told by `Rewinds`."""
        return [client for client in self.clients if client.rewound is None]

    # ------------------------------------------------------------ one client

    def _admit(self, connection: ServerConnection, request: HandshakeRequest) -> Response | None:
        origin, host = request.headers.get("Origin"), request.headers.get("Host")
        if not self._origins.admits(origin, host):
            self._refused += 1
            text = f"Pages of {(origin or '')[:200]} may not open this stream; list the origin in the collector's settings.\n"
            return connection.respond(HTTPStatus.FORBIDDEN, text)
        if len(self.clients) >= self.limits.clients:
            self._refused += 1
            text = f"This collector has its {self.limits.clients} clients; try again later.\n"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, text)
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        session = Session(self._shared, self._shared.codec(connection.subprotocol or JSON))
        client = StreamClient(connection, session, self.limits.pending)
        _keep_fresh(connection)
        client.send(session.greet())
        self.clients.add(client)
        try:
            await self._listen(client)
        except ConnectionClosed:
            pass
        finally:
            self.clients.discard(client)
            if client.rewound is not None:
                client.rewound.end()
            for question in tuple(client.questions):
                question.cancel()
            session.close()
            self._messages += client.messages
            self._bytes += client.bytes

    async def _listen(self, client: StreamClient) -> None:
        async for data in client.connection:
            try:
                request = client.session.codec.decode_request(data)
            except DecodeError as error:
                self._malformed += 1
                log.info("stream: %r sent what cannot be read: %s", client.session.client, error)
                await client.end(1007, str(error))
                return
            if isinstance(request, Asked) or (isinstance(request, TryReceiver) and client.rewound is None):
                self._ask(client, request)
            elif client.rewound is not None:
                client.rewound.put(request)
            elif isinstance(request, Resume) and request.at > 0:
                self._look_back(client, request)
            else:
                await self._respond(client, request)
            # Whoever does not read the answers is not asked for more questions; and others have their turn in between.
            await client.connection.drain()
            await asyncio.sleep(0)

    async def _respond(self, client: StreamClient, request: Request) -> None:
        try:
            await self._deliver(client, await self._answer(client, request))
        except Exception:
            log.exception("stream: %s failed", type(request).__name__)
            client.send(client.session.reply(request.id, error="the collector failed at this; its log says why"))

    def _ask(self, client: StreamClient, request: Request) -> None:
        """A question that may take its time, and that nothing else the client says has to wait for."""
        if len(client.questions) >= MAX_QUESTIONS:
            error = f"{MAX_QUESTIONS} questions of this client are being answered; wait for one of them"
            client.send(client.session.reply(request.id, error=error))
            return
        question = asyncio.create_task(self._respond(client, request))
        client.questions.add(question)
        question.add_done_callback(client.questions.discard)

    def _look_back(self, client: StreamClient, request: Resume) -> None:
        if self._rewinds is None:
            client.send(client.session.reply(request.id, error="this collector keeps no history; it cannot show the past"))
        else:
            client.rewound = self._rewinds.begin(client, request, self._respond)

    async def _deliver(self, client: StreamClient, packets: Iterable[bytes]) -> None:
        """Sends an answer; a long one is worked out bit by bit, one at a time, and takes at most half of the loop's time."""
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as turn:
            began = 0.0
            for packet in packets:
                if packet:
                    client.send([packet])
                elif not client.open:
                    return
                elif isinstance(packet, Work):
                    await loop.run_in_executor(None, packet.run)
                elif began:
                    await asyncio.sleep(loop.time() - began)
                else:
                    await turn.enter_async_context(self._long_answers)
                began = loop.time()

    async def _answer(self, client: StreamClient, request: Request) -> Iterable[bytes]:
        session = client.session
        try:
            packets = session.receive(request)
            if packets is not None:
                return packets
            result: Any = await self._backend.command(request, session.who)
        except CommandError as error:
            return session.reply(request.id, error.result, str(error))
        return session.tell(result) if isinstance(result, Message) else session.reply(request.id, result)


def _choose(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    chosen = next((name for name in offered if name in SUBPROTOCOLS), None)
    if offered and chosen is None:
        raise NegotiationError(f"offer one of {', '.join(SUBPROTOCOLS)}")
    return chosen


def _keep_fresh(connection: ServerConnection) -> None:
    found = connection.transport.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        found.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT)
