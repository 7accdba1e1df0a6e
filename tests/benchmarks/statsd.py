"""What a million StatsD lines cost: CPU of a child process from the UDP socket to the engine's windows, beside node statsd.

Tagged lines, half counters, a fifth gauges, the rest timers, in datagrams of at most 1432 bytes. The same datagrams go to
npm's `statsd` in the same run where node and npm are there. Prints one JSON line last.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.benchmarks.report import report

BAR, AIM = 1.5, 0.4
DATAGRAM = 1432
HOST = "127.0.0.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lightship-bench" / "npm"
COUNTERS = (
    "http.requests",
    "http.errors",
    "cache.hits",
    "cache.misses",
    "queue.published",
    "db.rows",
    "http.bytes_out",
    "jobs.done",
)
GAUGES = ("queue.depth", "pool.in_use", "mem.heap_mb")
TIMERS = ("http.latency", "db.query_time", "cache.get_time", "render.time", "rpc.call_time")
NODE_BACKEND = """
const fs = require('fs'); let lines = 0;
exports.init = (start, config, events) => {
  events.on('flush', (time, metrics) => {
    lines += metrics.counters['statsd.metrics_received'] || 0;
    fs.writeFileSync(config.countFile, String(lines));
  });
  return true;
};
"""


@dataclass(frozen=True)
class Payload:
    """Datagrams to be sent round and round; `lines` of each."""

    datagrams: list[bytes]
    lines: list[int]


class Peer(Protocol):
    """A running receiver: its process, its port, and how many lines it says it has got."""

    pid: int
    port: int

    def lines(self) -> int: ...


def payload(series: int) -> Payload:
    """Six samples or more of each series in random order, the same in every run."""
    rng = random.Random(7)
    names = [(n, "c") for n in COUNTERS] + [(n, "g") for n in GAUGES] + [(n, "ms") for n in TIMERS]
    keys = []
    for i in range(series):
        name, kind = names[i % len(names)]
        place = i // len(names)
        tags = f"env:prod,region:{'eu-west-1' if place % 2 else 'us-east-1'},service:svc{place % 20},host:web{place // 20:02d}"
        keys.append((f"shop.{name}", kind, tags))
    draw = {"c": lambda: str(rng.choice((1, 1, 1, 2, 5, 128))), "g": lambda: f"{rng.random() * 900:.1f}"}
    datagrams: list[bytes] = []
    lines: list[int] = []
    body, count = b"", 0
    for _ in range(max(6, 60_000 // series)):
        for name, kind, tags in rng.sample(keys, series):
            value = draw.get(kind, lambda: f"{rng.lognormvariate(3, 1):.3f}")()
            line = f"{name}:{value}|{kind}|#{tags}".encode()
            if len(body) + len(line) + 1 > DATAGRAM:
                datagrams.append(body)
                lines.append(count)
                body, count = b"", 0
            body, count = (body + b"\n" + line if body else line), count + 1
    return Payload([*datagrams, body], [*lines, count])


def send(data: Payload, port: int, rate: float, seconds: float) -> int:
    """Sends about `rate` lines a second, paced by the hundredth of a second; the lines sent."""
    sent = place = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            while sent < rate * (passed + 0.01):
                sock.send(data.datagrams[place])
                sent += data.lines[place]
                place = (place + 1) % len(data.datagrams)
            time.sleep(0.01)
    return sent


def cpu(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled(peer: Peer, wanted: int, pause: float) -> int:
    """Lines the peer has counted, once it has all or has not got more for two pauses."""
    last, same = -1, 0
    while same < 2:
        now = peer.lines()
        if now >= wanted:
            return now
        same = same + 1 if now == last else 0
        last = now
        time.sleep(pause)
    return last


def measure(peer: Peer, data: Payload, rate: float, seconds: float, runs: int, pause: float) -> dict[str, float]:
    """Median CPU seconds per million lines received, and the worst loss of a run."""
    warm = send(data, peer.port, rate, 1.0)
    settled(peer, warm, pause)
    costs, losses = [], []
    for _ in range(runs):
        before, busy = peer.lines(), cpu(peer.pid)
        sent = send(data, peer.port, rate, seconds)
        got = settled(peer, before + sent, pause) - before
        costs.append((cpu(peer.pid) - busy) / max(got, 1) * 1e6)
        losses.append(1 - got / sent)
    return {"cpu_s_per_m_lines": round(statistics.median(costs), 3), "loss": round(max(losses), 5)}


def parsing(data: Payload, runs: int) -> float:
    """CPU seconds per million lines of the parser alone, once it knows the series; the best run."""
    from collector.receivers.statsd import StatsdParser

    parser = StatsdParser()
    costs = []
    for _ in range(runs + 1):
        busy = time.process_time()
        for place in range(0, len(data.datagrams), 128):
            parser.feed(data.datagrams[place : place + 128], 1.0)
        costs.append((time.process_time() - busy) / sum(data.lines) * 1e6)
    return round(min(costs[1:]), 3)


class Ours:
    """The product's listener and engine in a child process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid
        self.port = int(self._ask())

    def _ask(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def lines(self) -> int:
        return int(self._ask())


@contextmanager
def ours() -> Iterator[Peer]:
    command = [sys.executable, "-m", "tests.benchmarks.statsd", "--receive"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Ours(process)
        finally:
            process.kill()


class Node:
    """npm's statsd; its count comes with each flush, once a second."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, count: Path) -> None:
        self.pid = process.pid
        self.port = port
        self._count = count

    def lines(self) -> int:
        return int(self._count.read_text() or 0) if self._count.exists() else 0


def why_no_node() -> str:
    """Why npm's statsd cannot be run, "" if it can; installs it into the user's cache the first time."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "node and npm are not installed"
    if not (CACHE / "node_modules" / "statsd" / "stats.js").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(CACHE), "--no-audit", "--no-fund", "--omit=optional", "statsd@0.9.0"]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            return "npm install statsd failed: " + (ran.stderr.strip().splitlines() or ["no message"])[-1][:200]
    return ""


@contextmanager
def node() -> Iterator[Peer]:
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
        free.close()
        folder = Path(name)
        (folder / "backend.js").write_text(NODE_BACKEND)
        config = {
            "port": port,
            "address": HOST,
            "mgmt_port": port,
            "mgmt_address": HOST,
            "flushInterval": 1000,
            "percentThreshold": [50, 90, 99],
            "backends": [str(folder / "backend.js")],
            "countFile": str(folder / "count"),
        }
        (folder / "config.js").write_text(json.dumps(config))
        command = ["node", str(CACHE / "node_modules" / "statsd" / "stats.js"), str(folder / "config.js")]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                deadline = time.monotonic() + 20
                while not (folder / "count").exists():
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError("node statsd did not start")
                    time.sleep(0.1)
                yield Node(process, port, folder / "count")
            finally:
                process.kill()


def receive() -> None:
    """The child: listener, engine, a tick a second; answers each line of input, first with its port, then with its count."""
    import threading

    from collector.receivers.statsd import UdpListener
    from monitor.engine import Engine
    from monitor.model.batch import Batch

    inbox: collections.deque[list[Batch]] = collections.deque(maxlen=1000)
    engine = Engine()
    with UdpListener(HOST, 0, inbox.append) as listener:

        def answer() -> None:
            sys.stdin.readline()
            print(listener.address.port, flush=True)
            for _ in sys.stdin:
                print(listener.counters.lines, flush=True)
            os._exit(0)

        threading.Thread(target=answer, daemon=True).start()
        while True:
            time.sleep(1.0 - time.time() % 1.0)
            while inbox:
                for batch in inbox.popleft():
                    engine.ingest(batch)
            engine.tick(time.time())


def main() -> None:
    """Prints one JSON line: CPU seconds per million lines at the larger series count, the peer's, their ratio, losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, default=200_000, help="lines a second")
    parser.add_argument("--peer-rate", type=float, default=50_000, help="lines a second for node statsd")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.receive:
        receive()
        return
    by_series: dict[str, dict[str, float]] = {}
    for series in (1_000, 10_000):
        with ours() as peer:
            by_series[str(series)] = measure(peer, payload(series), arguments.rate, arguments.seconds, arguments.runs, 0.3)
    cost = by_series["10000"]["cpu_s_per_m_lines"]
    skipped = why_no_node()
    theirs: dict[str, float] = {}
    if not skipped:
        with node() as peer:
            theirs = measure(peer, payload(10_000), arguments.peer_rate, arguments.seconds, arguments.runs, 1.1)
    peer_cost = theirs.get("cpu_s_per_m_lines")
    result = {
        "cpu_s_per_m_lines": cost,
        "node_statsd": peer_cost,
        "node_loss": theirs.get("loss"),
        "node_skipped": skipped,
        "ratio": round(peer_cost / cost, 1) if peer_cost else None,
        "loss": max(found["loss"] for found in by_series.values()),
        "lines_per_s": arguments.rate,
        "by_series": by_series,
        "parser_alone": parsing(payload(10_000), 5),
    }
    report("statsd", result, {"cpu_s_per_m_lines": (BAR, AIM)})


if __name__ == "__main__":
    main()
