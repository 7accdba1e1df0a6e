"""OTLP over gRPC: messages that are too long, too long once unpacked, or no messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc  # type: ignore[import-untyped]

from tests.hostile.pieces import nested
from tests.running import Collector

EXPORT = "/opentelemetry.proto.collector.{0}.v1.{1}Service/Export"
PATHS = [EXPORT.format(name.lower(), name) for name in ("Metrics", "Trace", "Logs")]
PATIENCE = 30.0


def exploded(one: Collector, larger: int = 192 << 20, paths: Sequence[str] = PATHS) -> dict[str, Any]:
    """Codes by what was sent; those that should not be under "wrong". `larger`: bytes that are too many, once unpacked."""
    told: dict[str, Any] = {"wrong": []}
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{one.otlp_grpc_port}", options) as channel:
        for path in paths:
            for name, body, packing, fine in (
                ("too long", bytes(70 << 20), grpc.Compression.NoCompression, ("RESOURCE_EXHAUSTED",)),
                ("gzip", bytes((64 << 20) + larger), grpc.Compression.Gzip, ("RESOURCE_EXHAUSTED",)),
                ("deflate", bytes((64 << 20) + larger), grpc.Compression.Deflate, ("RESOURCE_EXHAUSTED",)),
                ("no message", b"\xff" * 1000, grpc.Compression.NoCompression, ("INVALID_ARGUMENT",)),
                # What lies in the attributes of a resource is read only so deep.
                ("deep", nested(b"\x0a", 5000), grpc.Compression.NoCompression, ("INVALID_ARGUMENT", "OK")),
                ("groups", b"\x0b" * 100_000, grpc.Compression.NoCompression, ("INVALID_ARGUMENT",)),
            ):
                code = _code(channel, path, body, packing)
                told.setdefault(name, []).append(code)
                if code not in fine:
                    told["wrong"].append(f"{path} {name}: {code}")
        told["nobody's method"] = _code(channel, "/a.b/C", b"", grpc.Compression.NoCompression)
    if told["nobody's method"] != "UNIMPLEMENTED":
        told["wrong"].append("a method that nobody has")
    return told


def _code(channel: Any, path: str, body: bytes, packing: Any) -> str:
    try:
        channel.unary_unary(path)(body, timeout=PATIENCE, compression=packing)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"
