"""`python -m collector.rules.checking FILE`: what is wrong with a file of Prometheus rules, as JSON for `rules check`."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from collector.rules.files import RuleFileError, read_text
from collector.rules.yaml_tree import read_yaml
from monitor.alerting.model import RuleProblem
from monitor.alerting.rules import RulesError
from monitor.query.rulegroups import read_groups


def main(name: str) -> None:
    """Prints {"rules": how many, "problems": […]}."""
    file, rules = Path(name).name, 0
    problems: tuple[RuleProblem, ...] = ()
    try:
        rules = sum(len(group.rules) for group in read_groups(read_yaml(read_text(Path(name)), file), file))
    except RulesError as error:
        problems = error.problems
    except RuleFileError as error:
        problems = (RuleProblem(file, 1, str(error)),)
    sys.stdout.buffer.write(msgspec.json.encode({"rules": rules, "problems": problems}))


if __name__ == "__main__":
    main(sys.argv[1])
