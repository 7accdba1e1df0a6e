"""Kills, damage, full disks: what was said to be safe is there, once and right, and what is not is told."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.storage.traces.database import DATABASE, TraceStoreError
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.store import TraceStore
from tests.collector.storage.traces.killed_writer import look, open_store, write_round
from tests.collector.storage.traces.samples import NOW, Row, spans_of

ROUNDS = int(os.environ.get("LIGHTSHIP_KILL_ROUNDS", "20"))
WRITTEN = 100


def test_a_writer_that_is_killed_twenty_times_loses_nothing_it_said_was_safe(tmp_path: Path) -> None:
    chance, acknowledged = random.Random(5), -1
    for round_ in range(ROUNDS):
        acknowledged = _killed(tmp_path / "store", acknowledged, chance)
        if round_ % 4 == 3 or round_ == ROUNDS - 1:
            store = open_store(tmp_path / "store")
            wrong, _ = look(store, acknowledged)
            assert not wrong
            assert not store.problems
            store.close()
    assert acknowledged > ROUNDS


def _killed(folder: Path, acknowledged: int, chance: random.Random) -> int:
    """Starts a writer where the one before ended, and kills it some time after; the last round it said was safe."""
    command = [sys.executable, "-m", "tests.collector.storage.traces.killed_writer", str(folder), str(acknowledged + 1)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    wanted = chance.choice((0, 1, 4, 12, 40))
    for line in process.stdout:
        if line.strip().isdigit():
            acknowledged = int(line)
            wanted -= 1
        if wanted <= 0:
            break
    time.sleep(chance.random() * 0.02)  # anywhere within a round's writing
    process.send_signal(signal.SIGKILL)
    rest = [line for line in process.stdout.read().split(b"\n")[:-1] if line.strip().isdigit()]
    process.stdout.close()
    process.wait()
    return int(rest[-1]) if rest else acknowledged


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same rows as a process leaves them that was killed, and as one does that ended well."""
    folder = tmp_path_factory.mktemp("stores")
    store = open_store(folder / "work")
    for number in range(WRITTEN):
        assert write_round(store, number)
        if number % 20 == 10:
            store.step()
    shutil.copytree(folder / "work", folder / "killed")
    store.close()
    shutil.copytree(folder / "work", folder / "ended")
    return {name: folder / name for name in ("killed", "ended")}


def opened(folder: Path) -> tuple[list[str], int, list[str]]:
    """What is wrong in a store once it has worked on as ever, how many spans are left, and what it says."""
    store = open_store(folder)
    wrong, _ = _looked(store)
    for number in range(5000, 5003):
        assert write_round(store, number) or store.failing
    store.step()
    store.step()
    again, count = _looked(store)
    told = list(store.problems)
    store.close()
    return wrong + again, count - 3, told


def _looked(store: TraceStore) -> tuple[list[str], int]:
    """Damage that SQLite finds itself makes a question fail, until the background work has saved the rest."""
    for _ in range(3):
        with contextlib.suppress(TraceStoreError):
            return look(store, WRITTEN - 1, whole=False)
        store.step()
    raise AssertionError("it never answers again")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["killed", "ended"])
def test_flipped_bits_anywhere_are_told_and_never_a_wrong_row(
    stores: dict[str, Path], tmp_path: Path, kind: str, seed: int
) -> None:
    chance = random.Random(f"{kind} {seed}")
    for number, file in enumerate(_files(stores[kind])):
        folder = tmp_path / str(number)
        shutil.copytree(stores[kind], folder)
        data = bytearray((folder / file).read_bytes())
        place = chance.choice((chance.randrange(len(data)), chance.randrange(min(len(data), 120)), _filled(data, chance)))
        data[place] ^= 1 << chance.randrange(8)
        (folder / file).write_bytes(data)
        wrong, count, told = opened(folder)
        assert not wrong, (file, place)
        assert told or count == WRITTEN, (file, place, count)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["killed", "ended"])
def test_files_cut_anywhere_are_told_and_never_a_wrong_row(stores: dict[str, Path], tmp_path: Path, kind: str, seed: int) -> None:
    chance = random.Random(f"{kind} {seed}")
    for number, file in enumerate(_files(stores[kind])):
        folder = tmp_path / str(number)
        shutil.copytree(stores[kind], folder)
        data = (folder / file).read_bytes()
        size = chance.randrange(max(1, len(data)))
        (folder / file).write_bytes(data[:size])
        wrong, count, told = opened(folder)
        assert not wrong, (file, size)
        if file.name == DATABASE and size:
            assert told or count == WRITTEN, (file, size, count)


def _files(folder: Path) -> list[Path]:
    return sorted(
        p.relative_to(folder) for p in folder.rglob("*") if p.is_file() and p.stat().st_size and not p.name.endswith("-shm")
    )


def _filled(data: bytearray, chance: random.Random) -> int:
    """A place where something stands."""
    return next((place for place in (chance.randrange(len(data)) for _ in range(100)) if data[place]), 0)


def test_a_damaged_block_is_told_once_and_the_others_answer(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, TraceSettings(merge=100), clock=lambda: NOW)
    for number in range(10):
        write_round(store, number)
    store.close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("UPDATE details SET data = zeroblob(length(data)) WHERE id = (SELECT min(id) FROM details)")
        connection.execute("UPDATE columns SET data = substr(data, 1, 20) WHERE id = 3")
        connection.execute("UPDATE blocks SET rows = 2 WHERE id = 7")
    connection.close()
    store = TraceStore(tmp_path, TraceSettings(merge=3), clock=lambda: NOW)
    assert "1 blocks of spans and logs were damaged" in store.problems[0]
    for _ in range(2):
        wrong, count = look(store, 9, whole=False)
        assert not wrong
        assert count == 7
    assert len(store.problems) == 3
    assert store.trace("0" * 15 + "1" + "0" * 15 + "1").warnings
    store.step()
    assert store.figures()["traces_lost_total"] == 2
    assert look(store, 9, whole=False) == ([], 7)
    store.close()


def test_a_full_disk_is_told_costs_nothing_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.collector.storage.traces.limited_writer", str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -9, done.stderr[-2000:]
    said = {word: rest for word, _, rest in (line.partition(" ") for line in done.stdout.splitlines())}
    assert "cannot be written" in said["failing"]
    assert (said["answers"], said["again"], said["quick"]) == ("True", "well", "True")
    store = open_store(tmp_path / "store")
    assert not look(store, int(said["safe"]))[0]
    store.close()


def test_memory_that_the_disk_does_not_relieve_is_bounded_and_what_it_refuses_is_counted(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, TraceSettings(pending_bytes=2000, rest=1e9), clock=lambda: NOW)
    rows = spans_of([Row((1, at), at) for at in range(1, 11)])
    assert store.append_spans(rows)
    assert not store.append_spans(rows)
    assert store.figures()["traces_refused_total"] == 10
    assert any("refused" in note for note in store.notes())
    assert store.commit()
    assert store.append_spans(rows)
    store.close()


def test_a_database_of_another_program_or_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.execute("PRAGMA user_version=9")
    connection.close()
    with pytest.raises(TraceStoreError, match="another program"):
        open_store(tmp_path)
    (tmp_path / DATABASE).unlink()
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("CREATE TABLE newer (x)")
        connection.execute("PRAGMA user_version=3")
    connection.close()
    with pytest.raises(TraceStoreError, match="newer Lightship"):
        open_store(tmp_path)
