"""Small kernel files read again and again through a descriptor that is kept open."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

_FIRST_SIZE = 16 * 1024
_MAX_SIZE = 4 * 1024 * 1024
_RETRY_AFTER = 30


@dataclass(slots=True)
class HostCounters:
    """What the host receiver could not do since the start, and how many things of each kind it leaves out now.

    `unanswered` counts questions to network file systems that were still open when the next one was due.
    """

    unreadable_files: int = 0
    unanswered: int = 0
    failed_readings: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


class KeptFile:
    """A file of /proc or /sys. A missing or unreadable one reads as None and is tried again now and then."""

    def __init__(self, path: str, counters: HostCounters) -> None:
        self._path = path
        self._counters = counters
        self._descriptor = -1
        self._size = _FIRST_SIZE
        self._pause = 0

    def read(self) -> bytes | None:
        """The whole content (at most 4 MiB), or None."""
        if self._pause:
            self._pause -= 1
            return None
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return self._whole()
        except FileNotFoundError:
            self._give_up()
        except OSError:
            self._counters.unreadable_files += 1
            self._give_up()
        return None

    def _whole(self) -> bytes:
        content = os.pread(self._descriptor, self._size, 0)
        while len(content) >= self._size < _MAX_SIZE:
            self._size *= 4
            content = os.pread(self._descriptor, self._size, 0)
        return content

    def _give_up(self) -> None:
        self._pause = _RETRY_AFTER
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_once(path: str, limit: int = 4096) -> bytes | None:
    """The first `limit` bytes of a file, or None where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, limit)
    except OSError:
        return None
    finally:
        os.close(descriptor)
