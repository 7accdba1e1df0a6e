"""One outage: everything away, a kill in the middle, everything back; then what arrived is compared with what was sent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.killing.ports import lasting_collector
from tests.killing.senders import PLACES, PROTOBUF, WRITE, Sender, gauges, records, spans, written
from tests.outage.targets import Arrived, HttpTarget, LineTarget, otlp_target, pushgateway_target, write_target
from tests.running import Collector, until

SMALL = 64 << 10
"""Bytes of the queue that a long outage overflows: what is newest has to be left in it."""
LARGE = 64 << 20
PAUSE = 0.1
"""Seconds between two requests of a sender."""
WIDEST = 40
"""Numbers between two values of a gauge at the StatsD server: it is told one a tick, and a kill costs what was not ticked yet."""
CONFIG = """
[[export]]
kind = "remote_write"
url = "{write}"
selector = '{{__name__=~"sent_.*"}}'
queue = "64 MiB"

[[export]]
kind = "remote_write"
url = "{small}"
selector = '{{__name__=~"sent_.*"}}'
queue = "64 KiB"

[[export]]
kind = "otlp"
protocol = "http"
url = "{otlp}"
selector = '{{__name__=~"sent_.*"}}'
queue = "64 MiB"

[[export]]
kind = "statsd"
protocol = "statsd"
url = "tcp://127.0.0.1:{lines}"
selector = '{{__name__=~"sent_.*"}}'
queue = "64 MiB"

[[export]]
kind = "pushgateway"
url = "{push}"
selector = '{{__name__=~"sent_.*"}}'
interval = "3s"
"""


@dataclass
class Targets:
    """All that is exported to, and what has arrived there."""

    write_got: Arrived = field(default_factory=Arrived)
    small_got: Arrived = field(default_factory=Arrived)
    otlp_got: Arrived = field(default_factory=Arrived)
    lines_got: Arrived = field(default_factory=Arrived)
    push_got: Arrived = field(default_factory=Arrived)

    def __post_init__(self) -> None:
        self.lines = LineTarget(self.lines_got)
        self.write, self.small = write_target(self.write_got), write_target(self.small_got)
        self.otlp, self.push = otlp_target(self.otlp_got), pushgateway_target(self.push_got)
        self.http: list[HttpTarget] = [self.write, self.small, self.otlp, self.push]

    def config(self) -> str:
        urls = {"write": self.write.url, "small": self.small.url, "otlp": self.otlp.url, "push": self.push.url}
        return CONFIG.format(lines=self.lines.port, **urls)

    def up(self) -> None:
        for one in self.http:
            one.up()
        self.lines.up()

    def down(self) -> None:
        for one in self.http:
            one.down()
        self.lines.down()

    def refuse(self, refusing: bool) -> None:
        """Those of HTTP are there, but say 503."""
        for one in self.http:
            if refusing:
                one.refusing = True
                one.up()
            else:
                one.refusing = False


class Watch:
    """The most bytes that each export's folder had while it was looked at."""

    def __init__(self, one: Collector) -> None:
        self._one = one
        self.most: dict[str, int] = {}
        self.memory = 0

    def look(self) -> None:
        for folder in (self._one.data / "exports").glob("*"):
            size = sum(_size(path) for path in folder.rglob("*.queue"))
            self.most[folder.name] = max(self.most.get(folder.name, 0), size)
        try:
            pages = int(Path(f"/proc/{self._one.pid}/statm").read_text().split()[1])
        except OSError:
            return
        self.memory = max(self.memory, pages * 4096)

    def during(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.look()
            time.sleep(min(0.5, left))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # sent meanwhile
        return 0


def outage(folder: Path, seconds: float, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Everything is away for so long. What was sent, missing, out of order and there again, by where it was to go."""
    targets = Targets()
    targets.up()
    began = time.monotonic()
    with lasting_collector(folder, targets.config()) as one:
        port, watch = one.http_port, Watch(one)
        metrics = [
            Sender("otlp", port, "/v1/metrics", PROTOBUF, gauges, PAUSE),
            Sender("written", port, "/api/v1/write", WRITE, written, PAUSE),
        ]
        others = [
            Sender("spans", port, "/v1/traces", PROTOBUF, spans, PAUSE),
            Sender("logs", port, "/v1/logs", PROTOBUF, records, PAUSE),
        ]
        for sender in (*metrics, *others):
            sender.start()
        try:
            until(lambda: all(targets.write_got.newest(f"{sender.name}/0") >= 0 for sender in metrics), "exports work", 30.0)
            tell("away: nobody listens")
            targets.down()
            watch.during(seconds / 3)
            tell("the collector is killed and started again")
            one.kill()
            one.start()
            watch.during(seconds / 3)
            tell("they listen again and say 503")
            targets.refuse(True)
            watch.during(seconds / 3)
            targets.refuse(False)
            targets.lines.up()
            back = time.monotonic()
            tell("back")
        finally:
            for sender in (*metrics, *others):
                sender.finish()
        series = [f"{sender.name}/{place}" for sender in metrics for place in range(PLACES)]
        count = {
            **{one: len(metrics[0].times) for one in series[:PLACES]},
            **{one: len(metrics[1].times) for one in series[PLACES:]},
        }
        count |= {sender.name: len(sender.times) for sender in others}

        def caught_up() -> bool:
            watch.look()
            return (
                all(targets.write_got.has(name, count[name]) for name in series)
                and all(targets.otlp_got.has(name, number) for name, number in count.items())
                and all(targets.small_got.newest(name) == count[name] - 1 for name in series)
                and all(targets.push_got.newest(name) == count[name] - 1 for name in series)
                and all(targets.lines_got.newest(name) == count[name] - 1 for name in series)
            )

        try:
            until(caught_up, "everything has arrived", 150.0, 0.25)
        except AssertionError as error:
            tell(str(error))
        caught = time.monotonic() - back
        notes = [line for line in one.metrics().splitlines() if line.startswith("lightship_export")]
    targets.down()
    small = next((size for name, size in watch.most.items() if name == _small_folder(watch)), 0)
    told: dict[str, Any] = {
        "seconds_away": seconds,
        "seconds": round(time.monotonic() - began, 1),
        "caught_up_after": round(caught, 1),
        "sent": {sender.name: len(sender.times) for sender in (*metrics, *others)},
        "remote_write": compared(targets.write_got, {name: count[name] for name in series}),
        "otlp": compared(targets.otlp_got, count),
        "small_queue": compared(targets.small_got, {name: count[name] for name in series}),
        "statsd": compared(targets.lines_got, {name: count[name] for name in series}),
        "pushgateway_newest": all(targets.push_got.newest(name) == count[name] - 1 for name in series),
        "queue_bytes": watch.most,
        "small_queue_bytes": small,
        "memory_mib": watch.memory >> 20,
        "mistakes": [mistake for target in targets.http for mistake in target.mistakes],
        "refused": [why for sender in (*metrics, *others) for why in sender.refused],
        "figures": notes,
    }
    told["whole"] = (
        all(told[kind]["missing"] == told[kind]["disordered"] == 0 for kind in ("remote_write", "otlp"))
        and told["small_queue"]["disordered"] == told["statsd"]["disordered"] == 0
        and all(targets.small_got.newest(name) == count[name] - 1 for name in series)
        and all(targets.lines_got.newest(name) == count[name] - 1 for name in series)
        and told["statsd"]["widest_step"] <= WIDEST
        and bool(told["pushgateway_newest"])
        and small <= SMALL
        and all(size <= 3 * LARGE for size in watch.most.values())
        and not told["mistakes"]
        and not told["refused"]
    )
    return told


def _small_folder(watch: Watch) -> str:
    """Of the two queues of remote write, that which had less in it."""
    return min((name for name in watch.most if name.startswith("remote_write")), key=lambda name: watch.most[name], default="")


def compared(got: Arrived, count: dict[str, int]) -> dict[str, int]:
    """`missing` numbers; `again`: those that came more than once; `disordered`: those that came first behind a higher one;
    `widest_step`: between two that came one after the other.
    """
    found = {"expected": sum(count.values()), "missing": 0, "again": 0, "disordered": 0, "widest_step": 0}
    for name, numbers in count.items():
        came = got.numbers.get(name, [])
        first = list(dict.fromkeys(came))
        found["missing"] += len(set(range(numbers)) - set(came))
        found["again"] += len(came) - len(first)
        steps = (later - earlier for earlier, later in zip([-1, *first], [*first, numbers - 1], strict=True))
        found["widest_step"] = max(found["widest_step"], *steps)
        found["disordered"] += sum(later < earlier for earlier, later in itertools.pairwise(first))
    return found
