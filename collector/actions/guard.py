"""Where notices may go: an address on this machine or in a private network only where the settings say so.

A name is looked up here, every address it has is looked at, and the connection goes to one of just those, so that a name cannot
mean one thing when it is looked at and another when it is connected to (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, as text; raises `OSError`."""

_NOBODYS = tuple(
    map(
        ipaddress.ip_network,
        (
            "100.64.0.0/10",  # carriers' own networks (RFC 6598); clouds keep metadata there too
            "192.0.0.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "64:ff9b:1::/48",  # translation to IPv4 within a network (RFC 8215)
            "fec0::/10",  # site-local, long given up, but still routed by some
        ),
    )
)
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is meant."""


class ForbiddenAddressError(OSError, ValueError):
    """An address that notices must not go to; the message says which and why."""


def is_public(address: IP) -> bool:
    """Whether it is somewhere in the Internet: none of ours, of this network, of the link, of a group, or of nobody.

    An IPv4 address within an IPv6 one (mapped, compatible, 6to4, Teredo, NAT64) is looked at too.
    """
    if isinstance(address, ipaddress.IPv6Address):
        return all(map(is_public, _within(address))) and _is_public(address)
    return _is_public(address)


def _is_public(address: IP) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address in _TRANSLATED):
        return True  # what is within it was looked at
    closed = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback or address.is_link_local
    return address.is_global and not closed and not any(address in net for net in _NOBODYS if net.version == address.version)


def _within(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED or int(address) >> 32 == 0:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in found if each is not None]


def check_url(url: str, private: bool) -> None:
    """Raises `ValueError` when it is no address that may be posted to, as far as can be said without looking its name up."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the url is no address; write https://host/path") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("the url is no http:// or https:// address with a host")
    if any(char.isspace() or not char.isprintable() for char in url):
        raise ValueError("the url holds a blank or a control character")
    try:
        literal = ipaddress.ip_address(parts.hostname.partition("%")[0])
    except ValueError:
        return
    if not private:
        check_address(str(literal))


def check_address(text: str) -> None:
    """Raises `ForbiddenAddressError` unless it is public."""
    if not is_public(ipaddress.ip_address(text.partition("%")[0])):
        raise ForbiddenAddressError(
            f"{text} is on this machine or in a private network; write private = true if that is where it is meant to go"
        )


async def look_up(host: str, port: int) -> Sequence[str]:
    """What the system says."""
    import asyncio

    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedResolver(AbstractResolver):
    """Gives a connector the addresses of a name, all of them public, or raises `ForbiddenAddressError`."""

    def __init__(self, private: bool, look: LookUp = look_up) -> None:
        self._private, self._look = private, look

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        """See `AbstractResolver`."""
        addresses = await self._look(host, port)
        if not addresses:
            raise OSError(None, f"{host} has no address")
        if not self._private:
            for address in addresses:
                check_address(address)
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        """See `AbstractResolver`."""


def guarded_socket(private: bool) -> Callable[[tuple[int, int, int, str, tuple[object, ...]]], socket.socket]:
    """Makes the sockets of a connector, with a last look at the very address that is connected to, also one that is no name."""

    def make(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not private:
            check_address(str(address[0]))
        return socket.socket(family, kind, protocol)

    return make


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)
