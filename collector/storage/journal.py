"""The last hour on disk: each tick's delta appended to a segment file, read back after a restart.

Segments (see `segment`) are begun every five minutes with the whole table of series, so that whole old ones can be given up.
Those that ended more than five minutes ago are read as `condensing` put them together.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from collector.storage.condensing import CONDENSED, WRITTEN, Condenser, origin_if_whole
from collector.storage.delta_codec import DamagedError, pack_delta, unpack_delta
from collector.storage.segment import END, HEADER_BYTES, Origin, OtherFormatError, header, read_header, record, records
from monitor.model.series import SeriesInfo
from monitor.windows.fold import empty_delta
from monitor.windows.frame import Delta
from monitor.windows.rings import FINE, TEN, floor_to

SEGMENT_SECONDS = 300.0
RETRY_SECONDS = 5.0
"""How long a disk that refused is left alone."""


class Journal:
    """Appends deltas and gives those of the last `keep` seconds back. One process at a time (the state store holds the lock)."""

    def __init__(self, folder: Path, keep: float = 3600.0) -> None:
        self._folder = folder
        self._keep = keep
        self._file: BinaryIO | None = None
        self._run, self._number = os.urandom(8), 0
        self._condenser = Condenser(folder)
        self._segment_start = 0.0
        self._unsynced = 0
        self._good = 0
        self._refused_at: float | None = None
        self.bytes_written = 0
        self.problems: list[str] = []
        self.failed = ""
        """Why nothing is being written now (disk full, read-only), "" when all is well."""

    def append(self, delta: Delta, live: tuple[SeriesInfo, ...] | None = None) -> None:
        """Write one tick. `live`: the whole table, wanted (see `wants_table`) when a segment begins."""
        if self._resting(delta.time):
            return
        try:
            if self.wants_table(delta.time):
                self._begin(delta.time, live or delta.added)
            self._write(delta)
            self.failed = ""
            self._refused_at = None
        except OSError as error:
            self._give_up(delta.time, error)

    def wants_table(self, time: float) -> bool:
        """Whether the next append begins a segment and needs the whole series table."""
        if self._resting(time):
            return False
        return self._file is None or not 0 <= time - self._segment_start < SEGMENT_SECONDS

    def read(self, now: float) -> Iterator[Delta]:
        """Deltas of the last `keep` seconds before `now`, oldest first. What is damaged is skipped and told in `problems`."""
        before: Origin | None = None
        for stem in self._stems():
            if _start_of(stem) < now - self._keep - SEGMENT_SECONDS:
                continue
            path = _best(self._folder / stem, now)
            try:
                before = yield from self._read_segment(path, now, before)
            except OSError as error:
                before = None
                self.problems.append(f"{path.name} cannot be read: {error.strerror}")

    def sync(self, time: float) -> None:
        """Force what was appended to the disk itself (power loss); kill -9 needs no sync. `time` is that of the tick."""
        if self._file is None or not self._unsynced:
            return
        try:
            os.fsync(self._file.fileno())
            self._unsynced = 0
        except OSError as error:
            self._give_up(time, error)

    def close(self) -> None:
        self._close()
        self._condenser.close()

    def _begin(self, time: float, live: tuple[SeriesInfo, ...]) -> None:
        self._close()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._drop_old(time)
        closed = self._stems()
        self._file = self._new_file(int(time))
        self._segment_start = time
        self._good = 0
        self._write_all(header(Origin(self._run, self._number)))
        self._number += 1
        self._write(replace(empty_delta(time), added=live))
        self._condenser.start(closed, time)

    def _new_file(self, second: int) -> BinaryIO:
        """A segment is never written on: what a run before left may end in half a record."""
        for number in range(1000):
            try:
                path = self._folder / f"{second:012d}-{number:03d}{WRITTEN}"
                if not path.with_suffix(CONDENSED).exists():
                    return path.open("xb", buffering=0)
            except FileExistsError:
                continue
        raise OSError(errno.EEXIST, "too many segments of one second")

    def _write(self, delta: Delta) -> None:
        written = record(pack_delta(delta))
        self._write_all(written)
        self._good += len(written)
        self._unsynced += len(written)
        self.bytes_written += len(written)

    def _write_all(self, data: bytes) -> None:
        assert self._file is not None
        if self._file.write(data) != len(data):  # what a disk does that fills up in the middle of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _resting(self, time: float) -> bool:
        return self._refused_at is not None and 0 <= time - self._refused_at < RETRY_SECONDS

    def _give_up(self, time: float, error: OSError) -> None:
        """Leave a segment that ends with a whole record, or none, and try another one later."""
        self.failed = f"the journal cannot be written ({error.strerror}): a restart would lose what comes in now"
        self._refused_at = time
        self._number += 1  # what comes next does not follow on this one
        if self._file is not None:
            with contextlib.suppress(OSError):
                if self._good:
                    self._file.truncate(HEADER_BYTES + self._good)
                else:
                    os.unlink(self._file.name)
        self._close(whole=False)

    def _read_segment(self, path: Path, now: float, before: Origin | None) -> Generator[Delta, None, Origin | None]:
        """What of a segment is wanted; where it comes from, if it was read to its end."""
        with path.open("rb") as file:
            try:
                origin = read_header(file)
                if origin is None:
                    self.problems.append(f"{path.name}: where it belongs is damaged")
                known = origin is not None and origin.follows(before)
                for number, packed in enumerate(records(file)):
                    if not packed:
                        return origin
                    if number or not known:  # the table is known from the segments before
                        yield from self._wanted(unpack_delta(packed), now)
            except OtherFormatError:
                self.problems.append(f"{path.name} is not a journal of this version and was left alone")
            except DamagedError as error:
                self.problems.append(f"{path.name}: {error}; the rest of this segment was left out")
        return None

    def _wanted(self, delta: Delta, now: float) -> Iterator[Delta]:
        if delta.time > now + 1:
            return  # written before the clock was set back
        if now - self._keep <= delta.time:
            yield delta
        elif delta.added or len(delta.gone):
            # Too old for its samples, but it may name series of which newer ones are.
            yield replace(empty_delta(delta.time), added=delta.added, gone=delta.gone)

    def _stems(self) -> list[str]:
        return sorted({path.stem for kind in (WRITTEN, CONDENSED) for path in self._folder.glob(f"*{kind}")})

    def _drop_old(self, now: float) -> None:
        for stem in self._stems():
            if _start_of(stem) + SEGMENT_SECONDS < now - self._keep:
                for kind in (WRITTEN, CONDENSED):
                    (self._folder / f"{stem}{kind}").unlink(missing_ok=True)

    def _close(self, whole: bool = True) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError), contextlib.closing(self._file):
                if whole:
                    self._file.write(END)
            self._file = None


def ahead(deltas: Iterator[Delta]) -> Iterator[Delta]:
    """The same, unpacked in a thread while those before are used."""
    waiting: queue.Queue[Delta | BaseException | None] = queue.Queue(16)

    def read() -> None:
        try:
            for delta in deltas:
                waiting.put(delta)
            waiting.put(None)
        except BaseException as error:  # told where it can be heard
            waiting.put(error)

    threading.Thread(target=read, name="lightship-journal", daemon=True).start()
    while (delta := waiting.get()) is not None:
        if isinstance(delta, BaseException):
            raise delta
        yield delta


def _best(stem: Path, now: float) -> Path:
    """The file to read a segment from: condensed where that is as good, as written where that is better or the other damaged."""
    written, condensed = stem.with_suffix(WRITTEN), stem.with_suffix(CONDENSED)
    if not condensed.exists():
        return written
    origin = origin_if_whole(condensed)
    good = origin is not None and origin.last <= floor_to(int(now) - FINE, TEN)
    return condensed if good or not written.exists() else written


def _start_of(stem: str) -> float:
    digits = stem.split("-")[0]
    return float(digits) if digits.isdecimal() else 0.0
