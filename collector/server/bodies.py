"""What a request brings, read and unpacked within a bound."""

from __future__ import annotations

from aiohttp import web

from collector.decompress import DecompressionError, TooLargeError, UnknownEncodingError, decompress

MOST_BYTES = 64 << 20
"""Of one request, unpacked and packed alike."""


class BodyError(Exception):
    """A body that is not taken: `status` is 400 (broken), 413 (too long) or 415 (an encoding nobody knows here)."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def read_body(request: web.Request, limit: int = MOST_BYTES, encoding: str | None = None) -> bytes:
    """The body as its Content-Encoding says, or as `encoding` does. Raises `BodyError`; never holds more than twice the limit."""
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > limit:
            raise BodyError(413, f"the request has more than {limit} bytes")
        parts.append(part)
    try:
        return decompress(b"".join(parts), request.headers.get("Content-Encoding", "") if encoding is None else encoding, limit)
    except TooLargeError as error:
        raise BodyError(413, str(error)) from None
    except UnknownEncodingError as error:
        raise BodyError(415, str(error)) from None
    except DecompressionError as error:
        raise BodyError(400, str(error)) from None
