"""Ports that nobody takes while the one they belong to is away: below those that the system gives to connections going out."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import Collector

LOWEST, HIGHEST = 20_000, 32_000
_taken: set[int] = set()


def lasting_port() -> int:
    """One that is free now, over TCP and UDP, and that this process was not given before."""
    while True:
        port = random.randrange(LOWEST, HIGHEST)
        if port in _taken:
            continue
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        _taken.add(port)
        return port


@contextmanager
def lasting_collector(folder: Path, config: str = "") -> Iterator[Collector]:
    """A started collector whose ports are still free when it starts again; stopped at the end."""
    one = Collector(folder, config)
    one.http_port, one.stream_port, one.statsd_port = lasting_port(), lasting_port(), lasting_port()
    one.otlp_grpc_port, one.otlp_http_port, one.datadog_port = lasting_port(), lasting_port(), lasting_port()
    one.url = f"http://127.0.0.1:{one.http_port}"
    one.start()
    try:
        yield one
    finally:
        one.stop()
