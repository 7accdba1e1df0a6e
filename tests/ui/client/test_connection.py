"""The client over real sockets: through kill and restart, with what was missed filled in and a real gap kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from monitor.wire import messages as m
from tests.collector.server.stage import Stage, until
from ui.client import connector as connector_module
from ui.client.connection import Connection
from ui.client.connector import Connector, stream_of
from ui.client.line import Answer
from ui.client.mirror import Link, LinkChanged, Mirror
from ui.client.thread import Inbox, ThreadedConnection


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector_module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(connector_module, "LONGEST_PAUSE", 0.1)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_the_mirror_follows_the_collector() -> None:
    mirror = Mirror()
    seen: set[str] = set()
    async with Stage() as stage, Connection(stage.url, mirror, "Mira", on_change=seen.update):
        subscription = mirror.subscribe("{}", ("value",), backfill=60.0, track=True)
        await until(lambda: subscription.tracks is not None and subscription.tracks.last is not None)
        stage.tick()
        await until(lambda: subscription.frames == 1)
        assert len(mirror.series) == 3
        assert len(subscription.track(0, "value")[0]) == 61
        assert mirror.state.state == "connected"
        assert seen >= {"link", "hello", "series", "frame", "health"}
        mirror.unsubscribe(subscription)
        await until(lambda: not stage.server._shared.feeds)


async def test_requests_are_answered_and_refused_ones_say_why() -> None:
    mirror = Mirror()
    async with Stage() as stage, Connection(stage.url, mirror) as connection:
        early = await connection.send(m.Status(0))
        assert isinstance(early, m.Reply)
        assert "no connection" in early.error
        await until(lambda: mirror.hello)
        status = await connection.send(m.Status(0))
        assert isinstance(status, m.Reply)
        assert status.result["name"] == "memory"
        now = stage.backend.now
        history = await connection.send(m.HistoryQuery(0, "stage.0", ("value",), now - 10, now))
        assert isinstance(history, m.History)
        assert len(history.times) == 10
        refused = await connection.send(m.AddNote(0, "x", "text", "me"))
        assert isinstance(refused, m.Reply)
        assert "there is no alert" in refused.error


async def test_a_short_loss_of_the_line_leaves_no_gap() -> None:
    mirror = Mirror()
    async with Stage() as stage, Connection(stage.url, mirror):
        subscription = mirror.subscribe("stage.0", ("value",), track=True)
        await until(lambda: stage.server._shared.feeds)
        stage.tick()
        await until(lambda: subscription.frames == 1)
        (client,) = stage.server.clients
        client.connection.transport.abort()
        for _ in range(20):
            stage.tick()
        await until(lambda: mirror.state.number == 2 and subscription.tracks and subscription.tracks.last == stage.backend.now)
        stage.tick()
        await until(lambda: subscription.frames > 1)
        times, values = subscription.track(0, "value")
        assert set(np.diff(times).tolist()) == {1.0}
        assert np.isfinite(values).all()


async def test_only_what_changed_is_told_again_after_a_loss() -> None:
    mirror = Mirror()
    async with Stage() as stage, Connection(stage.url, mirror):
        stage.backend.book.log("note", "before")
        await until(lambda: len(mirror.events) == 1)
        before = mirror.series_revision
        (client,) = stage.server.clients
        client.connection.transport.abort()
        stage.backend.book.log("note", "meanwhile")
        await until(lambda: len(mirror.events) == 2)
        assert mirror.state.number == 2
        assert mirror.series_revision == before


async def test_a_killed_and_restarted_collector_is_found_again_with_its_past_filled_in() -> None:
    port, mirror = _free_port(), Mirror()
    first = await _serve(port, "one")
    connection = Connection(f"ws://127.0.0.1:{port}", mirror)
    connection.start()
    try:
        subscription = mirror.subscribe("stage.1", ("value",), backfill=30.0, track=True)
        await until(lambda: subscription.frames >= 3)
        first.kill()
        await first.wait()
        await until(lambda: mirror.state.attempt >= 3)
        assert mirror.state.state == "lost"
        held = len(subscription.track(1, "value")[0])
        assert held > 30
        second = await _serve(port, "two")
        try:
            await until(lambda: mirror.hello and mirror.hello.boot == "two")
            count = subscription.frames
            await until(lambda: subscription.frames > count)
            assert [event.text for event in mirror.events] == ["boot two"]
            assert subscription.tracks is not None
            axis = subscription.tracks.times
            assert (np.diff(axis) > 0).all()
            assert len(subscription.track(1, "value")[0]) >= held
        finally:
            second.kill()
            await second.wait()
    finally:
        connection.close()
        await connection.wait_closed()


async def _serve(port: int, boot: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.collector.server.stage", str(port), boot, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert int(await process.stdout.readline()) == port
    return process


async def test_a_collector_that_is_not_there_is_a_reason_and_a_growing_count() -> None:
    mirror, port = Mirror(), _free_port()
    async with Connection(f"ws://127.0.0.1:{port}", mirror) as connection:
        assert mirror.state.state == "connecting"
        await until(lambda: mirror.state.attempt >= 2)
        assert (mirror.state.state, mirror.state.reason) == ("lost", "nothing listens there")
        since = mirror.state.since
        connection.retry()
        await until(lambda: mirror.state.attempt >= 4)
        assert mirror.state.since == since


async def test_commands_under_way_when_the_line_breaks_are_answered() -> None:
    mirror = Mirror()
    async with Stage() as stage, Connection(stage.url, mirror) as connection:
        await until(lambda: mirror.hello)
        (client,) = stage.server.clients
        waiting = asyncio.ensure_future(connection.send(m.Status(0)))
        await asyncio.sleep(0)
        client.connection.transport.abort()
        answer = await waiting
        assert isinstance(answer, m.Reply)
        assert answer.error == "" or "whether it was carried out is not known" in answer.error


class _Answering(BaseHTTPRequestHandler):
    stream = ""

    def do_GET(self) -> None:
        body = json.dumps({"stream": self.stream}).encode() if self.path == "/-/lightship" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def http() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_the_stream_is_found_through_http(http: str) -> None:
    mirror = Mirror()
    async with Stage() as stage:
        _Answering.stream = stage.url
        async with Connection(http.removeprefix("http://"), mirror):
            await until(lambda: mirror.hello)


async def test_something_else_at_the_address_is_named_as_such(http: str) -> None:
    mirror = Mirror()
    _Answering.stream = "javascript:alert(1)"
    async with Connection(http, mirror):
        await until(lambda: mirror.state.reason)
        assert "not a Lightship collector" in mirror.state.reason


def test_a_stream_on_any_address_is_looked_for_where_http_answered() -> None:
    assert stream_of(b'{"stream": "ws://0.0.0.0:7071"}', "harbour") == "ws://harbour:7071"
    assert stream_of(b'{"stream": "ws://10.0.0.7:7071/x"}', "harbour") == "ws://10.0.0.7:7071/x"
    for answer in (b"", b"[]", b"{}", b'{"stream": 3}', b'{"stream": "ftp://x"}'):
        with pytest.raises(ValueError, match="not a Lightship"):
            stream_of(answer, "harbour")


async def test_requests_for_an_ended_connection_are_not_sent_on_the_next() -> None:
    connector = Connector("ws://127.0.0.1:1", lambda item: None)
    connector.send(m.Status(1), 7)
    assert connector._outbox.empty()


# ---------------------------------------------------------------- through a thread


async def test_a_thread_keeps_the_mirror_and_answers_in_pump() -> None:
    async with Stage() as stage:
        line, mirror = ThreadedConnection(stage.url, "Mira"), Mirror()
        line.start()
        try:
            subscription = mirror.subscribe("{}", ("value",), track=True)
            answers: list[tuple[Answer, threading.Thread]] = []
            await until(lambda: line.pump(mirror) is not None and mirror.hello)
            line.submit(m.Status(0), lambda answer: answers.append((answer, threading.current_thread())))
            await until(lambda: line.pump(mirror) is not None and stage.server._shared.feeds)
            stage.tick()
            await until(lambda: line.pump(mirror) is not None and subscription.frames == 1 and answers)
            assert answers[0][1] is threading.current_thread()
            (client,) = stage.server.clients
            client.connection.transport.abort()
            stage.tick()
            await until(lambda: line.pump(mirror) is not None and mirror.state.number == 2 and mirror.connected)
            await until(
                lambda: line.pump(mirror) is not None and subscription.tracks and subscription.tracks.last == stage.backend.now
            )
        finally:
            await asyncio.to_thread(line.close)
        assert not any(thread.name == "lightship-line" for thread in threading.enumerate())


def _frame(sub: int, time: float, rows: list[int] | None = None, skipped: int = 0) -> m.Frame:
    column = np.zeros(2).view(m.F64)
    return m.Frame(sub, time, (column,), None if rows is None else np.array(rows, np.int32).view(m.I32), skipped)


def test_a_front_end_that_is_behind_gets_the_newest_frame_of_each_subscription() -> None:
    inbox = Inbox(calm=4)
    inbox.put(m.Health(0.0, {}))
    for time in range(100):
        inbox.put(_frame(1, time, [3, 4] if time == 2 else None))
        inbox.put(_frame(2, time))
    items = inbox.take()
    frames = [item for item in items if isinstance(item, m.Frame)]
    assert isinstance(items[0], m.Health)
    assert [frame.time for frame in frames if frame.sub == 1][-1] == 99.0
    rows = [frame.rows for frame in frames if frame.sub == 1 and frame.rows is not None]
    assert [found.tolist() for found in rows] == [[3, 4]]
    assert len(items) <= 6
    assert inbox.coalesced == 200 - len(frames)
    assert inbox.take() == []


def test_frames_before_a_lost_link_are_not_replaced_by_frames_after_it() -> None:
    inbox = Inbox(calm=0)
    inbox.put(_frame(1, 1.0, [1, 2]))
    inbox.put(LinkChanged(Link("connected", number=2)))
    inbox.put(_frame(1, 2.0, [5, 6]))
    assert [item.time for item in inbox.take() if isinstance(item, m.Frame)] == [1.0, 2.0]


def test_an_inbox_that_nobody_empties_gives_the_link_up() -> None:
    inbox = Inbox(bound=10)
    for _ in range(10):
        inbox.put(m.Events(()))
    with pytest.raises(OverflowError, match="did not take"):
        inbox.put(m.Events(()))
    inbox.put(LinkChanged(Link("lost")))
    assert len(inbox) == 11


def test_importing_the_client_loads_neither_sockets_nor_http() -> None:
    import subprocess

    code = (
        "import sys, ui.client.thread, ui.client.connection, ui.client.mirror;"
        "print([n for n in ('websockets', 'urllib.request', 'http.client') if n in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
