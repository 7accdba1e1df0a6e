"""Requests put straight to an application's handlers, without a socket in between."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiohttp import HttpVersion11, StreamReader, web
from aiohttp.http import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


class _Connection:
    """As much of a connection as handlers look at; it is never closed."""

    transport: Any = None
    ssl_context = peername = sockname = writer = None
    _reading_paused = False
    max_field_size = max_line_length = 8190
    max_headers = 128

    def is_closing(self) -> bool:
        return False

    def resume_reading(self, **_: Any) -> None: ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Application:
    """Routes that can be asked."""

    def __init__(self, routes: Sequence[web.RouteDef]) -> None:
        self._app = web.Application(client_max_size=1 << 20)
        self._app.router.add_routes(routes)
        self._app.freeze()
        self._connection: Any = _Connection()
        self._connection.transport = self._connection

    async def ask(self, asked: Asked) -> int:
        """The status of the answer; what a handler raises beyond HTTP's own errors is raised."""
        loop = asyncio.get_running_loop()
        stream = StreamReader(self._connection, 1 << 24, loop=loop)
        stream.feed_data(asked.body)
        stream.feed_eof()
        headers = CIMultiDictProxy(CIMultiDict({"Host": "localhost", **asked.headers}))
        url = URL(asked.path)
        message = RawRequestMessage(asked.method, asked.path, HttpVersion11, headers, (), False, None, False, False, url)
        task: Any = None
        request = web.Request(message, stream, self._connection, self._connection, task, loop, client_max_size=1 << 20)
        match = await self._app.router.resolve(request)
        match.add_app(self._app)
        request._match_info = match
        try:
            answer = await match.handler(request)
        except web.HTTPException as error:
            return error.status
        return answer.status
