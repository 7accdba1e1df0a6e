"""The terminal's input, waited for: Textual's own driver looks ten times a second whether a key was pressed."""

from __future__ import annotations

import codecs
import os
import selectors
import threading
import time
from typing import TYPE_CHECKING, Any

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

PENDING = 0.1
"""Seconds between two looks while the rest of a key may still come."""
SETTLED = 1.0
"""Seconds after the last input in which the rest of a key may still come, beyond the delay of Escape."""


class Bell(threading.Event):
    """An event that ends a wait for input too."""

    def __init__(self) -> None:
        super().__init__()
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)

    def set(self) -> None:
        super().set()
        os.write(self._writer, b"!")

    def clear(self) -> None:
        super().clear()
        while _read(self.reader):
            pass


class WaitingDriver(LinuxDriver):
    """Sleeps until a key comes; text that is not UTF-8 is no reason to end, a terminal that went away is one."""

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.exit_event: Bell = Bell()

    def run_input_thread(self) -> None:
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        settled = time.monotonic() + SETTLED
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self.exit_event.reader, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(PENDING if time.monotonic() < settled else None)
                if any(key.fd == self.fileno for key, _ in ready):
                    data = os.read(self.fileno, 4096)
                    if not data:
                        self._loop.call_soon_threadsafe(self._app.exit, 0)
                        return
                    settled = time.monotonic() + SETTLED + constants.ESCAPE_DELAY
                    for message in parser.feed(decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 64)
    except BlockingIOError:
        return b""
