"""`lightship up`: a collector, started or found, and the best interface for the place where it runs."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from monitor.settings import places
from ui.command.ask import stream_url, with_scheme
from ui.command.exits import FAILED, NO_COLLECTOR, OK, USAGE, CommandError
from ui.command.interfaces import open_terminal
from ui.command.show import complain
from ui.views.format import sanitise

START_SECONDS = 30.0
EARLY_SECONDS = 10.0
"""A window that ends with an error within this time never came up."""
LOG_BYTES = 1 << 20
"""A longer log gives way to a new one at the next start; one before is kept."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def run(arguments: argparse.Namespace) -> int:
    interface = choose_interface(arguments.ui, os.environ, sys.platform, _at_terminal())
    if getattr(arguments, "demo", False):
        return _demo(interface, arguments)
    if _answers(arguments.url):
        if interface == "none":
            print(f"A collector answers at {arguments.url} already. 'lightship status' says how it is doing.")
            return OK
        return _open(interface, arguments.url, arguments)
    _startable(arguments.url)
    if interface == "none":
        return _headless(arguments)
    with _collector(arguments) as (url, _):
        return _open(interface, url, arguments)


def _startable(url: str) -> None:
    """Raises `CommandError` where no collector can be started for this address."""
    if urlsplit(with_scheme(url)).hostname not in _LOOPBACK:
        raise CommandError(f"No collector answers at {url}, and one can only be started on this machine.", NO_COLLECTOR)
    if importlib.util.find_spec("aiohttp") is None:
        raise CommandError("No collector runs, and none is installed here; install lightship[collector].")


def _demo(interface: str, arguments: argparse.Namespace) -> int:
    """A collector and a simulated shop that sends to it; both end with the interface."""
    from ui.demoshop import beside

    if arguments.keep:
        raise CommandError("--demo ends with its interface and cannot be kept; leave --keep out.", USAGE)
    if _answers(arguments.url):
        raise CommandError(
            f"A collector runs at {arguments.url} already, and the demonstration has one of its own, so that nothing simulated "
            "gets among your data. Give it another port: 'lightship up --demo --url http://127.0.0.1:7170'."
        )
    _startable(arguments.url)
    try:
        folder = beside.folder(arguments.data, arguments.rules, arguments.config, os.environ)
    except OSError as error:
        raise CommandError(
            f"{error.filename} cannot be written ({error.strerror}). Choose another folder with --data DIR."
        ) from None
    own = argparse.Namespace(
        **{**vars(arguments), "data": str(folder.data), "rules": str(folder.rules), "config": str(folder.config)}
    )
    environment = {**os.environ, **beside.ports(os.environ)}
    print(f"This is a simulated shop; nothing here is real. Its data are in {folder.data}.", flush=True)
    with _collector(own, environment) as (url, process), beside.shop(beside.addresses(url, environment), process.pid):
        if process.poll() is not None:
            raise CommandError(
                f"Another collector came to {url} meanwhile. Run it again with another port: --url http://127.0.0.1:7170."
            )
        if interface != "none":
            return _open(interface, url, arguments)
        print(f"The collector answers at {url}. Ctrl C ends both.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            raise CommandError(
                f"The collector ended by itself (exit code {process.wait()}); see {folder.data / 'collector.log'}."
            )
        return OK


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


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
    except CommandError as error:
        if error.code == USAGE:
            raise
        return False


def _open(interface: str, url: str, arguments: argparse.Namespace) -> int:
    if interface == "tui":
        return open_terminal(url, arguments.who, arguments.theme)
    began = time.monotonic()
    code = _desktop(url, arguments)
    if code and arguments.ui == "auto" and time.monotonic() - began < EARLY_SECONDS and _at_terminal():
        complain("The desktop window could not be opened ('lightship doctor' says why). This is the terminal interface.")
        return open_terminal(url, arguments.who, arguments.theme)
    if code:
        raise CommandError(
            "The desktop window did not end well. 'lightship doctor' looks for the cause; see also 'lightship tui'."
        )
    return OK


def _desktop(url: str, arguments: argparse.Namespace) -> int:
    """The desktop window in a process of its own: a library that is missing can end the process that looks for it."""
    command = [sys.executable, "-m", "ui.command.main", "desktop", "--url", url, "--who", arguments.who]
    return subprocess.call([*command, *(("--theme", arguments.theme) if arguments.theme else ())])


def _command(arguments: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "collector"]
    for flag in ("config", "data", "rules"):
        if given := getattr(arguments, flag):
            command += [f"--{flag}", given]
    address = urlsplit(with_scheme(arguments.url))
    if address.scheme == "http" and address.port and address.port != 7070:
        command += ["--http", f"{address.hostname}:{address.port}"]
    return command


def _headless(arguments: argparse.Namespace) -> int:
    why = "" if arguments.ui == "none" else "No display and no terminal here: "
    print(f"{why}{'r' if why else 'R'}unning the collector alone. Ctrl C stops it.", flush=True)
    if os.name == "posix":
        os.execv(sys.executable, _command(arguments))
    return subprocess.call(_command(arguments))


@contextmanager
def _collector(
    arguments: argparse.Namespace, environment: dict[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A collector as a child; gives its HTTP address and its process, and stops it at the end, unless it is to be kept."""
    log_path = Path(arguments.data or places.data_folder(os.environ, sys.platform, str(Path.home())), "collector.log")
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if log_path.exists() and log_path.stat().st_size > LOG_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        log = log_path.open("ab")
    except OSError as error:
        raise CommandError(f"{log_path} cannot be written ({error.strerror}). Choose another folder with --data DIR.") from None
    with log, _ended_by_signals():
        begins = log.tell()
        process = subprocess.Popen(
            _command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            env=environment,
        )
        keep = False
        try:
            url = _ready(process, log_path, begins, arguments)
            keep = bool(arguments.keep)
            yield url, process
        finally:
            if not keep:
                _stop(process)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a terminal that is closed end this as Ctrl C does: the collector is stopped then too."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ready(process: subprocess.Popen[str], log_path: Path, begins: int, arguments: argparse.Namespace) -> str:
    """Wait for the collector's ready line; its words and the end of its log when it dies instead."""
    assert process.stdout is not None
    line = _first_line(process.stdout, time.monotonic() + START_SECONDS)
    if line.startswith("ready "):
        return line.split()[1]
    _stop(process)
    if _answers(arguments.url):
        return str(arguments.url)  # somebody else was quicker
    with log_path.open("rb") as log:
        log.seek(begins)
        said = log.read(65536).decode("utf-8", "replace").strip().splitlines()[-5:]
    words = "\n  ".join(sanitise(text.removeprefix("lightship: ")) for text in said or ["it said nothing"])
    raise CommandError(
        f"The collector did not start:\n  {words}\nAnother port: 'lightship up --url http://127.0.0.1:PORT'; the others are "
        f"set in {arguments.config or places.config_file(os.environ, sys.platform, str(Path.home()))}. Its log: {log_path}",
        FAILED,
    )


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
