"""Events, service checks and distributions of the real `datadog` client, and the `statsd` client over TCP, arrive as meant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import statsd
from datadog.dogstatsd.base import DogStatsd

from collector.receivers.statsd import TcpListener, UdpListener
from monitor.alerting.model import Event
from tests.collector.receivers.statsd.reference import Sample
from tests.collector.receivers.statsd.test_listeners import Inbox, until
from tests.collector.receivers.statsd.test_parser import unpacked

NOW = 1_700_000_000.0


class Heard:
    """A client of a running listener, and what the listener hands on."""

    def __init__(self, listener: UdpListener, inbox: Inbox, events: list[Event]) -> None:
        self.listener, self.events = listener, events
        self._inbox = inbox
        self.client = DogStatsd(
            host=listener.address.host, port=listener.address.port, disable_telemetry=True, origin_detection_enabled=False
        )

    def samples(self, count: int) -> list[Sample]:
        """All of them, once `count` were read."""
        until(lambda: self.listener.counters.samples >= count)
        self.listener.stop()
        assert self.listener.malformed == []
        found: list[Sample] = []
        while not self._inbox.calls.empty():
            found += unpacked(self._inbox.calls.get())
        return found


@pytest.fixture
def heard() -> Iterator[Heard]:
    inbox, events = Inbox(), list[Event]()
    with UdpListener("127.0.0.1", 0, inbox, clock=lambda: NOW, events=events.extend) as listener:
        found = Heard(listener, inbox, events)
        yield found
        found.client.close_socket()


def test_events(heard: Heard) -> None:
    heard.client.event(
        "Deployed",
        "version 2|of the größe\nis out",
        alert_type="success",
        date_happened=1656581400,
        hostname="web1",
        aggregation_key="shop",
        priority="low",
        source_type_name="ci",
        tags=["env:prod", "canary"],
        cardinality="low",
    )
    heard.client.event("Disk", "is full", alert_type="error")
    until(lambda: len(heard.events) == 2)
    assert heard.events == [
        Event(1656581400.0, "deploy", "Deployed: version 2|of the größe is out host:web1 env:prod canary", severity="info"),
        Event(NOW, "event", "Disk: is full", severity="critical"),
    ]
    assert heard.samples(0) == []


def test_service_checks(heard: Heard) -> None:
    heard.client.service_check("db.up", heard.client.OK, tags=["env:prod"], hostname="web1", message="fine")
    heard.client.service_check("db.up", heard.client.CRITICAL, tags=["env:prod"], hostname="web1", message="a|b\nm:c")
    heard.client.service_check("db.up", heard.client.UNKNOWN, timestamp=1656581400, cardinality="none")
    tags = (("check", "db.up"), ("env", "prod"), ("host", "web1"))
    name = "datadog.service_check"
    assert heard.samples(3) == [
        Sample(name, tags, "GAUGE", 0, NOW),
        Sample(name, tags, "GAUGE", 2, NOW),
        Sample(name, tags[:1], "GAUGE", 3, 1656581400.0),
    ]
    assert heard.events == [
        Event(NOW, "event", "db.up is critical: a|b m:c host:web1 env:prod", severity="critical"),
        Event(1656581400.0, "event", "db.up is unknown", severity="warning"),
    ]


def test_distributions_and_histograms_aggregated_by_the_client(heard: Heard) -> None:
    client = heard.client
    client.distribution("latency", 1.5, tags=["a:1"], cardinality="high")
    client.enable_aggregation(flush_interval=0.2, max_samples_per_context=10)
    for value in (1, 2, 3):
        client.distribution("gathered", value, tags=["a:1"])
        client.histogram("sizes", value)
    client.flush_aggregated_metrics()
    client.flush_buffered_metrics()
    client.disable_aggregation()
    found = heard.samples(7)
    assert found[0] == Sample("latency", (("a", "1"),), "DISTRIBUTION", 1.5, NOW)
    for name in ("gathered", "sizes"):
        assert [sample.value for sample in found if sample.name == name] == [1, 2, 3]


def test_the_statsd_client_over_tcp() -> None:
    inbox = Inbox()
    with TcpListener("127.0.0.1", 0, inbox, clock=lambda: NOW) as listener:
        client = statsd.TCPStatsClient(listener.address.host, listener.address.port, prefix="shop", timeout=5)
        client.incr("orders")
        client.gauge("queue", 42)
        client.timing("checkout", 320.5)
        client.set("users", "anna")
        with client.pipeline() as pipe:
            for value in range(500):
                pipe.gauge("piped", value)
        found = inbox.wait_for(504)
        client.close()
        until(lambda: listener.connected == 0)
    assert found[:3] == [("shop.orders", 1), ("shop.queue", 42), ("shop.checkout", 320.5)]
    assert [value for _, value in found[4:]] == list(range(500))
    assert listener.malformed == []
