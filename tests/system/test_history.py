"""The history as its users meet it: queries, rules of Prometheus files, charts beyond the hour, and a kill that loses nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import Collector, until

RULES = """\
groups:
  - name: shop
    interval: 1s
    rules:
      - record: shop:queue:sum
        expr: sum(queue)
      - record: shop:queue:double
        expr: shop:queue:sum * 2
      - alert: QueueLong
        expr: shop:queue:double > 10
        for: 1h
        labels: {severity: page}
"""


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Collector]:
    running = Collector(tmp_path)
    running.rules.mkdir(parents=True)
    (running.rules / "shop.yml").write_text(RULES)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def queried(one: Collector, expr: str, *arguments: str) -> list[dict[str, Any]]:
    done = one.run("query", expr, "--json", *arguments, check=False)
    if done.returncode not in (0, 5):
        raise AssertionError(done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout or '{"series": []}')["series"]
    return found


def value(one: Collector, expr: str) -> float | None:
    found = queried(one, expr)
    return found[0]["values"][0] if found else None


def test_what_was_taken_in_is_there_after_a_kill_and_rules_go_on(one: Collector) -> None:
    one.send("queue:3|g|#shard:a", "queue:4|g|#shard:b", "hits:5|c", "latency:0.25|d", "latency:0.5|d")
    until(lambda: value(one, "shop:queue:double") == 14.0, "one rule saw what the other wrote")
    assert value(one, "hits") == 5.0
    assert value(one, "histogram_count(latency)") == 2.0
    pending = 'ALERTS_FOR_STATE{alertname="QueueLong", severity="page"}'
    # As in Prometheus the time nobody judged does not count, so it has to have waited for longer than a restart takes.
    until(lambda: (since := value(one, pending)) is not None and since < time.time() - 10, "the alert is pending for a while")
    before = time.time()
    one.kill()
    one.start()
    assert value(one, f"last_over_time(queue{{shard='a'}}[5m] @ {before:.3f})") == 3.0
    assert value(one, f"last_over_time(hits[5m] @ {before:.3f})") == 5.0
    one.send("queue:3|g|#shard:a", "queue:4|g|#shard:b")
    until(
        lambda: (since := value(one, 'ALERTS_FOR_STATE{alertname="QueueLong"}')) is not None and since < before,
        "the alert waits on from before the kill",
    )


def test_what_rules_record_is_a_series_like_any_other(one: Collector) -> None:
    one.send("queue:3|g|#shard:a")
    until(lambda: one.get("shop:queue:sum") == {"shop:queue:sum": 3.0}, "the windows have it too")


def test_a_counter_s_growth_over_time_is_what_was_sent(one: Collector) -> None:
    one.send("hits:2|c")
    until(lambda: value(one, "hits") == 2.0, "the first is counted")
    one.send("hits:8|c")
    until(lambda: value(one, "hits") == 10.0, "all of it is counted")
    grown = queried(one, "increase(hits[1m])")[0]["values"][0]
    assert grown is not None
    assert grown >= 10.0


def test_the_collector_says_how_its_history_fares(one: Collector) -> None:
    one.send("queue:3|g|#shard:a")
    until(lambda: value(one, "queue") == 3.0, "the sample is there")
    metrics = one.metrics()
    figures = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line and not line.startswith("#"))
    assert float(figures["lightship_history_samples_total"]) > 0
    assert float(figures["lightship_history_failing"]) == 0
    assert float(figures["lightship_rule_groups"]) == 1
