"""`make bench`: runs every benchmark in a process of its own and prints its figures beside the bars.

Each module here prints one JSON line last: `benchmark`, its figures, and bars as `NAME_bar` or `bar`. Absolute figures of a
shared machine say little; ratios within one run and CPU seconds say more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def modules() -> list[str]:
    """Names of all benchmarks."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def run(name: str) -> dict[str, object]:
    """The figures that one benchmark prints, or why there are none."""
    done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    try:
        figures = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {"benchmark": name, "error": (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]}
    return figures if isinstance(figures, dict) else {"benchmark": name, "error": "its last line is not a JSON object"}


def main(wanted: list[str]) -> int:
    failed = 0
    for name in wanted or modules():
        print(f"\n{name}", flush=True)
        figures = run(name)
        failed += "error" in figures
        for key, value in figures.items():
            if key != "benchmark":
                print(
                    f"  {key:32} {value:>14,.4g}"
                    if isinstance(value, (int, float)) and not isinstance(value, bool)
                    else f"  {key:32} {value!s:>14}"
                )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
