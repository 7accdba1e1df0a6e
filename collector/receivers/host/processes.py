"""The processes that use most processor time and memory, found a few at a time."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable
from dataclasses import dataclass

from collector.receivers.host.files import HostCounters
from collector.receivers.host.samples import Section, plain_text
from monitor.model.series import Tags

MAX_NAME = 64
MAX_PROCESSES = 20_000
PER_CALL = 200
"""Processes looked at in one call: 9 us each on the reference machine, so a call stays under 2 ms whatever runs there."""
_STAT_SIZE = 1024


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """One process: `started` tells two with the same pid apart, `busy` seconds of processor time, `memory` resident bytes."""

    name: str
    started: float
    busy: float
    memory: float


class ProcessTable:
    """Goes through all processes in rounds, a slice a call, and reports the top ones when a round is complete.

    A share of the processor is that of one core (200 % is two cores), measured between two readings of that process.
    """

    def __init__(
        self,
        pids: Callable[[], list[int]],
        probe: Callable[[int], ProcessReading | None],
        counters: HostCounters,
        *,
        interval: float = 5.0,
        top: int = 10,
    ) -> None:
        self._pids = pids
        self._probe = probe
        self._counters = counters
        self._interval = interval
        self._top = top
        self._pending: list[int] = []
        self._share = PER_CALL
        self._round_at: float | None = None
        self._before: dict[int, tuple[float, float, float]] = {}
        self._now_seen: dict[int, tuple[float, float, float]] = {}
        self._busy: list[tuple[float, int, str]] = []
        self._memory: list[tuple[float, int, str]] = []
        self._total = 0

    def read(self, out: Section, now: float) -> bool:
        """Look at the next slice; true when this completed a round and its result was reported."""
        if not self._pending and not self._begin(now):
            return False
        slice_ = self._pending[-self._share :]
        del self._pending[-self._share :]
        for pid in slice_:
            reading = self._probe(pid)
            if reading is not None:
                self._note(pid, reading, now)
        if self._pending:
            return False
        self._report(out)
        return True

    def _begin(self, now: float) -> bool:
        if self._round_at is not None and 0 <= now - self._round_at < self._interval:
            return False
        first = self._round_at is None
        self._round_at = now
        pids = self._pids()
        self._total = len(pids)
        self._counters.left_out["process"] = max(0, len(pids) - MAX_PROCESSES)
        self._pending = pids[:MAX_PROCESSES]
        # The first round is for the memory column and wants to be quick; later ones spread over their interval.
        self._share = PER_CALL if first else max(1, min(PER_CALL, -(-len(self._pending) // max(1, int(self._interval)))))
        self._now_seen, self._busy, self._memory = {}, [], []
        return bool(pids)

    def _note(self, pid: int, reading: ProcessReading, now: float) -> None:
        before = self._before.get(pid)
        self._now_seen[pid] = (reading.started, reading.busy, now)
        if reading.memory > 0:
            self._memory.append((reading.memory, pid, reading.name))
        if before is not None and before[0] == reading.started and now > before[2]:
            share = 100.0 * (reading.busy - before[1]) / (now - before[2])
            if share > 0:
                self._busy.append((share, pid, reading.name))

    def _report(self, out: Section) -> None:
        self._before = self._now_seen
        for share, pid, name in heapq.nlargest(self._top, self._busy):
            out.gauge("host.process.cpu", share, _process_tags(pid, name), "percent")
        for memory, pid, name in heapq.nlargest(self._top, self._memory):
            out.gauge("host.process.memory", memory, _process_tags(pid, name), "bytes")
        out.gauge("host.processes.total", self._total)


def _process_tags(pid: int, name: str) -> Tags:
    return (("pid", str(pid)), ("process", plain_text(name, MAX_NAME)))


class ProcDirectory:
    """Processes as /proc shows them."""

    def __init__(self, proc: str) -> None:
        self._proc = proc
        self._ticks = float(os.sysconf("SC_CLK_TCK"))
        self._page = float(os.sysconf("SC_PAGE_SIZE"))

    def pids(self) -> list[int]:
        """All processes there are; none where /proc cannot be listed."""
        try:
            return [int(name) for name in os.listdir(self._proc) if name.isdecimal() and name.isascii()]
        except OSError:
            return []

    def probe(self, pid: int) -> ProcessReading | None:
        """One process from its stat file (proc_pid_stat(5)), None when it is gone or hidden."""
        try:
            descriptor = os.open(f"{self._proc}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            content = os.read(descriptor, _STAT_SIZE)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        # The name stands in brackets and may itself hold brackets, blanks and line breaks: the last bracket closes it.
        head, bracket, tail = content.rpartition(b")")
        columns = tail.split(None, 22)
        if not bracket or len(columns) < 22:
            return None
        name = head.partition(b"(")[2].decode("utf-8", "replace")
        try:
            busy = (float(columns[11]) + float(columns[12])) / self._ticks
            return ProcessReading(name, float(columns[19]), busy, float(columns[21]) * self._page)
        except ValueError:
            return None
