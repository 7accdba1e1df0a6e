"""A real collector in a process of its own, on free ports and in a folder of its own, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
ROOT = Path(__file__).parents[1]


class Collector:
    """A running collector. `kill()` is kill -9; `start()` starts it again on the same ports and data."""

    def __init__(self, folder: Path, config: str = "", environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.rules = folder / "rules"
        self.config = folder / "lightship.toml"
        folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config)
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self.http_port, self.stream_port, self.statsd_port = free_port(), free_port(), free_port(socket.SOCK_DGRAM)
        self.otlp_grpc_port, self.otlp_http_port, self.datadog_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it says that it is ready."""
        command = [
            sys.executable,
            "-m",
            "collector",
            "--config",
            str(self.config),
            "--data",
            str(self.data),
            "--rules",
            str(self.rules),
        ]
        for name, port in (("http", self.http_port), ("stream", self.stream_port), ("statsd", self.statsd_port)):
            command += [f"--{name}", f"127.0.0.1:{port}"]
        ports = {"otlp_grpc": self.otlp_grpc_port, "otlp_http": self.otlp_http_port, "datadog": self.datadog_port}
        environment = {f"LIGHTSHIP_{name.upper()}": f"127.0.0.1:{port}" for name, port in ports.items()} | self._environment
        log = (self.folder / "collector.log").open("a")
        with log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=ROOT)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            self.kill()
            raise AssertionError(f"the collector did not start:\n{self.log()}")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def log(self) -> str:
        return (self.folder / "collector.log").read_text()

    def send(self, *lines: str) -> None:
        """StatsD lines, one datagram."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto("\n".join(lines).encode(), ("127.0.0.1", self.statsd_port))

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The `lightship` command against this collector."""
        return subprocess.run(
            [sys.executable, "-m", "ui.command.main", *arguments],
            capture_output=True,
            text=True,
            check=check,
            cwd=ROOT,
            env={**self._environment, "LIGHTSHIP_URL": self.url, "LIGHTSHIP_USER": "mira"},
        )

    def get(self, selector: str, field: str = "value", window: str = "1m") -> dict[str, float | None]:
        """Values by series as `lightship get --json` prints them; empty when nothing matches."""
        done = self.run("get", selector, "--field", field, "--window", window, "--json", check=False)
        if done.returncode not in (0, 5):
            raise AssertionError(done.stderr)
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
        return {entry["name"] + "".join(f",{k}={v}" for k, v in entry["tags"].items()): entry["fields"][field] for entry in found}

    def metrics(self) -> str:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            return str(answer.read().decode())


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port that nobody has at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def collector(folder: Path, config: str = "", environment: dict[str, str] | None = None) -> Iterator[Collector]:
    """A started collector, stopped at the end."""
    one = Collector(folder, config, environment)
    one.start()
    try:
        yield one
    finally:
        one.stop()


def until(holds: Callable[[], Any], what: str, seconds: float = 20.0, pause: float = 0.1) -> Any:
    """Wait until `holds()` is true and return it; fails naming `what` when it never is."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(pause)
