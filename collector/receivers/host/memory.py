"""Memory and swap under one set of names, whichever source was read."""

from __future__ import annotations

from dataclasses import dataclass

from collector.receivers.host.samples import Section


@dataclass(frozen=True, slots=True)
class MemoryReadings:
    """All in bytes."""

    total: float
    available: float
    free: float
    cached: float
    buffers: float
    swap_total: float
    swap_used: float


def report_memory(out: Section, memory: MemoryReadings) -> None:
    """`host.memory.*` and `host.swap.*`. Used is what is not available: caches that can be dropped are not use."""
    used = memory.total - memory.available
    for name, value in (
        ("total", memory.total),
        ("used", used),
        ("available", memory.available),
        ("free", memory.free),
        ("cached", memory.cached),
        ("buffers", memory.buffers),
    ):
        out.gauge(f"host.memory.{name}", value, unit="bytes")
    if memory.total > 0:
        out.gauge("host.memory.percent", 100.0 * used / memory.total, unit="percent")
    out.gauge("host.swap.total", memory.swap_total, unit="bytes")
    out.gauge("host.swap.used", memory.swap_used, unit="bytes")
    out.gauge("host.swap.percent", 100.0 * memory.swap_used / memory.swap_total if memory.swap_total > 0 else 0.0, unit="percent")
