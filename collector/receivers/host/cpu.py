"""Shares of processor time between two readings."""

from __future__ import annotations

from collections.abc import Iterable

from collector.receivers.host.samples import Section

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""Order of the columns in /proc/stat (proc_stat(5)); guest time is already part of user and nice."""
_IDLE, _IOWAIT = 3, 4
_MODE_TAGS = tuple((("mode", mode),) for mode in MODES)

Times = list[float]


class ProcessorShares:
    """Turns cumulative processor times (any unit) into `host.cpu.*` percentages of the time between two readings."""

    def __init__(self) -> None:
        self._machine: Times | None = None
        self._cores: dict[str, tuple[float, float]] = {}
        self._shares: list[float] | None = None
        self._core_busy: dict[str, float] = {}

    def report(self, out: Section, machine: Times, cores: Iterable[tuple[str, Times]]) -> None:
        """`machine` and each core hold one time for each of `MODES`. Nothing is said at the first reading."""
        self._shares = self._machine_shares(machine)
        if self._shares is not None:
            out.gauge("host.cpu.busy", 100.0 - self._shares[_IDLE] - self._shares[_IOWAIT], unit="percent")
            for tags, share in zip(_MODE_TAGS, self._shares, strict=True):
                out.gauge("host.cpu.percent", share, tags, "percent")
        for core, times in cores:
            busy = self._busy_share(core, times)
            if busy is not None:
                out.gauge("host.cpu.core.busy", busy, (("core", core),), "percent")

    def _machine_shares(self, machine: Times) -> list[float] | None:
        before, self._machine = self._machine, machine
        if before is None:
            return None
        # iowait is known to run backwards (proc_stat(5)); a negative share would be nonsense.
        spent = [max(0.0, after - earlier) for after, earlier in zip(machine, before, strict=True)]
        total = sum(spent)
        return [100.0 * part / total for part in spent] if total > 0 else self._shares

    def _busy_share(self, core: str, times: Times) -> float | None:
        total, idle = sum(times), times[_IDLE] + times[_IOWAIT]
        before = self._cores.get(core)
        self._cores[core] = (total, idle)
        if before is None:
            return None
        elapsed, idled = total - before[0], idle - before[1]
        if elapsed > 0:
            self._core_busy[core] = 100.0 * min(1.0, max(0.0, 1.0 - idled / elapsed))
        return self._core_busy.get(core)
