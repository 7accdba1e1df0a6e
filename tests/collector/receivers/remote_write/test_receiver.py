"""`POST /api/v1/write` as its senders see it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import aiohttp
import pytest

from collector.protobuf.wire import bytes_field
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.receivers.remote_write.negotiation import Version
from monitor.query.histogram import Hint, Histogram
from tests.collector.receivers.remote_write.recording import Recording, serving
from tests.collector.receivers.remote_write.written import drawn, encoded, labels, packed

NOW = 1_700_000_000.0
T = int(NOW) * 1000
V1, V2 = Version.V1, Version.V2
TYPES = {version: f"application/x-protobuf;proto={version.value}" for version in Version}


class Sender:
    """Sends to a receiver of its own."""

    def __init__(self, url: str, session: aiohttp.ClientSession, accept: Recording, receiver: RemoteWriteReceiver) -> None:
        self.url, self.session, self.accept, self.receiver = url, session, accept, receiver

    async def post(self, body: bytes, content_type: str | None = TYPES[V1], **headers: str) -> tuple[int, str, dict[str, str]]:
        sent = {"Content-Encoding": "snappy", **headers} | ({"Content-Type": content_type} if content_type is not None else {})
        skipped = {"Content-Type"} if content_type is None else set[str]()
        kept = {name: value for name, value in sent.items() if value}
        async with self.session.post(
            f"{self.url}/api/v1/write", data=io.BytesIO(body), headers=kept, skip_auto_headers=skipped
        ) as answer:
            return answer.status, await answer.text(), dict(answer.headers)


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    accept = Recording()
    receiver = RemoteWriteReceiver(accept, lambda: NOW, body_bytes=1 << 20)
    async with serving(receiver.routes()) as url, aiohttp.ClientSession() as session:
        yield Sender(url, session, accept, receiver)


@pytest.mark.parametrize("version", Version)
async def test_a_request_is_taken_and_answered_without_content(sender: Sender, version: Version) -> None:
    for later, value in ((0, 5.0), (1000, 8.0)):
        body = packed(encoded(version, {labels("c_total", job="x"): [(T + later, value)], labels("g"): [(T + later, value)]}))
        status, text, headers = await sender.post(body, TYPES[version])
        assert (status, text) == (204, "")
    assert sender.accept.kept() == {'c_total{job="x"}': [(NOW, 5.0), (NOW + 1, 8.0)], "g": [(NOW, 5.0), (NOW + 1, 8.0)]}
    assert sender.accept.seen() == {'c_total{job="x"}': [(NOW + 1, 3.0)], "g": [(NOW, 5.0), (NOW + 1, 8.0)]}
    written = {name.split("-")[4]: value for name, value in headers.items() if name.startswith("X-Prometheus-Remote-Write-")}
    assert written == ({} if version is V1 else {"Samples": "2", "Histograms": "0", "Exemplars": "0"})


@pytest.mark.parametrize(
    ("content_type", "encoding", "status"),
    [
        (None, "snappy", 204),
        ("application/x-protobuf", "snappy", 204),
        ("application/x-protobuf", "", 204),
        ("application/x-protobuf; proto=prometheus.WriteRequest", "snappy", 204),
        ("application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy", 415),
        ("application/x-protobuf;proto", "snappy", 415),
        ("application/json", "snappy", 415),
        ("text/plain", "snappy", 415),
        ("application/x-protobuf", "gzip", 415),
        ("application/x-protobuf", "zstd", 415),
    ],
)
async def test_only_remote_write_is_taken(sender: Sender, content_type: str | None, encoding: str, status: int) -> None:
    body = packed(encoded(V1, {labels("g"): [(T, 1.0)]}))
    answer = await sender.post(body, content_type, **{"Content-Encoding": encoding})
    assert answer[0] == status, answer[1]


async def test_what_is_good_is_kept_and_the_first_bad_series_is_named(sender: Sender) -> None:
    bad = (("__name__", "up"), ("b", "1"), ("a", "2"))
    body = encoded(V2, {bad: [(T, 1.0)], labels("g"): [(T, 1.0)], labels("h"): [(T + 700_000, 1.0)]})
    status, text, headers = await sender.post(packed(body), TYPES[V2])
    assert status == 400
    assert "__name__='up'" in text
    assert "not sorted" in text
    assert sender.accept.kept() == {"g": [(NOW, 1.0)]}
    assert headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"
    assert sender.receiver.figures()["remote_write_in_refused_series_total"] == 1
    assert "not sorted" in sender.receiver.notes()[0]


async def test_times_out_of_bounds_are_refused_by_name(sender: Sender) -> None:
    status, text, _ = await sender.post(packed(encoded(V1, {labels("ahead"): [(T, 1.0), (T + 600_001, 2.0)]})))
    assert (status, "ahead: its time" in text) == (400, True)
    assert sender.accept.kept() == {"ahead": [(NOW, 1.0)]}
    assert (await sender.post(packed(encoded(V1, {labels("old"): [(-1, 1.0)]}))))[0] == 400


async def test_nothing_is_lost_of_what_was_not_accepted_at_first(sender: Sender) -> None:
    def body(later: int, value: float) -> bytes:
        return packed(encoded(V1, {labels("c_total"): [(T + later, value)]}))

    await sender.post(body(0, 5.0))
    sender.accept.refusing = "too much waits for the disk"
    status, text, headers = await sender.post(body(1000, 8.0))
    assert (status, text.strip(), headers["Retry-After"]) == (503, "too much waits for the disk", "8")
    sender.accept.refusing = ""
    assert (await sender.post(body(1000, 8.0)))[0] == 204
    assert sender.accept.seen() == {"c_total": [(NOW + 1, 3.0)]}


async def test_the_same_request_again_counts_nothing_twice(sender: Sender) -> None:
    body = packed(encoded(V1, {labels("c_total"): [(T, 5.0), (T + 1000, 7.0)]}))
    for _ in range(2):
        assert (await sender.post(body))[0] == 204
    assert sender.accept.seen() == {"c_total": [(NOW + 1, 2.0)]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\x80\x80\x80\x80\x01", 413),  # snappy of 256 MiB declared in five bytes
        (packed(b"\0" * (2 << 20)), 413),
        (b"\x0a\x00\x00", 400),
        (b"", 400),
        (b"not snappy at all", 400),
        (packed(b"not protobuf"), 400),
        (packed(bytes_field(1, b"\x0a\x7f")), 400),
        (b"\0" * (2 << 20), 413),
    ],
)
async def test_what_is_broken_or_too_long_is_refused(sender: Sender, body: bytes, status: int) -> None:
    answer = await sender.post(body)
    assert answer[0] == status, answer[1]
    assert sender.accept.batches == []


async def test_metadata_alone_is_taken(sender: Sender) -> None:
    assert (await sender.post(packed(encoded(V1, {}, {"up": "gauge"}))))[0] == 204


async def test_long_requests_are_read_beside_the_loop(sender: Sender) -> None:
    many = {labels("g", number=f"{n:06}", text="x" * 100): [(T, float(n))] for n in range(3000)}
    assert (await sender.post(packed(encoded(V1, many))))[0] == 204
    assert len(sender.accept.kept()) == 3000


@pytest.mark.parametrize("version", Version)
async def test_native_histograms_are_taken(sender: Sender, version: Version) -> None:
    first, second = (Histogram.of(6, n, float(n), zero_count=n) for n in (3, 5))
    body = packed(drawn(version, labels("seconds", job="x"), [(T, first), (T + 1000, second)]))
    status, _, headers = await sender.post(body, TYPES[version])
    assert status == 204
    [batch] = sender.accept.histograms
    assert (batch.times.tolist(), batch.bins.tolist(), batch.counts.tolist(), batch.sums.tolist()) == (
        [NOW + 1],
        [0],
        [2.0],
        [2.0],
    )
    assert batch.space.keys[int(batch.ids[0])].label() == 'seconds{job="x"}'
    if version is V2:
        assert headers["X-Prometheus-Remote-Write-Histograms-Written"] == "2"


async def test_gauge_histograms_are_refused(sender: Sender) -> None:
    body = packed(drawn(V2, labels("seconds"), [(T, Histogram.of(6, 1, 1.0, zero_count=1, hint=Hint.GAUGE))]))
    status, text, _ = await sender.post(body, TYPES[V2])
    assert (status, "gauge histograms are not supported" in text) == (400, True)
