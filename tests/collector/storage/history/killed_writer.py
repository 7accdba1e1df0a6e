"""Appends, commits and says so, with background work in between, until it is killed: python -m … FOLDER FIRST_TICK."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.collector.storage.history.test_recovery import START, append, open_store


def main(folder: Path, tick: int) -> None:
    store = open_store(folder, now=START / 1000 + 86_400)
    while True:
        append(store, tick)
        if store.commit():
            print(tick, flush=True)
        if tick % 7 == 3:
            store.fold()
        if tick % 11 == 5:
            store.step()
        tick += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
