"""`lightship up`: it attaches or starts, ends what it started, falls back, and says what is in the way."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, free_port, until
from tests.terminal_process import TerminalProcess
from ui.command import exits, up
from ui.command.ask import stream_url
from ui.command.exits import CommandError


class Place:
    """Free ports, folders and the command for a trial of its own."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "XDG_STATE_HOME": str(folder),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        self.environment.pop("DISPLAY", None)
        self.environment.pop("WAYLAND_DISPLAY", None)
        self.data = folder / "lightship"
        config = folder / "lightship" / "lightship.toml"
        config.parent.mkdir()
        config.write_text(f'stream = "127.0.0.1:{free_port()}"\nstatsd = "127.0.0.1:{free_port(socket.SOCK_DGRAM)}"\n')

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-m", "ui.command.main", "up", "--url", self.url, *more]

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*more), env=self.environment, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
        )

    def answers(self) -> bool:
        try:
            return bool(stream_url(self.url, 1.0))
        except CommandError:
            return False

    def headless(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command("--ui", "none"),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        until(self.answers, "the collector answers")
        return process


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_alone_it_runs_until_it_is_told_to_end_and_a_second_one_finds_it(place: Place) -> None:
    with place.headless() as process:
        second = place.run("--ui", "none")
        assert (second.returncode, second.stderr) == (exits.OK, "")
        assert "answers" in second.stdout
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.startswith("Running the collector alone.")
    assert "Traceback" not in said


def test_a_port_that_another_program_has_is_named_with_the_way_out(place: Place) -> None:
    port = int(place.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        terminal = TerminalProcess(place.command("--ui", "tui"), 200, 24, place.environment)
        try:
            terminal.process.wait(30)
            terminal.wait_for("lightship up --url")
            said = terminal.text()
        finally:
            terminal.end()
    assert terminal.process.returncode == exits.FAILED
    assert f"127.0.0.1:{port} is taken by another program" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("ending", ["q", "signal"])
def test_the_collector_it_started_ends_with_the_interface(place: Place, ending: str) -> None:
    terminal = TerminalProcess(place.command("--ui", "tui"), 100, 30, place.environment)
    try:
        terminal.wait_for("LIVE")
        assert place.answers()
        if ending == "q":
            terminal.press("q")
        else:
            terminal.process.terminate()
        assert terminal.process.wait(20) == exits.OK
    finally:
        terminal.end()
    assert not place.answers()
    assert (place.data / "collector.log").read_text().count("Traceback") == 0


def test_a_collector_that_is_to_be_kept_stays(place: Place) -> None:
    terminal = TerminalProcess(place.command("--ui", "tui", "--keep"), 100, 30, place.environment)
    try:
        terminal.wait_for("LIVE")
        terminal.press("q")
        assert terminal.process.wait(20) == exits.OK
        assert place.answers()
    finally:
        terminal.end()
        os.kill(int((place.data / "collector.lock").read_text()), signal.SIGTERM)
    until(lambda: not place.answers(), "the collector is gone")


def test_a_desktop_that_cannot_be_opened_gives_way_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(up, "_desktop", lambda url, arguments: 134)
    monkeypatch.setattr(up, "_at_terminal", lambda: True)

    def open_terminal(url: str, who: str, theme: str | None) -> int:
        opened.append(url)
        return exits.OK

    monkeypatch.setattr(up, "open_terminal", open_terminal)
    assert up._open("desktop", "http://here", argparse.Namespace(ui="auto", who="mira", theme=None)) == exits.OK
    assert opened == ["http://here"]
    assert "lightship doctor" in capsys.readouterr().err
    with pytest.raises(CommandError, match="lightship doctor"):
        up._open("desktop", "http://here", argparse.Namespace(ui="desktop", who="mira", theme=None))


def test_only_this_machine_gets_a_collector() -> None:
    wanted = argparse.Namespace(ui="none", url=f"http://192.0.2.1:{free_port()}", config=None, data=None, rules=None)
    with pytest.raises(CommandError) as refusal:
        up.run(wanted)
    assert refusal.value.code == exits.NO_COLLECTOR


def test_an_address_of_another_kind_starts_nothing() -> None:
    with pytest.raises(CommandError) as refusal:
        up.run(argparse.Namespace(ui="none", url="ftp://a", config=None, data=None, rules=None))
    assert refusal.value.code == exits.USAGE
