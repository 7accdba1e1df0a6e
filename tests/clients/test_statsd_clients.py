"""What the real `statsd` and `datadog` clients from PyPI send arrives as it was meant."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
import statsd
from datadog.dogstatsd.base import DogStatsd

from collector.receivers.statsd import UdpListener, UnixListener
from tests.collector.receivers.statsd.reference import Sample
from tests.collector.receivers.statsd.test_listeners import Inbox, until
from tests.collector.receivers.statsd.test_parser import unpacked

NOW = 1_700_000_000.0


class Heard:
    """A running listener and what it hands on."""

    def __init__(self, listener: UdpListener | UnixListener, inbox: Inbox) -> None:
        self.listener = listener
        self._inbox = inbox

    def samples(self, count: int) -> list[Sample]:
        """All samples once `count` have been read."""
        until(lambda: self.listener.counters.samples + self.listener.counters.malformed >= count)
        assert self.listener.malformed == []
        found = self.everything()
        assert len(found) == count
        return found

    def everything(self) -> list[Sample]:
        """All samples of what had been sent."""
        self.listener.stop()
        found = []
        while not self._inbox.calls.empty():
            found += unpacked(self._inbox.calls.get())
        return found


@pytest.fixture
def udp() -> Iterator[Heard]:
    inbox = Inbox()
    with UdpListener("127.0.0.1", 0, inbox, clock=lambda: NOW) as listener:
        yield Heard(listener, inbox)


@pytest.fixture
def unix(tmp_path: Path) -> Iterator[Heard]:
    inbox = Inbox()
    with UnixListener(tmp_path / "dsd.socket", inbox, clock=lambda: NOW) as listener:
        yield Heard(listener, inbox)


@pytest.fixture(params=["udp", "unix"])
def dog(request: pytest.FixtureRequest) -> Iterator[tuple[DogStatsd, Heard]]:
    heard: Heard = request.getfixturevalue(request.param)
    address = heard.listener.address
    where = {"socket_path": address} if isinstance(address, str) else {"host": address.host, "port": address.port}
    client = DogStatsd(
        **where, disable_telemetry=True, constant_tags=["env:test"], origin_detection_enabled=False, socket_timeout=5
    )
    yield client, heard
    client.close_socket()


def test_the_statsd_client(udp: Heard) -> None:
    address = udp.listener.address
    assert not isinstance(address, str)
    client = statsd.StatsClient(address.host, address.port, prefix="shop")
    client.incr("orders")
    client.decr("stock", 3)
    client.gauge("queue", 42)
    client.gauge("queue", -2, delta=True)
    client.gauge("balance", -5)  # the client sends 0 first, so that the sign is no change
    client.timing("checkout", 320.5)
    client.timing("checkout", datetime.timedelta(seconds=1))
    client.set("users", "anna")
    with client.pipeline() as pipe:
        pipe.incr("piped", 2)
        pipe.gauge("queue", 7)
    client.close()
    expected = [
        ("shop.orders", "COUNTER", 1, False),
        ("shop.stock", "COUNTER", -3, False),
        ("shop.queue", "GAUGE", 42, False),
        ("shop.queue", "GAUGE", -2, True),
        ("shop.balance", "GAUGE", 0, False),
        ("shop.balance", "GAUGE", -5, True),
        ("shop.checkout", "DISTRIBUTION", 320.5, False),
        ("shop.checkout", "DISTRIBUTION", 1000, False),
        ("shop.users", "SET", 4_936_053_600_915_080, False),
        ("shop.piped", "COUNTER", 2, False),
        ("shop.queue", "GAUGE", 7, False),
    ]
    assert [(s.name, s.kind, s.value, s.relative) for s in udp.samples(len(expected))] == expected


def test_the_statsd_client_with_a_sample_rate(udp: Heard) -> None:
    address = udp.listener.address
    assert not isinstance(address, str)
    client = statsd.StatsClient(address.host, address.port)
    for _ in range(400):
        client.incr("sampled", rate=0.5)
    client.close()
    found = udp.everything()
    assert {(s.name, s.value) for s in found} == {("sampled", 2.0)}
    assert 50 < len(found) < 350


def test_the_datadog_client(dog: tuple[DogStatsd, Heard]) -> None:
    client, heard = dog
    client.increment("page.views", tags=["page:home", "canary"])
    client.decrement("page.views", 2)
    client.gauge("queue.depth", 12.25)
    client.gauge_with_timestamp("queue.depth", 13, 1656581400)
    client.count_with_timestamp("page.views", 5, 1656581401)
    client.histogram("size", 17)
    client.distribution("latency", 0.123456789012345)
    client.timing("wait", 250)
    client.set("users", "anna")
    client.event("Deployed", "version 2|of the shop\nis out", tags=["a:b"])
    client.service_check("db.up", client.OK, message="fine")
    env = (("env", "test"),)
    expected = [
        Sample("page.views", (("canary", "true"), ("env", "test"), ("page", "home")), "COUNTER", 1, NOW),
        Sample("page.views", env, "COUNTER", -2, NOW),
        Sample("queue.depth", env, "GAUGE", 12.25, NOW),
        Sample("queue.depth", env, "GAUGE", 13, 1656581400.0),
        Sample("page.views", env, "COUNTER", 5, 1656581401.0),
        Sample("size", env, "DISTRIBUTION", 17, NOW),
        Sample("latency", env, "DISTRIBUTION", 0.123456789012345, NOW),
        Sample("wait", env, "DISTRIBUTION", 250, NOW),
        Sample("users", env, "SET", 4_936_053_600_915_080, NOW),
        Sample("datadog.service_check", (("check", "db.up"), ("env", "test")), "GAUGE", 0, NOW),
    ]
    until(lambda: heard.listener.counters.service_checks == 1)
    assert heard.samples(len(expected)) == expected
    assert heard.listener.counters.events == 1


def test_the_datadog_client_with_sample_rates_and_aggregation(dog: tuple[DogStatsd, Heard]) -> None:
    client, heard = dog
    for _ in range(400):
        client.histogram("size", 17, sample_rate=0.25)
    client.enable_aggregation(flush_interval=0.2)
    for value in range(50):
        client.increment("hits")
        client.gauge("depth", value)
    client.flush_aggregated_metrics()
    client.flush_buffered_metrics()
    client.disable_aggregation()
    found = heard.everything()
    sizes = [s for s in found if s.name == "size"]
    assert sum(s.value for s in found if s.name == "hits") == 50
    assert [s.value for s in found if s.name == "depth"][-1] == 49
    assert {(s.value, s.weight) for s in sizes} == {(17, 4)}
    assert 40 < len(sizes) < 200
