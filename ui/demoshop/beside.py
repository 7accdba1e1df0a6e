"""The simulated shop beside a collector that `lightship up --demo` starts: its folder, its ports and its process."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from monitor.settings import places
from ui.demoshop.rules import CONFIG, RULES
from ui.demoshop.sending import Addresses

LOOPBACK = "127.0.0.1"
STOPS_IN = 8.0
"""Seconds that the shop may take to end."""


class Port(NamedTuple):
    """A setting of the collector, the port it has by itself, and the socket's kind."""

    setting: str
    usual: int
    kind: int


PORTS = (
    Port("stream", 7071, socket.SOCK_STREAM),
    Port("statsd", 8125, socket.SOCK_DGRAM),
    Port("otlp_grpc", 4317, socket.SOCK_STREAM),
    Port("otlp_http", 4318, socket.SOCK_STREAM),
    Port("datadog", 8126, socket.SOCK_STREAM),
)


@dataclass(frozen=True, slots=True)
class Folder:
    """What the demonstration's collector reads and writes, apart from a person's own."""

    data: Path
    rules: Path
    config: Path


def folder(data: str | None, rules: str | None, config: str | None, environ: Mapping[str, str]) -> Folder:
    """As given, else a folder `lightship-demo` beside the usual one. Rules and settings are written where there are none.

    Raises `OSError`.
    """
    usual = Path(places.data_folder(environ, sys.platform, str(Path.home())))
    place = Path(data) if data else usual.with_name(usual.name + "-demo")
    found = Folder(place, Path(rules) if rules else place / "rules", Path(config) if config else place / "lightship.toml")
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not rules:
        found.rules.mkdir(exist_ok=True)
        _write_missing(found.rules / "shop.toml", RULES)
    if not config:
        _write_missing(found.config, CONFIG)
    return found


def _write_missing(path: Path, text: str) -> None:
    with contextlib.suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(text)


def ports(environ: Mapping[str, str], wanted: tuple[Port, ...] = PORTS) -> dict[str, str]:
    """Addresses by environment variable: each protocol's own port, or any free one where another program has that.

    So the shop speaks to this collector alone, and to no other program's agent. Variables that are set already stand.
    """
    found: dict[str, str] = {}
    for setting, usual, kind in wanted:
        name = "LIGHTSHIP_" + setting.upper()
        if name not in environ:
            found[name] = f"{LOOPBACK}:{usual if _free(usual, kind) else _any(kind)}"
    return found


def _free(port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM and os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the collector does: closed connections do not count
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _any(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def addresses(url: str, environ: Mapping[str, str]) -> Addresses:
    """Where a collector with this environment listens; what is off goes to its HTTP side; of several the first counts."""

    def first(setting: str) -> str:
        said = environ.get("LIGHTSHIP_" + setting.upper(), "").split(",")[0].strip()
        return f"{LOOPBACK}:{said.lstrip(':')}" if said.lstrip(":").isdigit() else said if ":" in said else ""

    usual = Addresses()
    otlp, datadog = first("otlp_http"), first("datadog")
    return Addresses(
        first("statsd") or usual.statsd, f"http://{otlp}" if otlp else url, f"http://{datadog}" if datadog else url, url
    )


@contextmanager
def shop(to: Addresses, collector: int) -> Iterator[None]:
    """The simulated shop as a child. It ends here, or with this process however that ends, and then ends the collector too.

    `collector`: its process.
    """
    command = [sys.executable, "-m", "ui.demoshop", "--statsd", to.statsd, "--otlp", to.otlp, "--datadog", to.datadog]
    command += ["--http", to.http, "--while-stdin", "--ends", str(collector)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOPS_IN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
