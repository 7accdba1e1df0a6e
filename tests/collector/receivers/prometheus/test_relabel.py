"""Relabelling: against a slow reference, and by statements."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.prometheus.relabel import MOST_RULES, Rule, read_rules, relabelled

NAMES = ("a", "b", "__meta_x", "__address__", "job")
PATTERNS = ("(.*)", "", "a.*", "(a|b)(.*)", "__meta_(.+)", "([^:]+)(?::(.*))?", ".+", "x")
TEMPLATES = ("$1", "${1}", "$2-${1}", "$$1", "lit", "", "$9", "${1}x", "$1x", "a$", "$")


def rules() -> st.SearchStrategy[Rule]:
    actions = ("replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep")
    return st.builds(
        Rule,
        st.sampled_from([*actions, "lowercase", "uppercase"]),
        st.lists(st.sampled_from(NAMES), max_size=3).map(tuple),
        st.sampled_from([";", "", "/"]),
        st.sampled_from(["t", "a", "job"]),
        st.sampled_from(PATTERNS),
        st.sampled_from(TEMPLATES),
        st.integers(1, 1 << 40),
    )


def expanded(template: str, groups: tuple[str | None, ...]) -> str:
    """Character by character, as Go's documentation of Expand says it."""
    made, at = "", 0
    while at < len(template):
        rest = template[at + 1 :]
        if template[at] != "$":
            made, at = made + template[at], at + 1
        elif rest.startswith("$"):
            made, at = made + "$", at + 2
        else:
            found = re.match(r"\{([0-9A-Za-z_]+)\}|([0-9A-Za-z_]+)", rest)
            if found is None:
                made, at = made + "$", at + 1
                continue
            name = found[1] or found[2]
            number = int(name) if name.isdigit() and (name == "0" or name[0] != "0") else -1
            made += (groups[number] or "") if 0 <= number < len(groups) else ""
            at += 1 + found.end()
    return made


def reference(labels: dict[str, str], steps: list[Rule]) -> dict[str, str] | None:
    now = {name: value for name, value in labels.items() if value != ""}
    for rule in steps:
        value = rule.separator.join(now.get(name, "") for name in rule.source_labels)
        match = re.fullmatch(rule.regex, value, re.DOTALL)
        groups = (match.group(0), *match.groups()) if match else ()
        target = now.get(rule.target_label, "")
        if (rule.action == "keep" and not match) or (rule.action == "drop" and match):
            return None
        if (rule.action == "keepequal" and target != value) or (rule.action == "dropequal" and target == value):
            return None
        if rule.action == "replace" and match and expanded(rule.target_label, groups):
            now[expanded(rule.target_label, groups)] = expanded(rule.replacement, groups)
        elif rule.action == "lowercase":
            now[rule.target_label] = value.lower()
        elif rule.action == "uppercase":
            now[rule.target_label] = value.upper()
        elif rule.action == "hashmod":
            import hashlib

            now[rule.target_label] = str(int(hashlib.md5(value.encode()).hexdigest()[16:], 16) % rule.modulus)
        elif rule.action in ("labelmap", "labeldrop", "labelkeep"):
            for name, held in list(now.items()):
                found = re.fullmatch(rule.regex, name, re.DOTALL)
                if rule.action == "labelmap" and found:
                    now[expanded(rule.replacement, (found.group(0), *found.groups()))] = held
                if rule.action == "labeldrop" and found:
                    now.pop(name, None)
                if rule.action == "labelkeep" and not found:
                    now.pop(name, None)
        now = {name: held for name, held in now.items() if held != "" and name != ""}
    return now


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "a", "b:80", "Ab\nc", "ä;x", "__meta_y"])),
    st.lists(rules(), max_size=4),
)
def test_rules_do_what_a_slow_reading_of_them_does(labels: dict[str, str], steps: list[Rule]) -> None:
    assert relabelled(labels, steps) == reference(labels, steps)


def after(labels: dict[str, str], *written: dict[str, Any]) -> dict[str, str] | None:
    return relabelled(labels, read_rules(list(written)))


def test_a_pattern_matches_the_whole_text_over_line_ends_too() -> None:
    assert after({"a": "foobar"}, {"source_labels": ["a"], "regex": "foo", "action": "keep"}) is None
    assert after({"a": "foo\nbar"}, {"source_labels": ["a"], "regex": "foo.bar", "action": "drop"}) is None


def test_a_replacement_that_is_empty_removes_the_label() -> None:
    assert after({"a": "x", "b": "y"}, {"source_labels": ["a"], "target_label": "b", "replacement": ""}) == {"a": "x"}


def test_the_target_may_be_named_by_a_group() -> None:
    rule = {"source_labels": ["a"], "regex": "(?P<key>.+)=(.+)", "target_label": "${key}_name", "replacement": "$2"}
    assert after({"a": "env=prod"}, rule) == {"a": "env=prod", "env_name": "prod"}


def test_hashmod_spreads_as_prometheus_does() -> None:
    # The last eight bytes of the MD5 sum of "foo;bar;baz", modulo 1000, as in Prometheus' own tests.
    labels = {"a": "foo", "b": "bar", "c": "baz"}
    made = after(labels, {"source_labels": ["c"], "action": "hashmod", "modulus": 1000, "target_label": "d"})
    assert made == labels | {"d": "976"}


def test_actions_are_read_in_any_case() -> None:
    assert read_rules([{"action": "LabelDrop", "regex": "x"}])[0].action == "labeldrop"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("x", "a list of rules"),
        ([{"action": "explode"}], "rule 1: the action 'explode' is none"),
        ([{"action": "keep"}], "keep needs source_labels"),
        ([{"source_labels": ["a"]}], "replace needs a target_label"),
        ([{"action": "hashmod", "target_label": "x"}], "needs a modulus above zero"),
        ([{"action": "labelmap", "source_labels": ["a"]}], "goes by the names"),
        ([{"action": "labeldrop", "regex": "("}], "rule 1: regex: not a valid pattern"),
        ([{"action": "labeldrop", "regex": "(?=a)"}], "not a valid pattern"),
        ([{"action": "labeldrop", "regex": "a" * 5000}], "5000 characters"),
        ([{"action": "labeldrop", "regexp": "a"}], "'regexp' is no part of a rule"),
        ([{"source_labels": "a", "target_label": "b"}], "source_labels is a list"),
        ([{"action": "labeldrop"}] * (MOST_RULES + 1), "more than the 200"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_with_a_sentence(written: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        read_rules(written)
