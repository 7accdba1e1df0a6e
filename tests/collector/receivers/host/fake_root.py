"""A small machine made of files, to read instead of the real /proc and /sys."""

from __future__ import annotations

import math
from pathlib import Path

from monitor.model.batch import Batch

Readings = dict[str, float]

_STAT = """cpu  {user} 0 {system} {idle} 10 0 5 0 0 0
cpu0 {user} 0 {system} {idle} 10 0 5 0 0 0
intr 5000 1 2 3
ctxt {switches}
btime 1700000000
processes 400
procs_running 3
procs_blocked 1
softirq 1 2 3
"""
_MEMINFO = """MemTotal:        1000 kB
MemFree:          200 kB
MemAvailable:     600 kB
Buffers:           50 kB
Cached:           300 kB
SReclaimable:      25 kB
SwapTotal:        100 kB
SwapFree:          75 kB
"""


class FakeRoot:
    """Writes the kernel files of an imaginary machine under a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disks: dict[str, tuple[int, int, int, int, int]] = {"sda": (1, 8, 2, 16, 500)}
        self.write("proc/loadavg", "0.50 0.25 0.10 2/345 999\n")
        self.write("proc/meminfo", _MEMINFO)
        self.write("proc/uptime", "1234.5 2000.0\n")
        self.write("proc/sys/fs/file-nr", "900\t100\t5000\n")
        self.write("proc/1/mounts", "")
        self.write("proc/1/net/dev", "head\nhead\n  eth0: 100 10 1 2 0 0 0 0 200 20 3 4 0 0 0 0\n")
        self.processor(user=100, system=50, idle=800, switches=10)
        self.save_disks()

    def write(self, path: str, text: str) -> None:
        """Set one file's content, in place as the kernel does."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def processor(self, user: int, system: int, idle: int, switches: int) -> None:
        """Set /proc/stat."""
        self.write("proc/stat", _STAT.format(user=user, system=system, idle=idle, switches=switches))

    def save_disks(self) -> None:
        """Write /proc/diskstats from `disks`: reads, sectors read, writes, sectors written, busy ms."""
        rows = [
            f"   8       {number} {name} {reads} 0 {read} 0 {writes} 0 {written} 0 0 {busy} 0 0 0 0 0 0 0\n"
            for number, (name, (reads, read, writes, written, busy)) in enumerate(self.disks.items())
        ]
        self.write("proc/diskstats", "".join(rows))

    def process(self, pid: int, name: str, *, ticks: int = 0, pages: int = 1, started: int = 7) -> None:
        """Add or change a process."""
        columns = ["S", *["0"] * 10, str(ticks), "0", *["0"] * 6, str(started), "0", str(pages), *["0"] * 20]
        self.write(f"proc/{pid}/stat", f"{pid} ({name}) {' '.join(columns)}\n")

    def end_process(self, pid: int) -> None:
        """The process is gone."""
        (self.folder / f"proc/{pid}/stat").unlink()
        (self.folder / f"proc/{pid}").rmdir()


def readings(batches: list[Batch]) -> Readings:
    """Values by the label of their series."""
    return {
        batch.space.keys[series].label(): value
        for batch in batches
        for series, value in zip(batch.ids.tolist(), batch.values.tolist(), strict=True)
    }


def stale(batches: list[Batch]) -> set[str]:
    """Labels of the series that were marked as gone."""
    return {label for label, value in readings(batches).items() if math.isnan(value)}
