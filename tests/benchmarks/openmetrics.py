"""How many of the OpenMetrics project's test vectors are judged rightly: `python -m tests.benchmarks.openmetrics DIR`.

A folder a case, with the text in `metrics` and `shouldParse` in `test.json`. Each is read as a target's answer is that says
application/openmetrics-text: a text that should not parse has to be refused the first time and when the parser knows its lines.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from collector.receivers.prometheus import ExpositionError
from collector.receivers.prometheus.exposition_parser import ExpositionParser
from tests.benchmarks.report import report

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "openmetrics"


def refusal(body: bytes) -> str:
    """Why the text is refused, "" where it is read; whether it is new or known must not matter."""
    parser = ExpositionParser(openmetrics=True)
    reasons = []
    for _ in range(2):
        try:
            parser.parse(body)
        except ExpositionError as error:
            reasons.append(str(error))
        else:
            reasons.append("")
    return reasons[0] if bool(reasons[0]) == bool(reasons[1]) else f"once {reasons[0]!r}, then {reasons[1]!r}"


def judged(case: Path) -> str:
    """What is wrong with the judgement of one case, "" where it is right."""
    expected = json.loads((case / "test.json").read_text())["shouldParse"]
    try:
        reason = refusal((case / "metrics").read_bytes())
    except Exception as error:  # whatever else escapes is a failure of that case, not of the run
        return f"raised {type(error).__name__}: {error}"
    if bool(reason) != expected:
        return ""
    return f"refused though it should parse: {reason}" if expected else "read though it should be refused"


def main() -> None:
    """Print the failures, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=VECTORS)
    cases = sorted(path.parent for path in parser.parse_args().folder.glob("*/test.json"))
    failures = {case.name: wrong for case in cases if (wrong := judged(case))}
    for name, wrong in failures.items():
        print(f"{name}: {wrong}")
    total = len(cases)
    report("openmetrics", {"passed": total - len(failures), "total": total}, {"passed": (total, total)})


if __name__ == "__main__":
    main()
