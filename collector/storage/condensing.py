"""Closed segments of the journal made small in a thread: what is older than five minutes is needed by tens of seconds only.

A start reads a tenth of the records then. The condensed file takes its name in one step when it is whole and on the disk, and
what was written stays until the windows have no use any more for its seconds.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from collector.storage.delta_codec import DamagedError, pack_delta, unpack_delta
from collector.storage.segment import END, CutShortError, Origin, OtherFormatError, header, read_header, record, records
from monitor.windows.condense import condensed
from monitor.windows.rings import FINE, TEN

WRITTEN, CONDENSED, _UNFINISHED = ".journal", ".tens", ".unfinished"
MOST_WAITING = 8
PAUSE = 0.01
"""Seconds after each ten, so that a tick that has become due gets its turn."""

log = logging.getLogger("lightship")


class Condenser:
    """Condenses the segments of a folder, one after the other in the background."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stopping = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._jobs: list[Future[None]] = []
        self._left: set[str] = set()
        """Segments that cannot be condensed: they are read as they are."""

    def start(self, closed: Sequence[str], time: float) -> None:
        """Sees to these segments, to which nothing is written any more. `time`: of the journal."""
        self._jobs = [job for job in self._jobs if not job.done()]
        if len(self._jobs) < MOST_WAITING:
            self._pool = self._pool or ThreadPoolExecutor(1, "lightship-condense")
            self._jobs.append(self._pool.submit(self._see_to, closed, time))

    def close(self) -> None:
        """What is being written is given up; it is begun anew another time."""
        self._stopping.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _see_to(self, closed: Sequence[str], time: float) -> None:
        for path in self._folder.glob(f"*{_UNFINISHED}"):
            path.unlink(missing_ok=True)
        for stem in closed:
            path = self._folder / f"{stem}{WRITTEN}"
            if stem in self._left or self._stopping.is_set() or not path.exists():
                continue
            try:
                if not path.with_suffix(CONDENSED).exists():
                    condense(path, self._stopping)
                elif _no_longer_needed(path, time):
                    path.unlink(missing_ok=True)
            except (OSError, DamagedError, OtherFormatError) as error:
                self._left.add(stem)
                log.warning("the journal's %s was not condensed, starting will take longer: %s", path.name, error)


def condense(path: Path, stopping: threading.Event) -> None:
    """Writes the condensed file beside the one written, unless it is told to stop. Raises `DamagedError` and `OSError`."""
    unfinished = path.with_suffix(_UNFINISHED)
    with path.open("rb") as source, unfinished.open("wb") as target:
        origin = read_header(source)
        if origin is None:
            raise DamagedError("where it belongs is damaged")
        target.write(header(origin))
        written = _until_cut(records(source))
        for table in itertools.islice(written, 1):
            target.write(record(table))
        last = origin.last
        for delta in condensed(unpack_delta(packed) for packed in written):
            target.write(record(pack_delta(delta, TEN)))
            last = delta.time
            if stopping.wait(PAUSE):
                return
        target.write(END)
        target.seek(0)
        target.write(header(replace(origin, last=last)))
        target.flush()
        os.fsync(target.fileno())
    unfinished.replace(path.with_suffix(CONDENSED))


def origin_if_whole(path: Path) -> Origin | None:
    """Where a condensed segment comes from, None when it is damaged anywhere."""
    try:
        with path.open("rb") as file:
            origin = read_header(file)
            ended = False
            for packed in records(file):
                ended = not packed
    except (OSError, DamagedError, OtherFormatError):
        return None
    return origin if ended else None


def _until_cut(payloads: Iterator[bytes]) -> Iterator[bytes]:
    """Up to the closing one, or to where a process was killed."""
    try:
        for packed in payloads:
            if packed:
                yield packed
    except CutShortError:
        return


def _no_longer_needed(path: Path, time: float) -> bool:
    with path.with_suffix(CONDENSED).open("rb") as file:
        origin = read_header(file)
    return origin is not None and origin.last <= time - FINE - 2 * TEN
