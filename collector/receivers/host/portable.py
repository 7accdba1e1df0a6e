"""The host through psutil, for systems without /proc; the names are those of the raw readers."""

from __future__ import annotations

import os
import time

import psutil

from collector.receivers.host.cpu import MODES, ProcessorShares, Times
from collector.receivers.host.disks import MAX_DISKS, DiskReadings, DiskTraffic, is_disk
from collector.receivers.host.files import HostCounters
from collector.receivers.host.filesystems import MAX_MOUNTS, GuardedProbe, Mount, Usage, report_usage, usage_of
from collector.receivers.host.memory import MemoryReadings, report_memory
from collector.receivers.host.network import chosen_interfaces, report_interface
from collector.receivers.host.processes import ProcessReading
from collector.receivers.host.samples import Section

_OTHER_NAMES = {"irq": "interrupt", "softirq": "dpc"}
"""What Windows calls them."""


def _times(source: object) -> Times:
    return [float(getattr(source, mode, 0.0) or getattr(source, _OTHER_NAMES.get(mode, ""), 0.0)) for mode in MODES]


class ProcessorReader:
    """`host.cpu.*`, load, switches, interrupts and uptime."""

    def __init__(self) -> None:
        self._shares = ProcessorShares()
        self._booted = psutil.boot_time()

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        cores = [(str(number), _times(times)) for number, times in enumerate(psutil.cpu_times(percpu=True))]
        self._shares.report(out, _times(psutil.cpu_times()), cores)
        out.gauge("host.cpu.count", len(cores))
        for name, load in zip(("1m", "5m", "15m"), psutil.getloadavg(), strict=True):
            out.gauge(f"host.load.{name}", load)
        totals = psutil.cpu_stats()
        out.counter("host.context_switches", totals.ctx_switches)
        out.counter("host.interrupts", totals.interrupts)
        # The machine's own clock, not the caller's time: a replayed second is no older than the machine.
        out.gauge("host.uptime", max(0.0, time.time() - self._booted), unit="s")
        return True


class MemoryReader:
    """`host.memory.*` and `host.swap.*`."""

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        report_memory(
            out,
            MemoryReadings(
                total=float(memory.total),
                available=float(memory.available),
                free=float(memory.free),
                cached=float(getattr(memory, "cached", 0)),
                buffers=float(getattr(memory, "buffers", 0)),
                swap_total=float(swap.total),
                swap_used=float(swap.used),
            ),
        )
        return True


class DiskReader:
    """`host.disk.*` of whole disks."""

    def __init__(self, counters: HostCounters) -> None:
        self._counters = counters
        self._traffic = DiskTraffic()

    def read(self, out: Section, now: float) -> bool:
        """Report one reading."""
        disks = {
            name: disk for name, disk in (psutil.disk_io_counters(perdisk=True) or {}).items() if is_disk(name, "/sys/block")
        }
        self._counters.left_out["disk"] = max(0, len(disks) - MAX_DISKS)
        self._traffic.begin(now)
        for name, disk in list(disks.items())[:MAX_DISKS]:
            busy = getattr(disk, "busy_time", None)
            self._traffic.report(
                out, name, DiskReadings(disk.read_count, disk.read_bytes, disk.write_count, disk.write_bytes, busy)
            )
        return True


class NetworkReader:
    """`host.net.*` of the interfaces that are up."""

    def __init__(self, counters: HostCounters) -> None:
        self._counters = counters

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        traffic = psutil.net_io_counters(pernic=True)
        states = psutil.net_if_stats()
        up = [name for name in traffic if name not in states or states[name].isup]
        for name, tags in chosen_interfaces(up, self._counters).items():
            row = traffic[name]
            received = (row.bytes_recv, row.packets_recv, row.errin, row.dropin)
            sent = (row.bytes_sent, row.packets_sent, row.errout, row.dropout)
            report_interface(out, tags, (*map(float, received), *map(float, sent)))
        return True


def _disk_usage(path: str) -> Usage:
    if hasattr(os, "statvfs"):
        return usage_of(path)
    answer = psutil.disk_usage(path)
    return Usage(float(answer.total), float(answer.used), float(answer.free), None)


class FileSystemReader:
    """`host.fs.*` of physical devices."""

    def __init__(self, counters: HostCounters) -> None:
        self._probe = GuardedProbe(counters, _disk_usage)

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        seen: set[str] = set()
        for partition in psutil.disk_partitions(all=False)[:MAX_MOUNTS]:
            if partition.device not in seen:
                seen.add(partition.device)
                mount = Mount(partition.device, partition.mountpoint, partition.fstype)
                report_usage(out, mount, self._probe.usage(mount, mount.path))
        return True


def pids() -> list[int]:
    """All processes there are."""
    return list(psutil.pids())


def probe(pid: int) -> ProcessReading | None:
    """One process, None when it is gone or may not be looked at."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
            return ProcessReading(process.name(), process.create_time(), float(times.user + times.system), float(memory.rss))
    except (psutil.Error, OSError):
        return None
