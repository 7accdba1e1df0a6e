"""The whole product under load: 10,000 series (2,000 distributions) at 1 Hz through StatsD, both user interfaces open.

CPU is of one core, in percent; every process is its own. The sender's cost is not counted.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.report import report
from tests.running import ROOT, Collector, collector
from tests.terminal_process import TerminalProcess

SERIES = 10_000
DISTRIBUTIONS = 2_000
WARM_SECONDS = 15.0
SECONDS = 20.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@contextmanager
def sending(port: int) -> Iterator[None]:
    """One sample a series and second, spread over the second."""
    stop = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.connect(("127.0.0.1", port))
            due, turn = time.monotonic(), 0
            while not stop.is_set():
                for part in range(10):
                    for datagram in _datagrams(turn, part):
                        out.send(datagram)
                    due += 0.1
                    time.sleep(max(0.0, due - time.monotonic()))
                turn += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _datagrams(turn: int, part: int) -> Iterator[bytes]:
    lines: list[str] = []
    for number in range(part, SERIES, 10):
        tags = f"#service:s{number % 50},instance:i{number % 200}"
        if number < DISTRIBUTIONS:
            lines.append(f"load.latency.{number}:{10 + (number * 7 + turn * 13) % 90}|ms|{tags}")
        elif number % 2:
            lines.append(f"load.hits.{number}:{1 + number % 5}|c|{tags}")
        else:
            lines.append(f"load.level.{number}:{(number + turn) % 100}|g|{tags}")
        if len(lines) == 20:
            yield "\n".join(lines).encode()
            lines = []
    if lines:
        yield "\n".join(lines).encode()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_mb(pid: int) -> float:
    """Memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def own_figure(one: Collector, name: str) -> float:
    """What the collector says of itself at /metrics."""
    found = re.search(rf"^lightship_{name} (\S+)", one.metrics(), re.MULTILINE)
    return float(found.group(1)) if found else float("nan")


def measure(one: Collector) -> dict[str, object]:
    """The figures, with the sender running."""
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "ui.command.main"]
    terminal = TerminalProcess([*command, "tui", "--url", one.url], 120, 40, environment)
    with subprocess.Popen([*command, "desktop", "--url", one.url], env=environment) as desktop:
        try:
            time.sleep(WARM_SECONDS)
            pids = {"collector": one.pid, "terminal": terminal.process.pid, "desktop": desktop.pid}
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            began, ticks = time.monotonic(), []
            written = terminal.count
            while time.monotonic() - began < SECONDS:
                time.sleep(1.0)
                ticks.append(own_figure(one, "tick_seconds") * 1000)
            took = time.monotonic() - began
            figures: dict[str, object] = {
                "tick_ms_median": round(sorted(ticks)[len(ticks) // 2], 2),
                "tick_ms_max": round(max(ticks), 2),
            }
            for name, pid in pids.items():
                figures[f"{name}_cpu_percent"] = round(100 * (cpu_seconds(pid) - before[name]) / took, 2)
                figures[f"{name}_rss_mb"] = round(resident_mb(pid), 1)
            figures["terminal_bytes_per_s"] = round((terminal.count - written) / took)
            figures["series"] = own_figure(one, "series")
            return figures
        finally:
            desktop.terminate()
            terminal.end()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as one, sending(one.statsd_port):
        figures = measure(one)
    report("product", figures, {"tick_ms_median": (60, 25), "terminal_bytes_per_s": (8_000, 3_000)})


if __name__ == "__main__":
    main()
