"""The HTTP side: `/metrics`, health, discovery, and a page that says where one is."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from collector.server.bodies import bounded
from monitor.settings.address import Address
from monitor.wire.messages import Hello

_PAGE = """Lightship {version} on {name}

  stream     {stream}
  metrics    /metrics
  query      /api/v1/query, as Prometheus has it
  healthy    /-/healthy
  ready      /-/ready

Open a user interface with: lightship desktop, or lightship tui
"""


class HttpBackend(Protocol):
    """What the HTTP side asks of the collector."""

    def hello(self) -> Hello: ...

    def ready(self) -> str:
        """ "" when it takes in and judges, else why not."""

    @property
    def stream_url(self) -> str: ...


class HttpServer:
    """Listens from `start()` to `stop()`. Answers only what can be read by anybody who may reach the port."""

    def __init__(self, address: Address, backend: HttpBackend, routes: Sequence[web.RouteDef] = ()) -> None:
        """`routes` are served besides its own, `/metrics` among them."""
        self._routes = routes
        self._address = address
        self._backend = backend
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Raises `OSError` with a sentence for the user when the address cannot be used."""
        app = web.Application(client_max_size=1 << 20, middlewares=[bounded])
        app.router.add_get("/", self._home)
        app.router.add_get("/-/healthy", self._healthy)
        app.router.add_get("/-/ready", self._ready)
        app.router.add_get("/-/lightship", self._discover)
        app.router.add_routes(self._routes)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1.0, max_line_size=65_536, max_field_size=65_536, auto_decompress=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._address.host, self._address.port)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            raise OSError(error.errno, taken(f"TCP {self._address}", "http", error)) from None
        port = self._runner.addresses[0][1]
        self.url = f"http://{Address(self._address.host, port)}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _home(self, request: web.Request) -> web.Response:
        hello = self._backend.hello()
        return web.Response(text=_PAGE.format(version=hello.version, name=hello.name, stream=self._backend.stream_url))

    async def _healthy(self, request: web.Request) -> web.Response:
        return web.Response(text="healthy\n")

    async def _ready(self, request: web.Request) -> web.Response:
        why_not = self._backend.ready()
        return web.Response(text=f"{why_not or 'ready'}\n", status=503 if why_not else 200)

    async def _discover(self, request: web.Request) -> web.Response:
        hello = self._backend.hello()
        return web.json_response({"stream": self._backend.stream_url, "name": hello.name, "version": hello.version})


def taken(what: str, setting: str, error: OSError) -> str:
    """Why an address cannot be used and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"{what} is taken by another program. Choose another with --{setting} HOST:PORT, or stop that program."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{what} needs a right that this account does not have. Choose a port above 1023 with --{setting} HOST:PORT."
    return f"{what} cannot be used: {error.strerror or error}. Choose another with --{setting} HOST:PORT."
