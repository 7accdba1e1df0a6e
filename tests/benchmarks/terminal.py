"""The terminal interface at 1 Hz with four charts, 120x40, in a pseudo-terminal: CPU, bytes and first frame; btop beside it.

A real collector in a process of its own feeds it with this host and 40 series of a program; its cost is not counted.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.product import cpu_seconds, resident_mb
from tests.benchmarks.report import Bars, report
from tests.running import ROOT, Collector, collector, until
from tests.terminal_process import TerminalProcess

COLUMNS, LINES = 120, 40
STARTS = 5
WARM_SECONDS = 12.0
SECONDS = 30.0


def environment() -> dict[str, str]:
    """A terminal of full colour, and Python as users run it: compiled modules are kept from the first start on."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}


@contextmanager
def sending(one: Collector) -> Iterator[None]:
    """A program with 40 series, each written once a second."""
    stop = threading.Event()

    def send() -> None:
        turn = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not stop.wait(1.0):
                turn += 1
                for service in range(10):
                    tags = f"|#service:s{service}"
                    lines = [
                        f"demo.requests:{10 + service * 7 + turn % 5}|c{tags}",
                        f"demo.latency:{20 + (turn * 13 + service * 7) % 60}|ms{tags}",
                        f"demo.queue:{(turn + service) % 40}|g{tags}",
                        f"demo.errors:{turn % 3}|c{tags}",
                    ]
                    out.sendto("\n".join(lines).encode(), ("127.0.0.1", one.statsd_port))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def starting(command: list[str], words: str) -> float:
    """Seconds from the start of a process until it has written these words."""
    began = time.monotonic()
    terminal = TerminalProcess(command, COLUMNS, LINES, environment())
    try:
        until(lambda: words in terminal.text(), f"it shows {words!r}", pause=0.005)
        return time.monotonic() - began
    finally:
        terminal.end()


def steady(command: list[str], more: dict[str, str] | None = None) -> tuple[float, float, float]:
    """CPU in percent of a core, bytes a second and MB of memory, once it runs."""
    terminal = TerminalProcess(command, COLUMNS, LINES, {**environment(), **(more or {})})
    try:
        time.sleep(WARM_SECONDS)
        pid = terminal.process.pid
        spent, written, began = cpu_seconds(pid), terminal.count, time.monotonic()
        time.sleep(SECONDS)
        took = time.monotonic() - began
        return 100 * (cpu_seconds(pid) - spent) / took, (terminal.count - written) / took, resident_mb(pid)
    finally:
        terminal.end()


def measure(one: Collector) -> dict[str, object]:
    """The figures, with the sender running."""
    command = [sys.executable, "-m", "ui.command.main", "tui", "--url", one.url]
    time.sleep(3.0)
    frames = sorted(starting(command, "Lightship") for _ in range(STARTS))
    filled = sorted(starting(command, "demo.requests") for _ in range(STARTS))
    cpu, rate, memory = steady(command)
    figures: dict[str, object] = {
        "cpu_percent": round(cpu, 2),
        "bytes_per_s": round(rate),
        "first_frame_s": round(frames[STARTS // 2], 3),
        "first_data_s": round(filled[STARTS // 2], 3),
        "rss_mb": round(memory, 1),
        "btop_cpu_percent": None,
        "btop_bytes_per_s": None,
    }
    btop = shutil.which("btop")
    if btop is not None:
        with tempfile.TemporaryDirectory() as home:
            settings = Path(home, "btop", "btop.conf")
            settings.parent.mkdir()
            settings.write_text("update_ms = 1000\n")
            peer_cpu, peer_rate, _ = steady([btop, "--utf-force"], {"XDG_CONFIG_HOME": home})
        figures |= {"btop_cpu_percent": round(peer_cpu, 2), "btop_bytes_per_s": round(peer_rate)}
    return figures


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as one, sending(one):
        figures = measure(one)
    bars: Bars = {"cpu_percent": (1.5, 0.7), "bytes_per_s": (8_000, 3_000), "first_frame_s": (0.8, 0.4)}
    report("terminal", figures, bars)


if __name__ == "__main__":
    main()
