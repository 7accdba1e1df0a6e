"""A program in a pseudo-terminal: what it wrote, how much, and its size changed while it runs."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time

from tests.running import until

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|.)", re.DOTALL)

_TAKE_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""A new session has no controlling terminal: take ours, as a login would, and become the program."""


class TerminalProcess:
    """Runs a command in a terminal of the given size and reads all it writes."""

    def __init__(self, command: list[str], columns: int = 80, lines: int = 24, environment: dict[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        self._size(columns, lines)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
        os.close(slave)
        self._written = bytearray()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self._answer(data)
            with self._lock:
                self._written += data

    def _answer(self, data: bytes) -> None:
        """What any terminal answers when it is asked who it is; programs wait for that."""
        if b"\x1b[c" in data:
            os.write(self._master, b"\x1b[?62;c")

    def text(self, since: int = 0) -> str:
        """All that was written since that many bytes, without escape sequences."""
        with self._lock:
            data = bytes(self._written[since:])
        return _ESCAPE.sub("", data.decode("utf-8", "replace"))

    @property
    def count(self) -> int:
        """Bytes written so far."""
        with self._lock:
            return len(self._written)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the size; the kernel tells the program."""
        self._size(columns, lines)

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def wait_for(self, words: str, since: int = 0, seconds: float = 20.0) -> None:
        try:
            until(lambda: words in self.text(since), f"the terminal shows {words!r}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it wrote {self.text(since)[-2000:]!r}") from None

    def rate(self, seconds: float) -> float:
        """Bytes a second that it writes in the next so many seconds."""
        before = self.count
        time.sleep(seconds)
        return (self.count - before) / seconds

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        self._reader.join(2)
        os.close(self._master)
