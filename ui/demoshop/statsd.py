"""Lines of DogStatsD (datagram format 1.2), and the datagrams and socket they go by."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence

DATAGRAM = 1432
"""Bytes that pass an Ethernet as one packet."""
MOST_VALUES = 60
"""Of one line."""


def tagged(tags: Mapping[str, str]) -> str:
    return "|#" + ",".join(f"{key}:{value}" for key, value in tags.items()) if tags else ""


def line(name: str, value: float | str, kind: str, tags: Mapping[str, str]) -> str:
    """One value. `kind`: c, g, ms, h, d or s."""
    written = value if isinstance(value, str) else f"{value:.6g}"
    return f"{name}:{written}|{kind}{tagged(tags)}"


def packed(name: str, values: Sequence[float], kind: str, tags: Mapping[str, str]) -> Iterator[str]:
    """Many values in as few lines as may be."""
    for begin in range(0, len(values), MOST_VALUES):
        written = ":".join(f"{value:.6g}" for value in values[begin : begin + MOST_VALUES])
        yield f"{name}:{written}|{kind}{tagged(tags)}"


def check(name: str, status: int, tags: Mapping[str, str], message: str) -> str:
    """A service check; 0 is well, 1 a warning, 2 critical."""
    return f"_sc|{name}|{status}{tagged(tags)}|m:{message}"


def datagrams(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines put together up to `DATAGRAM` bytes; a longer line goes alone."""
    waiting: list[bytes] = []
    size = 0
    for each in lines:
        raw = each.encode()
        if waiting and size + len(raw) + 1 > DATAGRAM:
            yield b"\n".join(waiting)
            waiting, size = [], 0
        waiting.append(raw)
        size += len(raw) + 1
    if waiting:
        yield b"\n".join(waiting)


class Sender:
    """Sends datagrams and forgets them, as StatsD's clients do: nobody there is no mistake. `lost` counts what it could tell."""

    def __init__(self, host: str, port: int) -> None:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self._address = address
        self._socket = socket.socket(family, kind, proto)
        self._socket.setblocking(False)
        self.lost = 0

    def send(self, lines: Iterable[str]) -> None:
        for datagram in datagrams(lines):
            try:
                self._socket.sendto(datagram, self._address)
            except OSError:
                self.lost += 1

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()
