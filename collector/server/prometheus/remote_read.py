"""Remote read: raw samples for another Prometheus (prometheus.io, docs/specs/prw, remote read API; response type SAMPLES)."""

from __future__ import annotations

import asyncio

import cramjam
from aiohttp import web

from collector.decompress import DecompressionError, TooLargeError, decompress
from collector.protobuf.columns import columns_of
from collector.protobuf.read import ReadRequest, decode_read_request, encode_read_response
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
    if not asked.takes_samples:
        raise BadDataError("streamed chunks are not offered; accept the response type SAMPLES")
    # The hints are the other's: it evaluates, and takes what is too much. Samples go out as they are kept.
    found = [await query.select(one.matchers, one.start, one.end) for one in asked.queries]

    def encoded() -> bytes:
        return bytes(cramjam.snappy.compress_raw(encode_read_response([columns_of(selected.blocks) for selected in found])))

    answer = await asyncio.to_thread(encoded)
    return web.Response(body=answer, headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"})


def _read(body: bytes) -> ReadRequest:
    try:
        asked = decode_read_request(decompress(body, "snappy", MAX_REQUEST))
        for one in asked.queries:
            for matcher in one.matchers:
                if matcher.op in ("=~", "!~"):
                    compile_pattern(matcher.value)
    except TooLargeError as error:
        raise web.HTTPRequestEntityTooLarge(MAX_REQUEST, len(body), text=str(error)) from None
    except (DecompressionError, ProtobufError, SelectorError) as error:
        raise BadDataError(str(error)) from None
    return asked
