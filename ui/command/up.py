"""`lightship up`: a collector, started or found, and the best interface for the place where it runs."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from monitor.settings import places
from ui.command.ask import stream_url
from ui.command.exits import FAILED, OK, CommandError
from ui.command.interfaces import open_desktop, open_terminal

START_SECONDS = 30.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def run(arguments: argparse.Namespace) -> int:
    interface = choose_interface(arguments.ui, os.environ, sys.platform, sys.stdin.isatty() and sys.stdout.isatty())
    if _answers(arguments.url):
        if interface == "none":
            print(f"A collector answers at {arguments.url} already. 'lightship status' says how it is doing.")
            return OK
        return _open(interface, arguments.url, arguments)
    if urlsplit(arguments.url).hostname not in _LOOPBACK:
        raise CommandError(f"No collector answers at {arguments.url}, and one can only be started on this machine.", 3)
    if interface == "none":
        return _headless(arguments)
    with _collector(arguments) as url:
        return _open(interface, url, arguments)


def choose_interface(wanted: str, environ: os._Environ[str] | dict[str, str], platform: str, terminal: bool) -> str:
    """desktop, tui or none: a display with Qt installed, else a terminal with Textual installed, else nothing."""
    if wanted != "auto":
        return wanted
    display = platform in ("win32", "darwin") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    if display and not environ.get("SSH_CONNECTION") and importlib.util.find_spec("PySide6") is not None:
        return "desktop"
    if terminal and importlib.util.find_spec("textual") is not None:
        return "tui"
    return "none"


def _answers(url: str) -> bool:
    try:
        return bool(stream_url(url, timeout=2.0))
    except CommandError:
        return False


def _open(interface: str, url: str, arguments: argparse.Namespace) -> int:
    if interface == "desktop":
        return open_desktop(url, arguments.who, arguments.theme)
    return open_terminal(url, arguments.who, arguments.theme)


def _command(arguments: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "collector"]
    for flag in ("config", "data", "rules"):
        if given := getattr(arguments, flag):
            command += [f"--{flag}", given]
    address = urlsplit(arguments.url)
    if address.scheme == "http" and address.port and address.port != 7070:
        command += ["--http", f"{address.hostname}:{address.port}"]
    return command


def _headless(arguments: argparse.Namespace) -> int:
    print("No display and no terminal here: running the collector alone. Ctrl C stops it.", flush=True)
    with subprocess.Popen(_command(arguments)) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return process.wait()


@contextmanager
def _collector(arguments: argparse.Namespace) -> Iterator[str]:
    """A collector as a child; gives its HTTP address and stops it at the end, unless it is to be kept."""
    log_path = Path(arguments.data or places.data_folder(os.environ, sys.platform, str(Path.home())), "collector.log")
    log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            _command(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
        try:
            yield _ready(process, log_path)
        finally:
            if not arguments.keep:
                _stop(process)


def _ready(process: subprocess.Popen[str], log_path: Path) -> str:
    """Wait for the collector's ready line; its words and the end of its log when it dies instead."""
    assert process.stdout is not None
    line = _first_line(process.stdout, time.monotonic() + START_SECONDS)
    if line.startswith("ready "):
        return line.split()[1]
    _stop(process)
    said = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
    raise CommandError("The collector did not start:\n  " + "\n  ".join(said or ["it said nothing"]), FAILED)


def _first_line(stream: IO[str], until: float) -> str:
    import selectors

    if os.name != "posix":
        return stream.readline()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return stream.readline() if selector.select(max(0.0, until - time.monotonic())) else ""


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
