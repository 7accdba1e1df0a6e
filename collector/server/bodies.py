"""What a request brings, read and unpacked within a bound: of its own, and of all requests together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from collector.decompress import DecompressionError, TooLargeError, UnknownEncodingError, decompress

MOST_BYTES = 64 << 20
"""Of one request, unpacked and packed alike."""
MOST_HELD = 256 << 20
"""Of all requests that are read or wait for their answer, beyond `SMALL` of each: further ones are asked to come again."""
SMALL = 256 << 10
"""Bytes that every request may have, however many large ones there are: who sends as senders do is not kept out by them."""
SECONDS_TO_READ = 30.0
_INLINE = 16 << 10
"""Bytes: a longer body is unpacked in a thread, as it may become a thousand times as long."""
_UNPACKED_AT_ONCE = 2


class BodyError(Exception):
    """A body that is not taken: `status` is 400 (broken), 408 (too slow), 413 (too long), 415 (an encoding nobody knows here) or
    503 (too much is being read; come again).
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Room:
    """Bytes that requests hold beyond what each may have anyhow."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self.most = most
        self.held = 0
        self.refused = 0


class _Share:
    """What one request holds of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def resize(self, size: int) -> None:
        """Raises `BodyError` where there is no room for so many bytes."""
        beyond = max(0, size - SMALL)
        if beyond > self._size and self._room.held + beyond - self._size > self._room.most:
            self._room.refused += 1
            raise BodyError(503, f"requests of {self._room.held >> 20} MiB are being read and answered; send it again later")
        self._room.held += beyond - self._size
        self._size = beyond

    def free(self) -> None:
        self._room.held -= self._size
        self._size = 0


ROOM = Room()
"""Of this process, whichever port a request comes in at."""
_share: ContextVar[_Share | None] = ContextVar("share", default=None)
"""Of the request that is being answered."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def bounded(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """For applications whose handlers use `read_body`: a body has its room until the request is answered.

    Who is asked to come again is told when, where the handler has not said it.
    """
    share = _Share(ROOM)
    token = _share.set(share)
    try:
        answer = await handler(request)
        if answer.status in (429, 503) and not answer.prepared:
            answer.headers.setdefault("Retry-After", "1")
        return answer
    finally:
        _share.reset(token)
        share.free()


async def read_body(request: web.Request, limit: int = MOST_BYTES, encoding: str | None = None) -> bytes:
    """The body as its Content-Encoding says, or as `encoding` does. Raises `BodyError`; never holds more than twice the limit."""
    share = _share.get()
    if share is not None:
        return await _read(request, limit, encoding, share)
    share = _Share(ROOM)
    try:
        return await _read(request, limit, encoding, share)
    finally:
        share.free()


async def _read(request: web.Request, limit: int, encoding: str | None, share: _Share) -> bytes:
    packed = await _packed(request, limit, share)
    encoding = request.headers.get("Content-Encoding", "") if encoding is None else encoding
    try:
        if len(packed) <= _INLINE or not encoding:
            body = decompress(packed, encoding, limit)
        else:
            async with _turn():
                body = await asyncio.to_thread(decompress, packed, encoding, limit)
    except TooLargeError as error:
        raise BodyError(413, str(error)) from None
    except UnknownEncodingError as error:
        raise BodyError(415, str(error)) from None
    except DecompressionError as error:
        raise BodyError(400, str(error)) from None
    share.resize(len(body))
    return body


async def _packed(request: web.Request, limit: int, share: _Share) -> bytes:
    parts: list[bytes] = []
    size = 0
    if request.content_length is not None and request.content_length > limit:
        raise BodyError(413, f"the request has more than {limit} bytes")
    try:
        async with asyncio.timeout(SECONDS_TO_READ):
            async for part in request.content.iter_any():
                size += len(part)
                if size > limit:
                    raise BodyError(413, f"the request has more than {limit} bytes")
                share.resize(size)
                parts.append(part)
    except TimeoutError:
        raise BodyError(408, f"the body did not come within {SECONDS_TO_READ:g} s") from None
    except (ConnectionError, web.RequestPayloadError, BadHttpMessage) as error:
        raise BodyError(400, f"the body broke off after {size} bytes: {error}"[:200]) from None
    return b"".join(parts)


_turns: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


def _turn() -> asyncio.Semaphore:
    """Of this loop: so that what is unpacked has a bound, too."""
    loop = asyncio.get_running_loop()
    if loop not in _turns:
        _turns.clear()
        _turns[loop] = asyncio.Semaphore(_UNPACKED_AT_ONCE)
    return _turns[loop]
