"""The shop of the design as a service map: fake rows of the span metrics and of the service graph, and that they are told."""

from __future__ import annotations

import numpy as np

from monitor.model.batch import Floats
from monitor.topology import span_metrics as series
from ui.client.fake import FakeCollector
from ui.client.fake_engine import Curve, bell

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
"""Requests a second, share that fails, median seconds."""
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
OPERATIONS = {"checkout": (("POST /orders", 0.7), ("GET /checkout", 0.3)), "edge": (("GET /", 0.6), ("GET /search", 0.4))}


def _steady(level: float, seed: int) -> Curve:
    def curve(times: Floats) -> Floats:
        drawn: Floats = np.maximum(level * (1.0 + 0.04 * np.sin(times / 97.0 + seed) + 0.03 * bell(times, seed)), 0.0)
        return drawn

    return curve


def shop(fake: FakeCollector) -> FakeCollector:
    """Adds the series that a collector computes from the shop's spans."""
    for number, (service, (rate, failed, median)) in enumerate(SERVICES.items()):
        for name, share in OPERATIONS.get(service, ((f"GET /{service}", 1.0),)):
            own = {"service": service, "span_name": name, "span_kind": "SPAN_KIND_SERVER"}
            calls = _steady(rate * share * (1 - failed), number)
            fake.counter(series.CALLS, calls, own | {"status_code": "STATUS_CODE_UNSET"})
            if failed:
                fake.counter(
                    series.CALLS, _steady(rate * share * failed, number + 50), own | {"status_code": "STATUS_CODE_ERROR"}
                )
            fake.distribution(series.LATENCY, _steady(median, number), _steady(rate * share, number), own, "s")
    for number, (client, server, kind, rate, failed, median) in enumerate(EDGES):
        ends = {"client": client, "server": server, "connection_type": kind}
        fake.counter(series.EDGE_CALLS, _steady(rate, number), ends)
        if failed:
            fake.counter(series.EDGE_FAILED, _steady(rate * failed, number), ends)
        fake.distribution(series.EDGE_SECONDS, _steady(median, number), _steady(rate, number), ends, "s")
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


def test_the_shop_tells_all_five_kinds_of_series() -> None:
    names = {script.info.key.name for script in shop(FakeCollector()).engine.table.scripts.values()}
    assert names == {series.CALLS, series.LATENCY, series.EDGE_CALLS, series.EDGE_FAILED, series.EDGE_SECONDS}
