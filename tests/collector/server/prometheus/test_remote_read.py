"""Remote read: raw samples, as another Prometheus asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import cramjam
import pytest

from collector.protobuf.columns import SeriesColumns
from collector.protobuf.read import ReadQuery, ReadRequest, decode_read_response, encode_read_request
from collector.protobuf.wire import bytes_field, number_field
from monitor.model.matchers import Matcher
from tests.collector.server.prometheus.serving import NOW, Served, served

MILLIS = NOW * 1000


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as one:
        yield one


async def ask(api: Served, body: bytes) -> tuple[int, bytes]:
    async with api.session.post(f"{api.url}/api/v1/read", data=body, headers={"Content-Encoding": "snappy"}) as answer:
        return answer.status, await answer.read()


async def read(api: Served, *queries: ReadQuery) -> list[SeriesColumns]:
    status, body = await ask(api, bytes(cramjam.snappy.compress_raw(encode_read_request(ReadRequest(queries)))))
    assert status == 200
    return decode_read_response(bytes(cramjam.snappy.decompress_raw(body)))


async def test_raw_samples_come_in_order_of_their_labels(api: Served) -> None:
    query = ReadQuery(
        MILLIS - 30_000, MILLIS, (Matcher("__name__", "=", "http_requests_total"), Matcher("code", "=~", "5..|200"))
    )
    (found,) = await read(api, query)
    assert [dict(labels)["code"] for labels in found.labels] == ["200", "500"]
    assert found.times.tolist() == [MILLIS - 20_000, MILLIS - 5_000] * 2
    assert found.values.tolist() == [478.0, 480.0, 59.75, 60.0]


async def test_several_queries_have_an_answer_each(api: Served) -> None:
    one = ReadQuery(MILLIS - 10_000, MILLIS, (Matcher("__name__", "=", "queue.depth"),))
    none = ReadQuery(0, 10, (Matcher("__name__", "=", "queue.depth"),))
    assert [len(found.labels) for found in await read(api, one, none)] == [1, 0]


async def test_native_histograms_are_told_whole(api: Served) -> None:
    (found,) = await read(api, ReadQuery(MILLIS - 10_000, MILLIS, (Matcher("__name__", "=", "latency_seconds"),)))
    assert found.times.tolist() == [MILLIS - 5_000]
    assert found.histograms is not None
    assert str(found.histograms[0]) == "{count:12, sum:20.5, [-0,0]:2, (1,2]:3, (2,4]:4, (8,16]:3}"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (number_field(1, 5), "another type"),
        (bytes_field(1, bytes_field(3, number_field(1, 9))), "matcher type 9"),
        (encode_read_request(ReadRequest((ReadQuery(0, 1, (Matcher("a", "=~", "("),)),))), "not a valid pattern"),
        (bytes_field(1, b"") * 33, "more than 32 queries"),
        (bytes_field(2, b"\x01"), "accept the response type SAMPLES"),
        (b"\xff" * 20, "too long"),
    ],
)
async def test_what_cannot_be_read_is_refused(api: Served, message: bytes, words: str) -> None:
    status, body = await ask(api, bytes(cramjam.snappy.compress_raw(message)))
    assert status == 400
    assert words in body.decode()


async def test_bombs_and_noise_are_refused(api: Served) -> None:
    assert (await ask(api, b"\xff\xff\xff\xff\x0f"))[0] == 413
    assert (await ask(api, b"noise"))[0] == 400
