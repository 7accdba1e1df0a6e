"""Which web pages may open the stream, ask and send: those of this host and those that are listed."""

from __future__ import annotations

import functools
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web


class Origins:
    """Programs send no Origin and are let in. A browser's page is, when its host is the one it connects to or is listed.

    A name that merely points here (DNS rebinding) does not count as this host: only addresses, localhost and the
    machine's own name do.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {origin.rstrip("/").lower() for origin in allowed}
        self._names = {"localhost", socket.gethostname().lower(), socket.getfqdn().lower()}
        self.refused = 0
        """Requests of pages to routes of `guarded`."""

    def admits(self, origin: str | None, host: str | None) -> bool:
        """Whether a request with these `Origin` and `Host` headers may go on."""
        if origin is None:
            return True
        if origin.rstrip("/").lower() in self._allowed:
            return True
        page = _host_of(origin)
        return bool(page) and page == _host_of(f"//{host or ''}") and self._is_own(page)

    def admits_request(self, request: web.Request) -> bool:
        """As `admits`. A browser that names no origin tells by Sec-Fetch-Site whose page it is; one whose name was made to point
        here believes it is its own.
        """
        origin, host = request.headers.get("Origin"), request.headers.get("Host")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if origin is None and site != "none":
            origin = f"{request.scheme}://{host}" if site == "same-origin" else site
        return self.admits(origin, host)

    def guarded(self, routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
        """The same routes; a page that is not admitted gets 403 before anything of its request is read."""
        from aiohttp import web

        def guard(route: web.RouteDef) -> web.RouteDef:
            @functools.wraps(route.handler)
            async def handle(request: web.Request) -> web.StreamResponse:
                if not self.admits_request(request):
                    self.refused += 1
                    text = "A page of this origin may not send here; list the origin under `origins` in the settings.\n"
                    return web.Response(status=403, text=text)
                answer: web.StreamResponse = await route.handler(request)
                return answer

            return web.RouteDef(route.method, route.path, handle, route.kwargs)

        return [guard(route) for route in routes]

    def _is_own(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
