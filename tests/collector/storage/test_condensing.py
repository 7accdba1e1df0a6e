"""What the journal makes of its closed segments replays to the same windows, whatever happens to the files."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collector.storage.condensing import CONDENSED, WRITTEN, condense, origin_if_whole
from collector.storage.journal import SEGMENT_SECONDS, Journal
from collector.storage.restoring import restored
from monitor.engine import Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.windows.frame import FIELDS
from tests.running import until

BEGIN = 1_700_000_000
SECONDS = 1300
KINDS = (Kind.GAUGE, Kind.COUNTER, Kind.DISTRIBUTION, Kind.SET)


def engine() -> Engine:
    return Engine(EngineSettings(idle_expiry=400))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path]:
    """Twenty minutes of eight series of all kinds, two of which end on the way, and the folder of their journal."""
    folder = tmp_path_factory.mktemp("journal")
    space, lasting, journal = KeySpace(), engine(), Journal(folder)
    for number in range(8):
        space.add(series_key(f"s{number}"), KINDS[number % 4])
    chance = np.random.default_rng(7)
    for second in range(SECONDS):
        ids = np.flatnonzero(chance.random(8) < (0.3 if second < 500 else np.r_[np.full(6, 0.3), 0, 0])).astype(np.int32)
        late = np.where(chance.random(len(ids)) < 0.1, -20.0, 0.0)
        times = BEGIN + second + chance.random(len(ids)).round(3) + late
        lasting.ingest(Batch(space, ids, chance.integers(1, 50, len(ids)).astype(float), times))
        frame = lasting.tick(BEGIN + second + 1)
        live = lasting.table.added_since(0)[0] if journal.wants_table(frame.time) else None
        journal.append(frame.delta, live)
    until(lambda: len(list(folder.glob(f"*{CONDENSED}"))) == int(SECONDS / SEGMENT_SECONDS), "the segments are condensed")
    journal.close()
    return lasting, folder


@pytest.fixture
def folder(recorded: tuple[Engine, Path], tmp_path: Path) -> Path:
    for path in recorded[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    opened = Journal(folder)
    yield opened
    opened.close()


def files(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"*{kind}"))


def assert_restored(lasting: Engine, journal: Journal) -> None:
    again, reach = restored(journal, engine, lasting.now)
    assert reach == SECONDS - 10, "from the end of the first ten on"
    infos = lasting.table.added_since(0)[0]
    rows = np.array([info.row for info in infos], np.int32)
    others = np.array([again.table.find(info.key, info.kind) for info in infos], np.int32)
    for field in FIELDS:
        for window in (10, 60, 300, 900, 3600):
            np.testing.assert_allclose(
                again.column(field, window, others), lasting.column(field, window, rows), rtol=1e-12, atol=1e-3
            )
        for span, step in ((290, 1), (1200, 10)):
            got, wanted = (
                which.history(those, field, 60, lasting.now - span, lasting.now, step)
                for which, those in ((again, others), (lasting, rows))
            )
            np.testing.assert_allclose(got.values, wanted.values, rtol=1e-12, atol=1e-3, err_msg=field)


def test_a_start_reads_few_records_and_has_the_same_windows(recorded: tuple[Engine, Path], journal: Journal) -> None:
    lasting, _ = recorded
    assert_restored(lasting, journal)
    assert journal.problems == []
    assert len(list(journal.read(lasting.now))) < SECONDS / 2


def test_what_was_written_is_kept_while_its_seconds_are_wanted(recorded: tuple[Engine, Path]) -> None:
    _, folder = recorded
    kept = {path.stem for path in files(folder, WRITTEN)}
    stems = sorted(kept | {path.stem for path in files(folder, CONDENSED)})
    assert len(stems) == 5
    assert set(stems[-2:]) <= kept
    assert stems[0] not in kept


def test_a_process_killed_while_condensing_leaves_what_it_read(
    recorded: tuple[Engine, Path], folder: Path, journal: Journal
) -> None:
    lasting, _ = recorded
    newest = files(folder, CONDENSED)[-1]
    newest.rename(newest.with_suffix(".unfinished"))
    assert_restored(lasting, journal)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_condensed_file_is_not_read_where_the_written_one_is_left(
    recorded: tuple[Engine, Path], folder: Path, journal: Journal, seed: int
) -> None:
    lasting, _ = recorded
    (hurt,) = [path for path in files(folder, CONDENSED)[-2:-1] if path.with_suffix(WRITTEN).exists()]
    damage(hurt, seed)
    assert origin_if_whole(hurt) is None
    assert_restored(lasting, journal)
    assert journal.problems == []


@pytest.mark.parametrize("seed", range(12))
def test_where_only_a_damaged_file_is_left_it_is_read_up_to_the_damage_and_told(
    recorded: tuple[Engine, Path], folder: Path, journal: Journal, seed: int
) -> None:
    lasting, _ = recorded
    hurt = files(folder, CONDENSED)[0]
    damage(hurt, seed)
    again, reach = restored(journal, engine, lasting.now)
    assert reach > 0
    assert [problem.split(":")[0] for problem in journal.problems] == [hurt.name]
    infos = lasting.table.added_since(0)[0]
    for info in infos:
        row = again.table.find(info.key, info.kind)
        assert row is not None
        # All that is newer than the damaged segment is there, of that segment no more than there was.
        for window, least in ((900, True), (3600, False)):
            (got,) = again.column("count", window, np.array([row], np.int32))
            (wanted,) = lasting.column("count", window, np.array([info.row], np.int32))
            assert got == wanted if least else got <= wanted


def damage(path: Path, seed: int) -> None:
    data, chance = bytearray(path.read_bytes()), random.Random(seed)
    if seed % 2:
        del data[chance.randrange(60, len(data)) :]
    else:
        data[chance.randrange(20, len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def test_a_segment_that_was_being_written_when_the_process_died_is_condensed_up_to_there(
    recorded: tuple[Engine, Path], folder: Path
) -> None:
    lasting, _ = recorded
    path = files(folder, WRITTEN)[-1]
    path.write_bytes(path.read_bytes()[:-30])
    condense(path, threading.Event())
    assert origin_if_whole(path.with_suffix(CONDENSED)) is not None
    path.unlink()
    opened = Journal(folder)
    times = [delta.time for delta in opened.read(lasting.now)]
    assert opened.problems == []
    assert lasting.now - 2 <= times[-1] < lasting.now


def test_a_damaged_segment_stays_as_it_was_written(folder: Path) -> None:
    path = files(folder, WRITTEN)[-1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(ValueError, match="checksum"):
        condense(path, threading.Event())
    assert not path.with_suffix(CONDENSED).exists()


def test_condensing_that_is_told_to_stop_leaves_nothing_that_is_read(folder: Path) -> None:
    path, stopping = files(folder, WRITTEN)[-1], threading.Event()
    stopping.set()
    condense(path, stopping)
    assert not path.with_suffix(CONDENSED).exists()
    later = Journal(folder)
    later.append(next(iter(later.read(BEGIN + SECONDS))), ())
    until(path.with_suffix(CONDENSED).exists, "another run does it")
    later.close()
    assert files(folder, ".unfinished") == []
