"""Addresses as people write them; apart from the other settings, so that short commands load little."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it; a name other than localhost counts as open to others."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(written: Any) -> Address:
    """`127.0.0.1:7070`, `[::1]:7070`, `:7070` or `7070` (the last two on loopback). Raises `ValueError`."""
    given = str(written) if isinstance(written, int) else written
    if not isinstance(given, str):
        raise ValueError(f"expected text in quotes, found {written!r}")
    host, colon, port = given.strip().rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 <= int(port) <= 65535):
        raise ValueError(f'expected an address like "127.0.0.1:7070", found {written!r}')
    if colon and ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f'an IPv6 address stands in brackets, as in "[::1]:7070"; found {written!r}')
    return Address(host.strip("[]") or "127.0.0.1", int(port))
