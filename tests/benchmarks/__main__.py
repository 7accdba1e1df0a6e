"""`make bench`: runs every benchmark in a process of its own and prints its figures beside the bars.

Each module here prints one JSON line last (see `report`). Absolute figures of a
shared machine say little; ratios within one run and CPU seconds say more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def modules() -> list[str]:
    """Names of all benchmarks."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_") and path.stem != "report")


def run(name: str) -> dict[str, Any]:
    """The figures that one benchmark prints, or why there are none."""
    done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    try:
        figures = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {"benchmark": name, "error": (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]}
    return figures if isinstance(figures, dict) else {"benchmark": name, "error": "its last line is not a JSON object"}


def table(figures: dict[str, Any]) -> list[str]:
    """A line a figure: what was measured, the bar, the aim."""
    bars = figures.get("bars", {})
    lines = []
    for name, value in figures.items():
        if name not in ("benchmark", "bars"):
            held = bars.get(name, {})
            lines.append(f"  {name:30} {_shown(value):>14} {_shown(held.get('bar')):>10} {_shown(held.get('aim')):>10}".rstrip())
    return lines


def _shown(value: Any) -> str:
    if value is None:
        return ""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:,.4g}" if number and abs(value) < 1e4 else f"{value:,.0f}" if number else str(value)


def main(wanted: list[str]) -> int:
    failed = 0
    print(f"{'':32} {'measured':>14} {'bar':>10} {'aim':>10}")
    for name in wanted or modules():
        print(name, flush=True)
        figures = run(name)
        failed += "error" in figures
        print("\n".join(table(figures)), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
