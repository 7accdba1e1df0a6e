"""Debian's Prometheus, started empty, fed by remote write and asked over HTTP."""

from __future__ import annotations

import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cramjam
import msgspec

from collector.protobuf.columns import SeriesColumns
from collector.protobuf.write import encode_write_v1
from tests.peers import need
from tests.running import free_port

_WRITE = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


class Peer:
    """A running server with Prometheus' API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, requests: Iterable[SeriesColumns]) -> None:
        for columns in requests:
            body = bytes(cramjam.snappy.compress_raw(encode_write_v1(columns)))
            asked = urllib.request.Request(f"{self.url}/api/v1/write", data=body, headers=_WRITE)
            with urllib.request.urlopen(asked, timeout=30) as answer:
                assert answer.status < 300

    def ask(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The envelope, of an error too."""
        body = urllib.parse.urlencode(parameters).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", data=body, timeout=60) as answer:
                return dict(msgspec.json.decode(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                return dict(msgspec.json.decode(error.read()))


@contextmanager
def prometheus(config: str = "", *flags: str, port: int = 0) -> Iterator[Peer]:
    """An empty one that takes remote write; its data go when it ends."""
    program = need("prometheus", "prometheus")
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="prometheus") as folder:
        (Path(folder) / "config.yml").write_text(config or "global: {}\n")
        command = [
            program,
            f"--config.file={folder}/config.yml",
            f"--storage.tsdb.path={folder}/data",
            "--storage.tsdb.retention.time=100y",
            "--web.enable-remote-write-receiver",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
            *flags,
        ]
        with running(command, f"http://127.0.0.1:{port}", "/-/ready") as url:
            yield Peer(url)


@contextmanager
def running(command: list[str], url: str, ready: str) -> Iterator[str]:
    """A server that is there until the end of the block; it begins when `ready` answers."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            end = time.monotonic() + 30
            while not _answers(url + ready):
                if process.poll() is not None or time.monotonic() > end:
                    said.seek(0)
                    raise AssertionError(f"{command[0]} did not start: {said.read()[-2000:].decode(errors='replace')}")
                time.sleep(0.05)
            yield url
        finally:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
