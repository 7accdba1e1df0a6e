"""Top processes: shares, names, vanishing and the bound on work in one call."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector.receivers.host import HostReceiver, HostSettings
from collector.receivers.host.files import HostCounters
from collector.receivers.host.processes import PER_CALL, ProcDirectory, ProcessReading, ProcessTable
from collector.receivers.host.samples import SampleBook
from tests.collector.receivers.host.fake_root import FakeRoot, readings, stale

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def machine(tmp_path: Path) -> FakeRoot:
    return FakeRoot(tmp_path)


def receiver_of(machine: FakeRoot) -> HostReceiver:
    return HostReceiver(HostSettings(source="proc", process_interval=1.0, top_processes=2), root=str(machine.folder))


def test_a_share_is_that_of_one_core_over_the_time_between_two_looks(machine: FakeRoot) -> None:
    machine.process(10, "busy", ticks=100, pages=3)
    receiver = receiver_of(machine)
    seen = readings(receiver.collect(1000.0))
    assert seen['host.process.memory{pid="10",process="busy"}'] == 3 * PAGE
    assert seen["host.processes.total"] == 2  # the folder of process 1 holds the mounts
    machine.process(10, "busy", ticks=100 + 3 * TICKS, pages=3)
    seen = readings(receiver.collect(1002.0))
    assert seen['host.process.cpu{pid="10",process="busy"}'] == pytest.approx(150.0)


def test_only_the_top_is_shown_and_who_leaves_it_is_marked_gone(machine: FakeRoot) -> None:
    for pid in (10, 11, 12):
        machine.process(pid, f"p{pid}", pages=pid)
    receiver = receiver_of(machine)
    shown = {label for label in readings(receiver.collect(1000.0)) if label.startswith("host.process.memory")}
    assert shown == {'host.process.memory{pid="11",process="p11"}', 'host.process.memory{pid="12",process="p12"}'}
    machine.process(10, "p10", pages=99)
    batches = receiver.collect(1001.0)
    assert 'host.process.memory{pid="10",process="p10"}' in readings(batches)
    assert stale(batches) == {'host.process.memory{pid="11",process="p11"}'}


def test_a_process_that_ends_is_marked_gone(machine: FakeRoot) -> None:
    machine.process(10, "short")
    receiver = receiver_of(machine)
    receiver.collect(1000.0)
    machine.end_process(10)
    assert stale(receiver.collect(1001.0)) == {'host.process.memory{pid="10",process="short"}'}


def test_series_of_processes_are_passing_and_those_of_the_machine_are_not(machine: FakeRoot) -> None:
    machine.process(10, "short")
    receiver = receiver_of(machine)
    receiver.collect(1000.0)
    passing = {key.name for key, passes in zip(receiver.space.keys, receiver.space.passing, strict=True) if passes}
    assert "host.process.memory" in passing
    assert not any(name.startswith(("host.cpu", "host.memory", "host.disk", "host.net", "host.fs")) for name in passing)


def test_a_pid_given_to_another_process_has_no_share_of_the_first(machine: FakeRoot) -> None:
    machine.process(10, "first", ticks=5, started=7)
    receiver = receiver_of(machine)
    receiver.collect(1000.0)
    machine.process(10, "second", ticks=900, started=8)
    assert not any(label.startswith("host.process.cpu") for label in readings(receiver.collect(1001.0)))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a) S 1 (b", "a) S 1 (b"),
        ("evil\x1b[31m\nname\u202e", "evil?[31m?name?"),
        ("x" * 500, "x" * 64),
        ("", ""),
    ],
)
def test_names_are_hostile_text(machine: FakeRoot, name: str, shown: str) -> None:
    machine.process(10, name, pages=2)
    labels = {label for label in readings(receiver_of(machine).collect(1000.0)) if label.startswith("host.process.memory")}
    assert labels == {f'host.process.memory{{pid="10",process="{shown}"}}'}


def test_a_stat_file_unlike_its_manual_is_a_process_that_is_gone(machine: FakeRoot) -> None:
    machine.write("proc/10/stat", "10 (x) S 1 2")
    machine.write("proc/11/stat", "11 (x) " + "z " * 40)
    machine.write("proc/12/stat", "")
    directory = ProcDirectory(str(machine.folder / "proc"))
    assert [directory.probe(pid) for pid in (10, 11, 12, 13)] == [None] * 4


def test_one_call_looks_at_no_more_than_its_share_of_many_processes() -> None:
    looked: list[int] = []

    def probe(pid: int) -> ProcessReading:
        looked.append(pid)
        return ProcessReading(f"p{pid}", 1.0, float(len(looked)), 1.0)

    book = SampleBook()
    section = book.section()
    table = ProcessTable(lambda: list(range(1, 2501)), probe, HostCounters(), interval=5.0, top=10)
    calls = 0
    complete = 0
    while complete < 2:
        before = len(looked)
        complete += table.read(section, 1000.0 + calls)
        calls += 1
        assert len(looked) - before <= PER_CALL
    assert len(looked) == 5000
    assert set(looked) == set(range(1, 2501))


def test_a_few_processes_are_spread_over_the_interval_after_the_first_round() -> None:
    looked: list[int] = []

    def probe(pid: int) -> None:
        looked.append(pid)

    section = SampleBook().section()
    table = ProcessTable(lambda: list(range(1, 101)), probe, HostCounters(), interval=5.0)
    counts = []
    for second in range(11):
        before = len(looked)
        table.read(section, 1000.0 + second)
        counts.append(len(looked) - before)
    assert counts == [100, 0, 0, 0, 0, 20, 20, 20, 20, 20, 20]
