"""OTLP over HTTP or gRPC: one request, and what its answer means.

Source: opentelemetry.io, "OTLP Specification" (Failures, Retryable Response Codes, Throttling, Partial Success).
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from collector.decompress import decompress
from collector.protobuf.wire import Budget, ProtobufError, as_message, as_signed, as_text, fields
from collector.storage.remote.request import Answered, Reply, plain, post, settled
from collector.storage.remote.target import RemoteTarget

if TYPE_CHECKING:
    import aiohttp

Signal = Literal["metrics", "traces", "logs"]
Protocol = Literal["grpc", "http"]
_METHODS: dict[Signal, str] = {
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_AGAIN = frozenset(("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"))
_MOST_MESSAGE = 64 << 20
_LONGEST_WAIT = 300.0


class Channel:
    """To one address, for one signal. `body` is always a request compressed with gzip."""

    def __init__(self, target: RemoteTarget, signal: Signal, protocol: Protocol, patience: float = 30.0) -> None:
        """`target.write_url`: for HTTP what stands before `/v1/traces`, or the whole; for gRPC `http://host:port`, or `https://`
        with TLS.
        """
        self._target, self._signal, self._protocol, self._patience = target, signal, protocol, patience
        self._grpc: Any = None

    async def send(self, body: bytes, session: aiohttp.ClientSession, now: float) -> Reply:
        """Sends it once."""
        if self._protocol == "grpc":
            return await self._call(body)
        path = f"/v1/{self._signal}"
        url = self._target.write_url.rstrip("/")
        url = url if url.endswith(path) else url + path
        headers = {
            **self._target.all_headers(url),
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
        }
        answered = await post(session, url, headers, body, patience=self._patience)
        if isinstance(answered, Answered):
            reply = settled(answered, now)
            return _partial(answered.body) if reply.kind == "done" else reply
        return answered

    async def aclose(self) -> None:
        """Ends the connection; `send` makes a new one."""
        channel, self._grpc = self._grpc, None
        if channel is not None:
            await channel.close(None)

    async def _call(self, body: bytes) -> Reply:
        grpc: Any = importlib.import_module("grpc.aio").grpc  # late: only who exports by gRPC has it in memory
        try:
            message = decompress(body, "gzip", _MOST_MESSAGE)
        except ValueError as error:
            return Reply("refused", 0, f"the queue held no request: {plain(str(error))}")
        if self._grpc is None:
            self._grpc = _connected(grpc, self._target.write_url)
        call = self._grpc.unary_unary(_METHODS[self._signal])
        headers = self._target.all_headers(self._target.write_url)
        metadata = [(name.lower(), value) for name, value in headers.items() if name != "User-Agent"]
        try:
            answer = await call(
                message, timeout=self._patience, metadata=metadata, compression=grpc.Compression.Gzip, wait_for_ready=False
            )
        except grpc.aio.AioRpcError as error:
            return _refused(error.code().name, error.details() or "", error.trailing_metadata())
        return _partial(answer)


def _connected(grpc: Any, url: str) -> Any:
    parts = urlsplit(url)
    at = f"{parts.hostname}:{parts.port or 4317}"
    options = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", 1 << 20)]
    if parts.scheme == "https":
        return grpc.aio.secure_channel(at, grpc.ssl_channel_credentials(), options)
    return grpc.aio.insecure_channel(at, options)


def _refused(code: str, details: str, trailing: Any) -> Reply:
    reason = plain(f"{code}: {details}" if details else code)
    wait = None
    for name, value in trailing or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            wait = retry_delay(value)
    if code in _AGAIN or (code == "RESOURCE_EXHAUSTED" and wait is not None):
        return Reply("again", None, reason, wait)
    return Reply("refused", None, reason)


def retry_delay(status: bytes) -> float | None:
    """Seconds that a `google.rpc.Status` asks to be waited by its `RetryInfo`, at most five minutes; None where it has none."""
    with contextlib.suppress(ProtobufError):
        for number, kind, value, _ in fields(memoryview(status), Budget(100)):
            if number != 3:
                continue
            parts = {n: (v, k) for n, k, v, _ in fields(as_message(value, kind), Budget(10))}
            if 1 not in parts or 2 not in parts or not as_text(*parts[1]).endswith("google.rpc.RetryInfo"):
                continue
            for inner, inner_kind, delay, _ in fields(as_message(*parts[2]), Budget(10)):
                if inner == 1:
                    told = {n: as_signed(v, k) for n, k, v, _ in fields(as_message(delay, inner_kind), Budget(10))}
                    return min(max(0.0, told.get(1, 0) + told.get(2, 0) / 1e9), _LONGEST_WAIT)
    return None


def _partial(answer: bytes) -> Reply:
    """What of a request that was taken was left out after all."""
    rejected, why = 0, ""
    with contextlib.suppress(ProtobufError):
        for number, kind, value, _ in fields(memoryview(answer), Budget(100)):
            if number != 1:
                continue
            for inner, inner_kind, found, _ in fields(as_message(value, kind), Budget(100)):
                if inner == 1:
                    rejected = as_signed(found, inner_kind)
                elif inner == 2:
                    why = plain(as_text(found, inner_kind))
    return Reply("done", None, why, rejected=max(0, rejected))
