"""Answers over HTTP and gRPC, as the specification wants them, whatever is sent."""

from __future__ import annotations

import asyncio
import gzip
import random
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse

from collector.receivers.otlp import OtlpGrpc, OtlpHttp, OtlpReceiver
from collector.receivers.otlp.signals import METRICS, SIGNALS
from tests.collector.receivers.otlp.recording import NOW, Recording, nano
from tests.collector.receivers.otlp.test_logs import TRACE
from tests.collector.receivers.otlp.test_traces import request_of

PROTOBUF, JSON = "application/x-protobuf", "application/json"


class Servers:
    """Both listeners, what they got, and a client of each."""

    def __init__(self) -> None:
        self.got = Recording()
        self.receiver = OtlpReceiver(self.got, clock=lambda: NOW - 1000.0)
        self.http, self.grpc = OtlpHttp(self.receiver, "127.0.0.1", 0), OtlpGrpc(self.receiver, "127.0.0.1", 0)

    async def post(self, body: bytes, kind: str = PROTOBUF, path: str = "/v1/metrics", **headers: str) -> Answer:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"http://127.0.0.1:{self.http.port}{path}",
                data=body,
                headers={"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}},
            ) as answer,
        ):
            return Answer(answer.status, answer.content_type, dict(answer.headers), await answer.read())

    async def call(self, body: bytes, path: str = f"/{METRICS.service}/Export", **options: Any) -> bytes:
        sending = [("grpc.max_send_message_length", -1)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.grpc.port}", options=sending) as channel:
            return bytes(await channel.unary_unary(path)(body, **options))


class Answer:
    def __init__(self, status: int, kind: str, headers: dict[str, str], body: bytes) -> None:
        self.status, self.kind, self.headers, self.body = status, kind, headers, body

    def told(self) -> Any:
        """The `google.rpc.Status` of a failure."""
        return status_pb2.Status.FromString(self.body)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    both = Servers()
    await both.http.start()
    await both.grpc.start()
    yield both
    await both.http.stop()
    await both.grpc.stop()


def gauge(value: float | None = 3.0) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    data = request.resource_metrics.add().scope_metrics.add().metrics.add(name="depth").gauge
    data.data_points.add(time_unix_nano=nano(1), **({"as_double": value} if value is not None else {}))
    return request


async def test_a_full_success_has_no_partial_one(servers: Servers) -> None:
    body = gauge().SerializeToString()
    answer = await servers.post(body)
    assert (answer.status, answer.kind, answer.body) == (200, PROTOBUF, b"")
    answer = await servers.post(json_format.MessageToJson(gauge()).encode(), JSON)
    assert (answer.status, answer.kind, answer.body) == (200, JSON, b"{}")
    assert await servers.call(body) == b""
    assert servers.got.gauges() == {"depth": [(1.0, 3.0)] * 3}


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_bodies_may_be_packed(servers: Servers, encoding: str) -> None:
    body = gauge().SerializeToString()
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    assert (await servers.post(packed, Content_Encoding=encoding)).status == 200
    packing = grpc.Compression.Gzip if encoding == "gzip" else grpc.Compression.Deflate
    await servers.call(body, compression=packing)
    assert servers.got.gauges() == {"depth": [(1.0, 3.0)] * 2}


async def test_what_is_left_out_is_told_in_a_partial_success(servers: Servers) -> None:
    body = gauge(None).SerializeToString()
    for answer in ((await servers.post(body)).body, await servers.call(body)):
        told = ExportMetricsServiceResponse.FromString(answer).partial_success
        assert told.rejected_data_points == 1
        assert told.error_message == "1 left out: a point without a value"
    as_json = await servers.post(json_format.MessageToJson(gauge(None)).encode(), JSON)
    assert b'"rejectedDataPoints": "1"' in as_json.body


async def test_broken_bytes_are_a_bad_request_in_their_own_encoding(servers: Servers) -> None:
    answer = await servers.post(b"\xff\xff\xff")
    assert (answer.status, answer.kind, answer.told().code) == (400, PROTOBUF, 3)
    assert "not a protobuf" in answer.told().message
    answer = await servers.post(b"{nonsense", JSON)
    assert (answer.status, answer.kind) == (400, JSON)
    assert b"not JSON" in answer.body
    assert (await servers.post(b"not gzip", Content_Encoding="gzip")).status == 400
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await servers.call(b"\xff\xff\xff")
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert servers.receiver.figures()["otlp_broken_requests_total"] == 3
    assert "could not be read" in servers.receiver.notes()[0]


async def test_what_is_not_accepted_may_come_again(servers: Servers) -> None:
    servers.got.refusing, servers.got.retry_after = "the disk is full", 6.5
    body = gauge().SerializeToString()
    answer = await servers.post(body)
    assert (answer.status, answer.headers["Retry-After"], answer.told().code) == (503, "7", 14)
    assert answer.told().message == "the disk is full"
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await servers.call(body)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
    trailing = {str(name): value for name, value in failure.value.trailing_metadata()}
    told = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    retry = error_details_pb2.RetryInfo()
    assert told.details[0].Unpack(retry)
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (6, 500_000_000)
    assert servers.receiver.figures()["otlp_refused_requests_total"] == 2


async def test_other_content_types_and_encodings_are_not_read(servers: Servers) -> None:
    assert (await servers.post(b"x", "text/plain")).status == 415
    assert (await servers.post(b"x", Content_Encoding="br")).status == 415


async def test_a_bomb_is_too_large_and_costs_no_more_than_its_bound(servers: Servers) -> None:
    bomb = gzip.compress(bytes(160 << 20), 1)
    tracemalloc.start()
    answer = await servers.post(bomb, Content_Encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status, answer.told().code) == (413, 8)
    assert peak < 200 << 20
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await servers.call(bytes(65 << 20), compression=grpc.Compression.Gzip)
    assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_mistake_of_ours_is_told_as_one_and_the_listener_goes_on(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(batches: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr(servers.got, "metrics", fails)
    body = gauge().SerializeToString()
    assert (await servers.post(body)).status == 500
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await servers.call(body)
    assert failure.value.code() is grpc.StatusCode.INTERNAL
    monkeypatch.undo()
    assert (await servers.post(body)).status == 200
    assert servers.receiver.figures()["otlp_errors_total"] == 2


async def test_a_taken_port_is_an_os_error(servers: Servers) -> None:
    for listener in (
        OtlpHttp(servers.receiver, "127.0.0.1", servers.http.port),
        OtlpGrpc(servers.receiver, "127.0.0.1", servers.grpc.port),
    ):
        with pytest.raises(OSError, match="in use"):
            await listener.start()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            await OtlpGrpc(servers.receiver, "127.0.0.1", other.getsockname()[1]).start()


async def test_hundreds_of_damaged_requests_are_answered_and_none_is_a_mistake(servers: Servers) -> None:
    chance = random.Random(3)
    traces = request_of({"attributes": {"a": {"b": [1, "x"]}, "traceId": TRACE}}, {"name": "other"})
    sound = {"/v1/metrics": gauge(), "/v1/traces": traces}
    bodies = []
    for path, message in sound.items():
        for kind, body in ((PROTOBUF, message.SerializeToString()), (JSON, json_format.MessageToJson(message).encode())):
            for _ in range(75):
                damaged = bytearray(body)
                for _ in range(chance.randrange(1, 6)):
                    place = chance.randrange(len(damaged))
                    way = chance.randrange(3)
                    if way == 0:
                        damaged[place] = chance.randrange(256)
                    elif way == 1:
                        del damaged[place : place + chance.randrange(1, 9)]
                        damaged = damaged or bytearray(b"x")
                    else:
                        damaged[place:place] = chance.randbytes(chance.randrange(1, 9))
                bodies.append((path, kind, bytes(damaged)))
    services = {signal.path: f"/{signal.service}/Export" for signal in SIGNALS}
    for path, kind, body in bodies:
        answer = await servers.post(body, kind, path)
        assert answer.status in (200, 400), (kind, body)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{servers.grpc.port}") as channel:
        for path, kind, body in bodies:
            if kind == PROTOBUF:
                assert await code_of(channel.unary_unary(services[path])(body)) in (None, grpc.StatusCode.INVALID_ARGUMENT)
    assert servers.receiver.figures()["otlp_errors_total"] == 0


async def code_of(call: Any) -> Any:
    """Why a call failed; None where it did not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def test_too_many_requests_at_once_are_asked_to_come_again(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receivers.otlp.receiver.MOST_REQUESTS", 1)
    held, going = asyncio.Event(), asyncio.Event()

    async def waits(batches: object) -> None:
        going.set()
        await held.wait()

    monkeypatch.setattr(servers.got, "metrics", waits)
    body = gauge().SerializeToString()
    first = asyncio.create_task(servers.post(body))
    await going.wait()
    assert (await servers.post(body)).status == 503
    held.set()
    assert (await first).status == 200
