"""An HTTP server that answers as a test scripts it: statuses, silence, resets, slow bodies, redirects."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.collector.actions.listening import listening


@dataclass
class Got:
    """One request. Header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Flaky:
    """`script`: what to do with each request in order ("200", "500", "silence", "reset", "drip", "302 ADDRESS",
    "429 SECONDS", "body STATUS TEXT"); after its end everything is taken.
    """

    script: list[str] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.got.append(Got(head[0].split()[1], headers, body))
        what, _, more = (self.script.pop(0) if self.script else "200").partition(" ")
        if what == "reset":
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        elif what == "silence":
            await reader.read()
        elif what == "drip":
            writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n")
            for _ in range(1000):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        else:
            status, _, text = more.partition(" ") if what == "body" else (what, "", "")
            extra = f"Location: {more}\r\n" if what == "302" else f"Retry-After: {more}\r\n" if what == "429" and more else ""
            told = text.encode()
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(told)}\r\n{extra}\r\n".encode() + told)
            await writer.drain()
            writer.write_eof()
            await reader.read()


@asynccontextmanager
async def flaky(script: Iterable[str] = ()) -> AsyncIterator[Flaky]:
    """It runs on a port of its own until the end."""
    one = Flaky(list(script))
    async with listening(one.answer) as port:
        one.url = f"http://127.0.0.1:{port}"
        yield one
