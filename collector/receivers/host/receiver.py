"""Reads the machine once a second and hands on one batch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from collector.receivers.host.files import HostCounters
from collector.receivers.host.processes import ProcessReading, ProcessTable
from collector.receivers.host.samples import SampleBook, Section
from monitor.model.batch import Batch
from monitor.model.series import KeySpace

_LOG = logging.getLogger(__name__)


class Reader(Protocol):
    """A part of the host. `read` reports into `out` and says whether the report is complete."""

    def read(self, out: Section, now: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class HostSettings:
    """How the host is read: seconds between looks at processes and file systems, processes shown, and the source."""

    process_interval: float = 5.0
    file_system_interval: float = 10.0
    top_processes: int = 10
    source: Literal["auto", "proc", "psutil"] = "auto"


@dataclass(slots=True)
class _Part:
    reader: Reader
    section: Section
    interval: float
    read_at: float | None = None
    failed: bool = False

    def due(self, now: float) -> bool:
        # A clock set back must not silence a part.
        return self.read_at is None or not 0 <= now - self.read_at < self.interval


class HostReceiver:
    """The host's series. On Linux from raw /proc under `root`, elsewhere through psutil, under the same names."""

    def __init__(self, settings: HostSettings | None = None, root: str = "/") -> None:
        self.settings = settings or HostSettings()
        self.counters = HostCounters()
        self._book = SampleBook()
        raw = self.settings.source == "proc" or (self.settings.source == "auto" and sys.platform.startswith("linux"))
        make: Callable[[], list[tuple[Reader, float]]] = (lambda: self._proc_readers(root)) if raw else self._psutil_readers
        self._parts = [
            _Part(reader, self._book.section(passing=isinstance(reader, ProcessTable)), interval) for reader, interval in make()
        ]

    @property
    def space(self) -> KeySpace:
        """The key space of the next batch."""
        return self._book.space

    def collect(self, now: float) -> list[Batch]:
        """Everything that is due at `now` (seconds since the epoch): one batch, or none. Never raises, never blocks."""
        for part in self._parts:
            if part.due(now):
                part.read_at = now if part.interval else None
                self._read(part, now)
        batch = self._book.take(now)
        return [batch] if batch is not None else []

    def _read(self, part: _Part, now: float) -> None:
        try:
            complete = part.reader.read(part.section, now)
        except Exception:
            # A kernel file that is not what its manual says must not take the other parts with it: what was read of it
            # stands, the rest goes stale.
            self.counters.failed_readings += 1
            if not part.failed:
                part.failed = True
                _LOG.exception("cannot make sense of a part of the host (%s); its series are missing", type(part.reader).__name__)
            complete = True
        if complete:
            part.section.close()

    def _proc_readers(self, root: str) -> list[tuple[Reader, float]]:
        from collector.receivers.host import disks, filesystems, network, processes, system

        base = root.rstrip("/")
        proc, sysfs, counters = f"{base}/proc", f"{base}/sys", self.counters
        directory = processes.ProcDirectory(proc)
        return [
            (system.ProcessorReader(proc, counters), 0.0),
            (system.LoadReader(proc, counters), 0.0),
            (system.MemoryReader(proc, counters), 0.0),
            (system.PressureReader(proc, counters), 0.0),
            (system.DescriptorReader(proc, counters), 0.0),
            (disks.DiskReader(proc, sysfs, counters), 0.0),
            (network.NetworkReader(root, proc, sysfs, counters), 0.0),
            (filesystems.FileSystemReader(root, proc, counters), self.settings.file_system_interval),
            (self._process_table(directory.pids, directory.probe), 0.0),
        ]

    def _psutil_readers(self) -> list[tuple[Reader, float]]:
        from collector.receivers.host import portable

        return [
            (portable.ProcessorReader(), 0.0),
            (portable.MemoryReader(), 0.0),
            (portable.DiskReader(self.counters), 0.0),
            (portable.NetworkReader(self.counters), 0.0),
            (portable.FileSystemReader(self.counters), self.settings.file_system_interval),
            (self._process_table(portable.pids, portable.probe), 0.0),
        ]

    def _process_table(self, pids: Callable[[], list[int]], probe: Callable[[int], ProcessReading | None]) -> Reader:
        settings = self.settings
        return ProcessTable(pids, probe, self.counters, interval=settings.process_interval, top=settings.top_processes)
