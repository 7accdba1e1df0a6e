"""Sends JSON that is made piece by piece in a thread: the event loop neither encodes nor compresses, and memory stays small."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import web

from monitor.query.history import QueryError

PIECE = 256 * 1024
"""Bytes made at once in the thread."""
_WORTH_COMPRESSING = 1400
"""Bytes: less than that fits one packet anyway."""
_STATUS = {
    "bad_data": 400,
    "execution": 422,
    "canceled": 499,
    "timeout": 503,
    "unavailable": 503,
    "internal": 500,
    "not_found": 404,
    "not_acceptable": 406,
}
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_encode = msgspec.json.Encoder().encode


def failed(error: QueryError) -> web.Response:
    """The envelope of an error."""
    return failure(error.kind, str(error))


def failure(kind: str, message: str, status: int = 0) -> web.Response:
    body = _encode({"status": "error", "errorType": kind, "error": message})
    return web.Response(body=body, status=status or _STATUS.get(kind, 500), headers=_HEADERS)


async def succeeded(
    request: web.Request, data: Any, warnings: tuple[str, ...] = (), infos: tuple[str, ...] = ()
) -> web.StreamResponse:
    """The envelope of an answer that is small or made of ready objects."""
    shown: dict[str, Any] = {"status": "success", "data": data}
    if warnings:
        shown["warnings"] = list(warnings)
    if infos:
        shown["infos"] = list(infos)
    return await sent(request, iter((await asyncio.to_thread(_encode, shown),)))


async def sent(request: web.Request, pieces: Iterator[bytes]) -> web.StreamResponse:
    """Sends what `pieces` gives, compressed where the client takes it and it pays."""
    source = _Pieces(pieces, "gzip" in request.headers.get("Accept-Encoding", "").lower())
    first, last = await asyncio.to_thread(source.next)
    headers = dict(_HEADERS) | ({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} if source.compressed else {})
    if last:
        return web.Response(body=first, headers=headers)
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    piece = first
    while True:
        await response.write(piece)
        if last:
            break
        piece, last = await asyncio.to_thread(source.next)
    await response.write_eof()
    return response


class _Pieces:
    """Gathers small pieces to large ones and compresses them, in whichever thread calls `next`."""

    def __init__(self, pieces: Iterator[bytes], may_compress: bool) -> None:
        self._pieces = pieces
        self._may_compress = may_compress
        self._deflate: Any = None
        self._begun = False

    @property
    def compressed(self) -> bool:
        return self._deflate is not None

    def next(self) -> tuple[bytes, bool]:
        """The next part of the body and whether it is the last."""
        gathered, size = [], 0
        for piece in self._pieces:
            gathered.append(piece)
            size += len(piece)
            if size >= PIECE:
                break
        last = size < PIECE
        if not self._begun:
            self._begun = True
            if self._may_compress and size >= _WORTH_COMPRESSING:
                self._deflate = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        body = b"".join(gathered)
        if self._deflate is not None:
            body = self._deflate.compress(body) + (self._deflate.flush() if last else b"")
        return body, last
