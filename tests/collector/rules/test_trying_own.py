"""Tests of rules of TOML files."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.rules.trying import try_file

RULES = """
[[rule]]
id = "high"
metric = "load"
for = "1m"
condition = { type = "threshold", operator = "gt", value = 10, window = "1m", field = "last" }
[[rule]]
id = "silent"
metric = "load"
condition = { type = "absence", window = "2m" }
[[rule]]
id = "asked"
condition = { type = "promql", expr = "sum(load) > 20", every = "10s" }
[[rule]]
id = "both"
condition = { type = "composite", rules = "high and asked" }
"""
TESTS = """
rule_files = ["rules.toml"]
[[test]]
name = "a load that rises"
interval = "10s"
series = [
  { series = 'load{host="a"}', values = "5x5 30x20" },
  { series = 'load{host="b"}', values = "1x5" },
]
expect = [
  { at = "30s", rule = "high" },
  { at = "1m30s", rule = "high", state = "pending", alerts = [{ host = "a" }] },
  { at = "2m10s", rule = "high", alerts = [{ host = "a" }] },
  { at = "2m10s", rule = "asked", alerts = [{}] },
  { at = "2m20s", rule = "both", alerts = [{}] },
  { at = "3m30s", rule = "silent", alerts = [{ host = "b" }] },
]
"""


def tried(folder: Path, text: str) -> tuple[int, list[str], str]:
    (folder / "rules.toml").write_text(RULES)
    (folder / "load.test.toml").write_text(text)
    found = try_file(str(folder / "load.test.toml"))
    return found.tests, found.failures, found.error


def test_expectations_that_are_met_say_nothing(tmp_path: Path) -> None:
    assert tried(tmp_path, TESTS) == (6, [], "")


def test_one_that_is_not_says_what_was_expected_and_what_was_there(tmp_path: Path) -> None:
    _, failures, _ = tried(tmp_path, TESTS.replace('at = "30s", rule = "high"', 'at = "2m30s", rule = "high"'))
    assert len(failures) == 1
    assert failures[0].splitlines()[:2] == ["a load that rises: high at 150 s", "    expected firing: nothing"]
    assert 'host="a"' in failures[0].splitlines()[2]


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ('rule = "silent"', 'rule = "nobody"', "which no rule file has"),
        ("5x5 30x20", "5 apples", "not a value"),
        ('"rules.toml"', '"none.toml"', "cannot be read"),
        ('at = "30s"', 'at = "soon"', "soon"),
        ("[[test]]", "[[test", "load.test.toml"),
        ('state = "pending"', 'state = "happy"', "firing or pending"),
    ],
)
def test_a_mistake_is_told(before: str, after: str, error: str, tmp_path: Path) -> None:
    assert error in tried(tmp_path, TESTS.replace(before, after))[2]
