"""The stream over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from collector.server.origins import Origins
from collector.server.stream import StreamLimits
from collector.server.websocket_frame import framed
from monitor.model.matchers import Matcher
from monitor.wire import messages as m
from monitor.wire.codec import JSON, MSGPACK, Codec
from monitor.wire.messages import Message
from tests.collector.server.stage import Stage, until

CODEC = Codec()
PAGE = Path(__file__).parents[3] / "docs" / "protocol.md"


@contextlib.asynccontextmanager
async def _client(stage: Stage, subprotocol: str = MSGPACK, **more: Any) -> AsyncIterator[ClientConnection]:
    async with connect(stage.url, subprotocols=[subprotocol], compression=None, proxy=None, max_size=None, **more) as client:  # type: ignore[list-item]
        yield client


async def _read(client: ClientConnection) -> Message:
    async with asyncio.timeout(10):
        return CODEC.decode(await client.recv())


async def _read_on(client: ClientConnection) -> None:
    while True:
        await _read(client)


async def _ask(client: ClientConnection, request: m.Request) -> Any:
    await client.send(CODEC.encode(request))
    while True:
        answer = await _read(client)
        if isinstance(answer, m.Reply) and answer.id == request.id:
            return answer


async def _frames(client: ClientConnection, count: int) -> list[m.Frame]:
    frames: list[m.Frame] = []
    while len(frames) < count:
        message = await _read(client)
        if isinstance(message, m.Frame):
            frames.append(message)
    return frames


async def test_a_client_is_greeted_and_gets_a_frame_a_tick() -> None:
    async with Stage() as stage, _client(stage) as client:
        assert isinstance(await _read(client), m.Hello)
        assert (await _ask(client, m.Subscribe(1, "{}", ("value",)))).result == {"rows": 3}
        for _ in range(3):
            stage.tick()
        assert [frame.time for frame in await _frames(client, 3)] == [1_000_001.0, 1_000_002.0, 1_000_003.0]


async def test_json_is_spoken_to_who_asks_for_it_and_to_who_asks_for_nothing() -> None:
    async with Stage() as stage:
        for subprotocols in ([JSON], None):
            async with connect(stage.url, subprotocols=subprotocols, proxy=None) as client:  # type: ignore[arg-type]
                hello = json.loads(await client.recv())
                assert (hello["type"], hello["name"]) == ("hello", "memory")
                await client.send('{"type": "get", "id": 3, "selector": "stage.1", "fields": ["value"]}')
                reply = json.loads(await client.recv())
                assert (reply["id"], reply["result"][0]["fields"]) == (3, {"value": 999.0})


async def test_an_unknown_subprotocol_is_not_spoken() -> None:
    async with Stage() as stage:
        with pytest.raises(InvalidStatus, match="400"):
            async with _client(stage, "lightship.v9"):
                pass


async def test_a_command_is_carried_out_and_everybody_hears_of_it() -> None:
    async with Stage() as stage, _client(stage) as one, _client(stage) as two:
        for client in (one, two):
            await client.send(CODEC.encode(m.Resume(1, who="Mira")))
        silence = m.AddSilence(2, (Matcher("a", "=", "b"),), 0.0, 2_000_000.0, "test", "Mira")
        assert (await _ask(one, silence)).result == {"silence": "s1", "matched": []}
        stage.server.publish_alerts()
        stage.server.publish_events()
        while True:
            message = await _read(two)
            if isinstance(message, m.Alerts) and message.silences:
                assert message.silences[0].comment == "test"
            if isinstance(message, m.Events):
                assert message.events[0].who == "Mira"
                break


async def test_rules_are_told_when_they_change() -> None:
    async with Stage() as stage, _client(stage) as client:
        await client.send(CODEC.encode(m.Resume(1)))
        await _ask(client, m.Status(2))
        reply = await _ask(client, m.SaveRules(3, "empty.toml", "# nothing yet\n", 0, "Mira"))
        assert reply.error == ""
        stage.server.publish_rules()
        rules = await _read(client)
        assert isinstance(rules, m.Rules)
        assert [file.name for file in rules.files] == ["empty.toml"]


async def test_a_command_that_fails_says_so_and_the_connection_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    async with Stage() as stage, _client(stage) as client:
        assert "there is no alert" in (await _ask(client, m.AddNote(1, "x", "text", "me"))).error
        assert "failed at this" in (await _ask(client, m.AddNote(2, "x", "fail", "me"))).error
        assert (await _ask(client, m.Status(3))).error == ""
    assert "told to" in caplog.text


async def test_a_history_that_fails_half_way_is_answered(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Stage() as stage, _client(stage) as client:
        monkeypatch.setattr(stage.backend.engine, "history", None)
        assert "failed at this" in (await _ask(client, m.HistoryQuery(1, "{}", ("value",), 0.0, 10.0))).error
        assert (await _ask(client, m.Status(2))).error == ""
    assert "HistoryQuery failed" in caplog.text


@pytest.mark.parametrize("hostile", [b"\xc1", b"\x93\x01\x02\x03", b"\x82\xa4type\xa4nope\xa2id\x01", "text"])
async def test_what_cannot_be_read_ends_the_connection_with_a_reason_and_nobody_elses(hostile: bytes | str) -> None:
    async with Stage() as stage, _client(stage) as good, _client(stage) as bad:
        await bad.send(hostile)
        with pytest.raises(ConnectionClosed) as closed:
            await _read_on(bad)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, bool(closed.value.rcvd.reason)) == (1007, True)
        assert (await _ask(good, m.Status(1))).error == ""
        assert stage.server.figures()["stream_malformed_total"] == 1.0


async def test_a_message_over_the_bound_ends_the_connection() -> None:
    async with Stage() as stage, _client(stage) as client:
        await client.send(bytes((1 << 20) + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await _read_on(client)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_a_slow_client_skips_frames_while_a_fast_one_gets_them_all() -> None:
    async with Stage(rows=1000) as stage, _client(stage) as fast:
        slow = _stalled(stage.server.port)
        try:
            await _ask(fast, m.Subscribe(1, "{}", ("value",) * 12))
            await until(lambda: len(stage.server.clients) == 2 and len(stage.server._shared.feeds) == 1)
            await until(lambda: all(client.session.subscriptions for client in stage.server.clients))
            times = []
            while stage.server.figures()["stream_skipped_frames_total"] < 3:
                stage.tick()
                times += [frame.time for frame in await _frames(fast, 1)]
            assert times == [1_000_000.0 + i for i in range(1, len(times) + 1)]
            skipped = await _drain(slow, stage)
            assert skipped == stage.server.figures()["stream_skipped_frames_total"]
        finally:
            slow.close()


def _stalled(port: int) -> socket.socket:
    """A client that subscribes and then reads nothing."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", port))
    slow.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: lightship.v1\r\n\r\n"
    )
    request = CODEC.encode(m.Subscribe(1, "{}", ("value",) * 12))
    slow.sendall(bytes([0x82, 0x80 | len(request)]) + bytes(4) + request)
    slow.setblocking(False)
    return slow


async def _drain(slow: socket.socket, stage: Stage) -> int:
    """Reads on until a frame says how many were left out."""
    loop, data = asyncio.get_running_loop(), b""
    async with asyncio.timeout(10):
        while b"\r\n\r\n" not in data:
            data += await loop.sock_recv(slow, 1 << 20)
        data = data.partition(b"\r\n\r\n")[2]
        while True:
            while (payload := _payload(data)) is not None:
                body, data = payload
                message = CODEC.decode(body)
                if isinstance(message, m.Frame) and message.skipped:
                    return message.skipped
            waiting = [client for client in stage.server.clients if client.behind]
            if not waiting:
                stage.tick()
            data += await loop.sock_recv(slow, 1 << 20)


def _payload(data: bytes) -> tuple[bytes, bytes] | None:
    if len(data) < 10:
        return None
    size, header = data[1], 2
    if size == 126:
        size, header = int.from_bytes(data[2:4]), 4
    elif size == 127:
        size, header = int.from_bytes(data[2:10]), 10
    return None if len(data) < header + size else (data[header : header + size], data[header + size :])


async def test_a_client_that_lets_alerts_pile_up_is_let_go() -> None:
    async with Stage(StreamLimits(pending=200_000), rows=1000) as stage:
        slow = _stalled(stage.server.port)
        try:
            await until(lambda: any(client.session.subscriptions for client in stage.server.clients))
            (client,) = stage.server.clients
            while client.open:
                stage.tick()
                client.send([framed(bytes(50_000), False)])
                await asyncio.sleep(0)
            await until(lambda: not stage.server.clients)
        finally:
            slow.close()


async def test_more_clients_than_allowed_are_refused_and_counted() -> None:
    async with Stage(StreamLimits(clients=1)) as stage, _client(stage) as client:
        await _read(client)
        with pytest.raises(InvalidStatus, match="503"):
            async with _client(stage):
                pass
        figures = stage.server.figures()
        assert (figures["stream_clients"], figures["stream_refused_clients_total"]) == (1.0, 1.0)


async def test_pages_of_other_hosts_are_refused() -> None:
    async with Stage() as stage:
        for origin in ("http://127.0.0.1:7070", "https://allowed.example"):
            async with _client(stage, origin=origin) as client:
                await _read(client)
        with pytest.raises(InvalidStatus, match="403"):
            async with _client(stage, origin="https://evil.example"):
                pass


@pytest.mark.parametrize(
    ("origin", "host", "admitted"),
    [
        (None, "anything", True),
        ("http://localhost:7070", "localhost:7071", True),
        ("http://[::1]:7070", "[::1]:7071", True),
        ("http://10.0.0.7", "10.0.0.7:7071", True),
        ("http://10.0.0.7", "10.0.0.8:7071", False),
        ("http://rebound.example:7071", "rebound.example:7071", False),
        ("null", "localhost:7071", False),
        ("http://[", "localhost", False),
        ("", "", False),
        ("https://listed.example/", "10.0.0.7:7071", True),
    ],
)
def test_a_page_is_admitted_when_it_is_of_this_host_or_listed(origin: str | None, host: str, admitted: bool) -> None:
    assert Origins(["https://listed.example"]).admits(origin, host) is admitted


async def test_clients_are_sent_away_with_1001_when_the_server_stops() -> None:
    async with Stage() as stage, _client(stage) as client:
        await _read(client)
        await stage.server.close()
        with pytest.raises(ConnectionClosed) as closed:
            await _read(client)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "the collector is stopping")
        await stage.server.close()


async def test_a_client_that_leaves_frees_what_it_held() -> None:
    async with Stage() as stage:
        async with _client(stage) as client:
            await _ask(client, m.Subscribe(1, "{}", ("value",)))
            assert stage.server.figures()["stream_clients"] == 1.0
        await until(lambda: not stage.server.clients)
        assert not stage.server._shared.feeds
        sent = stage.server.figures()
        assert sent["stream_messages_total"] == 2.0
        assert sent["stream_bytes_total"] > 100


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
async def test_a_frame_of_any_size_reads_back(size: int) -> None:
    async with Stage() as stage, _client(stage) as client:
        await _read(client)
        (server,) = stage.server.clients
        server.send([framed(bytes(size), False), framed(b"x" * size, True)])
        assert await client.recv() == bytes(size)
        assert await client.recv() == "x" * size


async def test_the_client_of_the_protocol_page_prints_values() -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    async with Stage() as stage:
        source = found[1].replace("ws://127.0.0.1:7071", stage.url).replace("host.cpu.busy", "stage.0")
        printed: list[tuple[float, list[float]]] = []

        class Enough(Exception):  # noqa: N818  # ends the endless example
            pass

        def take(time: float, values: list[float]) -> None:
            printed.append((time, values))
            raise Enough

        def run() -> None:
            with contextlib.suppress(Enough):
                exec(source, {"print": take})

        thread = threading.Thread(target=run)
        thread.start()
        await until(lambda: any(client.session.subscriptions for client in stage.server.clients))
        stage.tick()
        await until(lambda: not thread.is_alive())
        assert printed == [(1_000_001.0, [0.0])]
