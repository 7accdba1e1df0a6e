"""`python -m tests.promqltest DIR`: passed/total of each file, causes of failures, and passed/total of all in the last line."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.promqltest.runner import Report, run_text


def main(arguments: list[str] | None = None) -> int:
    """0 when the tests ran, whatever they gave; 2 when there are none."""
    parser = argparse.ArgumentParser(prog="python -m tests.promqltest", description="Runs PromQL tests in Prometheus' language.")
    parser.add_argument("paths", nargs="+", metavar="DIR", type=Path, help="directories with *.test files, or such files")
    parser.add_argument("--failures", action="store_true", help="show each failure: expression, expected, got")
    options = parser.parse_args(arguments)
    files = [file for path in options.paths for file in (sorted(path.rglob("*.test")) if path.is_dir() else [path])]
    if not files:
        print(f"no *.test files in {', '.join(str(path) for path in options.paths)}", file=sys.stderr)
        return 2
    reports = [run_text(file.name, file.read_text("utf-8")) for file in files]
    for report in reports:
        print(f"{report.passed}/{report.total} {report.name}", flush=True)
    _print_causes(reports)
    if options.failures:
        _print_failures(reports)
    print(f"{sum(r.passed for r in reports)}/{sum(r.total for r in reports)}")
    return 0


def _print_causes(reports: list[Report]) -> None:
    causes = Counter((failure.cause, report.name) for report in reports for failure in report.failures)
    if causes:
        print("\nfailures by cause")
    for cause in sorted({cause for cause, _ in causes}, key=lambda c: -sum(n for (one, _), n in causes.items() if one == c)):
        files = {name: n for (one, name), n in causes.items() if one == cause}
        print(f"  {sum(files.values())} {cause}: " + ", ".join(f"{name} {n}" for name, n in files.items()))


def _print_failures(reports: list[Report]) -> None:
    for report in reports:
        for failure in report.failures:
            print(f"\n{report.name}:{failure.line}: {failure.text}\n  {failure.cause}")
            print(f"  expected {failure.expected}\n  got      {failure.got}")


if __name__ == "__main__":
    sys.exit(main())
