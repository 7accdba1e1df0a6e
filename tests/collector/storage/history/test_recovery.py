"""Kills, cuts, flipped bits and full disks: what was acknowledged is there, and never a wrong number."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import signal
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from collector.storage.history import opening
from collector.storage.history.database import HistoryError
from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.query.history import Hints, Labels, QueryError
from tests.collector.storage.history.samples import samples_of

SERIES = 20
START = 1_764_000_000_000 // 14_400_000 * 14_400_000
ALL = [Matcher("__name__", "=", "m")]
RAW = Hints(range=1)


def label(number: int) -> Labels:
    return (("__name__", "m"), ("n", str(number)))


def open_store(folder: Path, now: float | None = None, **changes: object) -> HistoryStore:
    chosen = HistorySettings(**{"keep": (1e9, 1e9, 1e9, 1e9), "quiet": 0.0, **changes})  # type: ignore[arg-type]
    return HistoryStore(folder, chosen, clock=lambda: now or START / 1000 + 86_400)


def value(series: int, tick: int) -> float:
    return float(series * 1_000_000 + tick * 7 % 1013)


def append(store: HistoryStore, tick: int) -> None:
    refs = store.intern([label(number) for number in range(SERIES)], [0] * SERIES)
    store.append(refs, np.full(SERIES, START + tick * 1000), np.array([value(n, tick) for n in range(SERIES)]))


def check(store: HistoryStore) -> int:
    """That all that is there is right; how many ticks are there without a gap from the first."""
    found = samples_of(store.select(ALL, 0, 1 << 50, RAW))
    for number, samples in found.items():
        for time, read in samples.items():
            assert read == value(int(number), (time - START) // 1000)
    return min((len(found.get(str(number), {})) for number in range(SERIES)), default=0)


def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    committed = -1
    for kill_after in (3, 40, 90, 25, 60):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.collector.storage.history.killed_writer", str(tmp_path), str(committed + 1)],
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        for _ in range(kill_after):
            committed = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split(b"\n")[:-1]
        committed = int(rest[-1]) if rest else committed
        writer.wait()
        writer.stdout.close()
        store = open_store(tmp_path)
        ticks = check(store)
        assert ticks in (committed + 1, committed + 2), "nothing twice, at most one more than was told"
        committed = ticks - 1
        store.close()


def record_ends(data: bytes) -> list[int]:
    """Where each record of a segment ends."""
    ends, place = [], 20
    while place < len(data):
        place += 8 + struct.unpack_from("<I", data, place)[0]
        ends.append(place)
    return ends


def test_a_journal_cut_anywhere_gives_its_whole_records(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for tick in range(8):
        append(store, tick)
        assert store.commit()
    store.close()
    (segment,) = (tmp_path / "fresh").glob("*.journal")
    data = segment.read_bytes()
    ends = record_ends(data)
    for size in range(0, len(data), 13):
        segment.write_bytes(data[:size])
        store = open_store(tmp_path)
        assert check(store) == max(0, sum(end <= size for end in ends) - 1), "the first one names the series"
        assert bool(store.problems) == (size not in (20, *ends))
        append(store, 7)
        assert store.commit()
        store.close()
        for other in set((tmp_path / "fresh").glob("*.journal")) - {segment}:
            other.unlink()


def test_flipped_bits_in_the_journal_cost_the_record_they_hit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for tick in range(8):
        append(store, tick)
        assert store.commit()
    store.close()
    (segment,) = (tmp_path / "fresh").glob("*.journal")
    data = bytearray(segment.read_bytes())
    chance = random.Random(1)
    for _ in range(60):
        place, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        data[place] ^= bit
        segment.write_bytes(data)
        store = open_store(tmp_path)
        check(store)
        assert store.problems
        store.close()
        data[place] ^= bit


def filled(folder: Path) -> int:
    store = open_store(folder)
    for tick in range(1500):
        append(store, tick)
        if tick % 400 == 399:
            store.fold()
    store.fold()
    store.step(START / 1000 + 86_400)
    assert check(store) == 1500
    store.close()
    connection = sqlite3.connect(folder / "history.sqlite3")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return 1500


def test_flipped_bits_in_the_database_are_never_a_wrong_number(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    path = tmp_path / "history.sqlite3"
    data = path.read_bytes()
    chance = random.Random(2)
    hurt = 0
    for _ in range(60):
        damaged = bytearray(data)
        place = chance.randrange(len(data))
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        store = open_store(tmp_path)
        there = check(store)
        if there < whole:
            hurt += 1
            assert store.problems
        append(store, 5000)
        store.fold()
        store.step()
        store.close()
        for left in tmp_path.glob("history*"):
            left.unlink()
    assert hurt


@pytest.mark.parametrize("size", [0, 10, 4096, 20_000])
def test_a_truncated_database_is_set_aside_and_what_can_be_read_is_saved(tmp_path: Path, size: int) -> None:
    filled(tmp_path)
    path = tmp_path / "history.sqlite3"
    path.write_bytes(path.read_bytes()[:size])
    store = open_store(tmp_path)
    check(store)
    if size:
        assert "set aside" in store.problems[0]
        assert list(tmp_path.glob("history-damaged-*"))
    append(store, 5000)
    store.fold()
    assert samples_of(store.select(ALL, START + 5_000_000, START + 5_000_000, RAW))["3"]
    store.close()


def test_a_full_disk_is_told_and_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path, rest=0.0, head_samples=SERIES * 10)
    append(store, 0)
    assert store.commit()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as context:
        context.setattr("collector.storage.history.fresh_journal.os.fsync", full)
        for tick in range(1, 20):
            append(store, tick)
            assert not store.commit()
            assert "No space left" in store.failing
    assert store.stats()["dropped_samples"] == SERIES * 10
    assert check(store) == 10, "memory is bounded and still answers"
    assert store.commit()
    store.fold()
    append(store, 10)
    assert store.commit()
    assert not store.failing
    store.close()
    store = open_store(tmp_path)
    assert check(store) == 11
    store.close()


def test_a_database_that_refuses_keeps_samples_in_the_journal(tmp_path: Path) -> None:
    store = open_store(tmp_path, fold_age=0.0)
    append(store, 0)
    connection = store._opened.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    for tick in range(1, 3000):
        append(store, tick)
    store.commit()
    store.step()
    assert "full" in store.failing
    assert store.disk_errors == 1
    assert check(store) == 3000
    connection.execute("PRAGMA max_page_count=1000000")
    store.step()
    assert not store.failing
    assert check(store) == 3000
    store.close()


def test_a_large_database_is_looked_over_after_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = filled(tmp_path)
    path = tmp_path / "history.sqlite3"
    data = path.read_bytes()
    monkeypatch.setattr(opening, "MOST_ROWS", 0)
    chance = random.Random(2)
    hurt = 0
    for _ in range(60):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        store = open_store(tmp_path)
        with contextlib.suppress(QueryError):
            check(store)  # never a wrong number, whatever was looked over yet
        for _ in range(3):  # it is looked over, found damaged, mended
            store.step()
        if check(store) < whole:
            hurt += 1
            assert store.problems
        store.close()
        for left in tmp_path.glob("history*"):
            left.unlink()
    assert hurt


def test_damage_found_while_running_is_repaired_in_the_background(tmp_path: Path) -> None:
    store = open_store(tmp_path, fold_age=0.0)
    for tick in range(1500):
        append(store, tick)
    store.fold()
    store.step()
    append(store, 1500)
    path = tmp_path / "history.sqlite3"
    store._opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):  # the header of every page but the first
        data[page : page + 8] = b"\xff" * 8
    path.write_bytes(data)
    store._opened.connection.execute("PRAGMA shrink_memory")
    with pytest.raises(QueryError, match="looked after in the background"):
        check(store)
    store.step()
    assert any("set aside" in problem for problem in store.problems)
    append(store, 1501)
    store.step()
    assert not store.failing
    found = samples_of(store.select(ALL, START + 1_500_000, 1 << 50, RAW))
    assert found["3"][START + 1_501_000] == value(3, 1501)
    store.close()


def test_a_salvage_that_was_cut_short_is_taken_up(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    os.replace(tmp_path / "history.sqlite3", tmp_path / "history.saved")
    store = open_store(tmp_path)
    assert check(store) == whole
    store.close()


@pytest.mark.parametrize("place", [61, 70])
def test_a_flipped_version_is_damage_and_a_newer_one_is_told(tmp_path: Path, place: int) -> None:
    whole = filled(tmp_path)
    path = tmp_path / "history.sqlite3"
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    store = open_store(tmp_path)
    assert check(store) == whole
    assert "header" in store.problems[0]
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=7")
    connection.execute("DELETE FROM marks WHERE name = 'format'")
    connection.commit()
    connection.close()
    with pytest.raises(HistoryError, match="newer Lightship"):
        open_store(tmp_path)
