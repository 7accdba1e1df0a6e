"""What waits to be sent, on disk: segments of records, read in order, given up whole when there are too many of them.

Samples are what its callers count in records: it may be spans or lines as well.

A segment is a magic line and records of (length, CRC-32, samples, payload). A process never writes on a segment of the one
before, whose end may be half a record. How far everything has been sent stands in a file beside them.
"""

from __future__ import annotations

import bisect
import contextlib
import errno
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

MAGIC = b"lightship remote 1\n"
_HEAD = struct.Struct("<III")
_MAX_RECORD = 256 << 20
_POSITION = "sent"
_MOST_PROBLEMS = 20


class QueueBounds(msgspec.Struct, frozen=True):
    """Bytes: of all segments, and of one. The oldest segment goes when another does not fit."""

    most: int = 1 << 30
    segment: int = 8 << 20


class Position(NamedTuple):
    """Behind a record: all of it and before it has been taken."""

    segment: int
    offset: int


class Taken(NamedTuple):
    """A record and where the next one begins. `sent`: it is only there for the names in it, its samples are with the receiver."""

    payload: bytes
    position: Position
    sent: bool
    items: int = 0
    """Samples in it, as `append` was told."""


class _Segment:
    """`records`: end and number of samples of each, in order."""

    def __init__(self, number: int, path: Path, size: int) -> None:
        self.number, self.path, self.size = number, path, size
        self.records: list[tuple[int, int]] = []
        self._total = 0

    def add(self, end: int, samples: int) -> None:
        self.records.append((end, samples))
        self._total += samples

    def beyond(self, offset: int) -> int:
        """Samples of the records that end behind `offset`."""
        if offset <= len(MAGIC):
            return self._total
        if offset >= self.size:
            return 0
        first = bisect.bisect_right(self.records, offset, key=lambda record: record[0])
        return sum(samples for _, samples in self.records[first:])


class SegmentQueue:
    """One writer, one reader, any threads. `append` raises `OSError` when the disk refuses; what was there stays whole."""

    def __init__(self, folder: Path, bounds: QueueBounds, name: str = "the queue to the remote store") -> None:
        """`name`: what it is called in `problems`."""
        self._folder, self._bounds, self._name = folder, bounds, name
        self._lock = threading.RLock()
        self._segments: list[_Segment] = []
        self._file: BinaryIO | None = None
        self._sent = Position(-1, 0)
        self._read = Position(-1, 0)
        self._newest = 0
        """The highest number that a segment ever had here."""
        self.dropped = 0
        """Samples given up because the queue was full, never taken before."""
        self.problems: list[str] = []
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open()

    # ------------------------------------------------------------ writing

    @property
    def begins(self) -> bool:
        """Whether the next record begins a segment, and so has to name every series in it."""
        with self._lock:
            return self._file is None or self._segments[-1].size >= self._bounds.segment

    def append(self, payload: bytes, samples: int) -> None:
        """Adds a record. It outlives the process; `sync` makes it outlive the machine."""
        with self._lock:
            if self.begins:
                self._begin()
            self._make_room(len(payload) + _HEAD.size)
            assert self._file is not None
            segment = self._segments[-1]
            record = _HEAD.pack(len(payload), zlib.crc32(payload), samples) + payload
            try:
                self._write(record)
            except OSError:
                # Half a record would hide what follows it: nothing is ever written behind it.
                with contextlib.suppress(OSError):
                    self._file.truncate(segment.size)
                self._close()
                raise
            segment.size += len(record)
            segment.add(segment.size, samples)

    def sync(self) -> None:
        """Forces what was appended to the disk itself (power loss); a killed process needs no sync."""
        with self._lock:
            if self._file is not None:
                os.fsync(self._file.fileno())

    def close(self) -> None:
        with self._lock:
            with contextlib.suppress(OSError):
                self.sync()
            self._close()

    # ------------------------------------------------------------ reading

    def take(self) -> Taken | None:
        """The next record that was not taken before, None when there is none now."""
        with self._lock:
            while (segment := self._reading()) is not None:
                payload, end, samples = self._record_at(segment, self._read.offset)
                if payload is None:
                    self._read = Position(segment.number, segment.size)
                    if segment is self._segments[-1]:
                        return None
                    self._read = Position(segment.number + 1, 0)
                    self._give_up_sent()
                    continue
                self._read = Position(segment.number, end)
                return Taken(payload, self._read, self._read <= self._sent, samples)
            return None

    def sent(self, position: Position) -> None:
        """Everything up to here has been sent or refused for good: a restart goes on behind it."""
        with self._lock:
            self._sent = max(self._sent, position)
            temporary = self._folder / f"{_POSITION}.new"
            with contextlib.suppress(OSError):  # at worst something is sent twice, which receivers bear
                temporary.write_bytes(b"%d %d\n" % self._sent)
                temporary.replace(self._folder / _POSITION)
            self._give_up_sent()

    @property
    def unread(self) -> int:
        """Samples in records that were not taken yet."""
        with self._lock:
            return sum(s.beyond(self._offset_in(s, max(self._read, self._sent))) for s in self._segments)

    @property
    def unsent(self) -> int:
        """Samples in records that have not been sent yet."""
        with self._lock:
            return sum(s.beyond(self._offset_in(s, self._sent)) for s in self._segments)

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        with self._lock:
            return sum(segment.size for segment in self._segments)

    # ------------------------------------------------------------ inside

    @staticmethod
    def _offset_in(segment: _Segment, position: Position) -> int:
        if segment.number == position.segment:
            return position.offset
        return segment.size if segment.number < position.segment else 0

    def _open(self) -> None:
        for path in sorted(self._folder.glob("*.queue")):
            try:
                segment = _Segment(int(path.stem), path, path.stat().st_size)
                self._newest = max(self._newest, segment.number)
                self._index(segment)
            except (OSError, ValueError) as error:
                self._tell(f"{path.name} in {self._name} was left out: {error}")
                continue
            self._segments.append(segment)
        with contextlib.suppress(OSError, ValueError):
            number, offset = (self._folder / _POSITION).read_bytes().split()
            self._sent = Position(int(number), int(offset))
        # From the beginning of the segment: what stands before the position names series that come after it.
        self._read = Position(self._segments[0].number if self._segments else 0, 0)
        self._give_up_sent()

    def _index(self, segment: _Segment) -> None:
        """Ends and samples of its records. What follows a damaged one is left out, as nothing says where the next begins."""
        with segment.path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ValueError("it is not of this version")
            at = len(MAGIC)
            while head := file.read(_HEAD.size):
                length, _, samples = _HEAD.unpack(head) if len(head) == _HEAD.size else (_MAX_RECORD, 0, 0)
                at += _HEAD.size + length
                if at > segment.size or length >= _MAX_RECORD:
                    self._tell(f"{segment.path.name} in {self._name} ends in half a record")
                    break
                segment.add(at, samples)
                file.seek(at)
        segment.size = segment.records[-1][0] if segment.records else len(MAGIC)

    def _reading(self) -> _Segment | None:
        return next((s for s in self._segments if s.number >= self._read.segment), None)

    def _record_at(self, segment: _Segment, offset: int) -> tuple[bytes | None, int, int]:
        """The record behind `offset`, its end and samples; None at the end of the segment."""
        at = max(offset if segment.number == self._read.segment else 0, len(MAGIC))
        if at >= segment.size:
            return None, at, 0
        try:
            with segment.path.open("rb") as file:
                file.seek(at)
                length, checksum, samples = _HEAD.unpack(file.read(_HEAD.size))
                payload = file.read(min(length, segment.size - at))
        except (OSError, struct.error) as error:
            self._tell(f"{segment.path.name} in {self._name} cannot be read: {error}")
            return None, at, 0
        if len(payload) != length or zlib.crc32(payload) != checksum:
            self._tell(f"{segment.path.name} in {self._name} is damaged; the rest of it was left out")
            self.dropped += segment.beyond(at)
            return None, at, 0
        return payload, at + _HEAD.size + length, samples

    def _begin(self) -> None:
        self._close()
        number = max(self._newest, self._sent.segment, self._read.segment) + 1
        path = self._folder / f"{number:012d}.queue"
        self._file = path.open("xb", buffering=0)
        self._newest = number
        try:
            self._write(MAGIC)
        except OSError:
            self._close()
            path.unlink(missing_ok=True)
            raise
        self._segments.append(_Segment(number, path, len(MAGIC)))

    def _tell(self, problem: str) -> None:
        self.problems = [*self.problems[1 - _MOST_PROBLEMS :], problem]

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        if self._file.write(data) != len(data):  # what a disk does that fills up in the middle of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _make_room(self, more: int) -> None:
        while len(self._segments) > 1 and self.size + more > self._bounds.most:
            oldest = self._segments[0]
            self.dropped += oldest.beyond(self._offset_in(oldest, max(self._read, self._sent)))
            self._remove(oldest)

    def _give_up_sent(self) -> None:
        while self._segments and self._segments[0].number < self._sent.segment:
            self._remove(self._segments[0])
        if self._segments and self._file is None and self._sent >= Position(self._segments[-1].number, self._segments[-1].size):
            self._remove(self._segments[-1])

    def _remove(self, segment: _Segment) -> None:
        self._segments.remove(segment)
        segment.path.unlink(missing_ok=True)
        if self._read.segment <= segment.number:
            self._read = Position(segment.number + 1, 0)
