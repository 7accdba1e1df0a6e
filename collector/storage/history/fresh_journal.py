"""The history's journal: records written before they are acknowledged, read back after a restart, given up once in chunks.

A segment is a magic line and records of (length, CRC-32, number, payload). Numbers rise without end over all segments. A process
never writes on a segment of the one before, which may end in half a record.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAGIC = b"lightship history 1\n"
MAX_RECORD = 256 << 20
_HEAD = struct.Struct("<II")
_NUMBER = struct.Struct("<Q")
_MOST_PROBLEMS = 20


class Record(NamedTuple):
    number: int
    payload: bytes


class FreshJournal:
    """Records go to memory with `add` and to the disk with `flush`; both may come from any thread."""

    def __init__(self, folder: Path, segment_bytes: int, rest: float) -> None:
        self._folder, self._segment_bytes, self._rest = folder, segment_bytes, rest
        self._adding = threading.Lock()
        self._writing = threading.Lock()
        self._pending: list[Record] = []
        self._file: BinaryIO | None = None
        self._good = 0
        self._segments: dict[Path, tuple[int, int]] = {}
        self._refused_at: float | None = None
        self.pending_bytes = 0
        self.lost_records = 0
        """Records that a restart could not read."""
        self.failed = ""
        """Why nothing is being written now (disk full, read-only), "" when all is well."""
        self.problems: list[str] = []

    @property
    def size(self) -> int:
        """Size of all segments."""
        return sum(size for _, size in list(self._segments.values()))

    def read(self, after: int) -> Iterator[Record]:
        """Records of a number above `after`, oldest first. What is damaged is skipped and told in `problems`."""
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.journal")):
            last = -1
            try:
                for record in self._read_segment(path):
                    last = max(last, record.number)
                    if record.number > after:
                        after = record.number
                        yield record
                self._segments[path] = last, path.stat().st_size
            except OSError as error:
                self._tell(f"{path.name} cannot be read: {error.strerror}")

    def add(self, number: int, payload: bytes) -> None:
        """Keeps a record until the next `flush`. Numbers must rise."""
        with self._adding:
            self._pending.append(Record(number, payload))
            self.pending_bytes += len(payload)

    def flush(self, time: float) -> bool:
        """Whether all that was added before is on the disk now. `time`: seconds of any clock that only goes forward."""
        with self._writing:
            with self._adding:
                records, self._pending = self._pending, []
            if not records:
                return True
            if self._refused_at is not None and 0 <= time - self._refused_at < self._rest:
                self._put_back(records)
                return False
            try:
                self._write(records)
            except OSError as error:
                self._put_back(records)
                self._give_up(time, error)
                return False
            with self._adding:
                self.pending_bytes -= sum(len(record.payload) for record in records)
            self.failed, self._refused_at = "", None
            return True

    def forget(self, number: int) -> None:
        """Everything up to this number is in chunks: whole segments, and what the disk had not taken yet, are given up."""
        with self._adding:
            kept = [record for record in self._pending if record.number > number]
            self.pending_bytes -= sum(len(record.payload) for record in self._pending if record.number <= number)
            self._pending = kept
        with self._writing:
            for path, (last, _) in list(self._segments.items()):
                if last > number:
                    continue
                if self._file is not None and path == Path(self._file.name):
                    self._close()
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
                    del self._segments[path]

    def close(self) -> None:
        with self._writing:
            self._close()

    def _write(self, records: list[Record]) -> None:
        if self._file is not None and self._good >= self._segment_bytes:
            self._close()
        if self._file is None:
            self._begin(records[0].number)
        assert self._file is not None
        parts: list[bytes] = []
        for record in records:
            payload = _NUMBER.pack(record.number) + record.payload
            parts += (_HEAD.pack(len(payload), zlib.crc32(payload)), payload)
        data = b"".join(parts)
        written = self._file.write(data)
        if written != len(data):  # what a disk does that fills up in the middle of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file.fileno())
        self._good += len(data)
        self._segments[Path(self._file.name)] = records[-1].number, self._good

    def _begin(self, number: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{number:020d}.journal"
        attempt = 0
        while path.exists():  # a segment of before that had nothing readable
            attempt += 1
            path = self._folder / f"{number:020d}-{attempt}.journal"
        self._file = open(path, "xb", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
        self._good = 0
        if self._file.write(MAGIC) != len(MAGIC):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._good = len(MAGIC)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _put_back(self, records: list[Record]) -> None:
        with self._adding:
            self._pending[:0] = records

    def _give_up(self, time: float, error: OSError) -> None:
        """Leave a segment that ends with a whole record, or none, and try another one later."""
        self.failed = f"the history's journal cannot be written ({error.strerror}): a restart would lose what comes in now"
        self._refused_at = time
        if self._file is not None:
            with contextlib.suppress(OSError):
                if self._good > len(MAGIC):
                    self._file.truncate(self._good)
                else:
                    os.unlink(self._file.name)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _read_segment(self, path: Path) -> Iterator[Record]:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                self._tell(f"{path.name} is not a journal of this version or its first line is damaged; it was left out")
                return
            while head := file.read(_HEAD.size):
                length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
                payload = file.read(length) if _NUMBER.size <= length <= MAX_RECORD else b""
                if not payload or len(payload) < length:
                    self._tell(f"{path.name}: its last record is cut short or damaged and was left out")
                    return
                if zlib.crc32(payload) != checksum:
                    self._tell(f"{path.name}: a record does not match its checksum and was left out")
                    continue
                yield Record(_NUMBER.unpack_from(payload)[0], payload[_NUMBER.size :])

    def _tell(self, problem: str) -> None:
        self.lost_records += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
