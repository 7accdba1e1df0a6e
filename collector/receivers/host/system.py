"""Processor, load, memory, pressure, descriptors and uptime from /proc."""

from __future__ import annotations

from collector.receivers.host.cpu import MODES, ProcessorShares, Times
from collector.receivers.host.files import HostCounters, KeptFile
from collector.receivers.host.memory import MemoryReadings, report_memory
from collector.receivers.host.samples import Section

MAX_CORES = 256
_RESOURCES = ("cpu", "memory", "io")
_KILOBYTE = 1024.0


class ProcessorReader:
    """`host.cpu.*`, context switches, interrupts, forks and the number of running and blocked tasks, from /proc/stat."""

    def __init__(self, proc: str, counters: HostCounters) -> None:
        self._stat = KeptFile(f"{proc}/stat", counters)
        self._counters = counters
        self._shares = ProcessorShares()

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        content = self._stat.read()
        if content is None:
            return True
        machine: Times | None = None
        cores: list[tuple[str, Times]] = []
        left_out = 0
        for line in content.split(b"\n"):
            if line.startswith(b"cpu"):
                label, *columns = line.split(None, len(MODES) + 1)
                times = _times(columns)
                if label == b"cpu":
                    machine = times
                elif len(cores) < MAX_CORES:
                    cores.append((label[3:].decode("ascii", "replace"), times))
                else:
                    left_out += 1
            elif line:
                self._total(out, line)
        self._counters.left_out["core"] = left_out
        if machine is not None:
            self._shares.report(out, machine, cores)
            out.gauge("host.cpu.count", len(cores) + left_out)
        return True

    @staticmethod
    def _total(out: Section, line: bytes) -> None:
        label, value, *_ = (*line.split(None, 2), b"0", b"0")
        if label == b"ctxt":
            out.counter("host.context_switches", float(value))
        elif label == b"intr":
            out.counter("host.interrupts", float(value))
        elif label == b"processes":
            out.counter("host.forks", float(value))
        elif label == b"procs_running":
            out.gauge("host.processes.running", float(value))
        elif label == b"procs_blocked":
            out.gauge("host.processes.blocked", float(value))


def _times(columns: list[bytes]) -> Times:
    times = [float(column) for column in columns[: len(MODES)]]
    return times + [0.0] * (len(MODES) - len(times))


class LoadReader:
    """`host.load.*` and the number of threads, from /proc/loadavg."""

    def __init__(self, proc: str, counters: HostCounters) -> None:
        self._loadavg = KeptFile(f"{proc}/loadavg", counters)

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        content = self._loadavg.read()
        if content is not None:
            one, five, fifteen, tasks, *_ = content.split()
            out.gauge("host.load.1m", float(one))
            out.gauge("host.load.5m", float(five))
            out.gauge("host.load.15m", float(fifteen))
            out.gauge("host.processes.threads", float(tasks.partition(b"/")[2]))
        return True


class MemoryReader:
    """`host.memory.*` and `host.swap.*`, from /proc/meminfo."""

    def __init__(self, proc: str, counters: HostCounters) -> None:
        self._meminfo = KeptFile(f"{proc}/meminfo", counters)

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        content = self._meminfo.read()
        if content is None:
            return True
        fields: dict[bytes, float] = {}
        for line in content.split(b"\n"):
            label, colon, rest = line.partition(b":")
            if colon:
                fields[label] = float(rest.split(None, 1)[0]) * _KILOBYTE
        free = fields.get(b"MemFree", 0.0)
        cached = fields.get(b"Cached", 0.0) + fields.get(b"SReclaimable", 0.0)
        buffers = fields.get(b"Buffers", 0.0)
        readings = MemoryReadings(
            total=fields[b"MemTotal"],
            # Kernels before 3.14 do not estimate what is available.
            available=fields.get(b"MemAvailable", free + cached + buffers),
            free=free,
            cached=cached,
            buffers=buffers,
            swap_total=fields.get(b"SwapTotal", 0.0),
            swap_used=fields.get(b"SwapTotal", 0.0) - fields.get(b"SwapFree", 0.0),
        )
        report_memory(out, readings)
        return True


class PressureReader:
    """`host.pressure.some` and `.full` of the last ten seconds (kernel documentation, accounting/psi); absent without PSI."""

    def __init__(self, proc: str, counters: HostCounters) -> None:
        self._files = [((("resource", name),), KeptFile(f"{proc}/pressure/{name}", counters)) for name in _RESOURCES]

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        for tags, file in self._files:
            for line in (file.read() or b"").splitlines():
                share, average, *_ = line.split()
                if share in (b"some", b"full") and average.startswith(b"avg10="):
                    out.gauge(f"host.pressure.{share.decode()}", float(average[6:]), tags, "percent")
        return True


class DescriptorReader:
    """`host.fds.*` and `host.uptime`."""

    def __init__(self, proc: str, counters: HostCounters) -> None:
        self._file_nr = KeptFile(f"{proc}/sys/fs/file-nr", counters)
        self._uptime = KeptFile(f"{proc}/uptime", counters)

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        content = self._file_nr.read()
        if content is not None:
            allocated, unused, limit, *_ = content.split()
            out.gauge("host.fds.used", float(allocated) - float(unused))
            out.gauge("host.fds.limit", float(limit))
        uptime = self._uptime.read()
        if uptime is not None:
            out.gauge("host.uptime", float(uptime.split(None, 1)[0]), unit="s")
        return True
