"""The file format of the journal: a magic line, which run wrote it and as which of its segments, and records with checksums.

A record is (length, CRC-32, packed delta). The first names all live series. A segment that was closed ends with an empty record:
what was being written when the process died is cut off, and the reader knows that it was.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from collector.storage.delta_codec import DamagedError

MAGIC = b"lightship journal 2\n"
HEAD = struct.Struct("<II")
END = HEAD.pack(0, 0)
_MAX_RECORD = 64 << 20
_ORIGIN = struct.Struct("<8sIdI")
HEADER_BYTES = len(MAGIC) + _ORIGIN.size


class CutShortError(DamagedError):
    """The process or the machine stopped while the last record was being written."""


class OtherFormatError(ValueError):
    """The file does not begin as a segment does."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which run of the collector wrote a segment, and as which of its segments, counted from 0.

    `last`: time of its last delta, known of condensed segments only.
    """

    run: bytes
    number: int
    last: float = 0.0

    def follows(self, other: Origin | None) -> bool:
        """Whether this one begins where the other, read to its end, has ended."""
        return other is not None and self.run == other.run and self.number == other.number + 1


def header(origin: Origin) -> bytes:
    packed = _ORIGIN.pack(origin.run, origin.number, origin.last, 0)[:-4]
    return MAGIC + packed + struct.pack("<I", zlib.crc32(packed))


def record(packed: bytes) -> bytes:
    return HEAD.pack(len(packed), zlib.crc32(packed)) + packed


def read_header(file: BinaryIO) -> Origin | None:
    """Where the segment comes from, None when that is damaged. Raises `OtherFormatError`."""
    if file.read(len(MAGIC)) != MAGIC:
        raise OtherFormatError
    data = file.read(_ORIGIN.size)
    if len(data) < _ORIGIN.size:
        return None
    run, number, last, checksum = _ORIGIN.unpack(data)
    return Origin(run, number, last) if zlib.crc32(data[:-4]) == checksum else None


def records(file: BinaryIO) -> Iterator[bytes]:
    """Payloads up to the end; the last is empty when the segment was closed. Raises `DamagedError`."""
    while head := file.read(HEAD.size):
        if len(head) < HEAD.size:
            raise CutShortError("the last record is cut short")
        length, checksum = HEAD.unpack(head)
        if length > _MAX_RECORD:
            raise DamagedError("a record has an impossible length")
        packed = file.read(length)
        if len(packed) < length:
            raise CutShortError("the last record is cut short")
        if zlib.crc32(packed) != checksum:
            raise DamagedError("a record does not match its checksum")
        yield packed
        if not length:
            return
