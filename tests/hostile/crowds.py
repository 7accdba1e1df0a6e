"""Many at once: connections that say nothing or say it slowly, large bodies beside each other, a million distinct series."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

from collector.receivers.remote_write.negotiation import Version
from tests.collector.receivers.remote_write.written import encoded, labels, packed
from tests.hostile.sending import post
from tests.killing.senders import WRITE
from tests.running import Collector

CROWD = 3000
SLOW = 200
BODIES, BODY = 40, 24 << 20
DISTINCT, WRITTEN = 1_000_000, 200_000


def silent(one: Collector, many: int = CROWD, seconds: float = 5.0) -> dict[str, int]:
    """Connections to every port that then say nothing; how many could be made."""
    ports = (one.http_port, one.stream_port, one.otlp_http_port, one.otlp_grpc_port, one.datadog_port)
    held: list[socket.socket] = []
    for number in range(many):
        with contextlib.suppress(OSError):
            held.append(socket.create_connection(("127.0.0.1", ports[number % len(ports)]), timeout=2.0))
    time.sleep(seconds)
    for each in held:
        each.close()
    return {"made": len(held)}


def slow(one: Collector, many: int = SLOW, seconds: float = 8.0) -> dict[str, int]:
    """Senders that give a byte of their head or body now and then."""
    head = b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: 60000000\r\n\r\n"
    held = [socket.create_connection(("127.0.0.1", one.http_port), timeout=5.0) for _ in range(many)]
    for number, each in enumerate(held):
        each.sendall(head if number % 2 else head[:40])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for each in held:
            with contextlib.suppress(OSError):
                each.sendall(b"a")
        time.sleep(0.5)
    for each in held:
        each.close()
    return {"held": len(held)}


def heavy(one: Collector, many: int = BODIES, size: int = BODY) -> dict[str, int]:
    """Bodies that are each allowed, all beside each other and all garbage, to everything that takes such."""
    body, statuses = b"\xff" * size, Counter[str]()
    targets = (
        (one.http_port, "/api/v1/write", {"Content-Encoding": "snappy"}),
        (one.http_port, "/v1/metrics", {"Content-Type": "application/x-protobuf"}),
        (one.otlp_http_port, "/v1/traces", {"Content-Type": "application/x-protobuf"}),
        (one.http_port, "/metrics/job/heavy", {"Content-Type": "text/plain"}),
    )

    def send(number: int) -> None:
        port, path, headers = targets[number % len(targets)]
        statuses[str(_held_back(port, path, body, headers))] += 1

    _beside(many, send)
    return dict(statuses)


def _held_back(port: int, path: str, body: bytes, headers: dict[str, str]) -> int:
    """All of it but the end, then, when the others have done the same, the end."""

    def parts() -> object:
        yield body[:-1]
        time.sleep(1.5)
        yield body[-1:]

    return post(port, path, parts(), headers | {"Content-Length": str(len(body))})  # type: ignore[arg-type]


def _beside(many: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def distinct_lines(one: Collector, many: int = DISTINCT) -> dict[str, int]:
    """StatsD: as many series as lines, by a tag that is never the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for first in range(0, many, 25):
            lines = "\n".join(f"flood.lines:1|c|#user:{number}" for number in range(first, first + 25))
            with contextlib.suppress(OSError):
                out.sendto(lines.encode(), ("127.0.0.1", one.statsd_port))
            if first % 5000 == 0:
                time.sleep(0.005)
    return {"lines": many}


def distinct_written(one: Collector, many: int = WRITTEN, together: int = 5_000) -> dict[str, int]:
    """Remote write: the same."""
    statuses, now = Counter[str](), time.time_ns() // 1_000_000
    for first in range(0, many, together):
        names = {labels("flood_written", user=str(number)): [(now, 1.0)] for number in range(first, first + together)}
        statuses[str(post(one.http_port, "/api/v1/write", packed(encoded(Version.V1, names)), WRITE))] += 1
    return dict(statuses)
