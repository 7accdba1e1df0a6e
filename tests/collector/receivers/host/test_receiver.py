"""The host receiver on an imaginary machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.receivers.host import HostReceiver, HostSettings
from collector.receivers.host.samples import SampleBook
from monitor.model.series import Kind
from tests.collector.receivers.host.fake_root import FakeRoot, readings, stale


@pytest.fixture
def machine(tmp_path: Path) -> FakeRoot:
    return FakeRoot(tmp_path)


@pytest.fixture
def receiver(machine: FakeRoot) -> HostReceiver:
    return HostReceiver(HostSettings(source="proc"), root=str(machine.folder))


def test_processor_shares_are_those_of_the_time_between_two_readings(machine: FakeRoot, receiver: HostReceiver) -> None:
    assert "host.cpu.busy" not in readings(receiver.collect(1000.0))
    machine.processor(user=130, system=60, idle=860, switches=17)
    seen = readings(receiver.collect(1001.0))
    assert seen["host.cpu.busy"] == pytest.approx(40.0)
    assert seen['host.cpu.percent{mode="user"}'] == pytest.approx(30.0)
    assert seen['host.cpu.percent{mode="system"}'] == pytest.approx(10.0)
    assert seen['host.cpu.core.busy{core="0"}'] == pytest.approx(40.0)
    assert seen["host.context_switches"] == 7.0
    assert seen["host.interrupts"] == 0.0


def test_no_time_between_two_readings_repeats_the_last_shares(machine: FakeRoot, receiver: HostReceiver) -> None:
    receiver.collect(1000.0)
    machine.processor(user=200, system=50, idle=800, switches=10)
    receiver.collect(1001.0)
    assert readings(receiver.collect(1002.0))["host.cpu.busy"] == pytest.approx(100.0)


def test_every_reading_of_a_quiet_machine_has_its_unit(receiver: HostReceiver) -> None:
    (batch,) = receiver.collect(1000.0)
    seen = readings([batch])
    assert seen["host.load.1m"] == 0.5
    assert seen["host.processes.threads"] == 345
    assert seen["host.processes.running"] == 3
    assert seen["host.memory.used"] == 400 * 1024
    assert seen["host.memory.cached"] == 325 * 1024
    assert seen["host.memory.percent"] == pytest.approx(40.0)
    assert seen["host.swap.percent"] == pytest.approx(25.0)
    assert seen["host.fds.used"] == 800
    assert seen["host.uptime"] == 1234.5
    assert batch.times.tolist() == [1000.0] * len(batch)
    units = dict(zip([key.name for key in batch.space.keys], batch.space.units, strict=True))
    assert units["host.memory.used"] == "bytes"
    assert units["host.swap.percent"] == "percent"
    assert units["host.uptime"] == "s"


def test_counters_arrive_as_increments(machine: FakeRoot, receiver: HostReceiver) -> None:
    first = receiver.collect(1000.0)
    assert 'host.disk.reads{device="sda"}' not in readings(first)
    machine.disks["sda"] = (4, 10, 2, 16, 1000)
    machine.save_disks()
    (batch,) = receiver.collect(1001.0)
    seen = readings([batch])
    assert seen['host.disk.reads{device="sda"}'] == 3
    assert seen['host.disk.read_bytes{device="sda"}'] == 1024
    assert seen['host.disk.writes{device="sda"}'] == 0
    assert seen['host.disk.busy{device="sda"}'] == pytest.approx(50.0)
    kinds = dict(zip([key.name for key in batch.space.keys], batch.space.kinds, strict=True))
    assert kinds["host.disk.reads"] is Kind.COUNTER
    assert kinds["host.disk.busy"] is Kind.GAUGE


def test_a_counter_that_falls_back_counts_from_its_new_beginning(machine: FakeRoot, receiver: HostReceiver) -> None:
    machine.disks["sda"] = (100, 800, 100, 1600, 2**32 - 10)
    machine.save_disks()
    receiver.collect(1000.0)
    machine.disks["sda"] = (5, 8, 0, 0, 90)
    machine.save_disks()
    seen = readings(receiver.collect(1001.0))
    assert seen['host.disk.reads{device="sda"}'] == 5
    assert seen['host.disk.read_bytes{device="sda"}'] == 8 * 512
    assert seen['host.disk.writes{device="sda"}'] == 0


def test_a_disk_plugged_in_appears_and_one_pulled_out_is_marked_gone(machine: FakeRoot, receiver: HostReceiver) -> None:
    receiver.collect(1000.0)
    machine.disks["sdb"] = (10, 80, 0, 0, 0)
    machine.save_disks()
    receiver.collect(1001.0)
    assert 'host.disk.reads{device="sdb"}' in readings(receiver.collect(1002.0))
    del machine.disks["sdb"]
    machine.save_disks()
    gone = stale(receiver.collect(1003.0))
    assert 'host.disk.reads{device="sdb"}' in gone
    assert not any("sda" in label for label in gone)
    machine.disks["sdb"] = (500, 80, 0, 0, 0)
    machine.save_disks()
    back = readings(receiver.collect(1004.0))
    assert 'host.disk.reads{device="sdb"}' not in back, "another disk under the old name starts anew"


def test_partitions_and_memory_devices_are_not_disks(machine: FakeRoot, receiver: HostReceiver) -> None:
    (machine.folder / "sys/block/sda").mkdir(parents=True)
    (machine.folder / "sys/block/loop0").mkdir()
    machine.disks |= dict.fromkeys(("sda1", "loop0", "zram0"), (1, 1, 1, 1, 1))
    machine.save_disks()
    receiver.collect(1000.0)
    devices = {label for label in readings(receiver.collect(1001.0)) if label.startswith("host.disk.reads{")}
    assert devices == {'host.disk.reads{device="sda"}'}


def test_missing_files_are_simply_absent_and_come_back_when_they_do(machine: FakeRoot, receiver: HostReceiver) -> None:
    assert not any(label.startswith("host.pressure") for label in readings(receiver.collect(1000.0)))
    machine.write("proc/pressure/cpu", "some avg10=1.50 avg60=0 avg300=0 total=5\nfull avg10=0.25 avg60=0 avg300=0 total=5\n")
    seen: dict[str, float] = {}
    for second in range(60):
        seen |= readings(receiver.collect(1001.0 + second))
    assert seen['host.pressure.some{resource="cpu"}'] == 1.5
    assert seen['host.pressure.full{resource="cpu"}'] == 0.25
    assert receiver.counters.unreadable_files == 0


def test_an_unreadable_file_is_counted_and_the_rest_goes_on(machine: FakeRoot, receiver: HostReceiver) -> None:
    file = machine.folder / "proc/meminfo"
    file.unlink()
    file.mkdir()
    seen = readings(receiver.collect(1000.0))
    assert "host.memory.total" not in seen
    assert "host.load.1m" in seen
    assert receiver.counters.unreadable_files == 1


def test_a_file_unlike_its_manual_takes_no_other_part_with_it(machine: FakeRoot, receiver: HostReceiver) -> None:
    machine.write("proc/loadavg", "nonsense\n")
    machine.write("proc/diskstats", "8 0 sda x x x x x x x x x x x x x x x x\n")
    seen = readings(receiver.collect(1000.0))
    assert "host.load.1m" not in seen
    assert seen["host.memory.total"] == 1000 * 1024
    assert receiver.counters.failed_readings == 2


def test_interfaces_that_are_down_are_left_out(machine: FakeRoot, receiver: HostReceiver) -> None:
    row = "100 10 1 2 0 0 0 0 200 20 3 4 0 0 0 0"
    machine.write("proc/1/net/dev", f"head\nhead\n eth0: {row}\n eth1: {row}\n")
    machine.write("sys/class/net/eth1/operstate", "down\n")
    receiver.collect(1000.0)
    machine.write("proc/1/net/dev", f"head\nhead\n eth0: {row.replace('200', '250')}\n eth1: {row}\n")
    seen = readings(receiver.collect(1001.0))
    assert seen['host.net.sent_bytes{interface="eth0"}'] == 50
    assert seen['host.net.send_drops{interface="eth0"}'] == 0
    assert not any("eth1" in label for label in seen)


def test_a_flood_of_container_interfaces_is_bounded_and_real_ones_come_first(machine: FakeRoot, receiver: HostReceiver) -> None:
    row = "1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0"
    names = [f"veth{number}" for number in range(100)] + ["eth0"]
    machine.write("proc/1/net/dev", "head\nhead\n" + "".join(f" {name}: {row}\n" for name in names))
    receiver.collect(1000.0)
    seen = [label for label in readings(receiver.collect(1001.0)) if label.startswith("host.net.sent_bytes")]
    assert len(seen) == 32
    assert 'host.net.sent_bytes{interface="eth0"}' in seen
    assert receiver.counters.left_out["interface"] == 69


def test_the_key_space_is_begun_anew_before_short_lived_series_fill_it() -> None:
    book = SampleBook(max_keys=50)
    lasting, passing = book.section(), book.section()
    total = 0.0
    spaces = set()
    for second in range(200):
        lasting.counter("jobs", 10.0 + second)
        lasting.gauge("level", 1.0)
        passing.gauge("work", 1.0, (("pid", str(second)),))
        lasting.close()
        passing.close()
        batch = book.take(1000.0 + second)
        assert batch is not None
        seen = readings([batch])
        total += seen.get("jobs", 0.0)
        spaces.add(id(batch.space))
        assert len(batch.space) <= 52
        assert stale([batch]) == ({f'work{{pid="{second - 1}"}}'} if second else set())
    assert total == 199.0, "no increment is lost when the key space changes"
    assert len(spaces) > 1
