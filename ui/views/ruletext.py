"""The text of a rule file as an editor needs it: parsed, its problems placed, its changed lines, the fix applied, a template."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.alerting.model import Rule, RuleProblem
from monitor.alerting.rules import RulesError, parse_rules
from ui.views.format import sanitise
from ui.views.view import ProblemRow

MAX_DIFF = 2_000
_HEADER = re.compile(r"^\s*\[\[\s*rule\s*\]\]", re.MULTILINE)
_NOT_ID = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rules of a text, or why there are none."""

    rules: tuple[Rule, ...] = ()
    problems: tuple[RuleProblem, ...] = ()


@functools.lru_cache(maxsize=128)
def parse(text: str, file: str) -> Parsed:
    """Rules or problems; never raises. Files of Prometheus rules are read by the collector only, when they are saved."""
    if is_prometheus(file):
        return Parsed()
    try:
        return Parsed(parse_rules(text, file))
    except RulesError as error:
        return Parsed(problems=error.problems)


def is_prometheus(file: str) -> bool:
    """Whether a file of this name holds groups of Prometheus rules."""
    return file.endswith((".yml", ".yaml"))


def problem_rows(text: str, problems: Sequence[RuleProblem]) -> tuple[ProblemRow, ...]:
    """Problems at their places: 0-based lines and columns, the whole line where no column is known."""
    lines = text.split("\n")
    return tuple(_row(p, lines) for p in problems[:50])


def _row(problem: RuleProblem, lines: list[str]) -> ProblemRow:
    line = max(0, min(len(lines) - 1, problem.line - 1))
    written = lines[line]
    start = problem.column - 1 if problem.column > 0 else len(written) - len(written.lstrip())
    end = problem.end - 1 if problem.end > problem.column > 0 else len(written.rstrip())
    fix = f"Write {sanitise(problem.fix, 60)}" if problem.fix and problem.end > problem.column > 0 else ""
    reason = sanitise(problem.reason, 300)
    return ProblemRow(line, max(0, start), max(1, end - start), f"Line {line + 1}: {reason}", fix)


def fixed(text: str, problem: RuleProblem) -> str | None:
    """The text with a problem's fix written in; None when a machine cannot do it."""
    lines = text.split("\n")
    if not (problem.fix and 0 < problem.column < problem.end and 1 <= problem.line <= len(lines)):
        return None
    written = lines[problem.line - 1]
    lines[problem.line - 1] = written[: problem.column - 1] + problem.fix + written[problem.end - 1 :]
    return "\n".join(lines)


@functools.lru_cache(maxsize=16)
def changed_lines(saved: str, text: str) -> tuple[int, ...]:
    """0-based lines of `text` that are not in `saved`; where lines were only taken out, the line after the hole."""
    old, new = saved.split("\n"), text.split("\n")
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    if head == len(old) == len(new):
        return ()
    if len(new) - head - tail > MAX_DIFF or len(old) - head - tail > MAX_DIFF:
        return tuple(range(head, len(new) - tail))
    matcher = difflib.SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    changed: set[int] = set()
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind != "equal":
            changed.update(range(head + first, head + last) if last > first else [min(head + first, len(new) - 1)])
    return tuple(sorted(changed))


def rule_at(text: str, line: int) -> int:
    """Number of the [[rule]] that a 0-based line belongs to; -1 above the first."""
    end = _offset(text, line + 1)
    return sum(1 for _ in _HEADER.finditer(text, 0, end)) - 1


def line_of(text: str, number: int) -> int:
    """0-based line of the header of a rule by its number."""
    for i, found in enumerate(_HEADER.finditer(text)):
        if i == number:
            return text.count("\n", 0, found.end())
    return 0


def line_at(text: str, cursor: int) -> int:
    """0-based line of a character position."""
    return text.count("\n", 0, max(0, min(cursor, len(text))))


def _offset(text: str, line: int) -> int:
    position = 0
    for _ in range(line):
        newline = text.find("\n", position)
        if newline < 0:
            return len(text)
        position = newline + 1
    return position


def template(rule_id: str, metric: str, field: str = "", window: str = "5m", value: str = "100") -> str:
    """A rule to start from, valid as it stands."""
    quoted = metric.replace("\\", "\\\\").replace('"', '\\"')
    chosen = f', field = "{field}"' if field and field != "value" else ""
    return (
        "[[rule]]\n"
        f'id = "{rule_id}"\n'
        f'metric = "{quoted}"\n'
        f'condition = {{ type = "threshold", operator = "gt", value = {value}, window = "{window}"{chosen} }}\n'
        'severity = "warning"\n'
        'actions = ["log"]\n'
        'cooldown = "5m"\n'
    )


def free_id(wanted: str, taken: Sequence[str]) -> str:
    """An id in the rules' spelling that nobody has yet."""
    base = _NOT_ID.sub("_", wanted.lower()).strip("_")[:48] or "new_rule"
    base = base if base[0].isalpha() else f"rule_{base}"
    number, found = 2, base
    while found in taken:
        found, number = f"{base}_{number}", number + 1
    return found


def appended(text: str, rule: str) -> str:
    """A rule at the end of a file, a blank line before it."""
    return f"{text.rstrip()}\n\n{rule}" if text.strip() else rule
