"""Both sources on the machine the tests run on, against psutil's own answers."""

from __future__ import annotations

import time

import psutil
import pytest

from collector.receivers.host import HostReceiver, HostSettings
from tests.collector.receivers.host.fake_root import Readings, readings


def two_readings(source: str) -> Readings:
    """The first reading and a second one after every core's time went on."""
    receiver = HostReceiver(HostSettings(source="proc" if source == "proc" else "psutil", process_interval=0.0))
    seen = readings(receiver.collect(1000.0))
    before = [sum(core) for core in psutil.cpu_times(percpu=True)]
    while any(sum(core) <= earlier for core, earlier in zip(psutil.cpu_times(percpu=True), before, strict=True)):
        sum(range(10_000))
    return seen | readings(receiver.collect(1001.0))


@pytest.mark.parametrize("source", ["proc", "psutil"])
def test_readings_agree_with_psutil(source: str) -> None:
    seen = two_readings(source)
    memory = psutil.virtual_memory()
    assert seen["host.memory.total"] == memory.total
    assert seen["host.memory.available"] == pytest.approx(memory.available, rel=0.1)
    assert seen["host.memory.percent"] == pytest.approx(100 * (1 - memory.available / memory.total), abs=10)
    assert seen["host.swap.total"] == psutil.swap_memory().total
    assert seen["host.cpu.count"] == psutil.cpu_count()
    assert seen["host.processes.total"] == pytest.approx(len(psutil.pids()), abs=20)
    assert seen["host.uptime"] == pytest.approx(time.time() - psutil.boot_time(), abs=30)
    modes = [value for label, value in seen.items() if label.startswith("host.cpu.percent")]
    assert sum(modes) == pytest.approx(100.0)
    assert 0.0 <= seen["host.cpu.busy"] <= 100.0


def test_both_sources_speak_of_the_same_series() -> None:
    # Process tables differ from moment to moment, file systems by what psutil calls physical.
    ours, theirs = (
        {label.partition("{")[0] for label in two_readings(source) if not label.startswith(("host.fs.", "host.process."))}
        for source in ("proc", "psutil")
    )
    assert theirs <= ours
    only_linux = {name.rsplit(".", 1)[0] for name in ours - theirs}
    assert only_linux <= {"host.pressure", "host.fds", "host.processes", "host", "host.disk"}


def test_disk_and_network_totals_agree_with_psutil() -> None:
    receiver = HostReceiver(HostSettings(source="proc"))
    receiver.collect(1000.0)
    devices = {key.tags[0][1] for key in receiver.space.keys if key.name == "host.disk.reads"}
    assert devices <= set(psutil.disk_io_counters(perdisk=True) or {})
    interfaces = {key.tags[0][1] for key in receiver.space.keys if key.name == "host.net.sent_bytes"}
    assert interfaces <= set(psutil.net_io_counters(pernic=True))
    assert "lo" in interfaces
