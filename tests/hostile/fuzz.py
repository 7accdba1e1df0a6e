"""So many broken inputs to one receiver: what came of them, how long the slowest took, and what memory it cost."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.hostile.subjects import Subject, opened

SLOWEST = 1.0
"""Seconds that one input may take."""
GROWTH = 400
"""MiB by which memory may grow: dictionaries that are bounded may fill up."""
ADDRESSES = 6 << 30
"""Bytes of address space; whoever asks for more is refused, which is an error that nobody declared."""
_SHOWN = 5


@dataclass
class Report:
    """Of one receiver. `escaped`: errors that nobody declared, the first of each kind with its input."""

    name: str
    inputs: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    escaped: dict[str, str] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    slowest_seconds: float = 0.0
    mib_before: int = 0
    mib_after: int = 0
    points: int = 0
    spans: int = 0
    logs: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.escaped and self.slowest_seconds <= SLOWEST and self.mib_after - self.mib_before <= GROWTH

    def line(self) -> str:
        return json.dumps({**asdict(self), "sound": self.is_sound})


def memory() -> int:
    """Bytes this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def fuzzed(subject: Subject, inputs: int, seed: int = 1) -> Report:
    """Gives it so many; an input that lets an error out is counted and told, and the next one follows."""
    return asyncio.run(_fuzzed(subject, inputs, seed))


async def _fuzzed(subject: Subject, inputs: int, seed: int) -> Report:
    report, outcomes = Report(subject.name, inputs), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="lightship-hostile-") as folder, opened(subject, Path(folder)) as (take, behind):
        warm = random.Random(seed)
        for _ in range(min(100, inputs)):
            await _one(take, warm, report)
        gc.collect()
        report.mib_before = memory() >> 20
        began = time.process_time()
        for number in range(inputs):
            before = time.perf_counter(), time.process_time()
            outcomes[await _one(take, random.Random(seed * 1_000_003 + number), report)] += 1
            # Of the two, what the machine's other work has no part in; a wait counts as well where nothing was computed.
            report.slowest_seconds = max(
                report.slowest_seconds, min(time.perf_counter() - before[0], max(time.process_time() - before[1], 0.0))
            )
            behind.step()
        report.cpu_seconds = round(time.process_time() - began, 1)
        gc.collect()
        report.mib_after = memory() >> 20
        report.points, report.spans, report.logs = behind.points, behind.all_spans, behind.all_logs
    report.outcomes = dict(outcomes.most_common())
    report.slowest_seconds = round(report.slowest_seconds, 3)
    return report


async def _one(take: object, chance: random.Random, report: Report) -> str:
    try:
        return str(await take(chance))  # type: ignore[operator]
    except Exception as error:
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where is not None else ""
        kind = f"{type(error).__name__} at {place}"
        if len(report.escaped) < _SHOWN:
            report.escaped.setdefault(kind, str(error)[:1500])
        return f"escaped: {kind}"
