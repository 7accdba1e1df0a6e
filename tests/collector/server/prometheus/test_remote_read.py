"""Remote read: raw samples, as another Prometheus asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import cramjam
import numpy as np
import pytest

from collector.protobuf.histograms import decode_histogram
from collector.protobuf.remote_read import ReadQuery, ReadRequest, write_request
from collector.protobuf.samples import SampleColumns
from collector.protobuf.wire import Budget, as_message, as_text, bytes_field, fields, number_field
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


async def read(api: Served, *queries: ReadQuery) -> list[list[tuple[dict[str, str], list[Any]]]]:
    """Of each query the series: labels and (time, value) or (time, histogram)."""
    status, body = await ask(api, bytes(cramjam.snappy.compress_raw(write_request(ReadRequest(queries)))))
    assert status == 200
    message = memoryview(bytes(cramjam.snappy.decompress_raw(body)))
    budget = Budget(1_000_000)
    return [
        [_series(as_message(series, kind), budget) for _, kind, series, _ in fields(as_message(result, outer), budget)]
        for _, outer, result, _ in fields(message, budget)
    ]


def _series(data: memoryview, budget: Budget) -> tuple[dict[str, str], list[Any]]:
    labels: dict[str, str] = {}
    points: list[Any] = []
    samples = SampleColumns(100_000)
    for number, kind, value, _ in fields(data, budget):
        body = as_message(value, kind)
        if number == 1:
            name, text = (as_text(part, inner) for _, inner, part, _ in fields(body, budget))
            labels[name] = text
        elif number == 2:
            samples.take(body, np.frombuffer(body, np.uint8), 0, len(body), 0, budget)
        elif number == 4:
            time, histogram, _ = decode_histogram(body, budget, 1000)
            points.append((time, histogram))
    times, values, _ = samples.columns()
    return labels, list(zip(times.tolist(), values.tolist(), strict=True)) or points


async def test_raw_samples_come_in_order_of_their_labels(api: Served) -> None:
    query = ReadQuery(
        MILLIS - 30_000, MILLIS, (Matcher("__name__", "=", "http_requests_total"), Matcher("code", "=~", "5..|200"))
    )
    (found,) = await read(api, query)
    assert [labels["code"] for labels, _ in found] == ["200", "500"]
    assert found[1][1] == [(MILLIS - 20_000, 59.75), (MILLIS - 5_000, 60.0)]


async def test_several_queries_have_an_answer_each(api: Served) -> None:
    one = ReadQuery(MILLIS - 10_000, MILLIS, (Matcher("__name__", "=", "queue.depth"),))
    none = ReadQuery(0, 10, (Matcher("__name__", "=", "queue.depth"),))
    found = await read(api, one, none)
    assert [len(series) for series in found] == [1, 0]


async def test_native_histograms_are_told_whole(api: Served) -> None:
    ((found,),) = await read(api, ReadQuery(MILLIS - 10_000, MILLIS, (Matcher("__name__", "=", "latency_seconds"),)))
    time, histogram = found[1][0]
    assert time == MILLIS - 5_000
    assert str(histogram) == "{count:12, sum:20.5, [-0,0]:2, (1,2]:3, (2,4]:4, (8,16]:3}"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (number_field(1, 5), "another type"),
        (bytes_field(1, bytes_field(3, number_field(1, 9))), "matcher type 9"),
        (write_request(ReadRequest((ReadQuery(0, 1, (Matcher("a", "=~", "("),)),))), "not a valid pattern"),
        (bytes_field(1, b"") * 51, "more than 50 queries"),
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
