"""Online backup: a copy of a history as of one moment, taken while a collector writes to it, and put back.

The journal is copied first and the database after it: what was folded in between is in the database's copy, so that every sample
that was acknowledged when the backup began is in one of the two.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from collector.storage.history.fresh_journal import MAGIC, MAX_RECORD
from collector.storage.history.opening import DATABASE
from collector.storage.history.tools.folder import JOURNAL, ToolError, reading

_HEAD = struct.Struct("<II")


class Backup(NamedTuple):
    """What was copied."""

    bytes: int
    records: int


def back_up(history: Path, destination: Path) -> Backup:
    """Copies the history to `destination`, a folder that does not exist yet; it appears there whole or not at all.

    Raises `ToolError`, and `OSError` when the disk is full.
    """
    if destination.exists():
        raise ToolError(f"{destination} exists already. Name a folder that does not: a backup never writes over anything.")
    partial = destination.with_name(destination.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    try:
        records = _copy_journal(history / JOURNAL, partial / JOURNAL)
        _copy_database(history / DATABASE, partial / DATABASE)
        for path in (*partial.rglob("*"), partial):
            _sync(path)
        os.replace(partial, destination)
        _sync(destination.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Backup(sum(path.stat().st_size for path in destination.rglob("*") if path.is_file()), records)


def restore(backup: Path, history: Path) -> Path | None:
    """Puts a backup in the place of a history whose collector does not run; where the one before was set aside to, None if none.

    Raises `ToolError`.
    """
    if not (backup / DATABASE).is_file():
        raise ToolError(f"{backup} is no backup: there is no {DATABASE} in it.")
    incoming = history.with_name(history.name + ".restored")
    shutil.rmtree(incoming, ignore_errors=True)
    shutil.copytree(backup, incoming)
    for path in (*incoming.rglob("*"), incoming):
        _sync(path)
    aside = _set_aside(history) if history.exists() else None
    os.replace(incoming, history)
    _sync(history.parent)
    return aside


def _set_aside(history: Path) -> Path:
    number = 1
    while (aside := history.with_name(f"{history.name}-before-{number}")).exists():
        number += 1
    os.replace(history, aside)
    return aside


def _copy_journal(source: Path, target: Path) -> int:
    """Whole records only: the collector may be writing the next."""
    target.mkdir(mode=0o700)
    records = 0
    for path in sorted(source.glob("*.journal")):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # folded into the database meanwhile
            continue
        whole = len(MAGIC)
        for end in _record_ends(data):
            whole, records = end, records + 1
        if whole > len(MAGIC):
            (target / path.name).write_bytes(data[:whole])
    return records


def _record_ends(data: bytes) -> Iterator[int]:
    """Where each whole record ends; a damaged one is copied as it is, and told when it is read."""
    position = len(MAGIC)
    while position + _HEAD.size <= len(data) and data.startswith(MAGIC):
        length, checksum = _HEAD.unpack_from(data, position)
        behind = position + _HEAD.size + length
        if length > MAX_RECORD or behind > len(data):
            return
        if zlib.crc32(data[position + _HEAD.size : behind]) != checksum and behind == len(data):
            return
        position = behind
        yield position


def _copy_database(source: Path, target: Path) -> None:
    try:
        with reading(source) as connection:
            connection.execute("ROLLBACK")  # VACUUM begins a transaction of its own, as of one moment too
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise ToolError(f"The disk of {target.parent} is full: the backup was not taken.") from None
        raise ToolError(f"{source} cannot be copied: {error}. 'lightship history check' tells what is damaged.") from None
    target.chmod(0o600)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
