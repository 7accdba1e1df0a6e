"""Prometheus rule files: groups of recording and alerting rules, checked with every problem at its line.

Source: prometheus.io, configuration/recording_rules and alerting_rules; model/rulefmt/rulefmt.go.
"""

from __future__ import annotations

import difflib
import re

import msgspec

from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.model import RuleProblem
from monitor.alerting.rules import RulesError
from monitor.query.history import ParseError
from monitor.query.parse import parse
from monitor.text.tree import Node

MAX_GROUPS = 500
MAX_RULES = 5_000
Pairs = tuple[tuple[str, str], ...]
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DURATION = re.compile(r"([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?|0")
_GROUP_KEYS = ("name", "interval", "query_offset", "limit", "labels", "rules", "partial_response_strategy", "evaluation_delay")
_RECORD_KEYS = ("record", "expr", "labels")
_ALERT_KEYS = ("alert", "expr", "for", "keep_firing_for", "labels", "annotations")


class GroupRule(msgspec.Struct, frozen=True):
    """A recording rule has `record`, an alerting rule `alert`. `expr` is PromQL, checked; durations are in seconds."""

    expr: str
    record: str = ""
    alert: str = ""
    for_seconds: float = 0.0
    keep_firing_for: float = 0.0
    labels: Pairs = ()
    annotations: Pairs = ()
    line: int = 0

    @property
    def name(self) -> str:
        return self.record or self.alert


class RuleGroup(msgspec.Struct, frozen=True):
    """Rules judged one after another at one time. `interval` 0: the default one. `limit` 0: none. `query_offset` in seconds."""

    name: str
    file: str
    rules: tuple[GroupRule, ...]
    interval: float = 0.0
    limit: int = 0
    query_offset: float = 0.0


def read_groups(root: Node | None, file: str) -> tuple[RuleGroup, ...]:
    """The groups of a file. Raises `RulesError` with all that is wrong."""
    reader = _Reader(file)
    groups = reader.file_groups(root)
    if reader.problems:
        raise RulesError(tuple(sorted(reader.problems, key=lambda problem: (problem.line, problem.column))))
    return groups


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[RuleProblem] = []
        self._rules = 0

    def problem(self, node: Node, reason: str, key: str = "", fix: str = "", end: int = 0) -> None:
        self.problems.append(RuleProblem(self.file, node.line, reason, node.column, key, fix, end))

    def file_groups(self, root: Node | None) -> tuple[RuleGroup, ...]:
        if root is None:
            return ()
        wrapped = {key.text: value for key, value in root.pairs}
        if "kind" in wrapped and wrapped["kind"].text == "PrometheusRule" and "spec" in wrapped:
            root = wrapped["spec"]  # as the Prometheus operator takes them
        fields = self.fields(root, ("groups",), "a rule file")
        listed = fields.get("groups")
        if listed is None or not self._is(listed, "list", "groups"):
            return ()
        if len(listed.items) > MAX_GROUPS:
            self.problem(listed, f"{len(listed.items)} groups (at most {MAX_GROUPS} in a file)")
            return ()
        groups = [group for node in listed.items if (group := self.group(node)) is not None]
        seen: set[str] = set()
        for group, node in zip(groups, listed.items, strict=False):
            if group.name in seen:
                self.problem(node, f'the group name "{group.name}" is taken by another group of this file')
            seen.add(group.name)
        return tuple(groups)

    def group(self, node: Node) -> RuleGroup | None:
        fields = self.fields(node, _GROUP_KEYS, "a group")
        name = fields["name"].text if "name" in fields else ""
        if not name:
            self.problem(node, "a group needs a name", "name")
        shared = self.labels(fields.get("labels"), "labels")
        listed = fields.get("rules")
        rules: list[GroupRule] = []
        if listed is not None and self._is(listed, "list", "rules"):
            rules = [rule for each in listed.items if (rule := self.rule(each, shared)) is not None]
        self._rules += len(rules)
        if self._rules > MAX_RULES:
            self.problem(node, f"more than {MAX_RULES} rules in one file")
            return None
        offset = fields.get("query_offset") or fields.get("evaluation_delay")
        return RuleGroup(
            name,
            self.file,
            tuple(rules),
            self.duration(fields.get("interval"), "interval"),
            self.count(fields.get("limit"), "limit"),
            self.duration(offset, "query_offset"),
        )

    def rule(self, node: Node, shared: Pairs) -> GroupRule | None:
        before = len(self.problems)
        names = {key.text for key, _ in node.pairs}
        if "record" in names and "alert" in names:
            self.problem(node, "only one of record and alert may stand in a rule")
            return None
        if "record" not in names and "alert" not in names:
            self.problem(node, "a rule needs a record or an alert")
            return None
        recording = "record" in names
        kind = "a recording rule" if recording else "an alerting rule"
        fields = self.fields(node, _RECORD_KEYS if recording else _ALERT_KEYS, kind)
        named = fields.get("record" if recording else "alert")
        if named is not None and not named.text:
            self.problem(named, f"{kind} needs a name")
        self.expression(node, fields.get("expr"))
        labels = dict(shared) | dict(self.labels(fields.get("labels"), "labels"))
        rule = GroupRule(
            expr=fields["expr"].text if "expr" in fields else "",
            record=named.text if named is not None and recording else "",
            alert=named.text if named is not None and not recording else "",
            for_seconds=self.duration(fields.get("for"), "for"),
            keep_firing_for=self.duration(fields.get("keep_firing_for"), "keep_firing_for"),
            labels=tuple(sorted(labels.items())),
            annotations=self.labels(fields.get("annotations"), "annotations"),
            line=node.line,
        )
        return rule if len(self.problems) == before else None

    def expression(self, rule: Node, node: Node | None) -> None:
        if node is None or not node.text:
            self.problem(node or rule, "a rule needs an expr", "expr")
            return
        try:
            parse(node.text)
        except ParseError as error:
            # In a quoted or block scalar the text does not begin where the node does.
            plain = not node.quoted and "\n" not in node.text
            column = node.column + error.column - 1 if plain else 0
            where = "" if plain else f" (line {error.line}, column {error.column} of the expression)"
            self.problems.append(RuleProblem(self.file, node.line, f"expr: {error.message}{where}", column, "expr"))

    def fields(self, node: Node, known: tuple[str, ...], what: str) -> dict[str, Node]:
        found: dict[str, Node] = {}
        if not self._is(node, "map", what):
            return found
        for key, value in node.pairs:
            if key.text in found:
                self.problem(key, f"{key.text} stands twice in {what}", key.text)
            elif key.text not in known:
                close = difflib.get_close_matches(key.text, known, 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                fix, end = (close[0], key.column + len(key.text)) if close else ("", 0)
                self.problem(key, f"{what} has no {key.text[:60]!r}{hint}", key.text[:60], fix, end)
            else:
                found[key.text] = value
        return found

    def labels(self, node: Node | None, key: str) -> Pairs:
        if node is None or not self._is(node, "map", key):
            return ()
        pairs: dict[str, str] = {}
        for name, value in node.pairs:
            if not _LABEL.fullmatch(name.text) or name.text == "__name__":
                self.problem(name, f"{name.text[:60]!r} is not a name that {key} may have", key)
            if value.kind != "scalar":
                self.problem(value, f"{key}.{name.text[:60]} must be text", key)
            pairs[name.text] = value.text
        return tuple(sorted(pairs.items()))

    def duration(self, node: Node | None, key: str) -> float:
        if node is None:
            return 0.0
        text = node.text
        if text == "0":
            return 0.0
        if text and _DURATION.fullmatch(text):
            years, y, rest = text.rpartition("y")
            try:
                return (float(years) * 365 * 86_400 if y else 0.0) + (parse_duration(rest) if rest else 0.0)
            except DurationError:
                pass
        self.problem(node, f"{key}: {text[:40]!r} is not a duration; write it like 30s, 5m or 1h30m", key)
        return 0.0

    def count(self, node: Node | None, key: str) -> int:
        if node is None:
            return 0
        if not node.text.isdecimal() or len(node.text) > 9:
            self.problem(node, f"{key}: expected a whole number, found {node.text[:40]!r}", key)
            return 0
        return int(node.text)

    def _is(self, node: Node, kind: str, what: str) -> bool:
        if node.kind == kind:
            return True
        if node.kind == "scalar" and not node.text and not node.quoted:
            return False  # an empty value is nothing, not a mistake
        shape = {"map": "keys and values", "list": "a list"}[kind]
        self.problem(node, f"{what} must be {shape}")
        return False
