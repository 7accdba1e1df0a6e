"""Targets that answer a scrape with what they should not, beside one that is as it should be."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.hostile.bombs import ZEROS
from tests.hostile.pieces import nested
from tests.killing.ports import lasting_port
from tests.running import Collector, until

TEXT, FAMILIES = "text/plain", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
JOB = """
[[scrape]]
url = "http://127.0.0.1:{port}/{name}"
job = "{name}"
interval = "1s"
timeout = "1s"
native_histograms = true
"""
ANSWERS: dict[str, tuple[str, str, bytes]] = {
    "good": (TEXT, "", b"fine_total 5\n"),
    "bomb": (TEXT, "gzip", gzip.compress(bytes(256 << 20))),
    "line": (TEXT, "", b"a" * (8 << 20)),
    "labels": (TEXT, "", b"a{" + b",".join(b'l%d="x"' % n for n in range(5000)) + b"} 1\n"),
    "series": (TEXT, "", b"".join(b'b{n="%d"} 1\n' % n for n in range(300_000))),
    "deep": (FAMILIES, "", nested(b"\x22", 3000)),
    "lies": (FAMILIES, "", b"\xff\xff\xff\xff\x0f" + b"a" * 100),
    "zstd": (TEXT, "zstd", b"(\xb5/\xfd" + bytes(100)),
    "garbage": (TEXT, "", b"\xff\x00\x1b[2J" * 1000),
    "endless": (TEXT, "", b""),
    "silent": (TEXT, "", b""),
}


class Targets:
    """All of them on one port, a path each."""

    def __init__(self) -> None:
        self.port = lasting_port()

    def config(self) -> str:
        return "".join(JOB.format(port=self.port, name=name) for name in ANSWERS)

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/")
                kind, encoding, body = ANSWERS[name]
                if name == "silent":
                    time.sleep(2.0)
                    return
                self.send_response(200)
                self.send_header("Content-Type", kind)
                if encoding:
                    self.send_header("Content-Encoding", encoding)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)
                    while name == "endless":
                        self.wfile.write(ZEROS)

            def log_message(self, *_: Any) -> None: ...

        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def answered(one: Collector) -> dict[str, Any]:
    """What the collector says of each target after some scrapes: only the good one is up."""
    until(lambda: all(state != "unknown" for state in _health(one).values()), "all are scraped", 30.0, 0.5)
    time.sleep(5.0)
    told: dict[str, Any] = _health(one)
    told["wrong"] = [name for name in ANSWERS if (told.get(name) == "up") != (name == "good")]
    return told


def _health(one: Collector) -> dict[str, str]:
    with urllib.request.urlopen(f"{one.url}/api/v1/targets", timeout=20) as answer:
        targets = json.loads(answer.read())["data"]["activeTargets"]
    return {each["labels"]["job"]: each["health"] for each in targets}
