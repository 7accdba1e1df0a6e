"""The trace agent's API over HTTP: what tracers send is kept before they are told so, and what is wrong is said."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest

from collector.receivers.accept import NotAcceptedError
from collector.receivers.datadog import DatadogReceiver, DatadogServer
from collector.receivers.datadog import receiver as module
from monitor.alerting.model import Event
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.logs import Logs
from monitor.model.spans import Spans
from tests.collector.receivers.datadog.packing import as_json, packed, plain, tracer_payload
from tests.collector.receivers.datadog.reference import NOW, Row, rows
from tests.running import until

SPAN: Row = {"trace_id": 9, "span_id": 1, "service": "shop", "name": "op", "resource": "GET /", "start": int(NOW) * 10**9}
MSGPACK = {"Content-Type": "application/msgpack", "Datadog-Meta-Lang": "python"}


class Kept:
    """Accepts everything, unless told to refuse."""

    def __init__(self) -> None:
        self.all: list[Spans] = []
        self.refuse: NotAcceptedError | None = None

    async def metrics(self, batches: Sequence[Batch | HistogramBatch]) -> None:
        raise AssertionError("no metrics come this way")

    async def spans(self, spans: Spans) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.all.append(spans)

    async def logs(self, logs: Logs) -> None:
        raise AssertionError("no logs come this way")

    def events(self, events: Sequence[Event]) -> None:
        raise AssertionError("no events come this way")

    def rows(self) -> list[Row]:
        return [row for spans in self.all for row in rows(spans)]


class Stage:
    """A server, what it keeps, and a client of it."""

    def __init__(self, kept: Kept, server: DatadogServer, receiver: DatadogReceiver, client: aiohttp.ClientSession) -> None:
        self.kept, self.server, self.receiver, self._client = kept, server, receiver, client

    async def put(self, path: str, body: bytes, method: str = "PUT", **headers: str) -> tuple[int, str]:
        url = f"http://{self.server.address}{path}"
        async with self._client.request(method, url, data=body, headers={**MSGPACK, **headers}) as answer:
            return answer.status, await answer.text()

    async def get(self, path: str) -> aiohttp.ClientResponse:
        async with self._client.get(f"http://{self.server.address}{path}") as answer:
            await answer.read()
            return answer


@asynccontextmanager
async def serving() -> AsyncIterator[Stage]:
    kept = Kept()
    receiver = DatadogReceiver(kept, lambda: NOW)
    server = DatadogServer(receiver, "127.0.0.1", 0)
    await server.start()
    try:
        async with aiohttp.ClientSession() as client:
            yield Stage(kept, server, receiver, client)
    finally:
        await server.stop()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with serving() as found:
        yield found


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/v0.3/traces", plain([[SPAN]]), "application/msgpack"),
        ("/v0.3/traces", as_json([[SPAN]]), "application/json"),
        ("/v0.4/traces", plain([[SPAN]]), "application/msgpack"),
        ("/v0.5/traces", packed([[SPAN]]), "application/msgpack"),
        ("/v0.7/traces", tracer_payload([[SPAN]]), "application/msgpack"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_every_version_is_kept_and_answered(stage: Stage, path: str, body: bytes, content_type: str, method: str) -> None:
    answer = await stage.put(path, body, method, **{"Content-Type": content_type})
    assert answer == (200, "OK\n" if "v0.3" in path else '{"rate_by_service": {"service:,env:": 1.0}}')
    (row,) = stage.kept.rows()
    assert (row["trace"], row["id"], row["service"], row["name"]) == (9, 1, "shop", "GET /")
    assert row["details"]["resource"] == {"telemetry.sdk.language": "python"}
    assert stage.receiver.figures()["datadog_spans_total"] == 1


async def test_info_says_what_is_taken_and_that_nothing_need_be_dropped(stage: Stage) -> None:
    info = await (await stage.get("/info")).json()
    assert {"/v0.3/traces", "/v0.4/traces", "/v0.5/traces", "/v0.7/traces"} == set(info["endpoints"])
    assert info["client_drop_p0s"] is False


async def test_nothing_at_all_is_an_answered_question(stage: Stage) -> None:
    assert (await stage.put("/v0.4/traces", b""))[0] == 200
    assert (await stage.put("/v0.4/traces", b"\x90"))[0] == 200
    assert stage.kept.all == []


async def test_stats_are_counted_and_the_rest_is_not_there(stage: Stage) -> None:
    assert await stage.put("/v0.6/stats", b"\x80") == (200, "{}")
    assert await stage.put("/v0.1/pipeline_stats", b"anything", "POST") == (200, "{}")
    for path in ("/v0.7/config", "/telemetry/proxy/api/v2/apmtelemetry", "/profiling/v1/input", "/evp_proxy/v2/x"):
        assert (await stage.put(path, b"x" * 10_000, "POST"))[0] == 404
    assert stage.receiver.figures()["datadog_stats_total"] == 1
    assert stage.receiver.notes() == []


async def test_packed_bodies_are_unpacked_within_the_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await stage.put("/v0.4/traces", gzip.compress(plain([[SPAN]])), **{"Content-Encoding": "gzip"}))[0] == 200
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    status, why = await stage.put("/v0.4/traces", gzip.compress(bytes(100_000)), **{"Content-Encoding": "gzip"})
    assert (status, why) == (413, "the content has more than 1000 bytes after decompression\n")
    assert (await stage.put("/v0.4/traces", b"x", **{"Content-Encoding": "brotli"}))[0] == 415


async def test_a_large_body_is_kept_whole(stage: Stage) -> None:
    chunks = [[{**SPAN, "span_id": i, "meta": {"k": "v" * 50}} for i in range(1, 3001)]]
    assert len(plain(chunks)) > module.SMALL
    assert (await stage.put("/v0.4/traces", plain(chunks)))[0] == 200
    assert len(stage.kept.rows()) == 3000


async def test_what_cannot_be_read_is_said_to_the_sender_and_to_the_user(stage: Stage) -> None:
    for _ in range(3):
        assert (await stage.put("/v0.4/traces", b"\x91"))[0] == 400
    figures = stage.receiver.figures()
    assert (figures["datadog_malformed_total"], figures["datadog_spans_total"]) == (3, 0)
    (note,) = stage.receiver.notes()
    assert note == "refused what a python tracer sent to Datadog's /v0.4/traces: Input data was truncated (3 times)"


async def test_notes_stay_few_and_safe(stage: Stage) -> None:
    for number in range(20):
        await stage.put("/v0.4/traces", b"\x91", **{"Datadog-Meta-Lang": f"lang{number}\u202e"})
    assert len(stage.receiver.notes()) == 8
    assert all(note.isprintable() for note in stage.receiver.notes())


async def test_spans_without_ids_are_left_out_and_counted(stage: Stage) -> None:
    await stage.put("/v0.4/traces", plain([[SPAN, {**SPAN, "span_id": 0}, {**SPAN, "trace_id": 0}]]))
    assert len(stage.kept.rows()) == 1
    assert stage.receiver.figures()["datadog_spans_refused_total"] == 2


async def test_what_is_not_kept_is_not_said_to_be(stage: Stage) -> None:
    stage.kept.refuse = NotAcceptedError("the disk refuses", 7.0)
    assert await stage.put("/v0.4/traces", plain([[SPAN]])) == (503, "the disk refuses\n")
    stage.kept.refuse = None
    assert (await stage.put("/v0.4/traces", plain([[SPAN]])))[0] == 200
    figures = stage.receiver.figures()
    assert (figures["datadog_not_accepted_total"], figures["datadog_spans_total"]) == (1, 1)


async def test_slow_senders_are_few_and_harm_nobody_for_long(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_READING", 1)
    monkeypatch.setattr(module, "SECONDS_TO_READ", 0.3)
    host, port = stage.server.address.host, stage.server.address.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"PUT /v0.4/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    await asyncio.to_thread(until, lambda: stage.receiver.counters.requests, "the slow one is being read", pause=0.005)
    assert (await stage.put("/v0.4/traces", plain([[SPAN]])))[0] == 429
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert (await stage.put("/v0.4/traces", plain([[SPAN]])))[0] == 200
    assert stage.receiver.figures()["datadog_too_busy_total"] == 1
    writer.close()


async def test_many_senders_at_once_lose_nothing(stage: Stage) -> None:
    bodies = [plain([[{**SPAN, "span_id": 100 * i + j} for j in range(1, 50)]]) for i in range(20)]
    answers = await asyncio.gather(*(stage.put("/v0.4/traces", body) for body in bodies))
    assert {status for status, _ in answers} == {200}
    assert len({row["id"] for row in stage.kept.rows()}) == 20 * 49


async def test_a_taken_port_is_said_with_what_to_do(stage: Stage) -> None:
    again = DatadogServer(stage.receiver, "127.0.0.1", stage.server.address.port)
    with pytest.raises(OSError, match="is taken, perhaps by a Datadog agent"):
        await again.start()
    await again.stop()


async def test_a_port_is_free_again_after_stop() -> None:
    async with serving() as first:
        port = first.server.address.port
    server = DatadogServer(DatadogReceiver(Kept()), "127.0.0.1", port)
    await server.start()
    await server.stop()
    await server.stop()
