"""What the shop measures of itself: its spans as StatsD lines, and the state of its processes as gauges."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ui.demoshop import statsd
from ui.demoshop.happened import CLIENT, CONSUMER, SERVER, Attributes, Span
from ui.demoshop.incidents import Conditions
from ui.demoshop.otlp_metrics import Histogram, Reading, metrics_of, seconds
from ui.demoshop.services import PROVIDER, SERVICES, TOPIC, Service
from ui.demoshop.shop import Traffic

CHECK_EVERY = 10.0
"""Seconds between two service checks."""
CACHES = ("catalog",)
LEAKS = 1.5 * (1 << 30)
"""Bytes that the leak has taken when the process ends."""


class Counted:
    """The lines of what was counted; every counter is told from the start, also while it is 0, so that rules can judge it."""

    def __init__(self) -> None:
        self._checked = -math.inf

    def lines(self, traffic: Traffic) -> Iterator[str]:
        """Of the traffic between two times."""
        latencies: dict[str, list[float]] = defaultdict(list)
        statuses: dict[tuple[str, str], int] = defaultdict(int)
        errors = dict.fromkeys(SERVICES, 0)
        for span in traffic.spans:
            if span.kind in (SERVER, CONSUMER):
                status = str(span.attributes.get("http.response.status_code", "ok"))
                statuses[span.service, status] += 1
                latencies[span.service].append(seconds(span) * 1e3)
                errors[span.service] += bool(span.error)
        for service, failed in errors.items():
            tags = {"service": service}
            yield statsd.line("shop.errors", failed, "c", tags)
            yield from statsd.packed("shop.latency", latencies[service], "ms", tags)
        for (service, status), count in statuses.items():
            yield statsd.line("shop.requests", count, "c", {"service": service, "status": status})
        yield from self._business(traffic)
        yield from _runtime(traffic.conditions)
        yield from self._provider(traffic)

    def _business(self, traffic: Traffic) -> Iterator[str]:
        values = [value for span in traffic.spans if isinstance(value := span.attributes.get("shop.order.value"), float)]
        yield statsd.line("shop.orders", len(values), "c", {})
        yield statsd.line("shop.revenue", sum(values), "c", {"currency": "EUR"})
        yield from statsd.packed("shop.basket.value", values, "h", {"currency": "EUR"})
        yield statsd.line("shop.queue.depth", traffic.queue, "g", {"queue": TOPIC})
        yield statsd.line("shop.carts.open", traffic.carts, "g", {})
        for cache in CACHES:
            looked = [span.attributes["cache.hit"] for span in traffic.spans if "cache.hit" in span.attributes]
            hits = sum(map(bool, looked))
            yield statsd.line("shop.cache.hits", hits, "c", {"cache": cache})
            yield statsd.line("shop.cache.misses", len(looked) - hits, "c", {"cache": cache})
        visitors = {str(span.attributes["enduser.id"]) for span in traffic.spans if "enduser.id" in span.attributes}
        for visitor in sorted(visitors):
            yield statsd.line("shop.visitors", visitor, "s", {})

    def _provider(self, traffic: Traffic) -> Iterator[str]:
        asked = [span for span in traffic.spans if span.kind == CLIENT and span.attributes.get("server.address") == PROVIDER]
        tags = {"service": "payments", "provider": "paypoint"}
        yield from statsd.packed("payments.provider.latency", [seconds(span) * 1e3 for span in asked], "d", tags)
        conditions = traffic.conditions
        if conditions.elapsed - self._checked >= CHECK_EVERY:
            self._checked = conditions.elapsed
            status = 2 if conditions.provider > 0.5 else 1 if conditions.provider > 0 else 0
            yield statsd.check("paypoint.reachable", status, tags, ("charges go through", "slow", "charges fail")[status])


def memory(service: Service, conditions: Conditions) -> float:
    """Bytes that a service's process has."""
    lost = LEAKS * conditions.leak if service.name == "recommendations" else 0.0
    breath = 1.0 + 0.04 * math.sin(conditions.elapsed / 19 + len(service.name)) + 0.05 * conditions.load
    return service.memory * breath + lost


def busy(service: Service, conditions: Conditions) -> float:
    """How much of a core it uses, 0 to 1."""
    more = 0.5 * conditions.leak**4 if service.name == "recommendations" else 0.0
    return min(
        1.0, service.share * conditions.load * (1 + 0.08 * math.sin(conditions.elapsed / 7 + len(service.name))) + 0.02 + more
    )


def _runtime(conditions: Conditions) -> Iterator[str]:
    """What the runtimes of those services tell that speak Datadog's protocols."""
    for service in SERVICES.values():
        if service.datadog:
            tags = {"service": service.name, "runtime": service.language}
            yield statsd.line("runtime.memory.rss", round(memory(service, conditions)), "g", tags)
            yield statsd.line("runtime.cpu.percent", 100 * busy(service, conditions), "g", tags)


class Observed:
    """What the services with an OpenTelemetry SDK tell at intervals: histograms of their requests, and their runtimes."""

    def __init__(self, began: int) -> None:
        """`began`: nanoseconds since the epoch, from which on sums count."""
        self._began = began
        self._histograms: dict[str, dict[tuple[str, int], Histogram]] = {
            name: {} for name, service in SERVICES.items() if not service.datadog
        }
        self._cpu = dict.fromkeys(self._histograms, 0.0)
        self._told_at = 0.0

    def add(self, spans: Iterable[Span]) -> None:
        for span in spans:
            known = self._histograms.get(span.service)
            if known is None or span.kind != SERVER:
                continue
            route, status = str(span.attributes["http.route"]), int(span.attributes["http.response.status_code"])
            one = known.get((route, status))
            if one is None:
                told = {key: span.attributes[key] for key in ("http.request.method", "http.route", "http.response.status_code")}
                one = known[route, status] = Histogram(told)
            one.add(span)

    def request(self, conditions: Conditions, now: int) -> bytes:
        """An `ExportMetricsServiceRequest` at `now` (nanoseconds); exemplars begin anew."""
        parts = []
        for name, histograms in self._histograms.items():
            service = SERVICES[name]
            self._cpu[name] += busy(service, conditions) * (conditions.elapsed - self._told_at)
            version = conditions.releases.get(name, service.version)
            parts.append(metrics_of(name, version, self._readings(service, conditions), histograms.values(), self._began, now))
            for one in histograms.values():
                one.slowest = None
        self._told_at = conditions.elapsed
        return b"".join(parts)

    def _readings(self, service: Service, conditions: Conditions) -> Iterator[Reading]:
        used = busy(service, conditions)
        yield Reading("process.memory.usage", "By", round(memory(service, conditions)))
        yield Reading("process.cpu.utilization", "1", used)
        yield Reading("process.cpu.time", "s", self._cpu[service.name], rising=True)
        if service.language == "go":
            yield Reading("go.goroutine.count", "{goroutine}", round(40 + 300 * used * conditions.load))
        elif service.language == "java":
            pool: Attributes = {"jvm.memory.pool.name": "G1 Old Gen", "jvm.memory.type": "heap"}
            yield Reading("jvm.memory.used", "By", round(0.55 * memory(service, conditions)), pool)
            yield Reading("jvm.thread.count", "{thread}", round(34 + 60 * used))
        elif service.language == "nodejs":
            yield Reading("nodejs.eventloop.utilization", "1", min(1.0, 1.3 * used))
        if service.name == "orders":
            taken = round(min(20.0, 3 * conditions.load + 18 * conditions.database))
            told: Attributes = {"db.client.connection.pool.name": "orders"}
            yield Reading("db.client.connection.count", "{connection}", taken, {**told, "db.client.connection.state": "used"})
            yield Reading("db.client.connection.max", "{connection}", 20, {**told})
