"""The rounds: load from all sides, kill -9 in the middle of it, start again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.killing.check import points, traced, windowed
from tests.killing.ports import lasting_collector
from tests.killing.senders import PROTOBUF, WRITE, Sender, gauges, spans, written
from tests.running import Collector, until

EACH = 2
"""Senders of each kind: one is in the middle of a request whenever the collector is killed."""
LEAST, MOST = 1, 25
"""Answers that each sender gets, at least, between two kills."""


def senders_of(one: Collector) -> dict[str, list[Sender]]:
    """By what they send."""
    port = one.http_port
    return {
        "otlp": [Sender(f"otlp{n}", port, "/v1/metrics", PROTOBUF, gauges) for n in range(EACH)],
        "written": [Sender(f"written{n}", port, "/api/v1/write", WRITE, written) for n in range(EACH)],
        "spans": [Sender(f"spans{n}", port, "/v1/traces", PROTOBUF, spans) for n in range(EACH)],
    }


def killed(folder: Path, rounds: int, seed: int = 9, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Kills a collector so often; what was acknowledged, missing and there twice, by kind."""
    chance = random.Random(seed)
    began = time.monotonic()
    with lasting_collector(folder) as one:
        senders = senders_of(one)
        everyone = [sender for some in senders.values() for sender in some]
        for sender in everyone:
            sender.start()
        try:
            for number in range(rounds):
                _some_answers(everyone, chance.randint(LEAST, MOST))
                # Anywhere within a request, and now and then after some ticks.
                time.sleep(chance.random() * (2.0 if number % 5 == 4 else 0.05))
                one.kill()
                one.start()
                if (number + 1) % 10 == 0:
                    tell(f"{number + 1} kills, {sum(sender.answered for sender in everyone)} requests acknowledged")
            _some_answers(everyone, LEAST)
        finally:
            for sender in everyone:
                sender.finish()
        over = f"{int(time.monotonic() - began) + 120}s"
        told: dict[str, Any] = {
            "rounds": rounds,
            "seconds": round(time.monotonic() - began, 1),
            "attempts_again": sum(sender.again for sender in everyone),
            "refused": [why for sender in everyone for why in sender.refused],
        }
        found = {
            "otlp": points(one, "sent_otlp", senders["otlp"], over),
            "written": points(one, "sent_written", senders["written"], over),
            "spans": traced(one, senders["spans"]),
        }
        for kind, name in (("otlp", "sent_otlp"), ("written", "sent_written")):
            counted, sent = windowed(one, name, senders[kind])
            told[f"{kind}_windows"] = {"counted": counted, "acknowledged": sent, "never_twice": counted <= sent}
    told |= {kind: each.told() for kind, each in found.items()}
    told["whole"] = (
        all(each.is_whole for each in found.values())
        and not told["refused"]
        and all(told[f"{kind}_windows"]["never_twice"] for kind in ("otlp", "written"))
    )
    return told


def _some_answers(senders: list[Sender], more: int) -> None:
    """Waits until each of them has been answered so often from here on."""
    due = {sender: sender.answered + more for sender in senders}
    until(lambda: all(sender.answered >= count for sender, count in due.items()), "every sender is answered", 60.0, 0.01)
