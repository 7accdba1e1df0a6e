"""Rule files as files: safe names, bounded reading, writing that never leaves half a file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

MAX_BYTES = 1 << 20
MAX_FILES = 200
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}\.(?:toml|yml|yaml)")


class RuleFileError(ValueError):
    """A rule file that cannot be named, read or written; the message says what to do."""


class Signature(NamedTuple):
    """What tells a changed file from an unchanged one without reading it."""

    modified: int
    changed: int
    size: int
    inode: int


def check_name(name: str) -> str:
    """The name, if it is a plain file name ending in .toml, .yml or .yaml. Raises `RuleFileError`."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise RuleFileError(
            'A rule file is named with letters, digits and _ . - and ends in .toml, like "shop.toml"; Prometheus rules in .yml.'
        )
    return name


def is_prometheus(name: str) -> bool:
    """Whether a file of this name holds groups of Prometheus rules."""
    return not name.endswith(".toml")


def rule_files(directory: Path) -> dict[str, Signature]:
    """Names and signatures of the rule files, by name; of more than `MAX_FILES` the first. Raises `OSError`."""
    found = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            if not _NAME.fullmatch(entry.name) or ".." in entry.name:
                continue
            with contextlib.suppress(OSError):
                status = entry.stat()
                if stat.S_ISREG(status.st_mode):
                    found[entry.name] = Signature(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return {name: found[name] for name in sorted(found)[:MAX_FILES]}


def read_text(path: Path) -> str:
    """The file's text. Raises `RuleFileError` when it is too big, not UTF-8 or cannot be read."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RuleFileError(f"the file cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise RuleFileError("the file is larger than 1 MiB; split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleFileError(f"the file is not UTF-8 (byte {error.start})") from None


def write_text(path: Path, text: str) -> None:
    """Replace the file by this text at once: a reader, or a crash, finds the old one or the new one. Raises `RuleFileError`."""
    data = text.encode("utf-8")
    if len(data) > MAX_BYTES:
        raise RuleFileError("The file would be larger than 1 MiB; split it.")
    if path.is_symlink():
        raise RuleFileError(f"{path.name} is a link; edit the file it points to.")
    try:
        _replace(path, data)
    except OSError as error:
        raise RuleFileError(f"{path.name} cannot be written: {error.strerror}. Check space and mode of {path.parent}.") from error


def revision_of(text: str) -> int:
    """A number for the text: equal texts have equal ones, also after a restart. Between 1 and 2^48; 0 stands for no file."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:6], "big") + 1


def _replace(path: Path, data: bytes) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
