"""Prometheus rule files are taken as they are, and what is wrong with one is named at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.rules.store import RuleStore
from collector.rules.yaml_tree import read_yaml
from monitor.alerting.rules import RulesError
from monitor.query.rulegroups import RuleGroup, read_groups

SHARED = Path(__file__).parents[4] / "shared" / "data" / "alert_rules"

FILE = """\
groups:
  - name: shop
    interval: 30s
    limit: 10
    query_offset: 1m
    labels: {team: web}
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
        labels: {tier: "gold"}
      - alert: TooManyErrors
        expr: |
          rate(errors_total[5m])
            > 5
        for: 1h30m
        keep_firing_for: 1d
        annotations: {summary: "{{ $value }} errors"}
"""


def groups_of(text: str) -> tuple[RuleGroup, ...]:
    return read_groups(read_yaml(text, "shop.yml"), "shop.yml")


def problems_of(text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        groups_of(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_group_has_its_interval_limit_offset_and_shared_labels() -> None:
    (group,) = groups_of(FILE)
    assert (group.name, group.interval, group.limit, group.query_offset) == ("shop", 30.0, 10, 60.0)
    record, alert = group.rules
    assert record.labels == (("team", "web"), ("tier", "gold"))
    assert (alert.alert, alert.for_seconds, alert.keep_firing_for, alert.line) == ("TooManyErrors", 5400.0, 86_400.0, 11)


def test_an_empty_file_has_no_groups() -> None:
    assert groups_of("") == groups_of("groups:\n") == groups_of("groups: []\n") == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "groups:\n- name: a\n  rules:\n  - record: x\n    expr: rate(y)\n",
            "shop.yml, line 5: expr: expected type range vector",
        ),
        ("groups:\n- name: a\n  rulez: []\n", "shop.yml, line 3: a group has no 'rulez'; did you mean rules?"),
        ("groups:\n- name: a\n- name: a\n", 'shop.yml, line 3: the group name "a" is taken by another group of this file'),
        ("groups:\n- name: a\n  interval: soon\n", "shop.yml, line 3: interval: 'soon' is not a duration"),
        ("groups:\n- name: a\n  rules:\n  - expr: up\n", "shop.yml, line 4: a rule needs a record or an alert"),
        ("groups:\n- name: a\n  rules:\n  - record: a\n    alert: b\n    expr: up\n", "line 4: only one of record and alert"),
        ("groups:\n- name: a\n  rules:\n  - record: a\n", "shop.yml, line 4: a rule needs an expr"),
        ("groups:\n- name: [\n", "shop.yml, line 3: not valid YAML"),
        ("groups: 7\n", "shop.yml, line 1: groups must be a list"),
    ],
)
def test_what_is_wrong_is_named_at_its_line(text: str, problem: str) -> None:
    assert any(problem in found for found in problems_of(text)), problems_of(text)


def test_a_few_lines_cannot_stand_for_millions_of_nodes() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "nested too deeply or repeats itself" in problems_of("\n".join(lines))[0]


def test_the_store_takes_them_beside_its_own_and_keeps_the_last_good_version(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(FILE)
    store = RuleStore(tmp_path)
    store.load(1000.0)
    assert [group.name for group in store.groups] == ["shop"]
    (tmp_path / "shop.yml").write_text(FILE.replace("rate(requests", "rat(requests"))
    (event,) = store.poll(1001.0)
    assert event.kind == "rules_refused"
    assert [group.name for group in store.groups] == ["shop"]
    again = RuleStore(tmp_path)
    again.load(1002.0)
    assert [group.name for group in again.groups] == ["shop"], "also after a restart"


@pytest.mark.skipif(not SHARED.exists(), reason="the evaluation data are not beside this checkout")
def test_the_rules_of_kube_prometheus_load_as_they_are() -> None:
    groups = [
        group for path in sorted(SHARED.glob("kube-*.yaml")) for group in read_groups(read_yaml(path.read_text(), ""), path.name)
    ]
    assert (len(groups), sum(len(group.rules) for group in groups)) == (38, 234)
