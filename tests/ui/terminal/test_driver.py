"""Keys are waited for, not looked for; bytes that are no text and a terminal that goes away are taken calmly."""

from __future__ import annotations

import asyncio
import os
import pty
import threading
import tty
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from textual import events
from textual.message import Message

from tests.running import until

pytest.importorskip("termios")

from ui.terminal.driver import Bell, WaitingDriver


class Listening:
    """A driver reading a pseudo-terminal, without an application: it notes what it heard."""

    def __init__(self) -> None:
        self.keyboard, self.terminal = pty.openpty()
        tty.setraw(self.terminal)
        self.heard: list[Message] = []
        self.left: list[int] = []
        driver = self.driver = WaitingDriver.__new__(WaitingDriver)
        driver._debug = False
        driver.fileno = self.terminal
        driver.exit_event = Bell()
        driver._loop = cast("asyncio.AbstractEventLoop", self)
        driver._app = cast("Any", self)
        setattr(driver, "process_message", self.heard.append)  # noqa: B010
        self.thread = threading.Thread(target=driver.run_input_thread)
        self.thread.start()

    def call_soon_threadsafe(self, function: Callable[..., object], *arguments: object) -> None:
        function(*arguments)

    def exit(self, code: int) -> None:
        self.left.append(code)

    def pressed(self) -> list[str]:
        return [message.key for message in self.heard if isinstance(message, events.Key)]

    def end(self) -> None:
        self.driver.exit_event.set()
        self.thread.join(5)
        for descriptor in (self.keyboard, self.terminal):
            os.close(descriptor)


@pytest.fixture
def listening() -> Iterator[Listening]:
    one = Listening()
    yield one
    one.end()
    assert not one.thread.is_alive()


def test_keys_are_heard_and_escape_alone_too(listening: Listening) -> None:
    os.write(listening.keyboard, b"a\x1b[A")
    until(lambda: listening.pressed() == ["a", "up"], "two keys are heard")
    os.write(listening.keyboard, b"\x1b")
    until(lambda: "escape" in listening.pressed(), "escape is heard")


def test_bytes_that_are_no_text_end_nothing(listening: Listening) -> None:
    os.write(listening.keyboard, b"\xe9\xffb")
    until(lambda: "b" in listening.pressed(), "what comes after is heard")


def test_a_wait_without_end_is_ended_by_the_bell(listening: Listening) -> None:
    listening.driver.exit_event.set()
    listening.thread.join(5)
    assert not listening.thread.is_alive()
    listening.driver.exit_event.clear()
    assert not listening.driver.exit_event.is_set()
