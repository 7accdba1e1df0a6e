"""Forwarding as StatsD: what a StatsD server adds up is what came in here."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from collector.exporters.exporter import Patience, bounds_of
from collector.exporters.statsd import StatsdExporter
from collector.exporters.statsd_lines import Protocol, datagrams, head_of
from collector.receivers.statsd.parser import StatsdParser
from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.matchers import Selector, parse_selector
from monitor.model.series import KeySpace, Kind, SeriesInfo, series_key
from tests.collector.waits import running, until
from tests.running import free_port

NOW = 1_700_000_000.0
QUICK = Patience(answer=5.0, least=0.01, longest=0.02)


class Feed:
    """An engine that is given values by name, and its frames."""

    def __init__(self) -> None:
        self.engine = Engine()
        self._space = KeySpace()
        self._ids: dict[str, int] = {}
        self._now = NOW
        self.engine.tick(self._now)

    def put(self, name: str, kind: Kind, values: Sequence[float], unit: str = "", **tags: str) -> None:
        if name not in self._ids:
            self._ids[name] = self._space.add(series_key(name, tags.items()), kind, unit)
        ids = np.full(len(values), self._ids[name], np.int32)
        self.engine.ingest(Batch(self._space, ids, np.array(values, np.float64), np.full(len(values), self._now + 0.5)))

    def tick(self, exporter: StatsdExporter) -> None:
        self._now += 1
        exporter.take(self.engine.tick(self._now + 0.1))


def exporter(
    folder: Path, url: str, feed: Feed, protocol: Protocol = "dogstatsd", selector: str = "", **tags: str
) -> StatsdExporter:
    chosen = parse_selector(selector) if selector else Selector()
    return StatsdExporter(
        "statsd", folder, url, chosen, tags, bounds_of(1 << 20), lambda: feed.engine.table, protocol=protocol, patience=QUICK
    )


class Server:
    """Reads UDP as the product's own parser does, or lines of a TCP connection."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []

    @property
    def lines(self) -> list[str]:
        return sorted(line for datagram in self.datagrams for line in datagram.decode().splitlines())

    def parsed(self) -> dict[tuple[str, Kind], tuple[float, float]]:
        """Observations and their sum by name and kind."""
        found: dict[tuple[str, Kind], tuple[float, float]] = {}
        parser = StatsdParser()
        for batch in parser.feed([datagram.rstrip(b"\n") for datagram in self.datagrams], NOW):
            weights = np.ones(len(batch)) if batch.weights is None else batch.weights
            for number, value, weight in zip(batch.ids.tolist(), batch.values.tolist(), weights.tolist(), strict=True):
                key = batch.space.keys[number].label(), batch.space.kinds[number]
                count, total = found.get(key, (0.0, 0.0))
                found[key] = (count + weight, total + value * weight)
        assert parser.counters.malformed == 0
        return found


@contextlib.asynccontextmanager
async def udp_server(port: int = 0) -> AsyncIterator[tuple[Server, str]]:
    server = Server()

    class Heard(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            server.datagrams.append(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Heard, ("127.0.0.1", port))
    try:
        yield server, f"udp://127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()


async def test_counters_go_as_what_they_grew_by_and_gauges_as_they_stand(tmp_path: Path) -> None:
    feed = Feed()
    async with udp_server() as (server, url):
        one = exporter(tmp_path, url, feed, env="prod")
        async with running(one.run()):
            feed.put("shop.orders", Kind.COUNTER, [1, 2, 4], region="eu")
            feed.put("shop.depth", Kind.GAUGE, [3, 7.5])
            feed.put("shop.delta", Kind.GAUGE, [-2])
            feed.tick(one)
            await until(lambda: one.idle and len(server.lines) == 4)
            feed.put("shop.orders", Kind.COUNTER, [10])
            feed.tick(one)
            await until(lambda: len(server.lines) == 5)
        one.close()
    assert server.lines == [
        "shop.delta:-2|g|#env:prod",
        "shop.delta:0|g|#env:prod",
        "shop.depth:7.5|g|#env:prod",
        "shop.orders:10|c|#region:eu,env:prod",
        "shop.orders:7|c|#region:eu,env:prod",
    ]


@pytest.mark.parametrize(("protocol", "name"), [("dogstatsd", 'web.time{route="/"}'), ("statsd", "web.time;route=/")])
async def test_distributions_keep_their_counts_and_nearly_their_values(tmp_path: Path, protocol: Protocol, name: str) -> None:
    values = np.random.default_rng(5).lognormal(3, 1, 2000).tolist()
    feed = Feed()
    async with udp_server() as (server, url):
        one = exporter(tmp_path, url, feed, protocol)
        async with running(one.run()):
            feed.put("web.time", Kind.DISTRIBUTION, values, "ms", route="/")
            feed.tick(one)
            await until(lambda: one.idle)
            sent = one.figures()["export_sent_total"]
            await until(lambda: len(server.lines) == sent)
        one.close()
    ((key, _), (count, total)), *rest = server.parsed().items()
    assert rest == []
    assert key == name
    assert count == pytest.approx(2000, rel=1e-9)
    assert total == pytest.approx(sum(values), rel=0.006)


async def test_members_of_sets_stay_different_members(tmp_path: Path) -> None:
    feed = Feed()
    async with udp_server() as (server, url):
        one = exporter(tmp_path, url, feed)
        async with running(one.run()):
            feed.put("users", Kind.SET, [11, 22, 22, 33])
            feed.tick(one)
            await until(lambda: len(server.lines) == 3)
        one.close()
    assert server.lines == ["users:11|s", "users:22|s", "users:33|s"]


async def test_only_selected_series_go(tmp_path: Path) -> None:
    feed = Feed()
    async with udp_server() as (server, url):
        one = exporter(tmp_path, url, feed, selector='{__name__=~"shop.*"}')
        async with running(one.run()):
            feed.put("shop.a", Kind.COUNTER, [1])
            feed.put("other", Kind.COUNTER, [1])
            feed.tick(one)
            await until(lambda: one.idle and bool(server.lines))
        one.close()
    assert server.lines == ["shop.a:1|c"]


async def test_a_server_that_is_away_gets_every_line_afterwards(tmp_path: Path) -> None:
    feed, port = Feed(), free_port()
    heard: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            heard.append(line)
        writer.close()

    one = exporter(tmp_path, f"tcp://127.0.0.1:{port}", feed)
    async with running(one.run()):
        for n in range(5):
            feed.put("shop.orders", Kind.COUNTER, [n + 1])
            feed.tick(one)
        await until(lambda: one.figures()["export_failures_total"] > 2)
        assert "takes no lines" in one.notes()[0]
        server = await asyncio.start_server(connected, "127.0.0.1", port)
        await until(lambda: one.idle and len(heard) == 5)
    server.close()
    one.close()
    assert heard == [b"shop.orders:%d|c\n" % (n + 1) for n in range(5)]


async def test_a_socket_in_the_file_system_is_written_to(tmp_path: Path) -> None:
    feed, path = Feed(), tmp_path / "dsd.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        one = exporter(tmp_path / "queue", f"unix://{path}", feed)
        async with running(one.run()):
            feed.put("shop.orders", Kind.COUNTER, [3])
            feed.tick(one)
            await until(lambda: one.idle)
        one.close()
        assert server.recv(100) == b"shop.orders:3|c"


def test_names_and_tags_never_break_a_line() -> None:
    info = SeriesInfo(0, series_key("a:b|c\nd", {"x,y": "1|2", "z:": "a#\n"}.items()), Kind.COUNTER)
    head = head_of(info, {}, "dogstatsd")
    assert (head.name, head.tail) == ("a_b_c_d", "|#x_y:1_2,z_:a__")
    assert head_of(info, {}, "statsd").name == "a_b_c_d;x_y=1_2;z_=a__"


def test_datagrams_hold_whole_lines_and_are_not_too_long() -> None:
    lines = [f"name{n}:1|c" for n in range(1000)]
    found = datagrams(lines, 100)
    assert max(map(len, found)) <= 100
    assert b"\n".join(found).decode().splitlines() == lines


def test_another_address_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="write udp://host:8125"):
        exporter(tmp_path, "http://host:1", Feed())
