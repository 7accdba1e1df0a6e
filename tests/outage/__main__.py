"""`python -m tests.outage --minutes 10`: what exports go to is away for so long. Prints one JSON line last."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.outage.run import outage


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lightship-outage-") as folder:
        told = outage(Path(folder), 60 * arguments.minutes, lambda line: print(line, flush=True))
    print(json.dumps({"proof": "outage", **told}))
    return 0 if told["whole"] else 1


if __name__ == "__main__":
    sys.exit(main())
