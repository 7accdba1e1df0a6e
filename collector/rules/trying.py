"""`python -m collector.rules.trying FILE…`: runs files of tests of rules, for `rules test`; JSON, a line a file."""

from __future__ import annotations

import glob
import sys
from pathlib import Path

import msgspec

from collector.rules.files import RuleFileError, read_text
from collector.rules.yaml_tree import read_yaml
from monitor.alerting.rules import RulesError
from monitor.query.rulegroups import RuleGroup, read_groups
from monitor.query.ruletest.cases import TestFile, TestFileError, read_tests
from monitor.query.ruletest.runner import run_tests

MAX_RULE_FILES = 500


class Tried(msgspec.Struct):
    """How a file went: `tests` it holds, what failed of them, and why it could not be run at all ("" where it could)."""

    file: str
    tests: int = 0
    failures: list[str] = []
    error: str = ""
    warnings: list[str] = []


def try_file(name: str) -> Tried:
    """Runs the tests of one file."""
    path = Path(name)
    try:
        if path.suffix == ".toml":
            from collector.rules.trying_own import run_own  # the engine is slow to load

            return Tried(name, *run_own(path, read_text(path)))
        tests = read_tests(read_yaml(read_text(path), path.name), path.name)
        groups = _groups(tests, path.parent)
    except RulesError as error:
        return Tried(name, error=str(error.problems[0]))
    except (TestFileError, RuleFileError, ValueError) as error:
        return Tried(name, error=str(error))
    failures = [str(failure) for failure in run_tests(tests, groups)]
    nothing = [pattern for pattern in tests.rule_files if not _matching(pattern, path.parent)]
    warnings = [f"{path.name}: no file matches {pattern!r} of rule_files" for pattern in nothing]
    return Tried(name, sum(len(case.alerts) + len(case.queries) for case in tests.cases), failures, warnings=warnings)


def _groups(tests: TestFile, folder: Path) -> list[RuleGroup]:
    groups: list[RuleGroup] = []
    names = [name for pattern in tests.rule_files for name in _matching(pattern, folder)]
    if len(names) > MAX_RULE_FILES:
        raise TestFileError(f"{tests.file}: rule_files names {len(names)} files (at most {MAX_RULE_FILES})")
    for name in names:
        groups += read_groups(read_yaml(read_text(Path(name)), Path(name).name), name)
    return groups


def _matching(pattern: str, folder: Path) -> list[str]:
    whole = str(folder / pattern)
    return sorted(glob.glob(whole))


def main(names: list[str]) -> None:
    for name in names:
        sys.stdout.buffer.write(msgspec.json.encode(try_file(name)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
