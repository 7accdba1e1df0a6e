"""Remote read: raw samples for another Prometheus (prometheus.io, docs/specs/prw, remote read API; response type SAMPLES)."""

from __future__ import annotations

import asyncio

import cramjam
from aiohttp import web

from collector.decompress import DecompressionError, TooLargeError, decompress
from collector.protobuf.remote_read import STREAMED_CHUNKS, ReadRequest, query_result, read_request
from collector.protobuf.wire import ProtobufError
from collector.query import QueryService
from collector.server.prometheus.parameters import BadDataError
from monitor.model.matchers import SelectorError, compile_pattern

MAX_REQUEST = 4 << 20
"""Bytes of a request after decompression: matchers are short."""


async def remote_read(request: web.Request, query: QueryService) -> web.Response:
    """Answers `POST /api/v1/read`. Raises `QueryError`."""
    body = await request.read()
    asked = _read(body)
    if asked.accepted and all(kind == STREAMED_CHUNKS for kind in asked.accepted):
        raise BadDataError("streamed chunks are not offered; accept the response type SAMPLES")
    results = []
    for one in asked.queries:
        found = await query.select(one.matchers, one.start, one.end)
        results.append(await asyncio.to_thread(query_result, found.blocks))
    answer = await asyncio.to_thread(lambda: bytes(cramjam.snappy.compress_raw(b"".join(results))))
    return web.Response(body=answer, headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"})


def _read(body: bytes) -> ReadRequest:
    try:
        asked = read_request(decompress(body, "snappy", MAX_REQUEST))
        for one in asked.queries:
            for matcher in one.matchers:
                if matcher.op in ("=~", "!~"):
                    compile_pattern(matcher.value)
    except TooLargeError as error:
        raise web.HTTPRequestEntityTooLarge(MAX_REQUEST, len(body), text=str(error)) from None
    except (DecompressionError, ProtobufError, SelectorError) as error:
        raise BadDataError(str(error)) from None
    return asked
