"""A history's folder as the tools open it: with the collector's lock, or beside a running collector, reading only."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from collector.folders import FolderLock, FolderTakenError
from collector.storage.history.database import HistoryError
from collector.storage.history.opening import DATABASE
from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore

JOURNAL = "fresh"
_AGES = 3.2e9
"""Seconds, a century: what is imported may be of any age."""


class ToolError(Exception):
    """What a tool could not do; the message says what, why and what to do."""


def history_of(data: Path) -> Path:
    """The history's folder within a collector's data folder. Raises `ToolError` when there is none."""
    folder = data / "history"
    if not (folder / DATABASE).is_file():
        raise ToolError(f"There is no history in {data}: {DATABASE} is not in its folder 'history'. Name another with --data.")
    return folder


@contextlib.contextmanager
def opened(data: Path, settings: HistorySettings | None = None) -> Iterator[HistoryStore]:
    """The history of a collector that does not run, for writing and reading: no background work is done. Raises `ToolError`."""
    lock = FolderLock(data)
    try:
        lock.take()
    except FolderTakenError as error:
        raise ToolError(f"{error} Stop it first: this writes to the history.") from None
    except OSError as error:
        raise ToolError(str(error.strerror or error)) from None
    try:
        store = HistoryStore(data / "history", settings)
    except (HistoryError, sqlite3.Error, OSError) as error:
        lock.free()
        raise ToolError(str(error)) from None
    try:
        yield store
    finally:
        store.close()
        lock.free()


def importing(settings: HistorySettings | None = None) -> HistorySettings:
    """Settings under which samples of any age are taken. Background work is left to the collector's next start."""
    return msgspec.structs.replace(settings or HistorySettings(), out_of_order=_AGES, fold_samples=500_000)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A database, read only, as of one moment; whoever writes to it meanwhile is not held up. Raises `ToolError`."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10.0, isolation_level=None)
    except sqlite3.Error as error:
        raise ToolError(f"{path} cannot be opened: {error}. Check that it exists and may be read.") from None
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        yield connection
    finally:
        connection.close()
