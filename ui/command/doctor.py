"""`lightship doctor`: looks at what usually goes wrong; each finding comes with its mend."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import locale
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from monitor.settings import places
from monitor.settings.address import Address
from monitor.settings.load import Settings, SettingsError, load_settings
from ui.command.ask import conversation, stream_url
from ui.command.exits import FAILED, OK, CommandError
from ui.command.show import print_json
from ui.views.format import sanitise

_MARK = {"fine": "ok  ", "hint": "hint", "wrong": "FAIL"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` is what to do, "" when it is fine."""

    verdict: Literal["fine", "hint", "wrong"]
    what: str
    detail: str
    mend: str = ""


def run(arguments: argparse.Namespace) -> int:
    findings = list(examine(arguments.url, arguments.timeout))
    if arguments.json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{_MARK[finding.verdict]}  {finding.what}: {sanitise(finding.detail)}")
            if finding.mend:
                print(f"      → {finding.mend}")
    return FAILED if any(finding.verdict == "wrong" for finding in findings) else OK


def examine(url: str, timeout: float) -> Iterator[Finding]:
    """All findings, in the order in which things depend on one another."""
    yield _python()
    yield from _packages()
    settings, finding = _settings()
    yield finding
    collector = _collector(url, timeout)
    yield collector
    if settings is not None:
        if collector.verdict != "fine":
            yield from _ports(settings)
        yield _data_folder(settings)
        yield from _receive_buffer(settings)
    yield from _screen()


def _python() -> Finding:
    return Finding("fine", "Python", ".".join(map(str, sys.version_info[:3])))


def _packages() -> Iterator[Finding]:
    for what, package, extra in (
        ("collector", "aiohttp", "collector"),
        ("desktop", "PySide6", "desktop"),
        ("terminal", "textual", "terminal"),
    ):
        if importlib.util.find_spec(package) is None:
            yield Finding("hint", what, "is not installed here", f"pip install 'lightship[{extra}]'")
            continue
        name = "PySide6-Essentials" if package == "PySide6" else package
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            version = "?"
        if package == "PySide6" and version.startswith("6.12.0"):
            yield Finding("wrong", what, f"{name} {version} aborts within seconds", f"pip install '{name}>=6.11.3,<6.12'")
        else:
            yield Finding("fine", what, f"{name} {version}")


def _settings() -> tuple[Settings | None, Finding]:
    path = Path(places.config_file(os.environ, sys.platform, str(Path.home())))
    text = ""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        settings = load_settings(text, path.name, os.environ)
    except SettingsError as error:
        return None, Finding("wrong", "settings", str(error), f"edit {path}; 'lightship config check' says when it is right")
    except (OSError, UnicodeDecodeError) as error:
        return None, Finding("wrong", "settings", str(error), f"make {path} readable")
    return settings, Finding("fine", "settings", str(path) if text else "defaults, no configuration file")


def _collector(url: str, timeout: float) -> Finding:
    try:
        stream_url(url, timeout)
        with conversation(url, timeout) as talk:
            return Finding("fine", "running collector", f"{talk.hello.name} at {url}, version {talk.hello.version}")
    except CommandError as error:
        return Finding("hint", "running collector", str(error).split(". ")[0], "lightship up")


def _ports(settings: Settings) -> Iterator[Finding]:
    wanted: list[tuple[str, Address, int]] = [
        ("http", settings["http"], socket.SOCK_STREAM),
        ("stream", settings["stream"], socket.SOCK_STREAM),
        *(("statsd", address, socket.SOCK_DGRAM) for address in settings["statsd"]),
    ]
    for name, address, kind in wanted:
        error = _bind_error(address, kind)
        if error:
            mend = f'give it another address: --{name} 127.0.0.1:PORT, or {name} = "…" in the configuration'
            yield Finding("wrong", f"port for {name}", f"{address} cannot be used ({error})", mend)
        else:
            yield Finding("fine", f"port for {name}", f"{address} is free")


def _bind_error(address: Address, kind: int) -> str:
    try:
        family = socket.getaddrinfo(address.host, address.port, type=kind)[0][0]
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM and os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _data_folder(settings: Settings) -> Finding:
    folder = Path(settings["data"] or places.data_folder(os.environ, sys.platform, str(Path.home()))).expanduser()
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(nearest, os.W_OK):
        return Finding(
            "wrong", "data folder", f"{nearest} is not writable", "choose another with --data DIR, or change its owner"
        )
    free = shutil.disk_usage(nearest).free
    if free < 1 << 30:
        return Finding(
            "wrong", "data folder", f"{folder}: only {free >> 20} MiB free", "free some space, or choose another with --data DIR"
        )
    return Finding("fine", "data folder", f"{folder}, {free >> 30} GiB free")


def _receive_buffer(settings: Settings) -> Iterator[Finding]:
    limit = Path("/proc/sys/net/core/rmem_max")
    if not limit.exists():
        return
    most, wanted = int(limit.read_text()), settings["statsd_buffer"]
    if most < wanted:
        detail = (
            f"the kernel allows {most >> 10} KiB, {wanted >> 10} KiB are wanted: bursts of StatsD may be dropped (and counted)"
        )
        yield Finding("hint", "receive buffer", detail, f"sudo sysctl -w net.core.rmem_max={wanted}")
    else:
        yield Finding("fine", "receive buffer", f"{wanted >> 10} KiB")


def _screen() -> Iterator[Finding]:
    encoding = locale.getpreferredencoding(False)
    if "utf" not in encoding.lower():
        yield Finding("hint", "locale", f"{encoding}: the terminal shows ASCII shapes", "export LANG=C.UTF-8")
    colours = os.environ.get("COLORTERM", "")
    if sys.stdout.isatty():
        depth = "24 bit" if colours in ("truecolor", "24bit") else os.environ.get("TERM", "unknown")
        yield Finding("fine", "terminal", f"{shutil.get_terminal_size().columns} columns, colour: {depth}")
    if importlib.util.find_spec("PySide6") is None:
        return
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not display and sys.platform.startswith("linux"):
        yield Finding("hint", "display", "none here", "use 'lightship tui', also over SSH")
    yield _probe(
        "Qt libraries",
        _QT,
        "packaging/bootstrap, or: sudo apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1",
    )
    yield _probe("fonts", _FONTS, "sudo apt-get install fonts-dejavu-core")


_QT = "import PySide6.QtWidgets as w; a = w.QApplication([]); print('all there')"
_FONTS = """
import sys, PySide6.QtWidgets as w, PySide6.QtGui as g
a = w.QApplication([])
found = g.QFontDatabase.families()
print(len(found), 'families, text in', a.font().family())
sys.exit(not found)
"""


def _probe(what: str, code: str, mend: str, run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> Finding:
    """Try it in a process of its own: a missing library can end the process that meets it."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    try:
        done = run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("wrong", what, str(error), mend)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the test program died"]
        return Finding("wrong", what, lines[-1], mend)
    return Finding("fine", what, done.stdout.strip())
