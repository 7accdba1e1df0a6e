"""OTLP over gRPC: the three `Export` methods, fed with the bytes as they came (opentelemetry.io, OTLP, "OTLP/gRPC")."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc  # type: ignore[import-untyped]

from collector.receivers.accept import NotAcceptedError
from collector.receivers.otlp.receiver import OtlpReceiver
from collector.receivers.otlp.schema import UnreadableError
from collector.receivers.otlp.signals import INVALID_ARGUMENT, SIGNALS, UNAVAILABLE, Signal, retry_info, status
from collector.server.bodies import MOST_BYTES

log = logging.getLogger("lightship.otlp")

_OPTIONS = (
    # Of a message after decompression: the library stops inflating there.
    ("grpc.max_receive_message_length", MOST_BYTES),
    ("grpc.so_reuseport", 0),
)
_GRACE = 1.0
_DETAILS, _RETRY = "grpc-status-details-bin", "google.rpc.retryinfo-bin"


class GrpcServer:
    """Answers over gRPC on the socket at `path`, or else on a port of this host's own address that it chooses."""

    def __init__(self, receiver: OtlpReceiver, path: str = "") -> None:
        self._receiver = receiver
        self.path, self.port = path, 0
        self._server: Any = None

    async def start(self) -> None:
        """Raises `OSError` when it cannot listen there."""
        server = grpc.aio.server(options=_OPTIONS)
        for signal in SIGNALS:
            method = grpc.unary_unary_rpc_method_handler(
                self._handler(signal), response_serializer=lambda response: response.SerializeToString()
            )
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(signal.service, {"Export": method}),))
        try:
            self.port = server.add_insecure_port(f"unix:{self.path}" if self.path else "127.0.0.1:0")
        except RuntimeError as error:
            raise OSError(None, f"gRPC cannot listen on {self.path or 'a port of this host'}: {error}") from None
        self._server = server
        await server.start()

    async def stop(self) -> None:
        """Calls that are being answered have a second."""
        if self._server is not None:
            await self._server.stop(_GRACE)
            self._server = None

    def _handler(self, signal: Signal) -> Callable[[bytes, Any], Awaitable[Any]]:
        async def export(data: bytes, context: Any) -> Any:
            try:
                with self._receiver.request():
                    return await self._receiver.take(signal, data)
            except UnreadableError as error:
                told, code = status(INVALID_ARGUMENT, str(error)), grpc.StatusCode.INVALID_ARGUMENT
                more: tuple[tuple[str, bytes], ...] = ()
            except NotAcceptedError as error:
                told, code = status(UNAVAILABLE, str(error), error.retry_after), grpc.StatusCode.UNAVAILABLE
                # Some exporters look for the detail in a header of its own.
                more = ((_RETRY, retry_info(error.retry_after).SerializeToString()),)
            except Exception:
                self._receiver.counters.errors += 1
                log.exception("reading a request for %s failed; it is lost", signal.service)
                return await context.abort(grpc.StatusCode.INTERNAL, "reading the request failed; the collector's log says where")
            return await context.abort(code, told.message, ((_DETAILS, told.SerializeToString()), *more))

        return export
