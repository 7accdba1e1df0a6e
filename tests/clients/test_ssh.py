"""The terminal interface through a real sshd: it resizes, is quiet, and survives the collector's restart."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.sshd import sshd
from tests.running import ROOT, Collector, collector
from tests.terminal_process import TerminalProcess

QUIET_BYTES = 16_000
"""Bytes a second over SSH at 80x24 that are far too many; the benchmark has the real figure."""


@pytest.fixture
def over_ssh(tmp_path: Path) -> Iterator[tuple[Collector, TerminalProcess]]:
    with collector(tmp_path) as one, sshd(tmp_path) as ssh:
        remote = f"cd '{ROOT}' && TERM=xterm-256color LANG=C.UTF-8 '{sys.executable}' -m ui.command.main tui --url {one.url}"
        terminal = TerminalProcess([*ssh, remote], 80, 24)
        try:
            yield one, terminal
        finally:
            terminal.end()


@pytest.mark.peer
def test_the_terminal_interface_lives_through_ssh(over_ssh: tuple[Collector, TerminalProcess]) -> None:
    one, terminal = over_ssh
    terminal.wait_for("LIVE")
    terminal.wait_for("CPU")

    seen = terminal.count
    terminal.resize(120, 40)
    terminal.wait_for("Ctrl K commands", since=seen)  # the key row has room for it now

    assert terminal.rate(5.0) < QUIET_BYTES

    seen = terminal.count
    one.kill()
    terminal.wait_for("blind", since=seen)
    seen = terminal.count
    one.start()
    terminal.wait_for("is back", since=seen)

    terminal.press("q")
    terminal.process.wait(10)
    assert one.get("host.cpu.busy")["host.cpu.busy"] is not None
