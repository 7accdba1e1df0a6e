"""`python -m tests.hostile --inputs 100000`: garbage to every receiver, then a running collector under bombs and crowds.

Each receiver is tried in a process of its own that may not ask for more than `fuzz.ADDRESSES`. Prints a JSON line for each and
one for all of it last.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.hostile.fuzz import ADDRESSES, fuzzed
from tests.hostile.subjects import SUBJECTS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="for each receiver (100,000); 0: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="receivers whose name has this in it")
    parser.add_argument("--here", action="store_true", help="in this process: what the others are started with")
    parser.add_argument("--no-wire", action="store_true", help="without a running collector")
    arguments = parser.parse_args()
    if arguments.here:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        logging.disable()
        (subject,) = [each for each in SUBJECTS if each.name == arguments.only]
        print(fuzzed(subject, arguments.inputs, arguments.seed).line())
        return 0
    reports: list[dict[str, Any]] = []
    if arguments.inputs:
        for subject in SUBJECTS:
            if arguments.only in subject.name:
                reports.append(_tried(subject.name, arguments.inputs, arguments.seed))
                print(json.dumps(reports[-1]), flush=True)
    wire = {} if arguments.no_wire else _over_the_wire()
    sound = all(report["sound"] for report in reports) and all(each["sound"] for each in wire.values())
    told = {report["name"]: report["outcomes"] for report in reports}
    most = max((report["slowest_seconds"] for report in reports), default=0.0)
    print(json.dumps({"proof": "hostile", "sound": sound, "outcomes": told, "slowest_seconds": most, "wire": wire}))
    return 0 if sound else 1


def _tried(name: str, inputs: int, seed: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.hostile", "--here", "--only", name, "--inputs", str(inputs), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"name": name, "sound": False, "outcomes": {}, "slowest_seconds": 0.0, "error": done.stderr[-2000:]}
    return found


def _over_the_wire() -> dict[str, Any]:
    from tests.hostile.wire import attacked

    with tempfile.TemporaryDirectory(prefix="lightship-wire-") as folder:
        return attacked(Path(folder), lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
