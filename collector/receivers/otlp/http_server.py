"""OTLP over HTTP: protobuf and JSON, answered as the specification wants it (opentelemetry.io, OTLP, "OTLP/HTTP")."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from collector.receivers.accept import NotAcceptedError
from collector.receivers.otlp.schema import UnreadableError
from collector.receivers.otlp.signals import (
    INTERNAL,
    INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED,
    SIGNALS,
    UNAVAILABLE,
    Signal,
    status,
)
from collector.server.bodies import BodyError, bounded, read_body
from collector.server.origins import Origins

if TYPE_CHECKING:
    from collector.receivers.otlp.receiver import OtlpReceiver

log = logging.getLogger("lightship.otlp")

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_TYPES = {PROTOBUF: PROTOBUF, "application/protobuf": PROTOBUF, JSON: JSON}


def routes_of(receiver: OtlpReceiver) -> list[web.RouteDef]:
    """A route a signal."""
    return [web.post(signal.path, _handler(receiver, signal)) for signal in SIGNALS]


def _handler(receiver: OtlpReceiver, signal: Signal) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        encoding = _TYPES.get(request.content_type)
        if encoding is None:
            why = f"the content type {request.content_type[:60]!r} is not read here; send {PROTOBUF} or {JSON}"
            return _answered(415, status(INVALID_ARGUMENT, why), PROTOBUF)
        try:
            with receiver.request():
                body = await read_body(request)
                convert = _from_json(signal) if encoding == JSON else None
                return _answered(200, await receiver.take(signal, body, convert), encoding)
        except BodyError as error:
            if error.status == 503:
                return _answered(503, status(UNAVAILABLE, str(error), 1.0), encoding)
            code = RESOURCE_EXHAUSTED if error.status == 413 else INVALID_ARGUMENT
            return _answered(error.status, status(code, str(error)), encoding)
        except UnreadableError as error:
            return _answered(400, status(INVALID_ARGUMENT, str(error)), encoding)
        except NotAcceptedError as error:
            told = _answered(503, status(UNAVAILABLE, str(error), error.retry_after), encoding)
            told.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
            return told
        except Exception:
            # A mistake of ours: the same request would meet it again, so the sender is not asked to come again.
            receiver.counters.errors += 1
            log.exception("reading a request for %s failed; it is lost", signal.path)
            return _answered(500, status(INTERNAL, "reading the request failed; the collector's log says where"), encoding)

    return handle


def _from_json(signal: Signal) -> Callable[[bytes], bytes]:
    from collector.receivers.otlp.json_form import to_protobuf

    return partial(to_protobuf, request=signal.request)


def _answered(code: int, message: Any, encoding: str) -> web.Response:
    if encoding == JSON:
        from google.protobuf import json_format

        return web.Response(status=code, text=json_format.MessageToJson(message, indent=None), content_type=JSON)
    return web.Response(status=code, body=message.SerializeToString(), content_type=PROTOBUF)


class OtlpHttp:
    """A listener of its own for OTLP over HTTP. `port` 0 takes any; it tells the one that was got. `origins`: which web pages may
    send here.
    """

    def __init__(self, receiver: OtlpReceiver, host: str, port: int, origins: Origins | None = None) -> None:
        self._receiver = receiver
        self._origins = origins or Origins()
        self.host, self.port = host, port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Raises `OSError` when the address is taken."""
        app = web.Application(middlewares=[bounded])
        app.router.add_routes(self._origins.guarded(self._receiver.routes()))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, auto_decompress=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError:
            await self.stop()
            raise
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
