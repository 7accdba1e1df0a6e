"""A running collector that is attacked while others send to it as they should: they lose nothing, and are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hostile import bombs, crowds, grpc_bombs, scraped, streams
from tests.killing.check import points
from tests.killing.ports import lasting_collector
from tests.killing.senders import PROTOBUF, WRITE, Sender, gauges, written
from tests.running import Collector

MEMORY = 1536
"""MiB that the collector may have at any time, with all attacks one after another on one process: 1,362 were measured, of which
the last, 200,000 new series on top of a million, took 290.
"""
SLOWEST = 10.0
"""Seconds for which a well-behaved sender may wait for an answer, retries not counted."""
Attack = Callable[[Collector], dict[str, Any]]
ATTACKS: dict[str, Attack] = {
    "bombs": bombs.exploded,
    "grpc": grpc_bombs.exploded,
    "stream": streams.flooded,
    "scraped": scraped.answered,
    "slow": crowds.slow,
    "silent": crowds.silent,
    "heavy": crowds.heavy,
    "distinct lines": crowds.distinct_lines,
    "distinct written": crowds.distinct_written,
}


def peak(pid: int) -> int:
    """MiB that the process had at most since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM"))


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def attacked(
    folder: Path, tell: Callable[[str], None] = lambda _: None, attacks: dict[str, Attack] | None = None
) -> dict[str, Any]:
    """What came of each attack, by its name: what it was answered, the peak of memory and how the others fared meanwhile."""
    told: dict[str, Any] = {}
    hostile = scraped.Targets()
    with hostile.serving(), lasting_collector(folder, hostile.config()) as one:
        for name, attack in (ATTACKS if attacks is None else attacks).items():
            told[name] = _beside_others(one, name, attack)
            tell(f"{name}: {told[name]}")
    return told


def _beside_others(one: Collector, name: str, attack: Attack) -> dict[str, Any]:
    forget_peak(one.pid)
    with _others(one, name.replace(" ", "")) as senders:
        began = time.monotonic()
        answered = attack(one)
        seconds = time.monotonic() - began
    otlp, wrote = (points(one, kind, [sender], "1h") for kind, sender in zip(("sent_otlp", "sent_written"), senders, strict=True))
    found: dict[str, Any] = {
        "answered": answered,
        "seconds": round(seconds, 1),
        "peak_mib": peak(one.pid),
        "others": {"otlp": otlp.told(), "written": wrote.told()},
        "others_slowest_seconds": round(max(sender.slowest for sender in senders), 3),
        "others_again": sum(sender.again for sender in senders),
        "others_refused": [why for sender in senders for why in sender.refused],
    }
    found["sound"] = (
        otlp.is_whole
        and wrote.is_whole
        and found["peak_mib"] <= MEMORY
        and found["others_slowest_seconds"] <= SLOWEST
        and not found["others_refused"]
        and not answered.get("wrong")
    )
    return found


@contextmanager
def _others(one: Collector, name: str) -> Iterator[tuple[Sender, Sender]]:
    """Two that send as they should, twenty times a second."""
    senders = (
        Sender(f"otlp{name}", one.http_port, "/v1/metrics", PROTOBUF, gauges, 0.05),
        Sender(f"written{name}", one.http_port, "/api/v1/write", WRITE, written, 0.05),
    )
    for sender in senders:
        sender.start()
    try:
        yield senders
    finally:
        for sender in senders:
            sender.finish(60.0)
