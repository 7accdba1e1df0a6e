"""`python -m tests.killing_alerts --rounds 200`: kill -9 anywhere in an incident. No notice is lost, none is told twice but with
the same key and the same words, and what was told is what is. Prints one JSON line last.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.killing.ports import lasting_collector
from tests.running import Collector, until

ZONES, HOSTS = ("a", "b"), ("1", "2", "3")
LOOK_EVERY = 10
"""Kills between two looks whether everything was told."""
SETTINGS = """
[[receiver]]
name = "oncall"
type = "webhook"
url = "http://127.0.0.1:{port}/"
private = true
per_minute = "6000"
timeout = "2s"

[[route]]
receiver = "oncall"
group_by = ["zone"]
group_wait = "1s"
group_interval = "1s"
"""
RULE = """
[[rule]]
id = "broken"
metric = "shop.broken"
condition = { type = "threshold", operator = "gt", value = 10, window = "30s", field = "last" }
actions = []
"""


@dataclass
class Told:
    """What arrived, in order. `wrong`: what must not have."""

    chance: random.Random
    lock: threading.Lock = field(default_factory=threading.Lock)
    bodies: dict[str, bytes] = field(default_factory=dict)
    firing: dict[str, set[str]] = field(default_factory=dict)
    again: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def take(self, key: str, body: bytes) -> bool:
        """Whether it is answered as told."""
        with self.lock:
            if key in self.bodies:
                self.again += 1
                if self.bodies[key] != body:
                    self.wrong.append(f"{key} came with other words")
            else:
                self._note(key, body)
            if self.chance.random() < 0.1:  # it is known to the receiver, which says that it is not
                self.refused += 1
                return False
            return True

    def _note(self, key: str, body: bytes) -> None:
        notice = json.loads(body)
        group = str(notice["group"])
        before = self.firing.get(group, set())
        names = {
            status: {a["labels"]["host"] for a in notice["alerts"] if a["status"] == status} for status in ("firing", "resolved")
        }
        if not names["resolved"] - names["firing"] <= before:
            self.wrong.append(f"{key} tells the end of what nobody was told of")
        if not before - names["firing"] <= names["resolved"]:
            self.wrong.append(f"{key} is silent about what was told before")
        self.bodies[key], self.firing[group] = body, names["firing"]

    def now(self) -> set[str]:
        """Whoever was last told to fire."""
        with self.lock:
            return set().union(*self.firing.values())


class Sender:
    """Says again and again what is wanted, so that a value that a kill swallowed comes anyway."""

    def __init__(self, port: int) -> None:
        self.wanted: dict[str, int] = {zone + host: 0 for zone in ZONES for host in HOSTS}
        self._port, self._over = port, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not self._over.wait(0.2):
                lines = [f"shop.broken:{value}|g|#zone:{name[0]},host:{name}" for name, value in self.wanted.items()]
                out.sendto("\n".join(lines).encode(), ("127.0.0.1", self._port))

    @property
    def broken(self) -> set[str]:
        return {name for name, value in self.wanted.items() if value > 10}

    def finish(self) -> None:
        self._over.set()
        self._thread.join()


def killed(folder: Path, rounds: int, seed: int = 5, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Kills a collector so often in the middle of an incident; what was told and what was wrong with it."""
    chance = random.Random(seed)
    told, began = Told(random.Random(seed + 1)), time.monotonic()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "shop.toml").write_text(RULE)
    try:
        with lasting_collector(folder, SETTINGS.format(port=server.server_port)) as one:
            sender = Sender(one.statsd_port)
            try:
                for number in range(rounds):
                    for name in chance.sample(sorted(sender.wanted), 2):
                        sender.wanted[name] = chance.choice((0, 50))
                    _wait(told, chance)
                    one.kill()
                    one.start()
                    if (number + 1) % LOOK_EVERY == 0:
                        _settled(one, sender, told)
                        tell(f"{number + 1} kills, {len(told.bodies)} notices, {told.again} of them told again")
                sender.wanted = dict.fromkeys(sender.wanted, 0)
                _settled(one, sender, told)
            finally:
                sender.finish()
    finally:
        server.shutdown()
        server.server_close()
    found = {"rounds": rounds, "seconds": round(time.monotonic() - began, 1), "notices": len(told.bodies)}
    return found | {"told_again": told.again, "refused": told.refused, "wrong": told.wrong[:20], "whole": not told.wrong}


def _wait(told: Told, chance: random.Random) -> None:
    """Until some moment; every second time one at which a notice has just come and may not be noted as told yet."""
    known, end = len(told.bodies) + told.again, time.monotonic() + 6.0
    if chance.random() < 0.5:
        time.sleep(chance.random() * 3.0)
        return
    while len(told.bodies) + told.again == known and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(chance.random() * 0.03)


def _settled(one: Collector, sender: Sender, told: Told) -> None:
    """Waits until everybody was told exactly what is, and the collector says the same."""
    until(lambda: told.now() == sender.broken, "what is broken was told, and nothing else", 60.0)
    until(lambda: _firing(one) == sender.broken, "the collector says what is broken", 30.0, 0.5)


def _firing(one: Collector) -> set[str]:
    alerts = json.loads(one.run("alerts", "--state", "firing", "--json").stdout)
    return {dict(map(tuple, alert["labels"]))["host"] for alert in alerts}


def _handler(told: Told) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken = told.take(self.headers["Idempotency-Key"], body)
            try:
                self.send_response(204 if taken else 503)
                if not taken:
                    self.send_header("Retry-After", "1")
                self.end_headers()
            except OSError:
                pass  # it was killed meanwhile

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lightship-killing-") as folder:
        found = killed(Path(folder) / "one", arguments.rounds, arguments.seed, lambda line: print(line, flush=True))
    print(json.dumps({"proof": "killing_alerts", **found}))
    return 0 if found["whole"] else 1


if __name__ == "__main__":
    sys.exit(main())
