"""Pushes in protobuf: the same as text, and native histograms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from collector.exporters.formats import Format
from collector.receivers.pushgateway import PushReceiver
from monitor.model.batch import HistogramBatch
from monitor.windows.bins import ZERO_INDEX
from tests.collector.receivers.prometheus.protobufs import (
    COUNTER,
    GAUGE,
    HISTOGRAM,
    SUMMARY,
    family,
    histogram,
    metric,
    native,
    summary,
    value,
)
from tests.collector.receivers.pushgateway.test_receiver import Gateway
from tests.collector.receivers.remote_write.recording import Recording, serving

TYPE = {"Content-Type": Format("protobuf").content_type}
MESSAGES = b"".join(
    (
        family("rows_total", COUNTER, metric(COUNTER, value(5), {"of": "a"})),
        family("s", SUMMARY, metric(SUMMARY, summary(3, 4.5, {0.5: 1.0}))),
        family("h", HISTOGRAM, metric(HISTOGRAM, histogram(5, 2.5, {0.5: 1}))),
    )
)
TEXT = """# HELP rows_total help
# TYPE rows_total counter
rows_total{of="a"} 5
# HELP s help
# TYPE s summary
s{quantile="0.5"} 1
s_sum 4.5
s_count 3
# HELP h help
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 5
h_sum 2.5
h_count 5
"""


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with aiohttp.ClientSession() as session:
        found = Gateway(session)
        async with serving(found.receiver.routes()) as found.url:
            yield found


def drawn(*deltas: int) -> bytes:
    """A family with one native histogram of schema 6, whose buckets follow that of 1."""
    counts = [sum(deltas[: place + 1]) for place in range(len(deltas))]
    body = histogram(sum(counts), 7.5, {}, native(6, 0, [(1, len(deltas))], deltas))
    return family("d_seconds", HISTOGRAM, metric(HISTOGRAM, body, {"q": "w"}))


def counted(batch: HistogramBatch, row: int = 0) -> dict[int, float]:
    """Counts by index of schema 6."""
    part = slice(batch.offsets[row], batch.offsets[row + 1])
    return dict(zip((batch.bins[part] - ZERO_INDEX + 1).tolist(), batch.counts[part].tolist(), strict=True))


async def test_protobuf_says_what_text_says(gateway: Gateway) -> None:
    assert await gateway.send("PUT", "/a", TEXT) == (200, "")
    text, listed = gateway.last(), await gateway.listed()
    assert await gateway.send("DELETE", "/a") == (202, "")
    assert await gateway.send("PUT", "/a", MESSAGES, **TYPE) == (200, "")
    assert gateway.last() == text
    for name in ("rows_total", "s", "h"):
        theirs, ours = listed[0][name], (await gateway.listed())[0][name]
        assert {**ours, "time_stamp": 0} == {**theirs, "time_stamp": 0}


async def test_native_histograms_say_what_was_observed_since_the_push_before(gateway: Gateway) -> None:
    assert await gateway.send("PUT", "/a", drawn(2, 1), **TYPE) == (200, "")
    assert await gateway.send("PUT", "/a", drawn(4, 0), **TYPE) == (200, "")
    assert await gateway.send("PUT", "/a", drawn(1, 1), **TYPE) == (200, "")
    batches = gateway.accept.histograms
    assert [counted(batch) for batch in batches] == [{1: 2, 2: 3}, {1: 2, 2: 1}, {1: 1, 2: 2}], "a fall begins anew"
    assert {batch.space.keys[batch.ids[0]].label() for batch in batches} == {'d_seconds{job="a",q="w"}'}
    assert gateway.last()['d_seconds_count{job="a",q="w"}'] == 3


async def test_what_a_native_histogram_observed_is_told_once(gateway: Gateway) -> None:
    await gateway.send("POST", "/a", drawn(2, 1), **TYPE)
    await gateway.send("POST", "/a", "other 1\n")
    assert all(
        "d_seconds" not in batch.space.keys[i].name
        for batch in gateway.receiver.repeat(gateway.now)
        for i in batch.ids
        if batch.space.keys[i].name == "d_seconds"
    )
    assert len(gateway.accept.histograms) == 1


async def test_a_native_histogram_is_remembered_over_a_restart(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a", drawn(2, 1), **TYPE)
    again = Gateway(gateway.session)
    again.receiver.restore(gateway.receiver.state())
    async with serving(again.receiver.routes()) as again.url:
        assert await again.send("PUT", "/a", drawn(3, 1), **TYPE) == (200, "")
    assert [counted(batch) for batch in again.accept.histograms] == [{1: 1, 2: 1}]


async def test_a_kept_histogram_that_is_damaged_is_left_out_with_a_sentence(gateway: Gateway) -> None:
    await gateway.send("PUT", "/a", drawn(2, 1), **TYPE)
    [group] = msgspec.msgpack.decode(gateway.receiver.state())
    [[buckets]] = [[one[5] for one in family[4] if len(one) > 5 and one[5] is not None] for family in group[1]]
    buckets[5] = [b"odd", b""]
    receiver = PushReceiver(Recording(), lambda: 1.0)
    receiver.restore(msgspec.msgpack.encode([group]))
    assert receiver.figures()["pushgateway_groups"] == 0
    assert "a kept group is left out" in receiver.notes()[0]


async def test_groups_of_before_native_histograms_are_read_yet() -> None:
    kept = b"\x91\x94\x91\x92\xa3job\xa1a\x91\x95\xa3one\xa5gauge\xa0\xcb\x00\x00\x00\x00\x00\x00\x00\x00\x91\x95\xa3one"
    kept += b"\x91\x92\xa3job\xa1a\x01\xa0\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xcb\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    receiver = PushReceiver(Recording(), lambda: 1.0)
    receiver.restore(kept)
    assert receiver.figures()["pushgateway_series"] == 1


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"x", TYPE["Content-Type"], "no protobuf exposition"),
        (b"", "application/vnd.google.protobuf; proto=other.Message; encoding=delimited", "only io.prometheus.client"),
        (b"", "application/vnd.google.protobuf; encoding=text", "only io.prometheus.client"),
        (family("g", GAUGE, metric(GAUGE, value(1), time=5)), TYPE["Content-Type"], "must not have timestamps"),
        (family("g", GAUGE, metric(GAUGE, value(1)), metric(GAUGE, value(2))), TYPE["Content-Type"], "comes twice"),
    ],
)
async def test_what_is_no_push_is_refused(gateway: Gateway, body: bytes, kind: str, said: str) -> None:
    status, why = await gateway.send("PUT", "/a", body, **{"Content-Type": kind})
    assert status == 400
    assert said in why
