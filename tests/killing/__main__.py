"""`python -m tests.killing --rounds 100`: kill -9 under OTLP, remote write and traces. Prints one JSON line last."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.killing.run import killed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lightship-killing-") as folder:
        told = killed(Path(folder), arguments.rounds, arguments.seed, lambda line: print(line, flush=True))
    print(json.dumps({"proof": "killing", **told}))
    return 0 if told["whole"] else 1


if __name__ == "__main__":
    sys.exit(main())
