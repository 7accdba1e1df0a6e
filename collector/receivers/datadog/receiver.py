"""The API of Datadog's trace agent: tracers send to it as if to their agent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from collector.receivers.accept import Accept, NotAcceptedError
from collector.receivers.datadog.operations import bounded
from collector.receivers.datadog.payloads import (
    Payload,
    PayloadError,
    read_json,
    read_packed,
    read_tracer_payload,
    read_traces,
)
from collector.receivers.datadog.spans import Converted, SpanConverter
from collector.server.bodies import BodyError, read_body

MOST_BYTES = 25 << 20
"""Of one request, as Datadog's agent has it."""
MOST_READING = 32
"""Requests whose bodies are read at once."""
SECONDS_TO_READ = 30.0
SMALL = 64 << 10
"""A body of so many bytes is converted between two turns of the loop; a larger one in a thread."""
NOTES = 8

_RATES = {"rate_by_service": {"service:,env:": 1.0}}
"""Every trace of every service: sampling here is none of the tracers' work."""
_INFO = {
    "version": "lightship",
    # Not told: /v0.6/stats, or tracers would count what is counted here from the spans themselves.
    "endpoints": ["/v0.3/traces", "/v0.4/traces", "/v0.5/traces", "/v0.7/traces"],
    "client_drop_p0s": False,
    "span_meta_structs": False,
    "long_running_spans": False,
    "span_events": False,
    "config": {"max_request_bytes": MOST_BYTES},
}
_RESOURCE_HEADERS = (
    ("telemetry.sdk.language", "Datadog-Meta-Lang"),
    ("telemetry.sdk.version", "Datadog-Meta-Tracer-Version"),
    ("container.id", "Datadog-Container-ID"),
)
_Read = Callable[[bytes], Payload]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class DatadogCounters:
    """What came since the start.

    `refused`: spans without an id; `cut`: those with too much; `malformed`, `too_busy`, `not_accepted`: whole requests.
    """

    requests: int = 0
    bytes: int = 0
    spans: int = 0
    refused: int = 0
    cut: int = 0
    malformed: int = 0
    too_busy: int = 0
    not_accepted: int = 0
    stats: int = 0


class DatadogReceiver:
    """Takes traces of v0.3, v0.4, v0.5 and v0.7, and says yes when they are on the disk.

    `clock` gives seconds since the epoch. One receiver may serve several addresses.
    """

    def __init__(self, accept: Accept, clock: Callable[[], float] = time.time) -> None:
        self._accept = accept
        self._clock = clock
        self._converter = SpanConverter()
        self._converting = asyncio.Lock()
        self._reading = 0
        self._wrong: dict[str, int] = {}
        self.counters = DatadogCounters()

    def routes(self) -> list[web.RouteDef]:
        """What a tracer asks of its agent; all else it is denied with 404."""
        taking: dict[str, _Handler] = {
            "/v0.3/traces": partial(self._traces, read=read_traces, json=True),
            "/v0.4/traces": partial(self._traces, read=read_traces, json=True),
            "/v0.5/traces": partial(self._traces, read=read_packed, json=False),
            "/v0.7/traces": partial(self._traces, read=read_tracer_payload, json=False),
            "/v0.6/stats": partial(self._stats, counted=True),
            "/v0.1/pipeline_stats": partial(self._stats, counted=False),
        }
        methods = (web.put, web.post)
        return [web.get("/info", self._info), *(method(path, taking[path]) for path in taking for method in methods)]

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        counters = self.counters
        return {
            "datadog_requests_total": counters.requests,
            "datadog_bytes_total": counters.bytes,
            "datadog_spans_total": counters.spans,
            "datadog_spans_refused_total": counters.refused,
            "datadog_spans_cut_total": counters.cut,
            "datadog_malformed_total": counters.malformed,
            "datadog_too_busy_total": counters.too_busy,
            "datadog_not_accepted_total": counters.not_accepted,
            "datadog_stats_total": counters.stats,
        }

    def notes(self) -> list[str]:
        """What could not be read, at most `NOTES` sentences."""
        return [f"{why} ({count} times)" if count > 1 else why for why, count in self._wrong.items()]

    async def _info(self, request: web.Request) -> web.Response:
        return web.json_response(_INFO)

    async def _stats(self, request: web.Request, counted: bool) -> web.Response:
        try:
            await self._body(request)
        except BodyError as error:
            return self._malformed(request, error.status, str(error))
        self.counters.stats += counted
        return web.json_response({})

    async def _traces(self, request: web.Request, read: _Read, json: bool) -> web.Response:
        self.counters.requests += 1
        try:
            body = await self._body(request)
            if json and request.content_type in ("application/json", "text/json"):
                read = read_json
            converted = await self._converted(read, body, _resource(request))
        except PayloadError as error:
            return self._malformed(request, 400, str(error))
        except BodyError as error:
            return self._malformed(request, error.status, str(error))
        self.counters.refused += converted.refused
        self.counters.cut += converted.cut
        if len(converted.spans):
            try:
                await self._accept.spans(converted.spans)
            except NotAcceptedError as error:
                self.counters.not_accepted += 1
                wait = {"Retry-After": str(max(1, round(error.retry_after)))}
                return web.Response(status=503, text=f"{error}\n", headers=wait)
            self.counters.spans += len(converted.spans)
        return web.Response(text="OK\n") if request.path.startswith("/v0.3") else web.json_response(_RATES)

    async def _converted(self, read: _Read, body: bytes, resource: dict[str, str]) -> Converted:
        def convert() -> Converted:
            payload = read(body) if body else Payload([])  # tracers look whether anybody is there with nothing at all
            return self._converter.columns(payload, resource, self._clock())

        async with self._converting:  # one at a time: what is decoded takes several times the memory of its body
            return convert() if len(body) <= SMALL else await asyncio.to_thread(convert)

    async def _body(self, request: web.Request) -> bytes:
        """Raises `BodyError`, with 429 where too many are being read and 408 where the sender is too slow."""
        if self._reading >= MOST_READING:
            self.counters.too_busy += 1
            raise BodyError(429, f"{MOST_READING} requests are being read already; send it again later")
        self._reading += 1
        try:
            async with asyncio.timeout(SECONDS_TO_READ):
                body = await read_body(request, MOST_BYTES)
        except TimeoutError:
            raise BodyError(408, f"the body did not come within {SECONDS_TO_READ:g} s") from None
        finally:
            self._reading -= 1
        self.counters.bytes += len(body)
        return body

    def _malformed(self, request: web.Request, status: int, why: str) -> web.Response:
        self.counters.malformed += status != 429
        sender = request.headers.get("Datadog-Meta-Lang", "")
        note = bounded(
            f"refused what {f'a {sender} tracer' if sender else 'a tracer'} sent to Datadog's {request.path}: {why}", 300
        )
        if note in self._wrong or len(self._wrong) < NOTES:
            self._wrong[note] = self._wrong.get(note, 0) + 1
        return web.Response(status=status, text=f"{why}\n")


def _resource(request: web.Request) -> dict[str, str]:
    """What the headers tell of the sender."""
    return {name: request.headers[header] for name, header in _RESOURCE_HEADERS if request.headers.get(header)}
