"""Traffic of whole disks from /proc/diskstats."""

from __future__ import annotations

import os
from dataclasses import dataclass

from collector.receivers.host.files import HostCounters, KeptFile
from collector.receivers.host.samples import Section, plain_text
from monitor.model.series import Tags

MAX_DISKS = 64
_SECTOR = 512.0
"""Bytes: the unit of /proc/diskstats whatever the device says (kernel documentation, block/stat)."""
_NOT_DISKS = ("loop", "ram", "zram", "fd", "sr", "nbd")


@dataclass(frozen=True, slots=True)
class DiskReadings:
    """Cumulative readings of one disk; `busy` milliseconds in which it had work, None where the system does not say."""

    reads: float
    read_bytes: float
    writes: float
    write_bytes: float
    busy: float | None


class DiskTraffic:
    """Reports `host.disk.*`; the busy share is that of the time between two readings."""

    def __init__(self) -> None:
        self._busy: dict[str, float] = {}
        self._elapsed = 0.0
        self._read_at: float | None = None

    def begin(self, now: float) -> None:
        """A new reading of all disks begins."""
        self._elapsed = now - self._read_at if self._read_at is not None else 0.0
        self._read_at = now

    def report(self, out: Section, device: str, disk: DiskReadings) -> None:
        """Report one disk."""
        tags: Tags = (("device", plain_text(device)),)
        out.counter("host.disk.reads", disk.reads, tags)
        out.counter("host.disk.read_bytes", disk.read_bytes, tags, "bytes")
        out.counter("host.disk.writes", disk.writes, tags)
        out.counter("host.disk.write_bytes", disk.write_bytes, tags, "bytes")
        if disk.busy is None:
            return
        before = self._busy.get(device)
        self._busy[device] = disk.busy
        # Busy milliseconds wrap at 32 bits and begin anew with the device: such a second says nothing.
        if before is not None and self._elapsed > 0 and disk.busy >= before:
            out.gauge("host.disk.busy", min(100.0, (disk.busy - before) / (10.0 * self._elapsed)), tags, "percent")


def is_disk(device: str, sys_block: str) -> bool:
    """Whether `device` is a whole disk: not a partition, a loop or a memory device."""
    if device.startswith(_NOT_DISKS):
        return False
    # sysfs writes "!" where a device's name has "/" (cciss/c0d0); without sysfs every device counts as whole.
    return not os.path.isdir(sys_block) or os.path.exists(os.path.join(sys_block, device.replace("/", "!")))


class DiskReader:
    """`host.disk.*` of whole disks, at most `MAX_DISKS`."""

    def __init__(self, proc: str, sys: str, counters: HostCounters) -> None:
        self._diskstats = KeptFile(f"{proc}/diskstats", counters)
        self._sys_block = f"{sys}/block"
        self._counters = counters
        self._traffic = DiskTraffic()
        self._devices: list[bytes] = []
        self._chosen: dict[bytes, str] = {}

    def read(self, out: Section, now: float) -> bool:
        """Report one reading."""
        content = self._diskstats.read()
        if content is None:
            return True
        rows = {row[2]: row for row in map(bytes.split, content.split(b"\n")) if len(row) >= 14}
        self._choose(list(rows))
        self._traffic.begin(now)
        for raw, device in self._chosen.items():
            row = rows[raw]
            reads, sectors_read, writes, sectors_written, busy = (float(row[column]) for column in (3, 5, 7, 9, 12))
            self._traffic.report(
                out, device, DiskReadings(reads, sectors_read * _SECTOR, writes, sectors_written * _SECTOR, busy)
            )
        return True

    def _choose(self, devices: list[bytes]) -> None:
        if devices == self._devices:
            return
        self._devices = devices
        names = [(raw, raw.decode("utf-8", "surrogateescape")) for raw in devices]
        disks = [(raw, name) for raw, name in names if is_disk(name, self._sys_block)]
        self._counters.left_out["disk"] = max(0, len(disks) - MAX_DISKS)
        self._chosen = dict(disks[:MAX_DISKS])
