"""Kills, full and forbidden disks, and clocks that jump: what was said to be safe is there, once and right."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.query.history import Hints
from tests.collector.storage.history.kill_loop import NOW, START, look, open_store, run, series, values

ROUNDS = int(os.environ.get("LIGHTSHIP_KILL_ROUNDS", "8"))


def test_a_writer_that_is_killed_again_and_again_loses_nothing_it_said_was_safe(tmp_path: Path) -> None:
    found = run(tmp_path / "history", ROUNDS, seed=3)
    assert not found.wrong
    assert found.ticks > ROUNDS
    assert set(found.told) <= {"its last record is cut short or damaged and was left out"}


def lines_of(kind: str, folder: Path) -> dict[str, str]:
    command = [sys.executable, "-m", "tests.collector.storage.history.limited_writer", kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -9, done.stderr[-2000:]
    return {word: rest for word, _, rest in (line.partition(" ") for line in done.stdout.splitlines())}


def test_a_full_disk_is_told_costs_nothing_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    said = lines_of("full", tmp_path / "history")
    assert "cannot be written" in said["failing"]
    assert said["answers"] == "True"
    assert said["again"] == "well all there"
    store = open_store(tmp_path / "history")
    assert not look(store, int(said["safe"])).wrong
    store.close()


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_may_only_be_read_is_told(public: Path) -> None:
    said = lines_of("forbidden", public)
    assert "Check its owner, mode" in said["refused"] or "Permission denied" in said["refused"]
    assert "Permission denied" in said["failing"]
    assert said["answers"] == "True"
    for path in (public / "kept", public / "kept" / "fresh"):
        path.chmod(0o755)
    store = open_store(public / "kept")
    assert not look(store, int(said["safe"])).wrong
    store.close()


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_clock_that_is_set_an_hour_forward_or_back_moves_no_sample(tmp_path: Path, step: float) -> None:
    now = [NOW]
    settings = HistorySettings(keep=(1e9, 1e9, 1e9, 1e9), quiet=0.0, fold_age=0.0)
    store = HistoryStore(tmp_path, settings, clock=lambda: now[0])
    (ref,) = store.intern([series(1)], [0]).tolist()
    for tick in range(200):
        if tick == 100:
            now[0] += step
        now[0] += 1
        store.append(np.array([ref]), np.array([START + tick * 1000]), values(1, np.array([tick])))
        assert store.commit()
        if tick % 30 == 0:
            store.step()
    store.close()
    store = HistoryStore(tmp_path, settings, clock=lambda: now[0])
    (block,) = store.select([Matcher("n", "=", "1")], 0, 1 << 50, Hints(range=1)).blocks
    assert block.times.tolist() == [START + tick * 1000 for tick in range(200)]
    assert block.values[0].tolist() == values(1, np.arange(200)).tolist()
    store.close()


def test_the_hour_that_summer_time_leaves_out_or_has_twice_is_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        forward, back = 1_741_503_600_000, 1_762_063_200_000  # 2025-03-09 and 2025-11-02, 2:00 there
        store = HistoryStore(tmp_path, HistorySettings(keep=(1e10,) * 4, out_of_order=1e9, quiet=0.0), clock=lambda: NOW)
        (ref,) = store.intern([series(1)], [0]).tolist()
        for change in (forward, back):
            times = np.arange(change - 7_200_000, change + 7_200_000, 60_000)
            store.append(np.full(len(times), ref), times, times / 60_000)
        store.fold()
        store.step()
        for change in (forward, back):
            (block,) = store.select([Matcher("n", "=", "1")], change - 7_200_000, change + 7_200_000, Hints(range=1)).blocks
            assert len(block.times) == 240
            assert (block.values[0] * 60_000 == block.times).all()
        store.close()
    finally:
        monkeypatch.undo()
        time.tzset()
