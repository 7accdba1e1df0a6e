"""The journal of spans whose traces are not decided yet, so that what was answered outlives a kill.

A folder of records (length, CRC-32, payload). `<number>.spans`: segments of packed spans, written before a span is answered and
deleted when all traces of a segment are decided and what is kept of them is in the store. `fates.new` and `fates.old`: what was
decided, a byte (`Fate`, or `STORED`) and 8 bytes a trace (`monitor.pipeline.fates.keys_of`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from collector.storage.delta_codec import DamagedError
from collector.storage.segment import CutShortError, record, records
from collector.storage.traces.codec import DamagedChunkError, unzipped, zipped
from monitor.model.spans import TEXT_COLUMNS, Spans, no_spans, with_own_texts
from monitor.pipeline.fates import Keys

MOST_BYTES = 1 << 30
"""Of all segments; what would be more is refused."""
SEGMENT_SECONDS = 5.0
MOST_FATES = 200_000
"""Traces in one file of fates; there are two."""
STORED = 255
"""In the place of a fate: traces that were kept are in the store."""
_PIECE = 4 << 20
_SMALL = 64
_DTYPES = {each.name: getattr(no_spans(), each.name).dtype for each in fields(Spans) if each.name not in ("texts", "details")}


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    columns: dict[str, bytes]
    texts: list[bytes]
    details: list[bytes]


_decode = msgspec.msgpack.Decoder(_Packed).decode


@dataclass(slots=True)
class _Segment:
    path: Path
    last: float
    """When the last span was put into it, seconds of the caller's clock."""
    size: int = 0


class HeldJournal:
    """`append` and `decide` in one thread, `sync`, `stored` and `forget` in another. `bytes`: of all segments."""

    def __init__(self, folder: Path) -> None:
        """Raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._current: _Segment | None = None
        self._begun = 0.0
        self._begun_anew = False
        """Whether the folder names a segment that is not forced to disk."""
        self._retired: list[BinaryIO] = []
        """Written to the end, and not forced to disk yet."""
        self._segments: deque[_Segment] = deque()
        self._next = 1 + max((int(path.stem) for path in self._paths()), default=0)
        self._fates: BinaryIO | None = None
        self._fate_count = 0
        self._fates_damaged = False
        self.bytes = 0
        self.problems: list[str] = []

    # Reading what another process left

    def fates(self) -> Iterator[tuple[int, Keys]]:
        """What was decided, in order: a `Fate` or `STORED`, and keys."""
        for name in ("fates.old", "fates.new"):
            for payload in self._read(self._folder / name):
                yield payload[0], np.frombuffer(payload[1 : 1 + len(payload) // 8 * 8], "<u8").astype(np.uint64)

    def spans(self, now: float) -> Iterator[Spans]:
        """What waited, in order; its segments count as written `now`."""
        for path in self._paths():
            for payload in self._read(path):
                try:
                    yield _unpacked(payload)
                except (DamagedChunkError, msgspec.MsgspecError, ValueError, KeyError) as error:
                    self.problems.append(f"{path.name}: spans that waited cannot be read ({error}); they were left out")
            self._segments.append(_Segment(path, now, path.stat().st_size))
        self.bytes = sum(segment.size for segment in self._segments)

    # Writing

    def append(self, spans: Spans, now: float) -> None:
        """After `sync` they are on the disk. `now`: seconds, never going back. Raises `OSError` where the disk refuses, or where
        too much waits; then none of them counts.
        """
        written = b"".join(record(_packed(piece)) for piece in _pieces(spans))
        if self.bytes + len(written) > MOST_BYTES:
            raise OSError(errno.ENOSPC, f"more than {MOST_BYTES >> 20} MiB of spans wait for their traces to be whole")
        with self._lock:
            if self._file is None or now - self._begun >= SEGMENT_SECONDS:
                self._begin(now)
            assert self._file is not None
            assert self._current is not None
            try:
                _write(self._file, written)
            except OSError:
                with contextlib.suppress(OSError):
                    self._file.truncate(self._current.size)
                self._retire()
                raise
            self._current.last = now
            self._current.size += len(written)
            self.bytes += len(written)

    def decide(self, fate: int, keys: Keys) -> None:
        """Notes what became of traces, or that those kept are stored. What a disk refuses is not noted: then they are decided
        again after a kill.
        """
        with self._lock, contextlib.suppress(OSError):
            if self._fates is None or self._fate_count > MOST_FATES:
                self._begin_fates()
            assert self._fates is not None
            whole = os.fstat(self._fates.fileno()).st_size
            try:
                _write(self._fates, record(bytes([fate]) + keys.astype("<u8").tobytes()))
            except OSError:
                self._fates.truncate(whole)
                raise
            self._fate_count += len(keys)

    def sync(self) -> None:
        """Returns when all that was appended before is on the disk. Raises `OSError`."""
        with self._lock:
            retired, files = self._retired, [*self._retired, *([self._file] if self._file is not None else [])]
            self._retired = []
            begun_anew, self._begun_anew = self._begun_anew, False
        try:
            for file in files:
                os.fsync(file.fileno())
            if begun_anew:
                _sync_folder(self._folder)
        except OSError:
            with self._lock:
                self._retired = retired + self._retired
                self._begun_anew = self._begun_anew or begun_anew
            raise
        for file in retired:
            file.close()

    def forget(self, before: float) -> None:
        """Deletes segments whose last span came before that."""
        with self._lock:
            if self._current is not None and self._current.last < before:
                self._retire()
            while self._segments and self._segments[0].last < before:
                segment = self._segments.popleft()
                self.bytes -= segment.size
                with contextlib.suppress(OSError):
                    segment.path.unlink(missing_ok=True)

    @property
    def oldest(self) -> float:
        """When the last span of the oldest segment came; infinity where there is none."""
        with self._lock:
            first = self._segments[0] if self._segments else self._current
            return first.last if first is not None else float("inf")

    def close(self) -> None:
        with self._lock:
            self._retire()
            for file in (*self._retired, *([self._fates] if self._fates is not None else [])):
                with contextlib.suppress(OSError):
                    file.close()
            self._retired, self._fates = [], None

    def _begin(self, now: float) -> None:
        self._retire()
        path = self._folder / f"{self._next:012d}.spans"
        self._next += 1
        self._file, self._current, self._begun = path.open("wb", buffering=0), _Segment(path, now), now
        self._begun_anew = True

    def _retire(self) -> None:
        if self._file is not None and self._current is not None:
            self._retired.append(self._file)
            self._segments.append(self._current)
        self._file = self._current = None

    def _begin_fates(self) -> None:
        new = self._folder / "fates.new"
        if self._fates is not None or self._fates_damaged or (new.exists() and new.stat().st_size > 8 * MOST_FATES):
            if self._fates is not None:
                self._fates.close()
                self._fates = None
            os.replace(new, self._folder / "fates.old")
            self._fates_damaged = False
        self._fates, self._fate_count = new.open("ab", buffering=0), 0

    def _paths(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.spans") if path.stem.isdecimal())

    def _read(self, path: Path) -> Iterator[bytes]:
        if not path.exists():
            return
        with path.open("rb") as file:
            try:
                yield from filter(None, records(file))
            except CutShortError:  # a kill in the middle: nobody was told that it is safe
                self._fates_damaged = self._fates_damaged or path.name == "fates.new"
            except DamagedError as error:
                self._fates_damaged = self._fates_damaged or path.name == "fates.new"
                self.problems.append(f"{path.name}: {error}; the rest of what waited there was left out")


def _write(file: BinaryIO, data: bytes) -> None:
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pieces(spans: Spans) -> Iterator[Spans]:
    """All of them; where they are many bytes, some at a time."""
    step = len(spans) if sum(map(len, spans.details)) <= _PIECE else _SMALL
    for begin in range(0, len(spans), max(step, 1)):
        yield with_own_texts(spans.take(np.arange(begin, min(begin + step, len(spans)))))


def _packed(spans: Spans) -> bytes:
    columns = {name: np.ascontiguousarray(getattr(spans, name), dtype).tobytes() for name, dtype in _DTYPES.items()}
    texts = [text.encode("utf-8", "surrogatepass") for text in spans.texts]
    return zipped(msgspec.msgpack.encode(_Packed(columns, texts, list(spans.details))))


def _unpacked(payload: bytes) -> Spans:
    found = _decode(unzipped(payload))
    columns: dict[str, Any] = {name: np.frombuffer(found.columns[name], dtype) for name, dtype in _DTYPES.items()}
    columns["traces"] = columns["traces"].reshape(-1, 2)
    texts = tuple(text.decode("utf-8", "surrogatepass") for text in found.texts)
    spans = Spans(texts=texts, details=found.details, **columns)
    if {len(spans.details), *map(len, columns.values())} != {len(spans)}:
        raise ValueError("its columns differ in length")
    if any(len(spans) and not 0 <= int(columns[name].max()) < len(texts) for name in TEXT_COLUMNS):
        raise ValueError("it names texts it has not")
    return spans
