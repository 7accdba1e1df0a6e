"""The last hour on disk: each tick's delta appended to a segment file, read back after a restart.

A segment is a magic line and records of (length, CRC-32, packed delta). Its first record names all live series, so that
whole old segments can be given up. A record that was being written when the process died is cut off and reported.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from collector.storage.delta_codec import DamagedError, pack_delta, unpack_delta
from monitor.model.series import SeriesInfo
from monitor.windows.frame import Delta

MAGIC = b"lightship journal 1\n"
SEGMENT_SECONDS = 600.0
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
        self.bytes_written = 0
        self.problems: list[str] = []
        self.failed = ""
        """Why nothing is being written now (disk full, read-only), "" when all is well."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def append(self, delta: Delta, live: tuple[SeriesInfo, ...] | None = None) -> None:
        """Write one tick. `live`: the whole table, wanted (see `wants_table`) when a segment begins."""
        try:
            if self._file is None or delta.time - self._segment_start >= SEGMENT_SECONDS or delta.time < self._segment_start:
                self._begin(delta.time, live or delta.added)
            self._write(delta)
            self.failed = ""
        except OSError as error:
            self._close()
            self.failed = f"the journal cannot be written ({error.strerror}): a restart would lose what comes in now"

    def wants_table(self, time: float) -> bool:
        """Whether the next append begins a segment and needs the whole series table."""
        return self._file is None or time - self._segment_start >= SEGMENT_SECONDS or time < self._segment_start

    def read(self, now: float) -> Iterator[Delta]:
        """Deltas of the last `keep` seconds before `now`, oldest first. What is damaged is skipped and told in `problems`."""
        for path in self._segments():
            if _start_of(path) < now - self._keep - SEGMENT_SECONDS:
                continue
            yield from self._read_segment(path, now)

    def sync(self) -> None:
        """Force what was appended to the disk itself (power loss); kill -9 needs no sync."""
        if self._file is not None and self._unsynced:
            os.fsync(self._file.fileno())
            self._unsynced = 0

    def close(self) -> None:
        self._close()

    def _begin(self, time: float, live: tuple[SeriesInfo, ...]) -> None:
        self._close()
        self._drop_old(time)
        path = self._folder / f"{int(time):012d}-{os.getpid()}.journal"
        self._file = path.open("ab", buffering=0)
        self._segment_start = time
        self._file.write(MAGIC)
        self._write(_table_only(time, live))

    def _write(self, delta: Delta) -> None:
        assert self._file is not None
        packed = pack_delta(delta)
        record = _HEAD.pack(len(packed), zlib.crc32(packed)) + packed
        self._file.write(record)
        self._unsynced += len(record)
        self.bytes_written += len(record)

    def _read_segment(self, path: Path, now: float) -> Iterator[Delta]:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                self.problems.append(f"{path.name} is not a journal and was left alone")
                return
            while head := file.read(_HEAD.size):
                try:
                    delta = _record(head, file)
                except DamagedError as error:
                    self.problems.append(f"{path.name}: {error}; the rest of this segment was left out")
                    return
                if now - self._keep <= delta.time <= now + 1 or not len(delta.rows):
                    yield delta

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob("*.journal"))

    def _drop_old(self, now: float) -> None:
        for path in self._segments():
            if _start_of(path) + SEGMENT_SECONDS < now - self._keep:
                path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


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
