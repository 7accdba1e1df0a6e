"""Whether the database's write-ahead log lost something that was committed: SQLite stops at a damaged frame and says nothing.

Format: https://www.sqlite.org/walformat.html. A kill leaves frames without a commit behind the last whole one; a commit behind it
can only be damage.
"""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import numpy as np

_HEADER, _FRAME = 32, 24
_MAGICS = (0x377F0682, 0x377F0683)


def lost_commits(path: Path) -> int:
    """How many transactions in the log of a database that nobody has open are beyond what SQLite can read of it."""
    commits = _commits(Path(f"{path}-wal"))
    if not len(commits):
        return 0
    try:
        connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode").fetchone()
            readable = int(connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError):  # opening it in earnest tells more
        return 0
    return int((commits > max(0, readable)).sum())


def _commits(log: Path) -> np.typing.NDArray[np.int64]:
    """Numbers, from one, of the frames that end a transaction, by their headers."""
    try:
        data = np.memmap(log, np.uint8, "r")
    except (OSError, ValueError):  # none, or empty
        return np.empty(0, np.int64)
    if len(data) < _HEADER + _FRAME:
        return np.empty(0, np.int64)
    header = data[:_HEADER].tobytes()
    (size,) = struct.unpack_from(">I", header, 8)
    if not _is_whole(header):
        return np.ones(1, np.int64) * (1 << 40)  # the log's own header is damaged: all of it is lost
    count = (len(data) - _HEADER) // (_FRAME + size)
    frames = np.lib.stride_tricks.as_strided(data[_HEADER:], (count, _FRAME), (_FRAME + size, 1))
    of_this_log = np.all(frames[:, 8:16] == np.frombuffer(header[16:24], np.uint8), axis=1)
    commits = np.any(frames[:, 4:8], axis=1)
    # Frames of an earlier round of the log follow those of this one.
    end = int(np.flatnonzero(of_this_log).max(initial=-1)) + 1
    found: np.typing.NDArray[np.int64] = np.flatnonzero(commits[:end] & of_this_log[:end]) + 1
    return found


def _is_whole(header: bytes) -> bool:
    """Whether the log's own header is what was written, by its checksum (section 4.2 of the format)."""
    magic = struct.unpack_from(">I", header)[0]
    if magic not in _MAGICS:
        return False
    words = struct.unpack_from(">6I" if magic & 1 else "<6I", header)
    first = second = 0
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return (first, second) == struct.unpack_from(">2I", header, 24)
