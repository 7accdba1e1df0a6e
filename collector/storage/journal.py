"""The last hour on disk: each tick's delta appended to a segment file, read back after a restart.

A segment is a magic line and records of (length, CRC-32, packed delta). Its first record names all live series, so that
whole old segments can be given up. A record that was being written when the process died is cut off and reported.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from collector.storage.delta_codec import DamagedError, pack_delta, unpack_delta
from monitor.model.series import SeriesInfo
from monitor.windows.frame import Delta

MAGIC = b"lightship journal 1\n"
SEGMENT_SECONDS = 600.0
RETRY_SECONDS = 5.0
"""How long a disk that refused is left alone."""
_HEAD = struct.Struct("<II")
_MAX_RECORD = 64 << 20


class Journal:
    """Appends deltas and gives those of the last `keep` seconds back. One process at a time (the state store holds the lock)."""

    def __init__(self, folder: Path, keep: float = 3600.0) -> None:
        self._folder = folder
        self._keep = keep
        self._file: BinaryIO | None = None
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
        for path in self._segments():
            if _start_of(path) < now - self._keep - SEGMENT_SECONDS:
                continue
            try:
                yield from self._read_segment(path, now)
            except OSError as error:
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

    def _begin(self, time: float, live: tuple[SeriesInfo, ...]) -> None:
        self._close()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._drop_old(time)
        self._file = self._new_file(int(time))
        self._segment_start = time
        self._good = 0
        self._write_all(MAGIC)
        self._write(_table_only(time, live))

    def _new_file(self, second: int) -> BinaryIO:
        """A segment is never written on: what a run before left may end in half a record."""
        for number in range(1000):
            try:
                return (self._folder / f"{second:012d}-{number:03d}.journal").open("xb", buffering=0)
            except FileExistsError:
                continue
        raise OSError(errno.EEXIST, "too many segments of one second")

    def _write(self, delta: Delta) -> None:
        packed = pack_delta(delta)
        record = _HEAD.pack(len(packed), zlib.crc32(packed)) + packed
        self._write_all(record)
        self._good += len(record)
        self._unsynced += len(record)
        self.bytes_written += len(record)

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
        if self._file is not None:
            with contextlib.suppress(OSError):
                if self._good:
                    self._file.truncate(len(MAGIC) + self._good)
                else:
                    os.unlink(self._file.name)
        self._close()

    def _read_segment(self, path: Path, now: float) -> Iterator[Delta]:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                self.problems.append(f"{path.name} is not a journal of this version and was left alone")
                return
            while head := file.read(_HEAD.size):
                try:
                    delta = _record(head, file)
                except DamagedError as error:
                    self.problems.append(f"{path.name}: {error}; the rest of this segment was left out")
                    return
                if delta.time > now + 1:
                    continue  # written before the clock was set back
                if now - self._keep <= delta.time:
                    yield delta
                elif delta.added or len(delta.gone):
                    # Too old for its samples, but it may name series of which newer ones are.
                    yield replace(_table_only(delta.time, delta.added), gone=delta.gone)

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob("*.journal"))

    def _drop_old(self, now: float) -> None:
        for path in self._segments():
            if _start_of(path) + SEGMENT_SECONDS < now - self._keep:
                path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
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


def _record(head: bytes, file: BinaryIO) -> Delta:
    if len(head) < _HEAD.size:
        raise DamagedError("the last record is cut short")
    length, checksum = _HEAD.unpack(head)
    if length > _MAX_RECORD:
        raise DamagedError("a record has an impossible length")
    packed = file.read(length)
    if len(packed) < length:
        raise DamagedError("the last record is cut short")
    if zlib.crc32(packed) != checksum:
        raise DamagedError("a record does not match its checksum")
    return unpack_delta(packed)


def _start_of(path: Path) -> float:
    digits = path.name.split("-")[0]
    return float(digits) if digits.isdecimal() else 0.0


def _table_only(time: float, live: tuple[SeriesInfo, ...]) -> Delta:
    no_ids, no_floats, no_seconds = np.empty(0, np.int32), np.empty(0), np.empty(0, np.int64)
    return Delta(
        time, live, no_ids, no_ids, no_seconds, no_floats, no_floats, no_floats, no_floats, no_floats, no_floats,
        no_ids, no_seconds, no_ids, no_floats, no_ids, no_seconds, no_floats,
    )  # fmt: skip
