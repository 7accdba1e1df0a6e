"""A writer whose disk is full or that may not write: `python -m … full|forbidden FOLDER` prints a line a step."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from collector.storage.history.database import HistoryError
from tests.collector.storage.history.kill_loop import look, open_store, write_tick

NOBODY = 65534


def full(folder: Path) -> None:
    """Files may not grow beyond 60 KB, as on a disk that is full; then they may again."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = open_store(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
    safe, tick = -1, 0
    while not store.failing and tick < 3000:
        if write_tick(store, tick):
            safe = tick
        if tick % 20 == 19:
            store.step()
        tick += 1
    print("failing", store.failing, flush=True)
    for _ in range(50):
        write_tick(store, tick)
        store.step()
        tick += 1
    print("answers", not look(store, safe).wrong, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while not store.commit():
        store.step()
    store.step()
    print("again", store.failing or "well", look(store, tick - 1).wrong or "all there", flush=True)
    print("safe", tick - 1, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def forbidden(folder: Path) -> None:
    """A folder that may be read only: before it is opened, and from some moment on."""
    os.chdir(folder)
    store = open_store(Path("kept"))
    for tick in range(20):
        assert write_tick(store, tick)
    for path in (Path("kept"), Path("kept/fresh"), Path("other")):
        path.mkdir(exist_ok=True)
        path.chmod(0o555)
    for path in Path("kept").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    if os.geteuid() == 0:  # whom no mode stops
        os.seteuid(NOBODY)
    try:
        open_store(Path("other"))
    except (HistoryError, OSError) as error:
        print("refused", error, flush=True)
    tick = 20
    while write_tick(store, tick):  # until a new segment is due
        tick += 1
    print("failing", store.failing, flush=True)
    print("answers", not look(store, tick - 1).wrong, flush=True)
    print("safe", tick - 1, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    {"full": full, "forbidden": forbidden}[sys.argv[1]](Path(sys.argv[2]))
