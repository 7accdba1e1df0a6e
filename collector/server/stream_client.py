"""One connected client: its session, its socket, and the rule that a slow one skips frames and delays nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from monitor.wire.session import Session

if TYPE_CHECKING:
    from collector.rewind.server import Rewound

CLOSE_SECONDS = 2.0
"""How long a client may take to agree to the end."""


class StreamClient:
    """Writes whole packets straight to the transport, where those of all clients are the same bytes."""

    def __init__(self, connection: ServerConnection, session: Session, max_pending: int) -> None:
        self.connection = connection
        self.session = session
        self.questions: set[asyncio.Task[None]] = set()
        """What it asked that is still being worked on."""
        self.messages = 0
        self.bytes = 0
        self.rewound: Rewound | None = None
        """What tells it of the past it looks at; None: it is live."""
        self._transport = connection.transport
        self._protocol = connection.protocol
        self._max_pending = max_pending
        self._ending: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        return self._ending is None and self._protocol.state is State.OPEN and not self._transport.is_closing()

    @property
    def behind(self) -> bool:
        """Whether it has not yet taken what it was sent before."""
        return self._transport.get_write_buffer_size() > 0

    def tick(self) -> int:
        """Sends the present tick, or leaves it out when the client is behind. Returns frames skipped."""
        if not self.open:
            return 0
        if self._transport.get_write_buffer_size():
            return self.session.skip()
        packets = self.session.tick()
        if packets:
            self._write(packets)
        return 0

    def send(self, packets: Iterable[bytes]) -> None:
        """Sends packets that are never left out; a client that lets too much pile up is let go."""
        parts = list(packets)
        if parts and self.open:
            self._write(parts)

    def _write(self, parts: list[bytes]) -> None:
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._transport.write(data)
        self.messages += len(parts)
        self.bytes += len(data)
        pending = self._transport.get_write_buffer_size()
        if pending > self._max_pending:
            self.end(1013, f"too slow: {pending:,} bytes wait to be read; connect again")

    def end(self, code: int, reason: str) -> asyncio.Task[None]:
        """Says goodbye and cuts the line when that is not answered; twice is once."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(code, reason))
        return self._ending

    async def _end(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.connection.close(code, short_reason(reason))
        except TimeoutError:
            self._transport.abort()


def short_reason(reason: str) -> str:
    """A close reason: at most 123 bytes of UTF-8 (RFC 6455, section 5.5)."""
    return reason.encode()[:123].decode(errors="ignore")
