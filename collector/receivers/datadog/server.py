"""Datadog's trace agent on a port of its own, where tracers look for it."""

from __future__ import annotations

import errno

from aiohttp import web

from collector.receivers.datadog.receiver import DatadogReceiver
from collector.server.bodies import bounded
from collector.server.origins import Origins
from monitor.settings.address import Address

KEEP_ALIVE = 75.0


class DatadogServer:
    """Listens from `start()` to `stop()`; port 0 lets the system choose. What it does not know it answers with 404, quietly.
    `origins`: which web pages may send here.
    """

    def __init__(self, receiver: DatadogReceiver, host: str, port: int, origins: Origins | None = None) -> None:
        self.address = Address(host, port)
        self._origins = origins or Origins()
        self._receiver = receiver
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Raises `OSError` with a sentence for the user when the address cannot be used."""
        app = web.Application(middlewares=[bounded])
        app.router.add_routes(self._origins.guarded(self._receiver.routes()))
        # Bodies are unpacked by `read_body`, within its bound.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=KEEP_ALIVE, auto_decompress=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.address.host, self.address.port)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            raise OSError(error.errno, _explained(self.address, error)) from None
        self.address = Address(self.address.host, self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Lets requests in hand end, for at most a second. May be called twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _explained(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"TCP port {address.port} on {address.host} is taken, perhaps by a Datadog agent; stop it, or choose another with"
            " --datadog HOST:PORT and tell the tracers (DD_TRACE_AGENT_URL)"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"TCP port {address.port} on {address.host} needs more rights; choose one above 1023 with --datadog HOST:PORT"
    return f"Datadog traces cannot be received on {address}: {error.strerror or error}; choose another with --datadog HOST:PORT"
