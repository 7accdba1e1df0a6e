"""`lightship rules test` and `lightship rules backtest`, on a real collector where they need one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Collector, collector, until

RULE = '[[rule]]\nid = "deep"\nmetric = "queue"\ncondition = { type = "threshold", operator = "gt", value = 10, window = "1m" }\n'


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("collector")) as running:
        running.send("queue:40|g|#shard:a", "queue:5|g|#shard:b")
        until(lambda: running.run("query", "queue", "--json", check=False).stdout.count("shard") == 2, "the history has them")
        yield running


def test_a_rule_of_a_file_is_tried_on_the_past(one: Collector, tmp_path: Path) -> None:
    (tmp_path / "queue.toml").write_text(RULE)
    done = one.run("rules", "backtest", str(tmp_path / "queue.toml"), "--last", "1m")
    assert "It would have fired 1 time for 1 alert" in done.stdout
    assert '{__name__="queue", shard="a"}' in done.stdout
    assert "Judged every 1 s" in done.stdout


def test_a_rule_of_prometheus_and_one_in_force_are_tried_too(one: Collector, tmp_path: Path) -> None:
    (tmp_path / "queue.yml").write_text("groups: [{name: g, interval: 1s, rules: [{alert: Deep, expr: queue > 10}]}]\n")
    told = json.loads(one.run("rules", "backtest", str(tmp_path / "queue.yml"), "--last", "1m", "--json").stdout)
    (test,) = told["tests"]
    assert (test["rule"], test["firings"], test["alerts"]) == ("Deep", 1, 1)
    known = json.loads(one.run("rules", "list", "--json").stdout)["rules"][0]["id"]
    assert known in one.run("rules", "backtest", known, "--last", "1m").stdout


def test_what_cannot_be_tried_is_refused_with_a_sentence(one: Collector, tmp_path: Path) -> None:
    done = one.run("rules", "backtest", "nobody", check=False)
    assert done.returncode == 4
    assert "There is no rule 'nobody'" in done.stderr
    (tmp_path / "bad.toml").write_text("[[rule]]\n")
    assert "bad.toml" in one.run("rules", "backtest", str(tmp_path / "bad.toml"), check=False).stderr


def test_tests_of_rules_pass_fail_or_are_refused_by_exit_code(one: Collector, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: Up, expr: up == 1}]}]\n")
    series, wanted = "input_series: [{series: up, values: '1 1'}]", "{eval_time: 1m, alertname: Up, exp_alerts: [%s]}"
    body = f"rule_files: [rules.yml]\ntests: [{{{series}, alert_rule_test: [{wanted}]}}]\n"
    (tmp_path / "good.yml").write_text(body % "{}")
    (tmp_path / "bad.yml").write_text(body % "")
    (tmp_path / "none.yml").write_text("tests: 3\n")
    codes = {name: one.run("rules", "test", str(tmp_path / f"{name}.yml"), check=False) for name in ("good", "bad", "none")}
    assert {name: done.returncode for name, done in codes.items()} == {"good": 0, "bad": 1, "none": 2}
    assert "1 expectation, all met." in codes["good"].stdout
    assert 'got      {alertname="Up"}' in codes["bad"].stdout
