"""The listeners: what is sent arrives, soon and whole; addresses, drops, errors and clean-up."""

from __future__ import annotations

import os
import queue
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.receivers.statsd import UdpListener, UnixListener
from collector.receivers.statsd.datagrams import LARGEST, MANY, DatagramReader, ManyReader, OneByOneReader, datagram_reader
from collector.receivers.statsd.listener import Listener
from collector.receivers.statsd.udp import SocketAddress
from monitor.model.batch import Batch
from tests.collector.receivers.statsd.test_parser import unpacked

NOW = 1_700_000_000.0
PATIENCE = 20.0


class Inbox:
    """A sink that tests wait on."""

    def __init__(self) -> None:
        self.calls: queue.Queue[list[Batch]] = queue.Queue()

    def __call__(self, batches: list[Batch]) -> None:
        self.calls.put(batches)

    def next(self) -> list[tuple[str, float]]:
        return [(sample.name, sample.value) for sample in unpacked(self.calls.get(timeout=PATIENCE))]

    def wait_for(self, count: int) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        while len(found) < count:
            found += self.next()
        return found


def send(address: SocketAddress, *payloads: bytes) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        for payload in payloads:
            sock.sendto(payload, address)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.002)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def udp(inbox: Inbox, host: str = "127.0.0.1") -> UdpListener:
    return UdpListener(host, 0, inbox, clock=lambda: NOW)


@pytest.fixture(params=["recvmmsg", "one by one"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "one by one":
        monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    return str(request.param)


def test_datagrams_arrive_stamped_and_parsed(inbox: Inbox, reading: str) -> None:
    with udp(inbox) as listener:
        send(listener.address, b"hits:1|c\ntemp:20.5|g\n", b"", b"hits:2|c")
        assert inbox.wait_for(3) == [("hits", 1), ("temp", 20.5), ("hits", 2)]
        assert (listener.counters.datagrams, listener.counters.lines) == (3, 3)


def test_a_burst_of_many_datagrams_arrives_whole_and_in_order(inbox: Inbox, reading: str) -> None:
    with udp(inbox) as listener:
        for burst in range(5):
            send(listener.address, *(b"hits.number:%d|g|#tag:%d" % (burst * 200 + i, i % 7) for i in range(200)))
            until(lambda sent=200 * (burst + 1): listener.counters.samples == sent)  # type: ignore[misc]
        assert [value for _, value in inbox.wait_for(1000)] == list(range(1000))
        assert listener.dropped == 0


def test_the_largest_datagram_arrives_whole(inbox: Inbox, reading: str) -> None:
    lines = b"\n".join(b"some.counter:%d|c" % i for i in range(3000))
    assert 50_000 < len(lines) < 65_507
    with udp(inbox) as listener:
        send(listener.address, lines)
        assert len(inbox.wait_for(3000)) == 3000


def test_samples_of_a_moment_come_in_one_call(inbox: Inbox) -> None:
    listener = UdpListener("127.0.0.1", 0, inbox, clock=lambda: NOW, interval=PATIENCE)
    with listener:
        for i in range(20):
            send(listener.address, b"hits:%d|c" % i)
        until(lambda: listener.counters.samples == 20)
        assert inbox.calls.empty()
    assert len(inbox.next()) == 20


def test_many_samples_do_not_wait_for_the_moment(inbox: Inbox) -> None:
    with UdpListener("127.0.0.1", 0, inbox, interval=PATIENCE * 100, samples=10) as listener:
        send(listener.address, *(b"hits:1|c" for _ in range(10)))
        assert len(inbox.wait_for(10)) == 10


def test_stop_hands_on_what_had_arrived(inbox: Inbox) -> None:
    listener = UdpListener("127.0.0.1", 0, inbox, interval=PATIENCE * 100)
    listener.start()
    send(listener.address, *(b"hits:1|c" for _ in range(500)))
    listener.stop()
    assert len(inbox.next()) == 500
    listener.stop()
    assert not any(thread.name == "statsd" for thread in threading.enumerate())


def test_ipv6(inbox: Inbox) -> None:
    with udp(inbox, "::1") as listener:
        assert str(listener.address) == f"[::1]:{listener.address.port}"
        send(listener.address, b"hits:1|c")
        assert inbox.next() == [("hits", 1)]


def test_every_address_of_ipv6_hears_ipv4_too(inbox: Inbox) -> None:
    with udp(inbox, "::") as listener:
        send(SocketAddress("127.0.0.1", listener.address.port), b"hits:1|c")
        assert inbox.next() == [("hits", 1)]


def test_a_taken_port_is_said_with_what_to_do(inbox: Inbox) -> None:
    with udp(inbox) as first:
        port = first.address.port
        with pytest.raises(OSError, match=rf"UDP port {port} on 127.0.0.1 is taken; stop .* or choose another"):
            UdpListener("127.0.0.1", port, inbox).start()


def test_a_foreign_address_is_said(inbox: Inbox) -> None:
    with pytest.raises(OSError, match=r"192\.0\.2\.7 is no address of this machine"):
        UdpListener("192.0.2.7", 0, inbox).start()


def test_an_unknown_host_is_said(inbox: Inbox) -> None:
    with pytest.raises(OSError, match="'no such host' is not known"):
        UdpListener("no such host", 0, inbox).start()


def test_a_port_is_free_again_after_stop(inbox: Inbox) -> None:
    with udp(inbox) as listener:
        port = listener.address.port
    with UdpListener("127.0.0.1", port, inbox) as again:
        assert again.address == ("127.0.0.1", port)


@pytest.mark.skipif(not os.path.exists("/proc/net/udp"), reason="only Linux tells its drops")
def test_kernel_drops_are_counted(inbox: Inbox) -> None:
    hold = threading.Event()

    def clock() -> float:
        hold.wait(PATIENCE)
        return NOW

    listener = UdpListener("127.0.0.1", 0, inbox, clock=clock, receive_buffer=4096)
    listener.start()
    try:
        send(listener.address, *(b"hits:1|c" for _ in range(2000)))
        dropped = listener.dropped
        assert 0 < dropped < 2000
    finally:
        hold.set()
        listener.stop()
    assert listener.dropped == dropped
    assert listener.counters.samples == 2000 - dropped


def test_a_failing_sink_does_not_end_the_listener(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox()
    failures = iter([True])

    def sink(batches: list[Batch]) -> None:
        if next(failures, False):
            raise RuntimeError("no room")
        inbox(batches)

    with UdpListener("127.0.0.1", 0, sink) as listener:
        send(listener.address, b"hits:1|c")
        until(lambda: listener.errors == 1)
        send(listener.address, b"hits:2|c")
        assert inbox.next() == [("hits", 2)]
    assert "no room" in caplog.text


def test_a_mistake_in_the_parser_does_not_leave_the_port_deaf(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(*_: object) -> list[Batch]:
        raise IndexError("told to")

    with udp(inbox) as listener:
        monkeypatch.setattr(listener.parser, "feed", mistaken)
        for number in range(1, 4):
            send(listener.address, b"hits:1|c")
            until(lambda number=number: listener.errors == number)  # type: ignore[misc]
        monkeypatch.undo()
        send(listener.address, b"hits:2|c")
        assert inbox.next() == [("hits", 2)]
    assert caplog.text.count("Traceback") == 1, "one that comes again and again must not fill the log"


def test_a_hostile_datagram_does_not_end_the_listener(inbox: Inbox) -> None:
    with udp(inbox) as listener:
        send(listener.address, b"\0" * 60_000, b"|" * 60_000, b"\xff:" * 30_000, b":1|c|@" * 10_000, b"hits:1|c")
        assert inbox.next() == [("hits", 1)]
        assert [found.reason for found in listener.malformed] == ["line too long"] * 4


def to_unix(path: str, *payloads: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(path)
        for payload in payloads:
            sock.send(payload)


def test_a_unix_socket_is_made_with_its_mode_and_removed_at_the_end(inbox: Inbox, tmp_path: Path) -> None:
    path = tmp_path / "dsd.socket"
    with UnixListener(path, inbox) as listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert listener.address == str(path)
        to_unix(listener.address, *(b"hits:%d|c" % i for i in range(300)))
        assert inbox.wait_for(300)[-1] == ("hits", 299)
        assert listener.dropped == 0
    assert not path.exists()
    with UnixListener(path, inbox, mode=0o600):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_unix_datagram_over_the_limit_is_cut_at_its_last_whole_line(inbox: Inbox, tmp_path: Path, reading: str) -> None:
    line = b"some.counter:1|c\n"
    with UnixListener(tmp_path / "s", inbox) as listener:
        to_unix(listener.address, line * 5000)
        assert len(inbox.wait_for(LARGEST // len(line))) == LARGEST // len(line)
        assert listener.counters.malformed == 0


def test_a_socket_left_behind_is_replaced(inbox: Inbox, tmp_path: Path) -> None:
    path = tmp_path / "dsd.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(path))
    with UnixListener(path, inbox):
        to_unix(str(path), b"hits:1|c")
        assert inbox.next() == [("hits", 1)]


def test_a_socket_in_use_is_said_and_left_alone(inbox: Inbox, tmp_path: Path) -> None:
    path = tmp_path / "dsd.socket"
    with UnixListener(path, inbox):
        with pytest.raises(OSError, match="another program listens there; stop it"):
            UnixListener(path, inbox).start()
        to_unix(str(path), b"hits:1|c")
        assert inbox.next() == [("hits", 1)]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("file", "a file that is no socket"), ("none/s", "its directory does not exist"), ("l" * 120, "at most 107 are allowed")],
)
def test_what_a_unix_socket_cannot_be_is_said(inbox: Inbox, tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OSError, match=sentence):
        UnixListener(tmp_path / name, inbox).start()
    assert (tmp_path / "file").read_text() == "precious"


def test_a_socket_someone_else_put_there_meanwhile_stays(inbox: Inbox, tmp_path: Path) -> None:
    path = tmp_path / "dsd.socket"
    first = UnixListener(path, inbox)
    first.start()
    path.unlink()
    with UnixListener(path, inbox):
        first.stop()
        assert path.exists()


def test_a_listener_starts_once(inbox: Inbox) -> None:
    with udp(inbox) as listener, pytest.raises(RuntimeError):
        listener.start()
    never: Listener = udp(inbox)
    never.stop()


def test_readers_give_what_is_there_and_never_wait(reading: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        reader: DatagramReader = datagram_reader(sock)
        assert isinstance(reader, ManyReader if reading == "recvmmsg" else OneByOneReader)
        assert reader.read() == []
        send(SocketAddress(*sock.getsockname()), *(b"%d" % i for i in range(MANY + 3)))
        assert [bytes(d) for d in reader.read()] == [b"%d" % i for i in range(MANY)]
        assert [bytes(d) for d in reader.read()] == [b"%d" % i for i in range(MANY, MANY + 3)]
        assert reader.read() == []
