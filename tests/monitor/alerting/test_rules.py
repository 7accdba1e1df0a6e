"""Rule files are read as documented, and refused with every reason, its place and its mend."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.model import Condition, Rule, RuleProblem
from monitor.alerting.rules import RulesError, check_duplicates, parse_rules
from monitor.alerting.wording import sentence
from monitor.model.matchers import Matcher
from monitor.model.series import Kind

ROOT = Path(__file__).parents[3]
GOOD = """
[[rule]]
id = "a"
metric = "m"
condition = { type = "threshold", operator = "gt", value = 1, window = "5m" }
"""


def one(more: str = "", condition: str = "", metric: str = '"m"', operator: str = "gt") -> Rule:
    text = f"""[[rule]]
id = "a"
metric = {metric}
condition = {{ type = "threshold", operator = "{operator}", value = 100, window = "5m"{condition} }}
{more}"""
    return parse_rules(text, "t.toml")[0]


def problems(text: str) -> tuple[RuleProblem, ...]:
    with pytest.raises(RulesError) as caught:
        parse_rules(text, "t.toml")
    return caught.value.problems


def refused(more: str = "", condition: str = "", metric: str = '"m"', operator: str = "gt") -> RuleProblem:
    with pytest.raises(RulesError) as caught:
        one(more, condition, metric, operator)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def test_the_rule_of_the_documentation() -> None:
    rule = parse_rules(
        """
[[rule]]
id = "high_error_rate"
metric = ["foundation", "service", "error"]
condition = { type = "threshold", operator = "gt", value = 100, window = "last_5_minutes" }
severity = "critical"
actions = ["log"]
cooldown = 300000
""",
        "shop.toml",
    )[0]
    assert rule.selector.matchers == (Matcher("__name__", "=", "foundation.service.error"),)
    assert rule.condition == Condition("gt", 100.0, 300.0, "value")
    assert (rule.severity, rule.actions, rule.cooldown, rule.for_seconds) == ("critical", ("log",), 300.0, 0.0)
    assert (rule.file, rule.line) == ("shop.toml", 2)


def test_every_example_in_the_documentation_is_a_valid_rule_file() -> None:
    examples = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "rules.md").read_text("utf-8"), re.DOTALL)
    conditions = [line for line in examples.pop(2).splitlines() if line.startswith("condition")]
    for number, condition in enumerate(conditions):
        metric = "" if "composite" in condition or "promql" in condition else 'metric = "m"'
        assert parse_rules(f'[[rule]]\nid = "r{number}"\n{metric}\n{condition}\n', "docs")
    assert len(conditions) == 8
    examples = [example for example in examples if not example.startswith("rule_files")]  # those are tests of rules
    assert len(examples) == 2
    rules = [rule for example in examples for rule in parse_rules(example, "docs")]
    assert [rule.id for rule in rules] == ["high_error_rate", "checkout_slow"]
    assert str(rules[1].selector) == 'shop.checkout.duration{env="prod", region=~"eu-.*"}'


def test_the_documentation_names_every_key() -> None:
    from monitor.alerting.condition_reader import KEYS
    from monitor.alerting.rule_reader import _RULE_KEYS

    text = (ROOT / "docs" / "rules.md").read_text("utf-8")
    keys = dict.fromkeys((*_RULE_KEYS, *(key for keys in KEYS.values() for key in keys)))
    assert [key for key in keys if f"| `{key}` |" not in text] == []
    assert [kind for kind in KEYS if f'type = "{kind}"' not in text] == []


def test_the_default_rules_are_valid_and_have_ids_of_their_own() -> None:
    files = {path.name: parse_rules(path.read_text("utf-8"), path.name) for path in (ROOT / "assets" / "rules").glob("*.toml")}
    assert sorted(files) == ["example.toml", "host.toml"]
    assert check_duplicates(files) == ()
    assert all(rule.summary for rules in files.values() for rule in rules)


@pytest.mark.parametrize(
    ("metric", "selector"),
    [
        ('"foundation.service.error"', "foundation.service.error"),
        ("'m{env=\"prod\"}'", 'm{env="prod"}'),
        ('["a", "b"]', "a.b"),
        ("'{\"odd name\"}'", '{__name__="odd name"}'),
    ],
)
def test_ways_to_name_a_metric(metric: str, selector: str) -> None:
    assert str(one(metric=metric).selector) == selector


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        ('"5m"', 300),
        ('"90s"', 90),
        ('"last_1_hour"', 3600),
        ('"last_5_minutes"', 300),
        ("60000", 60),
        ('"1h"', 3600),
        ("1500.0", 1.5),
    ],
)
def test_ways_to_write_a_window(window: str, seconds: float) -> None:
    text = GOOD.replace('"5m"', window)
    assert parse_rules(text, "t")[0].condition.window == seconds


def test_tags_are_text_or_a_table() -> None:
    assert str(one('tags = \'env="prod", host!~"web.*"\'').selector) == 'm{env="prod", host!~"web.*"}'
    assert str(one('tags = { env = "prod" }').selector) == 'm{env="prod"}'


def test_sub_tables_are_as_good_as_inline_ones() -> None:
    text = """
[[rule]]
id = "a"
metric = "m"
condition.type = "threshold"
condition.operator = "lt"
condition.value = -1.5
condition.window = "1m"
[rule.labels]
team = "shop"
"""
    rule = parse_rules(text, "t")[0]
    assert rule.condition == Condition("lt", -1.5, 60.0, "value")
    assert rule.labels == (("team", "shop"),)


def test_an_empty_file_has_no_rules() -> None:
    assert parse_rules("", "t") == ()
    assert parse_rules("# later\n", "t") == ()


# ---------------------------------------------------------------- refusals


def test_all_problems_are_told_at_once_in_order_of_lines() -> None:
    found = problems('[[rule]]\nid = "a b"\nmetric = 3\nseverity = "bad"\ncooldwn = "5m"\n[[rule]]\n')
    assert [(p.line, p.key) for p in found] == [
        (1, "condition"),
        (2, "id"),
        (3, "metric"),
        (4, "severity"),
        (5, "cooldwn"),
        (6, "id"),
        (6, "metric"),
        (6, "condition"),
    ]
    assert all(p.file == "t.toml" for p in found)


@pytest.mark.parametrize(
    ("line", "reason", "fix"),
    [
        ('for = "2 m"', "not a duration", '"2m"'),
        ('for = "5 minutes"', "not a duration", '"5m"'),
        ('for = "last 1 hour 30 min"', "not a duration", '"1h30m"'),
        ('for = "soon"', "not a duration", ""),
        ("for = true", "write a duration", ""),
        ("for = -1", "must be 0s to 30d", ""),
        ('cooldown = "31d"', "must be 0s to 30d", ""),
        ('severity = "Critical"', 'did you mean "critical"', '"critical"'),
        ('severity = "warn"', 'did you mean "warning"', '"warning"'),
        ('severity = "zzz"', "known are critical, warning, info", ""),
        ('actions = "log"', "write a list", '["log"]'),
        ('actions = ["rm -rf"]', "an action is named", ""),
        ('enabled = "yes"', "write true or false", "true"),
        ("enabled = 0", "write true or false", "false"),
        ("name = 3", "write text", '"3"'),
        ('name = "a\\u001b[31m"', "control character", ""),
        ('summary = "{vale}"', "did you mean {value}", ""),
        ('summary = "{labels.}"', "unknown placeholder", ""),
        ('runbook_url = "wiki.example.com/x"', "http", '"https://wiki.example.com/x"'),
        ('runbook_url = "javascript:alert(1)"', "must begin with http", ""),
        ('runbook_url = "file:///etc/passwd"', "must begin with http", ""),
        ('runbook_url = "https://[bad"', "not an address", ""),
        ('runbook_url = "https://a b"', "space", ""),
        ("labels = 3", "labels is a number", ""),
        ('labels = { severity = "x" }', "set by Lightship", ""),
        ('labels = { "a b" = "x" }', "may only have", ""),
        ("labels = { team = 3 }", "write text", '"3"'),
        ("tags = 3", "tags is a number", ""),
        ("tags = 'env'", "expected =", ""),
        ("tags = 'env=~\"(\"'", "not a valid pattern", ""),
        ("nam = 3", 'did you mean "name"', "name"),
        ("zzzzzz = 3", "known are id, name", ""),
    ],
)
def test_a_wrong_line_is_refused_where_it_stands(line: str, reason: str, fix: str) -> None:
    problem = refused(line)
    assert reason in problem.reason
    assert problem.fix == fix
    assert problem.line == 5


@pytest.mark.parametrize(
    ("condition", "reason", "fix"),
    [
        (', field = "avg"', 'did you mean "mean"', '"mean"'),
        (', field = "p100"', "unknown field", ""),
        (', recovery = "x"', "write a number", ""),
        (', recovery = "90"', "write a number", "90"),
        (", recovery = 101", "must not be above", ""),
        (", recovery = nan", "finite", ""),
        (', feild = "sum"', 'did you mean "field"', "field"),
    ],
)
def test_a_wrong_condition_is_refused(condition: str, reason: str, fix: str) -> None:
    problem = refused(condition=condition)
    assert reason in problem.reason
    assert problem.fix == fix
    assert problem.line == 4


def test_recovery_lies_on_the_safe_side() -> None:
    assert one(condition=", recovery = 120", operator="lt").condition.recovery == 120
    assert "must not be below" in refused(condition=", recovery = 80", operator="lt").reason
    assert "no meaning" in refused(condition=", recovery = 80", operator="eq").reason


@pytest.mark.parametrize(("operator", "fix"), [(">", '"gt"'), ("<=", '"lte"'), ("gtt", '"gt"'), ("between", "")])
def test_operators_in_other_spellings_are_mended(operator: str, fix: str) -> None:
    assert refused(operator=operator).fix == fix


@pytest.mark.parametrize("metric", ['""', "[]", '["a", 3]', '"m{"', '"{}"', '["m{a=1}"]', "{ a = 1 }", f'"{"x" * 20}{{"'])
def test_metrics_that_cannot_be_read(metric: str) -> None:
    assert refused(metric=metric).line == 3


def test_a_window_in_milliseconds_that_was_meant_in_seconds() -> None:
    problem = problems(GOOD.replace('"5m"', "300"))[0]
    assert "milliseconds" in problem.reason
    assert problem.fix == '"300s"'


def test_a_window_longer_than_the_engine_keeps_is_refused() -> None:
    assert "1s to 1h" in problems(GOOD.replace('"5m"', '"2h"'))[0].reason


def test_applying_the_fix_mends_the_text() -> None:
    text = """[[rule]]
id = "a b"
metric = "m"
condition = { type = "threshold", operator = ">", value = "100", window = "5 min", feild = "mean" }
severity = "warn"
for = "2 m"
"""
    for _ in range(10):
        try:
            rule = parse_rules(text, "t")[0]
            break
        except RulesError as error:
            problem = next(p for p in error.problems if p.fix and p.end)
            lines = text.split("\n")
            line = lines[problem.line - 1]
            lines[problem.line - 1] = line[: problem.column - 1] + problem.fix + line[problem.end - 1 :]
            text = "\n".join(lines)
    assert (rule.id, rule.condition, rule.severity, rule.for_seconds) == (
        "a_b",
        Condition("gt", 100, 300, "mean"),
        "warning",
        120,
    )


def test_what_is_not_toml_is_refused_with_line_and_column() -> None:
    problem = problems('[[rule]]\nid = "a"\nfor = 2 m\n')[0]
    assert (problem.line, problem.column, problem.fix, problem.end) == (3, 7, '"2m"', 10)
    problem = problems('[[rule]]\nid = "a\n')[0]
    assert (problem.line, problem.reason[:14]) == (2, "not valid TOML")
    assert problems("a = 1\na = 2\n")[0].line in (2, 3)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000,
        "a = " + "9" * 5000,
        "a = 2024-02-31",
        "[[" * 50,
        "x" * ((1 << 20) + 1),
        '[rule]\nid = "a"',
        "rule = [1]",
    ],
)
def test_hostile_texts_are_refused(text: str) -> None:
    assert problems(text)


def test_too_many_rules_are_refused() -> None:
    assert "1001 rules" in problems("".join(GOOD.replace('"a"', f'"a{n}"') for n in range(1001)))[0].reason


def test_an_id_used_twice_is_refused_in_one_file_and_over_files() -> None:
    assert "already used in line 2" in problems(GOOD + GOOD)[0].reason
    first, second = parse_rules(GOOD, "a.toml"), parse_rules(GOOD, "b.toml")
    found = check_duplicates({"b.toml": second, "a.toml": first})
    assert [(p.file, p.line) for p in found] == [("b.toml", 2)]
    assert "a.toml, line 2" in found[0].reason
    assert check_duplicates({"a.toml": first}) == ()


def test_at_most_a_hundred_problems_are_told() -> None:
    assert len(problems("[[rule]]\n" * 500)) == 100


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (one('severity = "critical"', ', field = "sum"'), "Alerts critical when the sum of m over 5 min is above 100."),
        (one('for = "2m"', operator="lte"), "Alerts warning when m over 5 min is at or below 100 for 2 min."),
        (
            one("", ', field = "p99", recovery = 80'),
            "Alerts warning when the 99th percentile of m over 5 min is above 100, until it is at or below 80.",
        ),
        (one("enabled = false", ', field = "last"'), "Switched off; would alert warning when the last value of m is above 100."),
    ],
)
def test_a_rule_as_a_sentence(rule: Rule, expected: str) -> None:
    assert sentence(rule) == expected


def test_with_the_kind_known_the_sentence_names_the_field() -> None:
    assert sentence(one(), Kind.COUNTER) == "Alerts warning when the sum of m over 5 min is above 100."
    assert sentence(one(), Kind.GAUGE) == "Alerts warning when the last value of m is above 100."


# ---------------------------------------------------------------- whatever text comes

keys = st.sampled_from(
    ["id", "metric", "condition", "for", "labels", "tags", "actions", "window", "summary", "x", "enabled", "rule"]
)
scalars = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.text(max_size=12), st.sampled_from(["5m", "m{a=~'b'}", "gt", "threshold"])
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return (
            '"'
            + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) < 0xE000)
            + '"'
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    return str(value).replace("e+", "e")


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, trees, max_size=6))
def test_any_valid_toml_is_rules_or_a_rules_error(table: dict[str, object]) -> None:
    text = "[[rule]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in table.items())
    tomllib.loads(text)
    found = problems(text)
    assert all(1 <= p.line <= len(table) + 1 for p in found)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 12), st.text(max_size=6) | st.sampled_from(list('"[]{}=.,#\n')))
def test_any_damage_to_a_good_text_is_rules_or_a_rules_error(at: int, length: int, insert: str) -> None:
    rules, found = outcome(GOOD[:at] + insert + GOOD[at + length :])
    assert len(rules) <= 1
    assert all(p.line >= 1 and p.reason for p in found)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_rules_or_a_rules_error(text: str) -> None:
    rules, found = outcome(text)
    assert found or not rules


def outcome(text: str) -> tuple[tuple[Rule, ...], tuple[RuleProblem, ...]]:
    """The rules, or the problems; any other exception is the test's failure."""
    try:
        return parse_rules(text, "t"), ()
    except RulesError as error:
        return (), error.problems
