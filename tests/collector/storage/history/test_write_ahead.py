"""A log of which any byte was flipped is never taken for one that lost nothing, if it did."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from collector.storage.history.write_ahead import lost_commits

COMMITS = 5


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A database as kill -9 leaves it: five transactions stand in the log alone."""
    path = tmp_path / "open.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE t (x)")
    for number in range(COMMITS - 1):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
    left = tmp_path / "left.sqlite3"
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{left}{end}")
    connection.close()
    return left


def _rows(path: Path) -> int:
    try:
        with sqlite3.connect(path) as connection:
            return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])
    except sqlite3.Error:
        return 0


def test_a_whole_log_lost_nothing(killed: Path) -> None:
    assert lost_commits(killed) == 0
    assert _rows(killed) == COMMITS - 1


@pytest.mark.parametrize("place", range(32))
def test_a_damaged_header_of_the_log_is_told_where_it_costs_something(killed: Path, place: int) -> None:
    log = Path(f"{killed}-wal")
    data = bytearray(log.read_bytes())
    data[place] ^= 0x10
    log.write_bytes(data)
    lost = lost_commits(killed)
    assert lost > 0 or _rows(killed) == COMMITS - 1
