"""StatsD over UDP, IPv4 and IPv6."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import Any, NamedTuple

from collector.receivers.statsd.listener import Listener
from collector.receivers.statsd.receiver import Sink


class SocketAddress(NamedTuple):
    """Where a listener hears; written `host:port`, an IPv6 host in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class UdpListener(Listener):
    """Listens on `host`:`port`; port 0 lets the system choose. `::` hears IPv4 as well.

    Options as of `Listener`: `clock`, `limits`, `interval`, `samples`, `receive_buffer`.
    """

    def __init__(self, host: str, port: int, sink: Sink, **options: Any) -> None:
        super().__init__(sink, **options)
        self.address = SocketAddress(host.strip("[]"), port)

    def open(self) -> socket.socket:
        family, where = resolved(self.address, socket.SOCK_DGRAM)
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if family == socket.AF_INET6:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind(where)
        except OSError as error:
            sock.close()
            raise OSError(error.errno, explained("UDP", self.address, error)) from None
        self.address = SocketAddress(*sock.getsockname()[:2])
        return sock


def resolved(address: SocketAddress, kind: socket.SocketKind) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """The family and what to bind to. Raises `OSError` with a sentence for the user."""
    host, port = address
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise OSError(
            error.errno, f"StatsD cannot listen on {address}: the host {host!r} is not known; give an address of this machine"
        ) from None
    return family, where


def explained(protocol: str, address: SocketAddress, error: OSError) -> str:
    """Why an address of `protocol` (UDP or TCP) cannot be had, and what to do."""
    option, letter = ("--statsd", "u") if protocol == "UDP" else ("--statsd-tcp", "t")
    if error.errno == errno.EADDRINUSE:
        return (
            f"{protocol} port {address.port} on {address.host} is taken; stop the program that listens there"
            f" (`ss -l{letter}np 'sport = :{address.port}'` names it) or choose another with {option} HOST:PORT"
        )
    if error.errno == errno.EACCES:
        return (
            f"{protocol} port {address.port} on {address.host} needs more rights; choose one above 1023 with {option} HOST:PORT"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is no address of this machine; give one of its own, or 127.0.0.1, with {option} HOST:PORT"
    return f"StatsD cannot listen on {address}: {error.strerror}"
