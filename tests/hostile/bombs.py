"""Bodies that are small on the way and large when they are unpacked, that lie about their length, or have no end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import cramjam

from collector.protobuf.wire import varint
from tests.hostile.pieces import nested
from tests.hostile.sending import post, raw, status_of
from tests.running import Collector

LARGE = 256 << 20
ZEROS = bytes(1 << 20)
PROTOBUF, JSON, MSGPACK = "application/x-protobuf", "application/json", "application/msgpack"


class Bomb(NamedTuple):
    """`fine`: the statuses that it may be answered with."""

    name: str
    body: bytes
    encoding: str
    fine: tuple[int, ...]


def _gzipped(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(ZEROS) for _ in range(size >> 20)) + packer.flush()


def bombs() -> list[Bomb]:
    """For everything that takes compressed bodies."""
    packed = _gzipped(LARGE)
    deflated = zlib.compress(bytes(LARGE), 9)
    zstd = bytes(cramjam.zstd.compress(bytes(LARGE)))
    return [
        Bomb("gzip", packed, "gzip", (413,)),
        Bomb("deflate", deflated, "deflate", (413,)),
        Bomb("raw deflate", deflated[2:-4], "deflate", (413,)),
        Bomb("zstd", zstd, "zstd", (413, 415)),
        Bomb("gzip in gzip", gzip.compress(packed), "gzip", (200, 400, 413)),  # 200 where nothing is read, only counted
        Bomb("gzip, gzip", gzip.compress(packed), "gzip, gzip", (413, 415)),
        Bomb("many members", gzip.compress(b"") * 200_000, "gzip", (200, 202, 400, 413)),
        Bomb("cut off", packed[:1000], "gzip", (400,)),
        Bomb("snappy that declares 256 MiB", varint(LARGE), "snappy", (400, 413, 415)),
        Bomb("snappy that declares 4 GiB", varint((1 << 32) - 1), "snappy", (400, 413, 415)),
        Bomb("too long", bytes(66 << 20), "", (413,)),
    ]


def places(one: Collector) -> list[tuple[str, int, str, str]]:
    """Where bodies may come compressed: a name, port, path and content type."""
    return [
        *((f"otlp {signal}", one.otlp_http_port, f"/v1/{signal}", PROTOBUF) for signal in ("metrics", "traces", "logs")),
        ("otlp json", one.http_port, "/v1/metrics", JSON),
        ("datadog", one.datadog_port, "/v0.4/traces", MSGPACK),
        ("datadog stats", one.datadog_port, "/v0.6/stats", MSGPACK),
        ("pushgateway", one.http_port, "/metrics/job/bomb", "text/plain"),
        ("events", one.http_port, "/api/v1/events", JSON),
    ]


def exploded(one: Collector) -> dict[str, list[str]]:
    """All bombs to all of them; statuses by place, and what was answered otherwise than it should under "wrong"."""
    told: dict[str, list[str]] = {"wrong": []}

    def note(place: str, name: str, status: int, fine: tuple[int, ...]) -> None:
        told.setdefault(place, []).append(f"{name}: {status}")
        if status not in fine:
            told["wrong"].append(f"{place}, {name}: {status}")

    made = bombs()
    for place, port, path, kind in places(one):
        for bomb in made:
            headers = {"Content-Type": kind} | ({"Content-Encoding": bomb.encoding} if bomb.encoding else {})
            note(place, bomb.name, post(port, path, bomb.body, headers), bomb.fine)
        note(
            place, "endless", post(port, path, _endless(80 << 20), {"Content-Type": kind, "Transfer-Encoding": "chunked"}), (413,)
        )
    snappy = {"Content-Encoding": "snappy", "Content-Type": PROTOBUF}
    for path in ("/api/v1/write", "/api/v1/read"):
        for name, body, fine in (
            ("declares 256 MiB", varint(LARGE), (400, 413)),
            ("declares 4 GiB", varint((1 << 32) - 1), (400, 413)),
            ("256 MiB of zeros", bytes(cramjam.snappy.compress_raw(bytes(LARGE))), (400, 413)),
            ("too long", bytes(66 << 20), (400, 413)),
        ):
            note(path, name, post(one.http_port, path, body, snappy), fine)
        note(path, "zstd", post(one.http_port, path, made[3].body, snappy | {"Content-Encoding": "zstd"}), (400, 415))
    for path, kind, deep in (
        ("/v1/metrics", PROTOBUF, b"\x0a\x80" + nested(b"\x0a", 5000)),
        ("/v1/traces", PROTOBUF, b"\x0b" * 100_000),
        ("/v1/logs", JSON, b'{"a":' * 100_000),
        ("/v1/metrics", JSON, b"[" * 1_000_000),
        ("/api/v1/events", JSON, b"[" * 1_000_000),
    ):
        note("deep", f"{path} {kind}", post(one.http_port, path, deep, {"Content-Type": kind}), (400,))
    note("deep", "datadog", post(one.datadog_port, "/v0.4/traces", b"\x91" * 1_000_000, {"Content-Type": MSGPACK}), (400,))
    _said(one, note)
    return told


def _said(one: Collector, note: object) -> None:
    """Requests whose heads lie."""
    for name, data, fine in (
        ("a header of 1 MiB", b"GET / HTTP/1.1\r\nA: " + b"a" * (1 << 20) + b"\r\n\r\n", (400, 431, 0)),
        ("50,000 headers", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50_000 + b"\r\n", (400, 431, 0)),
        ("a path of 1 MiB", b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\n\r\n", (400, 414, 0)),
        ("a negative length", b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", (400,)),
        ("two lengths", b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", (400,)),
        ("a broken chunk", b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", (400, 415)),
        ("no HTTP", b"\x00\xff" * 5000, (400, 0)),
    ):
        note("heads", name, status_of(raw(one.http_port, data)), fine)  # type: ignore[operator]


def _endless(most: int) -> Iterator[bytes]:
    for _ in range(most >> 20):
        yield ZEROS
