"""The demonstration's service map: the series a collector computes from the spans of the shop, and of maps of any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.model.batch import Floats
from monitor.topology import span_metrics as series
from ui.client.fake import FakeCollector
from ui.client.fake_engine import Curve, bell

Onset = Callable[[Floats], Floats]
SERVICES: dict[str, tuple[float, float, float]] = {
    "edge": (1284, 0.0175, 0.31),
    "search": (342, 0.0003, 0.06),
    "catalog": (612, 0.0001, 0.02),
    "cart": (208, 0.0002, 0.016),
    "checkout": (122, 0.184, 0.9),
    "accounts": (188, 0.0, 0.009),
    "pricing": (655, 0.0, 0.004),
    "payments": (96, 0.0131, 0.36),
    "orders": (131, 0.112, 0.8),
    "mailer": (14, 0.021, 0.24),
}
"""Requests a second, share that fails, median seconds, all of them during the incident."""
EDGES: tuple[tuple[str, str, str, float, float, float], ...] = (
    ("Browsers", "edge", "virtual_node", 1190, 0.016, 0.3),
    ("Phone app", "edge", "virtual_node", 94, 0.02, 0.3),
    ("edge", "search", "", 342, 0.0, 0.06),
    ("edge", "catalog", "", 612, 0.0, 0.02),
    ("edge", "cart", "", 208, 0.0, 0.016),
    ("edge", "checkout", "", 122, 0.184, 0.9),
    ("search", "search-index", "database", 341, 0.0, 0.012),
    ("search", "accounts", "", 60, 0.0, 0.009),
    ("catalog", "pricing", "", 612, 0.0, 0.004),
    ("catalog", "catalog-db", "database", 702, 0.0, 0.002),
    ("cart", "cart-redis", "database", 3100, 0.0, 0.0002),
    ("cart", "pricing", "", 43, 0.0, 0.004),
    ("checkout", "payments", "", 96, 0.013, 0.36),
    ("checkout", "orders", "", 118, 0.124, 0.8),
    ("payments", "card-gateway", "virtual_node", 95, 0.0, 0.38),
    ("orders", "orders-db", "database", 487, 0.0, 0.74),
    ("orders", "events-kafka", "messaging_system", 131, 0.0, 0.001),
    ("events-kafka", "mailer", "", 14, 0.021, 0.24),
)
"""Who calls, who is called, how they are joined; requests a second, share that fails, median seconds."""
OPERATIONS = {
    "edge": (("POST /checkout", 0.1), ("GET /products/{id}", 0.48), ("GET /search", 0.26), ("GET /cart", 0.16)),
    "search": (("GET /search", 1.0),),
    "catalog": (("GET /products/{id}", 1.0),),
    "cart": (("GET /cart", 0.84), ("POST /cart", 0.16)),
    "checkout": (("POST /checkout", 0.7), ("GET /checkout", 0.3)),
    "payments": (("POST /charge", 1.0),),
    "orders": (("POST /orders", 1.0),),
    "mailer": (("events process", 1.0),),
}
"""Operations of a service with their share of its requests; of the others there is one."""
HURT: dict[str, tuple[float, float]] = {
    "orders-db": (150.0, 0.0),
    "orders": (9.0, 0.0005),
    "checkout": (5.0, 0.0008),
    "edge": (1.9, 0.0011),
    "Browsers": (1.9, 0.001),
    "Phone app": (1.9, 0.0012),
}
"""During the incident the latency is so many times what it was before; and the share that failed then."""


def _always(times: Floats) -> Floats:
    return np.ones(len(times))


def _steady(level: float, seed: int) -> Curve:
    def curve(times: Floats) -> Floats:
        drawn: Floats = np.maximum(level * (1.0 + 0.04 * np.sin(times / 97.0 + seed) + 0.03 * bell(times, seed)), 0.0)
        return drawn

    return curve


def _slower(level: float, factor: float, onset: Onset, seed: int) -> Curve:
    """`level` during the incident, `factor` times less before."""
    curve = _steady(level, seed)

    def latency(times: Floats) -> Floats:
        drawn: Floats = curve(times) * np.exp(np.log(factor) * (onset(times) - 1.0))
        return drawn

    return latency


def _broken(rate: float, before: float, failed: float, onset: Onset, seed: int) -> Curve:
    """Failures a second: shares of `rate` before the incident and during it."""
    curve = _steady(rate, seed)

    def failures(times: Floats) -> Floats:
        drawn: Floats = curve(times) * (before + (failed - before) * onset(times))
        return drawn

    return failures


def shop(fake: FakeCollector, onset: Onset = _always) -> FakeCollector:
    """Adds what is computed from the shop's spans; `onset` from 0 to 1: how far the incident has come at each time."""
    for number, (service, (rate, failed, median)) in enumerate(SERVICES.items()):
        factor, before = HURT.get(service, (1.0, failed))
        for name, share in OPERATIONS.get(service, ((f"GET /{service}", 1.0),)):
            own = {"service": service, "span_name": name, "span_kind": "SPAN_KIND_SERVER"}
            fake.counter(series.CALLS, _steady(rate * share * (1 - failed), number), own | {"status_code": "STATUS_CODE_UNSET"})
            if failed:
                errors = _broken(rate * share, before, failed, onset, number + 50)
                fake.counter(series.CALLS, errors, own | {"status_code": "STATUS_CODE_ERROR"})
            slow = _slower(median, factor, onset, number)
            fake.distribution(series.LATENCY, slow, _steady(rate * share, number), own, "s")
    for number, (client, server, kind, rate, failed, median) in enumerate(EDGES):
        # An edge suffers as what it leads to does; that of somebody outside as far as the shop answers him.
        factor, before = HURT.get(client if client in ("Browsers", "Phone app") else server, (1.0, failed))
        ends = {"client": client, "server": server, "connection_type": kind}
        fake.counter(series.EDGE_CALLS, _steady(rate, number), ends)
        if failed:
            fake.counter(series.EDGE_FAILED, _broken(rate, before, failed, onset, number), ends)
        fake.distribution(series.EDGE_SECONDS, _slower(median, factor, onset, number), _steady(rate, number), ends, "s")
    return fake


def forest(fake: FakeCollector, nodes: int, edges: int) -> FakeCollector:
    """A map of that size: everybody calls somebody further on."""
    chance = np.random.default_rng(7)
    names = [f"svc-{i:03}" for i in range(nodes)]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < edges:
        a = int(chance.integers(0, nodes - 1))
        pairs.add((a, min(nodes - 1, a + 1 + int(chance.geometric(6.0 / nodes)))))
    for number, (a, b) in enumerate(sorted(pairs)):
        ends = {"client": names[a], "server": names[b], "connection_type": "database" if b % 7 == 0 else ""}
        fake.counter(series.EDGE_CALLS, _steady(5.0 + number % 40, number), ends)
        if number % 9 == 0:
            fake.counter(series.EDGE_FAILED, _steady(0.4, number), ends)
        fake.distribution(series.EDGE_SECONDS, _steady(0.02, number), _steady(5.0, number), ends, "s")
    return fake
