"""How full the file systems are, without ever waiting for one that hangs."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from collector.receivers.host.files import HostCounters, KeptFile
from collector.receivers.host.samples import Section, plain_text
from monitor.model.series import Tags

MAX_MOUNTS = 64
MAX_HUNG = 8
# fmt: off
_PSEUDO = frozenset((
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl",
    "fuse.lxcfs", "fuse.portal", "hugetlbfs", "iso9660", "mqueue", "nsfs", "nullfs", "overlay", "proc", "pstore", "ramfs",
    "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs",
))
_LOCAL = frozenset((
    "apfs", "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfs", "jfs", "ntfs", "ntfs3", "overlay", "reiserfs",
    "tmpfs", "ufs", "vfat", "xfs", "zfs",
))
# fmt: on
_NOT_FOR_PEOPLE = re.compile(r"^/(dev|proc|sys|run/(credentials|user)|var/lib/(docker|containers|kubelet)/.+)(/|$)")
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/mounts, escapes resolved."""

    device: str
    path: str
    type: str

    def tags(self) -> Tags:
        """Tags of its series, sorted."""
        return (("device", plain_text(self.device)), ("mount", plain_text(self.path)), ("type", plain_text(self.type)))


@dataclass(frozen=True, slots=True)
class Usage:
    """Size of a file system in bytes; `free` is what an ordinary user may still write. `inodes` percent used or None."""

    total: float
    used: float
    free: float
    inodes: float | None


def usage_of(path: str) -> Usage:
    """Ask the file system at `path` (statvfs). Raises OSError. May block for ever on a network file system."""
    answer = os.statvfs(path)
    total = float(answer.f_blocks) * answer.f_frsize
    used = float(answer.f_blocks - answer.f_bfree) * answer.f_frsize
    inodes = 100.0 * (answer.f_files - answer.f_ffree) / answer.f_files if answer.f_files > 0 else None
    return Usage(total, used, float(answer.f_bavail) * answer.f_frsize, inodes)


def parse_mounts(content: bytes) -> list[Mount]:
    """Mounts worth showing, in order: no pseudo file systems, each block device once (bind mounts repeat it)."""
    mounts: list[Mount] = []
    devices: set[str] = set()
    for line in content.decode("utf-8", "surrogateescape").split("\n"):
        columns = line.split(" ")
        if len(columns) < 3:
            continue
        device, path = (_ESCAPE.sub(lambda match: chr(int(match[1], 8)), column) for column in columns[:2])
        kind = columns[2]
        if (kind in _PSEUDO and path != "/") or _NOT_FOR_PEOPLE.match(path):
            continue
        if device.startswith("/"):
            if device in devices:
                continue
            devices.add(device)
        mounts.append(Mount(device, path, kind))
    return mounts


class GuardedProbe:
    """Asks each file system for its usage; one that may hang is asked in a thread of its own and answered for later."""

    def __init__(self, counters: HostCounters, ask: Callable[[str], Usage] = usage_of) -> None:
        self._counters = counters
        self._ask = ask
        self._waiting: dict[str, threading.Thread] = {}
        self._answers: dict[str, Usage] = {}

    def usage(self, mount: Mount, path: str) -> Usage | None:
        """Usage now for a local file system; for others the answer to an earlier question, None while there is none."""
        if mount.type in _LOCAL:
            return self._answer(path)
        thread = self._waiting.get(path)
        if thread is not None and thread.is_alive():
            self._counters.unanswered += 1
            return None
        answer = self._answers.pop(path, None)
        self._waiting = {key: thread for key, thread in self._waiting.items() if thread.is_alive()}
        if len(self._waiting) < MAX_HUNG:
            thread = threading.Thread(target=self._keep_answer, args=(path,), name="host-file-system", daemon=True)
            self._waiting[path] = thread
            thread.start()
        return answer

    def _keep_answer(self, path: str) -> None:
        answer = self._answer(path)
        if answer is not None:
            self._answers[path] = answer

    def _answer(self, path: str) -> Usage | None:
        try:
            return self._ask(path)
        except OSError:
            return None


def report_usage(out: Section, mount: Mount, usage: Usage | None) -> None:
    """`host.fs.*` of one mount; nothing for file systems without a size."""
    if usage is None or usage.total <= 0:
        return
    tags = mount.tags()
    out.gauge("host.fs.total", usage.total, tags, "bytes")
    out.gauge("host.fs.used", usage.used, tags, "bytes")
    out.gauge("host.fs.free", usage.free, tags, "bytes")
    writable = usage.used + usage.free
    # As df does: of what ordinary users can have, the blocks kept for root left out.
    out.gauge("host.fs.percent", 100.0 * usage.used / writable if writable > 0 else 0.0, tags, "percent")
    if usage.inodes is not None:
        out.gauge("host.fs.inodes.percent", usage.inodes, tags, "percent")


class FileSystemReader:
    """`host.fs.*` of the mounts of this machine."""

    def __init__(self, root: str, proc: str, counters: HostCounters, probe: GuardedProbe | None = None) -> None:
        # Under another root (the host's, seen from a container) the mounts are those of its first process.
        self._mounts = KeptFile(f"{proc}/mounts" if root == "/" else f"{proc}/1/mounts", counters)
        self._root = root.rstrip("/")
        self._counters = counters
        self._probe = probe or GuardedProbe(counters)
        self._content = b""
        self._chosen: list[Mount] = []

    def read(self, out: Section, _now: float) -> bool:
        """Report one reading."""
        content = self._mounts.read()
        if content is None:
            return True
        if content != self._content:
            mounts = parse_mounts(content)
            self._counters.left_out["mount"] = max(0, len(mounts) - MAX_MOUNTS)
            self._content, self._chosen = content, mounts[:MAX_MOUNTS]
        for mount in self._chosen:
            report_usage(out, mount, self._probe.usage(mount, self._root + mount.path))
        return True
