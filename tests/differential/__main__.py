"""`python -m tests.differential [COUNT] [memory|embedded]`: prints what differs and, last, the tally."""

from __future__ import annotations

import sys

from tests.differential.run import outcomes


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    equal = explained = 0
    unknown = []
    keeper = sys.argv[2] if len(sys.argv) > 2 else "memory"
    for outcome in outcomes(count, keeper):
        if not outcome.differs:
            equal += 1
        elif outcome.reason:
            explained += 1
            print(f"explained: {outcome.question}\n    {outcome.differs}\n    {outcome.reason}")
        else:
            unknown.append(outcome)
            print(f"DIFFERS:   {outcome.question}\n    {outcome.differs}")
    print(f"{equal}/{equal + explained + len(unknown)} equal within 1e-9, {explained} explained, {len(unknown)} not")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
