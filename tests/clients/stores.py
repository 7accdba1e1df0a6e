"""Debian's Prometheus and VictoriaMetrics as stores of a history, and a writer to them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter
from monitor.query.history import Labels
from tests.peers import need
from tests.running import free_port

QUICK = RemoteSettings(batch_age=0.02, least_wait=0.05, longest_wait=0.2)
NOW = int(time.time()) * 1000 - 10_000
"""The stores take only samples of about now."""


class Store:
    """A store on a port of its own, which keeps its data over a restart."""

    def __init__(self, command: list[str], url: str, ready: str, write: str, flush: str = "") -> None:
        self.url, self.write_url = url, url + write
        self._command, self._ready, self._flush = command, url + ready, flush
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, f"{self._command[0]} ended"
            assert time.monotonic() < end, f"{self._command[0]} does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._ready, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, query: str, at: int = NOW) -> dict[Labels, float]:
        """The value of each series of an instant query."""
        if self._flush:  # what came in is not found before
            with urllib.request.urlopen(self.url + self._flush, timeout=30):
                pass
        asked = urllib.parse.urlencode({"query": query, "time": at / 1000, "nocache": 1})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=60) as answer:
            found: dict[str, Any] = msgspec.json.decode(answer.read())
        return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in found["data"]["result"]}

    def number(self, query: str) -> float:
        """The value of a query that gives one; 0 where it gives none."""
        return sum(self.ask(query).values())


def prometheus(folder: Path) -> Store:
    program, port = need("prometheus", "prometheus"), free_port()
    (folder / "config.yml").write_text("global: {}\n")
    command = [
        program,
        f"--config.file={folder}/config.yml",
        f"--storage.tsdb.path={folder}/data",
        "--web.enable-remote-write-receiver",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    return Store(command, f"http://127.0.0.1:{port}", "/-/ready", "/api/v1/write")


def victoria_metrics(folder: Path) -> Store:
    program, port = need("victoria-metrics", "victoria-metrics"), free_port()
    command = [
        program,
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-search.latencyOffset=0s",
        "-search.minStalenessInterval=5m",
        "-memory.allowedPercent=10",
    ]
    return Store(command, f"http://127.0.0.1:{port}", "/health", "/api/v1/write", "/internal/force_flush")


STORES: tuple[Callable[[Path], Store], ...] = (prometheus, victoria_metrics)


def started(make: Callable[[Path], Store], folder: Path) -> Iterator[Store]:
    """A store of that kind, running."""
    place = folder / "store"
    place.mkdir()
    found = make(place)
    found.start()
    try:
        yield found
    finally:
        found.stop()


@contextlib.asynccontextmanager
async def writing(folder: Path, store: Store, settings: RemoteSettings = QUICK, path: str = "") -> AsyncIterator[RemoteWriter]:
    url = store.url + path if path else store.write_url
    writer = RemoteWriter(folder, RemoteTarget(url, store.url), settings)
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        writer.close()


async def until(true: Callable[[], bool]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(120):
        while not true():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.02)
