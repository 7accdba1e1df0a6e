"""From the text of a rule file to rules, or to every reason why it is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.alerting.checked_table import Report
from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.model import Rule, RuleProblem
from monitor.alerting.rule_reader import read_rule
from monitor.alerting.wording import sentence
from monitor.text.toml_map import TomlMap

__all__ = ["MAX_RULES", "MAX_TEXT", "RulesError", "check_duplicates", "clashes", "parse_rules", "sentence"]

MAX_TEXT = 1 << 20
"""Characters in one rule file."""
MAX_RULES = 1000
"""Rules in one file."""

_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_UNQUOTED = re.compile(r"=\s*((?:\d+\s*[a-z]+)|(?:[A-Za-z_][\w.:/-]*))\s*[,}#\n]")


class RulesError(ValueError):
    """A rule file that is refused whole; `problems` says all that is wrong with it, in order of lines."""

    def __init__(self, problems: tuple[RuleProblem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def parse_rules(text: str, file: str) -> tuple[Rule, ...]:
    """The rules of a file, in order, with `file` and `line` filled in. Raises `RulesError` with every problem found."""
    if len(text) > MAX_TEXT:
        raise _refused(file, f"the file has {len(text):,} characters (at most {MAX_TEXT:,}); split it")
    document = _load(text, file)
    report = Report(TomlMap(text), file)
    report.unknown_keys((), document, ("rule",))
    entries = document.get("rule", [])
    if isinstance(entries, dict):
        report.add(("rule",), "rules are written in double brackets", fix="[[rule]]")
    elif not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        report.add(("rule",), "rule is not a list of tables; begin each rule with [[rule]]")
    elif len(entries) > MAX_RULES:
        report.add(("rule",), f"the file has {len(entries)} rules (at most {MAX_RULES}); split it")
    rules = _read_all(entries, report) if not report.problems or isinstance(entries, list) else ()
    if report.problems:
        raise RulesError(tuple(sorted(report.problems, key=lambda problem: (problem.line, problem.column))))
    return rules


def check_duplicates(files: Mapping[str, Sequence[Rule]]) -> tuple[RuleProblem, ...]:
    """One problem for each rule whose id an earlier file (by name) already has."""
    taken: dict[str, Rule] = {}
    problems: list[RuleProblem] = []
    for name in sorted(files):
        problems += clashes(files[name], taken)
        taken = {rule.id: rule for rule in files[name]} | taken
    return tuple(problems)


def clashes(rules: Sequence[Rule], taken: Mapping[str, Rule]) -> tuple[RuleProblem, ...]:
    """One problem for each of the rules whose id one of another file has taken."""
    return tuple(
        RuleProblem(
            rule.file,
            rule.line,
            f'the id "{rule.id}" is already used in {other.file}, line {other.line}; ids are unique over all files',
            key="id",
        )
        for rule in rules
        if (other := taken.get(rule.id)) is not None
    )


def _read_all(entries: list[Any], report: Report) -> tuple[Rule, ...]:
    rules = []
    lines: dict[str, int] = {}
    for number, entry in enumerate(entries[:MAX_RULES]):
        if not isinstance(entry, dict):
            continue
        rule = read_rule(entry, number, report)
        name = entry.get("id")
        if isinstance(name, str):
            line = report.line(("rule", number))
            if name in lines:
                report.add(("rule", number, "id"), f'the id "{name}" is already used in line {lines[name]}')
            lines.setdefault(name, line)
        if rule is not None:
            rules.append(rule)
    return tuple(rules)


def _load(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesError((_syntax_problem(text, file, str(error)),)) from None
    except RecursionError:
        raise _refused(file, "brackets are nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits, a date that does not exist
        raise _refused(file, f"a value cannot be read: {str(error)[:120]}") from None


def _refused(file: str, reason: str) -> RulesError:
    return RulesError((RuleProblem(file, 1, reason),))


def _syntax_problem(text: str, file: str, message: str) -> RuleProblem:
    where = _WHERE.search(message)
    lines = text.split("\n")
    line, column = len(lines), len(lines[-1]) + 1
    if where is not None and where.group(1):
        line, column = int(where.group(1)), int(where.group(2))
    reason = _WHERE.sub("", message)
    reason = reason[:1].lower() + reason[1:]
    unquoted = _UNQUOTED.search(lines[line - 1] + "\n") if line <= len(lines) else None
    if unquoted is not None and unquoted.group(1) not in ("true", "false", "inf", "nan"):
        word = unquoted.group(1)
        start = unquoted.start(1) + 1
        return RuleProblem(file, line, f"{word} needs quotes", start, fix=f'"{_tidy(word)}"', end=start + len(word))
    return RuleProblem(file, line, f"not valid TOML: {reason}", column)


def _tidy(word: str) -> str:
    try:
        parse_duration(word)
    except DurationError as error:
        return error.fix or word
    return word
