"""A writer whose disk is full for a while: `python -m … FOLDER` prints a line a step."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path

from tests.collector.storage.traces.killed_writer import look, open_store, write_round
from tests.running import until


def main(folder: Path) -> None:
    """Files may not grow beyond 200 KB, as on a disk that is full; then they may again."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = open_store(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    number = 0
    while not store.failing and number < 3000:
        write_round(store, number)
        number += 1
    print("failing", store.failing, flush=True)
    began = time.monotonic()
    for _ in range(20):
        write_round(store, number)
        store.step()
        number += 1
    print("quick", time.monotonic() - began < 5, flush=True)
    print("answers", not look(store, number - 1)[0], flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(store.commit, "the disk has room again")
    print("again", store.failing or "well", flush=True)
    print("safe", number - 1, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
