"""What happened in the shop goes out: each kind of data by the protocol that its service speaks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import msgspec

from ui.demoshop import datadog, otlp, statsd
from ui.demoshop.courier import Courier, Parcel, ask
from ui.demoshop.happened import Event
from ui.demoshop.measures import Counted, Observed
from ui.demoshop.services import SERVICES
from ui.demoshop.shop import Traffic

log = logging.getLogger("lightship.demo")

METRICS_FIRST, METRICS_EVERY = 1.0, 3.0
"""Seconds after the beginning, and from then on between two requests of OTLP metrics."""
LOOK_AGAIN = 15.0
"""Seconds between two looks whether Datadog's port is the collector's."""
PROTOBUF, JSON, MSGPACK = "application/x-protobuf", "application/json", "application/msgpack"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the collector listens. `statsd` is host:port, the others http://host:port; `http` takes OTLP as well."""

    statsd: str = "127.0.0.1:8125"
    otlp: str = "http://127.0.0.1:4318"
    datadog: str = "http://127.0.0.1:8126"
    http: str = "http://127.0.0.1:7070"


class Sending:
    """Sends from `start()` to `stop()`. `began` is the shop's beginning, in seconds since the epoch.

    Traces go to Datadog's port only while the collector has it: another program's agent would send a simulation to strangers.
    """

    def __init__(self, addresses: Addresses, began: float) -> None:
        host, _, port = addresses.statsd.rpartition(":")
        self._statsd = statsd.Sender(host.strip("[]") or "127.0.0.1", int(port))
        self._couriers = {
            "traces": Courier("traces", (addresses.otlp, addresses.http)),
            "metrics": Courier("metrics", (addresses.otlp, addresses.http)),
            "logs": Courier("logs", (addresses.otlp, addresses.http)),
            "datadog": Courier("datadog", (addresses.datadog,)),
            "events": Courier("events", (addresses.http,)),
        }
        self._datadog_at, self._datadog_open, self._look_at = addresses.datadog, False, 0.0
        self._counted, self._observed = Counted(), Observed(int(began * 1e9))
        self._metrics_at = began + METRICS_FIRST
        self._told: set[str] = set()

    def start(self) -> None:
        for courier in self._couriers.values():
            courier.start()

    def stop(self) -> None:
        for courier in self._couriers.values():
            courier.stop()
        self._statsd.close()

    def send(self, traffic: Traffic, now: float) -> None:
        """What happened up to `now`. Never blocks for long: a look at Datadog's port takes a second at most."""
        self._statsd.send(self._counted.lines(traffic))
        self._send_spans(traffic, now)
        if traffic.logs:
            self._otlp("logs", otlp.logs_request(traffic.logs))
        self._observed.add(traffic.spans)
        if now >= self._metrics_at:
            self._metrics_at = now + METRICS_EVERY
            self._otlp("metrics", self._observed.request(traffic.conditions, int(now * 1e9)))
        if traffic.events:
            self._couriers["events"].send(Parcel("/api/v1/events", events(traffic.events), JSON))
        self._tell_refusals()

    def figures(self) -> dict[str, int]:
        """Requests delivered, lost and refused, and datagrams lost."""
        couriers = self._couriers.values()
        told = {what: sum(getattr(courier, what) for courier in couriers) for what in ("delivered", "lost", "refused")}
        return {**told, "datagrams_lost": self._statsd.lost}

    def _send_spans(self, traffic: Traffic, now: float) -> None:
        if now >= self._look_at:
            self._look_at, self._datadog_open = now + LOOK_AGAIN, is_collector(self._datadog_at)
        by_datadog = [span for span in traffic.spans if SERVICES[span.service].datadog] if self._datadog_open else []
        by_otlp = [span for span in traffic.spans if not SERVICES[span.service].datadog] if self._datadog_open else traffic.spans
        if by_otlp:
            self._otlp("traces", otlp.spans_request(by_otlp))
        if by_datadog:
            headers = {"X-Datadog-Trace-Count": str(len({span.trace for span in by_datadog})), "Datadog-Meta-Lang": "demo"}
            self._couriers["datadog"].send(Parcel(datadog.PATH, datadog.traces(by_datadog), MSGPACK, "PUT", headers))

    def _otlp(self, signal: str, body: bytes) -> None:
        self._couriers[signal].send(Parcel(f"/v1/{signal}", body, PROTOBUF))

    def _tell_refusals(self) -> None:
        """Each courier's first one."""
        for name, courier in self._couriers.items():
            if courier.said and name not in self._told:
                self._told.add(name)
                log.warning("the collector refused %s", courier.said)


def events(told: list[Event]) -> bytes:
    """The body of `POST /api/v1/events`."""
    return msgspec.json.encode([{"text": one.text, "kind": one.kind, "tags": one.tags, "at": one.at} for one in told])


def is_collector(address: str) -> bool:
    """Whether Datadog's port is that of a Lightship collector."""
    try:
        found: Any = msgspec.json.decode(ask(address, "/info") or b"{}")
    except msgspec.DecodeError:
        return False
    return isinstance(found, dict) and found.get("version") == "lightship"
