"""The demonstration's map tells what a collector computes from spans, and its incident begins when the shop's does."""

from __future__ import annotations

import numpy as np

from monitor.topology import span_metrics as series
from ui.client.demo import INCIDENT, NOW
from ui.client.demo_map import EDGES, HURT, SERVICES, forest, shop
from ui.client.fake import FakeCollector


def test_the_shop_tells_all_five_kinds_of_series() -> None:
    names = {script.info.key.name for script in shop(FakeCollector()).engine.table.scripts.values()}
    assert names == {series.CALLS, series.LATENCY, series.EDGE_CALLS, series.EDGE_FAILED, series.EDGE_SECONDS}


def test_whoever_is_hurt_is_on_the_map() -> None:
    assert HURT.keys() <= SERVICES.keys() | {end for edge in EDGES for end in edge[:2]}


def test_the_incident_is_seen_on_the_map_of_the_demonstration() -> None:
    """Orders' database answers in milliseconds before, in about a second afterwards."""
    scripts = FakeCollector.demo().engine.table.scripts.values()
    edge = next(s for s in scripts if s.info.key.name == series.EDGE_SECONDS and ("server", "orders-db") in s.info.key.tags)
    before, after = edge.at("p50", 60.0, np.array([INCIDENT - 300.0, NOW]))
    assert before < 0.05
    assert 0.4 < after < 1.2


def test_a_forest_has_as_many_edges_as_asked_for() -> None:
    scripts = forest(FakeCollector(), 30, 60).engine.table.scripts.values()
    assert sum(s.info.key.name == series.EDGE_CALLS for s in scripts) == 60
