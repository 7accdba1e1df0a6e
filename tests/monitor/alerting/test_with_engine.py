"""The example rule on the real engine, from samples to notifications."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from monitor.alerting.book import AlertBook
from monitor.alerting.rules import parse_rules
from monitor.engine import Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key

RULES = Path(__file__).parents[3] / "assets" / "rules"
START = 1_700_000_000.0


def test_more_than_a_hundred_errors_in_five_minutes_fire_and_their_end_resolves() -> None:
    rules = parse_rules((RULES / "example.toml").read_text("utf-8"), "example.toml")
    engine, book, space = Engine(EngineSettings()), AlertBook(), KeySpace()
    errors = space.add(series_key("foundation.service.error", [("env", "prod")]), Kind.COUNTER)
    told: list[tuple[int, str, str]] = []
    for second in range(420):
        if second < 101:
            engine.ingest(Batch(space, np.array([errors], np.int32), np.array([1.0]), np.array([START + second + 0.5])))
        frame = engine.tick(START + second + 1.0)
        outcome = book.judge(frame.time, rules, engine)
        told += [(round(n.at - START), n.kind, n.text) for n in outcome.notifications]
    assert [(kind, text) for _, kind, text in told] == [
        ("firing", "101 errors in five minutes, more than 100"),
        ("resolved", 'Many errors ended: foundation.service.error{env="prod"} is 100. It fired for 3 min.'),
    ]
    assert 101 <= told[0][0] <= 105, "as soon as the hundred and first is in"
    assert 300 <= told[1][0] <= 305, "as soon as the first is older than five minutes"
    assert book.problems == {}


def test_the_host_rules_can_all_be_judged() -> None:
    rules = parse_rules((RULES / "host.toml").read_text("utf-8"), "host.toml")
    engine, book, space = Engine(EngineSettings()), AlertBook(), KeySpace()
    names = [next(m.value for m in rule.selector.matchers) for rule in rules]
    ids = np.array([space.add(series_key(name, [("mount", "/"), ("resource", "io")]), Kind.GAUGE) for name in names], np.int32)
    for second in range(0, 720, 5):
        engine.ingest(Batch(space, ids, np.full(len(ids), 97.0), np.full(len(ids), START + second + 0.5)))
        frame = engine.tick(START + second + 1.0)
        book.judge(frame.time, rules, engine)
    assert book.problems == {}
    assert sorted(alert.rule_id for alert in book.alerts.values() if alert.state == "firing") == sorted(rule.id for rule in rules)
