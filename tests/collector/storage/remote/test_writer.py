"""The writer to a remote store: what was committed arrives, once, whatever the receiver and the process do meanwhile."""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web

from collector.protobuf.columns import SeriesColumns
from collector.storage.remote.queue import QueueBounds
from collector.storage.remote.request import retry_after
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from monitor.query.history import STALE, STALE_BITS, Metadata
from tests.collector.storage.remote.receiver import (
    V2,
    Receiver,
    Waits,
    knows_1_0_only,
    named,
    numbered,
    put,
    receiving,
    sending,
    sent,
    takes_all,
    target_of,
    until,
    writer_to,
)

UP = named("up", job="api")


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.queue"))


def answer(status: int, text: str = "", headers: dict[str, str] | None = None) -> object:
    def answered(request: web.Request, columns: SeriesColumns) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return answered


async def test_samples_arrive_as_they_were_committed(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        put(writer, UP, [(1000, 1.0), (2000, 0.0)])
        put(writer, named("load", host="a"), [(1000, 0.5)])
        await sent(writer)
        assert receiver.samples() == {UP: [(1000, 1.0), (2000, 0.0)], named("load", host="a"): [(1000, 0.5)]}
        assert writer.figures()["remote_written_total"] == 3
        assert writer.notes() == []


async def test_headers_are_those_of_remote_write_2_0_and_of_1_0(tmp_path: Path) -> None:
    async with receiving(Receiver(always=knows_1_0_only)) as receiver:
        receiver.answers = [takes_all]
        writer = writer_to(tmp_path, receiver.url, Waits())
        async with sending(writer):
            put(writer, UP, [(1000, 1.0)])
            await until(lambda: writer.idle)
            put(writer, UP, [(2000, 1.0)])
            await until(lambda: writer.idle)
        newer, older = (headers for headers, _ in receiver.requests)
        assert newer["Content-Type"] == V2
        assert newer["X-Prometheus-Remote-Write-Version"] == "2.0.0"
        assert older["Content-Type"] == "application/x-protobuf"
        assert older["X-Prometheus-Remote-Write-Version"] == "0.1.0"
        for headers in (newer, older):
            assert headers["Content-Encoding"] == "snappy"
            assert headers["User-Agent"].startswith("Lightship")


@pytest.mark.parametrize(
    "refusal",
    [
        answer(415, "Unsupported proto message"),
        answer(400, "unknown remote write protobuf message io.prometheus.write.v2.Request"),
        answer(204),  # it read an empty request of 1.0 and does not say what it has written
    ],
)
async def test_a_receiver_that_knows_1_0_only_loses_nothing(tmp_path: Path, refusal: object) -> None:
    async with receiving(Receiver(always=knows_1_0_only)) as receiver:
        receiver.answers = [refusal]  # type: ignore[list-item]
        writer = writer_to(tmp_path, receiver.url, Waits())
        async with sending(writer):
            put(writer, UP, [(1000, 1.0)])
            await until(lambda: writer.idle)
            put(writer, UP, [(2000, 1.0)])
            await until(lambda: writer.idle)
        older = [columns for headers, columns in receiver.requests if headers["Content-Type"] != V2]
        assert [columns.times.tolist() for columns in older] == [[1000], [2000]]
        assert receiver.attempts == 3, "2.0 is not tried again at once"
        assert writer.sender.spoken == "1.0"
        assert writer.figures()["remote_rejected_total"] == 0


async def test_2_0_is_tried_again_after_an_hour(tmp_path: Path) -> None:
    waits = Waits()
    async with receiving(Receiver()) as receiver:
        receiver.answers = [knows_1_0_only, takes_all]
        writer = writer_to(tmp_path, receiver.url, waits)
        async with sending(writer):
            put(writer, UP, [(1000, 1.0)])
            await until(lambda: writer.idle)
            waits.now += 3700
            put(writer, UP, [(2000, 1.0)])
            await until(lambda: writer.idle)
        assert [headers["Content-Type"] == V2 for headers, _ in receiver.requests] == [False, True]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_what_may_be_repeated_is_repeated_after_longer_and_longer_waits(tmp_path: Path, status: int) -> None:
    waits = Waits()
    async with receiving(Receiver(answers=[answer(status)] * 8)) as receiver:  # type: ignore[list-item]
        writer = writer_to(tmp_path, receiver.url, waits, RemoteSettings(batch_age=0.0, least_wait=1.0, longest_wait=30.0))
        put(writer, UP, [(1000, 1.0)])
        await sent(writer)
        assert waits.seconds[1:] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
        assert receiver.samples() == {UP: [(1000, 1.0)]}
        assert writer.figures()["remote_failures_total"] == 8
        assert writer.figures()["remote_failing"] == 0


async def test_the_receiver_says_how_long_to_wait(tmp_path: Path) -> None:
    waits = Waits()
    asks = answer(429, headers={"Retry-After": "7"})
    async with receiving(Receiver(answers=[asks])) as receiver:  # type: ignore[list-item]
        writer = writer_to(tmp_path, receiver.url, waits, RemoteSettings(batch_age=0.0, least_wait=1.0))
        put(writer, UP, [(1000, 1.0)])
        await sent(writer)
        assert waits.seconds[1:] == [7.5]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("999999999", 300.0),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tue, 14 Nov 2000 22:13:30 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
def test_a_wait_is_seconds_or_a_date_and_never_long(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, 1_700_000_000.0) == seconds


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422])
async def test_what_is_refused_for_good_is_counted_told_and_not_repeated(tmp_path: Path, status: int) -> None:
    refusal = answer(status, "out of order\x1b[31m sample\n")
    async with receiving(Receiver(answers=[refusal])) as receiver:  # type: ignore[list-item]
        writer = writer_to(tmp_path, receiver.url, Waits())
        async with sending(writer):
            put(writer, UP, [(1000, 1.0), (2000, 1.0)])
            await until(lambda: writer.idle)
            put(writer, UP, [(3000, 1.0)])
            await until(lambda: writer.idle)
        assert receiver.attempts == 2
        assert writer.figures()["remote_rejected_total"] == 2
        assert writer.figures()["remote_written_total"] == 1
        assert any(f"status {status}: out of order [31m sample" in note for note in writer.notes())


async def test_a_refusal_is_told_for_ten_minutes(tmp_path: Path) -> None:
    waits = Waits()
    async with receiving(Receiver(answers=[answer(400, "no")])) as receiver:  # type: ignore[list-item]
        writer = writer_to(tmp_path, receiver.url, waits)
        put(writer, UP, [(1000, 1.0)])
        await sent(writer)
        assert writer.notes()
        waits.now += 601
        assert writer.notes() == []


async def test_what_a_receiver_took_of_a_refused_request_is_counted(tmp_path: Path) -> None:
    partly = answer(400, "one is late", {"X-Prometheus-Remote-Write-Samples-Written": "3"})
    async with receiving(Receiver(answers=[partly])) as receiver:  # type: ignore[list-item]
        writer = writer_to(tmp_path, receiver.url, Waits())
        put(writer, UP, [(1000 * n, 1.0) for n in range(1, 5)])
        await sent(writer)
        assert (writer.figures()["remote_written_total"], writer.figures()["remote_rejected_total"]) == (3, 1)


async def test_a_receiver_that_is_away_is_waited_for(tmp_path: Path, unused_tcp_port: int) -> None:
    waits = Waits()
    writer = writer_to(tmp_path, f"http://127.0.0.1:{unused_tcp_port}/write", waits)
    async with sending(writer):
        put(writer, UP, [(1000, 1.0)])
        await until(lambda: writer.figures()["remote_failures_total"] > 3)
        assert any("takes no samples" in note and "1 wait in the queue" in note for note in writer.notes())
    async with receiving(Receiver()) as receiver:
        after = writer_to(tmp_path, receiver.url, waits)
        await sent(after)
        assert receiver.samples() == {UP: [(1000, 1.0)]}


async def test_credentials_go_to_no_other_host(tmp_path: Path) -> None:
    async with receiving(Receiver()) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        away = answer(307, headers={"Location": elsewhere})
        async with receiving(Receiver(always=away)) as receiver:  # type: ignore[arg-type]
            writer = writer_to(tmp_path, receiver.url, Waits(), target=target_of(receiver.url, bearer="s3cret"))
            async with sending(writer):
                put(writer, UP, [(1000, 1.0)])
                await until(lambda: writer.figures()["remote_failures_total"] > 0)
                assert any("redirects to localhost" in note for note in writer.notes())
            assert other.attempts == 0


async def test_a_redirect_within_the_host_is_followed(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        receiver.answers = [answer(307, headers={"Location": "/write?a=b"})]  # type: ignore[list-item]
        writer = writer_to(tmp_path, receiver.url, Waits())
        put(writer, UP, [(1000, 1.0)])
        await sent(writer)
        assert receiver.samples() == {UP: [(1000, 1.0)]}


async def test_tenants_and_credentials_go_along_and_are_never_shown(tmp_path: Path) -> None:
    async with receiving(Receiver(answers=[answer(401, "who?")])) as receiver:  # type: ignore[list-item]
        url = receiver.url.replace("http://", "http://me:p%40ss@")
        target = target_of(url, headers={"X-Scope-OrgID": "team-7"})
        writer = writer_to(tmp_path, url, Waits(), target=target)
        async with sending(writer):
            put(writer, UP, [(1000, 1.0)])
            await until(lambda: writer.idle)
            put(writer, UP, [(2000, 1.0)])
            await until(lambda: writer.idle)
        headers = receiver.requests[0][0]
        assert headers["X-Scope-OrgID"] == "team-7"
        assert headers["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
        assert writer.notes()
        assert not any("p%40ss" in note or "p@ss" in note or "me:" in note for note in writer.notes())


def test_what_is_secret_shows_in_no_representation() -> None:
    target = RemoteTarget("http://h/w", "http://h/q", {"X-Key": "s3cret"}, bearer="t0ken")
    assert "s3cret" not in repr(target)
    assert "t0ken" not in repr(target)
    with pytest.raises(ValueError, match="characters that no header may have") as raised:
        RemoteTarget("http://h/w", "http://h/q", bearer="t0ken\nX: y")
    assert "t0ken" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "headers", "why"),
    [
        ("ftp://h/w", {}, "no address of a remote store"),
        ("http:///w", {}, "no address of a remote store"),
        ("http://h/w", {"Content-Type": "x"}, "set by remote write itself"),
        ("http://h/w", {"a b": "x"}, "no name of a header"),
        ("http://h/w", {"X-A": "b\r\nc: d"}, "characters that no header may have"),
    ],
)
def test_a_target_that_cannot_be_is_explained(url: str, headers: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        RemoteTarget(url, "http://h/q", headers)


async def test_what_was_not_sent_goes_with_the_next_start(tmp_path: Path) -> None:
    waits = Waits()
    before = writer_to(tmp_path, "http://127.0.0.1:1/write", waits)
    put(before, UP, [(1000, 1.0)])
    put(before, named("load"), [(1500, 2.0)])
    # No close: the process was killed.
    waits.now += 1
    async with receiving(Receiver()) as receiver:
        after = writer_to(tmp_path, receiver.url, waits)
        put(after, named("later"), [(2000, 3.0)])
        await sent(after)
        assert receiver.samples() == {UP: [(1000, 1.0)], named("load"): [(1500, 2.0)], named("later"): [(2000, 3.0)]}


async def test_what_was_sent_is_not_sent_again_after_a_restart(tmp_path: Path) -> None:
    waits = Waits()
    async with receiving(Receiver()) as receiver:
        before = writer_to(tmp_path, receiver.url, waits)
        async with sending(before):
            put(before, UP, [(1000, 1.0)])
            await until(lambda: before.idle)
        waits.now += 1
        after = writer_to(tmp_path, receiver.url, waits)
        put(after, UP, [(2000, 2.0)])
        await sent(after)
        assert receiver.samples() == {UP: [(1000, 1.0), (2000, 2.0)]}


async def test_the_oldest_go_when_the_queue_is_full_and_are_counted(tmp_path: Path) -> None:
    bounds = QueueBounds(most=6000, segment=1500)
    writer = writer_to(tmp_path, "http://127.0.0.1:1/write", Waits(), RemoteSettings(queue=bounds))
    for second in range(200):
        put(writer, UP, [(1000 * second, float(second))])
        assert bytes_in(tmp_path) <= 6000
    dropped = int(writer.figures()["remote_dropped_total"])
    assert 0 < dropped < 200
    assert any("given up because the queue on disk was full" in note for note in writer.notes())
    async with receiving(Receiver()) as receiver:
        after = writer_to(tmp_path, receiver.url, Waits())
        await sent(after)
        assert receiver.samples() == {UP: [(1000 * second, float(second)) for second in range(dropped, 200)]}


async def test_late_samples_go_in_a_request_of_their_own(tmp_path: Path) -> None:
    def refuses_late(request: web.Request, columns: SeriesColumns) -> web.Response:
        return web.Response(status=400) if 500 in columns.times else takes_all(request, columns)

    async with receiving(Receiver(always=refuses_late)) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        async with sending(writer):
            put(writer, UP, [(1000, 1.0)])
            await until(lambda: writer.idle)
            put(writer, UP, [(2000, 2.0), (500, 9.0)])
            await until(lambda: writer.idle)
        assert receiver.samples() == {UP: [(1000, 1.0), (2000, 2.0)]}
        assert writer.figures()["remote_rejected_total"] == 1


async def test_samples_of_a_batch_come_in_order_and_the_last_of_a_time_stays(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        put(writer, UP, [(3000, 3.0), (1000, 1.0), (2000, 2.0), (1000, 1.5)])
        await sent(writer)
        assert receiver.samples() == {UP: [(1000, 1.5), (2000, 2.0), (3000, 3.0)]}


async def test_the_end_of_a_series_arrives_as_a_staleness_marker(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        put(writer, UP, [(1000, 1.0), (2000, STALE)])
        await sent(writer)
        assert receiver.requests[0][1].values.view(np.uint64)[1] == STALE_BITS


async def test_type_and_unit_go_along(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        ref = writer.intern([named("took")], [1], ["ms"])
        writer.append(ref, np.array([1000]), np.array([1.0]))
        writer.commit()
        await sent(writer)
        assert receiver.requests[0][1].metadata == {"took": Metadata("counter", "", "ms")}


async def test_names_are_sent_in_the_old_alphabet_or_as_they_came(tmp_path: Path) -> None:
    dotted = (("__name__", "foundation.service.error"), ("k8s.pod", "a"), ("k8s_pod", "b"), ("9lives", "c"))
    async with receiving(Receiver()) as receiver:
        for folder, names in (("a", "underscores"), ("b", "as_sent")):
            writer = writer_to(tmp_path / folder, receiver.url, Waits(), RemoteSettings(names=names))  # type: ignore[arg-type]
            put(writer, tuple(sorted(dotted)), [(1000, 1.0)])
            await sent(writer)
        old, sent_as_is = (columns.labels[0] for _, columns in receiver.requests)
        assert old == (("_9lives", "c"), ("__name__", "foundation_service_error"), ("k8s_pod", "a;b"))
        assert sent_as_is == tuple(sorted(dotted))


async def test_many_samples_go_in_several_requests(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits(), RemoteSettings(batch_samples=100))
        refs = writer.intern(list(numbered(450)), [0] * 450)
        writer.append(refs, np.full(450, 1000), np.arange(450.0))
        writer.commit()
        await sent(writer)
        assert [len(columns.times) for _, columns in receiver.requests] == [100, 100, 100, 100, 50]
        assert len(receiver.samples()) == 450


def test_a_series_too_many_has_no_ref_and_is_counted(tmp_path: Path) -> None:
    waits = Waits()
    writer = writer_to(tmp_path, "http://127.0.0.1:1/w", waits, RemoteSettings(series=2))
    assert writer.intern(list(numbered(3)), [0] * 3).tolist() == [0, 1, -1]
    assert any("more than 2 series" in note for note in writer.notes())
    writer.commit()
    assert writer.generation == 0
    waits.now += 601
    writer.commit()
    assert writer.generation == 1, "other refs are given out, but not every moment"
    assert writer.intern([named("new")], [0]).tolist() == [2], "no ref ever means two series"
    writer.append(np.array([0]), np.array([1000]), np.array([1.0]))
    assert writer.figures()["remote_dropped_total"] == 1
    writer.close()


async def test_refs_given_out_anew_mean_the_new_series(tmp_path: Path) -> None:
    waits = Waits()
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, waits, RemoteSettings(series=1))
        waits.now += 601
        put(writer, named("old"), [(1000, 1.0)])
        assert writer.generation == 1
        put(writer, named("new"), [(500, 2.0)])
        await sent(writer)
        assert receiver.samples() == {named("old"): [(1000, 1.0)], named("new"): [(500, 2.0)]}


async def test_a_disk_that_refuses_keeps_samples_in_memory_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Waits()
    writer = writer_to(tmp_path, "http://127.0.0.1:1/w", waits, RemoteSettings(most_pending=3))
    ref = writer.intern([UP], [0])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(writer._queue, "append", full)
        for second in range(5):
            writer.append(ref, np.array([1000 * second]), np.array([1.0]))
            assert not writer.commit()
    assert any("No space left on device" in note for note in writer.notes())
    assert writer.figures()["remote_dropped_total"] == 2
    waits.now += 6
    assert writer.commit()
    async with receiving(Receiver()) as receiver:
        after = writer_to(tmp_path, receiver.url, waits)
        await sent(after)
        assert receiver.samples() == {UP: [(0, 1.0), (1000, 1.0), (2000, 1.0)]}


async def test_samples_are_taken_while_the_disk_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_to(tmp_path, "http://127.0.0.1:1/w", Waits())
    writing, go_on, real = threading.Event(), threading.Event(), writer._queue.append

    def slow(payload: bytes, samples: int) -> None:
        writing.set()
        assert go_on.wait(60)
        real(payload, samples)

    monkeypatch.setattr(writer._queue, "append", slow)
    ref = writer.intern([UP], [0])
    writer.append(ref, np.array([1000]), np.array([1.0]))
    committing = asyncio.create_task(asyncio.to_thread(writer.commit))
    await asyncio.to_thread(writing.wait, 60)
    writer.append(writer.intern([named("new")], [0]), np.array([1500]), np.array([2.0]))
    assert writer.figures()["remote_queue_samples"] == 2
    go_on.set()
    assert await committing
    assert writer.commit()
    async with receiving(Receiver()) as receiver:
        await sent(writer_to(tmp_path, receiver.url, Waits()))
        assert receiver.samples() == {UP: [(1000, 1.0)], named("new"): [(1500, 2.0)]}


async def test_a_mistake_of_ours_in_one_batch_does_not_end_the_sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        real, calls = writer.sender._encoded, []

        def wrong_once(part: object) -> object:
            calls.append(part)
            if len(calls) == 1:
                raise KeyError("mistake")
            return real(part)  # type: ignore[arg-type]

        monkeypatch.setattr(writer.sender, "_encoded", wrong_once)
        async with sending(writer):
            put(writer, UP, [(1000, 1.0)])
            await until(lambda: bool(calls) and not writer._queue.unread)
            put(writer, UP, [(2000, 2.0)])
            await until(lambda: writer.idle)
        assert receiver.samples() == {UP: [(2000, 2.0)]}
