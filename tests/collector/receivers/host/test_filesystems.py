"""File systems: what is worth showing, and never waiting for one that hangs."""

from __future__ import annotations

import os
import threading

import pytest

from collector.receivers.host.files import HostCounters
from collector.receivers.host.filesystems import MAX_HUNG, GuardedProbe, Mount, Usage, parse_mounts, report_usage, usage_of
from collector.receivers.host.samples import SampleBook
from tests.collector.receivers.host.fake_root import readings

MOUNTS = rb"""proc /proc proc rw 0 0
sysfs /sys sysfs rw 0 0
/dev/vda1 / ext4 rw 0 0
/dev/vda1 /var/bind ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
server:/home /home/my\040files nfs4 rw 0 0
overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0
systemd-1 /auto autofs rw 0 0
broken
"""


def test_pseudo_file_systems_and_bind_mounts_are_left_out() -> None:
    assert [(mount.path, mount.type) for mount in parse_mounts(MOUNTS)] == [
        ("/", "ext4"),
        ("/run", "tmpfs"),
        ("/home/my files", "nfs4"),
    ]


def test_the_root_of_a_container_is_shown() -> None:
    assert parse_mounts(b"overlay / overlay rw 0 0\n") == [Mount("overlay", "/", "overlay")]


def test_usage_is_what_df_says() -> None:
    book = SampleBook()
    report_usage(book.section(), Mount("/dev/x", "/", "ext4"), usage_of("/"))
    batch = book.take(0.0)
    assert batch is not None
    answer = os.statvfs("/")
    tags = '{device="/dev/x",mount="/",type="ext4"}'
    seen = readings([batch])
    assert seen[f"host.fs.total{tags}"] == answer.f_blocks * answer.f_frsize
    used = answer.f_blocks - answer.f_bfree
    assert seen[f"host.fs.percent{tags}"] == pytest.approx(100 * used / (used + answer.f_bavail), abs=0.5)


def test_a_hanging_network_file_system_is_asked_once_and_delays_nobody() -> None:
    release, asked = threading.Event(), threading.Semaphore(0)
    threads: list[threading.Thread] = []

    def ask(_path: str) -> Usage:
        threads.append(threading.current_thread())
        asked.release()
        assert release.wait(30)
        return Usage(100.0, 50.0, 50.0, None)

    counters = HostCounters()
    probe = GuardedProbe(counters, ask)
    mount = Mount("server:/x", "/x", "nfs4")
    assert probe.usage(mount, mount.path) is None
    assert asked.acquire(timeout=30)
    for _ in range(5):
        assert probe.usage(mount, mount.path) is None
    assert counters.unanswered == 5
    assert len(threads) == 1
    release.set()
    threads[0].join(30)
    assert probe.usage(mount, mount.path) == Usage(100.0, 50.0, 50.0, None)
    assert asked.acquire(timeout=30)
    threads[1].join(30)


def test_the_number_of_hanging_questions_is_bounded() -> None:
    release = threading.Event()
    started: list[threading.Thread] = []

    def ask(_path: str) -> Usage:
        started.append(threading.current_thread())
        release.wait(30)
        raise OSError("stale file handle")

    probe = GuardedProbe(HostCounters(), ask)
    for number in range(3 * MAX_HUNG):
        mount = Mount("server:/x", f"/x{number}", "fuse.sshfs")
        assert probe.usage(mount, mount.path) is None
    release.set()
    for thread in started:
        thread.join(30)
    assert 0 < len(started) <= MAX_HUNG


def test_a_local_file_system_is_asked_at_once_and_an_error_is_no_answer() -> None:
    def ask(_path: str) -> Usage:
        raise PermissionError("no")

    assert GuardedProbe(HostCounters(), ask).usage(Mount("/dev/sda", "/a", "xfs"), "/a") is None
