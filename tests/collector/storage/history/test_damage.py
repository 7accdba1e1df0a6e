"""Damage to any file of a history, anywhere: it starts, says what it found, and never gives a number that was not written."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from collector.storage.history import first_page
from collector.storage.history.database import HistoryError
from tests.collector.storage.history.kill_loop import Found, look, open_store, write_tick

TICKS = 120


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same samples as a process leaves them that was killed, and as one does that ended well, its journal folded or not."""
    folder = tmp_path_factory.mktemp("histories")
    store = open_store(folder / "work")
    for tick in range(TICKS):
        assert write_tick(store, tick)
        if tick in (50, 90):
            store.fold()
        if tick == 60:
            store.step()
            shutil.copytree(folder / "work", folder / "early")
    shutil.copytree(folder / "work", folder / "killed")
    store.fold()
    store.step()
    store.close()
    shutil.copytree(folder / "work", folder / "ended")
    return {name: folder / name for name in ("killed", "ended", "early")}


def opened(folder: Path, acknowledged: int = TICKS - 1) -> tuple[Found, list[str]]:
    """What a store finds and says there, once it has worked on as ever."""
    store = open_store(folder)
    before = look(store, acknowledged, whole=False)
    assert write_tick(store, 5000)
    store.fold()
    store.step()
    after = look(store, acknowledged, whole=False)
    found = Found(before.ticks, before.samples, [*before.wrong, *after.wrong])
    figures = store.stats()
    told = [*store.problems, *(["damaged series"] if figures["damaged_series"] else [])]
    store.close()
    return found, told


def whole(folder: Path) -> int:
    """How many samples there are without any damage."""
    shutil.copytree(folder, folder.with_name("whole"), dirs_exist_ok=True)
    found, told = opened(folder.with_name("whole"))
    shutil.rmtree(folder.with_name("whole"))
    assert not found.wrong
    assert not told
    return found.samples


def files_of(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm"))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("history", ["killed", "ended"])
def test_flipped_bits_anywhere_are_told_and_never_a_wrong_number(
    histories: dict[str, Path], tmp_path: Path, history: str, seed: int
) -> None:
    chance = random.Random(f"{history} {seed}")
    there = whole(histories[history])
    for number, file in enumerate(files_of(histories[history]) * 2):
        folder = tmp_path / str(number)
        shutil.copytree(histories[history], folder)
        data = bytearray((folder / file).read_bytes())
        if not data:
            continue
        place = chance.choice((chance.randrange(len(data)), chance.randrange(min(len(data), 120)), _filled(data, chance)))
        data[place] ^= 1 << chance.randrange(8)
        (folder / file).write_bytes(data)
        found, told = opened(folder)
        assert not found.wrong, (file, place)
        assert told or found.samples == there, (file, place)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("history", ["killed", "ended", "early"])
def test_files_cut_anywhere_are_told_and_never_a_wrong_number(
    histories: dict[str, Path], tmp_path: Path, history: str, seed: int
) -> None:
    chance = random.Random(f"{history} {seed}")
    for number, file in enumerate(files_of(histories[history])):
        folder = tmp_path / str(number)
        shutil.copytree(histories[history], folder)
        data = (folder / file).read_bytes()
        size = chance.randrange(max(1, len(data)))
        (folder / file).write_bytes(data[:size])
        found, told = opened(folder)
        assert not found.wrong, (file, size)
        if file.suffix == ".journal" and size > 20:
            assert told or found.ticks >= 90, "of a cut record nothing but it is lost"


def _filled(data: bytearray, chance: random.Random) -> int:
    """A place where something stands."""
    for _ in range(100):
        place = chance.randrange(len(data))
        if data[place]:
            return place
    return 0


@pytest.mark.parametrize("missing", ["history.sqlite3", "history.first-page", "fresh"])
def test_a_history_without_one_of_its_files_goes_on_with_the_others(
    histories: dict[str, Path], tmp_path: Path, missing: str
) -> None:
    shutil.copytree(histories["killed"], tmp_path / "history")
    for path in (tmp_path / "history").glob(f"{missing}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    found, _ = opened(tmp_path / "history")
    assert not found.wrong


def test_without_its_first_page_the_rest_of_the_database_is_still_read(histories: dict[str, Path], tmp_path: Path) -> None:
    there = whole(histories["ended"])
    for name, junk in (("zeros", bytes(4096)), ("noise", random.Random(3).randbytes(4096)), ("header", bytes(100))):
        shutil.copytree(histories["ended"], tmp_path / name)
        path = tmp_path / name / "history.sqlite3"
        data = path.read_bytes()
        path.write_bytes(junk + data[len(junk) :])
        found, told = opened(tmp_path / name)
        assert not found.wrong
        assert found.samples == there, name
        assert "set aside" in told[0]
        (aside,) = (tmp_path / name).glob("history-damaged-*.sqlite3")
        assert aside.read_bytes() == junk + data[len(junk) :], "the evidence is as it was found"


def test_times_that_answer_for_others_are_not_taken(histories: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(histories["ended"], tmp_path / "history")
    connection = sqlite3.connect(tmp_path / "history" / "history.sqlite3")
    connection.execute("UPDATE times SET data = (SELECT data FROM times AS other WHERE length(other.data) = 25 LIMIT 1)")
    connection.commit()
    connection.close()
    found, told = opened(tmp_path / "history")
    assert not found.wrong
    assert "the times of a chunk are missing or damaged" in told[0]


def test_a_copy_of_the_first_page_that_is_damaged_itself_is_not_used(histories: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(histories["ended"], tmp_path / "history")
    path = tmp_path / "history" / "history.sqlite3"
    copy = path.with_suffix(".first-page")
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    before = path.read_bytes()
    with first_page.mended(path):
        assert path.read_bytes() == before


def test_a_history_of_a_newer_version_is_left_alone(histories: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(histories["ended"], tmp_path / "history")
    connection = sqlite3.connect(tmp_path / "history" / "history.sqlite3")
    connection.execute("PRAGMA user_version=99")
    connection.execute("DELETE FROM marks WHERE name = 'format'")
    connection.commit()
    connection.close()
    with pytest.raises(HistoryError, match="newer"):
        open_store(tmp_path / "history")
