"""`lightship rules`: list and check; test and backtest are beside."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from monitor.alerting.model import RuleProblem
from monitor.alerting.rules import RulesError, parse_rules
from monitor.alerting.wording import sentence
from ui.command.alerts import fetch
from ui.command.ask import conversation
from ui.command.exits import OK, USAGE, CommandError
from ui.command.show import complain, print_json, print_table
from ui.views.format import plural, sanitise


def run(arguments: argparse.Namespace) -> int:
    if arguments.verb in ("test", "backtest"):
        from ui.command import rules_trying

        return rules_trying.test(arguments) if arguments.verb == "test" else rules_trying.backtest(arguments)
    return _check(arguments) if arguments.verb == "check" else _list(arguments)


def _list(arguments: argparse.Namespace) -> int:
    with conversation(arguments.url, arguments.timeout) as talk:
        rules = fetch(talk).rules
    assert rules is not None
    if arguments.json:
        print_json({"rules": rules.rules, "problems": [problem for file in rules.files for problem in file.problems]})
        return OK
    rows = [
        [rule.id, rule.severity, "on" if rule.enabled else "off", f"{rule.file}:{rule.line}", sentence(rule)]
        for rule in rules.rules
    ]
    print_table(["RULE", "SEVERITY", "", "FILE", "WHAT IT DOES"], rows)
    for file in rules.files:
        for problem in file.problems:
            complain(f"refused, the version before stays in force: {sanitise(str(problem))}")
    return OK


class _Checked(msgspec.Struct):
    rules: int
    problems: list[RuleProblem]


def _check_groups(name: str) -> _Checked:
    """A file of Prometheus rules, read by the collector's side: it has the parser of YAML."""
    import importlib.util
    import subprocess

    if importlib.util.find_spec("yaml") is None:
        raise CommandError(
            f"{name}: the collector is not installed here, which reads Prometheus rules; install lightship[collector]"
        )
    command = [sys.executable, "-m", "collector.rules.checking", name]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise CommandError(f"{name} could not be checked: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return msgspec.json.decode(done.stdout, type=_Checked)


def _check(arguments: argparse.Namespace) -> int:
    problems: list[RuleProblem] = []
    count = 0
    for name in arguments.files:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{name} cannot be read: {error}", USAGE) from None
        if name.endswith((".yml", ".yaml")):
            found = _check_groups(name)
            count, problems = count + found.rules, [*problems, *found.problems]
            continue
        try:
            count += len(parse_rules(text, Path(name).name))
        except RulesError as error:
            problems += error.problems
    if arguments.json:
        print_json({"rules": count, "problems": problems})
    else:
        for problem in problems:
            complain(sanitise(str(problem)) + (f" Write {problem.fix}" if problem.fix else ""))
        if not problems:
            print(f"{plural(count, 'rule')}, nothing wrong.")
    return USAGE if problems else OK
