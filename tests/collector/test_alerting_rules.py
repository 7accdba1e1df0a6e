"""Rules of every origin end in the one alert book: those of Prometheus files, PromQL conditions, and composites of both."""

from __future__ import annotations

import time
from pathlib import Path

from collector.service import Service
from monitor.alerting.model import Alert, State
from monitor.wire import messages as m
from tests.collector.test_service import running, service_in, until

YAML = """groups:
  - name: shop
    interval: 1s
    rules:
      - alert: Always
        expr: vector(7) > 5
        labels: {severity: page, team: shop}
        annotations: {summary: "it is {{ $value }}", runbook_url: "https://example.com/always"}
      - alert: Waiting
        expr: vector(1)
        for: 1h
"""
TOML = """[[rule]]
id = "asked"
condition = { type = "promql", expr = "vector(3)", every = "1s" }
summary = "asked: {value}"
[[rule]]
id = "both"
condition = { type = "composite", rules = "asked and Always and not Waiting" }
"""


def _service(folder: Path) -> Service:
    rules = folder / "rules"
    rules.mkdir()
    (rules / "shop.yml").write_text(YAML)
    (rules / "own.toml").write_text(TOML)
    return service_in(folder, rules=str(rules))


def _alert(service: Service, rule: str) -> Alert | None:
    return next((alert for alert in service.desk.book.alerts.values() if alert.rule_id == rule), None)


def _state(service: Service, rule: str) -> State | None:
    alert = _alert(service, rule)
    return alert.state if alert else None


async def test_alerts_of_all_kinds_of_rules_are_in_the_book_and_can_be_acknowledged(tmp_path: Path) -> None:
    async with running(_service(tmp_path)) as service:
        await until(lambda: all(_state(service, rule) is State.FIRING for rule in ("Always", "asked", "both")))
        await until(lambda: _state(service, "Waiting") is State.PENDING)
        always = _alert(service, "Always")
        assert always is not None
        assert (always.labels, always.severity) == (
            (("alertname", "Always"), ("severity", "page"), ("team", "shop")),
            "critical",
        )
        assert {rule.id for rule in service.backend.rules().told} == {"Always", "Waiting"}
        await service.backend.command(m.Acknowledge(1, (always.id,), "ada", "mine"), "ada")
        told = [event.text for event in service.desk.events_since(0)]
        await until(lambda: any(event.kind == "notified" for event in service.desk.events_since(0)))
        told = [event.text for event in service.desk.events_since(0)]
        assert "log: Always: it is 7" in told
        assert "log: asked: 3" in told
        acknowledged = _alert(service, "Always")
        assert acknowledged is not None
        assert acknowledged.ack is not None


async def test_a_restart_brings_back_alerts_of_prometheus_files_with_their_acknowledgement(tmp_path: Path) -> None:
    first = _service(tmp_path)
    async with running(first):
        await until(lambda: _state(first, "Always") is State.FIRING)
        before = _alert(first, "Always")
        assert before is not None
        await first.backend.command(m.Acknowledge(1, (before.id,), "ada", "mine"), "ada")
    second = service_in(tmp_path, rules=str(tmp_path / "rules"))
    async with running(second):
        await until(lambda: second.told.answers.get("Always") is not None)
        ticks = second.engine.counters.ticks
        await until(lambda: second.engine.counters.ticks > ticks + 1)
        after = _alert(second, "Always")
        assert after is not None
        assert (after.state, after.id, after.fired_at) == (State.FIRING, before.id, before.fired_at)
        assert after.ack is not None
        assert after.fired_at is not None
        assert after.fired_at <= time.time()
        assert [event.kind for event in second.desk.events_since(0) if event.alert == after.id].count("firing") == 1
