"""Which web pages may open the stream: those of this host and those that are listed."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit


class Origins:
    """Programs send no Origin and are let in. A browser's page is, when its host is the one it connects to or is listed.

    A name that merely points here (DNS rebinding) does not count as this host: only addresses, localhost and the
    machine's own name do.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {origin.rstrip("/").lower() for origin in allowed}
        self._names = {"localhost", socket.gethostname().lower(), socket.getfqdn().lower()}

    def admits(self, origin: str | None, host: str | None) -> bool:
        """Whether a request with these `Origin` and `Host` headers may go on."""
        if origin is None:
            return True
        if origin.rstrip("/").lower() in self._allowed:
            return True
        page = _host_of(origin)
        return bool(page) and page == _host_of(f"//{host or ''}") and self._is_own(page)

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
