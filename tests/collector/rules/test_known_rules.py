"""Rules that others publish: all are read, and all are judged without an error, on nothing and on data of their kind."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from collector.rules.yaml_tree import read_yaml
from monitor.query.evaluator import Evaluator
from monitor.query.groupstate import RuleFailedError, RuleState
from monitor.query.history import QueryError
from monitor.query.memory import MemoryHistory
from monitor.query.parse import parse
from monitor.query.rulegroups import GroupRule, RuleGroup, read_groups
from monitor.query.templates import Answers, UnansweredError, expand, failed, problem_of
from monitor.query.tree import selected

SHARED = Path(__file__).parents[4] / "shared" / "data" / "alert_rules"
NOW = 1_700_000_000_000

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the collection of published rules is not here")


@cache
def groups() -> tuple[RuleGroup, ...]:
    """All rule files, and the collection that is a catalogue, as groups."""
    found: list[RuleGroup] = []
    for path in sorted(SHARED.glob("*.yaml")):
        found += read_groups(read_yaml(path.read_text(), path.name), path.name)
    (catalogue,) = SHARED.glob("*.yml.gz")
    kept = yaml.safe_load(gzip.decompress(catalogue.read_bytes()))
    rules = [
        {
            "alert": "".join(filter(str.isalnum, rule["name"].title())),
            "expr": rule["query"],
            "for": rule.get("for", "0s"),
            "labels": {"severity": rule["severity"]},
            "annotations": {
                "summary": rule["name"],
                "description": rule["description"] + "\n  VALUE = {{ $value }}\n  LABELS = {{ $labels }}",
            },
        }
        for group in kept["groups"]
        for service in group["services"]
        for exporter in service["exporters"]
        for rule in exporter.get("rules") or []
    ]
    for place in range(0, len(rules), 100):
        text = yaml.safe_dump({"groups": [{"name": f"catalogue {place}", "rules": rules[place : place + 100]}]})
        found += read_groups(read_yaml(text, catalogue.name), catalogue.name)
    return tuple(found)


def rules() -> list[tuple[GroupRule, int]]:
    return [(rule, group.limit) for group in groups() for rule in group.rules]


def judged(evaluator: Evaluator) -> tuple[list[str], int]:
    """Why rules failed, and how many alerts there are, after two judgements a minute apart."""
    problems, alerts = [], 0
    for rule, limit in rules():
        state = RuleState(rule)
        for now in (NOW - 60_000, NOW):
            answers = Answers()
            try:
                answer = evaluator.instant(rule.expr, now)
                while True:
                    try:
                        state.judge(answer, now, limit, answers=answers)
                        break
                    except UnansweredError:
                        for query in answers.taken():
                            try:
                                answers.known[query] = evaluator.instant(query, now)
                            except QueryError as error:
                                answers.known[query] = failed(error)
            except (QueryError, RuleFailedError) as error:
                problems.append(f"{rule.name}: {error}")
        alerts += len(state.alerts)
        for alert in state.alerts.values():
            for _, text in (*alert.labels, *alert.annotations):
                if "<error expanding" in text or "{{" in text:
                    problems.append(f"{rule.name}: {text}")
    return problems, alerts


def matching() -> MemoryHistory:
    """Two series for each selector of any rule, which meet it: an hour of counters that rise by a sample a minute."""
    history = MemoryHistory()
    times = np.arange(NOW - 3_600_000, NOW + 1, 60_000, dtype=np.int64)
    seen = set()
    for rule, _ in rules():
        for matchers in selected(parse(rule.expr)):
            labels = {"instance": "a:9100", "job": "demo"}
            for matcher in matchers:
                if matcher.op == "=":
                    labels[matcher.name] = matcher.value
            if "__name__" in labels:
                seen.add(tuple(sorted((name, text) for name, text in labels.items() if text)))
    for place, labels_ in enumerate(sorted(seen)):
        history.append(labels_, times, np.linspace(0.0, place % 7 + 0.5, len(times)))
    return history


def test_all_published_rules_are_read_and_their_templates_too() -> None:
    assert len(rules()) > 500
    assert [rule.name for rule, _ in rules() for _, text in (*rule.labels, *rule.annotations) if problem_of(text)] == []


def test_all_published_templates_can_be_filled_in() -> None:
    told = [
        expand(text, {"instance": "a"}, 0.5, rule.name, answers=Answers())
        for rule, _ in rules()
        for _, text in rule.annotations
        if "query" not in text
    ]
    assert [text for text in told if "<error" in text] == []


def test_all_published_rules_are_judged_without_an_error_where_there_is_nothing() -> None:
    problems, alerts = judged(Evaluator(MemoryHistory()))
    assert problems == []
    assert alerts > 5, "those that watch for absence, or always fire"


def test_all_published_rules_are_judged_without_an_error_on_series_of_their_kind() -> None:
    problems, alerts = judged(Evaluator(matching()))
    # It compares series of all names that begin alike, whose labels may be the same; Prometheus fails it then, too.
    alike = "PostgresqlConfigurationChanged: vector contains metrics with the same labelset after applying alert labels"
    assert set(problems) <= {alike}
    assert alerts > 50
