"""The stream of the user interfaces: frames that are too long, that say nonsense, and clients that never read."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.running import Collector

CLIENTS = 200
PATIENCE = 20.0


def flooded(one: Collector, clients: int = CLIENTS, seconds: float = 3.0) -> dict[str, Any]:
    """Close codes by what was sent; those that should not be under "wrong"."""
    url = f"ws://127.0.0.1:{one.stream_port}"
    told: dict[str, Any] = {"wrong": []}
    frames: tuple[tuple[str, bytes | str, tuple[int, ...]], ...] = (
        ("too long", b"a" * (32 << 20), (1009,)),
        ("nonsense", b"\xc1" * 100, (1007,)),
        ("deep", b"\x91" * 50_000, (1007,)),
        ("text for bytes", "{", (1003, 1007)),
    )
    for name, frame, fine in frames:
        told[name] = _closed_with(url, frame)
        if told[name] not in fine:
            told["wrong"].append(f"{name}: {told[name]}")
    with contextlib.ExitStack() as stack:
        opened = Counter[str]()
        for _ in range(clients):
            try:
                stack.enter_context(connect(url, open_timeout=PATIENCE, close_timeout=0.1))
                opened["opened"] += 1
            except (InvalidHandshake, OSError, TimeoutError) as error:
                opened[type(error).__name__] += 1
        time.sleep(seconds)  # ticks to clients that do not read
        told["clients"] = dict(opened)
    return told


def _closed_with(url: str, frame: bytes | str) -> int:
    with connect(url, subprotocols=[Subprotocol("lightship.v1")], max_size=None, close_timeout=1.0) as socket:
        with contextlib.suppress(ConnectionClosed, OSError, TimeoutError):
            socket.send(frame)
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                socket.recv(timeout=PATIENCE)
        return socket.protocol.close_code or 0
