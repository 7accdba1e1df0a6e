"""StatsD over TCP: every whole line of every client arrives; slow, silent, endless and broken clients harm nobody."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from collector.receivers.statsd import Limits, TcpListener, stream
from collector.receivers.statsd.stream import PIECE
from monitor.alerting.model import Event
from tests.collector.receivers.statsd.test_listeners import NOW, PATIENCE, Inbox, until


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def listener(inbox: Inbox) -> Iterator[TcpListener]:
    with TcpListener("127.0.0.1", 0, inbox, clock=lambda: NOW) as found:
        yield found


def client(listener: TcpListener) -> socket.socket:
    sock = socket.create_connection(listener.address)
    sock.settimeout(PATIENCE)
    return sock


def test_lines_arrive_however_they_are_cut(listener: TcpListener, inbox: Inbox) -> None:
    with client(listener) as sock:
        for count, piece in ((0, b"hi"), (1, b"ts:1|c\nte"), (1, b"mp:20"), (3, b".5|g\r\nhits:2|c\n")):
            before = listener.counters.datagrams
            sock.sendall(piece)
            until(lambda count=count, before=before: listener.counters.samples >= count or before < 0)  # type: ignore[misc]
        assert inbox.wait_for(3) == [("hits", 1), ("temp", 20.5), ("hits", 2)]


def test_the_last_line_of_a_client_that_closes_needs_no_newline(listener: TcpListener, inbox: Inbox) -> None:
    with client(listener) as sock:
        sock.sendall(b"hits:1|c\nhits:2|c")
    assert inbox.wait_for(2) == [("hits", 1), ("hits", 2)]
    until(lambda: listener.connected == 0)


def test_half_a_line_of_a_client_that_breaks_off_is_forgotten(listener: TcpListener, inbox: Inbox) -> None:
    sock = client(listener)
    sock.sendall(b"hits:1|c\nhits:12|c")
    assert inbox.wait_for(1) == [("hits", 1)]
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    until(lambda: listener.connected == 0)
    assert (listener.counters.samples, listener.counters.malformed, listener.errors) == (1, 0, 0)


def test_many_clients_at_once_lose_nothing(listener: TcpListener, inbox: Inbox) -> None:
    def send(number: int) -> None:
        with client(listener) as sock:
            for start in range(0, 1000, 100):
                sock.sendall(b"".join(b"client%d:%d|g\n" % (number, value) for value in range(start, start + 100)))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    found = inbox.wait_for(20_000)
    for thread in threads:
        thread.join()
    for number in range(20):
        assert [value for name, value in found if name == f"client{number}"] == list(range(1000))


def test_a_client_that_never_ends_its_line_is_bounded_and_harms_nobody(inbox: Inbox) -> None:
    with (
        TcpListener("127.0.0.1", 0, inbox, limits=Limits(line=100)) as listener,
        client(listener) as endless,
        client(listener) as other,
    ):
        endless.sendall(b"x" * (3 * PIECE))
        until(lambda: listener.counters.malformed == 1)
        other.sendall(b"hits:1|c\n")
        assert inbox.wait_for(1) == [("hits", 1)]
        endless.sendall(b"y" * 1000 + b"\nhits:2|c\n")
        assert inbox.wait_for(1) == [("hits", 2)]
        assert [found.reason for found in listener.malformed] == ["line too long"]


def test_a_flood_does_not_keep_others_waiting_or_the_end(inbox: Inbox) -> None:
    listener = TcpListener("127.0.0.1", 0, inbox)
    listener.start()
    stopped = threading.Event()

    def flood() -> None:
        with contextlib.suppress(OSError), client(listener) as sock:
            while not stopped.is_set():
                sock.sendall(b"flood:1|c\n" * 10_000)

    thread = threading.Thread(target=flood)
    thread.start()
    until(lambda: listener.counters.samples > 10_000)
    with client(listener) as sock:
        sock.sendall(b"calm:1|g\n")
        until(lambda: ("calm", 1) in inbox.next())
        began = time.monotonic()
        listener.stop()
        assert time.monotonic() - began < PATIENCE / 4
    stopped.set()
    thread.join(PATIENCE)


def test_connections_are_bounded(inbox: Inbox) -> None:
    with TcpListener("127.0.0.1", 0, inbox, connections=2) as listener, client(listener) as first, client(listener) as second:
        until(lambda: listener.connected == 2)
        with client(listener) as third:
            assert third.recv(1) == b""
        first.sendall(b"hits:1|c\n")
        second.sendall(b"hits:1|c\n")
        inbox.wait_for(2)
        assert (listener.refused, listener.connected) == (1, 2)


def test_a_client_silent_for_long_makes_room(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SILENT", 0.0)
    with TcpListener("127.0.0.1", 0, inbox, connections=1) as listener, client(listener) as silent:
        until(lambda: listener.connected == 1)
        with client(listener) as other:
            other.sendall(b"hits:1|c\n")
            assert inbox.wait_for(1) == [("hits", 1)]
            assert silent.recv(1) == b""
        assert listener.refused == 0


def test_a_process_without_descriptors_goes_on(listener: TcpListener, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with client(listener) as sock:
        until(lambda: listener.connected == 1)

        def none_left(self: stream.StreamSource) -> None:
            raise OSError(24, "Too many open files")

        monkeypatch.setattr(stream.StreamSource, "_welcome", none_left)
        with client(listener) as other:
            until(lambda: listener.errors > 0)
            sock.sendall(b"hits:1|c\n")
            assert inbox.wait_for(1) == [("hits", 1)]
            monkeypatch.undo()
            other.sendall(b"hits:2|c\n")
            assert inbox.wait_for(1) == [("hits", 2)]


def test_stop_hands_on_what_had_arrived_and_closes(inbox: Inbox) -> None:
    listener = TcpListener("127.0.0.1", 0, inbox, interval=PATIENCE * 100)
    listener.start()
    with client(listener) as sock:
        sock.sendall(b"hits:1|c\n" * 500)
        until(lambda: listener.counters.samples == 500)
        listener.stop()
        assert len(inbox.next()) == 500
        assert sock.recv(1) == b""
    listener.stop()
    assert not any(thread.name == "statsd" for thread in threading.enumerate())
    assert listener.dropped == 0
    with TcpListener("127.0.0.1", listener.address.port, inbox):
        pass


def test_events_come_this_way_too(inbox: Inbox) -> None:
    events: list[Event] = []
    with TcpListener("127.0.0.1", 0, inbox, clock=lambda: NOW, events=events.extend) as listener, client(listener) as sock:
        sock.sendall(b"_e{6,0}:Deploy|\n")
        until(lambda: bool(events))
    assert events == [Event(NOW, "deploy", "Deploy", severity="info")]


def test_a_failing_taker_of_events_does_not_end_the_listener(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(events: list[Event]) -> None:
        raise RuntimeError("no room")

    with TcpListener("127.0.0.1", 0, inbox, events=refuse) as listener, client(listener) as sock:
        sock.sendall(b"_e{1,0}:t|\nhits:1|c\n")
        assert inbox.wait_for(1) == [("hits", 1)]
        until(lambda: listener.errors == 1)
    assert "events failed" in caplog.text


def test_a_taken_port_is_said_with_what_to_do(listener: TcpListener, inbox: Inbox) -> None:
    port = listener.address.port
    with pytest.raises(OSError, match=rf"TCP port {port} on 127.0.0.1 is taken; stop .* choose another with --statsd-tcp"):
        TcpListener("127.0.0.1", port, inbox).start()


def test_ipv6(inbox: Inbox) -> None:
    with TcpListener("[::1]", 0, inbox) as listener, client(listener) as sock:
        sock.sendall(b"hits:1|c\n")
        assert inbox.wait_for(1) == [("hits", 1)]
